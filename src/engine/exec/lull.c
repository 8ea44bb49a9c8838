/* SPDX-License-Identifier: BSD-3-Clause */
/* A lull: a moment in which no thread of any run of the rank is in the kernel or in MPI. */
#include "engine/exec/lull.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

/* A store that is on its way when quiet is asked for has arrived by then, by far. */
enum { SETTLE_NS = 50000, PAUSE_NS = 50000 };

/* Should the thread that asked never return, the others continue. */
static const int64_t longest_ns = INT64_C(1000000000);

_Atomic int64_t lull_until_ns;

/* What this thread has set that to last. */
static _Thread_local int64_t own_until_ns;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static lull *all; /* runs' seats; under the mutex */

weft_status lull_create(int seats, lull **out, error *e)
{
    lull *q = calloc(1, sizeof *q);
    lull_seat *seat = aligned_alloc(LULL_LINE_BYTES, (size_t)seats * sizeof *seat);
    if (q == NULL || seat == NULL) {
        free(seat);
        free(q);
        return error_memory(e, "the state of %d threads", seats);
    }
    for (int i = 0; i < seats; i++) {
        atomic_init(&seat[i].busy, false);
    }
    q->seat = seat;
    q->seats = seats;
    (void)pthread_mutex_lock(&mutex);
    q->next = all;
    all = q;
    (void)pthread_mutex_unlock(&mutex);
    *out = q;
    return WEFT_OK;
}

void lull_destroy(lull *q)
{
    lull **link = &all;
    if (q == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&mutex);
    while (*link != q) {
        link = &(*link)->next;
    }
    *link = q->next;
    (void)pthread_mutex_unlock(&mutex);
    free(q->seat);
    free(q);
}

void lull_wait(lull *q, int seat)
{
    int64_t until_ns = 0;
    atomic_store(&q->seat[seat].busy, false);
    while ((until_ns = atomic_load(&lull_until_ns)) != 0 && clock_now_ns() < until_ns) {
        clock_sleep_ns(PAUSE_NS);
    }
    atomic_store(&q->seat[seat].busy, true);
}

static bool all_still(void)
{
    bool still = true;
    (void)pthread_mutex_lock(&mutex);
    for (lull *q = all; q != NULL; q = q->next) {
        for (int i = 0; i < q->seats && still; i++) {
            still = !atomic_load(&q->seat[i].busy);
        }
    }
    (void)pthread_mutex_unlock(&mutex);
    return still;
}

/* Another thread's lull is waited for, unless that thread never ends it. */
static void take_turn(int64_t limit_ns)
{
    int64_t found_ns = 0;
    own_until_ns = clock_now_ns() + limit_ns + longest_ns;
    while (!atomic_compare_exchange_strong(&lull_until_ns, &found_ns, own_until_ns)) {
        if (clock_now_ns() < found_ns) {
            clock_sleep_ns(PAUSE_NS);
            found_ns = 0;
        }
        own_until_ns = clock_now_ns() + limit_ns + longest_ns;
    }
}

bool lull_begin(int64_t limit_ns)
{
    take_turn(limit_ns);
    const int64_t now_ns = clock_now_ns();
    clock_sleep_ns(SETTLE_NS);
    while (!all_still()) {
        if (clock_now_ns() - now_ns > limit_ns) {
            return false;
        }
        clock_sleep_ns(PAUSE_NS);
    }
    return true;
}

void lull_end(void)
{
    int64_t own_ns = own_until_ns;
    (void)atomic_compare_exchange_strong(&lull_until_ns, &own_ns, 0);
}
