/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the pool: a piece is nobody else's while it has users, and is used again afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static pool *open_pool(void)
{
    error e = {.status = WEFT_OK};
    pool *p = NULL;
    assert_int_equal(pool_create(&p, &e), WEFT_OK);
    return p;
}

static void test_pieces_are_used_again(void **state)
{
    (void)state;
    pool *p = open_pool();
    void *first = pool_take(p, 1000);
    void *second = pool_take(p, 2000);
    assert_true(first != NULL && second != NULL && first != second);
    assert_int_equal((uintptr_t)first % _Alignof(max_align_t), 0);
    assert_true(pool_room(first) >= 1000 && pool_room(second) >= 2000);
    pool_give(first);
    pool_give(second);
    assert_ptr_equal(pool_take(p, 1500), second);
    void *third = pool_take(p, 1500);
    assert_true(third != first && third != second);
    assert_ptr_equal(pool_take(p, 1), first);
    pool_give(first);
    pool_give(second);
    pool_give(third);
    pool_give(NULL);
    pool_destroy(p);
    pool_destroy(NULL);
}

/* However many small pieces are free, a larger one is kept in the place of one of them; a smaller
 * one is not. */
static void test_larger_pieces_stay(void **state)
{
    (void)state;
    enum { MANY = 200, SMALL = 100, LARGE = 10000 };
    pool *p = open_pool();
    void *small[MANY];
    void *large[2] = {pool_take(p, LARGE), pool_take(p, LARGE)};
    void *tiny = pool_take(p, 1);
    assert_true(large[0] != NULL && large[1] != NULL && tiny != NULL);
    for (int i = 0; i < MANY; i++) {
        small[i] = pool_take(p, SMALL);
        assert_non_null(small[i]);
    }
    for (int i = 0; i < MANY; i++) {
        pool_give(small[i]);
    }
    pool_give(large[0]);
    pool_give(large[1]);
    pool_give(tiny);
    for (int i = 0; i < 2; i++) {
        large[i] = pool_take(p, SMALL + 1);
        assert_int_equal(pool_room(large[i]), LARGE);
    }
    tiny = pool_take(p, 1);
    assert_int_equal(pool_room(tiny), SMALL);
    pool_give(large[0]);
    pool_give(large[1]);
    pool_give(tiny);
    pool_destroy(p);
}

static void test_the_last_user_gives_it_back(void **state)
{
    (void)state;
    pool *p = open_pool();
    void *piece = pool_take(p, 100);
    assert_non_null(piece);
    pool_share(piece);
    pool_share(piece);
    void *other[3];
    for (int i = 0; i < 3; i++) {
        other[i] = pool_take(p, 100);
        assert_true(other[i] != NULL && other[i] != piece);
        pool_give(piece);
    }
    assert_ptr_equal(pool_take(p, 100), piece);
    pool_give(piece);
    for (int i = 0; i < 3; i++) {
        pool_give(other[i]);
    }
    pool_destroy(p);
}

static void test_no_memory(void **state)
{
    (void)state;
    pool *p = open_pool();
    assert_null(pool_take(p, SIZE_MAX - 8));
    pool_destroy(p);
}

enum { PASSES = 20000, BYTES = 256 };

typedef struct worker {
    pool *pool;
    unsigned char mark;
    bool good;
} worker;

/* Nobody else writes to a piece that this thread has. */
static void *mark_pieces(void *argument)
{
    worker *w = argument;
    w->good = true;
    for (int i = 0; i < PASSES; i++) {
        unsigned char *piece = pool_take(w->pool, BYTES);
        memset(piece, w->mark, BYTES);
        pool_share(piece);
        pool_give(piece);
        for (int byte = 0; byte < BYTES; byte++) {
            w->good = w->good && piece[byte] == w->mark;
        }
        pool_give(piece);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    enum { THREADS = 3 };
    pool *p = open_pool();
    pthread_t thread[THREADS];
    worker w[THREADS];
    for (int i = 0; i < THREADS; i++) {
        w[i] = (worker){.pool = p, .mark = (unsigned char)(i + 1)};
        assert_int_equal(pthread_create(&thread[i], NULL, mark_pieces, &w[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_true(w[i].good);
    }
    pool_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_used_again),
        cmocka_unit_test(test_larger_pieces_stay),
        cmocka_unit_test(test_the_last_user_gives_it_back),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
