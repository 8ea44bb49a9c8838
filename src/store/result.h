/* SPDX-License-Identifier: BSD-3-Clause */
/* What the public functions do not say of an open result.
 *
 * Thread: one at a time. */
#ifndef STORE_RESULT_H
#define STORE_RESULT_H

#include "space/job.h"
#include "store/format/record.h"

#include <weft/result.h>

/* The chosen map's. */
const job *result_job(const weft_result *result);

const char *result_path(const weft_result *result);

/* What weft_result_error_text() tells. */
error *result_error(weft_result *result);

/* Reads the map's tables anew. */
weft_status result_read_tables(weft_result *result);

/* A tile's record, be it sound or not, as of then. */
const tile_record *result_record(const weft_result *result, int64_t tile);

/* Reads rows of a column, which there must be. */
weft_status result_read_rows(weft_result *result, int column, int64_t first, int64_t count,
                             void *values);

/* A tile's record as of the last weft_result_get_progress(); NULL if the tile is not done. */
const tile_record *result_tile(const weft_result *result, int64_t tile);

/* A row of the map's runs likewise; it must exist. */
const run_row *result_run(const weft_result *result, int run);

/* Which of the map's runs has written a record; -1: none that is known. */
int result_run_of(const weft_result *result, const tile_record *record);

#endif
