/* SPDX-License-Identifier: BSD-3-Clause */
/* Techniques whose chunks follow a curve that is known beforehand: guided, trapezoid, increasing.
 * All are integers throughout, so that they hold for any N. */
#include "sched/chunk.h"

int64_t chunk_gss(const outlook *o)
{
    return divide_up(o->remaining, o->ranks);
}

int64_t chunk_pls(const outlook *o)
{
    return o->step < o->ranks ? chunk_half_share(o->total, o->ranks) : chunk_gss(o);
}

/* A trapezoid: chunks of `first` tiles, then `less` fewer at every step. */
typedef struct trapezoid {
    int64_t first;
    int64_t less;
} trapezoid;

static trapezoid cut_trapezoid(const outlook *o)
{
    trapezoid t = {.first = chunk_half_share(o->total, o->ranks)};
    const uint64_t doubled = 2 * (uint64_t)o->total;
    const uint64_t ends = (uint64_t)t.first + 1;
    const uint64_t chunks = doubled / ends + (doubled % ends != 0);
    t.less = chunks > 1 ? (t.first - 1) / (int64_t)(chunks - 1) : 0;
    return t;
}

/* The trapezoid's height after a number of steps. */
static int64_t descend(const trapezoid *t, int64_t steps)
{
    if (t->less > 0 && steps > (t->first - 1) / t->less) {
        return 1;
    }
    return t->first - steps * t->less;
}

int64_t chunk_tss(const outlook *o)
{
    const trapezoid t = cut_trapezoid(o);
    return descend(&t, o->step);
}

int64_t chunk_tfss(const outlook *o)
{
    const trapezoid t = cut_trapezoid(o);
    const int64_t start = descend(&t, o->step - o->step % o->ranks);
    /* Half of `less` times P − 1, which is below N: a step down takes more than P tiles. */
    return t.less > 0 ? start - t.less * (o->ranks - 1) / 2 : start;
}

int64_t chunk_fiss(const outlook *o)
{
    const uint64_t total = (uint64_t)o->total;
    const uint64_t ranks = (uint64_t)o->ranks;
    const uint64_t stages = ranks > 3 ? ranks - 1 : 2;
    const uint64_t x = stages + 2;
    const int64_t first = (int64_t)(total / x / ranks);
    if (first == 0 && stages > 2) {
        /* The increase is 0 then, too, and not all below would fit. */
        return 1;
    }
    /* 1 − B/X = 2/X; and ⌊⌊a/b⌋/c⌋ = ⌊a/bc⌋, where bc might overflow. */
    const uint64_t four_shares = 4 * (total / x) + 4 * (total % x) / x;
    const int64_t more = (int64_t)(four_shares / ranks / stages / (stages - 1));
    const int64_t batch = o->step / o->ranks;
    if (more > 0 && batch > (o->remaining - 1) / more) {
        return o->remaining;
    }
    return first < o->remaining - batch * more ? first + batch * more : o->remaining;
}

int64_t chunk_viss(const outlook *o)
{
    const int64_t first = divide_up(divide_up(o->total, o->ranks), o->ranks);
    const int64_t batch = o->step / o->ranks;
    /* ⌊2k(1 − 2^−(b+1))⌋ = 2k − ⌈k / 2^b⌉ */
    const int64_t less = batch < 63 ? divide_up(first, INT64_C(1) << batch) : 1;
    const int64_t more = first - less;
    return first < o->remaining - more ? first + more : o->remaining;
}
