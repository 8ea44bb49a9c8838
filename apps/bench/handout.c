/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the measurement of a hand-out over ranks: chunks of one tile each, with nothing to compute.
 */
#include "tasks.h"

#include <math.h>
#include <stdlib.h>

weft_status handout_measure(const bench *b)
{
    tasks t = {.count = (int64_t)fmax(1e6 * b->scale, 1)};
    const measure_side sides[] = {{tasks_weft, &t}, {tasks_counter, &t}, {tasks_master, &t}};
    row lines[] = {measure_row("", "us", GOAL_WEFT_MOST, 0.55),
                   measure_row("", "us", GOAL_NONE, 0)};
    measure_name(b, &lines[0], "hand-out", "shared counter");
    measure_name(b, &lines[1], "hand-out", "master/worker");
    t.results = measure_array(b, (size_t)t.count, sizeof *t.results);
    if (t.results == NULL) {
        return WEFT_ERR_MEMORY;
    }
    const weft_status status = measure_several(b, lines, sides, 3, 1e6 / (double)t.count);
    free(t.results);
    return status;
}
