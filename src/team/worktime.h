/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker is at, and how long it has been in each state.
 *
 * Thread: one changes it, any may look. */
#ifndef TEAM_WORKTIME_H
#define TEAM_WORKTIME_H

#include "base/states.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct worktime {
    atomic_uint turn; /* odd while the others change */
    _Atomic int state;
    _Atomic int64_t since_ns;              /* it has been in this state */
    _Atomic int64_t spent_ns[WEFT_STATES]; /* before that */
} worktime;

/* Begins anew; nobody looks. */
void worktime_begin(worktime *w, weft_state state, int64_t now_ns);

/* From now_ns on the worker is in this state. */
void worktime_enter(worktime *w, weft_state state, int64_t now_ns);

/* Adds the worker to sums, up to now_ns. */
void worktime_add(const worktime *w, int64_t now_ns, states *sums);

#endif
