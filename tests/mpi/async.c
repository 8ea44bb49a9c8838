/* SPDX-License-Identifier: BSD-3-Clause */
/* Maps that are under way while the program goes on: on every layout they come to the bytes that a
 * serial loop gives, whoever is late, cancels or fails, and all ranks are told the same. */
#include "known.h"

#include <omp.h>
#include <stdatomic.h>
#include <time.h>

#if defined(__has_feature)
#define WITH_TSAN __has_feature(thread_sanitizer)
#else
#define WITH_TSAN 0
#endif

enum { MAPS = 3, ITEMS = 700, SEED = 11 };

static MPI_Comm own; /* of the program */

static bool last(void)
{
    return verdict_rank == verdict_ranks - 1;
}

typedef struct program {
    weft_session *session;
    weft_map *map[MAPS];
    char path[320];
} program;

static void begin(program *p, const char *name, int64_t flavour)
{
    int argc = 0;
    char **argv = NULL;
    char seed[16];
    (void)snprintf(seed, sizeof seed, "%d", SEED);
    (void)snprintf(p->path, sizeof p->path, "%s/%s.h5", verdict_folder, name);
    (void)snprintf(verdict_case, sizeof verdict_case, "%s", name);
    const char *const words[] = {"--log", "error", "--progress", "never", "--sync", "0",
                                 "--out", p->path, "--seed",     seed,    NULL};
    verdict_words(words, &argc, &argv);
    CHECK(weft_init(&argc, &argv, NULL, &p->session) == WEFT_OK);
    for (int i = 0; i < MAPS; i++) {
        char of[16];
        (void)snprintf(of, sizeof of, "map-%d", i);
        p->map[i] = known_map(p->session, of, ITEMS);
        CHECK(weft_map_set_grain(p->map[i], 3) == WEFT_OK);
        CHECK(weft_map_add_int64(p->map[i], "flavour", flavour) == WEFT_OK);
    }
}

static void end(program *p, weft_status status)
{
    for (int i = 0; i < MAPS; i++) {
        weft_map_destroy(p->map[i]);
    }
    CHECK(weft_finish(p->session, status) == weft_status_exit(status));
}

static void start(const program *p, int i, weft_kernel_fn kernel)
{
    CHECK(weft_map_start(p->map[i], kernel, NULL) == WEFT_OK);
}

/* Rank 0: every byte of these maps, which were computed in so many runs; 0: in some. */
static void check_runs(const program *p, int maps, int runs)
{
    weft_result *r = NULL;
    if (verdict_rank != 0 || !CHECK(weft_result_open(p->path, &r) == WEFT_OK)) {
        return;
    }
    for (int i = 0; i < maps; i++) {
        if (CHECK(weft_result_set_map(r, i) == WEFT_OK)) {
            known_check(r, SEED, ITEMS, NULL);
            if (runs > 0) {
                known_check_books(r, ITEMS, runs, WEFT_OUTCOME_COMPLETE);
            }
        }
    }
    weft_result_close(r);
}

static void check_file(const program *p, int maps)
{
    check_runs(p, maps, 1);
}

/* A region of the program's own. libomp's own hand-over between regions of two threads looks like a
 * race to a sanitizer that does not see inside. */
static void open_region(void)
{
#if !WITH_TSAN
    int threads = 0;
#pragma omp parallel num_threads(2) default(none) reduction(+ : threads)
    threads += 1;
    CHECK(threads == 2);
#endif
}

/* What a program may do meanwhile. */
static void go_on(const program *p)
{
    int sum = 0;
    const int one = 1;
    weft_progress q;
    open_region();
    CHECK(MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, own) == MPI_SUCCESS);
    CHECK(sum == verdict_ranks);
    CHECK(weft_agree(p->session, WEFT_OK) == WEFT_OK);
    for (int i = 0; i < MAPS; i++) {
        weft_map_progress(p->map[i], &q);
        CHECK(q.tiles_blocked + q.tiles_ready + q.tiles_leased + q.tiles_done == q.tiles);
    }
}

static void test_beside_the_program(void)
{
    program p;
    begin(&p, "beside", 0);
    for (int i = 0; i < MAPS; i++) {
        start(&p, i, known_kernel);
        go_on(&p);
    }
    for (int turn = 0; turn < 50; turn++) {
        go_on(&p);
    }
    for (int i = MAPS - 1; i >= 0; i--) {
        CHECK(weft_map_wait(p.map[i], 600) == WEFT_OK);
    }
    end(&p, WEFT_OK);
    check_file(&p, MAPS);
}

/* The last rank is in no hurry with the second map: the first one gets on without it. */
static void test_a_late_rank(void)
{
    program p;
    begin(&p, "late", 0);
    start(&p, 0, known_kernel);
    if (!last()) {
        start(&p, 1, known_kernel);
    }
    CHECK(weft_map_wait(p.map[0], 600) == WEFT_OK);
    if (last()) {
        start(&p, 1, known_kernel);
    }
    while (!weft_map_test(p.map[1])) {
    }
    CHECK(weft_map_wait(p.map[1], 0) == WEFT_OK);
    /* A run that waits for all, behind a map that nobody waits for. */
    start(&p, 0, known_kernel);
    CHECK(weft_map_run(p.map[2], known_kernel, NULL) == WEFT_OK);
    end(&p, WEFT_OK);
    check_file(&p, MAPS);
}

static atomic_bool standing;

/* Never comes to an end by itself, and then takes its time. */
static int stand(const weft_span *span, void *context)
{
    (void)context;
    atomic_store(&standing, true);
    while (!weft_span_stopping(span)) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    (void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    return 1;
}

/* A map that is in the file already, and waits for another rank, is in nobody's way. */
static void test_destroyed_beside(void)
{
    program p;
    begin(&p, "destroyed", 0);
    start(&p, 0, known_kernel);
    CHECK(weft_map_wait(p.map[0], 600) == WEFT_OK);
    if (!last()) {
        start(&p, 1, known_kernel);
    }
    weft_map_destroy(p.map[2]);
    p.map[2] = NULL;
    CHECK(weft_agree(p.session, WEFT_OK) == WEFT_OK);
    if (last()) {
        start(&p, 1, known_kernel);
    }
    CHECK(weft_map_wait(p.map[1], 600) == WEFT_OK);
    end(&p, WEFT_OK);
    check_file(&p, 2);
}

/* Before it has begun, or as it begins. */
static void test_destroyed_at_once(void)
{
    program p;
    begin(&p, "destroyed-at-once", 0);
    start(&p, 0, stand);
    start(&p, 1, known_kernel);
    weft_map_destroy(p.map[0]);
    p.map[0] = NULL;
    CHECK(weft_map_wait(p.map[1], 600) == WEFT_OK);
    end(&p, WEFT_OK);
}

/* One rank is enough; what is behind goes on. */
static void test_cancelled_by_one(bool begun)
{
    program p;
    begin(&p, begun ? "cancelled" : "cancelled-early", 0);
    atomic_store(&standing, false);
    start(&p, 0, stand);
    start(&p, 1, known_kernel);
    if (last()) {
        while (begun && !atomic_load(&standing) && !weft_map_test(p.map[0])) {
        }
        CHECK(weft_map_cancel(p.map[0]) == WEFT_OK);
    }
    CHECK(weft_map_wait(p.map[1], 600) == WEFT_OK);
    CHECK(weft_map_wait(p.map[0], 0) == WEFT_CANCELLED);
    CHECK(weft_map_run(p.map[0], known_kernel, NULL) == WEFT_OK);
    end(&p, WEFT_OK);
}

static char told[320]; /* a file, once the later map computes */

static int tell(const weft_span *span, void *context)
{
    FILE *f = fopen(told, "w");
    if (f != NULL) {
        (void)fclose(f);
    }
    return known_kernel(span, context);
}

/* The first item takes until the later map has been at work, or very long. */
static int await_told(const weft_span *span, void *context)
{
    for (int i = 0; i < 3000 && weft_span_first(span) == 0 && access(told, F_OK) != 0; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return weft_span_first(span) == 0 && access(told, F_OK) != 0 ? 1 : known_kernel(span, context);
}

/* The tail of a map and the head of the next overlap: workers of any rank that have nothing to do
 * for the one compute for the other. */
static void test_overlap(void)
{
    program p;
    begin(&p, "overlap", 0);
    (void)snprintf(told, sizeof told, "%.300s/told", verdict_folder);
    start(&p, 0, await_told);
    start(&p, 1, tell);
    start(&p, 2, known_kernel);
    for (int i = 0; i < MAPS; i++) {
        CHECK(weft_map_wait(p.map[i], 600) == WEFT_OK);
    }
    end(&p, WEFT_OK);
    check_file(&p, MAPS);
}

static int ask_too_much(const weft_span *span, void *context)
{
    (void)context;
    return weft_span_result(span, 9) == NULL ? 1 : 0;
}

static void test_failures(void)
{
    program p;
    begin(&p, "failures", 0);
    start(&p, 0, known_kernel);
    start(&p, 1, ask_too_much);
    start(&p, 2, known_kernel);
    /* Unless it had begun by then. */
    const weft_status behind = weft_map_wait(p.map[2], 600);
    CHECK(behind == WEFT_OK ||
          (behind == WEFT_ERR_USAGE &&
           strstr(weft_error_text(p.session),
                  "map 'map-2' has not begun, since map 'map-1' before it failed: ") != NULL));
    CHECK(weft_map_wait(p.map[1], 0) == WEFT_ERR_USAGE);
    CHECK(weft_map_wait(p.map[0], 0) == WEFT_OK);
    CHECK(weft_agree(p.session, last() ? WEFT_ERR_SYSTEM : WEFT_OK) == WEFT_ERR_SYSTEM);
    start(&p, 2, known_kernel);
    CHECK(weft_map_wait(p.map[2], 600) == WEFT_OK);
    end(&p, WEFT_OK);
}

/* All ranks are told the same of a map whose need has failed, or was cancelled by one of them,
 * before they start it or when it is under way; and it is computed once the other one is complete.
 */
static void test_needs(void)
{
    program p;
    begin(&p, "needs", 0);
    CHECK(weft_map_needs(p.map[1], p.map[0]) == WEFT_OK);
    start(&p, 0, ask_too_much);
    CHECK(weft_map_wait(p.map[0], 600) == WEFT_ERR_USAGE);
    CHECK(weft_map_start(p.map[1], known_kernel, NULL) == WEFT_ERR_USAGE);
    CHECK(weft_map_wait(p.map[1], 600) == WEFT_ERR_USAGE);
    CHECK(strstr(weft_error_text(p.session),
                 "map 'map-1' needs map 'map-0', which is not complete: ") != NULL);
    start(&p, 0, known_kernel);
    start(&p, 1, known_kernel);
    start(&p, 2, known_kernel);
    if (last()) {
        CHECK(weft_map_cancel(p.map[0]) == WEFT_OK);
    }
    const weft_status needed = weft_map_wait(p.map[0], 600);
    CHECK(needed == WEFT_OK || needed == WEFT_CANCELLED);
    CHECK(weft_map_wait(p.map[1], 600) == needed);
    CHECK(needed == WEFT_OK || strstr(weft_error_text(p.session), "'map-0'") != NULL);
    CHECK(weft_map_wait(p.map[2], 600) == WEFT_OK);
    CHECK(weft_map_run(p.map[0], known_kernel, NULL) == WEFT_OK);
    CHECK(weft_map_run(p.map[1], known_kernel, NULL) == WEFT_OK);
    end(&p, WEFT_OK);
    check_runs(&p, MAPS, 0);
}

/* The ranks say different things of the map: all of them are told so when they wait. */
static void test_unlike(void)
{
    program p;
    begin(&p, "unlike", last() ? 1 : 0);
    CHECK(weft_map_start(p.map[0], known_kernel, NULL) == WEFT_OK);
    const weft_status expected = verdict_ranks > 1 ? WEFT_ERR_USAGE : WEFT_OK;
    CHECK(weft_map_wait(p.map[0], 600) == expected);
    CHECK(verdict_ranks == 1 || strstr(weft_error_text(p.session), "flavour") != NULL);
    end(&p, WEFT_OK);
    CHECK(verdict_ranks == 1 || access(p.path, F_OK) != 0);
}

/* Nobody waits for any but the end of the session. */
static void test_end_of_session(void)
{
    program p;
    begin(&p, "end", 0);
    for (int i = 0; i < MAPS; i++) {
        start(&p, i, known_kernel);
    }
    CHECK(weft_finish(p.session, WEFT_OK) == 0);
    check_file(&p, MAPS);
    begin(&p, "end-of-bad-session", 0);
    start(&p, 0, stand);
    start(&p, 1, known_kernel);
    CHECK(weft_finish(p.session, WEFT_ERR_SYSTEM) == 1);
}

int main(int argc, char **argv)
{
    const bool funneled = argc > 1 && strcmp(argv[1], "funneled") == 0;
    verdict_level = funneled ? MPI_THREAD_FUNNELED : MPI_THREAD_MULTIPLE;
    verdict_begin(&argc, &argv);
    (void)MPI_Comm_dup(MPI_COMM_WORLD, &own);
    CHECK((verdict_level == MPI_THREAD_MULTIPLE) == !funneled);
    omp_set_dynamic(0);
    void (*const tests[])(void) = {
        test_beside_the_program, test_a_late_rank, test_destroyed_beside, test_destroyed_at_once,
        test_failures,           test_needs,       test_unlike,           test_end_of_session};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0] && !verdict_failed(); i++) {
        tests[i]();
    }
    /* Without workers nothing begins that the program does not wait for. */
    for (int begun = 0; begun < (verdict_threads() > 0 ? 2 : 1) && !verdict_failed(); begun++) {
        test_cancelled_by_one(begun == 1);
    }
    if (!funneled && verdict_threads() * verdict_ranks > 1 && !verdict_failed()) {
        test_overlap();
    }
    (void)MPI_Comm_free(&own);
    return verdict_end();
}
