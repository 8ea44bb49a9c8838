/* SPDX-License-Identifier: BSD-3-Clause */
/* The send queue with two outboxes, and no MPI: what is sent stays in flight until it is let go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "comm/sendqueue.h"

#include <pthread.h>
#include <string.h>

enum { PART = 8, MOST = 4096, OTHER = 1, NUMBERS = 1500 };

/* What has been sent, in its order: by which communicator, and the first byte. */
static struct {
    MPI_Comm communicator;
    int tag;
    int number;
    bool landed;
} sent[MOST];
static int sends;
static bool lands_at_once;

/* The queue calls them under its mutex. */
int MPI_Isend(const void *bytes, int count, MPI_Datatype type, int rank, int tag,
              MPI_Comm communicator, MPI_Request *request)
{
    (void)type;
    (void)rank;
    sent[sends].communicator = communicator;
    sent[sends].tag = tag;
    sent[sends].number = 0;
    memcpy(&sent[sends].number, bytes, count < (int)sizeof(int) ? (size_t)count : sizeof(int));
    sent[sends].landed = lands_at_once;
    *request = (MPI_Request)(void *)&sent[sends++];
    return MPI_SUCCESS;
}

int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status)
{
    (void)status;
    for (int i = 0; i < sends; i++) {
        if ((void *)*request == (void *)&sent[i]) {
            *flag = sent[i].landed;
        }
    }
    return MPI_SUCCESS;
}

static sendqueue *queue;
static outbox *box[2];
static const MPI_Comm communicators[2] = {MPI_COMM_WORLD, MPI_COMM_SELF};

static int open_boxes(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    sends = 0;
    lands_at_once = false;
    return sendqueue_create(2, PART, &queue, &e) == WEFT_OK &&
                   outbox_open(queue, &box[0], &e) == WEFT_OK &&
                   outbox_open(queue, &box[1], &e) == WEFT_OK
               ? 0
               : -1;
}

static int close_boxes(void **state)
{
    (void)state;
    for (int i = 0; i < sends; i++) {
        sent[i].landed = true;
    }
    sendqueue_advance(queue, true);
    outbox_close(box[0]);
    outbox_close(box[1]);
    sendqueue_destroy(queue);
    return 0;
}

static weft_status post(int b, int number, size_t count, bool bulk)
{
    error e = {.status = WEFT_OK};
    unsigned char bytes[64] = {0};
    memcpy(bytes, &number, sizeof number);
    const address to = {.communicator = communicators[b], .rank = OTHER, .tag = b};
    return outbox_post(box[b], &to, bulk, bytes, count, &e);
}

static void let_go(void)
{
    for (int i = 0; i < sends; i++) {
        sent[i].landed = true;
    }
    sendqueue_advance(queue, true);
}

/* Sends so far, and the last of them: of which outbox, and its number. */
static void check_sent(int count, int b, int number)
{
    assert_int_equal(sends, count);
    assert_ptr_equal(sent[count - 1].communicator, communicators[b]);
    assert_int_equal(sent[count - 1].number, number);
}

/* What one run presumes of a rank is nothing to the other. */
static void test_held_by_one(void **state)
{
    (void)state;
    outbox_hold(box[0], OTHER, true);
    assert_int_equal(post(0, 1, 4, false), WEFT_OK);
    assert_int_equal(sends, 0);
    assert_int_equal(post(1, 2, 4, false), WEFT_OK);
    check_sent(1, 1, 2);
    assert_int_equal(outbox_count(box[0], OTHER), 1);
    assert_int_equal(outbox_count(box[1], OTHER), 1);
    assert_int_equal(post(1, 3, 4, false), WEFT_OK);
    assert_int_equal(outbox_count(box[1], OTHER), 2);
    assert_true(outbox_busy(box[1]) && !outbox_busy(box[0]));
    outbox_drop(box[0], OTHER);
    assert_int_equal(outbox_count(box[0], OTHER), 0);
    let_go();
    check_sent(2, 1, 3);
    let_go();
    assert_int_equal(outbox_count(box[1], OTHER), 0);
    assert_true(sendqueue_idle(queue));
    outbox_hold(box[0], OTHER, false);
    assert_int_equal(post(0, 4, 4, false), WEFT_OK);
    check_sent(3, 0, 4);
}

/* To another host one send is in flight of all of them, and they take turns, also between the parts
 * of a message. */
static void test_turns(void **state)
{
    (void)state;
    assert_int_equal(post(0, 1, 3 * PART, false), WEFT_OK);
    assert_int_equal(post(0, 2, 4, false), WEFT_OK);
    assert_int_equal(post(1, 3, 4, false), WEFT_OK);
    assert_int_equal(post(1, 4, 4, true), WEFT_OK);
    check_sent(1, 0, 1);
    assert_int_equal(sent[0].tag, SENDQUEUE_MORE);
    let_go();
    check_sent(2, 1, 3);
    let_go();
    check_sent(3, 0, 0);
    /* Between parts of a message that is held nothing else of that outbox may go, but the other's
     * does. */
    outbox_hold(box[0], OTHER, true);
    let_go();
    check_sent(4, 1, 4);
    error e = {.status = WEFT_OK};
    let_go();
    const address to = {.communicator = communicators[0], .rank = OTHER};
    assert_int_equal(outbox_probe(box[0], &to, &(int){9}, sizeof(int), &e), WEFT_OK);
    assert_int_equal(sends, 4);
    outbox_hold(box[0], OTHER, false);
    let_go();
    assert_int_equal(sends, 5);
    assert_int_equal(sent[4].tag, 0);
    let_go();
    check_sent(6, 0, 2);
}

/* To a rank of this host each outbox has two in flight. */
static void test_near(void **state)
{
    (void)state;
    sendqueue_set_near(queue, OTHER);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(post(0, 1 + i, 4, false), WEFT_OK);
    }
    assert_int_equal(sends, 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(post(1, 11 + i, 4, false), WEFT_OK);
    }
    check_sent(4, 1, 12);
    let_go();
    assert_int_equal(sends, 6);
}

/* Nothing more is sent of a closed one, whose communicator may be freed; what is in flight of it
 * counts for the others. */
static void test_closed(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    assert_int_equal(post(0, 1, 3 * PART, false), WEFT_OK);
    assert_int_equal(post(0, 2, 4, false), WEFT_OK);
    outbox_close(box[0]);
    box[0] = NULL;
    assert_int_equal(post(1, 3, 4, false), WEFT_OK);
    assert_int_equal(sends, 1);
    let_go();
    check_sent(2, 1, 3);
    let_go();
    assert_int_equal(sends, 2);
    assert_true(sendqueue_idle(queue));
    assert_int_equal(outbox_open(queue, &box[0], &e), WEFT_OK);
}

/* A run's thread: it holds now and then, and sends. */
static void *run(void *context)
{
    const int b = context == &box[1];
    weft_status status = WEFT_OK;
    for (int i = 0; i < NUMBERS; i++) {
        outbox_hold(box[b], OTHER, i % 7 == 3);
        const weft_status posted = post(b, i + 1, 4, false);
        status = status == WEFT_OK ? posted : status;
        sendqueue_advance(queue, i % 2 == 0);
        (void)outbox_busy(box[b]);
        (void)outbox_count(box[b], OTHER);
    }
    outbox_hold(box[b], OTHER, false);
    sendqueue_advance(queue, true);
    return status == WEFT_OK ? NULL : box[b];
}

static void test_two_threads(void **state)
{
    (void)state;
    pthread_t thread;
    void *failed[2] = {NULL};
    int last[2] = {0};
    lands_at_once = true;
    assert_int_equal(pthread_create(&thread, NULL, run, &box[1]), 0);
    failed[0] = run(&box[0]);
    assert_int_equal(pthread_join(thread, &failed[1]), 0);
    assert_true(failed[0] == NULL && failed[1] == NULL);
    assert_int_equal(sends, 2 * NUMBERS);
    for (int i = 0; i < sends; i++) {
        const int b = sent[i].communicator == communicators[1];
        assert_int_equal(sent[i].number, ++last[b]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_held_by_one, open_boxes, close_boxes),
        cmocka_unit_test_setup_teardown(test_turns, open_boxes, close_boxes),
        cmocka_unit_test_setup_teardown(test_near, open_boxes, close_boxes),
        cmocka_unit_test_setup_teardown(test_closed, open_boxes, close_boxes),
        cmocka_unit_test_setup_teardown(test_two_threads, open_boxes, close_boxes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
