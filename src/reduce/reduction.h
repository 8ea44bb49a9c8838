/* SPDX-License-Identifier: BSD-3-Clause */
/* A reduction: what is done with its accumulators, whatever its kind.
 *
 * Thread: any; an accumulator belongs to one at a time. */
#ifndef REDUCE_REDUCTION_H
#define REDUCE_REDUCTION_H

#include "base/error.h"
#include "reduce/kind.h"

#include <stdint.h>
#include <weft/reduce.h>

/* Says what is wrong with a description; `name` is the reduction's. All else is for good ones. */
weft_status reduction_check(const weft_reduction *r, const char *name, error *e);

/* Copies a description, with what it borrows. */
weft_status reduction_copy(const weft_reduction *r, weft_reduction *copy, error *e);

/* Frees what a copy holds. */
void reduction_clear(weft_reduction *copy);

/* What it does, with which numbers, as text: what the same text describes is the same, but for the
 * functions of a reducer of the caller's own. */
void reduction_describe(const weft_reduction *r, char *text, size_t bytes);

/* Of which kind that text is; WEFT_REDUCE_KINDS: of none. */
weft_reduction_kind reduction_find_kind(const char *text);

int64_t reduction_bytes(const weft_reduction *r);
reduction_value reduction_value_of(const weft_reduction *r);
void reduction_init(const weft_reduction *r, void *accumulator);
void reduction_merge(const weft_reduction *r, void *accumulator, const void *next);
weft_status reduction_finish(const weft_reduction *r, const char *name, const void *accumulator,
                             void *value, error *e);

/* Says so if a field of this type, with `each` elements per item, cannot be reduced like that. */
weft_status reduction_check_field(const weft_reduction *r, const char *name, weft_type type,
                                  int64_t each, error *e);

/* Adds all elements of consecutive items of a field for which that is good. */
void reduction_add_field(const weft_reduction *r, void *accumulator, weft_type type,
                         const void *elements, int64_t each, int64_t first, int64_t items);

#endif
