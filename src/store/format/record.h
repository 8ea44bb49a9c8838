/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of the tables of tiles, failures and runs, as they lie on disk. */
#ifndef STORE_FORMAT_RECORD_H
#define STORE_FORMAT_RECORD_H

#include "base/error.h"
#include "space/tiling.h"
#include "store/format/metadata.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weft/result.h>

typedef enum tile_state {
    TILE_EMPTY = 0,
    TILE_DONE = 1,
    TILE_DONE_WITH_FAILURES = 2,
    TILE_QUARANTINED = 3
} tile_state;

typedef struct tile_record {
    uint8_t state;
    uint8_t unused;
    uint16_t attempts;
    uint32_t failed; /* items that hold fill values */
    int32_t rank;
    int32_t worker;
    int32_t run; /* row of /weft/runs */
    int32_t unused2;
    double start;   /* seconds since 1970 */
    double seconds; /* in the kernel; a span's time is shared out over its tiles by items */
    uint64_t checksum;
    uint64_t unused3;
    uint64_t check; /* over all before it and the tile's number */
} tile_record;

typedef struct failure_row {
    int64_t item;
    int32_t code; /* 0: the row is not in use */
    char text[116];
} failure_row;

/* The columns of /weft/runs, in their order: NUMBER(C type, HDF5 type, name, member of
 * weft_result_run), TEXT(name, bytes). */
#define RUN_COLUMNS(NUMBER, TEXT)                                                                \
    NUMBER(double, H5T_NATIVE_DOUBLE, start, start_s) /* 0: the row is not in use */             \
    NUMBER(double, H5T_NATIVE_DOUBLE, end, end_s)                                                \
    NUMBER(int32_t, H5T_NATIVE_INT32, ranks, ranks)                                              \
    NUMBER(int32_t, H5T_NATIVE_INT32, workers, workers)                                          \
    NUMBER(int32_t, H5T_NATIVE_INT32, hosts, hosts)                                              \
    NUMBER(int32_t, H5T_NATIVE_INT32, cores, cores) /* that its ranks may use, over all hosts */ \
    NUMBER(int64_t, H5T_NATIVE_INT64, items, items)                                              \
    NUMBER(int64_t, H5T_NATIVE_INT64, failed, failed)                                            \
    NUMBER(int64_t, H5T_NATIVE_INT64, duplicates, duplicates)                                    \
    NUMBER(double, H5T_NATIVE_DOUBLE, busy, busy_s)                                              \
    TEXT(outcome, 16)                                                                            \
    TEXT(host_names, 96)                                                                         \
    TEXT(command, 232)                                                                           \
    NUMBER(double, H5T_NATIVE_DOUBLE, cpu, cpu_s)   /* its workers had a core while busy */      \
    NUMBER(double, H5T_NATIVE_DOUBLE, wait, wait_s) /* … and waited for one that others had */ \
    NUMBER(int32_t, H5T_NATIVE_INT32, lost, lost)   /* ranks that were presumed dead */          \
    NUMBER(int32_t, H5T_NATIVE_INT32, lost_rank, lost_rank)   /* the last of them … */         \
    NUMBER(double, H5T_NATIVE_DOUBLE, lost_at, lost_at)       /* … and when that was */        \
    NUMBER(int64_t, H5T_NATIVE_INT64, lost_items, lost_items) /* in such ranks' hands */         \
    TEXT(technique, 8)                                                                           \
    /* What its workers have spent, and how many are at that while it runs. */                   \
    NUMBER(double, H5T_NATIVE_DOUBLE, computing, state_s[WEFT_COMPUTING])                        \
    NUMBER(double, H5T_NATIVE_DOUBLE, disk, state_s[WEFT_WAITING_FOR_DISK])                      \
    NUMBER(double, H5T_NATIVE_DOUBLE, work, state_s[WEFT_WAITING_FOR_WORK])                      \
    NUMBER(double, H5T_NATIVE_DOUBLE, elsewhere, state_s[WEFT_ELSEWHERE])                        \
    NUMBER(int32_t, H5T_NATIVE_INT32, computing_now, workers_now[WEFT_COMPUTING])                \
    NUMBER(int32_t, H5T_NATIVE_INT32, disk_now, workers_now[WEFT_WAITING_FOR_DISK])              \
    NUMBER(int32_t, H5T_NATIVE_INT32, work_now, workers_now[WEFT_WAITING_FOR_WORK])              \
    NUMBER(int32_t, H5T_NATIVE_INT32, elsewhere_now, workers_now[WEFT_ELSEWHERE])

typedef struct run_row {
#define NUMBER(ctype, hdf5_type, name, member) ctype name;
#define TEXT(name, bytes) char name[bytes];
    RUN_COLUMNS(NUMBER, TEXT)
#undef NUMBER
#undef TEXT
    uint8_t map; /* its number in the file */
    uint8_t unused[7];
} run_row;

_Static_assert(sizeof(tile_record) == 64, "format version 2");
_Static_assert(sizeof(failure_row) == 128, "format version 2");
_Static_assert(sizeof(run_row) == 512, "format version 2");

/* Computes the check of a record that is otherwise complete. */
void tile_record_seal(tile_record *record, int64_t tile);

/* Makes sealed records of tiles first, first + 1, … that are `common` but for their checksums. The
 * bytes are those of one field, tile_bytes for each tile. */
void tile_records_make(tile_record records[], const tile_record *common, int64_t first,
                       int64_t tiles, const void *bytes, size_t tile_bytes);

/* False if the record is torn, damaged or another tile's; one that was never written is sound. */
bool tile_record_sound(const tile_record *record, int64_t tile);

/* True for a sound record of a tile whose bytes are all in place. */
static inline bool tile_record_done(const tile_record *record)
{
    return record->state != TILE_EMPTY;
}

/* What a row says of how its run ended, as the file has it: see tables_settle_runs(). */
weft_outcome run_row_outcome(const run_row *row);
void run_row_set_outcome(run_row *row, weft_outcome outcome);

/* How a run ends that ends with a status. */
weft_outcome outcome_of(weft_status why);

/* The tables in memory, with room for all their rows. */
typedef struct tables {
    tile_record *tile;
    failure_row *failure;
    run_row *run;
    int runs;  /* rows in use … */
    bool full; /* … which are all of them: maps replace their last one, see tables_new_run() */
} tables;

/* Reads the tables of a map: `layout` says where they are, `tiles` how many tiles there are. Where
 * t->tile or t->failure is NULL these rows are left out. */
weft_status tables_read(int fd, const char *path, const metadata_layout *layout,
                        const tiling *tiles, tables *t, error *e);

weft_status failures_read(int fd, const char *path, const metadata_layout *layout,
                          failure_row failures[], error *e);

/* What the tile records know of a run better than its row, which is older: its items, its time in
 * the kernel, its end. Between the two calls every sound record is counted. */
typedef struct recount {
    run_row *row;
    int32_t run;
    double busy_before;
} recount;

recount recount_begin(run_row *row, int32_t run);
void recount_add(recount *r, const tiling *tiles, int64_t tile, const tile_record *record);
void recount_end(const recount *r);

/* The last row of a map; -1: it has none. */
int tables_last_run(const tables *t, int64_t map);

/* The row for another run of a map: the first that is not in use, or else the map's last one, or
 * else the oldest of all. */
int tables_new_run(const tables *t, int64_t map);

/* Whether the run of a row may be under way, if the file is in use: the runs of at most two maps
 * are at a time, and theirs are the newest of the rows that are not closed. */
bool tables_may_run(const tables *t, int row);
bool tables_any_may_run(const tables *t);

/* Closes the rows of a map's runs that have not done it, and recounts the last where t->tile is not
 * NULL. Unless that may be under way, see tables_may_run(), and `in_use` says that it lives, it was
 * killed. True if the map's last row has changed. */
bool tables_settle_runs(tables *t, int64_t map, const tiling *tiles, bool in_use);

#endif
