/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests a file of several maps from the first of them to the last: it stays that very file, under
 * its lock, whatever becomes of its name, and nothing is written to another. */
#include "store/sample_result.h"

#include "base/stderr_lines.h"
#include "store/guard/lock.h"
#include "store/result.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <weft/result.h>

enum { MAPS = 3 };

static job *jobs[MAPS];

static int make_jobs(void **state)
{
    (void)state;
    for (int i = 0; i < MAPS; i++) {
        jobs[i] = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
        (void)snprintf(jobs[i]->name, sizeof jobs[i]->name, "map-%d", i);
    }
    return 0;
}

static int free_jobs(void **state)
{
    (void)state;
    for (int i = 0; i < MAPS; i++) {
        job_destroy(jobs[i]);
    }
    sample_empty_folder();
    return 0;
}

static store_file *open_file(const char *path)
{
    error e = {.status = WEFT_OK};
    store_file *f = NULL;
    assert_int_equal(store_file_open(path, MAPS, jobs, (store_policy){.fresh = false}, &f, &e),
                     WEFT_OK);
    return f;
}

static weft_status open_map(store_file *f, int map, store **s, error *e)
{
    *s = NULL;
    *e = (error){.status = WEFT_OK};
    return store_open(f, jobs[map], (store_policy){.fresh = false}, s, e);
}

/* Computes a map, if it can be opened; then *done says what of it had been done before. */
static weft_status compute(store_file *f, int map, bool *done, error *e)
{
    store *s = NULL;
    const weft_status status = open_map(f, map, &s, e);
    if (status == WEFT_OK) {
        *done = tile_table_complete(store_ledger(s));
        for (int64_t tile = 0; tile < jobs[map]->tiles.tiles; tile++) {
            sample_put_tile(s, jobs[map], tile, 0);
        }
        assert_int_equal(store_settle(s, e), WEFT_OK);
    }
    store_close(s);
    return status;
}

static void copy_file(const char *from, const char *to)
{
    size_t count = 0;
    unsigned char *bytes = sample_read(from, &count);
    sample_write(to, bytes, count);
    free(bytes);
}

static void test_another_file_in_its_place(void **state)
{
    (void)state;
    const char *path = sample_path("a.h5");
    error e = {.status = WEFT_OK};
    bool done = true;
    for (int removed = 0; removed < 2; removed++) {
        store_file *f = open_file(path);
        assert_int_equal(compute(f, 0, &done, &e), WEFT_OK);
        copy_file(path, sample_path("copy.h5"));
        assert_int_equal(removed ? unlink(path) : rename(path, sample_path("moved.h5")), 0);
        assert_int_equal(compute(f, 1, &done, &e), WEFT_ERR_SYSTEM);
        copy_file(sample_path("copy.h5"), path);
        size_t count = 0;
        unsigned char *before = sample_read(path, &count);
        assert_int_equal(compute(f, 1, &done, &e), WEFT_ERR_SYSTEM);
        assert_non_null(strstr(e.text, removed ? "was removed" : "was moved away"));
        assert_true(sample_same(path, before, count));
        free(before);
        store_file_release(f);
        assert_int_equal(unlink(path), 0);
    }
}

static void test_another_folder(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    bool done = true;
    const int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const char *folder = sample_path("folder");
    assert_int_equal(mkdir(folder, 0777), 0);
    assert_int_equal(chdir(folder), 0);
    store_file *f = open_file("../b.h5");
    const weft_status first = compute(f, 0, &done, &e);
    const int moved = chdir("/");
    const weft_status second = compute(f, 1, &done, &e);
    /* Described anew, and another one. */
    jobs[2]->parameter[1].number = 3;
    const weft_status third = compute(f, 2, &done, &e);
    store_file_release(f);
    assert_int_equal(fchdir(home), 0);
    (void)close(home);
    assert_int_equal(first, WEFT_OK);
    assert_int_equal(moved, 0);
    assert_int_equal(second, WEFT_OK);
    assert_int_equal(third, WEFT_ERR_OTHER_JOB);
    assert_false(sample_exists(sample_path("b.h5.lock")));
}

/* Where the lock was lost between two maps the file may be another run's, or have been. */
static void test_lock_is_lost(void **state)
{
    (void)state;
    const char *path = sample_path("c.h5");
    error e = {.status = WEFT_OK};
    bool done = true;
    store_file *f = open_file(path);
    assert_int_equal(compute(f, 0, &done, &e), WEFT_OK);
    assert_int_equal(unlink(sample_path("c.h5.lock")), 0);
    store_file *other = open_file(path);
    assert_int_equal(compute(f, 1, &done, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "another run"));
    assert_int_equal(compute(other, 1, &done, &e), WEFT_OK);
    assert_false(done);
    store_file_release(other);
    /* What that has done is not done again. */
    assert_int_equal(compute(f, 1, &done, &e), WEFT_OK);
    assert_true(done);
    assert_int_equal(compute(f, 2, &done, &e), WEFT_OK);
    assert_false(done);
    store_file_release(f);
    assert_false(sample_exists(sample_path("c.h5.lock")));
}

static double touched_s(const char *path)
{
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    return (double)file.st_mtim.tv_sec;
}

/* The map that is computed keeps the locks of all files alive. */
static void test_all_locks_are_touched(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    const char *held = sample_path("d.h5.lock");
    store_file *idle = open_file(sample_path("d.h5"));
    store_file *f = open_file(sample_path("e.h5"));
    store *s = NULL;
    assert_int_equal(open_map(f, 0, &s, &e), WEFT_OK);
    assert_int_equal(utimensat(AT_FDCWD, held, long_ago, 0), 0);
    assert_true(touched_s(held) < 2000);
    store_touch(s);
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    assert_true(touched_s(held) > 2000);
    store_close(s);
    store_file_release(f);
    store_file_release(idle);
}

/* A child of one map's run that lives on keeps nobody out of any file. */
static void test_children_let_go_of_all(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const char *path = sample_path("g.h5");
    int ends[2];
    store_file *idle = open_file(path);
    store_file *f = open_file(sample_path("h.h5"));
    store *s = NULL;
    assert_int_equal(open_map(f, 0, &s, &e), WEFT_OK);
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        store_forget(s);
        (void)write(ends[1], "y", 1);
        (void)close(ends[1]);
        for (;;) {
            (void)pause();
        }
    }
    char answer = '?';
    const ssize_t count = read(ends[0], &answer, 1);
    store_close(s);
    store_file_release(f);
    /* As if this process had died. */
    assert_int_equal(rename(sample_path("g.h5.lock"), sample_path("kept")), 0);
    store_file_release(idle);
    assert_int_equal(rename(sample_path("kept"), sample_path("g.h5.lock")), 0);
    lock *l = NULL;
    const weft_status status = lock_take(path, &l, &e);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    lock_release(l);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_int_equal(count, 1);
    assert_string_equal(e.text, "");
    assert_int_equal(status, WEFT_OK);
}

static void test_leaving_all(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    store_file *idle = open_file(sample_path("i.h5"));
    store_file *f = open_file(sample_path("j.h5"));
    store *s = NULL;
    assert_int_equal(open_map(f, 0, &s, &e), WEFT_OK);
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    store_leave(s);
    assert_false(sample_exists(sample_path("i.h5.lock")));
    assert_false(sample_exists(sample_path("j.h5.lock")));
    store_close(s);
    store_file_release(f);
    store_file_release(idle);
}

/* A run of one of two maps, which begins in its turn. */
typedef struct side {
    store_file *file;
    int map;
    int run;
    weft_status status;
    error error;
} side;

static pthread_mutex_t beginning = PTHREAD_MUTEX_INITIALIZER;

static store *begin_side(side *w, run_row *row)
{
    store *s = NULL;
    (void)pthread_mutex_lock(&beginning);
    w->status = open_map(w->file, w->map, &s, &w->error);
    if (w->status == WEFT_OK) {
        run_row_set_outcome(row, WEFT_OUTCOME_RUNNING);
        w->run = tile_table_run(store_ledger(s));
        w->status = tile_table_put_run(store_ledger(s), row, &w->error);
    }
    if (w->status == WEFT_OK) {
        w->status = store_settle(s, &w->error);
    }
    (void)pthread_mutex_unlock(&beginning);
    return s;
}

static void note(side *w, weft_status status)
{
    w->status = w->status == WEFT_OK ? status : w->status;
}

static void *run_side(void *context)
{
    side *w = context;
    run_row row = {.start = 1};
    store *s = begin_side(w, &row);
    const job *j = jobs[w->map];
    for (int64_t tile = 0; tile < j->tiles.tiles && w->status == WEFT_OK; tile++) {
        note(w, lease_table_set(store_leases(s), tile, 1, true, &w->error));
        sample_put_tile(s, j, tile, 0);
        row.items = tile;
        note(w, tile_table_put_run(store_ledger(s), &row, &w->error));
        store_touch(s);
        if (store_flushed(s)) {
            store_flush(s, true);
        }
        note(w, lease_table_set(store_leases(s), tile, 1, false, &w->error));
    }
    if (w->status == WEFT_OK) {
        row.end = 2 + w->map;
        run_row_set_outcome(&row, WEFT_OUTCOME_COMPLETE);
        note(w, tile_table_put_run(store_ledger(s), &row, &w->error));
        note(w, store_settle(s, &w->error));
        note(w, store_finish(s, &w->error));
    }
    store_close(s);
    return NULL;
}

/* Two maps of a file at a time: each has a row of its own in the table of runs, and all is there.
 */
static void test_two_at_a_time(void **state)
{
    (void)state;
    const char *path = sample_path("two.h5");
    for (int round = 0; round < 10; round++) {
        pthread_t thread;
        side sides[2] = {{.file = open_file(path), .map = 2 * (round % 2)}, {.map = 1}};
        sides[1].file = sides[0].file;
        assert_int_equal(pthread_create(&thread, NULL, run_side, &sides[1]), 0);
        (void)run_side(&sides[0]);
        assert_int_equal(pthread_join(thread, NULL), 0);
        store_file_release(sides[0].file);
        assert_string_equal(sides[0].error.text, "");
        assert_string_equal(sides[1].error.text, "");
        assert_int_equal(sides[0].run + sides[1].run, 4 * round + 1);
        weft_result *r = NULL;
        weft_result_progress p;
        int64_t verified = 0;
        int64_t bad = 0;
        assert_int_equal(weft_result_open(path, &r), WEFT_OK);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(weft_result_set_map(r, sides[i].map), WEFT_OK);
            assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
            assert_int_equal(p.items_done, jobs[sides[i].map]->items.count);
            assert_int_equal(run_row_outcome(result_run(r, p.runs - 1)), WEFT_OUTCOME_COMPLETE);
            assert_true(result_run(r, p.runs - 1)->end == 2 + sides[i].map);
            assert_int_equal(weft_result_verify(r, NULL, NULL, &verified, &bad), WEFT_OK);
            assert_int_equal(verified, jobs[sides[i].map]->tiles.tiles);
        }
        weft_result_close(r);
    }
}

/* The last words of a run are not those of another one that writes to the same file. */
static void test_leaving_one_of_two(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    store_file *idle = open_file(sample_path("m.h5"));
    store_file *f = open_file(sample_path("n.h5"));
    store *s[2] = {NULL};
    assert_int_equal(open_map(f, 0, &s[0], &e), WEFT_OK);
    assert_int_equal(open_map(f, 1, &s[1], &e), WEFT_OK);
    store_leave(s[0]);
    assert_false(sample_exists(sample_path("m.h5.lock")));
    assert_true(sample_exists(sample_path("n.h5.lock")));
    store_close(s[0]);
    assert_int_equal(store_settle(s[1], &e), WEFT_OK);
    store_leave(s[1]);
    assert_false(sample_exists(sample_path("n.h5.lock")));
    store_close(s[1]);
    store_file_release(f);
    store_file_release(idle);
}

/* The file keeps units and descriptions, which change no result; but not without a word. */
static void test_another_unit(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    bool done = false;
    const char *path = sample_path("k.h5");
    store_file *f = open_file(path);
    assert_int_equal(compute(f, 1, &done, &e), WEFT_OK);
    store_file_release(f);
    char *const texts[] = {jobs[1]->field[2].units, jobs[1]->field[2].long_name};
    static const char *const wanted[] = {"the unit of field", "the description of field"};
    for (int i = 0; i < 2; i++) {
        char before[JOB_TEXT_BYTES];
        memcpy(before, texts[i], sizeof before);
        (void)snprintf(texts[i], sizeof before, "corrected");
        catch_lines();
        f = open_file(path);
        const char *said = show_lines();
        assert_non_null(strstr(said, path));
        assert_non_null(strstr(said, wanted[i]));
        assert_non_null(strstr(said, before));
        assert_non_null(strstr(said, "'corrected'"));
        assert_int_equal(compute(f, 1, &done, &e), WEFT_OK);
        assert_true(done);
        /* Described anew, as it was, while the file is open. */
        memcpy(texts[i], before, sizeof before);
        catch_lines();
        assert_int_equal(compute(f, 1, &done, &e), WEFT_OK);
        assert_string_equal(show_lines(), "");
        store_file_release(f);
    }
    catch_lines();
    f = open_file(path);
    assert_string_equal(show_lines(), "");
    store_file_release(f);
}

/* Begins a run of a map, and writes its row. */
static void begin_run(store_file *f, int map, double start, weft_outcome outcome, int wanted,
                      int64_t *room)
{
    error e = {.status = WEFT_OK};
    run_row row = {.start = start};
    store *s = NULL;
    assert_int_equal(open_map(f, map, &s, &e), WEFT_OK);
    *room = store_layout(s)->run_rows;
    assert_int_equal(tile_table_run(store_ledger(s)), wanted);
    run_row_set_outcome(&row, outcome);
    assert_int_equal(tile_table_put_run(store_ledger(s), &row, &e), WEFT_OK);
    assert_int_equal(store_settle(s, &e), WEFT_OK);
    store_close(s);
}

/* Maps that find the table of runs full replace rows of their own. */
static void test_full_table_of_runs(void **state)
{
    (void)state;
    const char *path = sample_path("l.h5");
    int64_t room = 1;
    store_file *f = open_file(path);
    for (int used = 0; used < room; used++) {
        begin_run(f, used == 5 ? 0 : 1, 1 + used, WEFT_OUTCOME_STOPPED, used, &room);
    }
    for (int again = 0; again < 4; again++) {
        const int map = again % 2;
        weft_result *r = NULL;
        weft_result_progress p;
        begin_run(f, map, 1e6 + again, WEFT_OUTCOME_RUNNING, map == 0 ? 5 : (int)room - 1, &room);
        assert_int_equal(weft_result_open(path, &r), WEFT_OK);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(weft_result_set_map(r, i), WEFT_OK);
            assert_int_equal(weft_result_get_progress(r, &p), WEFT_OK);
            /* Two may be under way at a time. */
            assert_int_equal(p.running, i == map || again > 0);
        }
        weft_result_close(r);
    }
    store_file_release(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_jobs, free_jobs)
    const struct CMUnitTest tests[] = {
        TEST(test_another_unit),
        TEST(test_full_table_of_runs),
        TEST(test_another_file_in_its_place),
        TEST(test_another_folder),
        TEST(test_lock_is_lost),
        TEST(test_all_locks_are_touched),
        TEST(test_children_let_go_of_all),
        TEST(test_leaving_all),
        TEST(test_leaving_one_of_two),
        TEST(test_two_at_a_time),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
