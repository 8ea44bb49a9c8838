/* SPDX-License-Identifier: BSD-3-Clause */
/* A team as a simulation sees it: the same blocks and spans as in team/, without threads. */
#include "plan/crew.h"

#include "sched/length.h"
#include "sched/pace.h"

#include <stdlib.h>

struct crew {
    int workers;
    int64_t span_limit;
    crew_block *oldest;
    crew_block *youngest;
    crew_block *open; /* the oldest that may have tiles left */
    int blocks;
    int64_t stock;
    int64_t tile_ns;         /* of whoever measured last */
    int64_t *worker_tile_ns; /* per worker */
    int *waiting;            /* workers */
    int waiting_count;
};

crew *crew_create(int workers, int64_t span_limit)
{
    crew *c = calloc(1, sizeof *c);
    int64_t *worker_tile_ns = calloc((size_t)workers, sizeof *worker_tile_ns);
    int *waiting = calloc((size_t)workers, sizeof *waiting);
    if (c == NULL || worker_tile_ns == NULL || waiting == NULL) {
        free(waiting);
        free(worker_tile_ns);
        free(c);
        return NULL;
    }
    *c = (crew){.workers = workers,
                .span_limit = span_limit,
                .worker_tile_ns = worker_tile_ns,
                .waiting = waiting};
    return c;
}

void crew_free_block(crew_block *b)
{
    free(b);
}

void crew_destroy(crew *c)
{
    if (c == NULL) {
        return;
    }
    for (crew_block *b = c->oldest; b != NULL;) {
        crew_block *next = b->next;
        free(b);
        b = next;
    }
    free(c->waiting);
    free(c->worker_tile_ns);
    free(c);
}

static int64_t left_of(const crew_block *b)
{
    return b->all.tiles - b->taken;
}

bool crew_full(const crew *c)
{
    return c->blocks >= pace_blocks(c->workers);
}

bool crew_offer(crew *c, interval p)
{
    crew_block *b = crew_full(c) ? NULL : malloc(sizeof *b);
    if (b == NULL) {
        return false;
    }
    *b = (crew_block){.all = p, .pending = p.tiles};
    if (c->youngest != NULL) {
        c->youngest->next = b;
    } else {
        c->oldest = b;
    }
    c->youngest = b;
    c->open = c->open == NULL ? b : c->open;
    c->blocks++;
    c->stock += p.tiles;
    return true;
}

int64_t crew_stock(const crew *c)
{
    return c->stock;
}

bool crew_take(crew *c, int worker, crew_block **from, interval *span, bool *last)
{
    while (c->open != NULL && left_of(c->open) == 0) {
        c->open = c->open->next;
    }
    crew_block *b = c->open;
    if (b == NULL) {
        return false;
    }
    const int64_t left = left_of(b);
    const int64_t chosen =
        length_span_tiles(c->workers, c->span_limit, c->worker_tile_ns[worker], left);
    const int64_t tiles = chosen < left ? chosen : left;
    *span = (interval){.first = b->all.first + b->taken, .tiles = tiles};
    *from = b;
    *last = tiles == left;
    b->taken += tiles;
    c->stock -= tiles;
    return true;
}

bool crew_finish(crew *c, int worker, crew_block *b, int64_t tiles, double busy_ns, double work_ns,
                 bool last)
{
    int64_t *known = &c->worker_tile_ns[worker];
    *known = length_learn(*known, (int64_t)busy_ns, tiles);
    if (last || busy_ns > LENGTH_MEASURE_NS) {
        c->tile_ns = *known;
    }
    b->busy_ns += busy_ns;
    b->work_ns += work_ns;
    b->pending -= tiles;
    return b->pending == 0;
}

bool crew_cut(crew *c, int64_t keep, int64_t most, interval *p, crew_block **finished)
{
    crew_block *youngest = NULL;
    *finished = NULL;
    for (crew_block *b = c->open; b != NULL; b = b->next) {
        youngest = left_of(b) > keep ? b : youngest;
    }
    if (youngest == NULL) {
        return false;
    }
    const int64_t above = left_of(youngest) - keep;
    const int64_t cut = above < most ? above : most;
    youngest->all.tiles -= cut;
    youngest->pending -= cut;
    c->stock -= cut;
    *p = (interval){.first = youngest->all.first + youngest->all.tiles, .tiles = cut};
    if (youngest->pending == 0) {
        *finished = youngest;
    }
    return true;
}

void crew_remove(crew *c, crew_block *b)
{
    crew_block *before = NULL;
    for (crew_block *each = c->oldest; each != b; each = each->next) {
        before = each;
    }
    if (before != NULL) {
        before->next = b->next;
    } else {
        c->oldest = b->next;
    }
    c->youngest = c->youngest == b ? before : c->youngest;
    c->open = c->open == b ? b->next : c->open;
    c->blocks--;
    b->next = NULL;
}

bool crew_idle(const crew *c)
{
    return c->blocks == 0;
}

int64_t crew_tile_ns(const crew *c)
{
    return c->tile_ns;
}

void crew_wait(crew *c, int worker)
{
    c->waiting[c->waiting_count++] = worker;
}

int crew_wake(crew *c)
{
    return c->waiting_count == 0 ? -1 : c->waiting[--c->waiting_count];
}
