/* SPDX-License-Identifier: BSD-3-Clause */
/* A run from its beginning to its end, on all ranks. */
#include "engine/run/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "comm/mail.h"
#include "engine/coord/coordinator.h"
#include "engine/exec/isolation.h"
#include "engine/exec/misuse.h"
#include "engine/exec/overflow.h"
#include "engine/run/closing.h"
#include "engine/run/loop.h"
#include "engine/run/opening.h"
#include "host/signals.h"
#include "host/thread_state.h"
#include "space/divide.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A child in which nothing moves is given as long as a coordinator that is silent; where no rank is
 * ever presumed dead, that long. */
static const int64_t stuck_ns = INT64_C(10000000000);

/* One run of rank 0 begins at a time: what is made or found in a file, and the row that it takes in
 * the table of runs, is there before another run looks. */
static pthread_mutex_t beginning = PTHREAD_MUTEX_INITIALIZER;

/* What a run is made of, besides its flow. */
typedef struct parts {
    mail *mail;
    coordinator_link *link;
    coordinator *coordinator; /* rank 0; else NULL */
    loop *loop;
    pulse pulse;
} parts;

struct run {
    run_setup setup;
    run_options options;
    store *store;
    pool *reports;
    pool *buffers;
    retry_item *retry;
    opening opening;
    int64_t deadline_ns;
    flow flow;
    parts made;
    bool computing; /* all ranks are: the loop has begun */
    weft_status status;
    error error;
};

static weft_status make_parts(comm *c, const placement *p, const run_options *options, flow *w,
                              parts *made, error *e)
{
    const int workers = p->workers > 0 ? p->workers : 1;
    const isolation_setup setup = {
        .flow = w,
        .workers = workers,
        .by_main = p->workers == 0,
        .stuck_ns = options->dead_after_s > 0 ? (int64_t)(2e9 * options->dead_after_s) : stuck_ns};
    weft_status status = misuse_create(workers, &w->misuse, e);
    if (status == WEFT_OK) {
        status = isolation_create(&setup, &w->isolation, e);
    }
    if (status == WEFT_OK) {
        w->lull = isolation_lull(w->isolation);
        status = mail_create(c, w->reports, &made->mail, e);
    }
    if (status == WEFT_OK) {
        status = loop_create(&made->loop, e);
    }
    return status == WEFT_OK
               ? coordinator_link_create(made->mail, comm_rank(c), made->pulse, &made->link, e)
               : status;
}

static void release_parts(flow *w, parts *made)
{
    loop_destroy(made->loop);
    coordinator_destroy(made->coordinator);
    coordinator_link_destroy(made->link);
    mail_destroy(made->mail);
    isolation_destroy(w->isolation);
    misuse_destroy(w->misuse);
}

/* Collective, after all ranks have made their parts, or one has failed to: the retries go to all,
 * and rank 0 begins to coordinate. */
static weft_status begin(comm *c, const placement *p, const run_options *options, flow *w,
                         retry_item *retry, parts *made, weft_status own, error *e)
{
    if (comm_rank(c) != 0 && made->pulse.limit_ns > 0) {
        /* The coordinator, which begins to listen later, will have heard of this rank by then. */
        w->mine_until_ns = clock_now_ns() + made->pulse.sure_ns;
    }
    weft_status status = comm_agree(c, own, e);
    if (status == WEFT_OK && w->retry_count > 0) {
        status = comm_broadcast(c, 0, retry, (size_t)w->retry_count * sizeof *retry, e);
    }
    if (status != WEFT_OK) {
        return status;
    }
    if (comm_rank(c) == 0) {
        const coordinator_setup setup = {.job = w->job,
                                         .store = w->store,
                                         .mail = made->mail,
                                         .placement = p,
                                         .options = options,
                                         .pulse = made->pulse};
        own = coordinator_create(&setup, &made->coordinator, e);
    }
    return comm_agree(c, own, e);
}

/* The run proper begins. Between the beginning of the loop and its end there is no collective call.
 */
static weft_status begin_to_compute(run *r, weft_status opened, error *e)
{
    comm *c = r->setup.comm;
    const placement *p = r->setup.placement;
    const run_options *options = &r->options;
    r->made.pulse =
        pulse_for((int64_t)(1e9 * options->heartbeat_s), (int64_t)(1e9 * options->dead_after_s),
                  p->ranks, !p->idle_main_threads);
    weft_status status = opened;
    if (status == WEFT_OK) {
        status = make_parts(c, p, options, &r->flow, &r->made, e);
    }
    status = begin(c, p, options, &r->flow, r->retry, &r->made, status, e);
    run_end_watch();
    if (status == WEFT_OK) {
        const loop_setup setup = {.flow = &r->flow,
                                  .comm = c,
                                  .mail = r->made.mail,
                                  .link = r->made.link,
                                  .coordinator = r->made.coordinator,
                                  .lane = r->setup.lane,
                                  .caller = r->setup.caller,
                                  .workers = p->workers,
                                  .pulse = r->made.pulse};
        loop_begin(r->made.loop, &setup);
        r->computing = true;
    } else {
        release_parts(&r->flow, &r->made);
    }
    return status;
}

/* The limit in whole tiles. A kernel that fills a tile's accumulators is given that tile alone. */
static int64_t span_tiles(const job *j, int64_t limit)
{
    const tiling *tiles = &j->tiles;
    if (job_kernel_reduces(j)) {
        return 1;
    }
    if (limit == 0) {
        return INT64_MAX;
    }
    return limit > tiles->grain ? limit / tiles->grain : 1;
}

void run_describe(account *a)
{
    static const struct {
        const char *name;
        size_t bytes;
    } sent[] = {{"error", sizeof(error)},
                {"tile record", sizeof(tile_record)},
                {"failure row", sizeof(failure_row)},
                {"retried item", sizeof(retry_item)},
                {"opening", sizeof(opening)},
                {"ask", sizeof(message_ask)},
                {"news", sizeof(message_news)},
                {"report", sizeof(message_report)},
                {"signal", sizeof(message_signal)},
                {"fail", sizeof(message_fail)},
                {"left", sizeof(message_left)},
                {"return", sizeof(message_return)},
                {"alive", sizeof(message_alive)},
                {"dead", sizeof(message_dead)},
                {"grant", sizeof(message_grant)},
                {"stop", sizeof(message_stop)},
                {"end", sizeof(message_end)},
                {"beat", sizeof(message_beat)},
                {"rejoin", sizeof(message_rejoin)}};
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "the size of weft's message '%s'", sent[i].name);
        account_add(a, name, "%zu bytes", sent[i].bytes);
    }
}

/* The file is open, and items are missing. */
static weft_status compute(run *r, error *e)
{
    comm *c = r->setup.comm;
    weft_status status = WEFT_OK;
    if (comm_rank(c) != 0) {
        status = opening_on_other(r->setup.job, &r->options, &r->opening, &r->store, &r->retry, e);
    }
    if (status == WEFT_OK) {
        status = pool_create(&r->reports, e);
    }
    if (status == WEFT_OK) {
        status = pool_create(&r->buffers, e);
    }
    r->flow = (flow){.job = r->setup.job,
                     .store = r->store,
                     .reports = r->reports,
                     .buffers = r->buffers,
                     .kernel = r->setup.kernel,
                     .context = r->setup.context,
                     .caller = &r->setup.caller->state,
                     .options = &r->options,
                     .span_tiles = span_tiles(r->setup.job, r->options.span_limit),
                     .rank = comm_rank(c),
                     .run = r->opening.run,
                     .origin_ns = clock_now_ns(),
                     .origin_s = clock_wall_s(),
                     .retry_count = r->opening.retry_count,
                     .retry = r->retry};
    return begin_to_compute(r, status, e);
}

/* All that can be said of a run before its first message. */
static void tell_opened(const run *r)
{
    const job *j = r->setup.job;
    const int64_t tiles = r->opening.grain > 0 ? divide_up(j->items.count, r->opening.grain) : 0;
    if (r->options.tally != NULL) {
        const tally now = {.undone = r->opening.complete ? 0 : tiles,
                           .items = r->opening.complete ? j->items.count : 0,
                           .failed = r->opening.failed};
        atomic_store(&r->options.tally->tiles, tiles);
        flow_tell(&r->options, &now);
    }
}

weft_status run_create(run **out, error *e)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? WEFT_OK : error_memory(e, "a run");
}

void run_destroy(run *r)
{
    free(r);
}

/* Collective: opens the result, and begins to compute what is missing. */
static void open_and_compute(run *r)
{
    error *e = &r->error;
    r->status = opening_on_first(r->setup.comm, r->setup.job, &r->options, &r->store, &r->opening,
                                 &r->retry, e);
    r->deadline_ns = r->opening.left_ns == 0 ? 0 : clock_now_ns() + r->opening.left_ns;
    if (r->status == WEFT_OK) {
        r->options.file->made = true;
    }
    *r->options.layout = r->opening.layout;
    if (r->status == WEFT_OK && r->opening.complete) {
        tell_opened(r);
        r->status =
            r->opening.failed == 0
                ? WEFT_OK
                : error_set(e, WEFT_ITEMS_FAILED, "%" PRId64 " items failed", r->opening.failed);
    } else if (r->status == WEFT_OK) {
        r->status = compute(r, e);
        tell_opened(r);
    }
}

void run_begin(run *r, const run_setup *setup)
{
    assert(thread_drives());
    const bool first = comm_rank(setup->comm) == 0;
    r->setup = *setup;
    r->options = *setup->options;
    signals_watch();
    overflow_watch(comm_rank(setup->comm), setup->placement->workers > 0);
    if (first) {
        /* It makes or reads the file, which may take long, or hang: the others wait for it. */
        run_watch(r->options.deadline_ns);
        (void)pthread_mutex_lock(&beginning);
    }
    open_and_compute(r);
    if (first) {
        (void)pthread_mutex_unlock(&beginning);
    }
    run_end_watch();
}

bool run_continue(run *r, int64_t until_ns)
{
    assert(thread_drives());
    return !r->computing || loop_run(r->made.loop, until_ns);
}

weft_status run_end(run *r, error *e)
{
    assert(thread_drives());
    closing end = {.comm = r->setup.comm,
                   .job = r->setup.job,
                   .options = &r->options,
                   .hosts = r->setup.placement->hosts,
                   .deadline_ns = r->deadline_ns,
                   .store = r->store};
    if (r->computing) {
        r->status = loop_end(r->made.loop, &r->error);
        isolation_conclude(r->flow.isolation);
        release_parts(&r->flow, &r->made);
    }
    free(r->retry);
    r->status = closing_share_values(&end, r->status, &r->error);
    r->status = closing_end(&end, r->status, &r->error);
    *r->options.readable = closing_readable(&end);
    pool_destroy(r->buffers);
    pool_destroy(r->reports);
    overflow_unwatch();
    signals_unwatch();
    if (r->status != WEFT_OK) {
        *e = r->error;
    }
    return r->status;
}
