/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the time of workers goes: sums per state, as ranks tell them. */
#ifndef BASE_STATES_H
#define BASE_STATES_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/state.h>

typedef struct states {
    int64_t ns[WEFT_STATES];      /* spent by all workers of a rank */
    int32_t workers[WEFT_STATES]; /* that are in this state now */
} states;

/* Brings what a rank with `workers` workers has said up to a moment elapsed_ns after the beginning:
 * meanwhile its workers have stayed in the states they were in, or, where the rank is lost, have
 * been elsewhere. The times sum up to workers times elapsed_ns, unless there were more already. */
void states_extend(states *s, int32_t workers, int64_t elapsed_ns, bool lost);

/* For the last ns nanoseconds nothing has been left to compute, but only for the disk to do:
 * workers that wait for work have waited for the disk. */
void states_end_work(states *s, int64_t ns);

#endif
