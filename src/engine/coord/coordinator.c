/* SPDX-License-Identifier: BSD-3-Clause */
/* Rank 0's part of a run: hands out chunks, keeps the run record, and says when the run is over. */
#include "engine/coord/coordinator.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/coord/outbox.h"
#include "engine/coord/run_record.h"
#include "engine/coord/shutdown.h"
#include "engine/link/members.h"
#include "sched/dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The run's row and the lock are brought up to date this often. */
static const int64_t update_ns = INT64_C(1000000000);

struct coordinator {
    coordinator_setup setup;
    run_record *run_record;
    dispatch *dispatch;
    members *members;
    shutdown *shutdown;
    outbox *outbox;
    int64_t begun_ns;
    int64_t next_update_ns;
    int64_t next_sync_ns;
    int64_t next_dispatch_ns;
    progress progress;
};

static void end_with_error(coordinator *c, weft_status status, const error *why)
{
    if (status != WEFT_OK) {
        shutdown_take_error(c->shutdown, why);
    }
}

/* Books and dispatch, which then knows what is to do. */
static weft_status prepare(coordinator *c, error *e)
{
    const coordinator_setup *setup = &c->setup;
    const dispatch_setup deal = {.tiles = setup->job->tiles.tiles,
                                 .ranks = setup->placement->ranks,
                                 .workers = setup->workers,
                                 .technique = setup->options->technique,
                                 .seed = setup->job->seed,
                                 .pure = setup->options->pure};
    weft_status status = dispatch_create(&deal, &c->dispatch, e);
    if (status == WEFT_OK) {
        status = members_create(setup->mail, setup->placement->ranks, setup->pulse, &c->members, e);
    }
    if (status == WEFT_OK) {
        status = outbox_create(c->members, store_leases(setup->store), &c->outbox, e);
    }
    if (status == WEFT_OK) {
        const run_record_setup recorded = {.job = setup->job,
                                           .store = setup->store,
                                           .placement = setup->placement,
                                           .dispatch = c->dispatch,
                                           .options = setup->options};
        status = run_record_open(&recorded, &c->run_record, e);
    }
    if (status == WEFT_OK) {
        status = dispatch_start(c->dispatch, e);
    }
    const shutdown_setup end = {.store = setup->store,
                                .run_record = c->run_record,
                                .dispatch = c->dispatch,
                                .members = c->members,
                                .ranks = setup->placement->ranks,
                                .items = setup->job->items.count,
                                .options = setup->options};
    return status == WEFT_OK ? shutdown_create(&end, &c->shutdown, e) : status;
}

static void release(coordinator *c)
{
    shutdown_destroy(c->shutdown);
    run_record_close(c->run_record);
    dispatch_destroy(c->dispatch);
    outbox_destroy(c->outbox);
    members_destroy(c->members);
    free(c);
}

weft_status coordinator_create(const coordinator_setup *setup, coordinator **out, error *e)
{
    coordinator *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the coordinator");
    }
    c->setup = *setup;
    c->begun_ns = clock_now_ns();
    const weft_status status = prepare(c, e);
    if (status != WEFT_OK) {
        release(c);
        return status;
    }
    progress_begin(&c->progress, setup->options, setup->job->items.count,
                   run_record_done(c->run_record));
    *out = c;
    return WEFT_OK;
}

void coordinator_destroy(coordinator *c)
{
    if (c == NULL) {
        return;
    }
    progress_summary summary = {.status = shutdown_status(c->shutdown),
                                .workers = c->setup.placement->total_workers};
    run_record_sum_up(c->run_record, &summary);
    progress_end(&c->progress, &summary, clock_now_ns());
    log_print(LOG_DEBUG, "%" PRId64 " chunks handed out", dispatch_chunks(c->dispatch));
    release(c);
}

/* A rank is taken for dead: what it had is handed out again. */
static void bury(coordinator *c, int rank, const char *why)
{
    const int64_t tiles = dispatch_bury(c->dispatch, rank);
    const double at_s = 1e-9 * (double)(clock_now_ns() - c->begun_ns);
    log_print(LOG_WARNING,
              "rank %d on host %s %s, %.1f s after the start: it is taken for dead, and the "
              "%" PRId64 " tiles it had are computed by others",
              rank, c->setup.placement->host[rank].name, why, at_s, tiles);
    run_record_lose(c->run_record, rank, tiles);
    outbox_drop(c->outbox, rank);
}

static void take_news(coordinator *c, int rank, const news *n, int64_t now_ns)
{
    shutdown_learn(c->shutdown, n);
    dispatch_hear(c->dispatch, rank, n, now_ns);
}

/* What is computed again because its holder is late may have killed the holder. */
static void beware(coordinator *c, order *o)
{
    if (o->kind != ORDER_GRANT || !o->again) {
        return;
    }
    shutdown_expect_repeats(c->shutdown);
    for (int i = 0; i < o->intervals; i++) {
        o->interval[i].careful = o->interval[i].careful || members_doubtful(c->members, o->holder);
    }
}

static void send_grant(coordinator *c, const order *o)
{
    error e = {.status = WEFT_OK};
    weft_status status = WEFT_OK;
    for (int i = 0; i < o->intervals && status == WEFT_OK; i++) {
        status = lease_table_set(store_leases(c->setup.store), o->interval[i].first,
                                 o->interval[i].tiles, true, &e);
    }
    message_grant grant = {.kind = MESSAGE_GRANT, .intervals = o->intervals};
    memcpy(grant.interval, o->interval, (size_t)o->intervals * sizeof o->interval[0]);
    const size_t bytes =
        offsetof(message_grant, interval) + (size_t)o->intervals * sizeof grant.interval[0];
    if (status == WEFT_OK) {
        status = outbox_send(c->outbox, o->rank, &grant, bytes, &e);
    }
    end_with_error(c, status, &e);
}

static void send_order(coordinator *c, order *o)
{
    beware(c, o);
    if (o->kind == ORDER_RECALL) {
        const message_kind recall = MESSAGE_RECALL;
        members_send(c->members, o->rank, &recall, sizeof recall);
        return;
    }
    send_grant(c, o);
}

/* Tells ranks what is decided by now. */
static void send_orders(coordinator *c, int64_t now_ns)
{
    order o;
    int64_t orders = 0;
    if (shutdown_limited(c->shutdown)) {
        const int64_t left_ns = shutdown_time_left(c->shutdown, now_ns);
        dispatch_set_time_left(c->dispatch, 1e-9 * (double)(left_ns > 1 ? left_ns : 1));
    }
    while (shutdown_far(c->shutdown) && dispatch_next(c->dispatch, now_ns, &o)) {
        send_order(c, &o);
        orders++;
    }
    if (orders > 0) {
        const int64_t spent_ns = clock_now_ns() - now_ns;
        dispatch_set_overhead(c->dispatch, 1e-9 * (double)spent_ns / (double)orders);
    }
    c->next_dispatch_ns = now_ns + DISPATCH_NS;
}

static void take_report(coordinator *c, int rank, const message_report *report, size_t count)
{
    error e = {.status = WEFT_OK};
    shutdown_learn_sync(c->shutdown, report->sync_ns);
    end_with_error(c, run_record_take(c->run_record, rank, report, count, &e), &e);
}

/* A rank that had been taken for dead. What it had is with others, so that it begins anew; but
 * where nothing may be computed twice, it has to go. */
static void welcome_back(coordinator *c, int rank)
{
    log_print(LOG_WARNING, "rank %d on host %s is back", rank, c->setup.placement->host[rank].name);
    if (!c->setup.options->pure) {
        message_end end;
        memset(&end, 0, sizeof end);
        end = (message_end){.kind = MESSAGE_END, .broken = true, .at_once = true};
        (void)error_set(&end.error, WEFT_STOPPED, "this rank was taken for dead");
        members_send(c->members, rank, &end, sizeof end);
        members_dismiss(c->members, rank);
        return;
    }
    const message_rejoin rejoin = {.kind = MESSAGE_REJOIN,
                                   .epoch = members_epoch(c->members, rank)};
    members_send(c->members, rank, &rejoin, sizeof rejoin);
    shutdown_expect_repeats(c->shutdown);
    shutdown_tell(c->shutdown, rank);
}

static void take_failure(coordinator *c, int rank, const message_fail *failure)
{
    error why = {.status = WEFT_OK};
    (void)error_set(&why, failure->error.status, "rank %d: %.*s", rank, ERROR_TEXT_BYTES - 32,
                    failure->error.text);
    shutdown_take_error(c->shutdown, c->setup.placement->ranks > 1 ? &why : &failure->error);
}

static void take_back(coordinator *c, int rank, const message_return *back, int64_t now_ns)
{
    if (back->epoch == members_epoch(c->members, rank)) {
        dispatch_return(c->dispatch, rank, back->intervals, back->interval, back->left, now_ns);
        send_orders(c, now_ns);
    }
}

static void take_wish(coordinator *c, int rank, const message_ask *ask, int64_t now_ns)
{
    if (ask->epoch == members_epoch(c->members, rank)) {
        dispatch_ask(c->dispatch, rank, ask->want);
        send_orders(c, now_ns);
    }
}

void coordinator_receive(coordinator *c, int rank, const void *bytes, size_t count)
{
    if (shutdown_over(c->shutdown)) {
        return;
    }
    if (members_hear(c->members, rank)) {
        welcome_back(c, rank);
    }
    if (*(const message_kind *)bytes == MESSAGE_SIGNAL) {
        shutdown_take_signal(c->shutdown, ((const message_signal *)bytes)->number);
    }
    if (shutdown_closed(c->shutdown) || members_lost(c->members, rank)) {
        return;
    }
    const int64_t now_ns = clock_now_ns();
    switch (*(const message_kind *)bytes) {
    case MESSAGE_ASK:
        take_wish(c, rank, bytes, now_ns);
        break;
    case MESSAGE_NEWS:
        take_news(c, rank, &((const message_news *)bytes)->news, now_ns);
        break;
    case MESSAGE_REPORT:
        take_report(c, rank, bytes, count);
        break;
    case MESSAGE_FAIL:
        take_failure(c, rank, bytes);
        break;
    case MESSAGE_LEFT:
        shutdown_take_leave(c->shutdown, rank, ((const message_left *)bytes)->dropped);
        break;
    case MESSAGE_RETURN:
        take_back(c, rank, bytes, now_ns);
        break;
    case MESSAGE_DEAD:
        members_presume_dead(c->members, ((const message_dead *)bytes)->rank);
        break;
    case MESSAGE_ALIVE:
        members_take_clock(c->members, rank, ((const message_alive *)bytes)->clock_ns);
        break;
    case MESSAGE_GRANT:
    case MESSAGE_RECALL:
    case MESSAGE_STOP:
    case MESSAGE_END:
    case MESSAGE_BEAT:
    case MESSAGE_REJOIN:
    case MESSAGE_SIGNAL:
        break;
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

/* Who is still there, and that the coordinator is. */
static void keep_in_touch(coordinator *c, int64_t now_ns)
{
    char why[MEMBERS_WHY_BYTES];
    members_listen(c->members, now_ns);
    for (int rank = members_next_lost(c->members, why); rank >= 0;
         rank = members_next_lost(c->members, why)) {
        bury(c, rank, why);
    }
}

void coordinator_step(coordinator *c, int64_t now_ns)
{
    if (shutdown_over(c->shutdown)) {
        return;
    }
    error e = {.status = WEFT_OK};
    keep_in_touch(c, now_ns);
    end_with_error(c, outbox_flush(c->outbox, &e), &e);
    shutdown_step(c->shutdown, now_ns);
    if (shutdown_far(c->shutdown) && now_ns >= c->next_dispatch_ns) {
        send_orders(c, now_ns);
    }
    if (!shutdown_closed(c->shutdown) && now_ns >= c->next_update_ns) {
        c->next_update_ns = now_ns + update_ns;
        sync_tables(c, now_ns);
        store_touch(c->setup.store);
        end_with_error(c, run_record_update(c->run_record, &e), &e);
    }
    progress_update(&c->progress, run_record_done(c->run_record), run_record_failed(c->run_record),
                    now_ns);
}

bool coordinator_busy(const coordinator *c)
{
    return outbox_waits(c->outbox);
}
