/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of a map on rank 0: tile records, failures and runs. A tile's record is in the file
 * alone; in memory there are five bytes for each, and a little more for those with failed items.
 *
 * Thread: rank 0's driver. */
#ifndef STORE_TILE_TABLE_H
#define STORE_TILE_TABLE_H

#include "base/error.h"
#include "space/job.h"
#include "store/format/metadata.h"
#include "store/format/record.h"
#include "store/io/backlog.h"

#include <stdbool.h>

typedef struct tile_table tile_table;

/* What an earlier run has left of a tile with failed items. */
typedef struct tile_past {
    int64_t tile;
    uint64_t checksum;
    uint32_t failed;
    uint16_t attempts;
    uint8_t state; /* TILE_EMPTY: it was begun again, and not finished */
} tile_past;

/* What of the file has just been created, and is not read: it is empty. */
typedef enum tile_table_news { NEWS_NONE, NEWS_MAP, NEWS_FILE } tile_table_news;

/* Reads the tables; of a map that has just been created, that of runs alone. Damaged tile records
 * count as empty; the row of a run that was killed is closed; rows of failures that no tile's
 * record knows of are freed. The backlog, to which all writing is left, stays the caller's: a call
 * here fails with the first failure of those before it. */
weft_status tile_table_open(backlog *b, const char *path, tile_table_news created, const job *j,
                            const metadata_layout *layout, tile_table **out, error *e);

void tile_table_close(tile_table *l);

/* How many tile records were damaged when the file was opened. */
int64_t tile_table_damaged(const tile_table *l);

/* Whether the map has just been created. */
bool tile_table_created(const tile_table *l);

/* Whether all tiles were done when the file was opened. */
bool tile_table_complete(const tile_table *l);

tile_state tile_table_state(const tile_table *l, int64_t tile);

/* Whether a record says of a tile that is done what was put: as far as 32 bits of its checksum
 * tell. */
bool tile_table_same(const tile_table *l, int64_t tile, const tile_record *record);

/* Items that had failed when the file was opened, in tiles that were done. */
int64_t tile_table_failed(const tile_table *l);

/* What was left of a tile when the file was opened; NULL: nothing with failed items. */
const tile_past *tile_table_past(const tile_table *l, int64_t tile);

/* Has sealed records of a run of tiles written in place, those of tiles that were computed before
 * with the attempts counted, and after the rows of their earlier failures have been cleared. The
 * records are part of `piece`, a pool's, and are not changed while it has users; NULL: a copy is
 * made. */
weft_status tile_table_put(tile_table *l, int64_t first, int64_t tiles, const tile_record records[],
                           void *piece, error *e);

/* Marks tiles with failed items as not done, since their bytes are about to be replaced. */
weft_status tile_table_reopen_failed(tile_table *l, error *e);

/* Writes rows; when the table is full, the counts in the tiles' records go on without them. */
weft_status tile_table_add_failures(tile_table *l, const failure_row rows[], int64_t count,
                                    error *e);

/* The rows in use, for as long as no row is added: *rows of them, some with code 0. */
const failure_row *tile_table_failures(const tile_table *l, int64_t *rows);

/* The row of the table of runs that is this run's. When the table is full, the last one is reused.
 */
int tile_table_run(const tile_table *l);

/* Whether the map's run before this one was stopped before it had done anything. */
bool tile_table_idle_before(const tile_table *l);

/* Writes this run's row. */
weft_status tile_table_put_run(tile_table *l, const run_row *row, error *e);

#endif
