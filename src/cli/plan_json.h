/* SPDX-License-Identifier: BSD-3-Clause */
/* A forecast as JSON for programs. */
#ifndef CLI_PLAN_JSON_H
#define CLI_PLAN_JSON_H

#include "forecast.h"

/* Prints it on stdout. WEFT_ERR_MEMORY is the only error; others of writing show on stdout. */
weft_status plan_print_json(const forecast *f, const char *path);

#endif
