/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and HDF5 types of format version 1. */
#ifndef STORE_FORMAT_SCHEMA_H
#define STORE_FORMAT_SCHEMA_H

#include <hdf5.h>
#include <weft/type.h>

enum { SCHEMA_FORMAT = 1, SCHEMA_FAILURE_ROWS = 8192, SCHEMA_RUN_ROWS = 1024 };

#define SCHEMA_RESULTS "/results"
#define SCHEMA_WEFT "/weft"
#define SCHEMA_MAP "/weft/map"
#define SCHEMA_TILES "/weft/tiles"
#define SCHEMA_LEASES "/weft/leases"
#define SCHEMA_FAILURES "/weft/failures"
#define SCHEMA_RUNS "/weft/runs"

/* HDF5's type for ours; not to be closed. */
hid_t schema_element(weft_type type);

/* Our type for HDF5's, as read from a file; WEFT_TYPE_COUNT if it is none of ours. */
weft_type schema_find_element(hid_t type);

/* The compound types of the tables; to be closed. */
hid_t schema_tile_type(void);
hid_t schema_failure_type(void);
hid_t schema_run_type(void);

/* Text of any length, UTF-8; to be closed. */
hid_t schema_text_type(void);

#endif
