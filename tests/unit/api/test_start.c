/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests maps that are started, waited for and cancelled, in a process that is a job of one rank. */
#include "fixture.h"

#include <fenv.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ITEMS = 400, MAPS = 4, WORKERS = 2 };

/* A map's kernel stands at an item until it is let go, or told to stop. */
typedef struct work {
    int number;
    int64_t stands_at; /* -1: nowhere */
    atomic_bool standing;
    atomic_bool go;
    atomic_int calls[ITEMS];
    atomic_int rounding; /* that it has seen last */
    bool bad;            /* asks for a field that there is not */
    bool fails;          /* an item is said to fail */
    bool bad_later;      /* asks for that field once it is let go */
} work;

static void nap(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static void await(const atomic_bool *what)
{
    while (!atomic_load(what)) {
        nap();
    }
}

static double value_of(int number, int64_t item)
{
    return 1000 * number + (double)item / 8;
}

static int compute(const weft_span *span, void *context)
{
    work *w = context;
    double *value = weft_span_result(span, w->bad ? 7 : 0);
    if (value == NULL) {
        return 1;
    }
    atomic_store(&w->rounding, fegetround());
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        if (item == w->stands_at) {
            atomic_store(&w->standing, true);
            while (!atomic_load(&w->go) && !weft_span_stopping(span)) {
                nap();
            }
            if (!atomic_load(&w->go) || (w->bad_later && weft_span_result(span, 7) == NULL)) {
                return 1;
            }
        }
        atomic_fetch_add(&w->calls[item], 1);
        value[i] = value_of(w->number, item);
        if (w->fails && item == 3) {
            weft_span_fail(span, item, 1, "on purpose");
        }
    }
    return 0;
}

typedef struct program {
    weft_session *session;
    weft_map *map[MAPS];
    work work[MAPS];
    char path[FIXTURE_PATH_BYTES];
} program;

static void begin(program *p, int workers, const char *path)
{
    (void)snprintf(p->path, sizeof p->path, "%s", path);
    p->session = fixture_session(p->path, workers, NULL);
    for (int i = 0; i < MAPS; i++) {
        char name[WEFT_NAME_BYTES];
        (void)snprintf(name, sizeof name, "map-%d", i);
        memset(&p->work[i], 0, sizeof p->work[i]);
        p->work[i].number = i;
        p->work[i].stands_at = -1;
        assert_int_equal(weft_map_create(p->session, name, 1, (int64_t[]){ITEMS}, &p->map[i]),
                         WEFT_OK);
        assert_int_equal(weft_map_add_field(p->map[i], "value", WEFT_FLOAT64, 0, NULL, NULL, NULL),
                         WEFT_OK);
        assert_int_equal(weft_map_set_grain(p->map[i], 7), WEFT_OK);
    }
}

static void end(program *p, weft_status status, int exit_status)
{
    for (int i = 0; i < MAPS; i++) {
        weft_map_destroy(p->map[i]);
        p->map[i] = NULL;
    }
    assert_int_equal(weft_finish(p->session, status), exit_status);
}

static weft_status start(program *p, int i)
{
    return weft_map_start(p->map[i], compute, &p->work[i]);
}

/* Two maps are started, of which the first stands at that item. */
static void begin_standing(program *p, int64_t item)
{
    begin(p, WORKERS, fixture_path());
    p->work[0].stands_at = item;
    assert_int_equal(start(p, 0), WEFT_OK);
    assert_int_equal(start(p, 1), WEFT_OK);
    await(&p->work[0].standing);
}

static void check_said(const program *p, const char *text)
{
    if (strstr(weft_error_text(p->session), text) == NULL) {
        fail_msg("'%s' does not say '%s'", weft_error_text(p->session), text);
    }
}

/* Two maps are under way, each of which stands, and two more are behind them. */
static void begin_two_standing(program *p)
{
    begin(p, WORKERS, fixture_path());
    for (int i = 0; i < MAPS; i++) {
        p->work[i].stands_at = i < 2 ? ITEMS - 1 : -1;
        assert_int_equal(start(p, i), WEFT_OK);
    }
    await(&p->work[0].standing);
    await(&p->work[1].standing);
}

/* The file has those values; each item was computed once by these programs together. */
static void check_values(const program *p, int number)
{
    static double values[ITEMS];
    weft_result *r = NULL;
    assert_int_equal(weft_result_open(p->path, &r), WEFT_OK);
    assert_int_equal(weft_result_set_map(r, number), WEFT_OK);
    assert_int_equal(weft_result_read(r, 0, 0, ITEMS, values), WEFT_OK);
    for (int i = 0; i < ITEMS; i++) {
        assert_true(values[i] == value_of(number, i));
    }
    weft_result_close(r);
}

static void test_in_order(void **state)
{
    (void)state;
    static program p;
    for (int workers = 0; workers <= WORKERS; workers++) {
        begin(&p, workers, fixture_path());
        for (int i = 0; i < MAPS; i++) {
            assert_int_equal(start(&p, i), WEFT_OK);
        }
        for (int i = MAPS - 1; i >= 0; i--) {
            assert_int_equal(weft_map_wait(p.map[i], WEFT_FOREVER), WEFT_OK);
            assert_true(weft_map_test(p.map[i]));
            assert_int_equal(weft_map_wait(p.map[i], 0), WEFT_OK);
        }
        end(&p, WEFT_OK, 0);
        for (int i = 0; i < MAPS; i++) {
            check_values(&p, i);
            for (int item = 0; item < ITEMS; item++) {
                assert_int_equal(p.work[i].calls[item], 1);
            }
        }
    }
}

/* The caller goes on while the map stands, and the map while the caller does something else. */
static void test_beside_the_caller(void **state)
{
    (void)state;
    static program p;
    begin_standing(&p, 100);
    assert_false(weft_map_test(p.map[0]));
    assert_int_equal(weft_map_wait(p.map[0], 0.01), WEFT_TIMEOUT);
    check_said(&p, "'map-0' is not done");
    assert_int_equal(weft_map_wait(p.map[1], 0), WEFT_TIMEOUT);
    assert_int_equal(weft_agree(p.session, WEFT_OK), WEFT_OK);
    atomic_store(&p.work[0].go, true);
    while (!weft_map_test(p.map[1])) {
        nap();
    }
    assert_true(weft_map_test(p.map[0]));
    assert_int_equal(weft_map_wait(p.map[0], 0), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[1], 0), WEFT_OK);
    end(&p, WEFT_OK, 0);
    check_values(&p, 0);
    check_values(&p, 1);
}

/* A program that only tests comes to the end, with workers or without. */
static void test_tests_alone(void **state)
{
    (void)state;
    static program p;
    for (int workers = 0; workers <= WORKERS; workers += WORKERS) {
        begin(&p, workers, fixture_path());
        assert_int_equal(start(&p, 0), WEFT_OK);
        while (!weft_map_test(p.map[0])) {
        }
        assert_int_equal(weft_map_wait(p.map[0], 0), WEFT_OK);
        /* A run behind it, and one that passes a complete map. */
        assert_int_equal(weft_map_run(p.map[1], compute, &p.work[1]), WEFT_OK);
        assert_int_equal(start(&p, 0), WEFT_OK);
        assert_int_equal(weft_map_run(p.map[2], compute, &p.work[2]), WEFT_OK);
        assert_int_equal(weft_map_wait(p.map[0], 0), WEFT_OK);
        end(&p, WEFT_OK, 0);
    }
}

static void test_wrong_calls(void **state)
{
    (void)state;
    static program p;
    begin(&p, WORKERS, fixture_path());
    assert_true(weft_map_test(p.map[0]));
    assert_int_equal(weft_map_wait(p.map[0], 1), WEFT_ERR_USAGE);
    check_said(&p, "weft_map_wait() of map 'map-0', which has not been started");
    assert_int_equal(weft_map_cancel(p.map[0]), WEFT_ERR_USAGE);
    check_said(&p, "weft_map_cancel() of map 'map-0', which has not been started");
    p.work[0].stands_at = 0;
    assert_int_equal(start(&p, 0), WEFT_OK);
    await(&p.work[0].standing);
    assert_int_equal(weft_map_wait(p.map[0], -1), WEFT_ERR_USAGE);
    check_said(&p, "for -1 s");
    assert_int_equal(weft_map_wait(p.map[0], nan("")), WEFT_ERR_USAGE);
    assert_int_equal(start(&p, 0), WEFT_ERR_USAGE);
    check_said(&p, "under way");
    assert_int_equal(weft_map_run(p.map[0], compute, &p.work[0]), WEFT_ERR_USAGE);
    check_said(&p, "under way");
    assert_int_equal(weft_map_add_int64(p.map[0], "late", 1), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_add_int64(p.map[2], "late", 1), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_set_grain(p.map[0], 3), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_set_span_limit(p.map[0], 3), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_set_isolation(p.map[0], WEFT_ALWAYS), WEFT_ERR_USAGE);
    check_said(&p, "under way");
    atomic_store(&p.work[0].go, true);
    assert_int_equal(weft_map_wait(p.map[0], WEFT_FOREVER), WEFT_OK);
    assert_int_equal(weft_map_cancel(p.map[0]), WEFT_ERR_USAGE);
    check_said(&p, "which is done");
    assert_int_equal(weft_map_set_span_limit(p.map[0], 3), WEFT_OK);
    assert_int_equal(start(&p, 2), WEFT_ERR_USAGE);
    check_said(&p, "nothing can be added to it");
    assert_int_equal(weft_map_wait(p.map[2], WEFT_FOREVER), WEFT_ERR_USAGE);
    /* Described after the file was made. */
    weft_map *late = NULL;
    assert_int_equal(weft_map_create(p.session, "late", 1, (int64_t[]){1}, &late), WEFT_OK);
    assert_int_equal(weft_map_start(late, compute, &p.work[0]), WEFT_ERR_USAGE);
    check_said(&p, "described after");
    assert_int_equal(weft_map_wait(late, WEFT_FOREVER), WEFT_ERR_USAGE);
    check_said(&p, "described after");
    weft_map_destroy(late);
    assert_int_equal(weft_map_start(p.map[1], NULL, NULL), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_ERR_USAGE);
    check_said(&p, "has no kernel");
    assert_int_equal(start(&p, 1), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_OK);
    end(&p, WEFT_OK, 0);
}

/* Though nothing has begun that exit() could interrupt. */
static void test_exit_before_the_end(void **state)
{
    (void)state;
    static program p;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        (void)close(STDERR_FILENO);
        begin(&p, 0, fixture_path());
        if (start(&p, 0) == WEFT_OK) {
            exit(0);
        }
        _exit(2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

/* Two that are at work, and one that waits for them; all go on later. */
static void test_cancel(void **state)
{
    (void)state;
    static program p;
    begin_two_standing(&p);
    for (int i = 2; i >= 0; i--) {
        assert_int_equal(weft_map_cancel(p.map[i]), WEFT_OK);
        assert_int_equal(weft_map_cancel(p.map[i]), WEFT_OK);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(weft_map_wait(p.map[i], WEFT_FOREVER), WEFT_CANCELLED);
        check_said(&p, "of 400 items done");
    }
    assert_int_equal(weft_map_wait(p.map[2], WEFT_FOREVER), WEFT_CANCELLED);
    check_said(&p, "'map-2' was cancelled before it had begun");
    assert_int_equal(weft_map_wait(p.map[3], WEFT_FOREVER), WEFT_OK);
    for (int i = 0; i < 3; i++) {
        atomic_store(&p.work[i].go, true);
        assert_int_equal(start(&p, i), WEFT_OK);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weft_map_wait(p.map[i], WEFT_FOREVER), WEFT_OK);
    }
    end(&p, WEFT_OK, 0);
    for (int i = 0; i < MAPS; i++) {
        check_values(&p, i);
    }
    for (int item = 0; item < ITEMS; item++) {
        assert_int_equal(p.work[2].calls[item], 1);
    }
}

/* One that has begun later goes on when the one before it is cancelled, or fails; and is cancelled
 * while that goes on. */
static void test_one_of_two_ends(void **state)
{
    (void)state;
    static program p;
    begin_two_standing(&p);
    assert_int_equal(weft_map_cancel(p.map[0]), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[0], WEFT_FOREVER), WEFT_CANCELLED);
    assert_int_equal(weft_map_wait(p.map[1], 0.01), WEFT_TIMEOUT);
    atomic_store(&p.work[1].go, true);
    for (int i = 1; i < MAPS; i++) {
        assert_int_equal(weft_map_wait(p.map[i], WEFT_FOREVER), WEFT_OK);
    }
    end(&p, WEFT_OK, 0);

    begin_two_standing(&p);
    p.work[0].bad_later = true;
    atomic_store(&p.work[0].go, true);
    assert_int_equal(weft_map_wait(p.map[0], WEFT_FOREVER), WEFT_ERR_USAGE);
    assert_false(weft_map_test(p.map[1]));
    atomic_store(&p.work[1].go, true);
    assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_OK);
    for (int i = 2; i < MAPS; i++) {
        assert_int_equal(weft_map_wait(p.map[i], WEFT_FOREVER), WEFT_ERR_USAGE);
        check_said(&p, "has not begun, since map 'map-0' before it failed: ");
    }
    end(&p, WEFT_OK, 0);
    check_values(&p, 1);

    begin_two_standing(&p);
    assert_int_equal(weft_map_cancel(p.map[1]), WEFT_OK);
    while (p.work[3].calls[ITEMS - 1] == 0) {
        nap();
    }
    assert_int_equal(weft_map_wait(p.map[1], 0), WEFT_TIMEOUT);
    atomic_store(&p.work[0].go, true);
    assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_CANCELLED);
    assert_int_equal(weft_map_wait(p.map[0], WEFT_FOREVER), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[3], WEFT_FOREVER), WEFT_OK);
    end(&p, WEFT_OK, 0);
    check_values(&p, 3);
}

/* What a map's workers have nothing to do for computes the next one; that is told as done after
 * it. One that needs the first, and one with a file that is still to be made, wait for it. */
static void test_tail_and_head(void **state)
{
    (void)state;
    static program p;
    weft_progress q;
    const char *other = fixture_path();
    begin(&p, WORKERS, fixture_path());
    p.work[0].stands_at = ITEMS - 1;
    assert_int_equal(weft_map_needs(p.map[2], p.map[0]), WEFT_OK);
    assert_int_equal(weft_map_set_out(p.map[3], other), WEFT_OK);
    for (int i = 0; i < MAPS; i++) {
        assert_int_equal(start(&p, i), WEFT_OK);
    }
    do {
        weft_map_progress(p.map[1], &q);
        nap();
    } while (q.items_done < ITEMS);
    assert_false(weft_map_test(p.map[1]));
    assert_int_equal(weft_map_wait(p.map[3], 0.05), WEFT_TIMEOUT);
    atomic_store(&p.work[0].go, true);
    for (int i = 0; i < MAPS; i++) {
        assert_int_equal(weft_map_wait(p.map[i], WEFT_FOREVER), WEFT_OK);
    }
    end(&p, WEFT_OK, 0);
    for (int i = 0; i < 3; i++) {
        check_values(&p, i);
    }
    for (int i = 0; i < MAPS; i++) {
        for (int item = 0; item < ITEMS; item++) {
            assert_int_equal(p.work[i].calls[item], 1);
        }
    }
}

/* The first map of a file is cancelled before it has made the file: the second one does. */
static void test_cancel_before_the_file(void **state)
{
    (void)state;
    static program p;
    begin(&p, 0, fixture_path());
    assert_int_equal(start(&p, 0), WEFT_OK);
    assert_int_equal(start(&p, 1), WEFT_OK);
    assert_int_equal(weft_map_cancel(p.map[0]), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[0], 0), WEFT_CANCELLED);
    end(&p, WEFT_OK, 0);
    check_values(&p, 1);
}

/* Whose failure it was, for those that were started before it and after it. */
static void test_failures_end_what_is_behind(void **state)
{
    (void)state;
    static program p;
    for (int workers = 0; workers <= WORKERS; workers += WORKERS) {
        begin(&p, workers, fixture_path());
        /* Its file is still to be made, so that it does not begin beside the second. */
        assert_int_equal(weft_map_set_out(p.map[3], fixture_path()), WEFT_OK);
        p.work[0].fails = true;
        p.work[1].bad = true;
        for (int i = 0; i < MAPS; i++) {
            assert_int_equal(i == 2 ? WEFT_OK : start(&p, i), WEFT_OK);
        }
        assert_int_equal(weft_map_wait(p.map[3], WEFT_FOREVER), WEFT_ERR_USAGE);
        check_said(&p, "map 'map-3' has not begun, since map 'map-1' before it failed: ");
        assert_int_equal(start(&p, 2), WEFT_OK);
        assert_int_equal(weft_map_wait(p.map[2], WEFT_FOREVER), WEFT_ERR_USAGE);
        check_said(&p, "map 'map-2' has not begun, since map 'map-1' before it failed: ");
        assert_int_equal(weft_map_wait(p.map[0], 0), WEFT_ITEMS_FAILED);
        assert_int_equal(weft_map_wait(p.map[1], 0), WEFT_ERR_USAGE);
        /* The program knows by now. */
        assert_int_equal(start(&p, 2), WEFT_OK);
        assert_int_equal(weft_map_wait(p.map[2], WEFT_FOREVER), WEFT_OK);
        end(&p, WEFT_OK, 0);
        check_values(&p, 2);
    }
}

static void test_a_signal_ends_all(void **state)
{
    (void)state;
    static program p;
    begin_two_standing(&p);
    (void)raise(SIGTERM);
    for (int i = 0; i < MAPS; i++) {
        assert_int_equal(weft_map_wait(p.map[i], WEFT_FOREVER), WEFT_STOPPED);
        check_said(&p, i < 2 ? "of 400 items done" : "has not begun, since map 'map-");
    }
    assert_int_equal(start(&p, 2), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[2], WEFT_FOREVER), WEFT_STOPPED);
    check_said(&p, "SIGTERM before map 'map-2' had begun");
    end(&p, WEFT_STOPPED, 75);
}

/* What is under way at the end of the session is waited for, or cancelled, as the program ends. */
static void test_end_of_session(void **state)
{
    (void)state;
    static program p;
    for (int workers = 0; workers <= WORKERS; workers += WORKERS) {
        begin(&p, workers, fixture_path());
        assert_int_equal(start(&p, 0), WEFT_OK);
        assert_int_equal(start(&p, 1), WEFT_OK);
        assert_int_equal(weft_finish(p.session, WEFT_OK), 0);
        check_values(&p, 0);
        check_values(&p, 1);

        begin(&p, workers, fixture_path());
        p.work[1].fails = true;
        assert_int_equal(start(&p, 1), WEFT_OK);
        assert_int_equal(start(&p, 2), WEFT_OK);
        assert_int_equal(weft_finish(p.session, WEFT_OK), 3);
        check_values(&p, 2);

        begin(&p, workers, fixture_path());
        p.work[1].bad = true;
        assert_int_equal(start(&p, 1), WEFT_OK);
        assert_int_equal(weft_finish(p.session, WEFT_OK), 2);
    }
    begin_two_standing(&p);
    assert_int_equal(weft_finish(p.session, WEFT_ERR_USAGE), 2);
    for (int item = 0; item < ITEMS; item++) {
        assert_int_equal(p.work[0].calls[item] + p.work[1].calls[item], item < ITEMS - 1 ? 2 : 0);
        assert_int_equal(p.work[2].calls[item] + p.work[3].calls[item], 0);
    }
}

static void test_destroy_under_way(void **state)
{
    (void)state;
    static program p;
    begin_standing(&p, 100);
    weft_map_destroy(p.map[0]);
    p.map[0] = NULL;
    assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_OK);
    end(&p, WEFT_OK, 0);
    check_values(&p, 1);
    /* A map that another one, which has not begun, makes a file for. */
    begin(&p, 0, fixture_path());
    assert_int_equal(start(&p, 0), WEFT_OK);
    weft_map_destroy(p.map[3]);
    p.map[3] = NULL;
    assert_int_equal(weft_map_wait(p.map[0], WEFT_FOREVER), WEFT_OK);
    assert_int_equal(start(&p, 1), WEFT_OK);
    end(&p, WEFT_OK, 0);
    check_values(&p, 0);
}

/* Without workers its kernel is called by nobody but who destroys it, and would stand for ever. */
static void test_destroy_without_workers(void **state)
{
    (void)state;
    static program p;
    begin(&p, 0, fixture_path());
    p.work[0].stands_at = 7;
    assert_int_equal(weft_map_set_span_limit(p.map[0], 7), WEFT_OK);
    assert_int_equal(start(&p, 0), WEFT_OK);
    assert_int_equal(start(&p, 1), WEFT_OK);
    while (atomic_load(&p.work[0].calls[0]) == 0) {
        assert_false(weft_map_test(p.map[0]));
    }
    weft_map_destroy(p.map[0]);
    p.map[0] = NULL;
    assert_false(atomic_load(&p.work[0].standing));
    assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_OK);
    end(&p, WEFT_OK, 0);
    check_values(&p, 1);
}

static int cancel_itself(const weft_span *span, void *context)
{
    program *p = context;
    if (weft_map_cancel(p->map[0]) != WEFT_OK) {
        return 1;
    }
    while (!weft_span_stopping(span)) {
        nap();
    }
    return 1;
}

/* Without workers nobody but the kernel itself can see that the map is cancelled while it runs. */
static void test_cancel_of_what_is_offered(void **state)
{
    (void)state;
    static program p;
    begin(&p, 0, fixture_path());
    assert_int_equal(weft_map_start(p.map[0], cancel_itself, &p), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[0], WEFT_FOREVER), WEFT_CANCELLED);
    assert_int_equal(start(&p, 0), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[0], WEFT_FOREVER), WEFT_OK);
    end(&p, WEFT_OK, 0);
    check_values(&p, 0);
}

static void test_wrong_needs(void **state)
{
    (void)state;
    static program p;
    begin(&p, WORKERS, fixture_path());
    assert_int_equal(weft_map_needs(p.map[1], p.map[0]), WEFT_OK);
    assert_int_equal(weft_map_needs(p.map[3], p.map[1]), WEFT_OK);
    assert_int_equal(weft_map_needs(p.map[0], p.map[3]), WEFT_ERR_USAGE);
    check_said(&p, "map 'map-0' cannot need map 'map-3', which needs 'map-0' itself");
    assert_int_equal(weft_map_needs(p.map[0], p.map[0]), WEFT_ERR_USAGE);
    assert_int_equal(weft_map_needs(p.map[0], NULL), WEFT_ERR_USAGE);
    end(&p, WEFT_ERR_USAGE, 2);
}

/* Those that need a map come to nothing without it, whatever was in its way; others go on. */
static void test_needs(void **state)
{
    (void)state;
    static program p;
    weft_progress q;
    begin(&p, WORKERS, fixture_path());
    assert_int_equal(weft_map_needs(p.map[1], p.map[0]), WEFT_OK);
    assert_int_equal(weft_map_needs(p.map[3], p.map[1]), WEFT_OK);
    assert_int_equal(weft_map_run(p.map[1], compute, &p.work[1]), WEFT_ERR_USAGE);
    check_said(&p, "map 'map-1' needs map 'map-0', which was not started before it");
    p.work[0].stands_at = ITEMS / 2;
    for (int i = 0; i < MAPS; i++) {
        assert_int_equal(start(&p, i), WEFT_OK);
    }
    assert_int_equal(weft_map_needs(p.map[2], p.map[0]), WEFT_ERR_USAGE);
    check_said(&p, "under way");
    await(&p.work[0].standing);
    weft_map_progress(p.map[1], &q);
    assert_int_equal(q.tiles_blocked, q.tiles);
    assert_int_equal(q.tiles_ready, 0);
    weft_map_progress(p.map[2], &q);
    assert_int_equal(q.tiles_blocked, 0);
    assert_int_equal(q.tiles_ready, q.tiles);
    assert_int_equal(weft_map_cancel(p.map[0]), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[3], WEFT_FOREVER), WEFT_CANCELLED);
    check_said(&p,
               "map 'map-3' has not begun, since map 'map-1' before it was stopped: map 'map-1' "
               "has not begun, since map 'map-0' before it was stopped: ");
    assert_int_equal(weft_map_wait(p.map[2], 0), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[1], 0), WEFT_CANCELLED);
    assert_int_equal(weft_map_wait(p.map[0], 0), WEFT_CANCELLED);
    assert_int_equal(start(&p, 1), WEFT_ERR_USAGE);
    check_said(&p, "map 'map-1' needs map 'map-0', which is not complete: ");
    assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_ERR_USAGE);
    atomic_store(&p.work[0].go, true);
    assert_int_equal(weft_map_run(p.map[0], compute, &p.work[0]), WEFT_OK);
    weft_map_destroy(p.map[0]);
    p.map[0] = NULL;
    assert_int_equal(start(&p, 1), WEFT_OK);
    assert_int_equal(start(&p, 3), WEFT_OK);
    assert_int_equal(weft_map_wait(p.map[3], WEFT_FOREVER), WEFT_OK);
    for (int item = 0; item < ITEMS; item++) {
        assert_int_equal(p.work[1].calls[item], 1);
    }
    end(&p, WEFT_OK, 0);
    check_values(&p, 3);
}

static void test_progress(void **state)
{
    (void)state;
    static program p;
    weft_progress q;
    begin(&p, WORKERS, fixture_path());
    weft_map_progress(p.map[0], &q);
    assert_int_equal(q.items, ITEMS);
    assert_int_equal(q.tiles + q.tiles_ready + q.items_done, 0);
    end(&p, WEFT_OK, 0);
    begin_two_standing(&p);
    for (int i = 0; i < 2; i++) {
        do {
            weft_map_progress(p.map[i], &q);
            assert_int_equal(q.tiles_blocked + q.tiles_ready + q.tiles_leased + q.tiles_done,
                             q.tiles);
            nap();
        } while (q.tiles_leased == 0 || q.workers[WEFT_COMPUTING] != 1 ||
                 q.workers[WEFT_ELSEWHERE] != WORKERS - 1);
        assert_int_equal(q.tiles, (ITEMS + 6) / 7);
        assert_true(q.tiles_done < q.tiles);
        assert_int_equal(q.workers[WEFT_WAITING_FOR_DISK] + q.workers[WEFT_WAITING_FOR_WORK], 0);
    }
    weft_map_progress(p.map[2], &q);
    assert_int_equal(q.tiles, (ITEMS + 6) / 7);
    assert_int_equal(q.tiles_ready, q.tiles);
    assert_int_equal(q.workers[WEFT_COMPUTING] + q.workers[WEFT_WAITING_FOR_WORK], 0);
    assert_int_equal(weft_map_cancel(p.map[2]), WEFT_OK);
    assert_int_equal(weft_map_cancel(p.map[3]), WEFT_OK);
    atomic_store(&p.work[1].go, true);
    do {
        weft_map_progress(p.map[0], &q);
        nap();
    } while (q.workers[WEFT_COMPUTING] != 1 || q.workers[WEFT_WAITING_FOR_WORK] != WORKERS - 1);
    atomic_store(&p.work[0].go, true);
    assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_OK);
    for (int i = 0; i < 2; i++) {
        weft_map_progress(p.map[i], &q);
        assert_int_equal(q.tiles_done, q.tiles);
        assert_int_equal(q.items_done, ITEMS);
        assert_int_equal(q.items_failed, 0);
        assert_int_equal(q.workers[WEFT_COMPUTING] + q.workers[WEFT_WAITING_FOR_WORK], 0);
    }
    end(&p, WEFT_OK, 0);
}

/* As the thread was that has started the map, and not as it is by then. */
static void test_the_callers_rounding(void **state)
{
    (void)state;
    static program p;
    for (int workers = 0; workers <= WORKERS; workers += WORKERS) {
        begin(&p, workers, fixture_path());
        assert_int_equal(fesetround(FE_UPWARD), 0);
        assert_int_equal(start(&p, 0), WEFT_OK);
        assert_int_equal(fesetround(FE_TONEAREST), 0);
        assert_int_equal(start(&p, 1), WEFT_OK);
        assert_int_equal(weft_map_wait(p.map[1], WEFT_FOREVER), WEFT_OK);
        assert_int_equal(fegetround(), FE_TONEAREST);
        assert_int_equal(p.work[0].rounding, FE_UPWARD);
        assert_int_equal(p.work[1].rounding, FE_TONEAREST);
        end(&p, WEFT_OK, 0);
    }
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* Whatever is called, every call is answered as the maps are, and in the end every item has been
 * computed once, unless a map was cancelled. */
static void play(program *p, int workers, uint64_t seed)
{
    bool under_way[MAPS] = {false};
    bool cancelled[MAPS] = {false};
    uint64_t x = seed;
    begin(p, workers, fixture_path());
    for (int step = 0; step < 60; step++) {
        const int i = (int)(next_random(&x) % MAPS);
        weft_status status = WEFT_OK;
        weft_progress q;
        switch (next_random(&x) % 6) {
        case 0:
        case 1:
            assert_int_equal(start(p, i), under_way[i] ? WEFT_ERR_USAGE : WEFT_OK);
            cancelled[i] = cancelled[i] && under_way[i];
            under_way[i] = true;
            break;
        case 2:
            under_way[i] = !weft_map_test(p->map[i]);
            break;
        case 3:
            status = weft_map_wait(p->map[i], (double)(next_random(&x) % 3) / 1000);
            assert_true(status == WEFT_OK || status == WEFT_TIMEOUT || status == WEFT_ERR_USAGE ||
                        (status == WEFT_CANCELLED && cancelled[i]));
            under_way[i] = status == WEFT_TIMEOUT;
            break;
        case 4:
            if (next_random(&x) % 3 == 0) {
                assert_int_equal(weft_map_cancel(p->map[i]),
                                 under_way[i] ? WEFT_OK : WEFT_ERR_USAGE);
                cancelled[i] = cancelled[i] || under_way[i];
            }
            break;
        default:
            weft_map_progress(p->map[i], &q);
            assert_int_equal(q.tiles_ready + q.tiles_leased + q.tiles_done, q.tiles);
            break;
        }
    }
    for (int i = 0; i < MAPS; i++) {
        const weft_status status = weft_map_test(p->map[i]) && !under_way[i]
                                       ? WEFT_OK
                                       : weft_map_wait(p->map[i], WEFT_FOREVER);
        assert_true(status == WEFT_OK || (status == WEFT_CANCELLED && cancelled[i]));
        assert_int_equal(weft_map_run(p->map[i], compute, &p->work[i]), WEFT_OK);
    }
    end(p, WEFT_OK, 0);
    for (int i = 0; i < MAPS; i++) {
        check_values(p, i);
    }
}

static void test_any_sequence(void **state)
{
    (void)state;
    static program p;
    const char *given = getenv("START_SEED");
    const uint64_t first = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    print_message("START_SEED=%llu\n", (unsigned long long)first);
    for (uint64_t i = 0; i < 24; i++) {
        play(&p, (int)(i % (WORKERS + 1)), UINT64_C(88172645463325252) ^ (first + i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_beside_the_caller),
        cmocka_unit_test(test_tests_alone),
        cmocka_unit_test(test_wrong_calls),
        cmocka_unit_test(test_exit_before_the_end),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_one_of_two_ends),
        cmocka_unit_test(test_tail_and_head),
        cmocka_unit_test(test_cancel_before_the_file),
        cmocka_unit_test(test_failures_end_what_is_behind),
        cmocka_unit_test(test_a_signal_ends_all),
        cmocka_unit_test(test_end_of_session),
        cmocka_unit_test(test_destroy_under_way),
        cmocka_unit_test(test_destroy_without_workers),
        cmocka_unit_test(test_cancel_of_what_is_offered),
        cmocka_unit_test(test_wrong_needs),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_the_callers_rounding),
        cmocka_unit_test(test_any_sequence),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
