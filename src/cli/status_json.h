/* SPDX-License-Identifier: BSD-3-Clause */
/* A report as JSON for programs. */
#ifndef CLI_STATUS_JSON_H
#define CLI_STATUS_JSON_H

#include "status_data.h"

/* Prints it on stdout. WEFT_ERR_MEMORY is the only error; others of writing show on stdout. */
weft_status status_print_json(const report *r);

#endif
