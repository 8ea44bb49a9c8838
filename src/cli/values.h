/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of a map's reductions, as `weft status` tells of them. */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <stdbool.h>
#include <weft/result.h>

typedef struct report_value {
    weft_reduction_info info; /* of whose kind the value is; else that is WEFT_REDUCE_OWN */
    weft_status status;       /* WEFT_ERR_NOT_FOUND: it has none yet; WEFT_ERR_CORRUPT: damaged */
    unsigned char *value;
    double *numbers; /* edges, or probabilities; NULL: not known */
} report_value;

/* An element of a value: as a number, … */
double value_element(const report_value *v, int64_t element);

/* … and as an integer, if it is of such a type. */
bool value_is_integer(const report_value *v);
int64_t value_integer(const report_value *v, int64_t element);

/* How many elements there are. */
int64_t value_elements(const report_value *v);

/* Reads a value and what goes with it. */
weft_status value_read(weft_result *result, int reduction, report_value *v);

void value_release(report_value *v);

/* Prints it on stdout, behind its name, with further lines that begin with `indent` blanks. */
void value_print(const report_value *v, int indent);

#endif
