/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow of a run, in one rank: what is computed, by what, and where it goes. */
#include "engine/flow/flow.h"

#include "host/signals.h"

bool flow_stopping(const flow *w)
{
    const atomic_bool *cancelled = w->options->cancelled;
    return atomic_load_explicit(&w->stopping, memory_order_relaxed) || signals_seen() != 0 ||
           (cancelled != NULL && atomic_load_explicit(cancelled, memory_order_relaxed));
}

void flow_tell(const run_options *options, const tally *now)
{
    run_tally *t = options->tally;
    if (t != NULL) {
        atomic_store(&t->leased, now->leased);
        atomic_store(&t->undone, now->undone);
        atomic_store(&t->items, now->items);
        atomic_store(&t->failed, now->failed);
        for (int i = 0; i < WEFT_STATES; i++) {
            atomic_store(&t->workers[i], now->workers[i]);
        }
    }
}
