/* SPDX-License-Identifier: BSD-3-Clause */
/* The flow of a run, in one rank: what is computed, by what, and where it goes. */
#include "engine/flow/flow.h"

#include "host/signals.h"

bool flow_stopping(const flow *w)
{
    return atomic_load_explicit(&w->stopping, memory_order_relaxed) || signals_seen() != 0;
}
