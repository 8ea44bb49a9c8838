/* SPDX-License-Identifier: BSD-3-Clause */
/* Isolation: which items are computed in a child of the worker, and what becomes of those that kill
 * it.
 *
 * Thread: the driver creates, concludes and destroys it; the rest as each function says. */
#ifndef ENGINE_EXEC_ISOLATION_H
#define ENGINE_EXEC_ISOLATION_H

#include "base/error.h"
#include "engine/exec/child.h"
#include "engine/exec/lull.h"
#include "engine/exec/span.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct isolation isolation;

/* An item whose child has died this often, with no other item in progress, is quarantined. */
enum { ISOLATION_CRASHES = 2 };

typedef struct isolation_setup {
    const flow *flow;
    int workers;      /* that compute */
    bool by_main;     /* it is the main thread that computes, without workers */
    int64_t stuck_ns; /* a child in which nothing moves for this long is ended */
} isolation_setup;

/* What is known of items before they are computed. */
typedef struct isolation_plan {
    bool apart;  /* they are computed in a child */
    int crashes; /* that each of them has caused already */
} isolation_plan;

/* How an attempt to compute a span has ended. */
typedef struct attempt {
    int code;   /* what the kernel has returned; if the child has died: why, see weft/span.h */
    bool died;  /* the child has */
    bool here;  /* nothing has been computed: it cannot be in a child, but here */
    int64_t at; /* the item at which the part began that went wrong, says the child */
    const char *text; /* how; until the worker's next attempt */
} attempt;

weft_status isolation_create(const isolation_setup *setup, isolation **out, error *e);

/* Ends all children. NULL is allowed. */
void isolation_destroy(isolation *s);

/* How many items of a span can be computed in one call, as the plan says. Where nothing may be
 * tried twice a crash is the end of all that was computed with it: so what may well crash is
 * computed item by item. Any thread. */
int64_t isolation_look(const isolation *s, const weft_span *span, isolation_plan *plan);

/* Whether spans of a block may be long, however few tiles a call of the kernel gets: a child, or
 * whoever has to do without one, divides them with call_parts(). Any thread. */
bool isolation_takes_long_spans(const flow *w, bool careful);

/* Makes sure that a worker has a child, if it may need one; true if one was forked. The worker.
 * NULL is allowed. */
bool isolation_prepare(isolation *s, int worker);

/* Computes a span in the worker's child; results and failures are then where the kernel would have
 * put them. Where no child can be made the span's failures say so, and the run cannot go on. The
 * span's worker. */
attempt isolation_try(isolation *s, const weft_span *span);

/* The run's seats for the lulls in which children are forked: a worker has that of its number while
 * it computes, the agent the one behind all workers. NULL is allowed. */
lull *isolation_lull(const isolation *s);

/* What children have cost all workers. While none of them computes. */
child_effort isolation_effort(const isolation *s);

/* At the end of a run: says so if all that was computed in children died in the same way. */
void isolation_conclude(const isolation *s);

/* How many workers wait for their children at this moment. Any thread. NULL is allowed. */
int isolation_waiting(const isolation *s);

#endif
