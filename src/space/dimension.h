/* SPDX-License-Identifier: BSD-3-Clause */
/* A dimension of a map's item space, as far as it is labelled: its name, its unit, the coordinates
 * along it. */
#ifndef SPACE_DIMENSION_H
#define SPACE_DIMENSION_H

#include "base/account.h"
#include "base/error.h"

#include <stdint.h>
#include <weft/type.h>

enum { DIMENSION_UNITS_BYTES = 256 };

/* Plain bytes. */
typedef struct job_dimension {
    char name[WEFT_NAME_BYTES]; /* "": it has no label */
    char units[DIMENSION_UNITS_BYTES];
    uint64_t checksum; /* of the coordinates; 0: there are none */
    double first;      /* of the coordinates, if there are any */
    double last;
    const double *values; /* them; not the job's. NULL: another rank has them, or a file */
} job_dimension;

/* Describes a dimension of `count` items; without `values` it has no coordinates. They are summed
 * up, and not kept. Whether the name is good is for job_set_dimension(). */
weft_status dimension_init(job_dimension *d, const char *name, const char *units, int64_t count,
                           const double values[], error *e);

/* The checksum of coordinates, piece after piece, each with the checksum of those before it, which
 * is 0 for the first. */
uint64_t dimension_sum(uint64_t before, const double values[], int64_t count);

/* What makes dimension `number`, of `count` items, the same one in another run. */
void dimension_identify(const job_dimension *d, int number, int64_t count, account *a);

/* What is only told of it: its unit. */
void dimension_label(const job_dimension *d, account *a);

#endif
