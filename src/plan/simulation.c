/* SPDX-License-Identifier: BSD-3-Clause */
/* A run without a cluster: the decisions of coordinator, agents and teams by a clock of its own, in
 * which tiles take as long as somebody says. */
#include "plan/simulation.h"

#include "plan/events.h"
#include "plan/mimic.h"
#include "sched/dispatch.h"
#include "sched/pace.h"

#include <math.h>
#include <stdlib.h>

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

/* A sync pauses no longer than --sync says. */
static const double longest_pause_ns = 1e10;

/* Somebody may wait for very long. Looking after him every millisecond of it changes nothing: it is
 * done this much less often than the time that has passed. */
static const double look_share = 5e-4;

/* Longer runs are simulated on a scale, on which they take about that long: agents then look up
 * after a tenth of a millionth of the run at the most often, and at the least after some
 * thousandths. */
static const double longest_run_s = 60;

typedef enum event_kind {
    EVENT_LOOK,    /* an agent looks up */
    EVENT_READY,   /* a worker looks for a span */
    EVENT_WRITTEN, /* a worker has written a block (data) */
    EVENT_SYNCED,  /* a rank's data are on disk */
    EVENT_ARRIVED, /* a letter (data) has reached a rank */
    EVENT_POSTED,  /* a letter (data) has reached the coordinator */
    EVENT_SERVE,   /* the coordinator takes its next letter */
    EVENT_REMIND   /* the coordinator looks after those who wait */
} event_kind;

/* What a worker is at. */
typedef struct task {
    crew_block *block;
    int64_t tiles;
    bool last; /* span of the block */
    double start_ns;
    double work_ns;
    double end_ns;
} task;

typedef struct station {
    mimic *mimic;
    double look_ns; /* when its agent is going to look up; INFINITY: it is not */
    bool waits;     /* for a grant */
} station;

typedef struct simulation {
    const simulation_setup *setup;
    double scale; /* simulated seconds per second */
    dispatch *dispatch;
    events *queue;   /* in nanoseconds */
    events *working; /* ends of spans, in nanoseconds of a worker with a core of its own */
    station *station;
    task *task;   /* per worker, rank by rank */
    letter *post; /* for the coordinator, the oldest first */
    letter *post_end;
    bool serving;
    bool reminding;
    int64_t waiting; /* ranks */
    double now_ns;
    double worked_ns; /* the clock of `working` */
    double busy_ns;   /* of the coordinator */
    double *finish_s;
    bool over;
    bool failed; /* out of memory */
    simulation_result result;
} simulation;

static double ns(double seconds)
{
    return 1e9 * seconds;
}

static double scaled_tile_ns(const void *context, int64_t tile)
{
    const simulation *s = context;
    return s->scale * s->setup->tile_ns(s->setup->context, tile);
}

static void add_event(simulation *s, double when, event_kind kind, int rank, int worker, void *data)
{
    const event e = {.when = when, .kind = (int)kind, .rank = rank, .worker = worker, .data = data};
    s->failed = !events_add(s->queue, &e) || s->failed;
}

/* How fast a span gets on: with too few cores, as its share of them allows. */
static double rate(const simulation *s)
{
    const double wanted = (double)events_count(s->working) * s->setup->cpu_share;
    return s->setup->cores > 0 && wanted > s->setup->cores ? s->setup->cores / wanted : 1;
}

static void look_at(simulation *s, int rank, double when_ns)
{
    station *m = &s->station[rank];
    if (when_ns < m->look_ns) {
        m->look_ns = when_ns;
        add_event(s, when_ns, EVENT_LOOK, rank, 0, NULL);
    }
}

/* An agent that is not woken finds out by itself, when it looks up. */
static void look_if_needed(simulation *s, int rank)
{
    const mimic *m = s->station[rank].mimic;
    double when_ns = 0;
    if (mimic_has_to_look(m, &when_ns)) {
        look_at(s, rank, mimic_next_look(m, when_ns > s->now_ns ? when_ns : s->now_ns));
    }
}

static void wake_agent(simulation *s, int rank)
{
    look_at(s, rank, s->now_ns + ns(s->setup->costs.wake_s));
}

static void take_span(simulation *s, int rank, int worker)
{
    const simulation_setup *setup = s->setup;
    crew *c = mimic_crew(s->station[rank].mimic);
    const int64_t number = (int64_t)rank * setup->workers + worker;
    task *t = &s->task[number];
    interval span;
    if (!crew_take(c, worker, &t->block, &span, &t->last)) {
        crew_wait(c, worker);
        wake_agent(s, rank);
        return;
    }
    t->tiles = span.tiles;
    t->start_ns = s->now_ns;
    t->work_ns = 0;
    for (int64_t tile = span.first; tile < interval_end(span); tile++) {
        t->work_ns += scaled_tile_ns(s, tile);
    }
    const double speed = setup->speed == NULL ? 1 : setup->speed[number];
    const event e = {.when = s->worked_ns + t->work_ns / speed, .rank = rank, .worker = worker};
    s->failed = !events_add(s->working, &e) || s->failed;
    look_if_needed(s, rank);
}

static double write_ns(const simulation *s, const crew_block *b)
{
    const job *j = s->setup->job;
    const double bytes = (double)b->all.tiles * (double)j->tiles.grain * (double)j->item_bytes;
    return ns(s->setup->costs.block_s + bytes * s->setup->costs.byte_s);
}

static void finish_span(simulation *s, int rank, int worker)
{
    task *t = &s->task[(int64_t)rank * s->setup->workers + worker];
    const double busy_ns = s->now_ns - t->start_ns;
    crew *c = mimic_crew(s->station[rank].mimic);
    const bool finished = crew_finish(c, worker, t->block, t->tiles, busy_ns, t->work_ns, t->last);
    s->result.busy_s += 1e-9 * busy_ns;
    s->result.computed += t->tiles;
    t->end_ns = s->now_ns;
    if (s->finish_s != NULL) {
        s->finish_s[rank] = 1e-9 * s->now_ns / s->scale;
    }
    if (finished) {
        add_event(s, s->now_ns + write_ns(s, t->block), EVENT_WRITTEN, rank, worker, t->block);
        return;
    }
    if (t->last) {
        wake_agent(s, rank);
    }
    take_span(s, rank, worker);
}

/* The agent's hooks. */

static void post(void *context, letter *l)
{
    simulation *s = context;
    const double way_ns = l->rank == 0 ? 0 : ns(s->setup->costs.latency_s);
    add_event(s, s->now_ns + way_ns, EVENT_POSTED, l->rank, 0, l);
}

static void wake_worker(void *context, int rank, int worker)
{
    simulation *s = context;
    add_event(s, s->now_ns + ns(s->setup->costs.wake_s), EVENT_READY, rank, worker, NULL);
}

static void sync(void *context, int rank)
{
    simulation *s = context;
    add_event(s, s->now_ns + ns(s->setup->costs.sync_s), EVENT_SYNCED, rank, 0, NULL);
}

enum { AGENT = -1 };

static void write_block(void *context, int rank, crew_block *b)
{
    simulation *s = context;
    add_event(s, s->now_ns + write_ns(s, b), EVENT_WRITTEN, rank, AGENT, b);
}

static void step(simulation *s, int rank)
{
    const mimic_hooks hooks = {
        .context = s, .send = post, .wake = wake_worker, .sync = sync, .write = write_block};
    s->station[rank].look_ns = (double)INFINITY;
    s->failed = !mimic_step(s->station[rank].mimic, s->now_ns, &hooks) || s->failed;
    look_if_needed(s, rank);
}

/* The coordinator. */

static void push_post(simulation *s, letter *l)
{
    l->next = NULL;
    if (s->post_end != NULL) {
        s->post_end->next = l;
    } else {
        s->post = l;
    }
    s->post_end = l;
    if (!s->serving) {
        s->serving = true;
        add_event(s, mimic_next_look(s->station[0].mimic, s->now_ns), EVENT_SERVE, 0, 0, NULL);
    }
}

static letter *pop_post(simulation *s)
{
    letter *l = s->post;
    s->post = l->next;
    s->post_end = s->post == NULL ? NULL : s->post_end;
    l->next = NULL;
    return l;
}

static void send_order(simulation *s, const order *o, double when_ns)
{
    const bool grant = o->kind == ORDER_GRANT;
    letter *l =
        letter_create(grant ? MESSAGE_GRANT : MESSAGE_RECALL, o->rank, grant ? o->intervals : 0);
    if (l == NULL) {
        s->failed = true;
        return;
    }
    for (int i = 0; i < l->intervals; i++) {
        l->interval[i] = o->interval[i];
    }
    if (grant && s->station[o->rank].waits) {
        s->station[o->rank].waits = false;
        s->waiting--;
    }
    const double way_ns = o->rank == 0 ? 0 : ns(s->setup->costs.latency_s);
    add_event(s, when_ns + way_ns, EVENT_ARRIVED, o->rank, 0, l);
}

/* All that is decided by now; gives the time at which it has been sent. */
static double send_orders(simulation *s, double when_ns)
{
    const double message_ns = ns(s->setup->costs.message_s);
    double spent_ns = 0;
    int64_t orders = 0;
    order o;
    while (!s->failed && dispatch_next(s->dispatch, (int64_t)when_ns, &o)) {
        spent_ns += message_ns;
        orders++;
        send_order(s, &o, when_ns + spent_ns);
    }
    if (orders > 0) {
        dispatch_set_overhead(s->dispatch, s->setup->costs.message_s);
    }
    s->result.messages += orders;
    s->busy_ns += spent_ns;
    return when_ns + spent_ns;
}

static void take_report(simulation *s, const crew_block *b)
{
    for (int64_t tile = b->all.first; tile < interval_end(b->all); tile++) {
        s->result.duplicates += !dispatch_report(s->dispatch, tile);
    }
}

/* What the coordinator does with a letter; gives the time when it is through with it. */
static double handle(simulation *s, const letter *l)
{
    const simulation_costs *costs = &s->setup->costs;
    double spent_ns = ns(costs->message_s);
    if (l->kind == MESSAGE_REPORT) {
        spent_ns += ns(costs->record_s + costs->tile_s * (double)l->block->all.tiles);
    }
    const double end_ns = s->now_ns + spent_ns;
    const int64_t clock_ns = (int64_t)end_ns;
    s->busy_ns += spent_ns;
    s->result.messages++;
    if (l->kind == MESSAGE_ASK) {
        s->waiting += !s->station[l->rank].waits;
        s->station[l->rank].waits = true;
        dispatch_ask(s->dispatch, l->rank, l->want);
        return send_orders(s, end_ns);
    }
    if (l->kind == MESSAGE_RETURN) {
        dispatch_return(s->dispatch, l->rank, l->intervals, l->interval, l->left, clock_ns);
        return send_orders(s, end_ns);
    }
    if (l->kind == MESSAGE_NEWS) {
        dispatch_hear(s->dispatch, l->rank, &l->news, clock_ns);
    } else if (l->kind == MESSAGE_REPORT) {
        take_report(s, l->block);
    }
    return end_ns;
}

static void remind_later(simulation *s)
{
    if (s->waiting > 0 && !s->reminding) {
        const double pause_ns = fmax(DISPATCH_NS, look_share * s->now_ns);
        s->reminding = true;
        add_event(s, mimic_next_look(s->station[0].mimic, s->now_ns + pause_ns), EVENT_REMIND, 0, 0,
                  NULL);
    }
}

/* The coordinator is rank 0's agent: once it has read all mail, it sees to its own workers. */
static void end_reading(simulation *s)
{
    s->serving = false;
    s->over = dispatch_undone(s->dispatch) == 0;
    mimic_stay_awake(s->station[0].mimic, s->now_ns);
    look_at(s, 0, s->now_ns);
    remind_later(s);
}

static void serve(simulation *s)
{
    if (s->post == NULL) {
        end_reading(s);
        return;
    }
    letter *l = pop_post(s);
    const double end_ns = handle(s, l);
    letter_destroy(l);
    add_event(s, end_ns, EVENT_SERVE, 0, 0, NULL);
}

static void remind(simulation *s)
{
    s->reminding = false;
    if (!s->serving) {
        (void)send_orders(s, s->now_ns);
    }
    remind_later(s);
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
    case EVENT_WRITTEN:
        mimic_written(m->mimic, e->data);
        wake_agent(s, e->rank);
        if (e->worker != AGENT) {
            take_span(s, e->rank, e->worker);
        }
        break;
    case EVENT_SYNCED:
        mimic_synced(m->mimic, s->now_ns);
        look_if_needed(s, e->rank);
        break;
    case EVENT_ARRIVED:
        mimic_deliver(m->mimic, e->data);
        look_if_needed(s, e->rank);
        break;
    case EVENT_POSTED:
        push_post(s, e->data);
        break;
    case EVENT_SERVE:
        serve(s);
        break;
    case EVENT_REMIND:
        remind(s);
        break;
    }
}

static void advance(simulation *s, double when_ns)
{
    if (when_ns > s->now_ns) {
        s->worked_ns += (when_ns - s->now_ns) * rate(s);
        s->now_ns = when_ns;
    }
}

/* Whatever comes first: the end of a span, or anything else. False: nothing will ever happen. */
static bool happen(simulation *s)
{
    event e;
    event span;
    const bool any = events_peek(s->queue, &e);
    const bool works = events_peek(s->working, &span);
    const double end_ns =
        works ? s->now_ns + fmax(0, span.when - s->worked_ns) / rate(s) : (double)INFINITY;
    if (works && (!any || end_ns <= e.when)) {
        advance(s, end_ns);
        (void)events_take(s->working, &span);
        finish_span(s, span.rank, span.worker);
        return true;
    }
    if (any) {
        advance(s, e.when);
        (void)events_take(s->queue, &e);
        handle_event(s, &e);
    }
    return any;
}

static bool to_do(const simulation_setup *setup, int64_t tile)
{
    return setup->done == NULL || !setup->done[tile];
}

static weft_status create_dispatch(simulation *s, error *e)
{
    const simulation_setup *setup = s->setup;
    int *workers = calloc((size_t)setup->ranks, sizeof *workers);
    if (workers == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for %d simulated ranks", setup->ranks);
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
        if (to_do(setup, tile)) {
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

static weft_status create_ranks(simulation *s, error *e)
{
    const simulation_setup *setup = s->setup;
    const double pause_ns = PACE_SYNC_PAUSES * ns(setup->costs.sync_s);
    mimic_setup each = {.ranks = setup->ranks,
                        .workers = setup->workers,
                        .call_tiles = setup->call_tiles > 0 ? setup->call_tiles : INT64_MAX,
                        .syncs = setup->costs.sync_s > 0,
                        .sync_pause_ns = fmin(pause_ns, longest_pause_ns),
                        .job = setup->job,
                        .tile_ns = scaled_tile_ns,
                        .context = s};
    weft_status status = WEFT_OK;
    for (int rank = 0; rank < setup->ranks && status == WEFT_OK; rank++) {
        each.rank = rank;
        s->station[rank].look_ns = (double)INFINITY;
        status = mimic_create(&each, &s->station[rank].mimic, e);
        for (int worker = 0; worker < setup->workers && status == WEFT_OK; worker++) {
            crew_wait(mimic_crew(s->station[rank].mimic), worker);
        }
    }
    return status;
}

static weft_status create(simulation *s, error *e)
{
    const simulation_setup *setup = s->setup;
    s->queue = events_create();
    s->working = events_create();
    s->station = calloc((size_t)setup->ranks, sizeof *s->station);
    s->task = calloc((size_t)setup->ranks * (size_t)setup->workers, sizeof *s->task);
    if (s->queue == NULL || s->working == NULL || s->station == NULL || s->task == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for %d simulated ranks", setup->ranks);
    }
    const weft_status status = create_dispatch(s, e);
    return status == WEFT_OK ? create_ranks(s, e) : status;
}

static void destroy_letters(events *queue)
{
    event e;
    while (queue != NULL && events_take(queue, &e)) {
        if (e.kind == EVENT_ARRIVED || e.kind == EVENT_POSTED) {
            letter_destroy(e.data);
        }
    }
}

static void destroy(simulation *s)
{
    destroy_letters(s->queue);
    letter_destroy(s->post);
    for (int rank = 0; s->station != NULL && rank < s->setup->ranks; rank++) {
        mimic_destroy(s->station[rank].mimic);
    }
    dispatch_destroy(s->dispatch);
    free(s->task);
    free(s->station);
    events_destroy(s->working);
    events_destroy(s->queue);
}

static weft_status run(simulation *s, error *e)
{
    for (int rank = 0; rank < s->setup->ranks; rank++) {
        look_at(s, rank, 0);
    }
    s->over = dispatch_undone(s->dispatch) == 0;
    while (!s->over && !s->failed) {
        if (!happen(s)) {
            return error_set(e, WEFT_ERR_INTERNAL, "a simulation came to rest with %lld tiles left",
                             (long long)dispatch_undone(s->dispatch));
        }
    }
    if (s->failed) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for a simulation");
    }
    return WEFT_OK;
}

static void sum_up(simulation *s)
{
    simulation_result *r = &s->result;
    const int64_t workers = (int64_t)s->setup->ranks * s->setup->workers;
    double first_ns = s->now_ns;
    double last_ns = 0;
    for (int64_t i = 0; i < workers; i++) {
        first_ns = fmin(first_ns, s->task[i].end_ns);
        last_ns = fmax(last_ns, s->task[i].end_ns);
    }
    const double second = 1e-9 / s->scale;
    r->makespan_s = second * s->now_ns;
    r->first_idle_s = second * first_ns;
    r->last_idle_s = second * last_ns;
    r->busy_s /= s->scale;
    r->coordinator = s->now_ns > 0 ? s->busy_ns / s->now_ns : 0;
    r->chunks = dispatch_chunks(s->dispatch);
}

weft_status simulate(const simulation_setup *setup, simulation_result *result, double *finish_s,
                     error *e)
{
    simulation s = {.setup = setup, .scale = 1, .finish_s = finish_s};
    for (int rank = 0; finish_s != NULL && rank < setup->ranks; rank++) {
        finish_s[rank] = 0;
    }
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
