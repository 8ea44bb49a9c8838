/* SPDX-License-Identifier: BSD-3-Clause */
/* What all parts of a simulated run share: the setup, a clock, what is going to happen, messages on
 * their way, and what has come of it so far. */
#include "plan/world.h"

#include "sched/pace.h"

#include <stdlib.h>
#include <string.h>

weft_status world_create(const simulation_setup *setup, world *w, error *e)
{
    const int64_t call_tiles = setup->call_tiles > 0 ? setup->call_tiles : INT64_MAX;
    *w = (world){.setup = setup,
                 .scale = 1,
                 .span_limit = pace_span_limit(call_tiles),
                 .queue = events_create(setup->cores, setup->cpu_share)};
    return w->queue != NULL ? WEFT_OK : error_memory(e, "%d simulated ranks", setup->ranks);
}

void world_destroy(world *w)
{
    event e;
    while (w->queue != NULL && events_take(w->queue, &e)) {
        if (e.kind == EVENT_ARRIVED || e.kind == EVENT_POSTED) {
            free(e.data);
        }
    }
    events_destroy(w->queue);
}

double world_tile_ns(const world *w, int64_t tile)
{
    return w->scale * w->setup->tile_ns(w->setup->context, tile);
}

void world_add(world *w, double when_ns, event_kind kind, int rank, int worker, void *data)
{
    const event e = {
        .when = when_ns, .kind = (int)kind, .rank = rank, .worker = worker, .data = data};
    w->failed = !events_add(w->queue, &e) || w->failed;
}

void world_send(world *w, event_kind kind, int rank, const void *bytes, size_t count,
                double sent_ns)
{
    const double way_ns = rank == 0 ? 0 : ns(w->setup->costs.latency_s);
    letter *l = malloc(sizeof *l + count);
    if (l == NULL) {
        w->failed = true;
        return;
    }
    l->rank = rank;
    l->count = count;
    memcpy(l->message, bytes, count);
    world_add(w, sent_ns + way_ns, kind, rank, 0, l);
}

void letters_append(letters *l, letter *last)
{
    last->next = NULL;
    *(l->first == NULL ? &l->first : &l->last->next) = last;
    l->last = last;
}

letter *letters_take(letters *l)
{
    letter *first = l->first;
    l->first = first != NULL ? first->next : NULL;
    return first;
}
