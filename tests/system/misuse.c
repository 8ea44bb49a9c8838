/* SPDX-License-Identifier: BSD-3-Clause */
/* misuse: a program of two maps that gets one thing wrong, as its first word says. What
 * test_misuse.py runs. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <weft/weft.h>

typedef struct program {
    weft_session *session;
    weft_map *first;
    weft_map *second;
} program;

/* Until it is told to stop, where the context says so. */
static int kernel(const weft_span *span, void *context)
{
    const bool *stands = context;
    double *value = weft_span_double(span, "value");
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        value[i] = (double)(weft_span_first(span) + i);
    }
    while (stands != NULL && *stands && !weft_span_stopping(span)) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return stands != NULL && *stands ? 1 : 0;
}

static const bool standing = true;

static weft_status start(weft_map *map, bool stands)
{
    return weft_map_start(map, kernel, stands ? (void *)(uintptr_t)&standing : NULL);
}

static void merge(void *accumulator, const void *next, void *context)
{
    (void)accumulator;
    (void)next;
    (void)context;
}

static weft_status describe(weft_session *session, const char *name, weft_map **map)
{
    weft_status status = weft_map_create(session, name, 1, (int64_t[]){40}, map);
    if (status == WEFT_OK) {
        status = weft_map_add_field(*map, "value", WEFT_FLOAT64, 0, NULL, "1", "a value");
    }
    return status;
}

static weft_status need_in_a_circle(program *p)
{
    weft_status status = weft_map_needs(p->second, p->first);
    return status == WEFT_OK ? weft_map_needs(p->first, p->second) : status;
}

static weft_status need_oneself(program *p)
{
    return weft_map_needs(p->first, p->first);
}

static weft_status need_nothing(program *p)
{
    return weft_map_needs(p->first, NULL);
}

static weft_status need_what_is_not_run(program *p)
{
    const weft_status status = weft_map_needs(p->second, p->first);
    return status == WEFT_OK ? weft_map_run(p->second, kernel, NULL) : status;
}

/* The session has no other map of that name, but another file. */
static weft_status need_what_is_gone(program *p)
{
    weft_status status = weft_map_needs(p->second, p->first);
    weft_map_destroy(p->first);
    p->first = NULL;
    return status == WEFT_OK ? weft_map_run(p->second, kernel, NULL) : status;
}

static weft_status reduction_as_field(program *p)
{
    return weft_map_add_reduction(p->first, "value", WEFT_SUM);
}

static weft_status accumulator_of_0(program *p)
{
    const weft_reducer r = {.bytes = 0, .merge = merge};
    return weft_map_add_reduction(p->first, "own", weft_reducer_of(&r));
}

static weft_status accumulator_of_a_terabyte(program *p)
{
    const weft_reducer r = {.bytes = INT64_C(1) << 40, .merge = merge};
    return weft_map_add_reduction(p->first, "own", weft_reducer_of(&r));
}

static weft_status add_histogram(const program *p, double a, double b, double c)
{
    const double edges[] = {a, b, c};
    return weft_map_reduce_field(p->first, "value", weft_histogram_of(2, edges), "histogram");
}

static weft_status falling_edges(program *p)
{
    return add_histogram(p, 0, 2, 1);
}

static weft_status equal_edges(program *p)
{
    return add_histogram(p, 0, 0, 1);
}

static weft_status nan_among_edges(program *p)
{
    return add_histogram(p, 0, (double)NAN, 1);
}

static weft_status wait_for_less_than_nothing(program *p)
{
    const weft_status status = start(p->first, true);
    return status == WEFT_OK ? weft_map_wait(p->first, -1) : status;
}

static weft_status wait_for_nan(program *p)
{
    const weft_status status = start(p->first, true);
    return status == WEFT_OK ? weft_map_wait(p->first, (double)NAN) : status;
}

static weft_status wait_without_start(program *p)
{
    return weft_map_wait(p->first, 1);
}

static weft_status start_twice(program *p)
{
    const weft_status status = start(p->first, true);
    return status == WEFT_OK ? start(p->first, true) : status;
}

static weft_status run_what_is_started(program *p)
{
    const weft_status status = start(p->first, true);
    return status == WEFT_OK ? weft_map_run(p->first, kernel, NULL) : status;
}

static weft_status cancel_what_is_done(program *p)
{
    const weft_status status = weft_map_run(p->first, kernel, NULL);
    return status == WEFT_OK ? weft_map_cancel(p->first) : status;
}

static weft_status cancel_without_start(program *p)
{
    return weft_map_cancel(p->first);
}

static weft_status describe_after_start(program *p)
{
    const weft_status status = start(p->first, true);
    return status == WEFT_OK ? weft_map_add_int64(p->first, "late", 1) : status;
}

static weft_status map_after_start(program *p)
{
    weft_map *late = NULL;
    weft_status status = start(p->first, false);
    if (status == WEFT_OK) {
        status = describe(p->session, "late", &late);
    }
    if (status == WEFT_OK) {
        status = weft_map_run(late, kernel, NULL);
    }
    weft_map_destroy(late);
    return status;
}

/* Once its file is there. A warning, and the rest goes on. */
static weft_status destroy_under_way(program *p)
{
    weft_progress q = {.tiles_leased = 0};
    weft_status status = start(p->first, true);
    while (status == WEFT_OK && q.tiles_leased == 0 && !weft_map_test(p->first)) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        weft_map_progress(p->first, &q);
    }
    weft_map_destroy(p->first);
    p->first = NULL;
    return status == WEFT_OK ? weft_map_run(p->second, kernel, NULL) : status;
}

static weft_status two_of_one_name(program *p)
{
    weft_map *again = NULL;
    weft_status status = describe(p->session, "first", &again);
    if (status == WEFT_OK) {
        status = weft_map_run(p->second, kernel, NULL);
    }
    weft_map_destroy(again);
    return status;
}

static weft_status named_weft(program *p)
{
    weft_map *map = NULL;
    return describe(p->session, "weft", &map);
}

static weft_status no_kernel(program *p)
{
    return weft_map_run(p->first, NULL, NULL);
}

static weft_status read_too_early(program *p)
{
    double value = 0;
    return weft_map_read(p->first, "value", 0, 1, &value);
}

/* Its file then has another map than that of a run without this. */
static weft_status three_maps(program *p)
{
    weft_map *third = NULL;
    weft_status status = describe(p->session, "third", &third);
    if (status == WEFT_OK) {
        status = weft_map_run(p->first, kernel, NULL);
    }
    weft_map_destroy(third);
    return status;
}

static weft_status one_map(program *p)
{
    weft_map_destroy(p->second);
    p->second = NULL;
    return weft_map_run(p->first, kernel, NULL);
}

static weft_status nothing(program *p)
{
    const weft_status status = weft_map_run(p->first, kernel, NULL);
    return status == WEFT_OK ? weft_map_run(p->second, kernel, NULL) : status;
}

#define MISUSES(X)                \
    X(nothing)                    \
    X(need_in_a_circle)           \
    X(need_oneself)               \
    X(need_nothing)               \
    X(need_what_is_not_run)       \
    X(need_what_is_gone)          \
    X(reduction_as_field)         \
    X(accumulator_of_0)           \
    X(accumulator_of_a_terabyte)  \
    X(falling_edges)              \
    X(equal_edges)                \
    X(nan_among_edges)            \
    X(wait_for_less_than_nothing) \
    X(wait_for_nan)               \
    X(wait_without_start)         \
    X(start_twice)                \
    X(run_what_is_started)        \
    X(cancel_what_is_done)        \
    X(cancel_without_start)       \
    X(describe_after_start)       \
    X(map_after_start)            \
    X(destroy_under_way)          \
    X(two_of_one_name)            \
    X(named_weft)                 \
    X(no_kernel)                  \
    X(read_too_early)             \
    X(three_maps)                 \
    X(one_map)

static weft_status misuse(program *p, const char *what)
{
#define MISUSE_CASE(name)           \
    if (strcmp(what, #name) == 0) { \
        return name(p);             \
    }
    MISUSES(MISUSE_CASE)
#undef MISUSE_CASE
    return weft_error(p->session, WEFT_ERR_SYSTEM, "no misuse is called '%s'", what);
}

int main(int argc, char **argv)
{
    const weft_program about = {.name = "misuse",
                                .summary = "Gets one thing wrong.",
                                .version = "1",
                                .arguments = "WHAT",
                                .default_out = "misuse.h5"};
    const char *what = argc > 1 ? argv[1] : "nothing";
    program p = {.session = NULL};
    weft_status status = weft_init(&argc, &argv, &about, &p.session);
    if (status == WEFT_OK) {
        status = describe(p.session, "first", &p.first);
    }
    if (status == WEFT_OK) {
        status = describe(p.session, "second", &p.second);
    }
    if (status == WEFT_OK) {
        status = misuse(&p, what);
    }
    if (p.first == NULL || weft_map_test(p.first)) {
        weft_map_destroy(p.second);
        weft_map_destroy(p.first);
    }
    return weft_finish(p.session, status);
}
