/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reduction was described with, as its attributes in a result say.
 *
 * Thread: one at a time. */
#ifndef STORE_FORMAT_NUMBERS_H
#define STORE_FORMAT_NUMBERS_H

#include "base/error.h"

#include <stdint.h>

/* HDF5 takes no more in an attribute. */
enum { NUMBERS_MOST = 8000 };

/* Reads the numbers of an attribute of `/<map>/<reduction>`, in a process of its own, as metadata
 * is. WEFT_ERR_NOT_FOUND if it has another number of them. */
weft_status numbers_read(const char *path, const char *map, const char *reduction,
                         const char *attribute, int64_t count, double numbers[], error *e);

#endif
