/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and HDF5 types of format version 2. */
#ifndef STORE_FORMAT_SCHEMA_H
#define STORE_FORMAT_SCHEMA_H

#include <hdf5.h>
#include <weft/type.h>

enum { SCHEMA_FORMAT = 2, SCHEMA_PATH_BYTES = 2 * WEFT_NAME_BYTES + 32 };

#define SCHEMA_WEFT "/weft"
#define SCHEMA_RUNS "/weft/runs"

/* What there is of each map in its group below /weft. */
#define SCHEMA_JOB "job"
#define SCHEMA_TILES "tiles"
#define SCHEMA_LEASES "leases"
#define SCHEMA_FAILURES "failures"
#define SCHEMA_VALUES "values"
#define SCHEMA_ACCUMULATORS "accumulators"

/* What the group of a job says of its dimensions. No name of a parameter has a blank. */
#define SCHEMA_DIMENSIONS "dimension names"
#define SCHEMA_COORDINATES "coordinate checksums"

/* … and of the maps that it needs. */
#define SCHEMA_NEEDS "needed maps"

/* What marks a dimension scale: its attribute. */
#define SCHEMA_SCALE "CLASS"

/* What a reduction's value has in place of a field's attributes. */
#define SCHEMA_REDUCTION "reduction"

/* "/<map>/<field>"; without a field, the group of a map's results. */
void schema_result_path(char path[SCHEMA_PATH_BYTES], const char *map, const char *field);

/* "/weft/<map>/accumulators/<reduction>"; without a reduction, their group. */
void schema_accumulators_path(char path[SCHEMA_PATH_BYTES], const char *map, const char *reduction);

/* "/weft/<map>/<table>"; without a table, their group. */
void schema_table_path(char path[SCHEMA_PATH_BYTES], const char *map, const char *table);

/* HDF5's type for ours; not to be closed. */
hid_t schema_element(weft_type type);

/* Our type for HDF5's, as read from a file; WEFT_TYPE_COUNT if it is none of ours. */
weft_type schema_find_element(hid_t type);

/* The compound types of the tables; to be closed. A row of a run names its map, one of these. */
hid_t schema_tile_type(void);
hid_t schema_failure_type(void);
hid_t schema_run_type(int maps, const char *const names[]);

/* Text of any length, UTF-8; to be closed. */
hid_t schema_text_type(void);

/* Text in a place of that many bytes, with its final zero; to be closed. */
hid_t schema_fixed_text_type(size_t bytes);

#endif
