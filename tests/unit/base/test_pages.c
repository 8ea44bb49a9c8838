/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests large arrays: that they are zeroed, and where the system has large pages, in these;
 * and memory that the system provides beforehand. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pages.h"
#include "base/sanitized.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { SMALL = 1000, MIDDLE = (1 << 20) + 5, LARGE = (64 << 20) + 5 };

static void test_zeroed_and_all_there(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, SMALL, MIDDLE, LARGE};
    for (int i = 0; i < 4; i++) {
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

/* Whether the system provides many pages at once; a sanitizer has more of its own. */
static bool populates(void)
{
    bool populated = false;
#ifdef MADV_POPULATE_WRITE
    char *memory = aligned_alloc(4096, MIDDLE / 4096 * 4096);
    populated = memory != NULL && madvise(memory, 4096, MADV_POPULATE_WRITE) == 0;
    free(memory);
#endif
    return populated && !SANITIZED_MEMORY;
}

static long count_faults_of(unsigned char *memory, size_t bytes)
{
    const long before = count_faults();
    for (size_t at = 0; at < bytes; at += 4096) {
        memory[at]++;
    }
    return count_faults() - before;
}

/* What the memory held stays, and what is written then costs no fault. */
static void test_populated(void **state)
{
    (void)state;
    enum { PAGES = MIDDLE / 4096 };
    if (!populates()) {
        skip();
    }
    unsigned char *memory = malloc(MIDDLE);
    assert_non_null(memory);
    memory[1] = 7;
    memory[MIDDLE - 1] = 8;
    pages_populate(memory + 1, MIDDLE - 1);
    pages_populate(memory, 0);
    assert_int_equal(memory[1], 7);
    assert_int_equal(memory[MIDDLE - 1], 8);
    assert_in_range(count_faults_of(memory, MIDDLE), 0, PAGES / 8);
    free(memory);
    memory = pages_create(MIDDLE);
    assert_non_null(memory);
    assert_in_range(count_faults_of(memory, MIDDLE), 0, PAGES / 8);
    pages_destroy(memory, MIDDLE);
}

/* Pieces of the heap that are had after that are there: of any size up to that, several times. */
static void test_populated_heap(void **state)
{
    (void)state;
    enum { PIECES = 64, BYTES = MIDDLE / PIECES - 64 };
    if (!populates()) {
        skip();
    }
    pages_populate_heap(MIDDLE);
    for (int round = 0; round < 2; round++) {
        unsigned char *piece[PIECES];
        long faults = 0;
        for (int i = 0; i < PIECES; i++) {
            piece[i] = malloc(BYTES);
            assert_non_null(piece[i]);
            faults += count_faults_of(piece[i], BYTES);
        }
        assert_in_range(faults, 0, MIDDLE / 4096 / 4);
        for (int i = 0; i < PIECES; i++) {
            free(piece[i]);
        }
        unsigned char *whole = malloc(MIDDLE / 2);
        assert_non_null(whole);
        assert_in_range(count_faults_of(whole, MIDDLE / 2), 0, MIDDLE / 4096 / 4);
        free(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_all_there), cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_touched_at_once), cmocka_unit_test(test_populated),
        cmocka_unit_test(test_populated_heap)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
