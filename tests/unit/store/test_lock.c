/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the lock: one run at a time, named in the refusal, and none that outlives its process. */
#include "sample.h"

#include "base/host.h"
#include "store/lock.h"

#include <signal.h>
#include <sys/wait.h>

enum { LIMIT_S = 30 };

static void test_take_and_release(void **state)
{
    (void)state;
    const char *path = sample_path("a.h5");
    char text[256] = "x";
    error e = {.status = WEFT_OK};
    assert_false(lock_holder(path, text, sizeof text));
    assert_string_equal(text, "");
    for (int i = 0; i < 3; i++) {
        lock *l = NULL;
        assert_int_equal(lock_take(path, &l, &e), WEFT_OK);
        assert_true(sample_exists(sample_path("a.h5.lock")));
        assert_true(lock_holder(path, text, sizeof text));
        assert_int_equal(lock_touch(l, &e), WEFT_OK);
        lock_release(l);
        assert_false(sample_exists(sample_path("a.h5.lock")));
        assert_false(lock_holder(path, text, sizeof text));
    }
    lock_release(NULL);
}

static void test_second_taker_is_refused(void **state)
{
    (void)state;
    const char *path = sample_path("a.h5");
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    lock *second = NULL;
    assert_int_equal(lock_take(path, &l, &e), WEFT_OK);
    assert_int_equal(lock_take(path, &second, &e), WEFT_ERR_BUSY);
    assert_null(second);
    char host[HOST_NAME_BYTES];
    char pid[128];
    host_name(host);
    (void)snprintf(pid, sizeof pid, "pid %ld on host %s since 20", (long)getpid(), host);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, pid));
    assert_non_null(strstr(e.text, "a.h5.lock"));
    lock_release(l);
    assert_int_equal(lock_take(path, &second, &e), WEFT_OK);
    lock_release(second);
}

/* A child that takes the lock, says so, and waits to be killed. */
static pid_t start_holder(const char *path)
{
    int ends[2] = {-1, -1};
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        error e = {.status = WEFT_OK};
        lock *l = NULL;
        (void)alarm(LIMIT_S);
        const char answer = lock_take(path, &l, &e) == WEFT_OK ? 'y' : 'n';
        const bool told = write(ends[1], &answer, 1) == 1;
        while (told && answer == 'y') {
            (void)pause();
        }
        _exit(1);
    }
    char answer = '?';
    (void)close(ends[1]);
    assert_true(child > 0);
    assert_int_equal(read(ends[0], &answer, 1), 1);
    (void)close(ends[0]);
    assert_int_equal(answer, 'y');
    return child;
}

static void end_holder(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_lock_of_another_process(void **state)
{
    (void)state;
    const char *path = sample_path("b.h5");
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    const pid_t child = start_holder(path);
    char pid[64];
    char text[256];
    (void)snprintf(pid, sizeof pid, "pid %ld ", (long)child);
    const weft_status refused = lock_take(path, &l, &e);
    const bool held = lock_holder(path, text, sizeof text);
    end_holder(child);
    assert_int_equal(refused, WEFT_ERR_BUSY);
    assert_non_null(strstr(e.text, pid));
    assert_true(held);
    assert_non_null(strstr(text, pid));
    /* Its lock file lies there still, and counts for nothing. */
    assert_true(sample_exists(sample_path("b.h5.lock")));
    assert_false(lock_holder(path, text, sizeof text));
    assert_int_equal(lock_take(path, &l, &e), WEFT_OK);
    assert_true(lock_holder(path, text, sizeof text));
    (void)snprintf(pid, sizeof pid, "pid %ld ", (long)getpid());
    assert_non_null(strstr(text, pid));
    lock_release(l);
    assert_false(sample_exists(sample_path("b.h5.lock")));
}

static void test_leftovers_of_any_content(void **state)
{
    (void)state;
    static const char *const contents[] = {
        "", "hos", "host elsewhere pid 1 started 1 since 2026-01-31T12:34:56Z\n",
        "host "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        error e = {.status = WEFT_OK};
        lock *l = NULL;
        sample_write(sample_path("c.h5.lock"), contents[i], strlen(contents[i]));
        assert_int_equal(lock_take(sample_path("c.h5"), &l, &e), WEFT_OK);
        lock_release(l);
    }
}

/* After a power cut a lock may consist of zeros; what anybody else has written is kept. */
static void test_foreign_content(void **state)
{
    (void)state;
    static const char *const foreign[] = {"\n", "garbage", "hostage of another program\n"};
    const char zeros[70] = "";
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    sample_write(sample_path("f.h5.lock"), zeros, sizeof zeros);
    assert_int_equal(lock_take(sample_path("f.h5"), &l, &e), WEFT_OK);
    lock_release(l);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        sample_write(sample_path("f.h5.lock"), foreign[i], strlen(foreign[i]));
        assert_int_equal(lock_take(sample_path("f.h5"), &l, &e), WEFT_ERR_FORMAT);
        assert_non_null(strstr(e.text, "f.h5.lock"));
        assert_true(sample_same(sample_path("f.h5.lock"), (const unsigned char *)foreign[i],
                                strlen(foreign[i])));
    }
}

/* Somebody has removed the lock file of a live run: it comes back, unless it is another's now. */
static void test_removed_under_its_holder(void **state)
{
    (void)state;
    const char *path = sample_path("r.h5");
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    lock *second = NULL;
    char text[256];
    assert_int_equal(lock_take(path, &l, &e), WEFT_OK);
    assert_int_equal(unlink(sample_path("r.h5.lock")), 0);
    assert_false(lock_holder(path, text, sizeof text));
    assert_int_equal(lock_touch(l, &e), WEFT_OK);
    assert_true(lock_holder(path, text, sizeof text));
    assert_int_equal(lock_take(path, &second, &e), WEFT_ERR_BUSY);
    assert_int_equal(unlink(sample_path("r.h5.lock")), 0);
    assert_int_equal(lock_take(path, &second, &e), WEFT_OK);
    assert_int_equal(lock_touch(l, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "another run"));
    lock_release(l);
    assert_true(sample_exists(sample_path("r.h5.lock")));
    lock_release(second);
    assert_false(sample_exists(sample_path("r.h5.lock")));
}

static void test_no_folder(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    lock *l = NULL;
    assert_int_equal(lock_take(sample_path("none/a.h5"), &l, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "none/a.h5.lock"));
    char *path = malloc(5000);
    memset(path, 'x', 4999);
    path[4999] = '\0';
    assert_int_equal(lock_take(path, &l, &e), WEFT_ERR_USAGE);
    assert_null(l);
    char text[8];
    assert_false(lock_holder(path, text, sizeof text));
    free(path);
}

/* Of many that want it at a time, never two have it. */
static void test_never_two_at_a_time(void **state)
{
    (void)state;
    enum { CHILDREN = 4, ROUNDS = 200 };
    const char *path = sample_path("d.h5");
    const char *inside = sample_path("d.inside");
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            (void)alarm(LIMIT_S);
            for (int round = 0; round < ROUNDS; round++) {
                error e = {.status = WEFT_OK};
                lock *l = NULL;
                if (lock_take(path, &l, &e) != WEFT_OK) {
                    continue;
                }
                const int fd = open(inside, O_CREAT | O_EXCL | O_WRONLY, 0666);
                if (fd < 0 || unlink(inside) != 0) {
                    _exit(1);
                }
                (void)close(fd);
                lock_release(l);
            }
            _exit(0);
        }
    }
    int failed = 0;
    for (int i = 0; i < CHILDREN; i++) {
        int status = -1;
        (void)waitpid(children[i], &status, 0);
        failed += status != 0;
    }
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_and_release),
        cmocka_unit_test(test_second_taker_is_refused),
        cmocka_unit_test(test_lock_of_another_process),
        cmocka_unit_test(test_leftovers_of_any_content),
        cmocka_unit_test(test_foreign_content),
        cmocka_unit_test(test_removed_under_its_holder),
        cmocka_unit_test(test_no_folder),
        cmocka_unit_test(test_never_two_at_a_time),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
