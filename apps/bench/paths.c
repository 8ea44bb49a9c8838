/* SPDX-License-Identifier: BSD-3-Clause */
/* What weft does for a Monte Carlo: a map that has reductions and no field. */
#include "paths.h"

static int simulate(const weft_span *span, void *context)
{
    weft_moments *plain = weft_span_accumulator(span, 0);
    weft_covariance *averages = weft_span_accumulator(span, 1);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        weft_random random = weft_span_random(span, weft_span_first(span) + i, 0);
        const asian_path path = asian_simulate(context, &random);
        weft_moments_add(plain, path.plain);
        weft_covariance_add(averages, (double[]){path.arithmetic, path.geometric});
    }
    return 0;
}

weft_status paths_run(weft_session *session, const settings *s, double *mean)
{
    asian option = paths_option(s);
    weft_moments_value plain = {0};
    weft_map *map = NULL;
    weft_status status = weft_map_create(session, "paths", 1, &s->items, &map);
    if (!status) {
        status = weft_map_add_reduction(map, "plain", WEFT_MOMENTS);
    }
    if (!status) {
        status = weft_map_add_reduction(map, "averages", weft_covariance_of(2));
    }
    if (!status) {
        status = weft_map_run(map, simulate, &option);
    }
    if (!status) {
        status = weft_map_get(map, "plain", &plain);
    }
    weft_map_destroy(map);
    *mean = plain.mean;
    return status;
}
