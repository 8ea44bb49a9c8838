/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is read of made-up control groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/cgroup.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];
static char groups[128];

static int make_root(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/weft-quota-XXXXXX");
    const char *made = mkdtemp(root);
    (void)snprintf(groups, sizeof groups, "%s/groups", root);
    return made == NULL ? -1 : 0;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static void put(const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void make(const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

static cgroup_quota find(const char *text)
{
    cgroup_quota q;
    put("groups", text);
    cgroup_find_quota(groups, root, &q);
    return q;
}

static void expect(const char *text, double cores)
{
    assert_true(fabs(find(text).cores - cores) < 1e-9);
}

static void test_version_2(void **state)
{
    (void)state;
    make("job");
    make("job/step");
    expect("0::/job/step\n", 0);
    put("job/step/cpu.max", "max 100000\n");
    expect("0::/job/step\n", 0);
    put("job/step/cpu.max", "150000 100000\n");
    expect("0::/job/step\n", 1.5);
    const uint64_t step = find("0::/job/step\n").group;
    /* The tighter one of the whole path. */
    put("job/cpu.max", "400000 100000\n");
    expect("0::/job/step\n", 1.5);
    expect("0::/job\n", 4);
    put("job/cpu.max", "50000 100000\n");
    expect("0::/job/step\n", 0.5);
    assert_true(find("0::/job/step\n").group != step);
    assert_true(find("0::/job/step\n").group == find("0::/job\n").group);
    /* A container's root may hold its quota, and the path be the host's. */
    put("cpu.max", "20000 100000\n");
    expect("0::/not/here\n", 0.2);
    expect("0::/\n", 0.2);
    put("cpu.max", "max 100000\n");
}

static void test_version_1(void **state)
{
    (void)state;
    make("cpu,cpuacct");
    make("cpu,cpuacct/one");
    put("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    put("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    put("cpu,cpuacct/one/cpu.cfs_quota_us", "250000\n");
    put("cpu,cpuacct/one/cpu.cfs_period_us", "100000\n");
    const char *all = "5:memory:/one\n4:cpuset:/one\n3:cpu,cpuacct:/one\n1:name=systemd:/one\n";
    expect(all, 2.5);
    expect("3:cpuacct,cpu:/one\n", 0);
    make("cpu");
    make("cpu/one");
    put("cpu/one/cpu.cfs_quota_us", "50000\n");
    put("cpu/one/cpu.cfs_period_us", "100000\n");
    expect("3:cpuacct,cpu:/one\n", 0.5);
    expect("7:cpuset:/one\n", 0);
}

static void test_nonsense(void **state)
{
    (void)state;
    cgroup_quota q = {.cores = 7};
    cgroup_find_quota("/nothing/here", root, &q);
    assert_true(q.cores == 0);
    expect("\n::\n0\n:::::\n", 0);
    make("odd");
    put("odd/cpu.max", "many\n");
    expect("0::/odd\n", 0);
    put("odd/cpu.max", "1000 0\n");
    expect("0::/odd\n", 0);
    /* The real ones, whatever they are. */
    cgroup_find_quota("/proc/self/cgroup", "/sys/fs/cgroup", &q);
    assert_true(q.cores >= 0);
}

static int64_t kills_in(const char *text)
{
    char path[] = "/tmp/weft-memory-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "%s", text) >= 0);
    const int64_t kills = cgroup_memory_kills_in(path);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    return kills;
}

static void test_memory_kills(void **state)
{
    (void)state;
    assert_int_equal(kills_in("low 0\nhigh 3\nmax 9\noom 7\noom_kill 5\noom_group_kill 2\n"), 5);
    assert_int_equal(kills_in("nr_free_pages 4\noom_kill 0\npgfault 12\n"), 0);
    assert_int_equal(kills_in("low 0\noom 7\n"), -1);
    assert_int_equal(kills_in(""), -1);
    assert_int_equal(kills_in("oom_kill 18446744073709551614\n"), -1);
    assert_int_equal(cgroup_memory_kills_in("/nowhere/at/all"), -1);
    assert_true(cgroup_memory_kills() >= -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_memory_kills),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
