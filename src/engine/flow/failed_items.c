/* SPDX-License-Identifier: BSD-3-Clause */
/* Which items of a run of items have failed, and which of these are in quarantine. */
#include "engine/flow/failed_items.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { BITS = 64 };

/* One of an array. Neighbouring items of two threads may share it. */
struct failed_items {
    _Atomic uint64_t failed;
    _Atomic uint64_t quarantined;
};

failed_items *failed_items_create(int64_t items)
{
    return calloc((size_t)(items / BITS) + 1, sizeof(failed_items));
}

void failed_items_destroy(failed_items *f)
{
    free(f);
}

bool failed_items_add(failed_items *f, int64_t item, bool quarantined)
{
    failed_items *w = &f[item / BITS];
    const uint64_t bit = UINT64_C(1) << (item % BITS);
    if ((atomic_fetch_or_explicit(&w->failed, bit, memory_order_relaxed) & bit) != 0) {
        return false;
    }
    if (quarantined) {
        (void)atomic_fetch_or_explicit(&w->quarantined, bit, memory_order_relaxed);
    }
    return true;
}

/* The bits of a word that stand for items first … end - 1, some of which are there. */
static uint64_t mask_of(int64_t number, int64_t first, int64_t end)
{
    const int64_t low = first > number * BITS ? first - number * BITS : 0;
    const int64_t high = end < (number + 1) * BITS ? end - number * BITS : BITS;
    const uint64_t below_high = high == BITS ? UINT64_MAX : (UINT64_C(1) << high) - 1;
    return below_high & (UINT64_MAX << low);
}

/* The first item from one on whose bit is set after those in `flip` have been turned over. */
static inline int64_t find(const failed_items *f, int64_t item, int64_t end, uint64_t flip)
{
    for (int64_t i = item / BITS; i * BITS < end; i++) {
        const uint64_t failed = atomic_load_explicit(&f[i].failed, memory_order_relaxed);
        const uint64_t left = (failed ^ flip) & mask_of(i, item, end);
        if (left != 0) {
            return i * BITS + __builtin_ctzll(left);
        }
    }
    return end;
}

int64_t failed_items_next(const failed_items *f, int64_t item, int64_t end)
{
    return find(f, item, end, 0);
}

int64_t failed_items_next_good(const failed_items *f, int64_t item, int64_t end)
{
    return find(f, item, end, UINT64_MAX);
}

int64_t failed_items_count(const failed_items *f, int64_t first, int64_t end, bool *quarantined)
{
    int64_t count = 0;
    *quarantined = false;
    for (int64_t i = first / BITS; i * BITS < end; i++) {
        const failed_items *w = &f[i];
        const uint64_t mask = mask_of(i, first, end);
        count +=
            __builtin_popcountll(atomic_load_explicit(&w->failed, memory_order_relaxed) & mask);
        *quarantined = *quarantined ||
                       (atomic_load_explicit(&w->quarantined, memory_order_relaxed) & mask) != 0;
    }
    return count;
}

void failed_items_clear(failed_items *f, int64_t first, int64_t end)
{
    for (int64_t i = first / BITS; i * BITS < end; i++) {
        const uint64_t others = ~mask_of(i, first, end);
        (void)atomic_fetch_and_explicit(&f[i].failed, others, memory_order_relaxed);
        (void)atomic_fetch_and_explicit(&f[i].quarantined, others, memory_order_relaxed);
    }
}
