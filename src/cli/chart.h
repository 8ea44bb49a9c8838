/* SPDX-License-Identifier: BSD-3-Clause */
/* A forecast as a picture: speed-up over the number of workers. */
#ifndef CLI_CHART_H
#define CLI_CHART_H

#include "forecast.h"

/* Whether a picture can be made there; says on stderr why not. */
weft_status chart_check(const char *path);

/* Writes it as PNG; says on stderr why it cannot. */
weft_status chart_write(const forecast *f, const char *path);

#endif
