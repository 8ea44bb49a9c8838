/* SPDX-License-Identifier: BSD-3-Clause */
/* Rank 0's part of a run: hands out chunks, keeps the books, and says when it is over. */
#include "engine/coordinator.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"
#include "engine/dispatch.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The run's row and the lock are brought up to date this often. */
static const int64_t book_ns = INT64_C(1000000000);

/* After SIGINT and SIGTERM a kill follows soon: mpirun's after one second. SIGUSR1 is a friendly
 * warning, sent long before. */
static const int64_t short_grace_ns = INT64_C(500000000);
static const int64_t long_grace_ns = INT64_C(3600000000000);

/* Before a time limit so much is left for messages, the last of the books and the end of MPI. */
static const int64_t ending_ns = INT64_C(500000000);

/* How much longer than the grace a rank may take to say that it has left. */
static const int64_t leave_ns = INT64_C(200000000);

typedef enum phase { PHASE_RUNNING, PHASE_STOPPING, PHASE_OVER } phase;

/* What is known of a rank. */
typedef struct member {
    bool left;
    int64_t busy_ns;
    int64_t worst_ns;
    int64_t cpu_ns;
} member;

struct coordinator {
    coordinator_setup setup;
    ledger *ledger;
    dispatch *dispatch;
    measurement computed; /* by all ranks */
    double longest_s;     /* of these tiles */
    int64_t sync_ns;      /* the longest that forcing results to disk took */
    member *members;
    phase phase;
    int64_t stop_ns; /* when stopping: when to wait no longer */
    int64_t next_book_ns;
    int64_t next_dispatch_ns;
    int64_t done;   /* items of the job */
    int64_t failed; /* items of the job */
    run_row row;
    bool warned_impure;
    bool abandon;
    weft_status status;
    progress progress;
};

static void end_run(coordinator *c, const error *why);

static void end_with_error(coordinator *c, weft_status status, const error *why)
{
    if (status != WEFT_OK) {
        end_run(c, why);
    }
}

/* Takes over what earlier runs have done. Tiles with items to retry are not done from here on, also
 * on disk, since their bytes will be replaced before their records can be. */
static weft_status take_over(coordinator *c, error *e)
{
    const tiling *tiles = &c->setup.job->tiles;
    weft_status status = WEFT_OK;
    bool reopened = false;
    for (int64_t tile = 0; tile < tiles->tiles && status == WEFT_OK; tile++) {
        const tile_record *record = ledger_record(c->ledger, tile);
        if (!tile_record_done(record)) {
            continue;
        }
        if (c->setup.retry_failed && record->failed > 0) {
            status = ledger_reopen(c->ledger, tile, e);
            reopened = true;
        } else {
            dispatch_set_done(c->dispatch, tile);
            c->done += tiling_items(tiles, tile, 1);
            c->failed += record->failed;
        }
    }
    if (status == WEFT_OK && reopened && c->setup.sync) {
        status = store_sync(c->setup.store, e);
    }
    return status;
}

static weft_status open_row(coordinator *c, error *e)
{
    const placement *p = c->setup.placement;
    run_row *row = &c->row;
    row->start = clock_wall_s();
    row->end = row->start;
    row->ranks = p->ranks;
    row->workers = p->total_workers;
    row->hosts = p->hosts;
    row->cores = p->cores;
    (void)snprintf(row->outcome, sizeof row->outcome, "running");
    (void)snprintf(row->host_names, sizeof row->host_names, "%s", p->host_names);
    (void)snprintf(row->command, sizeof row->command, "%s", c->setup.command);
    return ledger_put_run(c->ledger, row, e);
}

weft_status coordinator_create(const coordinator_setup *setup, coordinator **out, error *e)
{
    coordinator *c = calloc(1, sizeof *c);
    member *members = calloc((size_t)setup->placement->ranks, sizeof *members);
    if (c == NULL || members == NULL) {
        free(members);
        free(c);
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the coordinator");
    }
    c->setup = *setup;
    c->members = members;
    c->ledger = store_ledger(setup->store);
    const dispatch_setup deal = {.tiles = setup->job->tiles.tiles,
                                 .ranks = setup->placement->ranks,
                                 .workers = setup->workers,
                                 .technique = setup->technique,
                                 .seed = setup->job->seed,
                                 .pure = setup->pure};
    weft_status status = dispatch_create(&deal, &c->dispatch, e);
    if (status == WEFT_OK) {
        status = take_over(c, e);
    }
    if (status == WEFT_OK) {
        status = dispatch_start(c->dispatch, e);
    }
    if (status == WEFT_OK) {
        status = open_row(c, e);
    }
    if (status != WEFT_OK) {
        dispatch_destroy(c->dispatch);
        free(members);
        free(c);
        return status;
    }
    const int64_t items = setup->job->items.count;
    if (c->done > 0) {
        log_print(LOG_INFO, "resuming %s: %" PRId64 " of %" PRId64 " items are done", setup->path,
                  c->done, items);
    }
    if (ledger_damaged(c->ledger) > 0) {
        log_print(LOG_WARNING, "%" PRId64 " tile records were torn or damaged: computed again",
                  ledger_damaged(c->ledger));
    }
    progress_begin(&c->progress, setup->progress, items, c->done);
    *out = c;
    return WEFT_OK;
}

static void total_busy(const coordinator *c, double *busy_s, double *worst_s)
{
    *busy_s = 0;
    *worst_s = 0;
    for (int rank = 0; rank < c->setup.placement->ranks; rank++) {
        const member *m = &c->members[rank];
        *busy_s += 1e-9 * (double)m->busy_ns;
        if (1e-9 * (double)m->worst_ns > *worst_s) {
            *worst_s = 1e-9 * (double)m->worst_ns;
        }
    }
}

void coordinator_destroy(coordinator *c)
{
    if (c == NULL) {
        return;
    }
    progress_summary summary = {.status = c->status,
                                .done = c->done,
                                .failed = c->failed,
                                .duplicates = c->row.duplicates,
                                .workers = c->setup.placement->total_workers,
                                .path = c->setup.path};
    total_busy(c, &summary.busy_s, &summary.worst_s);
    progress_end(&c->progress, &summary, clock_now_ns());
    log_print(LOG_DEBUG, "%" PRId64 " chunks handed out", dispatch_chunks(c->dispatch));
    dispatch_destroy(c->dispatch);
    free(c->members);
    free(c);
}

static double total_cpu(const coordinator *c)
{
    double cpu_s = 0;
    for (int rank = 0; rank < c->setup.placement->ranks; rank++) {
        cpu_s += 1e-9 * (double)c->members[rank].cpu_ns;
    }
    return cpu_s;
}

/* Sends the same message to all ranks, the coordinator's own included. */
static void send_to_all(coordinator *c, const void *bytes, size_t count)
{
    for (int rank = 0; rank < c->setup.placement->ranks; rank++) {
        error ignored = {.status = WEFT_OK};
        if (mail_send(c->setup.mail, rank, bytes, count, &ignored) != WEFT_OK) {
            log_print(LOG_ERROR, "no message to rank %d: %s", rank, ignored.text);
        }
    }
}

static weft_status put_row(coordinator *c, const char *outcome, error *e)
{
    double worst_s = 0;
    c->row.end = clock_wall_s();
    total_busy(c, &c->row.busy, &worst_s);
    c->row.cpu = total_cpu(c);
    memset(c->row.outcome, 0, sizeof c->row.outcome);
    (void)snprintf(c->row.outcome, sizeof c->row.outcome, "%s", outcome);
    return ledger_put_run(c->ledger, &c->row, e);
}

static const char *outcome_of(weft_status status)
{
    switch (weft_status_exit(status)) {
    case 0:
        return "complete";
    case 3:
        return "failed items";
    case 75:
        return "stopped";
    default:
        return "error";
    }
}

/* Closes the books and tells everybody. What goes wrong here becomes the reason if there was none.
 */
static void end_run(coordinator *c, const error *why)
{
    if (c->phase == PHASE_OVER) {
        return;
    }
    c->phase = PHASE_OVER;
    message_end end;
    memset(&end, 0, sizeof end);
    end.kind = MESSAGE_END;
    end.error = *why;
    error e = {.status = WEFT_OK};
    weft_status status = put_row(c, outcome_of(why->status), &e);
    if (status == WEFT_OK && c->setup.sync) {
        status = store_sync(c->setup.store, &e);
    }
    if (status != WEFT_OK && weft_status_exit(end.error.status) != 1) {
        end.error = e;
    }
    end.abandon = c->abandon;
    c->status = end.error.status;
    send_to_all(c, &end, sizeof end);
}

static void end_if_complete(coordinator *c)
{
    if (dispatch_undone(c->dispatch) > 0) {
        return;
    }
    error why = {.status = WEFT_OK};
    if (c->failed > 0) {
        (void)error_set(&why, WEFT_ITEMS_FAILED, "%" PRId64 " items failed", c->failed);
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

static weft_status send_order(coordinator *c, const order *o, error *e)
{
    if (o->kind == ORDER_RECALL) {
        const message_kind recall = MESSAGE_RECALL;
        return mail_send(c->setup.mail, o->rank, &recall, sizeof recall, e);
    }
    message_grant grant = {.kind = MESSAGE_GRANT, .pieces = o->pieces};
    memcpy(grant.piece, o->piece, (size_t)o->pieces * sizeof o->piece[0]);
    const size_t bytes = offsetof(message_grant, piece) + (size_t)o->pieces * sizeof grant.piece[0];
    return mail_send(c->setup.mail, o->rank, &grant, bytes, e);
}

/* Tells ranks what is decided by now. */
static void send_orders(coordinator *c, int64_t now_ns)
{
    order o;
    error e = {.status = WEFT_OK};
    int64_t orders = 0;
    if (c->setup.deadline_ns != 0) {
        const int64_t left_ns = c->setup.deadline_ns - now_ns - closing_ns(c);
        dispatch_set_time_left(c->dispatch, 1e-9 * (double)larger_of(left_ns, 1));
    }
    while (c->phase == PHASE_RUNNING && dispatch_next(c->dispatch, now_ns, &o)) {
        end_with_error(c, send_order(c, &o, &e), &e);
        orders++;
    }
    if (orders > 0) {
        const int64_t spent_ns = clock_now_ns() - now_ns;
        dispatch_set_overhead(c->dispatch, 1e-9 * (double)spent_ns / (double)orders);
    }
    c->next_dispatch_ns = now_ns + DISPATCH_NS;
}

/* A tile that was computed before must have come out the same. */
static void check_duplicate(coordinator *c, int64_t tile, const tile_record *record)
{
    c->row.duplicates += tiling_items(&c->setup.job->tiles, tile, 1);
    if (record->checksum != ledger_record(c->ledger, tile)->checksum && !c->warned_impure) {
        c->warned_impure = true;
        log_print(LOG_WARNING,
                  "tile %" PRId64 " was computed twice, with different results: the kernel is not "
                  "pure; see weft_map_set_pure()",
                  tile);
    }
}

static weft_status put_run_of_tiles(coordinator *c, int64_t first, int64_t tiles,
                                    const tile_record records[], error *e)
{
    const tiling *t = &c->setup.job->tiles;
    for (int64_t i = 0; i < tiles; i++) {
        c->row.failed += records[i].failed;
        c->failed += records[i].failed;
    }
    c->done += tiling_items(t, first, tiles);
    c->row.items += tiling_items(t, first, tiles);
    return ledger_put(c->ledger, first, tiles, records, e);
}

/* Whether a failure belongs to one of these tiles. */
static bool in_tiles(const tiling *t, int64_t item, int64_t first, int64_t tiles)
{
    const int64_t start = tiling_first(t, first);
    return item >= start && item < start + tiling_items(t, first, tiles);
}

static void take_report(coordinator *c, int rank, const message_report *report, size_t count)
{
    const tile_record *records = (const tile_record *)(report + 1);
    const failure_row *failures = (const failure_row *)(records + report->tiles);
    const size_t expected = sizeof *report + (size_t)report->tiles * sizeof *records +
                            (size_t)report->failures * sizeof *failures;
    error e = {.status = WEFT_OK};
    weft_status status = WEFT_OK;
    if (count != expected) {
        end_with_error(c, error_set(&e, WEFT_ERR_INTERNAL, "a report of the wrong size"), &e);
        return;
    }
    c->members[rank].busy_ns = report->busy_ns;
    c->members[rank].worst_ns = report->worst_ns;
    c->members[rank].cpu_ns = report->cpu_ns;
    c->sync_ns = larger_of(c->sync_ns, report->sync_ns);
    for (int64_t i = 0; i < report->tiles && status == WEFT_OK;) {
        int64_t run = 0;
        while (i + run < report->tiles && tile_record_done(&records[i + run]) &&
               dispatch_report(c->dispatch, report->first + i + run)) {
            run++;
        }
        if (run > 0) {
            status = put_run_of_tiles(c, report->first + i, run, records + i, &e);
            for (int32_t k = 0; k < report->failures && status == WEFT_OK; k++) {
                if (in_tiles(&c->setup.job->tiles, failures[k].item, report->first + i, run)) {
                    status = ledger_add_failure(c->ledger, &failures[k], &e);
                }
            }
        } else if (tile_record_done(&records[i])) {
            check_duplicate(c, report->first + i, &records[i]);
        }
        i += run > 0 ? run : 1;
    }
    end_with_error(c, status, &e);
}

/* Nothing more is begun; what is in work may take the grace to come back. */
static void stop_run(coordinator *c, const char *why, int64_t grace_ns)
{
    if (c->phase == PHASE_OVER) {
        return;
    }
    if (c->phase == PHASE_RUNNING) {
        log_print(LOG_INFO, "%s: stopping in good order", why);
    }
    const int64_t until = clock_now_ns() + grace_ns + leave_ns;
    if (c->phase == PHASE_RUNNING || until < c->stop_ns) {
        const message_stop stop = {.kind = MESSAGE_STOP, .grace_ns = grace_ns};
        c->stop_ns = until;
        send_to_all(c, &stop, sizeof stop);
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
                    c->done, c->setup.job->items.count);
    end_run(c, &why);
}

static bool all_left(const coordinator *c)
{
    for (int rank = 0; rank < c->setup.placement->ranks; rank++) {
        if (!c->members[rank].left) {
            return false;
        }
    }
    return true;
}

void coordinator_receive(coordinator *c, int rank, const void *bytes, size_t count)
{
    if (c->phase == PHASE_OVER) {
        return;
    }
    const int64_t now_ns = clock_now_ns();
    switch (*(const message_kind *)bytes) {
    case MESSAGE_ASK:
        dispatch_ask(c->dispatch, rank, ((const message_ask *)bytes)->want);
        send_orders(c, now_ns);
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
        end_run(c, &((const message_fail *)bytes)->error);
        break;
    case MESSAGE_LEFT:
        c->members[rank].left = true;
        c->abandon = c->abandon || ((const message_left *)bytes)->dropped;
        break;
    case MESSAGE_RETURN: {
        const message_return *back = bytes;
        dispatch_return(c->dispatch, rank, back->piece, back->left, now_ns);
        send_orders(c, now_ns);
        break;
    }
    case MESSAGE_GRANT:
    case MESSAGE_RECALL:
    case MESSAGE_STOP:
    case MESSAGE_END:
        break;
    }
}

void coordinator_step(coordinator *c, int64_t now_ns)
{
    if (c->phase == PHASE_OVER) {
        return;
    }
    end_if_complete(c);
    if (c->phase == PHASE_RUNNING) {
        stop_in_time(c, now_ns);
    }
    if (c->phase == PHASE_RUNNING && now_ns >= c->next_dispatch_ns) {
        send_orders(c, now_ns);
    } else if (c->phase == PHASE_STOPPING && (all_left(c) || now_ns > c->stop_ns)) {
        c->abandon = c->abandon || !all_left(c);
        end_stopped(c);
    }
    if (c->phase != PHASE_OVER && now_ns >= c->next_book_ns) {
        error e = {.status = WEFT_OK};
        c->next_book_ns = now_ns + book_ns;
        store_touch(c->setup.store);
        end_with_error(c, put_row(c, "running", &e), &e);
    }
    progress_update(&c->progress, c->done, c->failed, now_ns);
}
