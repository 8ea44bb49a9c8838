/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is read from markers, as host/outcome_file.c writes them. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/host.h"
#include "host/outcome_file.h"
#include "launch/outcome.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static hosts on;

static int make_folder(void **state)
{
    (void)state;
    char path[96];
    error e;
    (void)snprintf(folder, sizeof folder, "outcome.XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/" OUTCOME_FILE, folder);
    (void)setenv(OUTCOME_VARIABLE, path, 1);
    memset(&on, 0, sizeof on);
    (void)hosts_read_list(&on, "a.domain,b", &e);
    hosts_share(&on, 3);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    hosts_free(&on);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY);
    DIR *entries = fdopendir(fd);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (unlinkat(fd, entry->d_name, 0) != 0) {
            (void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
        }
    }
    (void)closedir(entries);
    return rmdir(folder);
}

static evidence look(void)
{
    evidence e;
    verdict_clear(&e);
    outcome_read(folder, &on, &e);
    return e;
}

static void test_nothing_yet(void **state)
{
    (void)state;
    const evidence e = look();
    assert_false(e.word.there || e.alone.there || e.begun || e.rank_0.there || e.host_lost);
    assert_false(e.rank_0_gone || e.nobody_left);
    assert_int_equal(e.failed_rank, -1);
    assert_int_equal(e.killed_rank, -1);
}

static void test_words(void **state)
{
    (void)state;
    outcome_file_mark(OUTCOME_BEGUN, "");
    outcome_file_mark_status("", "", 3);
    outcome_file_mark_status(OUTCOME_ALONE, "", 75);
    evidence e = look();
    assert_true(e.begun && e.word.there && e.alone.there);
    assert_int_equal(e.word.status, 3);
    assert_int_equal(e.alone.status, 75);
    outcome_file_mark_status("", "", 0);
    e = look();
    assert_int_equal(e.word.status, 0);
}

static void test_ranks(void **state)
{
    (void)state;
    outcome_file_mark_status(OUTCOME_RANK, "2", 139);
    outcome_file_mark_status(OUTCOME_RANK, "1", 143);
    evidence e = look();
    assert_false(e.rank_0_gone || e.nobody_left);
    assert_int_equal(e.failed_rank, 2);
    assert_int_equal(e.failed_status, 139);
    assert_int_equal(e.killed_rank, 1);
    assert_int_equal(e.killed_status, 143);
    outcome_file_mark_status(OUTCOME_RANK, "0", 137);
    e = look();
    assert_true(e.rank_0_gone && e.nobody_left);
    assert_int_equal(e.rank_0.status, 137);
    assert_int_equal(e.killed_rank, 0);
}

static void count(int at, const char *entry, void *context)
{
    const char *host = outcome_daemon_of(entry);
    (void)at;
    assert_true(host == NULL || strcmp(host, "b") == 0);
    *(int *)context += host != NULL;
}

static void test_hosts(void **state)
{
    (void)state;
    int daemons = 0;
    outcome_file_mark(OUTCOME_DAEMON, "b");
    outcome_file_mark(OUTCOME_LEFT, "b");
    evidence e = look();
    assert_false(e.host_lost || e.rank_0_gone || e.nobody_left);
    host_visit_folder(AT_FDCWD, folder, count, &daemons);
    assert_int_equal(daemons, 1);
    outcome_file_unmark(OUTCOME_DAEMON, "b");
    host_visit_folder(AT_FDCWD, folder, count, &daemons);
    assert_int_equal(daemons, 1);
    outcome_file_mark(OUTCOME_LOST, "a"); /* Open MPI leaves the domains out */
    e = look();
    assert_true(e.host_lost && e.rank_0_gone && e.nobody_left);
}

/* As by somebody else, or on a full disk. */
static void test_odd_markers(void **state)
{
    (void)state;
    char path[96];
    (void)snprintf(path, sizeof path, "%s/" OUTCOME_FILE OUTCOME_RANK "0", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    outcome_file_mark("", "");
    outcome_file_mark(OUTCOME_RANK, "x");
    outcome_file_mark(OUTCOME_RANK, "77");
    evidence e = look();
    assert_true(e.word.there && e.rank_0.there && e.rank_0_gone);
    assert_int_equal(e.word.status, -1);
    assert_int_equal(e.rank_0.status, -1);
    assert_int_equal(e.failed_rank, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_yet), TEST(test_words),       TEST(test_ranks),
        TEST(test_hosts),       TEST(test_odd_markers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
