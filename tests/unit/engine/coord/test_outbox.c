/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the outbox: nothing leaves it before its leases are in the file, and all in order. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/link/alone.h"

#include "engine/coord/outbox.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { TILES = 1000 };

static weft_status reach(void *context, int rank, const void *bytes, size_t count, error *e)
{
    (void)context;
    return mail_send(box, rank, bytes, count, e);
}

static const effects outside = {.send = reach};

typedef struct scene {
    char path[32];
    int fd;
    members *members;
    lease_table *table;
    outbox *outbox;
} scene;

/* A table whose thread can write, or cannot. */
static scene make(bool writable)
{
    error e = {.status = WEFT_OK};
    scene s = {.path = "/tmp/weft-outbox-XXXXXX"};
    const int fd = mkostemp(s.path, O_CLOEXEC);
    assert_true(fd >= 0 && ftruncate(fd, TILES) == 0 && close(fd) == 0);
    s.fd = open(s.path, writable ? O_WRONLY : O_RDONLY);
    assert_true(s.fd >= 0);
    assert_int_equal(members_create(&outside, 2, (pulse){.beat_ns = 0}, 0, &s.members, &e),
                     WEFT_OK);
    assert_int_equal(lease_table_open(s.fd, s.path, 0, TILES, &s.table, &e), WEFT_OK);
    assert_int_equal(outbox_create(s.members, s.table, &s.outbox, &e), WEFT_OK);
    return s;
}

static void leave(scene *s)
{
    outbox_destroy(s->outbox);
    lease_table_close(s->table);
    members_destroy(s->members);
    assert_int_equal(close(s->fd), 0);
    assert_int_equal(unlink(s->path), 0);
}

/* Leases a tile, and grants it to rank 0. */
static void lease_and_send(scene *s, int64_t tile)
{
    error e = {.status = WEFT_OK};
    const message_grant grant = {
        .kind = MESSAGE_GRANT, .intervals = 1, .interval = {{.first = tile, .tiles = 1}}};
    (void)lease_table_set(s->table, tile, 1, true, &e);
    assert_int_equal(outbox_send(s->outbox, 0, &grant, sizeof grant, &e), WEFT_OK);
}

/* The tile of the next grant; -1: there is none. It is leased in the file. */
static int64_t receive(const scene *s)
{
    error e = {.status = WEFT_OK};
    bool arrived = false;
    int source = -1;
    const void *bytes = NULL;
    size_t count = 0;
    assert_int_equal(mail_receive(box, &arrived, &source, &bytes, &count, &e), WEFT_OK);
    if (!arrived) {
        return -1;
    }
    const int64_t tile = ((const message_grant *)bytes)->interval[0].first;
    unsigned char leased = 0;
    const int fd = open(s->path, O_RDONLY);
    assert_int_equal(pread(fd, &leased, 1, tile), 1);
    assert_int_equal(close(fd), 0);
    assert_int_equal(leased, 1);
    return tile;
}

static void test_in_order_and_not_before(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    scene s = make(true);
    int64_t next = 0;
    for (int64_t tile = 0; tile < TILES; tile++) {
        lease_and_send(&s, tile);
        if (tile % 7 == 0) {
            assert_int_equal(outbox_flush(s.outbox, &e), WEFT_OK);
        }
        for (int64_t got = receive(&s); got >= 0; got = receive(&s)) {
            assert_int_equal(got, next++);
        }
    }
    assert_int_equal(lease_table_wait(s.table, &e), WEFT_OK);
    assert_int_equal(outbox_flush(s.outbox, &e), WEFT_OK);
    assert_false(outbox_waits(s.outbox));
    for (int64_t got = receive(&s); got >= 0; got = receive(&s)) {
        assert_int_equal(got, next++);
    }
    assert_int_equal(next, TILES);
    /* What is leased already need not wait. */
    lease_and_send(&s, 5);
    assert_int_equal(receive(&s), 5);
    leave(&s);
}

/* A lease that cannot be written is never followed by its grant. */
static void test_failure(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    scene s = make(false);
    lease_and_send(&s, 1);
    assert_int_equal(lease_table_wait(s.table, &e), WEFT_ERR_SYSTEM);
    assert_int_equal(outbox_flush(s.outbox, &e), WEFT_ERR_SYSTEM);
    assert_true(outbox_waits(s.outbox));
    assert_int_equal(receive(&s), -1);
    leave(&s);
}

static void test_the_dead_get_nothing(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    scene s = make(true);
    for (int64_t tile = 0; tile < 50; tile++) {
        lease_and_send(&s, tile);
    }
    outbox_drop(s.outbox, 0);
    while (receive(&s) >= 0) {
    }
    assert_int_equal(lease_table_wait(s.table, &e), WEFT_OK);
    assert_int_equal(outbox_flush(s.outbox, &e), WEFT_OK);
    assert_int_equal(receive(&s), -1);
    lease_and_send(&s, 3);
    assert_int_equal(receive(&s), 3);
    leave(&s);
    outbox_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order_and_not_before),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_the_dead_get_nothing),
    };
    return cmocka_run_group_tests(tests, open_alone, close_alone);
}
