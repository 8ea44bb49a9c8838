/* SPDX-License-Identifier: BSD-3-Clause */
/* Rank 0's books: the tile records, the failures and the runs, in memory and on disk. */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include "base/error.h"
#include "range/job.h"
#include "store/backlog.h"
#include "store/metadata.h"
#include "store/record.h"

#include <stdbool.h>

typedef struct ledger ledger;

/* Reads the tables, unless the file has just been created. Damaged tile records count as empty; the
 * row of a run that was killed is closed. The backlog, to which all writing is left, stays the
 * caller's: a call here fails with the first failure of those before it. */
weft_status ledger_open(backlog *b, const char *path, bool created, const job *j,
                        const metadata_layout *layout, ledger **out, error *e);

void ledger_close(ledger *l);

/* How many tile records were damaged when the file was opened. */
int64_t ledger_damaged(const ledger *l);

const tile_record *ledger_record(const ledger *l, int64_t tile);

/* Takes sealed records of a run of tiles over, and has them written in place. Rows of failures of
 * these tiles' earlier attempts are cleared. */
weft_status ledger_put(ledger *l, int64_t first, int64_t tiles, const tile_record records[],
                       error *e);

/* Marks a tile as not done, since its bytes are about to be replaced. */
weft_status ledger_reopen(ledger *l, int64_t tile, error *e);

/* Writes a row; when the table is full, the count in the tile's record goes on without it. */
weft_status ledger_add_failure(ledger *l, const failure_row *row, error *e);

/* The rows in use, for as long as no row is added: *rows of them, some with code 0. */
const failure_row *ledger_failures(const ledger *l, int64_t *rows);

/* Starts a row of the table of runs; its number. When the table is full, the last row is reused. */
int ledger_run(const ledger *l);

/* Whether the run before this one was stopped before it had done anything. */
bool ledger_idle_before(const ledger *l);

/* Writes this run's row. */
weft_status ledger_put_run(ledger *l, const run_row *row, error *e);

#endif
