/* SPDX-License-Identifier: BSD-3-Clause */
#include <weft/weft.h>

/* Of a million random points in the unit square: how many lie within the quarter circle? */
static int count_hits(const weft_span *span, void *context)
{
    int64_t *hits = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        weft_random random = weft_span_random(span, weft_span_first(span) + i, 0);
        hits[i] = 0;
        for (int point = 0; point < 1000000; point++) {
            const double x = weft_random_double(&random);
            const double y = weft_random_double(&random);
            hits[i] += x * x + y * y < 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const weft_program program = {.summary = "Estimates pi a thousand times."};
    weft_session *session;
    weft_map *map;
    weft_init(&argc, &argv, &program, &session);
    weft_map_create(session, "pi", 1, (int64_t[]){1000}, &map);
    weft_map_add_field(map, "hits", WEFT_INT64, 0, NULL, "1", "hits");
    return weft_finish(session, weft_map_run(map, count_hits, NULL));
}
