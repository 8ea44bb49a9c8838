/* SPDX-License-Identifier: BSD-3-Clause */
/* A lull: a moment in which no thread of the rank is in the kernel or in MPI. */
#include "engine/exec/lull.h"

#include "base/clock.h"

#include <stdlib.h>

/* A store that is on its way when quiet is asked for has arrived by then, by far. */
enum { SETTLE_NS = 50000, PAUSE_NS = 50000 };

/* Should the thread that asked never return, the others continue. */
static const int64_t longest_ns = INT64_C(1000000000);

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
    *out = q;
    return WEFT_OK;
}

void lull_destroy(lull *q)
{
    if (q != NULL) {
        free(q->seat);
        free(q);
    }
}

void lull_wait(lull *q, int seat)
{
    int64_t until_ns = 0;
    atomic_store(&q->seat[seat].busy, false);
    while ((until_ns = atomic_load(&q->until_ns)) != 0 && clock_now_ns() < until_ns) {
        clock_sleep_ns(PAUSE_NS);
    }
    atomic_store(&q->seat[seat].busy, true);
}

static bool all_still(lull *q)
{
    for (int i = 0; i < q->seats; i++) {
        if (atomic_load(&q->seat[i].busy)) {
            return false;
        }
    }
    return true;
}

bool lull_begin(lull *q, int64_t limit_ns)
{
    const int64_t now_ns = clock_now_ns();
    atomic_store(&q->until_ns, now_ns + limit_ns + longest_ns);
    clock_sleep_ns(SETTLE_NS);
    while (!all_still(q)) {
        if (clock_now_ns() - now_ns > limit_ns) {
            return false;
        }
        clock_sleep_ns(PAUSE_NS);
    }
    return true;
}

void lull_end(lull *q)
{
    atomic_store(&q->until_ns, 0);
}
