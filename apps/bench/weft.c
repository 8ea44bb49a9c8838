/* SPDX-License-Identifier: BSD-3-Clause */
/* What weft does: a work as a map of its own, several in a session, and what it measures of itself.
 * It knows nothing of MPI, as programs on weft do. */
#include "metg.h"
#include "paths.h"
#include "report.h"
#include "sums.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <weft/weft.h>

typedef struct bench {
    weft_session *session;
    const settings *s;
    weft_kernel_fn kernel;
    const work *w;
    atomic_flag called;
    double first_call;          /* when the kernel was called first */
    double plant;               /* the share of what is planted that each run takes */
    _Atomic int64_t workers_ns; /* CPU time */
    double from;                /* from when on the rest of the process is measured, … */
    double cpu;                 /* … and what it had taken then; < 0: not yet */
    double share; /* of a core that the process took while its kernel slept; NaN: unknown */
} bench;

static int compute(const weft_span *span, void *context)
{
    const bench *b = context;
    void *results[WORK_FIELDS];
    for (int i = 0; i < b->w->fields; i++) {
        results[i] = weft_span_result(span, i);
    }
    b->w->compute(b->w, weft_span_first(span), weft_span_count(span), results);
    return 0;
}

static int fail_all(const weft_span *span, void *context)
{
    (void)context;
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        weft_span_fail(span, weft_span_first(span) + i, 1, "every item fails");
    }
    return 0;
}

/* Stops the run at an item. What is not computed then is left to the next run. */
static int stop_there(const weft_span *span, void *context)
{
    bench *b = context;
    if (!atomic_flag_test_and_set(&b->called)) {
        b->first_call = report_now();
    }
    if (weft_span_first(span) + weft_span_count(span) > b->s->stop) {
        if (!weft_span_stopping(span)) {
            (void)raise(SIGUSR1);
        }
        return 1;
    }
    return compute(span, context);
}

/* Of an item that waits for something. */
static const double nap_s = 0.005;

static void rest(double seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds,
                            .tv_nsec = (long)(1e9 * (seconds - floor(seconds)))};
    while (nanosleep(&left, &left) != 0) {
        ;
    }
}

/* A rank's last item. Its worker sleeps, so that what takes CPU time is the rest of the process;
 * from the middle on, when the start is over. */
static int sleep_long(const weft_span *span, void *context)
{
    bench *b = context;
    const double half = b->s->seconds / 2;
    rest(half);
    const double begin = report_now(), cpu = report_cpu();
    rest(half);
    if (!atomic_flag_test_and_set(&b->called)) {
        b->share = (report_cpu() - cpu) / (report_now() - begin);
    }
    return compute(span, context);
}

/* What a worker has taken since it began. */
static void note_worker(bench *b)
{
    static _Thread_local double before;
    const double now = report_thread_cpu();
    atomic_fetch_add(&b->workers_ns, (int64_t)(1e9 * (now - before)));
    before = now;
}

static double cpu_beside_workers(const bench *b)
{
    return report_cpu() - 1e-9 * (double)atomic_load(&b->workers_ns);
}

/* Many short items, as of kernels that wait for something. What the process takes beside its
 * workers is measured from a quarter of the run on. */
static int nap(const weft_span *span, void *context)
{
    bench *b = context;
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        rest(nap_s);
    }
    note_worker(b);
    if (!atomic_flag_test_and_set(&b->called)) {
        const double now = report_now();
        if (b->from == 0) {
            b->from = now + b->s->seconds / 4;
        } else if (b->cpu < 0 && now > b->from) {
            b->from = now;
            b->cpu = cpu_beside_workers(b);
        } else if (b->cpu >= 0) {
            b->share = (cpu_beside_workers(b) - b->cpu) / (now - b->from);
        }
        atomic_flag_clear(&b->called);
    }
    return compute(span, context);
}

static weft_kernel_fn kernel_of(const settings *s)
{
    if (strcmp(s->action, "nap") == 0) {
        return nap;
    }
    if (strcmp(s->action, "fail") == 0) {
        return fail_all;
    }
    if (strcmp(s->action, "sleep") == 0) {
        return sleep_long;
    }
    return s->stop >= 0 ? stop_there : compute;
}

static volatile sig_atomic_t burnt;

static void *burn(void *unused)
{
    while (true) {
        burnt = !burnt;
    }
    return unused;
}

/* Each check of weft-bench must be able to fail. WEFT_BENCH_PLANT=SECONDS makes everything worse
 * that is measured here: time, CPU time, memory, and (at the end) the size of the file. */
static double planted(void)
{
    const char *text = getenv("WEFT_BENCH_PLANT");
    return text != NULL ? strtod(text, NULL) : 0;
}

static void plant_before(const settings *s, double share)
{
    static pthread_t thread;
    static char *memory;
    if (planted() > 0) {
        const size_t bytes = (size_t)s->items * 64;
        if (memory == NULL && (share < 1 || pthread_create(&thread, NULL, burn, NULL) == 0)) {
            memory = malloc(bytes);
        }
        if (memory != NULL) {
            memset(memory, 1, bytes);
        }
        rest(share * planted());
    }
}

static void plant_after(const char *path)
{
    struct stat now;
    if (planted() > 0 && (stat(path, &now) != 0 || truncate(path, now.st_size + (1 << 20)) != 0)) {
        perror(path);
    }
}

static weft_status describe(const bench *b, const char *name, weft_map **map)
{
    const int64_t shape[] = {b->w->rows, b->w->columns};
    weft_status status = weft_map_create(b->session, name, 2, shape, map);
    for (int i = 0; i < b->w->fields && status == WEFT_OK; i++) {
        const work_field *field = &b->w->field[i];
        status = weft_map_add_field(*map, field->name, field->type, field->elements > 1,
                                    &field->elements, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_set_span_limit(*map, b->s->limit);
    }
    return status;
}

static weft_status run_map(bench *b, const char *name, report *r)
{
    weft_map *map = NULL;
    weft_status status = weft_agree(b->session, WEFT_OK);
    report_begin(r);
    plant_before(b->s, b->plant);
    if (status == WEFT_OK) {
        status = describe(b, name, &map);
    }
    if (status == WEFT_OK) {
        status = weft_map_run(map, b->kernel, b);
        plant_after(weft_map_path(map));
    }
    weft_map_destroy(map);
    return status;
}

/* Maps that share a file, and are described before the first of them is run. */
static weft_status run_program(bench *b, report *r)
{
    const int64_t maps = b->s->maps;
    weft_map **map = calloc((size_t)maps, sizeof(void *));
    weft_status status = weft_agree(b->session, map != NULL ? WEFT_OK : WEFT_ERR_MEMORY);
    report_begin(r);
    plant_before(b->s, b->plant);
    for (int64_t i = 0; i < maps && map != NULL && status == WEFT_OK; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "map%lld", (long long)i);
        status = describe(b, name, &map[i]);
    }
    for (int64_t i = 0; i < maps && map != NULL && status == WEFT_OK; i++) {
        status = weft_map_run(map[i], b->kernel, b);
    }
    for (int64_t i = 0; i < maps && map != NULL; i++) {
        weft_map_destroy(map[i]);
    }
    free(map);
    return status;
}

static double add_exactly(int64_t n, const double x[])
{
    static int64_t accumulator[128];
    const weft_reduction exact = WEFT_SUM;
    double value = (double)NAN;
    rest(planted() / 10);
    if (weft_reduction_bytes(&exact) <= (int64_t)sizeof accumulator &&
        weft_reduction_init(&exact, accumulator) == WEFT_OK) {
        weft_sum_add_array((weft_sum *)(void *)accumulator, n, x);
        (void)!weft_reduction_finish(&exact, accumulator, &value);
    }
    return value;
}

static weft_status draw_paths(const bench *b, report *r, double *value)
{
    weft_status status = weft_agree(b->session, WEFT_OK);
    report_begin(r);
    plant_before(b->s, b->plant);
    if (status == WEFT_OK) {
        status = paths_run(b->session, b->s, value);
    }
    return status;
}

static double measure_tasks(const work *w, void *context)
{
    static int count;
    bench *b = context;
    char name[32], path[40];
    report r;
    b->w = w;
    (void)snprintf(name, sizeof name, "tasks%d", count++);
    (void)snprintf(path, sizeof path, "%s.h5", name);
    const weft_status status = run_map(b, name, &r);
    const double seconds = report_now() - r.begin;
    (void)unlink(path);
    return status == WEFT_OK ? seconds : (double)NAN;
}

static weft_status run_maps(bench *b, report *r)
{
    weft_status status = WEFT_OK;
    for (int64_t i = 0; i < b->s->maps && status == WEFT_OK; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "map%lld", (long long)i);
        status = run_map(b, name, r);
    }
    return status;
}

static weft_status measure(bench *b, const work *w)
{
    const settings *s = b->s;
    const int rank = weft_session_rank(b->session);
    weft_status status = WEFT_OK;
    double value = (double)NAN;
    report r;
    if (strcmp(s->action, "metg") == 0) {
        b->plant = 1.0 / 16;
        report_begin(&r);
        value = metg_search(s, weft_session_workers(b->session), measure_tasks, b);
        return report_end(&r, rank, -1, -1, value) ? WEFT_OK : WEFT_ERR_SYSTEM;
    }
    b->w = w;
    if (strcmp(s->action, "sum") == 0) {
        report_begin(&r);
        value = sums_measure(s, add_exactly);
    } else if (strcmp(s->action, "paths") == 0) {
        status = draw_paths(b, &r, &value);
    } else if (strcmp(s->action, "program") == 0) {
        status = run_program(b, &r);
    } else {
        status = run_maps(b, &r);
    }
    if (s->stop >= 0 && status == WEFT_STOPPED) {
        status = WEFT_OK;
        value = b->first_call - r.begin;
    } else if (strcmp(s->action, "fail") == 0 && status == WEFT_ITEMS_FAILED) {
        status = WEFT_OK;
    } else if (strcmp(s->action, "sleep") == 0 || strcmp(s->action, "nap") == 0) {
        value = b->share;
    }
    return status == WEFT_OK && !report_end(&r, rank, -1, -1, value) ? WEFT_ERR_SYSTEM : status;
}

int main(int argc, char **argv)
{
    settings s;
    work w;
    bench b = {.s = &s,
               .called = ATOMIC_FLAG_INIT,
               .first_call = (double)NAN,
               .plant = 1,
               .cpu = -1,
               .share = (double)NAN};
    weft_status status = weft_init(&argc, &argv, NULL, &b.session);
    if (status == WEFT_OK && (!settings_read(&s, argc, argv) || !work_open(&w, &s))) {
        status = weft_error(b.session, WEFT_ERR_USAGE, "a wrong command line, or no data");
    }
    if (status == WEFT_OK) {
        b.kernel = kernel_of(&s);
        status = measure(&b, &w);
    }
    return weft_finish(b.session, status);
}
