/* SPDX-License-Identifier: BSD-3-Clause */
/* Rank 0's part of a run: gives messages and the time to what decides (sched/lead), and does what
 * that decides: sends messages, keeps the run record, says how the run is getting on. */
#include "engine/coord/coordinator.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "engine/coord/run_record.h"
#include "engine/flow/flow.h"
#include "host/signals.h"
#include "sched/dispatch.h"
#include "sched/lead.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The run's row and the lock are brought up to date this often. */
static const int64_t update_ns = INT64_C(1000000000);

/* How far it is, this often; and what workers are at, which takes a look at each rank. */
static const int64_t tally_ns = INT64_C(20000000);
static const int64_t workers_ns = INT64_C(100000000);

struct coordinator {
    coordinator_setup setup;
    run_record *run_record;
    efforts *efforts;
    dispatch *dispatch;
    lead *lead;
    int64_t begun_ns;
    int64_t next_update_ns;
    int64_t next_sync_ns;
    int64_t next_tally_ns;
    int64_t next_workers_ns;
    int32_t workers[WEFT_STATES];
    bool cancelled;
    progress progress;
};

static tally count_up(const coordinator *c)
{
    tally now = {.leased = dispatch_leased(c->dispatch),
                 .undone = dispatch_undone(c->dispatch),
                 .items = run_record_done(c->run_record),
                 .failed = run_record_failed(c->run_record)};
    memcpy(now.workers, c->workers, sizeof now.workers);
    return now;
}

static void count_workers(coordinator *c, int64_t now_ns)
{
    if (now_ns >= c->next_workers_ns) {
        const efforts_sum sum = efforts_sum_up(c->efforts, now_ns);
        memcpy(c->workers, sum.workers, sizeof c->workers);
        c->next_workers_ns = now_ns + workers_ns;
    }
}

/* A rank hears with each beat how far the run is. The last word is also for the closing line. */
static weft_status send_bytes(void *context, int rank, const void *bytes, size_t count, error *e)
{
    coordinator *c = context;
    message_beat beat;
    if (*(const message_kind *)bytes == MESSAGE_BEAT) {
        memcpy(&beat, bytes, sizeof beat);
        beat.tally = count_up(c);
        bytes = &beat;
    } else if (*(const message_kind *)bytes == MESSAGE_END) {
        c->cancelled = ((const message_end *)bytes)->cancelled;
    }
    return mail_send(c->setup.mail, rank, message_rings(bytes) ? MAIL_RINGS : MAIL_PLAIN, bytes,
                     count, e);
}

static void hold_mail(void *context, int rank, bool held)
{
    mail_hold(((coordinator *)context)->setup.mail, rank, held);
}

static void drop_mail(void *context, int rank)
{
    mail_drop(((coordinator *)context)->setup.mail, rank);
}

static bool mail_waits(void *context, int rank)
{
    return mail_waiting(((coordinator *)context)->setup.mail, rank) > 0;
}

/* Every tile of a grant is leased in the file before a rank gets it. */
static weft_status lease(void *context, const interval granted[], int intervals, int64_t *ticket,
                         error *e)
{
    lease_table *table = store_leases(((coordinator *)context)->setup.store);
    weft_status status = WEFT_OK;
    for (int i = 0; i < intervals && status == WEFT_OK; i++) {
        status = lease_table_set(table, granted[i].first, granted[i].tiles, true, e);
    }
    *ticket = lease_table_asked(table);
    return status;
}

static weft_status look_at_leases(void *context, int64_t ticket, bool *written, error *e)
{
    lease_table *table = store_leases(((coordinator *)context)->setup.store);
    *written = lease_table_written(table, ticket);
    return *written ? WEFT_OK : lease_table_status(table, e);
}

static weft_status record(void *context, int rank, const message_report *report, size_t count,
                          error *e)
{
    const coordinator *c = context;
    const void *bytes = report;
    (void)rank;
    void *piece = mail_keep(c->setup.mail, &bytes, count);
    if (piece == NULL) {
        return error_memory(e, "a report of %zu bytes", count);
    }
    const weft_status status = run_record_take(c->run_record, bytes, count, piece, e);
    pool_give(piece);
    return status;
}

static void tell_of_loss(void *context, int rank, int64_t tiles, const char *why)
{
    coordinator *c = context;
    const double at_s = 1e-9 * (double)(clock_now_ns() - c->begun_ns);
    log_print(LOG_WARNING,
              "rank %d on host %s %s, %.1f s after the start: it is presumed dead, and the "
              "%" PRId64 " tiles it had are computed by others",
              rank, c->setup.placement->host[rank].name, why, at_s, tiles);
    efforts_lose(c->efforts, rank);
    run_record_lose(c->run_record, rank, tiles);
}

static void tell_of_return(void *context, int rank)
{
    const coordinator *c = context;
    log_print(LOG_WARNING, "rank %d on host %s is back", rank, c->setup.placement->host[rank].name);
}

static void count_items(void *context, int64_t *done, int64_t *failed)
{
    const coordinator *c = context;
    *done = run_record_done(c->run_record);
    *failed = run_record_failed(c->run_record);
}

static void tell_of_stop(void *context, int signal)
{
    const coordinator *c = context;
    if (signal == SIGNAL_CANCEL) {
        log_print(LOG_INFO, "map '%s' is cancelled: stopping in good order", c->setup.job->name);
    } else {
        log_print(LOG_INFO, "%s: stopping in good order",
                  signal != 0 ? signals_name(signal) : "the time limit is near");
    }
}

static weft_status close_record(void *context, weft_status why, error *e)
{
    return run_record_end(((coordinator *)context)->run_record, why, e);
}

static weft_status look_at_record(void *context, bool *closed, error *e)
{
    store *s = ((coordinator *)context)->setup.store;
    *closed = store_flushed(s);
    return *closed ? store_status(s, e) : WEFT_OK;
}

static void warn(void *context, const char *text)
{
    (void)context;
    log_print(LOG_WARNING, "%s", text);
}

/* What earlier runs have done is known before anything is handed out. */
static weft_status prepare(coordinator *c, error *e)
{
    const coordinator_setup *setup = &c->setup;
    const dispatch_setup deal = {.tiles = setup->job->tiles.tiles,
                                 .ranks = setup->placement->ranks,
                                 .workers = setup->placement->threads,
                                 .technique = setup->options->technique,
                                 .seed = setup->job->seed,
                                 .pure = setup->options->pure};
    weft_status status = dispatch_create(&deal, &c->dispatch, e);
    if (status == WEFT_OK) {
        status = efforts_create(setup->placement->ranks, setup->placement->threads, &c->efforts, e);
    }
    if (status == WEFT_OK) {
        const run_record_setup recorded = {.job = setup->job,
                                           .store = setup->store,
                                           .placement = setup->placement,
                                           .dispatch = c->dispatch,
                                           .efforts = c->efforts,
                                           .options = setup->options};
        status = run_record_open(&recorded, &c->run_record, e);
    }
    if (status == WEFT_OK) {
        status = dispatch_start(c->dispatch, e);
    }
    const lead_setup led = {.outside = {.context = c,
                                        .send = send_bytes,
                                        .hold = hold_mail,
                                        .drop = drop_mail,
                                        .waiting = mail_waits,
                                        .lease = lease,
                                        .leased = look_at_leases,
                                        .record = record,
                                        .lost = tell_of_loss,
                                        .back = tell_of_return,
                                        .count = count_items,
                                        .stopping = tell_of_stop,
                                        .close = close_record,
                                        .closed = look_at_record,
                                        .warn = warn},
                            .dispatch = c->dispatch,
                            .ranks = setup->placement->ranks,
                            .items = setup->job->items.count,
                            .pulse = setup->pulse,
                            .pure = setup->options->pure,
                            .deadline_ns = setup->options->deadline_ns};
    return status == WEFT_OK ? lead_create(&led, clock_now_ns(), &c->lead, e) : status;
}

static void release(coordinator *c)
{
    lead_destroy(c->lead);
    run_record_close(c->run_record);
    efforts_destroy(c->efforts);
    dispatch_destroy(c->dispatch);
    free(c);
}

weft_status coordinator_create(const coordinator_setup *setup, coordinator **out, error *e)
{
    coordinator *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return error_memory(e, "the state of the coordinator");
    }
    c->setup = *setup;
    c->begun_ns = clock_now_ns();
    c->next_update_ns = c->begun_ns + update_ns;
    c->next_sync_ns = c->begun_ns + (int64_t)(1e9 * setup->options->sync_s);
    const weft_status status = prepare(c, e);
    if (status != WEFT_OK) {
        release(c);
        return status;
    }
    progress_begin(&c->progress, setup->options, setup->job->name, setup->job->items.count,
                   run_record_done(c->run_record));
    *out = c;
    return WEFT_OK;
}

void coordinator_destroy(coordinator *c)
{
    if (c == NULL) {
        return;
    }
    progress_summary summary = {.status = lead_status(c->lead),
                                .cancelled = c->cancelled,
                                .workers = c->setup.placement->total_workers};
    run_record_sum_up(c->run_record, &summary);
    progress_end(&c->progress, &summary, clock_now_ns());
    log_print(LOG_DEBUG, "%" PRId64 " chunks handed out", dispatch_chunks(c->dispatch));
    release(c);
}

/* Measures what handing out a chunk costs: `orders` of them have been sent since `since_ns`. */
static void measure_orders(coordinator *c, int64_t orders, int64_t since_ns)
{
    if (orders > 0) {
        const int64_t spent_ns = clock_now_ns() - since_ns;
        dispatch_set_overhead(c->dispatch, 1e-9 * (double)spent_ns / (double)orders);
    }
}

void coordinator_receive(coordinator *c, int rank, const void *bytes, size_t count)
{
    assert(thread_drives());
    const int64_t now_ns = clock_now_ns();
    measure_orders(c, lead_receive(c->lead, rank, bytes, count, now_ns), now_ns);
    /* Now that it is recorded: a report takes as many tiles from what is pending and what is
     * undone. A rank that has to go since it was presumed dead stays lost. */
    if (!lead_lost(c->lead, rank)) {
        efforts_hear(c->efforts, rank, bytes, dispatch_undone(c->dispatch), now_ns);
    }
}

/* Every rank forces to disk what it writes, and the coordinator what it records of it; with a pause
 * where the disk is slow. */
static void sync_tables(coordinator *c, int64_t now_ns)
{
    const bool idle = store_flushed(c->setup.store);
    if (c->setup.options->sync_s > 0 && (!idle || now_ns >= c->next_sync_ns)) {
        c->next_sync_ns = now_ns + (int64_t)(1e9 * c->setup.options->sync_s);
        if (idle) {
            store_flush(c->setup.store, true);
        }
    }
}

void coordinator_step(coordinator *c, bool first, int64_t now_ns)
{
    assert(thread_drives());
    if (lead_over(c->lead)) {
        return;
    }
    for (int rank = mail_next_dead(c->setup.mail); rank >= 0;
         rank = mail_next_dead(c->setup.mail)) {
        lead_presume_dead(c->lead, rank);
    }
    measure_orders(c, lead_step(c->lead, now_ns), now_ns);
    if (!lead_closed(c->lead) && now_ns >= c->next_update_ns) {
        error e = {.status = WEFT_OK};
        c->next_update_ns = now_ns + update_ns;
        sync_tables(c, now_ns);
        store_touch(c->setup.store);
        if (run_record_update(c->run_record, &e) != WEFT_OK) {
            lead_take_error(c->lead, &e, now_ns);
        }
    }
    count_workers(c, now_ns);
    if (now_ns >= c->next_tally_ns || lead_over(c->lead)) {
        const tally now = count_up(c);
        c->next_tally_ns = now_ns + tally_ns;
        flow_tell(c->setup.options, &now);
    }
    if (first) {
        progress_update(&c->progress, run_record_done(c->run_record),
                        run_record_failed(c->run_record), now_ns);
    }
}

urgency coordinator_urgency(const coordinator *c)
{
    return lead_urgency(c->lead);
}
