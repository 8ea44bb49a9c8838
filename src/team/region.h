/* SPDX-License-Identifier: BSD-3-Clause */
/* The threads of a team: one OpenMP region for as long as the team lives, opened by a thread of its
 * own, so that the program's regions are the main thread's affair. Sole owner of OpenMP, but for
 * the places of its threads.
 *
 * Thread: the driver opens, the main thread closes; the rest as each function says. */
#ifndef TEAM_REGION_H
#define TEAM_REGION_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct region region;

/* How regions that a thread opens come out: OpenMP keeps that per thread. */
typedef struct region_icv {
    int threads;
    int levels;
    int schedule;
    int chunk;
} region_icv;

/* Threads that OpenMP allows a region, OMP_THREAD_LIMIT, by which it counts the main thread's own
 * regions apart. */
int region_most_threads(void);

/* Creates `threads` threads, 1 or more, which call work(context, number), and end when that
 * returns; numbers count from 0. The region is opened as the thread would whose values `icv` are.
 */
weft_status region_open(int threads, const region_icv *icv, void (*work)(void *context, int number),
                        void *context, region **out, error *e);

/* Waits for limit_ns at most until all threads have ended. Where one has not, they are left alone,
 * with all that they use: false. */
bool region_close(region *r, int64_t limit_ns);

/* The calling thread's, which is no thread of a region of ours. */
void region_icv_get(region_icv *icv);

/* A thread of the region: what it opens comes out as if the thread whose values these are had
 * opened a region as large as this one, and that in there. */
void region_icv_set(const region *r, const region_icv *icv);

/* How many threads a region would have that the calling thread, a worker say, opens itself; and
 * sets that for the regions of another thread. */
int region_inner_threads(void);
void region_set_inner_threads(int threads);

#endif
