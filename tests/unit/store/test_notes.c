/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the notes: what a process had in hand is there after its death, and nothing else. */
#include "sample.h"

#include "store/notes.h"

#include <signal.h>
#include <sys/wait.h>

enum { RANKS = 3, WORKERS = 2 };

static job *sample;
static notes_shape shape_of_last;

static int set_up(void **state)
{
    (void)state;
    sample_empty_folder();
    sample = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    job_destroy(sample);
    return 0;
}

static notes *attach(int rank, const suspect list[], int64_t count)
{
    notes_create(sample_path("a.h5"), sample, RANKS, WORKERS, list, count, &shape_of_last);
    assert_true(shape_of_last.part_bytes > 0);
    notes *n = notes_attach(sample_path("a.h5"), &shape_of_last, rank);
    assert_non_null(n);
    return n;
}

/* What a later run of a job reads; how many, in no order. */
static int64_t left(const job *j, suspect found[8])
{
    suspect *list = NULL;
    int64_t count = 0;
    error e = {.status = WEFT_OK};
    assert_int_equal(notes_read_left(sample_path("a.h5"), j, &list, &count, &e), WEFT_OK);
    assert_in_range(count, 0, 8);
    for (int64_t i = 0; i < count; i++) {
        found[i] = list[i];
    }
    free(list);
    return count;
}

static void check(const suspect *one, int64_t first, int64_t count, int crashes)
{
    assert_int_equal(one->first, first);
    assert_int_equal(one->count, count);
    assert_int_equal(one->crashes, crashes);
}

static void test_in_hand(void **state)
{
    (void)state;
    suspect found[8];
    suspect *list = NULL;
    int64_t count = 0;
    notes *n = attach(1, NULL, 0);
    assert_int_equal(left(sample, found), 0);
    notes_begin(&notes_lines(n)[0], 0, 5);
    notes_begin(&notes_lines(n)[1], 34, 1);
    assert_int_equal(left(sample, found), 2);
    check(&found[0], 0, 5, 0);
    check(&found[1], 34, 1, 0);
    assert_true(notes_read_rank(n, 1, &list, &count));
    assert_int_equal(count, 2);
    free(list);
    assert_true(notes_read_rank(n, 2, &list, &count));
    assert_int_equal(count, 0);
    free(list);
    notes_end(&notes_lines(n)[0]);
    assert_int_equal(left(sample, found), 1);
    check(&found[0], 34, 1, 1);
    notes_drop(n);
    assert_int_equal(left(sample, found), 0);
    notes_detach(n);
}

/* A crash is an item's own only if its rank had nothing else in hand; other ranks do not matter. */
static void test_who_has_crashed(void **state)
{
    (void)state;
    suspect found[8];
    suspect *list = NULL;
    int64_t count = 0;
    notes *n = attach(0, NULL, 0);
    const pid_t other = fork();
    if (other == 0) {
        notes *its = notes_attach(sample_path("a.h5"), &shape_of_last, 2);
        notes_begin(&notes_lines(its)[1], 20, 1);
        _exit(0);
    }
    assert_int_equal(waitpid(other, NULL, 0), other);
    notes_begin(&notes_lines(n)[0], 4, 1);
    notes_begin(&notes_lines(n)[1], 9, 1);
    assert_int_equal(left(sample, found), 3);
    check(&found[0], 4, 1, 0);
    check(&found[1], 9, 1, 0);
    check(&found[2], 20, 1, 1);
    assert_true(notes_read_rank(n, 0, &list, &count));
    assert_int_equal(count, 2);
    assert_int_equal(list[0].crashes + list[1].crashes, 0);
    free(list);
    /* Something that cannot be read may have been the one, too. */
    notes_begin(&notes_lines(n)[0], 30, 100);
    assert_int_equal(left(sample, found), 2);
    check(&found[0], 9, 1, 0);
    notes_detach(n);
}

/* A person's own files beside the result stay as they are, with and without a run. */
static void test_other_peoples_files(void **state)
{
    (void)state;
    static const char *const names[] = {"a.h5.notes", "a.h5.notes.new"};
    static const char text[] = "weft of the loom: buy wool\n";
    for (int i = 0; i < 2; i++) {
        notes_shape shape;
        suspect found[8];
        sample_write(sample_path(names[i]), text, sizeof text);
        notes_create(sample_path("a.h5"), sample, RANKS, WORKERS, NULL, 0, &shape);
        assert_int_equal(shape.part_bytes, 0);
        assert_int_equal(left(sample, found), 0);
        assert_true(sample_same(sample_path(names[i]), (const unsigned char *)text, sizeof text));
        assert_int_equal(unlink(sample_path(names[i])), 0);
    }
    /* Nor does it go that has come meanwhile; what a killed run has left does. */
    sample_write(sample_path(names[1]), "weftnot1 half", 13);
    notes *n = attach(0, NULL, 0);
    assert_false(sample_exists(sample_path(names[1])));
    assert_int_equal(unlink(sample_path(names[0])), 0);
    sample_write(sample_path(names[0]), text, sizeof text);
    notes_settle(n, true);
    notes_detach(n);
    assert_true(sample_same(sample_path(names[0]), (const unsigned char *)text, sizeof text));
}

static void test_killed_in_between(void **state)
{
    (void)state;
    suspect found[8];
    const pid_t pid = fork();
    if (pid == 0) {
        notes *n = attach(2, NULL, 0);
        notes_begin(&notes_lines(n)[0], 3, 1);
        notes_end(&notes_lines(n)[0]);
        notes_begin(&notes_lines(n)[1], 7, 14);
        (void)raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(left(sample, found), 1);
    check(&found[0], 7, 14, 0);
}

static void test_kept_for_later_runs(void **state)
{
    (void)state;
    suspect found[8];
    const suspect old = {.first = 8, .count = 2};
    const suspect more = {.first = 20, .count = 1, .crashes = 1};
    notes *n = attach(0, &old, 1);
    notes_keep(n, &more, 1);
    notes_begin(&notes_lines(n)[0], 1, 1);
    notes_settle(n, false);
    assert_int_equal(left(sample, found), 3);
    check(&found[0], 8, 2, 0);
    check(&found[1], 20, 1, 1);
    check(&found[2], 1, 1, 1);
    notes_detach(n);
    /* The next run begins with what it has read. */
    n = attach(0, found, 3);
    assert_int_equal(left(sample, found), 3);
    notes_settle(n, true);
    notes_detach(n);
    assert_int_equal(left(sample, found), 0);
    assert_false(sample_exists(sample_path("a.h5.notes")));
}

static void test_file_goes_if_it_says_nothing(void **state)
{
    (void)state;
    notes *n = attach(0, NULL, 0);
    assert_true(sample_exists(sample_path("a.h5.notes")));
    notes_settle(n, false);
    assert_false(sample_exists(sample_path("a.h5.notes")));
    notes_detach(n);
}

static void test_other_job(void **state)
{
    (void)state;
    suspect found[8];
    error e = {.status = WEFT_OK};
    notes *n = attach(0, NULL, 0);
    notes_begin(&notes_lines(n)[0], 1, 1);
    job *other = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 1);
    assert_int_equal(left(other, found), 1);
    assert_int_equal(job_settle(other, sample->seed + 1, 1, &e), WEFT_OK);
    assert_int_equal(left(other, found), 0);
    assert_int_equal(job_settle(other, sample->seed, 1, &e), WEFT_OK);
    other->name[0] = 'x';
    assert_int_equal(left(other, found), 0);
    job_destroy(other);
    assert_int_equal(left(sample, found), 1);
    notes_detach(n);
}

static void test_damaged(void **state)
{
    (void)state;
    suspect found[8];
    notes *n = attach(0, NULL, 0);
    notes_begin(&notes_lines(n)[0], 1, 1);
    notes_begin(&notes_lines(n)[1], 30, 100); /* there are 35 items */
    assert_int_equal(left(sample, found), 1);
    notes_detach(n);
    const char *path = sample_path("a.h5.notes");
    struct stat file;
    assert_int_equal(stat(path, &file), 0);
    const off_t sizes[] = {file.st_size + 4096, file.st_size - 4096, 4096, 7, 0};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(truncate(path, sizes[i]), 0);
        assert_int_equal(left(sample, found), 0);
    }
}

/* A store into a page that the file no longer has would be the end of the process. */
static void test_file_is_taken_away(void **state)
{
    (void)state;
    notes *n = attach(1, NULL, 0);
    assert_int_equal(truncate(sample_path("a.h5.notes"), 0), 0);
    notes_begin(&notes_lines(n)[0], 1, 1);
    notes_end(&notes_lines(n)[0]);
    notes_begin(&notes_lines(n)[1], 1, 1);
    suspect *list = NULL;
    int64_t count = 0;
    assert_false(notes_read_rank(n, 1, &list, &count));
    notes_settle(n, false);
    notes_detach(n);
}

/* What is the kernel's own fault still ends it. */
static void test_other_faults_kill(void **state)
{
    (void)state;
    const pid_t pid = fork();
    if (pid == 0) {
        (void)signal(SIGBUS, SIG_DFL);
        notes *n = attach(0, NULL, 0);
        notes_begin(&notes_lines(n)[0], 1, 1);
        (void)raise(SIGBUS);
        (void)raise(SIGBUS);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
}

static void test_no_room_for_notes(void **state)
{
    (void)state;
    notes_shape shape;
    suspect *list = NULL;
    int64_t count = 0;
    assert_int_equal(mkdir(sample_path("a.h5.notes.new"), 0777), 0);
    notes_create(sample_path("a.h5"), sample, 1, 1, NULL, 0, &shape);
    assert_int_equal(shape.part_bytes, 0);
    notes *n = notes_attach(sample_path("a.h5"), &shape, 0);
    assert_null(n);
    assert_null(notes_lines(n));
    notes_keep(n, NULL, 0);
    notes_drop(n);
    assert_false(notes_read_rank(n, 0, &list, &count));
    notes_settle(n, false);
    notes_detach(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_in_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_has_crashed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_peoples_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_in_between, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kept_for_later_runs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_goes_if_it_says_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_job, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_is_taken_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_faults_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room_for_notes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
