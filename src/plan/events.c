/* SPDX-License-Identifier: BSD-3-Clause */
/* What is going to happen in a simulation: events by time, the earliest first. A heap of four
 * children per node: half as deep as a binary one, and siblings share a cache line. Work has a heap
 * of its own, ordered by a clock that runs the slower the more cores are missing. */
#include "plan/events.h"

#include "base/array.h"

#include <math.h>
#include <stdlib.h>

enum { CHILDREN = 4 };

typedef struct node {
    event event;
    uint64_t order; /* of adding, so that a simulation can be repeated */
} node;

typedef struct heap {
    node *nodes;
    int64_t count;
    int64_t room;
} heap;

struct events {
    heap timed;
    heap work; /* by the clock `worked` */
    double cores;
    double share;
    double now;
    double worked;
    uint64_t next_order;
};

events *events_create(double cores, double share)
{
    events *q = calloc(1, sizeof *q);
    if (q != NULL) {
        q->cores = cores;
        q->share = share;
    }
    return q;
}

void events_destroy(events *q)
{
    if (q != NULL) {
        free(q->timed.nodes);
        free(q->work.nodes);
        free(q);
    }
}

static bool before(const node *a, const node *b)
{
    return a->event.when < b->event.when || (a->event.when <= b->event.when && a->order < b->order);
}

static bool add(heap *h, const event *e, uint64_t order)
{
    if (!ARRAY_RESERVE(h->nodes, h->room, h->count + 1)) {
        return false;
    }
    const node added = {.event = *e, .order = order};
    int64_t at = h->count++;
    while (at > 0 && before(&added, &h->nodes[(at - 1) / CHILDREN])) {
        h->nodes[at] = h->nodes[(at - 1) / CHILDREN];
        at = (at - 1) / CHILDREN;
    }
    h->nodes[at] = added;
    return true;
}

bool events_add(events *q, const event *e)
{
    return add(&q->timed, e, q->next_order++);
}

bool events_add_work(events *q, const event *e)
{
    event work = *e;
    work.when += q->worked;
    return add(&q->work, &work, q->next_order++);
}

/* The earliest of a node's children; -1 if it has none. */
static int64_t earliest_child(const heap *h, int64_t parent)
{
    const int64_t first = parent * CHILDREN + 1;
    int64_t best = first < h->count ? first : -1;
    for (int64_t child = first + 1; child < first + CHILDREN && child < h->count; child++) {
        if (before(&h->nodes[child], &h->nodes[best])) {
            best = child;
        }
    }
    return best;
}

static event take(heap *h)
{
    const event earliest = h->nodes[0].event;
    const node last = h->nodes[--h->count];
    int64_t at = 0;
    int64_t child = earliest_child(h, at);
    while (child >= 0 && before(&h->nodes[child], &last)) {
        h->nodes[at] = h->nodes[child];
        at = child;
        child = earliest_child(h, at);
    }
    h->nodes[at] = last;
    return earliest;
}

bool events_take(events *q, event *e)
{
    if (q->timed.count == 0 && q->work.count == 0) {
        return false;
    }
    const double wanted = (double)q->work.count * q->share;
    const double rate = q->cores > 0 && wanted > q->cores ? q->cores / wanted : 1;
    const double time = q->timed.count > 0 ? q->timed.nodes[0].event.when : (double)INFINITY;
    double end = (double)INFINITY;
    if (q->work.count > 0) {
        end = q->now + fmax(0, q->work.nodes[0].event.when - q->worked) / rate;
    }
    const bool works = q->work.count > 0 && (q->timed.count == 0 || end <= time);
    *e = take(works ? &q->work : &q->timed);
    e->when = works ? end : time;
    if (e->when > q->now) {
        q->worked += (e->when - q->now) * rate;
        q->now = e->when;
    }
    return true;
}
