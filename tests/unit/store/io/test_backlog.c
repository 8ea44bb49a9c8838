/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the writing thread: everything in its order, nobody waits, and nothing after a failure. */
#include "store/folder.h"

#include "base/clock.h"
#include "store/io/backlog.h"

#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { WRITES = 3000 };

/* What calls of the thread leave behind. */
typedef struct gate {
    atomic_bool open;
    atomic_bool reached;
    atomic_int passed;
    bool fails;
    int fd;
    char seen; /* in the file when the call came */
} gate;

static weft_status wait_at_gate(void *context, error *e)
{
    gate *g = context;
    atomic_store(&g->reached, true);
    while (!atomic_load(&g->open)) {
        clock_sleep_ns(1000000);
    }
    atomic_fetch_add(&g->passed, 1);
    if (g->fails) {
        return error_set(e, WEFT_ERR_SYSTEM, "the gate fails");
    }
    return pread(g->fd, &g->seen, 1, 0) < 0 ? WEFT_ERR_SYSTEM : WEFT_OK;
}

static weft_status refuse(void *context, error *e)
{
    atomic_fetch_add((atomic_int *)context, 1);
    return error_set(e, WEFT_ERR_NO_SPACE, "refused");
}

static int open_file(const char *name)
{
    const int fd = open(sample_path(name), O_RDWR | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    return fd;
}

static backlog *make_backlog(int fd)
{
    error e = {.status = WEFT_OK};
    backlog *b = NULL;
    assert_int_equal(backlog_create(fd, "a file", &b, &e), WEFT_OK);
    assert_true(backlog_idle(b));
    return b;
}

static void test_everything_is_written(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const int fd = open_file("all");
    backlog *b = make_backlog(fd);
    for (int64_t i = 0; i < WRITES; i++) {
        assert_int_equal(backlog_write(b, 8 * i, &i, sizeof i, &e), WEFT_OK);
    }
    assert_int_equal(backlog_wait(b, &e), WEFT_OK);
    assert_true(backlog_idle(b));
    for (int64_t i = 0; i < WRITES; i++) {
        int64_t got = -1;
        assert_int_equal(pread(fd, &got, sizeof got, 8 * i), sizeof got);
        assert_int_equal(got, i);
    }
    backlog_destroy(b);
    backlog_destroy(NULL);
    (void)close(fd);
}

/* Who asks does not wait, has its bytes back at once, and finds them written in its order. */
static void test_order(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const int fd = open_file("order");
    backlog *b = make_backlog(fd);
    gate g = {.fd = fd};
    char byte = 'a';
    assert_int_equal(backlog_write(b, 0, &byte, 1, &e), WEFT_OK);
    assert_int_equal(backlog_call(b, wait_at_gate, &g, &e), WEFT_OK);
    byte = 'b';
    assert_int_equal(backlog_write(b, 0, &byte, 1, &e), WEFT_OK);
    byte = 'c';
    assert_false(backlog_idle(b));
    assert_int_equal(backlog_status(b, &e), WEFT_OK);
    assert_int_equal(atomic_load(&g.passed), 0);
    atomic_store(&g.open, true);
    /* What has been asked for is done also at the end. */
    backlog_destroy(b);
    assert_int_equal(atomic_load(&g.passed), 1);
    assert_int_equal(g.seen, 'a');
    assert_int_equal(pread(fd, &byte, 1, 0), 1);
    assert_int_equal(byte, 'b');
    (void)close(fd);
}

static void release(void *memory)
{
    atomic_fetch_add((atomic_int *)memory, 1);
}

/* Bytes that are kept are written as they are when their turn comes, and released once, after that;
 * also those that come after a failure, but not those that nobody has taken. */
static void test_kept_bytes(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const int fd = open_file("kept");
    backlog *b = make_backlog(fd);
    gate g = {.fd = fd};
    atomic_int released[3] = {0};
    atomic_int refused = 0;
    char byte = 'a';
    assert_int_equal(backlog_call(b, wait_at_gate, &g, &e), WEFT_OK);
    assert_int_equal(backlog_write_kept(b, 0, &byte, 1, release, &released[0], &e), WEFT_OK);
    assert_int_equal(backlog_call(b, refuse, &refused, &e), WEFT_OK);
    assert_int_equal(backlog_write_kept(b, 1, &byte, 1, release, &released[1], &e), WEFT_OK);
    byte = 'b';
    assert_int_equal(atomic_load(&released[0]), 0);
    atomic_store(&g.open, true);
    assert_int_equal(backlog_wait(b, &e), WEFT_ERR_NO_SPACE);
    assert_int_equal(backlog_write_kept(b, 2, &byte, 1, release, &released[2], &e),
                     WEFT_ERR_NO_SPACE);
    backlog_destroy(b);
    assert_int_equal(atomic_load(&released[0]), 1);
    assert_int_equal(atomic_load(&released[1]), 1);
    assert_int_equal(atomic_load(&released[2]), 0);
    char got[3];
    assert_int_equal(pread(fd, got, sizeof got, 0), 1);
    assert_int_equal(got[0], 'b');
    (void)close(fd);
}

/* Kept bytes are written together where they lie one behind the other: everywhere else, too, each
 * is where it belongs, in its order, and released once. */
static void test_kept_bytes_together(void **state)
{
    (void)state;
    static const int64_t offset[] = {4, 5, 6, 0, 1, 9, 9, 10, 4, 11};
    static const char bytes[] = "abcdefghij";
    enum { COUNT = sizeof offset / sizeof offset[0] };
    error e = {.status = WEFT_OK};
    const int fd = open_file("together");
    backlog *b = make_backlog(fd);
    gate g = {.fd = fd};
    atomic_int released[COUNT] = {0};
    assert_int_equal(backlog_call(b, wait_at_gate, &g, &e), WEFT_OK);
    for (int i = 0; i < COUNT; i++) {
        if (i == 7) {
            assert_int_equal(backlog_write(b, 5, "x", 1, &e), WEFT_OK);
        }
        assert_int_equal(backlog_write_kept(b, offset[i], bytes + i, 1, release, &released[i], &e),
                         WEFT_OK);
    }
    atomic_store(&g.open, true);
    assert_int_equal(backlog_wait(b, &e), WEFT_OK);
    assert_int_equal(backlog_done(b), COUNT + 2);
    backlog_destroy(b);
    char got[12] = {0};
    assert_int_equal(pread(fd, got, sizeof got, 0), sizeof got);
    assert_memory_equal(got, "de\0\0ixc\0\0ghj", sizeof got);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(atomic_load(&released[i]), 1);
    }
    (void)close(fd);
}

static void await_count(atomic_int *count, int least)
{
    while (atomic_load(count) < least) {
        clock_sleep_ns(1000000);
    }
}

/* More than a write takes at once, while they come one by one, and one after a while: all of them
 * arrive, also where nobody waits for them. */
static void test_many_kept_bytes(void **state)
{
    (void)state;
    static int64_t number[WRITES];
    error e = {.status = WEFT_OK};
    const int fd = open_file("many");
    backlog *b = make_backlog(fd);
    atomic_int released = 0;
    for (int64_t i = 0; i < WRITES; i++) {
        number[i] = i;
        assert_int_equal(
            backlog_write_kept(b, 8 * i, &number[i], sizeof number[i], release, &released, &e),
            WEFT_OK);
        if (i == WRITES - 2) {
            await_count(&released, WRITES - 1);
        }
    }
    await_count(&released, WRITES);
    for (int64_t i = 0; i < WRITES; i++) {
        int64_t got = -1;
        assert_int_equal(pread(fd, &got, sizeof got, 8 * i), sizeof got);
        assert_int_equal(got, i);
    }
    assert_int_equal(backlog_wait(b, &e), WEFT_OK);
    backlog_destroy(b);
    (void)close(fd);
}

/* Where some of them cannot be written, it is said of which, and all are released. */
static void test_failing_kept_bytes(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    (void)close(open_file("read-only-kept"));
    const int fd = open(sample_path("read-only-kept"), O_RDONLY);
    backlog *b = make_backlog(fd);
    gate g = {.fd = fd};
    atomic_int released[3] = {0};
    assert_int_equal(backlog_call(b, wait_at_gate, &g, &e), WEFT_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(backlog_write_kept(b, i, &"abc"[i], 1, release, &released[i], &e),
                         WEFT_OK);
    }
    atomic_store(&g.open, true);
    assert_int_equal(backlog_wait(b, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "cannot write 1 bytes at 0 of a file"));
    backlog_destroy(b);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(atomic_load(&released[i]), 1);
    }
    (void)close(fd);
}

static void test_nothing_after_a_failure(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const int fd = open_file("failure");
    backlog *b = make_backlog(fd);
    gate g = {.fd = fd};
    atomic_int refused = 0;
    assert_int_equal(backlog_call(b, wait_at_gate, &g, &e), WEFT_OK);
    assert_int_equal(backlog_call(b, refuse, &refused, &e), WEFT_OK);
    assert_int_equal(backlog_write(b, 0, "x", 1, &e), WEFT_OK);
    assert_int_equal(backlog_call(b, refuse, &refused, &e), WEFT_OK);
    atomic_store(&g.open, true);
    assert_int_equal(backlog_wait(b, &e), WEFT_ERR_NO_SPACE);
    assert_string_equal(e.text, "refused");
    assert_int_equal(atomic_load(&refused), 1);
    error_clear(&e);
    assert_int_equal(backlog_write(b, 0, "x", 1, &e), WEFT_ERR_NO_SPACE);
    assert_string_equal(e.text, "refused");
    assert_int_equal(backlog_call(b, refuse, &refused, &e), WEFT_ERR_NO_SPACE);
    assert_int_equal(backlog_status(b, &e), WEFT_ERR_NO_SPACE);
    assert_true(backlog_idle(b));
    backlog_destroy(b);
    struct stat file;
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_size, 0);
    assert_int_equal(atomic_load(&refused), 1);
    (void)close(fd);
}

/* Also of what was asked for while the failure was on its way. */
static void test_nothing_during_a_failure(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const int fd = open_file("during");
    backlog *b = make_backlog(fd);
    gate g = {.fd = fd, .fails = true};
    struct stat file;
    assert_int_equal(backlog_call(b, wait_at_gate, &g, &e), WEFT_OK);
    while (!atomic_load(&g.reached)) {
        clock_sleep_ns(1000000);
    }
    assert_int_equal(backlog_write(b, 0, "x", 1, &e), WEFT_OK);
    atomic_store(&g.open, true);
    assert_int_equal(backlog_wait(b, &e), WEFT_ERR_SYSTEM);
    assert_string_equal(e.text, "the gate fails");
    backlog_destroy(b);
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_size, 0);
    (void)close(fd);
}

static void test_failing_write(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    (void)close(open_file("read-only"));
    const int fd = open(sample_path("read-only"), O_RDONLY);
    backlog *b = make_backlog(fd);
    assert_int_equal(backlog_write(b, 0, "x", 1, &e), WEFT_OK);
    assert_int_equal(backlog_wait(b, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "a file"));
    backlog_destroy(b);
    (void)close(fd);
}

/* With no right to any thread more; the super-user always has it, and becomes somebody else. */
static bool says_what_is_lacking(void)
{
    const struct rlimit none = {.rlim_cur = 0};
    error e = {.status = WEFT_OK};
    backlog *b = NULL;
    return (geteuid() != 0 || setuid(65534) == 0) && setrlimit(RLIMIT_NPROC, &none) == 0 &&
           backlog_create(-1, "a file", &b, &e) == WEFT_ERR_SYSTEM &&
           strstr(e.text, "ulimit -u") != NULL;
}

static void test_no_more_threads(void **state)
{
    (void)state;
    int status = -1;
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(says_what_is_lacking() ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_written),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_kept_bytes),
        cmocka_unit_test(test_kept_bytes_together),
        cmocka_unit_test(test_many_kept_bytes),
        cmocka_unit_test(test_failing_kept_bytes),
        cmocka_unit_test(test_nothing_after_a_failure),
        cmocka_unit_test(test_nothing_during_a_failure),
        cmocka_unit_test(test_failing_write),
        cmocka_unit_test(test_no_more_threads),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
