/* SPDX-License-Identifier: BSD-3-Clause */
/* A forecast as a table for people. */
#ifndef CLI_PLAN_TEXT_H
#define CLI_PLAN_TEXT_H

#include "forecast.h"

/* Prints it on stdout. */
void plan_print_text(const forecast *f, const char *path);

#endif
