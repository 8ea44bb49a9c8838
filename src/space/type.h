/* SPDX-License-Identifier: BSD-3-Clause */
/* The types of a field's elements: sizes and default fill values. */
#ifndef SPACE_TYPE_H
#define SPACE_TYPE_H

#include <stddef.h>
#include <weft/type.h>

enum { TYPE_MAX_BYTES = 16 };

/* How many bytes at the end of an element carry no value. They would break "same bits everywhere",
 * so they are cleared. Only long double has any. */
size_t type_padding(weft_type type);

/* NaN; the lowest value of an integer type. */
void type_default_fill(weft_type type, unsigned char fill[TYPE_MAX_BYTES]);

#endif
