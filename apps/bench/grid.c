/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the overview of techniques and workloads. */
#include "grid.h"

#include <stdio.h>
#include <string.h>

static const char by_hand[] = "by hand";

/* The number of a name, which is new; -1 if there is no room for it. */
static int enter(char *names, size_t bytes, int most, int *count, const char *name)
{
    for (int i = 0; i < *count; i++) {
        if (strcmp(names + (size_t)i * bytes, name) == 0) {
            return i;
        }
    }
    if (*count == most) {
        return -1;
    }
    (void)snprintf(names + (size_t)*count * bytes, bytes, "%s", name);
    return (*count)++;
}

static void set(grid *g, const char *line, int column, double ratio)
{
    const int at = enter(g->line[0], sizeof g->line[0], GRID_LINES, &g->lines, line);
    if (at >= 0 && column >= 0) {
        g->ratio[at][column] = ratio;
    }
}

void grid_add(grid *g, const row *line)
{
    if (!*line->technique) {
        return;
    }
    const int column =
        enter(g->column[0], sizeof g->column[0], GRID_COLUMNS, &g->columns, line->workload);
    if (g->lines == 0) {
        set(g, by_hand, column, 0);
    }
    set(g, line->technique, column, line->to_best);
    if (line->to_best <= 1) {
        set(g, by_hand, column, 1 / line->ratio);
    }
}

void grid_print(const grid *g)
{
    if (g->lines == 0) {
        return;
    }
    (void)printf("\nTime over that of the best technique:\n%-8s", "");
    for (int j = 0; j < g->columns; j++) {
        (void)printf("  %s", g->column[j]);
    }
    (void)printf("\n");
    for (int i = 0; i < g->lines; i++) {
        (void)printf("%-8s", g->line[i]);
        for (int j = 0; j < g->columns; j++) {
            char text[16] = "-";
            if (g->ratio[i][j] > 0) {
                (void)snprintf(text, sizeof text, "%.3f", g->ratio[i][j]);
            }
            (void)printf("  %*s", (int)strlen(g->column[j]), text);
        }
        (void)printf("\n");
    }
}
