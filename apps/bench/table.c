/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what people see of the measurements. */
#include "table.h"

#include <math.h>
#include <string.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

enum { CELL_BYTES = 48 };

/* How a goal is written: what has to be at most, or at least, the number that follows. */
static const struct {
    const char *what;
    const char *sign;
    const char *in_json;
} goals[] = {[GOAL_NONE] = {"", "", "null"},
             [GOAL_WEFT_MOST] = {"weft", "<=", "\"weft\""},
             [GOAL_RATIO_MOST] = {"ratio", "<=", "\"ratio\""},
             [GOAL_RATIO_LEAST] = {"ratio", ">=", "\"ratio\""},
             [GOAL_BOTH_MOST] = {"both", "<=", "\"ratio and to_best\""}};

static bool is_met(const row *line)
{
    switch (line->kind) {
    case GOAL_NONE:
        return true;
    case GOAL_WEFT_MOST:
        return line->weft <= line->goal;
    case GOAL_RATIO_MOST:
        return line->ratio <= line->goal;
    case GOAL_RATIO_LEAST:
        return line->ratio >= line->goal;
    case GOAL_BOTH_MOST:
        return line->ratio <= line->goal && line->to_best <= line->goal;
    }
    return false;
}

static void print_heading(void)
{
    (void)printf("\n%-44s %12s %12s  %-22s %-16s %s\n", "what", "weft", "alternative",
                 "ratio (min - max)", "goal", "met?");
}

void table_begin(table *t, int cores, const request *wish)
{
    const double scale = wish->scale;
    (void)printf("%d cores, %d workers; %s; medians of %d, the sides in turn, seed %d", cores,
                 wish->workers, COMPILER, wish->repeat, wish->seed);
    if (scale < 1 || scale > 1) {
        (void)printf("; sizes × %g, for which the goals are not meant", scale);
    }
    (void)printf("\n");
    print_heading();
    (void)fflush(stdout);
    if (t->json != NULL) {
        (void)fprintf(t->json,
                      "{\"cores\": %d, \"workers\": %d, \"repeat\": %d, \"scale\": %g, "
                      "\"seed\": %d, \"compiler\": \"%s\", \"rows\": [",
                      cores, wish->workers, wish->repeat, scale, wish->seed, COMPILER);
    }
}

/* A number as JSON has it, which knows no NaN. */
static void print_number(FILE *file, const char *name, double value)
{
    if (isfinite(value)) {
        (void)fprintf(file, ", \"%s\": %.6g", name, value);
    } else {
        (void)fprintf(file, ", \"%s\": null", name);
    }
}

static void print_given(FILE *file, const char *name, double value)
{
    if (!isnan(value)) {
        print_number(file, name, value);
    }
}

static void add_json_goal(FILE *file, const row *line)
{
    (void)fprintf(file, ", \"goal\": %s", goals[line->kind].in_json);
    if (line->kind == GOAL_NONE) {
        return;
    }
    print_number(file, line->kind == GOAL_RATIO_LEAST ? "at_least" : "at_most", line->goal);
    (void)fprintf(file, ", \"met\": %s", is_met(line) ? "true" : "false");
}

static void add_json(const table *t, const row *line)
{
    (void)fprintf(t->json, "%s\n  {\"measurement\": \"%s\", \"what\": \"%s\", \"unit\": \"%s\"",
                  t->rows > 0 ? "," : "", t->measurement, line->what, line->unit);
    print_number(t->json, "weft", line->weft);
    print_number(t->json, "alternative", line->other);
    print_number(t->json, "ratio", line->ratio);
    print_number(t->json, "min", line->least);
    print_number(t->json, "max", line->most);
    add_json_goal(t->json, line);
    (void)fprintf(t->json, ", \"ranks\": %d, \"workers\": %d", line->ranks, line->workers);
    if (*line->workload) {
        (void)fprintf(t->json, ", \"workload\": \"%s\"", line->workload);
    }
    if (*line->technique) {
        (void)fprintf(t->json, ", \"technique\": \"%s\"", line->technique);
    }
    print_given(t->json, "to_best", line->to_best);
    print_given(t->json, "imbalance", line->imbalance);
    print_given(t->json, "efficiency", line->efficiency);
    print_given(t->json, "efficiency_alternative", line->other_efficiency);
    (void)fprintf(t->json, "}");
}

static void print_goal(char goal[CELL_BYTES], const row *line)
{
    const bool own = line->kind == GOAL_WEFT_MOST;
    if (line->kind == GOAL_NONE) {
        (void)snprintf(goal, CELL_BYTES, "-");
    } else {
        (void)snprintf(goal, CELL_BYTES, "%s %s %g%s%s", goals[line->kind].what,
                       goals[line->kind].sign, line->goal, own ? " " : "", own ? line->unit : "");
    }
}

/* What only some rows have. */
static void print_rest(const row *line)
{
    if (!isnan(line->efficiency)) {
        (void)printf("  efficiency %.3f, alternative %.3f", line->efficiency,
                     line->other_efficiency);
    }
    if (!isnan(line->to_best)) {
        (void)printf("  to the best %.3f%s", line->to_best, line->to_best <= 1 ? " *" : "");
    }
    if (!isnan(line->imbalance)) {
        (void)printf("  imbalance %.1f %%", 100 * line->imbalance);
    }
    (void)printf("\n");
}

static void print_row(const row *line)
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
    print_goal(goal, line);
    (void)printf("%-44s %12s %12s  %-22s %-16s %-6s", line->what, weft, other, ratio, goal,
                 line->kind == GOAL_NONE ? ""
                 : is_met(line)          ? "yes"
                                         : "MISSED");
    print_rest(line);
    (void)fflush(stdout);
}

void table_add(table *t, const row *line)
{
    if (strcmp(t->section, line->workload) != 0) {
        if (t->rows > 0) {
            (void)printf("\n");
        }
        memcpy(t->section, line->workload, sizeof t->section);
    }
    print_row(line);
    if (t->json != NULL) {
        add_json(t, line);
    }
    grid_add(&t->overview, line);
    t->rows++;
    t->goals += line->kind != GOAL_NONE;
    t->missed += !is_met(line);
}

void table_end(const table *t)
{
    grid_print(&t->overview);
    if (t->missed > 0) {
        (void)printf("\n%d of %d goals MISSED.\n", t->missed, t->goals);
    } else if (t->goals > 0) {
        (void)printf("\nAll %d goals met.\n", t->goals);
    }
    if (t->json != NULL) {
        (void)fprintf(t->json, "\n]}\n");
    }
}
