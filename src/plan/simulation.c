/* SPDX-License-Identifier: BSD-3-Clause */
/* A run without a cluster: the desks of its ranks, their rings and the lead, which are those of a
 * real run, by a clock of its own, in which tiles take as long as the caller says. */
#include "plan/simulation.h"

#include "plan/station.h"
#include "plan/world.h"

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

/* Ranks may wait for very long. Looking after them every millisecond of it changes nothing: it is
 * done this much less often than the time that has passed. */
static const double look_share = 5e-4;

/* Longer runs are simulated on a scale, on which they take about that long: agents then look up
 * after a tenth of a millionth of the run at the most often, and at the least after some
 * thousandths. */
static const double longest_run_s = 60;

typedef struct simulation {
    world world;
    dispatch *dispatch;
    lead *lead;
    station **station; /* per rank */
    bool *waits;       /* the rank does, for a grant */
    int64_t waiting;   /* ranks that do */
    letters post;      /* for the coordinator */
    double serve_ns;   /* when it is going to look up; INFINITY: it is not */
    double until_ns;   /* it is through with what it took up last */
    double busy_ns;    /* it was, in all */
} simulation;

/* The effects of the lead. No rank is lost, and there is neither a signal nor a limit of time, so
 * that these are all. */

static weft_status send_effect(void *context, int rank, const void *bytes, size_t count, error *e)
{
    (void)e;
    simulation *s = context;
    if (*(const message_kind *)bytes == MESSAGE_GRANT) {
        s->waiting -= s->waits[rank];
        s->waits[rank] = false;
    }
    s->until_ns += ns(s->world.setup->costs.message_s);
    s->world.result.messages++;
    world_send(&s->world, EVENT_ARRIVED, rank, bytes, count, s->until_ns);
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
        s->world.result.duplicates += !dispatch_report(s->dispatch, report->first + i);
    }
    return WEFT_OK;
}

static void count_effect(void *context, int64_t *done, int64_t *failed)
{
    const simulation *s = context;
    *done = s->world.setup->tiles - dispatch_undone(s->dispatch);
    *failed = 0;
}

static weft_status close_effect(void *context, weft_status why, error *e)
{
    (void)e;
    ((simulation *)context)->world.failed = error_is_failure(why);
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
                                                  : station_next_look(s->station[0], from_ns);
    if (when_ns < s->serve_ns) {
        s->serve_ns = when_ns;
        world_add(&s->world, when_ns, EVENT_SERVE, 0, 0, NULL);
    }
}

/* The coordinator takes a letter; how many orders that has led to. */
static int64_t handle(simulation *s, const letter *l)
{
    const simulation_costs *costs = &s->world.setup->costs;
    const message_kind *kind = (const void *)l->message;
    const message_ask *ask = (const void *)l->message;
    s->until_ns += ns(costs->message_s);
    s->world.result.messages++;
    if (*kind == MESSAGE_REPORT) {
        const message_report *report = (const void *)l->message;
        s->until_ns += ns(costs->record_s + costs->tile_s * (double)report->tiles);
    } else if (*kind == MESSAGE_ASK && ask->want > 0) {
        s->waiting += !s->waits[l->rank];
        s->waits[l->rank] = true;
    }
    return lead_receive(s->lead, l->rank, l->message, l->count, (int64_t)s->until_ns);
}

/* The coordinator reads its mail and looks after ranks that wait. It is rank 0's agent: then it
 * sees to its own workers. */
static void serve(simulation *s)
{
    const bool active = s->post.first != NULL;
    int64_t orders = 0;
    s->serve_ns = (double)INFINITY;
    s->until_ns = s->world.now_ns;
    for (letter *l = letters_take(&s->post); l != NULL; l = letters_take(&s->post)) {
        orders += handle(s, l);
        free(l);
    }
    orders += lead_step(s->lead, (int64_t)s->until_ns);
    if (orders > 0) {
        dispatch_set_overhead(s->dispatch, s->world.setup->costs.message_s);
    }
    s->busy_ns += s->until_ns - s->world.now_ns;
    station_return(s->station[0], s->until_ns, active);
    if (s->waiting > 0) {
        serve_from(s, s->until_ns + fmax(DISPATCH_NS, look_share * s->until_ns), false);
    }
}

static void handle_event(simulation *s, const event *e)
{
    if (e->kind == EVENT_POSTED) {
        letters_append(&s->post, e->data);
        serve_from(s, s->world.now_ns, e->rank == 0);
    } else if (e->kind != EVENT_SERVE) {
        station_handle(s->station[e->rank], e);
    } else if (e->when >= s->serve_ns) {
        serve(s);
    }
}

static weft_status create_dispatch(simulation *s, error *e)
{
    const simulation_setup *setup = s->world.setup;
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
            s->world.result.tiles++;
            s->world.result.work_s += seconds;
            s->world.result.longest_s = fmax(s->world.result.longest_s, seconds);
        } else {
            dispatch_set_done(s->dispatch, tile);
        }
    }
    const double workers_in_all = (double)setup->ranks * setup->workers;
    const double run_s = s->world.result.work_s / workers_in_all + s->world.result.longest_s;
    s->world.scale = run_s > longest_run_s ? longest_run_s / run_s : 1;
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
                              .ranks = s->world.setup->ranks,
                              .items = s->world.setup->tiles,
                              .pure = s->world.setup->pure};
    return lead_create(&setup, 0, &s->lead, e);
}

static weft_status create(simulation *s, error *e)
{
    const simulation_setup *setup = s->world.setup;
    s->serve_ns = (double)INFINITY;
    s->station = calloc((size_t)setup->ranks, sizeof(station *));
    s->waits = calloc((size_t)setup->ranks, sizeof *s->waits);
    if (s->station == NULL || s->waits == NULL) {
        return error_memory(e, "%d simulated ranks", setup->ranks);
    }
    weft_status status = create_dispatch(s, e);
    if (status == WEFT_OK) {
        status = create_lead(s, e);
        s->world.lead = s->lead;
    }
    for (int rank = 0; rank < setup->ranks && status == WEFT_OK; rank++) {
        status = station_create(&s->world, rank, &s->station[rank], e);
    }
    return status;
}

static void destroy(simulation *s)
{
    world_destroy(&s->world);
    for (letter *l = letters_take(&s->post); l != NULL; l = letters_take(&s->post)) {
        free(l);
    }
    for (int rank = 0; s->station != NULL && rank < s->world.setup->ranks; rank++) {
        station_destroy(s->station[rank]);
    }
    lead_destroy(s->lead);
    dispatch_destroy(s->dispatch);
    free(s->waits);
    free(s->station);
}

static weft_status run(simulation *s, error *e)
{
    world *w = &s->world;
    event next;
    serve(s);
    while (!lead_over(s->lead) && !w->failed) {
        if (!events_take(w->queue, &next)) {
            return error_set(e, WEFT_ERR_INTERNAL, "a simulation came to rest with %lld tiles left",
                             (long long)dispatch_undone(s->dispatch));
        }
        w->now_ns = fmax(w->now_ns, next.when);
        handle_event(s, &next);
    }
    return w->failed ? error_memory(e, "a simulation") : WEFT_OK;
}

static void sum_up(simulation *s)
{
    const simulation_setup *setup = s->world.setup;
    simulation_result *r = &s->world.result;
    double first_ns = s->until_ns;
    double last_ns = 0;
    for (int rank = 0; rank < setup->ranks; rank++) {
        for (int worker = 0; worker < setup->workers; worker++) {
            const double idle_ns = station_idle_ns(s->station[rank], worker);
            first_ns = fmin(first_ns, idle_ns);
            last_ns = fmax(last_ns, idle_ns);
        }
    }
    const double second = 1e-9 / s->world.scale;
    r->makespan_s = second * s->until_ns;
    r->first_idle_s = second * first_ns;
    r->last_idle_s = second * last_ns;
    r->busy_s /= s->world.scale;
    r->coordinator = s->until_ns > 0 ? s->busy_ns / s->until_ns : 0;
    r->chunks = dispatch_chunks(s->dispatch);
}

weft_status simulate(const simulation_setup *setup, simulation_result *result, error *e)
{
    simulation s = {.serve_ns = 0};
    weft_status status = world_create(setup, &s.world, e);
    if (status == WEFT_OK) {
        status = create(&s, e);
    }
    if (status == WEFT_OK) {
        status = run(&s, e);
    }
    if (status == WEFT_OK) {
        sum_up(&s);
        *result = s.world.result;
    }
    destroy(&s);
    return status;
}
