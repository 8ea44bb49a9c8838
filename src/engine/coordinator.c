/* SPDX-License-Identifier: BSD-3-Clause */
/* Rank 0's part of a run: hands out chunks, keeps the books, and says when it is over. */
#include "engine/coordinator.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "engine/books.h"
#include "engine/dispatch.h"
#include "engine/roster.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The run's row and the lock are brought up to date this often. */
static const int64_t book_ns = INT64_C(1000000000);

/* After SIGINT and SIGTERM a kill follows soon: mpirun's after one second with Open MPI 4.1, after
 * a quarter of one with 5. SIGUSR1 is a friendly warning, sent long before. */
static const int64_t short_grace_ns = INT64_C(100000000);
static const int64_t long_grace_ns = INT64_C(3600000000000);

/* Before a time limit so much is left for messages, the last of the books and the end of MPI. */
static const int64_t ending_ns = INT64_C(500000000);

/* How much longer than the grace a rank may take to say that it has left. */
static const int64_t leave_ns = INT64_C(200000000);

typedef enum phase {
    PHASE_RUNNING,
    PHASE_STOPPING,
    PHASE_CLOSING, /* the last of the books is on its way to the disk, which may take its time */
    PHASE_OVER
} phase;

struct coordinator {
    coordinator_setup setup;
    books *books;
    dispatch *dispatch;
    measurement computed; /* by all ranks */
    double longest_s;     /* of these tiles */
    int64_t sync_ns;      /* the longest that forcing results to disk took */
    roster *roster;
    int64_t begun_ns;
    phase phase;
    int64_t stop_ns; /* when stopping: when to wait no longer */
    int64_t next_book_ns;
    int64_t next_dispatch_ns;
    bool dropped; /* a rank has left a kernel behind that had not come back in time */
    error why;    /* it ends, once it does; and then, how it has ended */
    progress progress;
};

static void end_run(coordinator *c, const error *why);

static void end_with_error(coordinator *c, weft_status status, const error *why)
{
    if (status != WEFT_OK) {
        end_run(c, why);
    }
}

/* Books and dispatch, which then knows what is to do. */
static weft_status prepare(coordinator *c, error *e)
{
    const coordinator_setup *setup = &c->setup;
    const dispatch_setup deal = {.tiles = setup->job->tiles.tiles,
                                 .ranks = setup->placement->ranks,
                                 .workers = setup->workers,
                                 .technique = setup->technique,
                                 .seed = setup->job->seed,
                                 .pure = setup->pure};
    weft_status status = dispatch_create(&deal, &c->dispatch, e);
    if (status == WEFT_OK) {
        status = roster_create(setup->mail, setup->placement->ranks, setup->pulse, &c->roster, e);
    }
    if (status == WEFT_OK) {
        const books_setup recorded = {.job = setup->job,
                                      .store = setup->store,
                                      .placement = setup->placement,
                                      .dispatch = c->dispatch,
                                      .retry_failed = setup->retry_failed,
                                      .sync = setup->sync,
                                      .path = setup->path,
                                      .command = setup->command};
        status = books_open(&recorded, &c->books, e);
    }
    return status == WEFT_OK ? dispatch_start(c->dispatch, e) : status;
}

static void release(coordinator *c)
{
    books_close(c->books);
    dispatch_destroy(c->dispatch);
    roster_destroy(c->roster);
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
    progress_begin(&c->progress, setup->progress, setup->job->items.count, books_done(c->books));
    *out = c;
    return WEFT_OK;
}

void coordinator_destroy(coordinator *c)
{
    if (c == NULL) {
        return;
    }
    progress_summary summary = {.status = c->why.status,
                                .fresh = c->setup.fresh,
                                .workers = c->setup.placement->total_workers,
                                .path = c->setup.path};
    books_sum_up(c->books, &summary);
    progress_end(&c->progress, &summary, clock_now_ns());
    log_print(LOG_DEBUG, "%" PRId64 " chunks handed out", dispatch_chunks(c->dispatch));
    release(c);
}

/* Tells one rank, or all (-1), of items that are suspect. */
static void warn(coordinator *c, int rank, const suspect list[], int64_t count)
{
    const size_t list_bytes = (size_t)count * sizeof list[0];
    message_hazard *message = count == 0 ? NULL : malloc(sizeof *message + list_bytes);
    if (message == NULL) {
        /* Without memory for a warning they are computed as any other item. */
        return;
    }
    message->kind = MESSAGE_HAZARD;
    message->count = count;
    memcpy(message->list, list, list_bytes);
    const int first = rank < 0 ? 0 : rank;
    const int last = rank < 0 ? c->setup.placement->ranks - 1 : rank;
    for (int each = first; each <= last; each++) {
        roster_send(c->roster, each, message, sizeof *message + list_bytes);
    }
    free(message);
}

/* What a dead rank's workers had in hand may have killed it. */
static void suspect_what_it_had(coordinator *c, int rank)
{
    suspect *list = NULL;
    int64_t count = 0;
    if (notes_read_rank(c->setup.hazards->notes, rank, &list, &count)) {
        warn(c, -1, list, count);
    }
    free(list);
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
    books_lose(c->books, rank, tiles);
    suspect_what_it_had(c, rank);
}

/* What goes wrong at the end becomes the reason if there was none. */
static void blame(coordinator *c, const error *e)
{
    if (e->status != WEFT_OK && weft_status_exit(c->why.status) != 1) {
        c->why = *e;
    }
}

/* Begins to close the books. */
static void end_run(coordinator *c, const error *why)
{
    if (c->phase >= PHASE_CLOSING) {
        return;
    }
    error e = {.status = WEFT_OK};
    c->phase = PHASE_CLOSING;
    c->why = *why;
    (void)books_end(c->books, why->status, &e);
    blame(c, &e);
}

/* Once the books are closed, tells everybody. */
static void end_if_closed(coordinator *c)
{
    if (c->phase != PHASE_CLOSING || !store_flushed(c->setup.store)) {
        return;
    }
    error e = {.status = WEFT_OK};
    (void)store_status(c->setup.store, &e);
    blame(c, &e);
    message_end end;
    memset(&end, 0, sizeof end);
    end.kind = MESSAGE_END;
    end.error = c->why;
    end.at_once = c->dropped;
    end.broken = c->dropped || roster_lost_ranks(c->roster) > 0;
    c->phase = PHASE_OVER;
    roster_send_last(c->roster, &end, sizeof end);
}

static void end_if_complete(coordinator *c)
{
    if (c->phase >= PHASE_CLOSING || dispatch_undone(c->dispatch) > 0 || !roster_call(c->roster)) {
        return;
    }
    error why = {.status = WEFT_OK};
    if (books_failed(c->books) > 0) {
        (void)error_set(&why, WEFT_ITEMS_FAILED, "%" PRId64 " items failed",
                        books_failed(c->books));
    }
    end_run(c, &why);
}

static int64_t larger_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void take_news(coordinator *c, int rank, const news *n, int64_t now_ns)
{
    c->computed.tiles += n->computed.tiles;
    c->computed.seconds += n->computed.seconds;
    c->computed.squares += n->computed.squares;
    c->longest_s = n->longest_s > c->longest_s ? n->longest_s : c->longest_s;
    dispatch_hear(c->dispatch, rank, n, now_ns);
}

/* What it takes, after the last tile has been begun, until the run is over: nearly any tile, and
 * forcing the results to disk. */
static int64_t closing_ns(const coordinator *c)
{
    const double tiles = (double)(c->computed.tiles > 0 ? c->computed.tiles : 1);
    const double mean_s = c->computed.seconds / tiles;
    const double variance = c->computed.squares / tiles - mean_s * mean_s;
    const double usual_s = mean_s + 2 * sqrt(variance > 0 ? variance : 0);
    const double tile_s = usual_s < c->longest_s ? usual_s : c->longest_s;
    return (int64_t)(1e9 * tile_s) + 2 * c->sync_ns + ending_ns;
}

/* What is computed again because its holder is late may have killed the holder. */
static void beware(coordinator *c, const order *o)
{
    if (o->kind == ORDER_GRANT && o->again && roster_doubtful(c->roster, o->holder)) {
        suspect_what_it_had(c, o->holder);
    }
}

static void send_order(coordinator *c, const order *o)
{
    beware(c, o);
    if (o->kind == ORDER_RECALL) {
        const message_kind recall = MESSAGE_RECALL;
        roster_send(c->roster, o->rank, &recall, sizeof recall);
        return;
    }
    message_grant grant = {.kind = MESSAGE_GRANT, .pieces = o->pieces};
    memcpy(grant.piece, o->piece, (size_t)o->pieces * sizeof o->piece[0]);
    const size_t bytes = offsetof(message_grant, piece) + (size_t)o->pieces * sizeof grant.piece[0];
    roster_send(c->roster, o->rank, &grant, bytes);
}

/* Tells ranks what is decided by now. */
static void send_orders(coordinator *c, int64_t now_ns)
{
    order o;
    int64_t orders = 0;
    if (c->setup.deadline_ns != 0) {
        const int64_t left_ns = c->setup.deadline_ns - now_ns - closing_ns(c);
        dispatch_set_time_left(c->dispatch, 1e-9 * (double)larger_of(left_ns, 1));
    }
    while (c->phase == PHASE_RUNNING && dispatch_next(c->dispatch, now_ns, &o)) {
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
    c->sync_ns = larger_of(c->sync_ns, report->sync_ns);
    end_with_error(c, books_take(c->books, rank, report, count, &e), &e);
}

/* Nothing more is begun; what is in work may take the grace to come back. */
static void stop_run(coordinator *c, const char *why, int64_t grace_ns)
{
    if (c->phase >= PHASE_CLOSING) {
        return;
    }
    if (c->phase == PHASE_RUNNING) {
        log_print(LOG_INFO, "%s: stopping in good order", why);
    }
    const int64_t until = clock_now_ns() + grace_ns + leave_ns;
    if (c->phase == PHASE_RUNNING || until < c->stop_ns) {
        const message_stop stop = {.kind = MESSAGE_STOP, .grace_ns = grace_ns};
        c->stop_ns = until;
        roster_send_to_all(c->roster, &stop, sizeof stop);
    }
    c->phase = PHASE_STOPPING;
}

static int64_t until_deadline(const coordinator *c, int64_t now_ns)
{
    return larger_of(c->setup.deadline_ns - now_ns - leave_ns, 0);
}

static void stop_for_signal(coordinator *c, int number)
{
    int64_t grace_ns = number == SIGUSR1 ? long_grace_ns : short_grace_ns;
    if (c->setup.deadline_ns != 0 && until_deadline(c, clock_now_ns()) < grace_ns) {
        grace_ns = until_deadline(c, clock_now_ns());
    }
    stop_run(c, signals_name(number), grace_ns);
}

static void stop_in_time(coordinator *c, int64_t now_ns)
{
    if (c->setup.deadline_ns != 0 && now_ns >= c->setup.deadline_ns - closing_ns(c)) {
        stop_run(c, "the time limit is near", until_deadline(c, now_ns));
    }
}

static void end_stopped(coordinator *c)
{
    error why = {.status = WEFT_OK};
    (void)error_set(&why, WEFT_STOPPED, "stopped with %" PRId64 " of %" PRId64 " items done",
                    books_done(c->books), c->setup.job->items.count);
    end_run(c, &why);
}

/* A rank that had been taken for dead. What it had is with others, so that it begins anew; but
 * where nothing may be computed twice, it has to go. */
static void welcome_back(coordinator *c, int rank)
{
    log_print(LOG_WARNING, "rank %d on host %s is back", rank, c->setup.placement->host[rank].name);
    if (!c->setup.pure) {
        message_end end;
        memset(&end, 0, sizeof end);
        end = (message_end){.kind = MESSAGE_END, .broken = true, .at_once = true};
        (void)error_set(&end.error, WEFT_STOPPED, "this rank was taken for dead");
        roster_send(c->roster, rank, &end, sizeof end);
        roster_dismiss(c->roster, rank);
        return;
    }
    int64_t count = 0;
    const suspect *list = suspects_list(c->setup.hazards->suspects, &count);
    warn(c, rank, list, count);
    const message_rejoin rejoin = {.kind = MESSAGE_REJOIN, .epoch = roster_epoch(c->roster, rank)};
    roster_send(c->roster, rank, &rejoin, sizeof rejoin);
    if (c->phase == PHASE_STOPPING) {
        const message_stop stop = {.kind = MESSAGE_STOP,
                                   .grace_ns = larger_of(c->stop_ns - clock_now_ns(), 0)};
        roster_send(c->roster, rank, &stop, sizeof stop);
    }
}

static void take_failure(coordinator *c, int rank, const message_fail *failure)
{
    error why = {.status = WEFT_OK};
    (void)error_set(&why, failure->error.status, "rank %d: %.*s", rank, ERROR_TEXT_BYTES - 32,
                    failure->error.text);
    end_run(c, c->setup.placement->ranks > 1 ? &why : &failure->error);
}

static void take_back(coordinator *c, int rank, const message_return *back, int64_t now_ns)
{
    if (back->epoch == roster_epoch(c->roster, rank)) {
        dispatch_return(c->dispatch, rank, back->pieces, back->piece, back->left, now_ns);
        send_orders(c, now_ns);
    }
}

static void take_wish(coordinator *c, int rank, const message_ask *ask, int64_t now_ns)
{
    if (ask->epoch == roster_epoch(c->roster, rank)) {
        dispatch_ask(c->dispatch, rank, ask->want);
        send_orders(c, now_ns);
    }
}

void coordinator_receive(coordinator *c, int rank, const void *bytes, size_t count)
{
    if (c->phase == PHASE_OVER) {
        return;
    }
    if (roster_hear(c->roster, rank)) {
        welcome_back(c, rank);
    }
    if (c->phase == PHASE_CLOSING || roster_lost(c->roster, rank)) {
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
    case MESSAGE_SIGNAL:
        stop_for_signal(c, ((const message_signal *)bytes)->number);
        break;
    case MESSAGE_FAIL:
        take_failure(c, rank, bytes);
        break;
    case MESSAGE_LEFT:
        roster_leave(c->roster, rank);
        c->dropped = c->dropped || ((const message_left *)bytes)->dropped;
        break;
    case MESSAGE_RETURN:
        take_back(c, rank, bytes, now_ns);
        break;
    case MESSAGE_DEAD:
        roster_presume_dead(c->roster, ((const message_dead *)bytes)->rank);
        break;
    case MESSAGE_ALIVE:
    case MESSAGE_GRANT:
    case MESSAGE_RECALL:
    case MESSAGE_STOP:
    case MESSAGE_END:
    case MESSAGE_BEAT:
    case MESSAGE_HAZARD:
    case MESSAGE_REJOIN:
        break;
    }
}

/* Who is still there, and that the coordinator is. */
static void keep_in_touch(coordinator *c, int64_t now_ns)
{
    char why[ROSTER_WHY_BYTES];
    roster_listen(c->roster, now_ns);
    for (int rank = roster_next_lost(c->roster, why); rank >= 0;
         rank = roster_next_lost(c->roster, why)) {
        bury(c, rank, why);
    }
}

void coordinator_step(coordinator *c, int64_t now_ns)
{
    if (c->phase == PHASE_OVER) {
        return;
    }
    end_if_complete(c);
    keep_in_touch(c, now_ns);
    end_if_closed(c);
    if (c->phase == PHASE_RUNNING) {
        stop_in_time(c, now_ns);
    }
    if (c->phase == PHASE_RUNNING && now_ns >= c->next_dispatch_ns) {
        send_orders(c, now_ns);
    } else if (c->phase == PHASE_STOPPING && (roster_all_left(c->roster) || now_ns > c->stop_ns)) {
        c->dropped = c->dropped || !roster_all_left(c->roster);
        end_stopped(c);
    }
    if (c->phase < PHASE_CLOSING && now_ns >= c->next_book_ns) {
        error e = {.status = WEFT_OK};
        c->next_book_ns = now_ns + book_ns;
        store_touch(c->setup.store);
        end_with_error(c, books_update(c->books, &e), &e);
    }
    progress_update(&c->progress, books_done(c->books), books_failed(c->books), now_ns);
}
