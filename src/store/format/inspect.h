/* SPDX-License-Identifier: BSD-3-Clause */
/* Looks at the HDF5 objects of a file that may be damaged, or another program's. What is wrong with
 * it is found deep down and told at the top: the first flaw counts.
 *
 * Where a function gives false it has noted a flaw. */
#ifndef STORE_FORMAT_INSPECT_H
#define STORE_FORMAT_INSPECT_H

#include "store/format/metadata.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weft/macros.h>
#include <weft/type.h>

/* Another file is looked at: no flaw is known. */
void inspect_begin(void);

/* The flaw, or ""; and whether it is only that the file lies in a layout that weft does not write.
 */
const char *inspect_flaw(bool *repacked);

/* Notes a flaw. False. */
bool inspect_fail(const char *format, ...) WEFT_PRINTF(1, 2);

/* The path of an object. */
const char *inspect_path(hid_t object);

/* Reads at most `most` values of an attribute into `values`, and how many there are. False, too, if
 * they are not of the kind that weft writes: of such a file it may be an array that is larger, and
 * HDF5 would make a whole number of 1.5. */
bool inspect_values(hid_t object, const char *name, hid_t type, int most, int *count, void *values);

/* The same of a single value, and of a text. */
bool inspect_attribute(hid_t object, const char *name, hid_t type, void *value);
bool inspect_text(hid_t object, const char *name, char *text, size_t bytes);

/* Nothing, where there is no such attribute: a program need not have a version. */
bool inspect_text_if_any(hid_t object, const char *name, char *text, size_t bytes);

/* The shape of a dataset; its number of dimensions, or -1 without a flaw. */
int inspect_shape(hid_t dataset, hsize_t shape[2 * WEFT_MAX_DIMS]);

/* Where a contiguous dataset of that many bytes lies: true, and -1 for an empty one. */
bool inspect_offset(hid_t dataset, int64_t bytes, metadata_layout *layout, int64_t *offset);

/* Whether all the way to an object is by hard links. Others lead to where a file says, which may be
 * another file. */
bool inspect_is_inside(hid_t file, const char *path);

/* A table: where it lies, and how many rows it has. `row` is closed: the type of a row, whose
 * columns the table must have, by their names, places and sizes. */
bool inspect_table(hid_t file, const char *path, hid_t row, int64_t most, metadata_layout *layout,
                   int64_t *offset, int64_t *rows);

#endif
