/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the leases in the file: who asks for one finds it there, whatever becomes of the process.
 */
#include "store/sample_result.h"

#include "store/lease_table.h"

#include <signal.h>
#include <sys/wait.h>

enum { TILES = 10000, OFFSET = 100 };

static int make_file(const char *path)
{
    const int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0666);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, OFFSET + TILES), 0);
    return fd;
}

static lease_table *open_table(int fd, const char *path, int64_t offset)
{
    error e = {.status = WEFT_OK};
    lease_table *l = NULL;
    assert_int_equal(lease_table_open(fd, path, offset, false, TILES, &l, &e), WEFT_OK);
    return l;
}

static void set(lease_table *l, int64_t first, int64_t tiles, bool leased)
{
    error e = {.status = WEFT_OK};
    assert_int_equal(lease_table_set(l, first, tiles, leased, &e), WEFT_OK);
}

static void check_file(const char *path, const bool leased[])
{
    size_t count = 0;
    unsigned char *bytes = sample_read(path, &count);
    assert_int_equal(count, OFFSET + TILES);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(bytes[i], i >= OFFSET && leased[i - OFFSET]);
    }
    free(bytes);
}

/* Whatever is leased and freed, in whatever runs: the file and the next process agree. */
static void test_the_file_follows(void **state)
{
    (void)state;
    static bool leased[TILES];
    const char *path = sample_path("leases");
    const int fd = make_file(path);
    error e = {.status = WEFT_OK};
    uint32_t seed = 1;
    for (int round = 0; round < 20; round++) {
        lease_table *l = open_table(fd, path, OFFSET);
        for (int i = 0; i < 100; i++) {
            seed = seed * 1664525u + 1013904223u;
            const int64_t first = seed / 16 % TILES;
            const int64_t tiles = seed / 1024 % 300;
            const bool now = seed % 8 < 5;
            for (int64_t tile = first; tile < TILES && tile < first + tiles; tile++) {
                leased[tile] = now;
            }
            set(l, first, first + tiles > TILES ? TILES - first : tiles, now);
        }
        assert_int_equal(lease_table_wait(l, &e), WEFT_OK);
        assert_true(lease_table_idle(l) && lease_table_written(l, lease_table_asked(l)));
        for (int64_t tile = 0; tile < TILES; tile++) {
            assert_int_equal(lease_table_holds(l, tile), leased[tile]);
        }
        check_file(path, leased);
        lease_table_close(l);
    }
    lease_table_close(NULL);
    assert_int_equal(close(fd), 0);
}

static void test_what_is_so_already_costs_nothing(void **state)
{
    (void)state;
    const char *path = sample_path("again");
    const int fd = make_file(path);
    lease_table *l = open_table(fd, path, OFFSET);
    set(l, 10, 20, true);
    assert_int_equal(lease_table_asked(l), 1);
    set(l, 12, 18, true);
    set(l, 40, 5, false);
    set(l, 3, 0, true);
    assert_int_equal(lease_table_asked(l), 1);
    set(l, 5, 10, true);
    assert_int_equal(lease_table_asked(l), 2);
    lease_table_close(l);
    assert_int_equal(close(fd), 0);
}

/* A child that is killed the moment it hands something out. */
static void lease_and_die(int fd, const char *path, int64_t tile)
{
    lease_table *l = open_table(fd, path, OFFSET);
    set(l, tile, 3, true);
    const int64_t asked = lease_table_asked(l);
    set(l, tile + 100, 3, true);
    while (!lease_table_written(l, asked)) {
    }
    (void)kill(getpid(), SIGKILL);
}

static void test_what_is_written_outlasts_a_kill(void **state)
{
    (void)state;
    const char *path = sample_path("killed");
    const int fd = make_file(path);
    for (int64_t tile = 0; tile < 100; tile += 5) {
        const pid_t pid = fork();
        if (pid == 0) {
            lease_and_die(fd, path, tile);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        lease_table *l = open_table(fd, path, OFFSET);
        for (int64_t i = 0; i < 100; i++) {
            assert_int_equal(lease_table_holds(l, i), i < tile + 5 && i % 5 < 3);
        }
        lease_table_close(l);
    }
    assert_int_equal(close(fd), 0);
}

/* What could not be written never counts as written, and everybody learns of it. */
static void test_failure(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    const char *path = sample_path("read-only");
    assert_int_equal(close(make_file(path)), 0);
    const int fd = open(path, O_RDONLY);
    lease_table *l = open_table(fd, path, OFFSET);
    set(l, 0, 1, true);
    assert_int_equal(lease_table_wait(l, &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "read-only"));
    assert_true(lease_table_idle(l));
    assert_false(lease_table_written(l, lease_table_asked(l)));
    assert_int_equal(lease_table_status(l, &e), WEFT_ERR_SYSTEM);
    assert_int_equal(lease_table_set(l, 5, 1, true, &e), WEFT_ERR_SYSTEM);
    lease_table_close(l);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_file_follows),
        cmocka_unit_test(test_what_is_so_already_costs_nothing),
        cmocka_unit_test(test_what_is_written_outlasts_a_kill),
        cmocka_unit_test(test_failure),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
