/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank of a simulated run: its agent, which is a real one's desk, and its workers, who take spans
 * from a real team's ring. */
#include "plan/station.h"

#include "sched/desk.h"
#include "sched/pace.h"
#include "team/ring.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

/* Tiles that a rank computes into one buffer. */
typedef struct work {
    interval all;
    int64_t kept;   /* tiles from here on have been cut off */
    double busy_ns; /* what computing them took, … */
    double work_ns; /* … and would have on a core of its own at full speed */
    ring_span last; /* that finished it */
} work;

/* What a worker is at. */
typedef struct task {
    ring_span span;
    int64_t at;      /* the block it looks at */
    int64_t tile_ns; /* recent mean; 0 while unknown */
    double start_ns;
    double work_ns;
    double end_ns;
    int next; /* worker that waits; NOBODY: none */
} task;

enum { NOBODY = -1, AGENT = -1 };

struct station {
    world *world;
    int rank;
    desk *desk;
    ring *ring; /* NULL before the first block */
    letters inbox;
    int waiting;      /* worker, and behind it the others that wait; NOBODY: none */
    int64_t finished; /* blocks that the agent has not seen */
    int64_t tile_ns;  /* of the worker that measured last */
    double looked_ns; /* when its agent looked up last … */
    double active_ns; /* … and when it last found anything to do */
    bool woken;
    double look_ns; /* when it is going to look up; INFINITY: it is not */
    task task[];    /* per worker */
};

static void look_at(station *m, double when_ns)
{
    if (when_ns < m->look_ns) {
        m->look_ns = when_ns;
        world_add(m->world, when_ns, EVENT_LOOK, m->rank, 0, NULL);
    }
}

double station_next_look(const station *m, double from_ns)
{
    const world *w = m->world;
    const company others_are = w->setup->ranks == 1 ? COMPANY_NONE : COMPANY_SILENT;
    const urgency others = m->rank == 0 ? lead_urgency(w->lead) : URGENCY_NONE;
    const urgency here = desk_urgency(m->desk, (int64_t)from_ns);
    const urgency u = here > others ? here : others;
    double look_ns = m->looked_ns;
    do {
        const int64_t rest_ns =
            pace_rest(u, (int64_t)(look_ns - m->active_ns), others_are, (int64_t)m->looked_ns);
        if (look_ns < from_ns && rest_ns == pace_longest_rest(others_are)) {
            /* From here on it looks up regularly. */
            const int64_t times = (int64_t)((from_ns - look_ns) / (double)rest_ns);
            look_ns += (double)times * (double)rest_ns;
        }
        look_ns += (double)rest_ns;
    } while (look_ns < from_ns);
    return look_ns;
}

/* An agent that is not woken finds out by itself, when it looks up. */
static void look_if_needed(station *m)
{
    int64_t when_ns = 0;
    if (m->inbox.first != NULL || m->finished > 0 || desk_due(m->desk, &when_ns)) {
        look_at(m, station_next_look(m, fmax((double)when_ns, m->world->now_ns)));
    }
}

static void wake_agent(station *m)
{
    m->woken = true;
    look_at(m, m->world->now_ns + ns(m->world->setup->costs.wake_s));
}

/* As a worker of a team does it: from the oldest block that has any tiles left. */
static void take_span(station *m, int worker)
{
    world *w = m->world;
    const simulation_setup *setup = w->setup;
    task *t = &m->task[worker];
    int64_t left = 0;
    if (m->ring == NULL || !ring_look(m->ring, &t->at, &left) ||
        !ring_take(m->ring, t->at,
                   pace_span_tiles(setup->workers, w->span_limit, t->tile_ns, left, false),
                   &t->span)) {
        t->next = m->waiting;
        m->waiting = worker;
        wake_agent(m);
        return;
    }
    const int64_t first = ((const work *)t->span.data)->all.first + t->span.first;
    t->start_ns = w->now_ns;
    t->work_ns = 0;
    for (int64_t tile = first; tile < first + t->span.tiles; tile++) {
        t->work_ns += world_tile_ns(w, tile);
    }
    const double *speeds = setup->speed;
    const double speed = speeds == NULL ? 1 : speeds[m->rank * setup->workers + worker];
    const event e = {
        .when = t->work_ns / speed, .kind = EVENT_COMPUTED, .rank = m->rank, .worker = worker};
    w->failed = !events_add_work(w->queue, &e) || w->failed;
    look_if_needed(m);
}

/* All of a block is computed: a worker, or some other for the agent, writes it. */
static void write_block(station *m, int worker, const ring_span *last)
{
    world *w = m->world;
    const job *j = w->setup->job;
    work *b = last->data;
    const double bytes = (double)b->kept * (double)j->tiles.grain * (double)j->item_bytes;
    const double write_ns = ns(w->setup->costs.block_s + bytes * w->setup->costs.byte_s);
    b->last = *last;
    world_add(w, w->now_ns + write_ns, EVENT_WRITTEN, m->rank, worker, b);
}

static void finish_span(station *m, int worker)
{
    world *w = m->world;
    task *t = &m->task[worker];
    work *b = t->span.data;
    assert(b != NULL);
    const double busy_ns = w->now_ns - t->start_ns;
    t->tile_ns = pace_learn(t->tile_ns, (int64_t)busy_ns, t->span.tiles);
    if (t->span.last || busy_ns > PACE_LEAST_SPAN_NS) {
        m->tile_ns = t->tile_ns;
    }
    b->busy_ns += busy_ns;
    b->work_ns += t->work_ns;
    w->result.busy_s += 1e-9 * busy_ns;
    w->result.computed += t->span.tiles;
    t->end_ns = w->now_ns;
    if (ring_finish(m->ring, &t->span)) {
        write_block(m, worker, &t->span);
        return;
    }
    if (t->span.last) {
        wake_agent(m);
    }
    take_span(m, worker);
}

/* The hooks of a desk. */

static desk_team look_hook(void *context)
{
    const station *m = context;
    if (m->ring == NULL) {
        return (desk_team){.idle = true, .waits = true};
    }
    return (desk_team){.stock = ring_stock(m->ring),
                       .tile_ns = m->tile_ns,
                       .full = ring_full(m->ring),
                       .idle = ring_blocks(m->ring) == 0,
                       .waits = m->waiting != NOBODY};
}

static bool offer_hook(void *context, interval p)
{
    station *m = context;
    world *w = m->world;
    work *b = malloc(sizeof *b);
    if (m->ring == NULL) {
        m->ring = ring_create(pace_blocks(w->setup->workers));
    }
    if (b == NULL || m->ring == NULL || !ring_offer(m->ring, p.tiles, false, b)) {
        w->failed = w->failed || b == NULL || m->ring == NULL;
        free(b);
        return false;
    }
    *b = (work){.all = p, .kept = p.tiles};
    /* All are told, but only as many as there are tiles can find any. */
    for (int64_t i = 0; i < p.tiles && m->waiting != NOBODY; i++) {
        world_add(w, w->now_ns + ns(w->setup->costs.wake_s), EVENT_READY, m->rank, m->waiting,
                  NULL);
        m->waiting = m->task[m->waiting].next;
    }
    return true;
}

static bool cut_hook(void *context, int64_t keep, int64_t most, interval *p)
{
    station *m = context;
    ring_span span;
    bool finished = false;
    if (m->ring == NULL || !ring_cut_youngest(m->ring, keep, most, &span, &finished)) {
        return false;
    }
    work *w = span.data;
    w->kept = span.first;
    *p = (interval){.first = w->all.first + span.first, .tiles = span.tiles};
    if (finished) {
        write_block(m, AGENT, &span);
    }
    return true;
}

static void halt_hook(void *context)
{
    interval ignored;
    while (cut_hook(context, 0, INT64_MAX, &ignored)) {
    }
}

static void send_hook(void *context, const void *bytes, size_t count)
{
    station *m = context;
    world_send(m->world, EVENT_POSTED, m->rank, bytes, count, m->world->now_ns);
}

static void report_hook(void *context, parcel *p)
{
    send_hook(context, &p->report, p->bytes);
    free(p);
}

static void drop_hook(void *context, parcel *p)
{
    (void)context;
    free(p);
}

static void sync_hook(void *context)
{
    station *m = context;
    world *w = m->world;
    world_add(w, w->now_ns + ns(w->setup->costs.sync_s), EVENT_SYNCED, m->rank, 0, NULL);
}

static void fail_hook(void *context, const error *why)
{
    (void)why;
    ((station *)context)->world->failed = true;
}

static bool end_children_hook(void *context)
{
    (void)context;
    return false;
}

/* The agent sees a block that has been written, each tile's time stretched by the block's. */
static void finish_block(station *m, work *w)
{
    const double stretch_s = 1e-9 * (w->work_ns > 0 ? w->busy_ns / w->work_ns : 1);
    desk_block finished = {.all = w->all, .kept = w->kept};
    parcel *p = calloc(1, sizeof *p);
    for (int64_t i = 0; i < w->kept; i++) {
        news_add(&finished.news, 1, stretch_s * world_tile_ns(m->world, w->all.first + i));
    }
    if (p != NULL) {
        p->bytes = sizeof p->report;
        p->report =
            (message_report){.kind = MESSAGE_REPORT, .first = w->all.first, .tiles = w->kept};
        desk_finish(m->desk, &finished, p);
    }
    m->world->failed = m->world->failed || p == NULL;
    free(w);
}

/* What an agent does when it looks up. */
static void look(station *m)
{
    const int64_t now_ns = (int64_t)m->world->now_ns;
    const bool active = m->woken || m->finished > 0 || m->inbox.first != NULL;
    m->look_ns = (double)INFINITY;
    for (; m->finished > 0; m->finished--) {
        finish_block(m, ring_collect(m->ring));
    }
    (void)desk_report(m->desk, now_ns);
    for (letter *l = letters_take(&m->inbox); l != NULL; l = letters_take(&m->inbox)) {
        desk_receive(m->desk, l->message, now_ns);
        free(l);
    }
    (void)desk_step(m->desk, false, now_ns);
    m->looked_ns = m->world->now_ns;
    m->active_ns = active ? m->world->now_ns : m->active_ns;
    m->woken = false;
    look_if_needed(m);
}

void station_handle(station *m, const event *e)
{
    switch ((event_kind)e->kind) {
    case EVENT_LOOK:
        if (e->when >= m->look_ns) {
            look(m);
        }
        break;
    case EVENT_READY:
        take_span(m, e->worker);
        break;
    case EVENT_COMPUTED:
        finish_span(m, e->worker);
        break;
    case EVENT_WRITTEN:
        ring_publish(m->ring, &((const work *)e->data)->last);
        m->finished++;
        wake_agent(m);
        if (e->worker != AGENT) {
            take_span(m, e->worker);
        }
        break;
    case EVENT_SYNCED:
        desk_synced(m->desk, m->world->setup->costs.sync_s);
        wake_agent(m);
        break;
    case EVENT_ARRIVED:
        letters_append(&m->inbox, e->data);
        if (m->rank == 0) {
            look_at(m, m->world->now_ns);
        } else {
            look_if_needed(m);
        }
        break;
    case EVENT_POSTED:
    case EVENT_SERVE:
        break;
    }
}

void station_return(station *m, double until_ns, bool active)
{
    m->looked_ns = until_ns;
    m->active_ns = active ? until_ns : m->active_ns;
    look_at(m, until_ns);
}

double station_idle_ns(const station *m, int worker)
{
    return m->task[worker].end_ns;
}

weft_status station_create(world *w, int rank, station **out, error *e)
{
    static const desk_hooks hooks = {.look = look_hook,
                                     .offer = offer_hook,
                                     .cut = cut_hook,
                                     .halt = halt_hook,
                                     .send = send_hook,
                                     .report = report_hook,
                                     .drop = drop_hook,
                                     .fail = fail_hook,
                                     .sync = sync_hook,
                                     .end_children = end_children_hook};
    const simulation_setup *setup = w->setup;
    station *m = calloc(1, sizeof *m + (size_t)setup->workers * sizeof m->task[0]);
    if (m == NULL) {
        return error_memory(e, "%d simulated ranks", setup->ranks);
    }
    const desk_setup decides = {.workers = setup->workers,
                                .ranks = setup->ranks,
                                .job = setup->job,
                                .sync_s = setup->costs.sync_s > 0 ? PACE_SYNC_S : 0,
                                .hooks = &hooks,
                                .context = m};
    const weft_status status = desk_create(&decides, &m->desk, e);
    if (status != WEFT_OK) {
        free(m);
        return status;
    }
    m->world = w;
    m->rank = rank;
    m->waiting = NOBODY;
    m->look_ns = (double)INFINITY;
    for (int worker = 0; worker < setup->workers; worker++) {
        m->task[worker].next = m->waiting;
        m->waiting = worker;
    }
    look_at(m, 0);
    *out = m;
    return WEFT_OK;
}

void station_destroy(station *m)
{
    if (m == NULL) {
        return;
    }
    ring_span span;
    bool finished = false;
    for (int n = 0; m->ring != NULL && ring_cut(m->ring, n, 0, &span, &finished); n++) {
        free(span.data);
    }
    for (letter *l = letters_take(&m->inbox); l != NULL; l = letters_take(&m->inbox)) {
        free(l);
    }
    ring_destroy(m->ring);
    desk_destroy(m->desk);
    free(m);
}
