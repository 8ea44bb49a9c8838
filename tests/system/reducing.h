/* SPDX-License-Identifier: BSD-3-Clause */
/* Maps that are reduced in every way, whose every value is known (reduced.py computes them again);
 * what the programs `reduces` and `sequences` are made of. */
#ifndef REDUCING_H
#define REDUCING_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/weft.h>

typedef enum reducing_kind {
    REDUCING_DRAWN,  /* reductions of every kind, by the kernel, and no field */
    REDUCING_FIELDS, /* fields, and reductions of theirs */
    REDUCING_PLAIN   /* fields alone */
} reducing_kind;

typedef struct reducing {
    int64_t count;
    int64_t shift; /* the values are those of items that lie so much further on */
    int64_t item_us;
    const char *error; /* items at which the kernel fails, once it has added them */
    const char *crash;
    const char *fail; /* items that are said to fail */
    const char *told; /* what the files begin with that values are written to */
    bool overflow;
    bool too_many; /* asks for an accumulator that there is not */
} reducing;

weft_status reducing_describe(weft_session *session, const char *name, reducing_kind kind,
                              const reducing *r, weft_map **map);

/* A weft_kernel_fn whose context is a reducing. */
weft_kernel_fn reducing_kernel(reducing_kind kind);

/* Every rank writes the map's reductions to a file of its own, a line of hexadecimal digits each.
 */
weft_status reducing_tell(weft_session *session, const reducing *r, weft_map *map, const char *name,
                          reducing_kind kind);

/* Every rank reads back what all of them have computed; failed items hold NaN. */
weft_status reducing_check(weft_session *session, const reducing *r, weft_map *map,
                           reducing_kind kind);

#endif
