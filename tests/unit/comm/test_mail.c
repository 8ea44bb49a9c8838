/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests mail to oneself: rank 0's agent and the coordinator talk in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "comm/mail.h"

#include <string.h>

static comm *alone;
static pool *pieces;

static int open_alone(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    return pool_create(&pieces, &e) == WEFT_OK &&
                   comm_open(NULL, NULL, false, &alone, &e) == WEFT_OK
               ? 0
               : -1;
}

static int close_alone(void **state)
{
    (void)state;
    comm_close(alone);
    pool_destroy(pieces);
    return 0;
}

/* The length of the letter with that number, and its bytes. */
static size_t write_letter(unsigned number, unsigned char bytes[512])
{
    const size_t count = 1 + number * 37 % 500;
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (unsigned char)(number + i);
    }
    return count;
}

static void check_next(mail *m, unsigned number)
{
    error e = {.status = WEFT_OK};
    bool arrived = false;
    int source = -1;
    const void *bytes = NULL;
    size_t count = 0;
    unsigned char expected[512];
    assert_int_equal(mail_receive(m, &arrived, &source, &bytes, &count, &e), WEFT_OK);
    assert_true(arrived);
    assert_int_equal(source, 0);
    assert_int_equal(count, write_letter(number, expected));
    assert_memory_equal(bytes, expected, count);
    assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
}

static void check_none(mail *m)
{
    error e = {.status = WEFT_OK};
    bool arrived = true;
    int source = -1;
    const void *bytes = NULL;
    size_t count = 0;
    assert_int_equal(mail_receive(m, &arrived, &source, &bytes, &count, &e), WEFT_OK);
    assert_false(arrived);
}

static void test_in_order(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    mail *m = NULL;
    unsigned char bytes[512];
    assert_int_equal(mail_create(alone, pieces, &m, &e), WEFT_OK);
    check_none(m);
    unsigned sent = 0;
    unsigned got = 0;
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < round * 7 % 5; i++) {
            const size_t count = write_letter(sent++, bytes);
            assert_int_equal(mail_send(m, 0, MAIL_PLAIN, bytes, count, &e), WEFT_OK);
            memset(bytes, 0, sizeof bytes);
        }
        for (unsigned i = 0; i < round * 5 % 4 && got < sent; i++) {
            check_next(m, got++);
        }
    }
    while (got < sent) {
        check_next(m, got++);
    }
    check_none(m);
    assert_int_equal(mail_send(m, 0, MAIL_PLAIN, bytes, write_letter(sent, bytes), &e), WEFT_OK);
    check_next(m, sent);
    check_none(m);
    mail_destroy(m);
}

/* What is handed over is received where it is, and lives as long as somebody keeps it. */
static void test_handed_over(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    mail *m = NULL;
    bool arrived = false;
    int source = -1;
    const void *bytes = NULL;
    size_t count = 0;
    unsigned char letter[512];
    assert_int_equal(mail_create(alone, pieces, &m, &e), WEFT_OK);
    unsigned char *piece = pool_take(pieces, 512);
    assert_non_null(piece);
    const size_t length = write_letter(1, piece + 16);
    assert_int_equal(mail_send(m, 0, MAIL_PLAIN, letter, write_letter(0, letter), &e), WEFT_OK);
    assert_int_equal(mail_hand(m, 0, piece, MAIL_BULK, piece + 16, length, &e), WEFT_OK);
    assert_int_equal(mail_send(m, 0, MAIL_PLAIN, letter, write_letter(2, letter), &e), WEFT_OK);
    check_next(m, 0);
    assert_int_equal(mail_receive(m, &arrived, &source, &bytes, &count, &e), WEFT_OK);
    assert_ptr_equal(bytes, piece + 16);
    assert_int_equal(count, length);
    assert_ptr_equal(mail_keep(m, &bytes, count), piece);
    assert_ptr_equal(bytes, piece + 16);
    /* A message that was sent is copied to be kept. */
    assert_int_equal(mail_receive(m, &arrived, &source, &bytes, &count, &e), WEFT_OK);
    unsigned char *copy = mail_keep(m, &bytes, count);
    assert_true(copy != NULL && copy != piece);
    assert_ptr_equal(bytes, copy);
    check_none(m);
    assert_memory_equal(copy, letter, write_letter(2, letter));
    assert_memory_equal(piece + 16, letter, write_letter(1, letter));
    pool_give(piece);
    assert_ptr_equal(pool_take(pieces, 512), piece);
    /* Nobody receives it. */
    assert_int_equal(mail_hand(m, 0, piece, MAIL_BULK, piece, 16, &e), WEFT_OK);
    mail_destroy(m);
    assert_ptr_equal(pool_take(pieces, 512), piece);
    pool_give(piece);
    pool_give(copy);
}

static void test_bad_rank_is_an_error(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    mail *m = NULL;
    assert_int_equal(mail_create(alone, pieces, &m, &e), WEFT_OK);
    assert_int_equal(mail_send(m, 7, MAIL_PLAIN, "x", 1, &e), WEFT_ERR_MPI);
    assert_non_null(strstr(e.text, "MPI_Isend"));
    check_none(m);
    mail_destroy(m);
}

static void test_unread_mail_is_freed(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    mail *m = NULL;
    unsigned char bytes[512];
    assert_int_equal(mail_create(alone, pieces, &m, &e), WEFT_OK);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(mail_send(m, 0, MAIL_PLAIN, bytes, write_letter(i, bytes), &e), WEFT_OK);
    }
    check_next(m, 0);
    mail_destroy(m);
    mail_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_handed_over),
        cmocka_unit_test(test_bad_rank_is_an_error),
        cmocka_unit_test(test_unread_mail_is_freed),
    };
    return cmocka_run_group_tests(tests, open_alone, close_alone);
}
