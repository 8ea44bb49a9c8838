/* SPDX-License-Identifier: BSD-3-Clause */
/* A small table whose columns are as wide as what stands in them. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <weft/macros.h>

enum { TABLE_ROWS = 256, TABLE_COLUMNS = 13, TABLE_CELL_BYTES = 32 };

/* Starts out with `align` alone set: a letter per column, 'l' for left and 'r' for right. */
typedef struct table {
    const char *align;
    int rows;
    int filled; /* cells of the last row */
    char cell[TABLE_ROWS][TABLE_COLUMNS][TABLE_CELL_BYTES];
    const char *tail[TABLE_ROWS]; /* text of any length behind the last column */
} table;

/* Begins a row, at most TABLE_ROWS times; the tail must live as long as the table. */
void table_begin_row(table *t, const char *tail);

/* Fills the row's next cell. ASCII only, cut where it is too long. */
void table_put(table *t, const char *format, ...) WEFT_PRINTF(2, 3);

/* The same of a duration, "-" if it is none; and of a share as a percentage, "-" if it is not
 * finite. */
void table_put_duration(table *t, double seconds);
void table_put_share(table *t, double share);

/* Prints it on stdout, two blanks between columns. */
void table_print(const table *t);

#endif
