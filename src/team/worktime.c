/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker is at, and how long it has been in each state. */
#include "team/worktime.h"

#include <sched.h>

/* One that is stopped in the middle of a change is not waited for for ever: its sums are then wrong
 * by that, once. */
enum { LOOKS = 1000, LOOKS_AT_ONCE = 10 };

/* Whether to look once more. */
static bool look_again(int *looks)
{
    if (++*looks >= LOOKS_AT_ONCE) {
        (void)sched_yield();
    }
    return *looks < LOOKS;
}

void worktime_begin(worktime *w, weft_state state, int64_t now_ns)
{
    for (int i = 0; i < WEFT_STATES; i++) {
        atomic_store(&w->spent_ns[i], 0);
    }
    atomic_store(&w->state, (int)state);
    atomic_store(&w->since_ns, now_ns);
}

/* Each store is seen no earlier than those before it. */
void worktime_enter(worktime *w, weft_state state, int64_t now_ns)
{
    const int last = atomic_load_explicit(&w->state, memory_order_relaxed);
    const int64_t since_ns = atomic_load_explicit(&w->since_ns, memory_order_relaxed);
    const int64_t spent_ns = atomic_load_explicit(&w->spent_ns[last], memory_order_relaxed);
    const unsigned turn = atomic_load_explicit(&w->turn, memory_order_relaxed);
    const int64_t from_ns = now_ns > since_ns ? now_ns : since_ns;
    atomic_store_explicit(&w->turn, turn + 1, memory_order_relaxed);
    atomic_store_explicit(&w->spent_ns[last], spent_ns + from_ns - since_ns, memory_order_release);
    atomic_store_explicit(&w->state, (int)state, memory_order_release);
    atomic_store_explicit(&w->since_ns, from_ns, memory_order_release);
    atomic_store_explicit(&w->turn, turn + 2, memory_order_release);
}

void worktime_add(const worktime *w, int64_t now_ns, states *sums)
{
    int64_t spent_ns[WEFT_STATES];
    int64_t since_ns = 0;
    int state = 0;
    int looks = 0;
    unsigned before = 0;
    unsigned after = 0;
    do {
        before = atomic_load_explicit(&w->turn, memory_order_acquire);
        for (int i = 0; i < WEFT_STATES; i++) {
            spent_ns[i] = atomic_load_explicit(&w->spent_ns[i], memory_order_acquire);
        }
        state = atomic_load_explicit(&w->state, memory_order_acquire);
        since_ns = atomic_load_explicit(&w->since_ns, memory_order_acquire);
        after = atomic_load_explicit(&w->turn, memory_order_relaxed);
    } while ((after != before || after % 2 != 0) && look_again(&looks));
    for (int i = 0; i < WEFT_STATES; i++) {
        sums->ns[i] += spent_ns[i];
    }
    sums->ns[state] += now_ns > since_ns ? now_ns - since_ns : 0;
    sums->workers[state]++;
}
