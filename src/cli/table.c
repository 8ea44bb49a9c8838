/* SPDX-License-Identifier: BSD-3-Clause */
/* A small table whose columns are as wide as what stands in them. */
#include "table.h"

#include "base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void table_begin_row(table *t, const char *tail)
{
    t->tail[t->rows++] = tail;
    t->filled = 0;
}

void table_put(table *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(t->cell[t->rows - 1][t->filled++], TABLE_CELL_BYTES, format, arguments);
    va_end(arguments);
}

void table_put_duration(table *t, double seconds)
{
    table_put(t, "%s", clock_duration(seconds).text);
}

void table_put_share(table *t, double share)
{
    if (isfinite(share)) {
        table_put(t, "%.0f %%", 100 * share);
    } else {
        table_put(t, "-");
    }
}

static int width_of(const table *t, int column)
{
    size_t width = 0;
    for (int row = 0; row < t->rows; row++) {
        const size_t length = strlen(t->cell[row][column]);
        width = length > width ? length : width;
    }
    return (int)width;
}

void table_print(const table *t)
{
    const int columns = (int)strlen(t->align);
    for (int row = 0; row < t->rows; row++) {
        for (int column = 0; column < columns; column++) {
            const int width = width_of(t, column);
            (void)printf("%*s  ", t->align[column] == 'l' ? -width : width, t->cell[row][column]);
        }
        (void)printf("%s\n", t->tail[row]);
    }
}
