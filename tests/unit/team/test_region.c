/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the threads of a team: how many there are, what regions they open, how large their stacks
 * are, and that one that hangs is left alone. What they find is asserted outside. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/thread.h"
#include "host/host.h"
#include "host/slice.h"
#include "host/stack.h"
#include "team/region.h"

#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 3 };
static const int64_t patience_ns = INT64_C(600000000000);

typedef struct look {
    region *region;
    const region_icv *icv; /* NULL: what the region gives */
    atomic_int calls[MOST];
    int inner[MOST];   /* as is said … */
    int counted[MOST]; /* … and as it comes out */
    bool other[MOST];
    int64_t stack[MOST];
    uint64_t slice[MOST];
    atomic_bool go; /* the threads may look … */
    atomic_bool end;
    atomic_int looked;
} look;

static int count_inner(void)
{
    int count = 0;
#pragma omp parallel default(none) reduction(+ : count)
    count++;
    return count;
}

static void await(const atomic_bool *flag)
{
    const int64_t until_ns = clock_now_ns() + patience_ns;
    while (!atomic_load(flag) && clock_now_ns() < until_ns) {
        clock_sleep_ns(100000);
    }
}

static void look_around(void *context, int number)
{
    look *l = context;
    await(&l->go);
    if (l->icv != NULL) {
        region_icv_set(l->region, l->icv);
    }
    atomic_fetch_add(&l->calls[number], 1);
    l->other[number] = !thread_drives();
    l->inner[number] = region_inner_threads();
    l->counted[number] = count_inner();
    l->stack[number] = stack_bytes();
    l->slice[number] = slice_ns();
    atomic_fetch_add(&l->looked, 1);
    await(&l->end);
}

static void open_region(look *l, int threads)
{
    error e = {.status = WEFT_OK};
    region_icv icv;
    region_icv_get(&icv);
    assert_int_equal(region_open(threads, &icv, look_around, l, &l->region, &e), WEFT_OK);
}

static void let_look(look *l, int threads)
{
    atomic_store(&l->go, true);
    const int64_t until_ns = clock_now_ns() + patience_ns;
    while (atomic_load(&l->looked) < threads && clock_now_ns() < until_ns) {
        clock_sleep_ns(100000);
    }
}

static void close_region(look *l)
{
    atomic_store(&l->end, true);
    assert_true(region_close(l->region, patience_ns));
}

/* Besides, the main thread has regions of its own, of the size that it likes. */
static void test_threads(void **state)
{
    (void)state;
    for (int threads = 1; threads <= MOST; threads++) {
        look l = {.region = NULL};
        open_region(&l, threads);
        let_look(&l, threads);
        omp_set_num_threads(4);
        assert_int_equal(count_inner(), 4);
        assert_true(thread_drives());
        close_region(&l);
        for (int i = 0; i < MOST; i++) {
            assert_int_equal(atomic_load(&l.calls[i]), i < threads);
            assert_true(i >= threads || (l.other[i] && l.inner[i] == 1 && l.counted[i] == 1));
        }
    }
}

/* An agent's shares of a core are short, those of the threads that it has begin are not. */
static void test_slices(void **state)
{
    (void)state;
    const uint64_t usual_ns = slice_ns();
    look l = {.region = NULL};
    host_shorten_slice();
    open_region(&l, MOST);
    let_look(&l, MOST);
    close_region(&l);
    host_restore_slice();
    for (int i = 0; i < MOST; i++) {
        assert_int_equal(l.slice[i], usual_ns);
    }
}

/* The main thread's wishes for regions hold within the workers', also if it has them later, and
 * regions of one thread are no exception. */
static void test_inner_regions(void **state)
{
    (void)state;
    const int levels = omp_get_max_active_levels();
    for (int threads = 1; threads <= MOST; threads++) {
        for (int later = 0; later < 2; later++) {
            look l = {.region = NULL};
            region_icv icv;
            omp_set_num_threads(2);
            if (later == 0) {
                omp_set_max_active_levels(2);
                omp_set_num_threads(5);
            }
            open_region(&l, threads);
            omp_set_max_active_levels(2);
            omp_set_num_threads(5);
            region_icv_get(&icv);
            l.icv = &icv;
            let_look(&l, threads);
            close_region(&l);
            omp_set_max_active_levels(levels);
            for (int i = 0; i < threads; i++) {
                assert_int_equal(l.inner[i], 5);
                assert_int_equal(l.counted[i], 5);
            }
        }
    }
}

/* One that does not return is left alone. */
static void test_hanging_thread(void **state)
{
    (void)state;
    static look l; /* the threads use it to the end of the process */
    open_region(&l, 2);
    assert_false(region_close(l.region, 20000000));
}

/* In a process of its own, since OpenMP reads the variable when it begins: 0 if all threads have
 * stacks of that size. */
static int look_at_stacks(int64_t bytes)
{
    error e = {.status = WEFT_OK};
    look l = {.region = NULL};
    region_icv icv;
    region_icv_get(&icv);
    if (region_open(MOST, &icv, look_around, &l, &l.region, &e) != WEFT_OK) {
        return 2;
    }
    let_look(&l, MOST);
    atomic_store(&l.end, true);
    bool same = region_close(l.region, patience_ns);
    for (int i = 0; i < MOST; i++) {
        /* OpenMP, or a sanitizer, may add some. */
        same = same && l.stack[i] >= bytes && l.stack[i] < bytes + bytes / 4;
    }
    return same ? 0 : 1;
}

static void test_stacks(void **state)
{
    (void)state;
    static const struct {
        const char *size;
        const char *bytes;
    } sizes[] = {{"24M", "25165824"}, {" 3000 k ", "3072000"}, {"5000", "5120000"}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int status = 0;
        const pid_t pid = fork();
        if (pid == 0) {
            (void)setenv("OMP_STACKSIZE", sizes[i].size, 1);
            (void)execl("/proc/self/exe", "test_region", sizes[i].bytes, (char *)NULL);
            _exit(3);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_inner_regions),  cmocka_unit_test(test_stacks),
        cmocka_unit_test(test_hanging_thread),
    };
    return argc > 1 ? look_at_stacks(strtoll(argv[1], NULL, 10))
                    : cmocka_run_group_tests(tests, NULL, NULL);
}
