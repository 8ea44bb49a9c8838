/* SPDX-License-Identifier: BSD-3-Clause */
/* Dimension scales, as HDF5's own high-level library makes them: a dataset that lies along a
 * dimension of others, and each knows of the other. netCDF and xarray take what has such a scale
 * for a dimension, and a file in which one is missing for broken.
 *
 * False: HDF5 has failed. */
#ifndef STORE_FORMAT_SCALE_H
#define STORE_FORMAT_SCALE_H

#include "store/format/schema.h"

#include <hdf5.h>
#include <stdbool.h>
#include <weft/type.h>

/* A dataset, and which of its dimensions. Laid out as HDF5 has it. */
typedef struct scale_user {
    hobj_ref_t dataset;
    unsigned dimension;
} scale_user;

typedef struct scale {
    char path[SCHEMA_PATH_BYTES];
    hobj_ref_t dataset;
    int users;
    scale_user user[WEFT_MAX_FIELDS];
} scale;

/* Makes a dataset at this path, which there is, a scale. */
bool scale_mark(hid_t file, const char *path, const char *name, scale *s);

/* Makes a scale without values, which takes no room, for a dimension of that length: in netCDF's
 * words a dimension, but not a variable. `units` may be NULL. */
bool scale_make_bare(hid_t file, const char *path, hsize_t length, const char *units, scale *s);

/* Attaches a scale to each dimension of a dataset. */
bool scale_attach(hid_t file, const char *path, int ndims, scale *const scales[]);

/* Once the scale is attached to all that it ever will be: tells it of these. */
bool scale_finish(hid_t file, const scale *s);

#endif
