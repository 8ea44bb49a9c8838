/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests large arrays: that they are zeroed, and where the system has large pages, in these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pages.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { SMALL = 1000, LARGE = (64 << 20) + 5 };

static void test_zeroed_and_all_there(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, SMALL, LARGE};
    for (int i = 0; i < 3; i++) {
        for (int round = 0; round < 2; round++) {
            unsigned char *memory = pages_create(sizes[i]);
            assert_non_null(memory);
            for (size_t at = 0; at < sizes[i]; at += 1 + sizes[i] / SMALL) {
                assert_int_equal(memory[at], 0);
            }
            memset(memory, 0x55, sizes[i]);
            assert_int_equal(memory[sizes[i] - 1], 0x55);
            pages_destroy(memory, sizes[i]);
        }
    }
    pages_destroy(NULL, SMALL);
    pages_destroy(NULL, LARGE);
}

static void test_without_memory(void **state)
{
    (void)state;
    assert_null(pages_create(SIZE_MAX / 2));
}

/* Whether the system gives large pages to who asks for them. */
static bool has_large_pages(void)
{
    char text[64] = "";
    FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    if (file != NULL) {
        (void)fgets(text, sizeof text, file);
        (void)fclose(file);
    }
    return strstr(text, "[never]") == NULL && text[0] != '\0';
}

static long count_faults(void)
{
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
    return used.ru_minflt;
}

/* Free memory may be in pieces: one of several tries has large pages in the half of it. */
static void test_touched_at_once(void **state)
{
    (void)state;
    if (!has_large_pages()) {
        skip();
    }
    long least = LARGE;
    for (int round = 0; round < 5; round++) {
        unsigned char *memory = pages_create(LARGE);
        assert_non_null(memory);
        const long before = count_faults();
        memset(memory, 1, LARGE);
        const long faults = count_faults() - before;
        least = faults < least ? faults : least;
        pages_destroy(memory, LARGE);
    }
    assert_in_range(least, 1, LARGE / 4096 / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_zeroed_and_all_there),
                                       cmocka_unit_test(test_without_memory),
                                       cmocka_unit_test(test_touched_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
