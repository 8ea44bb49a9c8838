/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests which items are computed in a child, and what becomes of those that kill it. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/exec/compute.h"
#include "engine/exec/isolation.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRAIN = 10, TILES = 12, ITEMS = GRAIN * TILES };

/* Of every item, where the test can see it also from a child. */
typedef struct trace {
    atomic_int calls;
    atomic_int apart; /* of these in another process than the test's */
    atomic_int most;  /* items in a call that began with it */
} trace;

typedef struct scene {
    job *job;
    bool careful; /* the block */
    run_options options;
    flow flow;
    block *block;
    pid_t home;
    trace *seen;
    int64_t deadly; /* an item that kills its process; -1: none … */
    int kills;      /* … so often */
    int64_t hangs;
    int64_t errs;  /* an item for which the kernel returns an error */
    int64_t locks; /* an item that takes a lock in a child, which is never released there */
    int64_t stuck_ns;
} scene;

/* By the test itself. */
static pthread_mutex_t taken = PTHREAD_MUTEX_INITIALIZER;

static int kernel(const weft_span *span, void *context)
{
    const scene *s = context;
    int64_t *value = weft_span_result(span, 0);
    unsigned char *byte = weft_span_result(span, 1);
    int code = 0;
    atomic_store(&s->seen[weft_span_first(span)].most, (int)weft_span_count(span));
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        const int calls = atomic_fetch_add(&s->seen[item].calls, 1);
        atomic_fetch_add(&s->seen[item].apart, getpid() != s->home);
        if (item == s->deadly && calls < s->kills) {
            (void)raise(SIGKILL);
        }
        while (item == s->hangs) {
            (void)pause();
        }
        if (item == s->locks && getpid() != s->home) {
            (void)pthread_mutex_lock(&taken);
        }
        code = item == s->errs ? 7 : code;
        value[i] = item;
        byte[i] = (unsigned char)item;
    }
    return code;
}

static int set_up(void **state)
{
    error e = {.status = WEFT_OK};
    scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    assert_int_equal(job_create("numbers", 1, (const int64_t[]){ITEMS}, &s->job, &e), WEFT_OK);
    assert_int_equal(job_add_field(s->job, "number", WEFT_INT64, 0, NULL, NULL, NULL, &e), WEFT_OK);
    assert_int_equal(job_add_field(s->job, "byte", WEFT_UINT8, 0, NULL, NULL, NULL, &e), WEFT_OK);
    assert_int_equal(job_settle(s->job, 0, GRAIN, &e), WEFT_OK);
    s->options.pure = true;
    assert_int_equal(pool_create(&s->flow.reports, &e), WEFT_OK);
    assert_int_equal(pool_create(&s->flow.buffers, &e), WEFT_OK);
    s->flow = (flow){.job = s->job,
                     .reports = s->flow.reports,
                     .buffers = s->flow.buffers,
                     .kernel = kernel,
                     .context = s,
                     .options = &s->options,
                     .span_tiles = INT64_MAX,
                     .rank = 3};
    assert_int_equal(block_create(&s->flow, TILES, &s->block, &e), WEFT_OK);
    log_set(LOG_ERROR, -1);
    s->home = getpid();
    s->deadly = -1;
    s->hangs = -1;
    s->errs = -1;
    s->locks = -1;
    s->stuck_ns = INT64_C(60000000000);
    s->kills = 1000;
    void *shared = mmap(NULL, ITEMS * sizeof *s->seen, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    s->seen = shared;
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    scene *s = *state;
    isolation_destroy(s->flow.isolation);
    block_destroy(s->block);
    pool_destroy(s->flow.buffers);
    pool_destroy(s->flow.reports);
    job_destroy(s->job);
    (void)munmap(s->seen, ITEMS * sizeof *s->seen);
    free(s);
    return 0;
}

static void isolate(scene *s, bool all, double timeout_s)
{
    error e = {.status = WEFT_OK};
    const isolation_setup setup = {.flow = &s->flow, .workers = 1, .stuck_ns = s->stuck_ns};
    s->options.isolate = all;
    s->options.item_timeout_s = timeout_s;
    assert_int_equal(isolation_create(&setup, &s->flow.isolation, &e), WEFT_OK);
}

/* All tiles in one go. */
static void compute(scene *s)
{
    block_begin(s->block, (interval){.tiles = TILES, .careful = s->careful});
    (void)block_compute(s->block, 0, 0, TILES, clock_now_ns());
}

/* Everything is as it should be, but for so many items from `bad` on. */
static void check_values(const scene *s, int64_t bad, int64_t count)
{
    const block *b = s->block;
    const int64_t *value = (const int64_t *)(const void *)(b->bytes + b->field_start[0]);
    const unsigned char *byte = b->bytes + b->field_start[1];
    for (int64_t i = 0; i < ITEMS; i++) {
        const bool good = i < bad || i >= bad + count;
        assert_int_equal(value[i], good ? i : INT64_MIN);
        assert_int_equal(byte[i], good ? (unsigned char)i : 0);
    }
    for (int64_t tile = 0; tile < TILES; tile++) {
        const int64_t first = tile * GRAIN > bad ? tile * GRAIN : bad;
        const int64_t end = (tile + 1) * GRAIN < bad + count ? (tile + 1) * GRAIN : bad + count;
        assert_int_equal(b->records[tile].failed, end > first ? end - first : 0);
    }
    assert_int_equal(b->failure_count, count);
}

static void check_failure(const scene *s, int64_t item, int code, const char *text)
{
    assert_int_equal(s->block->failures[0].item, item);
    assert_int_equal(s->block->failures[0].code, code);
    assert_string_equal(s->block->failures[0].text, text);
}

static void test_nothing_is_careful(void **state)
{
    scene *s = *state;
    isolate(s, false, 0);
    compute(s);
    check_values(s, 0, 0);
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(s->seen[i].calls, 1);
        assert_int_equal(s->seen[i].apart, 0);
    }
}

/* A block does not know of the one before. */
static void test_careful_blocks_are_computed_apart(void **state)
{
    scene *s = *state;
    isolate(s, false, 0);
    for (int turn = 1; turn <= 3; turn++) {
        s->careful = turn == 2;
        compute(s);
        check_values(s, 0, 0);
        for (int i = 0; i < ITEMS; i++) {
            assert_int_equal(s->seen[i].calls, turn);
            assert_int_equal(s->seen[i].apart, turn >= 2);
        }
    }
}

static void test_never_apart(void **state)
{
    scene *s = *state;
    isolate(s, true, 0);
    s->options.never_apart = true;
    s->careful = true;
    compute(s);
    check_values(s, 0, 0);
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(s->seen[i].apart, 0);
    }
}

/* What no child can compute is computed here, and not given to children for ever. */
static void test_stuck_children(void **state)
{
    scene *s = *state;
    s->stuck_ns = 100000000;
    s->locks = 60;
    isolate(s, true, 0);
    assert_int_equal(pthread_mutex_lock(&taken), 0);
    for (int round = 1; round <= 3; round++) {
        compute(s);
        check_values(s, 0, 0);
        /* Twice in children, unless that has led to nothing twice. */
        assert_int_equal(s->seen[60].calls - s->seen[60].apart, round);
        assert_int_equal(s->seen[60].apart, 2 * (round < 3 ? round : 2));
    }
    assert_int_equal(pthread_mutex_unlock(&taken), 0);
}

/* Where items may hang they are not let into the rank. */
static void test_stuck_items(void **state)
{
    scene *s = *state;
    s->locks = 60;
    s->flow.span_tiles = 1;
    isolate(s, true, 0.15);
    assert_int_equal(pthread_mutex_lock(&taken), 0);
    compute(s);
    assert_int_equal(pthread_mutex_unlock(&taken), 0);
    check_values(s, 60, 1);
    check_failure(s, 60, WEFT_QUARANTINE_STUCK,
                  "waited in a child for a lock or a thread that never came, twice");
}

/* What the agent gives up ends at once, and nothing of it counts. */
static void test_leaving(void **state)
{
    scene *s = *state;
    s->hangs = 5;
    isolate(s, true, 0);
    s->flow.stopping = true;
    s->flow.leaving = true;
    compute(s);
    assert_int_equal(s->block->failure_count, 0);
    assert_false(s->block->done[0]);
    assert_int_equal(isolation_waiting(s->flow.isolation), 0);
}

static void test_everything_apart(void **state)
{
    scene *s = *state;
    isolate(s, true, 0);
    compute(s);
    check_values(s, 0, 0);
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(s->seen[i].apart, 1);
    }
}

/* A kernel that gets one tile at a time gets it from the child, which is asked once for all. */
static void test_long_spans(void **state)
{
    scene *s = *state;
    s->flow.span_tiles = 1;
    s->careful = true;
    isolate(s, false, 0);
    compute(s);
    check_values(s, 0, 0);
    assert_int_equal(isolation_effort(s->flow.isolation).asked, 1);
    assert_int_equal(isolation_effort(s->flow.isolation).forked, 1);
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(s->seen[i].apart, 1);
        assert_int_equal(s->seen[i].most, i % GRAIN == 0 ? GRAIN : 0);
    }
}

/* The child says in which part it has died: only the items of that are tried one by one. */
static void test_neighbours_of_a_crash(void **state)
{
    scene *s = *state;
    s->careful = true;
    isolate(s, false, 0);
    s->deadly = 42;
    compute(s);
    check_values(s, 42, 1);
    /* All; the two parts before; the 20 items of the part, one of them twice; what is behind. */
    const child_effort effort = isolation_effort(s->flow.isolation);
    assert_int_equal(effort.asked, 1 + 1 + 20 + 1 + 1);
    assert_int_equal(effort.forked, 1 + 3);
    assert_int_equal(s->seen[39].calls, 2);
    assert_int_equal(s->seen[60].calls, 1);
}

static void test_two_crashes(void **state)
{
    scene *s = *state;
    isolate(s, true, 0);
    s->deadly = 42;
    compute(s);
    check_values(s, 42, 1);
    check_failure(s, 42, -9, "killed by signal 9 (Killed), twice");
    /* With all others, then alone, and once more. */
    assert_int_equal(s->seen[42].calls, 3);
    for (int tile = 0; tile < TILES; tile++) {
        assert_int_equal(s->block->records[tile].state, tile == 4 ? TILE_QUARANTINED : TILE_DONE);
    }
}

static void test_one_crash_alone_is_forgiven(void **state)
{
    scene *s = *state;
    isolate(s, true, 0);
    s->deadly = 42;
    s->kills = 2;
    compute(s);
    check_values(s, 0, 0);
    assert_int_equal(s->seen[42].calls, 3);
}

/* What may not be tried twice is computed one by one where a crash is likely: no neighbour is lost.
 */
static void test_impure_items_are_not_repeated(void **state)
{
    scene *s = *state;
    s->options.pure = false;
    s->careful = true;
    isolate(s, false, 0);
    s->deadly = 42;
    compute(s);
    check_values(s, 42, 1);
    check_failure(s, 42, -9, "killed by signal 9 (Killed)");
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(s->seen[i].calls, 1);
    }
}

static void test_errors_come_back(void **state)
{
    scene *s = *state;
    isolate(s, true, 0);
    s->errs = 5;
    compute(s);
    check_values(s, 5, 1);
    check_failure(s, 5, 7, "");
    assert_int_equal(s->block->records[0].state, TILE_DONE_WITH_FAILURES);
    assert_int_equal(s->seen[5].calls, 2);
}

static void test_timeout(void **state)
{
    scene *s = *state;
    isolate(s, true, 0.5);
    s->hangs = 119;
    block_begin(s->block, (interval){.tiles = TILES});
    (void)block_compute(s->block, 0, 0, TILES - 1, clock_now_ns());
    (void)block_compute(s->block, 0, TILES - 1, 1, clock_now_ns());
    check_values(s, 119, 1);
    check_failure(s, 119, WEFT_QUARANTINE_TIMEOUT, "took longer than 0.5 s, twice");
    assert_int_equal(s->seen[119].calls, 3);
}

/* With no right to any process more; the super-user always has it, and becomes somebody else. */
static bool says_what_is_lacking(scene *s)
{
    const struct rlimit none = {.rlim_cur = 0};
    bool right = (geteuid() != 0 || setuid(65534) == 0) && setrlimit(RLIMIT_NPROC, &none) == 0;
    compute(s);
    for (int tile = 0; tile < TILES; tile++) {
        right = right && !s->block->done[tile];
    }
    return right && s->block->error.status == WEFT_ERR_SYSTEM &&
           strstr(s->block->error.text, "rank 3 cannot start a child") != NULL;
}

static void test_no_more_processes(void **state)
{
    scene *s = *state;
    int status = -1;
    isolate(s, true, 0);
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(says_what_is_lacking(s) ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_careful, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_careful_blocks_are_computed_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_never_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stuck_children, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stuck_items, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leaving, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_everything_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_spans, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_neighbours_of_a_crash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_crashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_crash_alone_is_forgiven, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_impure_items_are_not_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_errors_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_timeout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_more_processes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
