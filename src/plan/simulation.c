/* SPDX-License-Identifier: BSD-3-Clause */
/* A run without a cluster: the desks of its ranks, their rings and the lead, which are those of a
 * real run, by a clock of its own, in which tiles take as long as the caller says. */
#include "plan/simulation.h"

#include "plan/events.h"
#include "sched/desk.h"
#include "sched/lead.h"
#include "sched/pace.h"
#include "team/ring.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Measured with Open MPI 4.1 on two cores that others used, too; medians. The coordinator in runs
 * of 2 to 8 ranks: 1.4 to 2.4 us for news, 2.9 us for a report of one tile, 28 us for one of 106
 * and 373 us for one of 1012, 3.9 to 5.5 us for a request and its answer. Messages: 2 us through
 * shared memory, 14 us through TCP on one host, of which the latter is taken. A thread that sleeps
 * on a condition wakes up in 15 us. On a local disk 4 KiB are written in 10 us, 1 MiB in 300 us,
 * and forced to disk in 0.3 to 0.9 ms. */
const simulation_costs simulation_usual_costs = {.latency_s = 1.4e-5,
                                                 .message_s = 2e-6,
                                                 .record_s = 1e-6,
                                                 .tile_s = 2.5e-7,
                                                 .block_s = 1e-5,
                                                 .byte_s = 3e-10,
                                                 .wake_s = 1.5e-5,
                                                 .sync_s = 1e-3};

/* Ranks may wait for very long. Looking after them every millisecond of it changes nothing: it is
 * done this much less often than the time that has passed. */
static const double look_share = 5e-4;

/* Longer runs are simulated on a scale, on which they take about that long: agents then look up
 * after a tenth of a millionth of the run at the most often, and at the least after some
 * thousandths. */
static const double longest_run_s = 60;

typedef enum event_kind {
    EVENT_LOOK,     /* an agent looks up */
    EVENT_READY,    /* a worker looks for a span */
    EVENT_COMPUTED, /* a worker has computed one */
    EVENT_WRITTEN,  /* a worker has written a block (data) */
    EVENT_SYNCED,   /* a rank's data are on disk */
    EVENT_ARRIVED,  /* a letter (data) has reached a rank */
    EVENT_POSTED,   /* a letter (data) has reached the coordinator */
    EVENT_SERVE     /* the coordinator looks up */
} event_kind;

/* A message on its way between a rank and the coordinator. */
typedef struct letter {
    struct letter *next;
    int rank; /* that is not the coordinator */
    size_t count;
    int64_t message[];
} letter;

/* The oldest first. */
typedef struct letters {
    letter *first;
    letter *last;
} letters;

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

typedef struct station {
    struct simulation *simulation;
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
    bool waits;     /* for a grant */
} station;

typedef struct simulation {
    const simulation_setup *setup;
    double scale; /* simulated seconds per second */
    int64_t span_limit;
    dispatch *dispatch;
    lead *lead;
    events *queue; /* in nanoseconds */
    station *station;
    task *task;      /* per worker, rank by rank */
    letters post;    /* for the coordinator */
    double serve_ns; /* when it is going to look up; INFINITY: it is not */
    double until_ns; /* it is through with what it took up last */
    double busy_ns;  /* it was, in all */
    int64_t waiting; /* ranks, for a grant */
    double now_ns;
    bool failed; /* out of memory */
    simulation_result result;
} simulation;

static double ns(double seconds)
{
    return 1e9 * seconds;
}

static double scaled_tile_ns(const simulation *s, int64_t tile)
{
    return s->scale * s->setup->tile_ns(s->setup->context, tile);
}

static task *task_of(const simulation *s, int rank, int worker)
{
    return &s->task[(int64_t)rank * s->setup->workers + worker];
}

static void add_event(simulation *s, double when, event_kind kind, int rank, int worker, void *data)
{
    const event e = {.when = when, .kind = (int)kind, .rank = rank, .worker = worker, .data = data};
    s->failed = !events_add(s->queue, &e) || s->failed;
}

static void look_at(simulation *s, int rank, double when_ns)
{
    station *m = &s->station[rank];
    if (when_ns < m->look_ns) {
        m->look_ns = when_ns;
        add_event(s, when_ns, EVENT_LOOK, rank, 0, NULL);
    }
}

/* When the agent looks up first, from a time on, if it is not woken. */
static double next_look(const station *m, double from_ns)
{
    const simulation *s = m->simulation;
    assert(s != NULL);
    const int ranks = s->setup->ranks;
    const urgency others = m->rank == 0 ? lead_urgency(s->lead) : URGENCY_NONE;
    const urgency here = desk_urgency(m->desk, (int64_t)from_ns);
    const urgency u = here > others ? here : others;
    double look_ns = m->looked_ns;
    do {
        const int64_t rest_ns =
            pace_rest(u, (int64_t)(look_ns - m->active_ns), ranks, (int64_t)m->looked_ns);
        if (look_ns < from_ns && rest_ns == pace_longest_rest(ranks)) {
            /* From here on it looks up regularly. */
            const int64_t times = (int64_t)((from_ns - look_ns) / (double)rest_ns);
            look_ns += (double)times * (double)rest_ns;
        }
        look_ns += (double)rest_ns;
    } while (look_ns < from_ns);
    return look_ns;
}

/* An agent that is not woken finds out by itself, when it looks up. */
static void look_if_needed(simulation *s, int rank)
{
    const station *m = &s->station[rank];
    int64_t when_ns = 0;
    if (m->inbox.first != NULL || m->finished > 0 || desk_due(m->desk, &when_ns)) {
        look_at(s, rank, next_look(m, fmax((double)when_ns, s->now_ns)));
    }
}

static void wake_agent(simulation *s, int rank)
{
    s->station[rank].woken = true;
    look_at(s, rank, s->now_ns + ns(s->setup->costs.wake_s));
}

/* As a worker of a team does it: from the oldest block that has any tiles left. */
static void take_span(simulation *s, int rank, int worker)
{
    const simulation_setup *setup = s->setup;
    station *m = &s->station[rank];
    task *t = task_of(s, rank, worker);
    int64_t left = 0;
    if (m->ring == NULL || !ring_look(m->ring, &t->at, &left) ||
        !ring_take(m->ring, t->at,
                   pace_span_tiles(setup->workers, s->span_limit, t->tile_ns, left, false),
                   &t->span)) {
        t->next = m->waiting;
        m->waiting = worker;
        wake_agent(s, rank);
        return;
    }
    const int64_t first = ((const work *)t->span.data)->all.first + t->span.first;
    t->start_ns = s->now_ns;
    t->work_ns = 0;
    for (int64_t tile = first; tile < first + t->span.tiles; tile++) {
        t->work_ns += scaled_tile_ns(s, tile);
    }
    const double speed = setup->speed == NULL ? 1 : setup->speed[t - s->task];
    const event e = {
        .when = t->work_ns / speed, .kind = EVENT_COMPUTED, .rank = rank, .worker = worker};
    s->failed = !events_add_work(s->queue, &e) || s->failed;
    look_if_needed(s, rank);
}

/* All of a block is computed: a worker, or some other for the agent, writes it. */
static void write_block(simulation *s, int rank, int worker, const ring_span *last)
{
    const job *j = s->setup->job;
    work *w = last->data;
    const double bytes = (double)w->kept * (double)j->tiles.grain * (double)j->item_bytes;
    const double write_ns = ns(s->setup->costs.block_s + bytes * s->setup->costs.byte_s);
    w->last = *last;
    add_event(s, s->now_ns + write_ns, EVENT_WRITTEN, rank, worker, w);
}

static void finish_span(simulation *s, int rank, int worker)
{
    task *t = task_of(s, rank, worker);
    station *m = &s->station[rank];
    work *w = t->span.data;
    assert(w != NULL);
    const double busy_ns = s->now_ns - t->start_ns;
    t->tile_ns = pace_learn(t->tile_ns, (int64_t)busy_ns, t->span.tiles);
    if (t->span.last || busy_ns > PACE_LEAST_SPAN_NS) {
        m->tile_ns = t->tile_ns;
    }
    w->busy_ns += busy_ns;
    w->work_ns += t->work_ns;
    s->result.busy_s += 1e-9 * busy_ns;
    s->result.computed += t->span.tiles;
    t->end_ns = s->now_ns;
    if (ring_finish(m->ring, &t->span)) {
        write_block(s, rank, worker, &t->span);
        return;
    }
    if (t->span.last) {
        wake_agent(s, rank);
    }
    take_span(s, rank, worker);
}

static void append(letters *l, letter *last)
{
    last->next = NULL;
    *(l->first == NULL ? &l->first : &l->last->next) = last;
    l->last = last;
}

static letter *take_first(letters *l)
{
    letter *first = l->first;
    l->first = first->next;
    return first;
}

/* A copy of a message is on its way. */
static void post(simulation *s, event_kind kind, int rank, const void *bytes, size_t count,
                 double sent_ns)
{
    const double way_ns = rank == 0 ? 0 : ns(s->setup->costs.latency_s);
    letter *l = malloc(sizeof *l + count);
    if (l == NULL) {
        s->failed = true;
        return;
    }
    l->rank = rank;
    l->count = count;
    memcpy(l->message, bytes, count);
    add_event(s, sent_ns + way_ns, kind, rank, 0, l);
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
    simulation *s = m->simulation;
    work *w = malloc(sizeof *w);
    if (m->ring == NULL) {
        m->ring = ring_create(pace_blocks(s->setup->workers));
    }
    if (w == NULL || m->ring == NULL || !ring_offer(m->ring, p.tiles, false, w)) {
        s->failed = s->failed || w == NULL || m->ring == NULL;
        free(w);
        return false;
    }
    *w = (work){.all = p, .kept = p.tiles};
    /* All are told, but only as many as there are tiles can find any. */
    for (int64_t i = 0; i < p.tiles && m->waiting != NOBODY; i++) {
        add_event(s, s->now_ns + ns(s->setup->costs.wake_s), EVENT_READY, m->rank, m->waiting,
                  NULL);
        m->waiting = task_of(s, m->rank, m->waiting)->next;
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
        write_block(m->simulation, m->rank, AGENT, &span);
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
    post(m->simulation, EVENT_POSTED, m->rank, bytes, count, m->simulation->now_ns);
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
    simulation *s = m->simulation;
    add_event(s, s->now_ns + ns(s->setup->costs.sync_s), EVENT_SYNCED, m->rank, 0, NULL);
}

static void fail_hook(void *context, const error *why)
{
    (void)why;
    ((station *)context)->simulation->failed = true;
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
        news_add(&finished.news, 1, stretch_s * scaled_tile_ns(m->simulation, w->all.first + i));
    }
    if (p != NULL) {
        p->bytes = sizeof p->report;
        p->report =
            (message_report){.kind = MESSAGE_REPORT, .first = w->all.first, .tiles = w->kept};
        desk_finish(m->desk, &finished, p);
    }
    m->simulation->failed = m->simulation->failed || p == NULL;
    free(w);
}

/* What an agent does when it looks up. */
static void step(simulation *s, int rank)
{
    station *m = &s->station[rank];
    const int64_t now_ns = (int64_t)s->now_ns;
    const bool active = m->woken || m->finished > 0 || m->inbox.first != NULL;
    m->look_ns = (double)INFINITY;
    for (; m->finished > 0; m->finished--) {
        finish_block(m, ring_collect(m->ring));
    }
    (void)desk_report(m->desk, now_ns);
    while (m->inbox.first != NULL) {
        letter *l = take_first(&m->inbox);
        desk_receive(m->desk, l->message, now_ns);
        free(l);
    }
    (void)desk_step(m->desk, false, now_ns);
    m->looked_ns = s->now_ns;
    m->active_ns = active ? s->now_ns : m->active_ns;
    m->woken = false;
    look_if_needed(s, rank);
}

/* The coordinator. */

/* The effects of the lead. No rank is lost, and there is neither a signal nor a limit of time, so
 * that these are all. */

static weft_status send_effect(void *context, int rank, const void *bytes, size_t count, error *e)
{
    (void)e;
    simulation *s = context;
    if (*(const message_kind *)bytes == MESSAGE_GRANT) {
        s->waiting -= s->station[rank].waits;
        s->station[rank].waits = false;
    }
    s->until_ns += ns(s->setup->costs.message_s);
    s->result.messages++;
    post(s, EVENT_ARRIVED, rank, bytes, count, s->until_ns);
    return WEFT_OK;
}

static weft_status lease_effect(void *context, const interval granted[], int intervals,
                                int64_t *ticket, error *e)
{
    (void)context;
    (void)granted;
    (void)intervals;
    (void)e;
    *ticket = 0;
    return WEFT_OK;
}

static weft_status leased_effect(void *context, int64_t ticket, bool *written, error *e)
{
    (void)context;
    (void)ticket;
    (void)e;
    *written = true;
    return WEFT_OK;
}

static weft_status record_effect(void *context, int rank, const message_report *report,
                                 size_t count, error *e)
{
    (void)rank;
    (void)count;
    (void)e;
    simulation *s = context;
    for (int64_t i = 0; i < report->tiles; i++) {
        s->result.duplicates += !dispatch_report(s->dispatch, report->first + i);
    }
    return WEFT_OK;
}

static void count_effect(void *context, int64_t *done, int64_t *failed)
{
    const simulation *s = context;
    *done = s->setup->tiles - dispatch_undone(s->dispatch);
    *failed = 0;
}

static weft_status close_effect(void *context, weft_status why, error *e)
{
    (void)e;
    ((simulation *)context)->failed = error_is_failure(why);
    return WEFT_OK;
}

static weft_status closed_effect(void *context, bool *closed, error *e)
{
    (void)context;
    (void)e;
    *closed = true;
    return WEFT_OK;
}

static void serve_from(simulation *s, double from_ns, bool own)
{
    /* Mail that arrives while the coordinator reads is read, too; what its own rank says, at once.
     */
    const double when_ns = from_ns <= s->until_ns ? s->until_ns
                           : own                  ? from_ns
                                                  : next_look(&s->station[0], from_ns);
    if (when_ns < s->serve_ns) {
        s->serve_ns = when_ns;
        add_event(s, when_ns, EVENT_SERVE, 0, 0, NULL);
    }
}

/* The coordinator takes a letter; how many orders that has led to. */
static int64_t handle(simulation *s, const letter *l)
{
    const simulation_costs *costs = &s->setup->costs;
    const message_kind *kind = (const void *)l->message;
    const message_ask *ask = (const void *)l->message;
    s->until_ns += ns(costs->message_s);
    s->result.messages++;
    if (*kind == MESSAGE_REPORT) {
        const message_report *report = (const void *)l->message;
        s->until_ns += ns(costs->record_s + costs->tile_s * (double)report->tiles);
    } else if (*kind == MESSAGE_ASK && ask->want > 0) {
        s->waiting += !s->station[l->rank].waits;
        s->station[l->rank].waits = true;
    }
    return lead_receive(s->lead, l->rank, l->message, l->count, (int64_t)s->until_ns);
}

/* The coordinator reads its mail and looks after ranks that wait. It is rank 0's agent: then it
 * sees to its own workers. */
static void serve(simulation *s)
{
    station *m = &s->station[0];
    const bool active = s->post.first != NULL;
    int64_t orders = 0;
    s->serve_ns = (double)INFINITY;
    s->until_ns = s->now_ns;
    while (s->post.first != NULL) {
        letter *l = take_first(&s->post);
        orders += handle(s, l);
        free(l);
    }
    orders += lead_step(s->lead, (int64_t)s->until_ns);
    if (orders > 0) {
        dispatch_set_overhead(s->dispatch, s->setup->costs.message_s);
    }
    s->busy_ns += s->until_ns - s->now_ns;
    m->looked_ns = s->until_ns;
    m->active_ns = active ? s->until_ns : m->active_ns;
    look_at(s, 0, s->until_ns);
    if (s->waiting > 0) {
        serve_from(s, s->until_ns + fmax(DISPATCH_NS, look_share * s->until_ns), false);
    }
}

static void handle_event(simulation *s, const event *e)
{
    station *m = &s->station[e->rank];
    switch ((event_kind)e->kind) {
    case EVENT_LOOK:
        if (e->when >= m->look_ns) {
            step(s, e->rank);
        }
        break;
    case EVENT_READY:
        take_span(s, e->rank, e->worker);
        break;
    case EVENT_COMPUTED:
        finish_span(s, e->rank, e->worker);
        break;
    case EVENT_WRITTEN:
        ring_publish(m->ring, &((const work *)e->data)->last);
        m->finished++;
        wake_agent(s, e->rank);
        if (e->worker != AGENT) {
            take_span(s, e->rank, e->worker);
        }
        break;
    case EVENT_SYNCED:
        desk_synced(m->desk, s->setup->costs.sync_s);
        wake_agent(s, e->rank);
        break;
    case EVENT_ARRIVED:
        append(&m->inbox, e->data);
        if (e->rank == 0) {
            look_at(s, 0, s->now_ns);
        } else {
            look_if_needed(s, e->rank);
        }
        break;
    case EVENT_POSTED:
        append(&s->post, e->data);
        serve_from(s, s->now_ns, e->rank == 0);
        break;
    case EVENT_SERVE:
        if (e->when >= s->serve_ns) {
            serve(s);
        }
        break;
    }
}

static weft_status create_dispatch(simulation *s, error *e)
{
    const simulation_setup *setup = s->setup;
    int *workers = calloc((size_t)setup->ranks, sizeof *workers);
    if (workers == NULL) {
        return error_memory(e, "%d simulated ranks", setup->ranks);
    }
    for (int rank = 0; rank < setup->ranks; rank++) {
        workers[rank] = setup->workers;
    }
    const dispatch_setup deal = {.tiles = setup->tiles,
                                 .ranks = setup->ranks,
                                 .workers = workers,
                                 .technique = setup->technique,
                                 .seed = setup->seed,
                                 .pure = setup->pure,
                                 .look_share = look_share};
    weft_status status = dispatch_create(&deal, &s->dispatch, e);
    for (int64_t tile = 0; tile < setup->tiles && status == WEFT_OK; tile++) {
        if (setup->done == NULL || !setup->done[tile]) {
            const double seconds = 1e-9 * setup->tile_ns(setup->context, tile);
            s->result.tiles++;
            s->result.work_s += seconds;
            s->result.longest_s = fmax(s->result.longest_s, seconds);
        } else {
            dispatch_set_done(s->dispatch, tile);
        }
    }
    const double workers_in_all = (double)setup->ranks * setup->workers;
    const double run_s = s->result.work_s / workers_in_all + s->result.longest_s;
    s->scale = run_s > longest_run_s ? longest_run_s / run_s : 1;
    if (status == WEFT_OK) {
        status = dispatch_start(s->dispatch, e);
    }
    free(workers);
    return status;
}

static weft_status create_lead(simulation *s, error *e)
{
    const lead_setup setup = {.outside = {.context = s,
                                          .send = send_effect,
                                          .lease = lease_effect,
                                          .leased = leased_effect,
                                          .record = record_effect,
                                          .count = count_effect,
                                          .close = close_effect,
                                          .closed = closed_effect},
                              .dispatch = s->dispatch,
                              .ranks = s->setup->ranks,
                              .items = s->setup->tiles,
                              .pure = s->setup->pure};
    return lead_create(&setup, 0, &s->lead, e);
}

static weft_status create_ranks(simulation *s, error *e)
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
    const simulation_setup *setup = s->setup;
    weft_status status = WEFT_OK;
    for (int rank = 0; rank < setup->ranks && status == WEFT_OK; rank++) {
        station *m = &s->station[rank];
        const desk_setup decides = {.workers = setup->workers,
                                    .ranks = setup->ranks,
                                    .job = setup->job,
                                    .sync_s = setup->costs.sync_s > 0 ? PACE_SYNC_S : 0,
                                    .hooks = &hooks,
                                    .context = m};
        *m = (station){
            .simulation = s, .rank = rank, .waiting = NOBODY, .look_ns = (double)INFINITY};
        status = desk_create(&decides, &m->desk, e);
        for (int worker = 0; worker < setup->workers; worker++) {
            task_of(s, rank, worker)->next = m->waiting;
            m->waiting = worker;
        }
    }
    return status;
}

static weft_status create(simulation *s, error *e)
{
    const simulation_setup *setup = s->setup;
    s->span_limit = pace_span_limit(setup->call_tiles > 0 ? setup->call_tiles : INT64_MAX);
    s->queue = events_create(setup->cores, setup->cpu_share);
    s->serve_ns = (double)INFINITY;
    s->station = calloc((size_t)setup->ranks, sizeof *s->station);
    s->task = calloc((size_t)setup->ranks * (size_t)setup->workers, sizeof *s->task);
    if (s->queue == NULL || s->station == NULL || s->task == NULL) {
        return error_memory(e, "%d simulated ranks", setup->ranks);
    }
    weft_status status = create_dispatch(s, e);
    if (status == WEFT_OK) {
        status = create_lead(s, e);
    }
    return status == WEFT_OK ? create_ranks(s, e) : status;
}

static void destroy_station(station *m)
{
    ring_span span;
    bool finished = false;
    for (int n = 0; m->ring != NULL && ring_cut(m->ring, n, 0, &span, &finished); n++) {
        free(span.data);
    }
    while (m->inbox.first != NULL) {
        free(take_first(&m->inbox));
    }
    ring_destroy(m->ring);
    desk_destroy(m->desk);
}

static void destroy(simulation *s)
{
    event e;
    while (s->queue != NULL && events_take(s->queue, &e)) {
        if (e.kind == EVENT_ARRIVED || e.kind == EVENT_POSTED) {
            free(e.data);
        }
    }
    while (s->post.first != NULL) {
        free(take_first(&s->post));
    }
    for (int rank = 0; s->station != NULL && rank < s->setup->ranks; rank++) {
        destroy_station(&s->station[rank]);
    }
    lead_destroy(s->lead);
    dispatch_destroy(s->dispatch);
    free(s->task);
    free(s->station);
    events_destroy(s->queue);
}

static weft_status run(simulation *s, error *e)
{
    for (int rank = 0; rank < s->setup->ranks; rank++) {
        look_at(s, rank, 0);
    }
    event next;
    serve(s);
    while (!lead_over(s->lead) && !s->failed) {
        if (!events_take(s->queue, &next)) {
            return error_set(e, WEFT_ERR_INTERNAL, "a simulation came to rest with %lld tiles left",
                             (long long)dispatch_undone(s->dispatch));
        }
        s->now_ns = fmax(s->now_ns, next.when);
        handle_event(s, &next);
    }
    return s->failed ? error_memory(e, "a simulation") : WEFT_OK;
}

static void sum_up(simulation *s)
{
    simulation_result *r = &s->result;
    const int64_t workers = (int64_t)s->setup->ranks * s->setup->workers;
    double first_ns = s->until_ns;
    double last_ns = 0;
    for (int64_t i = 0; i < workers; i++) {
        first_ns = fmin(first_ns, s->task[i].end_ns);
        last_ns = fmax(last_ns, s->task[i].end_ns);
    }
    const double second = 1e-9 / s->scale;
    r->makespan_s = second * s->until_ns;
    r->first_idle_s = second * first_ns;
    r->last_idle_s = second * last_ns;
    r->busy_s /= s->scale;
    r->coordinator = s->until_ns > 0 ? s->busy_ns / s->until_ns : 0;
    r->chunks = dispatch_chunks(s->dispatch);
}

weft_status simulate(const simulation_setup *setup, simulation_result *result, error *e)
{
    simulation s = {.setup = setup, .scale = 1};
    weft_status status = create(&s, e);
    if (status == WEFT_OK) {
        status = run(&s, e);
    }
    if (status == WEFT_OK) {
        sum_up(&s);
        *result = s.result;
    }
    destroy(&s);
    return status;
}
