/* SPDX-License-Identifier: BSD-3-Clause */
/* A report as a table for people, the most urgent first. */
#ifndef CLI_STATUS_TEXT_H
#define CLI_STATUS_TEXT_H

#include "status_data.h"

/* Prints it on stdout. */
void status_print_text(const report *r);

#endif
