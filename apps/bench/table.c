/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what people see of the measurements. */
#include "table.h"

#include <math.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

enum { CELL_BYTES = 48 };

static bool is_met(const row *line)
{
    switch (line->kind) {
    case GOAL_WEFT_MOST:
        return line->weft <= line->goal;
    case GOAL_RATIO_MOST:
        return line->ratio <= line->goal;
    case GOAL_RATIO_LEAST:
        return line->ratio >= line->goal;
    }
    return false;
}

void table_begin(table *t, int cores, const plan_sizes *sizes)
{
    const double scale = sizes->scale;
    (void)printf("%d cores, %d workers; %s; medians of %d, the sides in turn", cores,
                 sizes->workers, COMPILER, sizes->repeat);
    if (scale < 1 || scale > 1)
        (void)printf("; sizes × %g, for which the goals are not meant", scale);
    (void)printf("\n\n%-36s %12s %12s  %-22s %-16s %s\n", "what", "weft", "alternative",
                 "ratio (min - max)", "goal", "met?");
    (void)fflush(stdout);
    if (t->json)
        (void)fprintf(t->json,
                      "{\"cores\": %d, \"workers\": %d, \"repeat\": %d, \"scale\": %g, "
                      "\"compiler\": \"%s\", \"rows\": [",
                      cores, sizes->workers, sizes->repeat, scale, COMPILER);
}

/* A number as JSON has it, which knows no NaN. */
static void print_number(FILE *file, const char *name, double value)
{
    if (isnan(value))
        (void)fprintf(file, ", \"%s\": null", name);
    else
        (void)fprintf(file, ", \"%s\": %.6g", name, value);
}

static void add_json(const table *t, const row *line)
{
    (void)fprintf(t->json, "%s\n  {\"what\": \"%s\", \"unit\": \"%s\"", t->rows > 0 ? "," : "",
                  line->what, line->unit);
    print_number(t->json, "weft", line->weft);
    print_number(t->json, "alternative", line->other);
    print_number(t->json, "ratio", line->ratio);
    print_number(t->json, "min", line->least);
    print_number(t->json, "max", line->most);
    print_number(t->json, line->kind == GOAL_RATIO_LEAST ? "at_least" : "at_most", line->goal);
    (void)fprintf(t->json, ", \"met\": %s}", is_met(line) ? "true" : "false");
}

void table_add(table *t, const row *line)
{
    char weft[CELL_BYTES], other[CELL_BYTES] = "-", ratio[CELL_BYTES], goal[CELL_BYTES];
    const char *unit = line->unit;
    (void)snprintf(weft, sizeof weft, "%.3g %s", line->weft, unit);
    if (isnan(line->ratio)) {
        (void)snprintf(ratio, sizeof ratio, "- (%.3g - %.3g %s)", line->least, line->most, unit);
    } else {
        (void)snprintf(other, sizeof other, "%.3g %s", line->other, unit);
        (void)snprintf(ratio, sizeof ratio, "%.3f (%.3f - %.3f)", line->ratio, line->least,
                       line->most);
    }
    if (line->kind == GOAL_WEFT_MOST)
        (void)snprintf(goal, sizeof goal, "weft <= %g %s", line->goal, unit);
    else
        (void)snprintf(goal, sizeof goal, "ratio %s %g",
                       line->kind == GOAL_RATIO_MOST ? "<=" : ">=", line->goal);
    (void)printf("%-36s %12s %12s  %-22s %-16s %s\n", line->what, weft, other, ratio, goal,
                 is_met(line) ? "yes" : "MISSED");
    (void)fflush(stdout);
    if (t->json)
        add_json(t, line);
    t->rows++;
    t->missed += !is_met(line);
}

void table_end(const table *t)
{
    if (t->missed > 0)
        (void)printf("\n%d of %d goals MISSED.\n", t->missed, t->rows);
    else if (t->rows > 0)
        (void)printf("\nAll %d goals met.\n", t->rows);
    if (t->json)
        (void)fprintf(t->json, "\n]}\n");
}
