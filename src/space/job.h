/* SPDX-License-Identifier: BSD-3-Clause */
/* The job: what a map is and what identifies it: item space, fields, parameters, seed, grain. */
#ifndef SPACE_JOB_H
#define SPACE_JOB_H

#include "base/account.h"
#include "base/build.h"
#include "base/error.h"
#include "space/dimension.h"
#include "space/space.h"
#include "space/tiling.h"
#include "space/type.h"

#include <stdbool.h>
#include <weft/type.h>

enum { JOB_TEXT_BYTES = 256, JOB_VALUE_BYTES = 1024 };

typedef struct job_field {
    char name[WEFT_NAME_BYTES];
    char units[JOB_TEXT_BYTES];
    char long_name[JOB_TEXT_BYTES];
    weft_type type;
    space shape;        /* of the value at one item; no dimensions for a scalar */
    int64_t item_bytes; /* shape.count elements */
    unsigned char fill[TYPE_MAX_BYTES];
} job_field;

/* Values of all items that become one. Each tile has an accumulator. */
typedef struct job_reduction {
    char name[WEFT_NAME_BYTES];
    char how[JOB_TEXT_BYTES];          /* what it does, with which numbers */
    int64_t bytes;                     /* of an accumulator */
    weft_type type;                    /* of the value's elements */
    space shape;                       /* of the value; no dimensions for a scalar */
    int field;                         /* that is reduced; -1: the kernel fills the accumulators */
    const struct weft_reduction *work; /* what is done with them; NULL: read from a file */
} job_reduction;

typedef enum job_parameter_type { JOB_INT64, JOB_DOUBLE, JOB_STRING } job_parameter_type;

typedef struct job_parameter {
    char name[WEFT_NAME_BYTES];
    job_parameter_type type;
    int64_t int64;
    double number;
    char text[JOB_VALUE_BYTES];
} job_parameter;

/* Plain bytes. */
typedef struct job {
    char name[WEFT_NAME_BYTES];
    space items;
    tiling tiles;       /* set by job_settle() */
    int64_t item_bytes; /* over all fields; set by job_settle() */
    uint64_t seed;
    char program[WEFT_NAME_BYTES];
    char version[WEFT_NAME_BYTES]; /* the program's; "": it has none, … */
    char build[BUILD_TEXT_BYTES];  /* … and this says of which compilation it is; no identity */
    int fields;
    int reductions; /* with the fields WEFT_MAX_FIELDS at most */
    int parameters;
    job_dimension dimension[WEFT_MAX_DIMS]; /* as many as the item space has */
    job_field field[WEFT_MAX_FIELDS];
    job_reduction reduction[WEFT_MAX_FIELDS];
    job_parameter parameter[WEFT_MAX_PARAMETERS];
    int needs; /* maps of the same file that it needs; no identity */
    char need[WEFT_MAX_MAPS][WEFT_NAME_BYTES];
} job;

weft_status job_create(const char *name, int ndims, const int64_t shape[], job **out, error *e);

void job_destroy(job *j);

/* Makes a job the same as another, which need not be whole in memory behind its last field, its
 * last reduction, its last parameter and the last map that it needs. */
void job_copy(job *to, const job *from);

weft_status job_add_field(job *j, const char *name, weft_type type, int ndims,
                          const int64_t shape[], const char *units, const char *long_name,
                          error *e);

/* Labels dimension `number`, which there is and has no label yet; its name must be new. */
weft_status job_set_dimension(job *j, int number, const job_dimension *dimension, error *e);

weft_status job_set_fill(job *j, const char *field, const void *fill, error *e);

/* Copies the reduction; its name must be new. */
weft_status job_add_reduction(job *j, const job_reduction *reduction, error *e);

/* The number of a field; -1: there is none of that name. */
int job_find_field(const job *j, const char *name);

/* The number of a reduction; -1: there is none of that name. */
int job_find_reduction(const job *j, const char *name);

/* Copies the parameter; its name must be new. */
weft_status job_add_parameter(job *j, const job_parameter *parameter, error *e);

/* Notes that a map of the same file is needed; one that is noted already, or of which there can be
 * none, changes nothing. */
void job_add_need(job *j, const char *map);

/* Which program computes it, in which version; NULL: none. */
weft_status job_set_program(job *j, const char *name, const char *version, error *e);

/* Fixes seed and grain (0: automatic), and with them tiles and sizes. */
weft_status job_settle(job *j, uint64_t seed, int64_t grain, error *e);

/* Adds all that makes up the map to an account, but for seed and grain. */
void job_describe(const job *j, account *a);

/* Bytes of one field in a run of items. */
static inline int64_t job_field_bytes(const job *j, int field, int64_t items)
{
    return items * j->field[field].item_bytes;
}

/* What a tile has bytes of: columns, which are the fields and behind them the accumulators of the
 * reductions. */
static inline int job_columns(const job *j)
{
    return j->fields + j->reductions;
}

/* Bytes of one column in a run of tiles of a settled job. */
static inline int64_t job_column_bytes(const job *j, int column, int64_t tile, int64_t tiles)
{
    return column < j->fields ? job_field_bytes(j, column, tiling_items(&j->tiles, tile, tiles))
                              : tiles * j->reduction[column - j->fields].bytes;
}

/* Bytes of one column in whole tiles. */
static inline int64_t job_column_room(const job *j, int column, int64_t tiles)
{
    return column < j->fields ? job_field_bytes(j, column, tiles * j->tiles.grain)
                              : tiles * j->reduction[column - j->fields].bytes;
}

/* Bytes of one column in a run of rows: a row is an item of a field, or a tile's accumulator. */
static inline int64_t job_row_bytes(const job *j, int column, int64_t rows)
{
    return rows * (column < j->fields ? j->field[column].item_bytes
                                      : j->reduction[column - j->fields].bytes);
}

/* Bytes of a whole tile over all columns. */
int64_t job_tile_bytes(const job *j);

/* Bytes of a reduction's value. */
int64_t job_value_bytes(const job *j, int reduction);

/* Whether the kernel fills accumulators. */
bool job_kernel_reduces(const job *j);

/* The number of a labelled dimension; -1: there is none of that name. */
int job_find_dimension(const job *j, const char *name);

/* Bytes of a dimension's coordinates; 0: it has none. */
int64_t job_coordinate_bytes(const job *j, int dimension);

/* Adds what is told of its fields and dimensions, and changes no byte of them: their units and
 * descriptions. */
void job_label(const job *j, account *a);

/* Adds all that makes a settled job the same one in another run to an account. Parameters may come
 * in another order. */
void job_identify(const job *j, account *a);

/* Whether two settled jobs are the same; if not, the error says what differs, as "this run" and
 * "the file". */
weft_status job_compare(const job *mine, const job *theirs, const char *path, error *e);

#endif
