/* SPDX-License-Identifier: BSD-3-Clause */
/* Two stages, of which the second needs all of the first: noise, and then its moving average. Both
 * maps are described before the first is run, and so share a file, stages.h5. Stopped at any
 * moment, the same command goes on where it was.
 *
 *   ./stages --width 100
 */
#include <weft/weft.h>

enum { COUNT = 100000 };

typedef struct smoothing {
    const double *noise; /* all of the first result */
    int64_t width;
} smoothing;

static int make_noise(const weft_span *span, void *context)
{
    (void)context;
    double *noise = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        weft_random random = weft_span_random(span, weft_span_first(span) + i, 0);
        noise[i] = weft_random_normal(&random);
    }
    return 0;
}

static int smooth(const weft_span *span, void *context)
{
    const smoothing *s = context;
    double *mean = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        const int64_t first = item < s->width ? 0 : item - s->width;
        const int64_t end = item + s->width >= COUNT ? COUNT : item + s->width + 1;
        mean[i] = 0;
        for (int64_t at = first; at < end; at++) {
            mean[i] += s->noise[at] / (double)(end - first);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static double noise[COUNT];
    smoothing s = {.noise = noise, .width = 100};
    const weft_option options[] = {
        {"width", "N", WEFT_OPTION_INT64, &s.width, "neighbours on either side (100)"},
        {0},
    };
    const weft_program program = {
        .summary = "Smooths noise.", .default_out = "stages.h5", .options = options};
    weft_session *session;
    weft_map *first, *second;
    weft_init(&argc, &argv, &program, &session);
    weft_map_create(session, "noise", 1, (int64_t[]){COUNT}, &first);
    weft_map_add_field(first, "noise", WEFT_FLOAT64, 0, NULL, "1", "noise");
    weft_map_create(session, "smooth", 1, (int64_t[]){COUNT}, &second);
    weft_map_add_field(second, "mean", WEFT_FLOAT64, 0, NULL, "1", "mean");
    weft_map_add_int64(second, "width", s.width);
    weft_status status = weft_map_run(first, make_noise, NULL);
    if (!status) status = weft_map_read(first, "noise", 0, COUNT, noise); /* on every rank */
    if (!status) status = weft_map_run(second, smooth, &s);
    return weft_finish(session, status);
}
