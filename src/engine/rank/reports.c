/* SPDX-License-Identifier: BSD-3-Clause */
/* What a rank's team has finished, on its way into the run record: forced to disk, then reported.
 */
#include "engine/rank/reports.h"

#include "base/clock.h"
#include "sched/pace.h"
#include "store/syncer.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What there is to say of a block's tiles, so that the block is free for others meanwhile. */
typedef struct parcel {
    struct parcel *next;
    size_t bytes;
    message_report report; /* with what follows it */
} parcel;

struct reports {
    reports_setup setup;
    syncer *syncer; /* NULL: data is reported as soon as it is written */
    block *free;
    parcel *written; /* their tiles are not forced to disk yet */
    parcel *syncing; /* they are being forced to disk */
    int64_t next_sync_ns;
    int64_t news_ns; /* when the coordinator was told last, or the rank began */
};

static void push(block **list, block *b)
{
    b->next = *list;
    *list = b;
}

static block *pop(block **list)
{
    block *b = *list;
    if (b != NULL) {
        *list = b->next;
    }
    return b;
}

static parcel *pop_parcel(parcel **list)
{
    parcel *p = *list;
    if (p != NULL) {
        *list = p->next;
    }
    return p;
}

static void free_parcels(parcel **list)
{
    for (parcel *p = pop_parcel(list); p != NULL; p = pop_parcel(list)) {
        free(p);
    }
}

weft_status reports_create(const reports_setup *setup, reports **out, error *e)
{
    reports *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for reports");
    }
    d->setup = *setup;
    const weft_status status = setup->flow->options->sync_s > 0
                                   ? syncer_create(setup->flow->store, &d->syncer, e)
                                   : WEFT_OK;
    if (status != WEFT_OK) {
        free(d);
        return status;
    }
    *out = d;
    return WEFT_OK;
}

void reports_destroy(reports *d)
{
    if (d != NULL) {
        syncer_destroy(d->syncer);
        for (block *b = pop(&d->free); b != NULL; b = pop(&d->free)) {
            block_destroy(b);
        }
        free_parcels(&d->written);
        free_parcels(&d->syncing);
        free(d);
    }
}

void reports_begin(reports *d, int64_t now_ns)
{
    d->news_ns = d->news_ns == 0 ? now_ns : d->news_ns;
}

block *reports_take_free(reports *d)
{
    return pop(&d->free);
}

void reports_put_free(reports *d, block *b)
{
    push(&d->free, b);
}

/* Of a block whose tiles are written. */
static void pack(reports *d, const block *b)
{
    const size_t records_bytes = (size_t)b->tiles * sizeof *b->records;
    const size_t failures_bytes = (size_t)b->failure_count * sizeof *b->failures;
    const size_t bytes = sizeof(message_report) + records_bytes + failures_bytes;
    parcel *p = malloc(offsetof(parcel, report) + bytes);
    if (p == NULL) {
        error e;
        (void)error_set(&e, WEFT_ERR_MEMORY, "out of memory for a report");
        coordinator_link_fail(d->setup.link, &e);
        return;
    }
    memset(p, 0, sizeof *p);
    p->bytes = bytes;
    p->report.kind = MESSAGE_REPORT;
    p->report.failures = (int32_t)b->failure_count;
    p->report.first = b->first;
    p->report.tiles = b->tiles;
    unsigned char *behind = (unsigned char *)&p->report + sizeof p->report;
    memcpy(behind, b->records, records_bytes);
    if (failures_bytes > 0) {
        memcpy(behind + records_bytes, b->failures, failures_bytes);
    }
    p->next = d->written;
    d->written = p;
}

/* Says what is in a parcel, and what the workers have done so far. */
static void report(reports *d, parcel *p)
{
    message_report *head = &p->report;
    for (int i = 0; i < (d->setup.workers > 0 ? d->setup.workers : 1); i++) {
        const int64_t busy_ns = team_busy_ns(d->setup.team, i);
        head->busy_ns += busy_ns;
        head->cpu_ns += team_cpu_ns(d->setup.team, i);
        head->wait_ns += team_wait_ns(d->setup.team, i);
        head->worst_ns = busy_ns > head->worst_ns ? busy_ns : head->worst_ns;
    }
    if (d->syncer != NULL) {
        head->sync_ns = (int64_t)(1e9 * syncer_seconds(d->syncer));
    }
    coordinator_link_send(d->setup.link, head, p->bytes);
    free(p);
}

static void report_all(reports *d, parcel **list)
{
    for (parcel *p = pop_parcel(list); p != NULL; p = pop_parcel(list)) {
        report(d, p);
    }
}

static void add_news(news *n, const block *b)
{
    for (int64_t i = 0; i < b->tiles; i++) {
        const double seconds = b->records[i].seconds;
        if (tile_record_done(&b->records[i])) {
            n->computed.tiles++;
            n->computed.seconds += seconds;
            n->computed.squares += seconds * seconds;
            n->longest_s = seconds > n->longest_s ? seconds : n->longest_s;
        }
    }
}

/* Tiles of a block that are not done: a run that stops leaves some out, and a rank that may be
 * taken for dead must not write. */
static void return_undone(const reports *d, const block *b, int64_t queued, int32_t epoch)
{
    for (int64_t i = 0; i < b->kept;) {
        interval p = {.first = b->first + i};
        while (i < b->kept && !tile_record_done(&b->records[i])) {
            p.tiles++;
            i++;
        }
        if (p.tiles > 0) {
            message_return back;
            memset(&back, 0, sizeof back);
            back.kind = MESSAGE_RETURN;
            back.epoch = epoch;
            back.intervals = 1;
            back.left = queued + team_stock(d->setup.team);
            back.interval[0] = p;
            coordinator_link_send(d->setup.link, &back,
                                  offsetof(message_return, interval) + sizeof p);
        }
        i++;
    }
}

/* The coordinator learns at once how fast it goes here, and later, once it is on disk, what may be
 * recorded. */
static void send_news(reports *d, const news *n, int64_t queued)
{
    const int64_t now_ns = clock_now_ns();
    message_news message;
    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_NEWS;
    message.news = *n;
    message.news.computed.elapsed = 1e-9 * (double)(now_ns - d->news_ns);
    message.news.left = queued + team_stock(d->setup.team);
    d->news_ns = now_ns;
    coordinator_link_send(d->setup.link, &message, sizeof message);
}

/* Blocks that the team has finished: their bytes are in the file, or never will be. */
bool reports_collect(reports *d, int64_t queued, int32_t epoch)
{
    news n = {.longest_s = 0};
    bool any = false;
    for (block *b = team_collect(d->setup.team); b != NULL; b = team_collect(d->setup.team)) {
        any = true;
        if (b->error.status != WEFT_OK) {
            coordinator_link_fail(d->setup.link, &b->error);
        } else {
            add_news(&n, b);
            return_undone(d, b, queued, epoch);
            pack(d, b);
        }
        push(&d->free, b);
    }
    if (any) {
        send_news(d, &n, queued);
    }
    return any;
}

void reports_report(reports *d, int64_t now_ns, bool hurry)
{
    if (d->syncer == NULL) {
        report_all(d, &d->written);
        return;
    }
    if (syncer_busy(d->syncer)) {
        return;
    }
    error e = {.status = WEFT_OK};
    if (d->syncing != NULL) {
        if (syncer_status(d->syncer, &e) != WEFT_OK) {
            /* The system may have dropped these bytes: they are never reported. */
            coordinator_link_fail(d->setup.link, &e);
            return;
        }
        report_all(d, &d->syncing);
        const int64_t most_ns = (int64_t)(1e9 * d->setup.flow->options->sync_s);
        const int64_t pause_ns = (int64_t)(1e9 * PACE_SYNC_PAUSES * syncer_seconds(d->syncer));
        d->next_sync_ns = now_ns + (pause_ns < most_ns ? pause_ns : most_ns);
    }
    if (d->written != NULL && (now_ns >= d->next_sync_ns || hurry)) {
        d->syncing = d->written;
        d->written = NULL;
        syncer_ask(d->syncer);
    }
}

bool reports_done(const reports *d)
{
    return d->written == NULL && d->syncing == NULL;
}

bool reports_busy(const reports *d)
{
    return d->syncer != NULL && syncer_busy(d->syncer);
}
