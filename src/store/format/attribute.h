/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes attributes of HDF5 objects that are being made. False: HDF5 has failed. */
#ifndef STORE_FORMAT_ATTRIBUTE_H
#define STORE_FORMAT_ATTRIBUTE_H

#include <hdf5.h>
#include <stdbool.h>

/* A list of `count` values. */
bool attribute_add_list(hid_t object, const char *name, hid_t type, hsize_t count,
                        const void *values);

/* A single value. */
bool attribute_add(hid_t object, const char *name, hid_t type, const void *value);

/* A text of any length. */
bool attribute_add_text(hid_t object, const char *name, const char *text);

/* The same as other libraries expect it of some attributes: as long as it is, with its zero. */
bool attribute_add_fixed_text(hid_t object, const char *name, const char *text);

#endif
