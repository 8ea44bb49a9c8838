/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers are pinned to a core each where all ranks together have just as many threads as cores,
 * and only during a run; anybody's own binding stays as it is. The job is kept to two cores, so
 * that the same happens on every machine.
 *
 * placement          all ranks may use both cores
 * placement unequal  all but the first may use only one of them */
#define _GNU_SOURCE 1
#include "verdict.h"

#include <omp.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <weft/weft.h>

enum { CORES = 2, ITEMS = 24, MOST_WORKERS = 8, LIMIT_MS = 20000 };

/* What a rank sees while it computes. */
typedef struct view {
    int workers;
    cpu_set_t worker[MOST_WORKERS];
    atomic_bool seen[MOST_WORKERS];
    atomic_int workers_seen;
    cpu_set_t main_thread;
} view;

static cpu_set_t mine; /* where this process may run, before weft has done anything */

static void get_path(char path[320], int rank)
{
    (void)snprintf(path, 320, "%s/rank-%d-works", verdict_folder, rank);
}

/* A file says that all workers of this rank have begun. */
static void tell(void)
{
    char path[320];
    get_path(path, verdict_rank);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fclose(file) == 0);
}

static bool all_work(void)
{
    for (int i = 0; i < verdict_ranks; i++) {
        char path[320];
        get_path(path, i);
        if (access(path, F_OK) != 0) {
            return false;
        }
    }
    return true;
}

/* No worker goes on before all workers of all ranks have come, so that every one is seen. */
static int looking_kernel(const weft_span *span, void *context)
{
    view *v = context;
    const int worker = weft_span_worker(span);
    memset(weft_span_result(span, 0), 0, (size_t)weft_span_count(span));
    if (!atomic_exchange(&v->seen[worker], true)) {
        (void)sched_getaffinity(0, sizeof v->worker[worker], &v->worker[worker]);
        if (atomic_fetch_add(&v->workers_seen, 1) + 1 == v->workers) {
            (void)sched_getaffinity(getpid(), sizeof v->main_thread, &v->main_thread);
            tell();
        }
    }
    for (int i = 0; i < LIMIT_MS && !all_work(); i++) {
        const struct timespec pause = {.tv_nsec = 1000000};
        (void)nanosleep(&pause, NULL);
    }
    return 0;
}

static void run(view *v, const char *name)
{
    char path[320];
    char out[400];
    (void)snprintf(out, sizeof out, "%s/%s.h5", verdict_folder, name);
    const char *const words[] = {"--out",      out,      "--log",   "error", "--progress", "never",
                                 "--schedule", "static", "--grain", "1",     NULL};
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    weft_map *map = NULL;
    verdict_words(words, &argc, &argv);
    weft_status status = weft_init(&argc, &argv, NULL, &session);
    CHECK(status == WEFT_OK);
    if (status == WEFT_OK) {
        status = weft_map_create(session, name, 1, (const int64_t[]){ITEMS}, &map);
        CHECK(status == WEFT_OK);
    }
    if (status == WEFT_OK) {
        CHECK(weft_map_add_field(map, "nothing", WEFT_UINT8, 0, NULL, NULL, NULL) == WEFT_OK);
        status = weft_map_run(map, looking_kernel, v);
        CHECK(status == WEFT_OK);
    }
    weft_map_destroy(map);
    CHECK(weft_finish(session, status) == 0);
    get_path(path, verdict_rank);
    CHECK(unlink(path) == 0);
    verdict_barrier();
}

/* How many threads of this rank have been bound to a core, over all ranks. */
static void count_pins(const view *v, int count[CPU_SETSIZE])
{
    int here[CPU_SETSIZE] = {0};
    for (int core = 0; core < CPU_SETSIZE; core++) {
        for (int i = 0; i < v->workers; i++) {
            here[core] += CPU_ISSET((size_t)core, &v->worker[i]) != 0;
        }
    }
    verdict_reduce(here, count, CPU_SETSIZE, MPI_INT, MPI_SUM);
}

/* OpenMP's threads, in a region of the user's own, are where they would be without weft. */
static void check_own_region(void)
{
    int strangers = 0;
#pragma omp parallel num_threads(verdict_threads() + 1) default(none) shared(mine) \
    reduction(+ : strangers)
    {
        cpu_set_t found;
        (void)sched_getaffinity(0, sizeof found, &found);
        strangers += CPU_EQUAL(&found, &mine) == 0;
    }
    CHECK(strangers == 0);
}

static void check(const view *v, bool pinned)
{
    int count[CPU_SETSIZE];
    count_pins(v, count);
    CHECK(atomic_load(&v->workers_seen) == v->workers);
    CHECK(CPU_EQUAL(&v->main_thread, &mine));
    for (int i = 0; i < v->workers; i++) {
        CHECK(pinned ? CPU_COUNT(&v->worker[i]) == 1 : CPU_EQUAL(&v->worker[i], &mine));
    }
    for (int core = 0; core < CPU_SETSIZE && pinned; core++) {
        CHECK(count[core] == (CPU_ISSET((size_t)core, &mine) ? 1 : 0));
    }
    check_own_region();
}

static void check_case(const char *name, bool pinned)
{
    view v = {.workers = verdict_threads() > 0 ? verdict_threads() : 1};
    (void)snprintf(verdict_case, sizeof verdict_case, "%s", name);
    run(&v, name);
    check(&v, pinned);
}

/* Keeps this process to so many of the first cores that it may use, or to the last one of them. */
static void restrict_cores(int most, bool only_last)
{
    cpu_set_t all;
    CPU_ZERO(&mine);
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    for (int core = 0, found = 0; core < CPU_SETSIZE && found < most; core++) {
        if (CPU_ISSET((size_t)core, &all)) {
            found++;
            if (only_last) {
                CPU_ZERO(&mine);
            }
            CPU_SET((size_t)core, &mine);
        }
    }
    CHECK(sched_setaffinity(0, sizeof mine, &mine) == 0);
}

int main(int argc, char **argv)
{
    verdict_begin(&argc, &argv);
    const bool unequal = argc > 1 && strcmp(argv[1], "unequal") == 0;
    restrict_cores(CORES, unequal && verdict_rank > 0);
    const int threads = verdict_threads();
    const bool fits = !unequal && verdict_ranks * threads == CPU_COUNT(&mine);
    check_case("weft-decides", fits);
    if (!verdict_failed()) {
        (void)setenv("OMP_PROC_BIND", "false", 1);
        check_case("user-decides", false);
        (void)unsetenv("OMP_PROC_BIND");
    }
    if (!verdict_failed()) {
        check_case("weft-decides-again", fits);
    }
    return verdict_end();
}
