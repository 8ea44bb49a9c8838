/* SPDX-License-Identifier: BSD-3-Clause */
/* Two stages, of which the second needs all of the first: noise, and then its moving average. Each
 * is a map with a result of its own, noise.h5 and smooth.h5. Stopped at any moment, the same
 * command goes on where it was.
 *
 *   ./stages --width 100
 */
#include <stdlib.h>
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

/* Once weft_map_run() has returned, every rank can read the result. */
static weft_status read_noise(weft_session *session, const char *path, double *noise)
{
    weft_result *result = NULL;
    weft_status status = weft_result_open(path, &result);
    if (!status) status = weft_result_read(result, 0, 0, COUNT, noise);
    if (status) status = weft_error(session, status, "%s", weft_result_error_text(result));
    weft_result_close(result);
    return status;
}

static weft_status first_stage(weft_session *session, double *noise)
{
    weft_map *map = NULL;
    weft_status status = weft_map_create(session, "noise", 1, (int64_t[]){COUNT}, &map);
    if (!status) status = weft_map_add_field(map, "noise", WEFT_FLOAT64, 0, NULL, "1", "noise");
    if (!status) status = weft_map_run(map, make_noise, NULL);
    if (!status) status = weft_agree(session, read_noise(session, weft_map_path(map), noise));
    weft_map_destroy(map);
    return status;
}

static weft_status second_stage(weft_session *session, smoothing *s)
{
    weft_map *map = NULL;
    weft_status status = weft_map_create(session, "smooth", 1, (int64_t[]){COUNT}, &map);
    if (!status) status = weft_map_add_field(map, "mean", WEFT_FLOAT64, 0, NULL, "1", "mean");
    if (!status) status = weft_map_add_int64(map, "width", s->width);
    if (!status) status = weft_map_run(map, smooth, s);
    weft_map_destroy(map);
    return status;
}

int main(int argc, char **argv)
{
    double *noise = malloc(COUNT * sizeof *noise);
    smoothing s = {.noise = noise, .width = 100};
    const weft_option options[] = {
        {"width", "N", WEFT_OPTION_INT64, &s.width, "neighbours on either side (100)"},
        {0},
    };
    const weft_program program = {.summary = "Smooths noise.", .options = options};
    weft_session *session;
    weft_status status = weft_init(&argc, &argv, &program, &session);
    if (!status) status = weft_agree(session, noise != NULL ? WEFT_OK : WEFT_ERR_MEMORY);
    if (!status) status = first_stage(session, noise);
    if (!status) status = second_stage(session, &s);
    free(noise);
    return weft_finish(session, status);
}
