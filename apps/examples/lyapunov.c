/* SPDX-License-Identifier: BSD-3-Clause */
/* A program with options of its own: the Lyapunov exponent of the logistic map x -> r x (1 - x),
 * for as many values of r as are asked for.
 *
 *   ./lyapunov --from 3.4 --to 4 --count 10000 --out lyapunov.h5
 */
#include <math.h>
#include <weft/weft.h>

typedef struct wish {
    double from;
    double to;
    int64_t count;
    int64_t steps;
} wish;

/* The kernel reads what the context points to, and writes nothing but its results. */
static int exponents(const weft_span *span, void *context)
{
    const wish *w = context;
    double *rate = weft_span_result(span, 0);
    double *exponent = weft_span_result(span, 1);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        rate[i] = w->from + (w->to - w->from) * (double)item / (double)w->count;
        double x = 0.5;
        double sum = 0;
        for (int64_t step = 0; step < w->steps; step++) {
            x = rate[i] * x * (1 - x);
            sum += log(fabs(rate[i] * (1 - 2 * x)) + 1e-300);
        }
        exponent[i] = sum / (double)w->steps;
    }
    return 0;
}

int main(int argc, char **argv)
{
    wish w = {.from = 3.4, .to = 4, .count = 10000, .steps = 10000};
    const weft_option options[] = {
        {"from", "R", WEFT_OPTION_DOUBLE, &w.from, "the first value of r (3.4)"},
        {"to", "R", WEFT_OPTION_DOUBLE, &w.to, "the value behind the last one (4)"},
        {"count", "N", WEFT_OPTION_INT64, &w.count, "how many values (10000)"},
        {"steps", "N", WEFT_OPTION_INT64, &w.steps, "steps for each (10000)"},
        {0},
    };
    const weft_program program = {.summary = "Computes Lyapunov exponents of the logistic map.",
                                  .options = options};
    weft_session *session;
    weft_map *map;
    weft_init(&argc, &argv, &program, &session);
    weft_map_create(session, "lyapunov", 1, &w.count, &map);
    weft_map_add_field(map, "rate", WEFT_FLOAT64, 0, NULL, "1", "r");
    weft_map_add_field(map, "exponent", WEFT_FLOAT64, 0, NULL, "1", "lambda");
    /* What results depend on becomes a parameter: it is kept in the file, and a run with another
     * value is refused instead of being mixed with what is there. */
    weft_map_add_double(map, "from", w.from);
    weft_map_add_double(map, "to", w.to);
    weft_map_add_int64(map, "steps", w.steps);
    return weft_finish(session, weft_map_run(map, exponents, &w));
}
