/* SPDX-License-Identifier: BSD-3-Clause */
/* A run from its beginning to its end, on all ranks. */
#include "engine/run/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "comm/mail.h"
#include "engine/coord/coordinator.h"
#include "engine/coord/progress.h"
#include "engine/exec/isolation.h"
#include "engine/exec/misuse.h"
#include "engine/exec/overflow.h"
#include "engine/run/fold.h"
#include "engine/run/loop.h"
#include "host/signals.h"
#include "host/thread_state.h"
#include "host/watchdog.h"
#include "space/divide.h"
#include "store/format/record.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A child in which nothing moves is given as long as a coordinator that is silent; where no rank is
 * ever presumed dead, that long. */
static const int64_t stuck_ns = INT64_C(10000000000);

/* What rank 0 tells the others of the file it has opened. */
typedef struct opening {
    weft_status status; /* WEFT_OK, or there is no file, and nothing else is said */
    metadata_layout layout;
    int64_t grain;
    int64_t retry_count;
    int64_t left_ns; /* of the time limit; 0: there is none */
    int run;
    bool complete;  /* nothing is to be computed, … */
    int64_t failed; /* … though this is how many items have failed */
} opening;

static int compare_items(const void *a, const void *b)
{
    const int64_t x = ((const retry_item *)a)->item;
    const int64_t y = ((const retry_item *)b)->item;
    return (x > y) - (x < y);
}

/* Rank 0: the items to retry, of those tiles whose failures are all in the table. Of other tiles
 * everything is computed again. Of tiles that count as done only if `all` is to be retried; others
 * with failures are what an earlier run has begun to retry. */
static weft_status list_retries(tile_table *l, const tiling *tiles, bool all, retry_item **items,
                                int64_t *count, error *e)
{
    int64_t rows = 0;
    const failure_row *row = tile_table_failures(l, &rows);
    retry_item *list = malloc((size_t)(rows + 1) * sizeof *list);
    if (list == NULL) {
        return error_memory(e, "%lld failed items", (long long)rows);
    }
    int64_t used = 0;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t item = row[i].item;
        if (row[i].code != 0 && item >= 0 && item < tiles->count) {
            const tile_past *past = tile_table_past(l, item / tiles->grain);
            if (past != NULL && (all || past->state == TILE_EMPTY)) {
                list[used++] = (retry_item){.item = item, .checksum = past->checksum};
            }
        }
    }
    qsort(list, (size_t)used, sizeof *list, compare_items);
    int64_t kept = 0;
    for (int64_t i = 0; i < used;) {
        const int64_t tile = list[i].item / tiles->grain;
        int64_t n = 0;
        while (i + n < used && list[i + n].item / tiles->grain == tile) {
            n++;
        }
        if (n == tile_table_past(l, tile)->failed) {
            memmove(list + kept, list + i, (size_t)n * sizeof *list);
            kept += n;
        }
        i += n;
    }
    *items = list;
    *count = kept;
    return WEFT_OK;
}

/* More years than any job has. */
static const double no_limit_s = 1e9;

/* A run that is told to stop while its file is made or read has this long to begin, and then ends
 * in good order. */
enum { STOP_IN_OPENING_S = 5 };

/* For a watchdog. */
static unsigned seconds_left(int64_t deadline_ns)
{
    const double left_s = 1e-9 * (double)(deadline_ns - clock_now_ns());
    return (unsigned)(deadline_ns == 0 ? no_limit_s : fmin(fmax(ceil(left_s), 1), no_limit_s));
}

void run_watch(int64_t deadline_ns)
{
    watchdog_set(seconds_left(deadline_ns), weft_status_exit(WEFT_STOPPED),
                 "weft: the time limit is over before the run has begun, while its file was "
                 "made or read: with as much time it never gets anywhere; give it more, or "
                 "larger tiles (--grain, with --fresh)\n");
    watchdog_hurry(STOP_IN_OPENING_S, weft_status_exit(WEFT_STOPPED),
                   "weft: told to stop before the run had begun; run the same command again\n");
}

void run_end_watch(void)
{
    watchdog_clear();
}

static void warn_of_many_tiles(const job *j)
{
    const int64_t tiles = j->tiles.tiles;
    if (tiles > TILING_MOST_TILES) {
        log_print(LOG_WARNING,
                  "--grain %" PRId64 " makes %" PRId64 " tiles: their records alone take %.1f GB "
                  "of the file; without --grain, or with %" PRId64
                  " and more, there are a million at most",
                  j->tiles.grain, tiles, 1e-9 * (double)sizeof(tile_record) * (double)tiles,
                  divide_up(j->tiles.count, TILING_MOST_TILES));
    }
}

/* Opens the file on rank 0, unless it is open, and the map in it. */
static weft_status open_map(job *j, const run_options *options, store **s, error *e)
{
    const store_policy policy = {.fresh = options->fresh,
                                 .later = options->later,
                                 .sync = options->sync_s > 0,
                                 .adopt_grain = options->grain == 0};
    weft_status status = WEFT_OK;
    if (options->file->open == NULL) {
        status = store_file_open(options->path, options->maps, options->jobs, policy,
                                 &options->file->open, e);
    }
    return status == WEFT_OK ? store_open(options->file->open, j, policy, s, e) : status;
}

/* Rank 0 says that there is nothing to do, as the coordinator would. */
static void tell_complete(const job *j, const run_options *options, int64_t failed)
{
    progress p;
    const progress_summary summary = {.status = failed > 0 ? WEFT_ITEMS_FAILED : WEFT_OK,
                                      .done = j->items.count,
                                      .failed = failed};
    progress_begin(&p, options, j->items.count, j->items.count);
    progress_end(&p, &summary, clock_now_ns());
}

/* Tiles are about to change: on disk, too, no value is there before they do. */
static weft_status forget_values(store *s, const job *j, bool sync, error *e)
{
    if (j->reductions == 0) {
        return WEFT_OK;
    }
    const weft_status status = store_forget_values(s, e);
    return status == WEFT_OK && sync ? store_sync(s, e) : status;
}

/* Opens the result on rank 0. */
static weft_status open_first(job *j, const run_options *options, store **s, opening *o,
                              retry_item **retry, error *e)
{
    weft_status status = open_map(j, options, s, e);
    if (status != WEFT_OK) {
        return status;
    }
    const tile_table *tiles = store_ledger(*s);
    const int64_t failed = tile_table_failed(tiles);
    o->layout = *store_layout(*s);
    o->grain = j->tiles.grain;
    o->run = tile_table_run(tiles);
    o->failed = failed;
    o->complete = tile_table_complete(tiles) && (failed == 0 || !options->retry_failed);
    if (options->deadline_ns != 0) {
        const int64_t left_ns = options->deadline_ns - clock_now_ns();
        o->left_ns = left_ns > 1 ? left_ns : 1;
    }
    if (o->complete) {
        tell_complete(j, options, failed);
        return WEFT_OK;
    }
    if (!tile_table_created(tiles)) {
        status = forget_values(*s, j, options->sync_s > 0, e);
    }
    return status != WEFT_OK ? status
                             : list_retries(store_ledger(*s), &j->tiles, options->retry_failed,
                                            retry, &o->retry_count, e);
}

/* Opens it on all others, as rank 0 says. */
static weft_status open_other(job *j, const run_options *options, const opening *o, store **s,
                              retry_item **retry, error *e)
{
    weft_status status = job_settle(j, j->seed, o->grain, e);
    if (status == WEFT_OK) {
        status = store_attach(options->path, j, &o->layout, s, e);
    }
    if (status == WEFT_OK) {
        *retry = calloc((size_t)o->retry_count + 1, sizeof **retry);
        if (*retry == NULL) {
            status = error_memory(e, "%lld failed items", (long long)o->retry_count);
        }
    }
    return status;
}

/* Collective: rank 0 opens the file, and tells the others. */
static weft_status open_on_first(comm *c, job *j, const run_options *options, store **s, opening *o,
                                 retry_item **retry, error *e)
{
    error failure = {.status = WEFT_OK};
    memset(o, 0, sizeof *o);
    if (comm_rank(c) == 0) {
        o->status = open_first(j, options, s, o, retry, e);
    }
    const weft_status own = o->status;
    const weft_status status = comm_broadcast(c, 0, o, sizeof *o, &failure);
    if (status != WEFT_OK && own == WEFT_OK) {
        *e = failure;
        return status;
    }
    return o->status == WEFT_OK ? WEFT_OK : comm_agree(c, own, e);
}

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

/* A run that has been stopped, or has failed, waits this long for its file to be closed. One that
 * is complete waits until its time limit, and this long after a signal. */
enum { CLOSE_S = 10 };

static const char closing_words[] =
    "weft: the disk has not answered while the file was closed: what was written last may be "
    "missing; run the same command again\n";

static bool is_complete(weft_status status)
{
    return status == WEFT_OK || status == WEFT_ITEMS_FAILED;
}

static void watch_closing(weft_status status, int64_t deadline_ns)
{
    if (!is_complete(status)) {
        watchdog_set(CLOSE_S, weft_status_exit(status), closing_words);
        return;
    }
    watchdog_set(seconds_left(deadline_ns), weft_status_exit(WEFT_STOPPED), closing_words);
    watchdog_hurry(CLOSE_S, weft_status_exit(WEFT_STOPPED), closing_words);
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

/* Whether what all ranks have written can be read by any of them once they have closed the file.
 * With --sync it can before it is reported. */
static bool is_readable(const comm *c, const run_options *options, int hosts)
{
    return options->sync_s > 0 || hosts == 1 || !comm_broken(c);
}

/* Collective, where no rank has been lost: without --sync an NFS client may keep what its ranks
 * have written until they close the file, and rank 0 is to read it before that is done as usual. */
static weft_status close_others(comm *c, store **s, const run_options *options, weft_status status,
                                int64_t deadline_ns, error *e)
{
    error late = {.status = WEFT_OK};
    weft_status closed = WEFT_OK;
    if (options->sync_s > 0 || comm_size(c) == 1 || comm_broken(c)) {
        return status;
    }
    watch_closing(status, deadline_ns);
    if (comm_rank(c) != 0 && *s != NULL) {
        closed = store_finish(*s, &late);
        store_close(*s);
        *s = NULL;
    }
    run_end_watch();
    closed = comm_agree_at_end(c, closed, &late);
    if (closed == WEFT_OK) {
        return status;
    }
    *e = late;
    return closed;
}

/* Collective, where no rank has been lost: rank 0 has the values of a map that is complete, and all
 * others get them. */
static weft_status share_values(comm *c, store **s, const job *j, const run_options *options,
                                int hosts, int64_t deadline_ns, weft_status status, error *e)
{
    error own = {.status = WEFT_OK};
    weft_status made = WEFT_OK;
    if (j->reductions == 0 || !is_complete(status)) {
        return status;
    }
    status = close_others(c, s, options, status, deadline_ns, e);
    if (!is_complete(status)) {
        return status;
    }
    watch_closing(status, deadline_ns);
    if (comm_rank(c) == 0 && is_readable(c, options, hosts)) {
        made = fold_values(*s, j, options->values, &own);
        if (made == WEFT_OK && options->sync_s > 0) {
            made = store_sync(*s, &own);
        }
        *options->valued = made == WEFT_OK;
    } else if (comm_rank(c) == 0) {
        log_print(LOG_WARNING,
                  "map '%s': ranks were lost, and without --sync what they wrote may be on its way "
                  "still: the next run makes the values of its reductions",
                  j->name);
    }
    if (!comm_broken(c)) {
        made = comm_agree_at_end(c, made, &own);
    }
    if (made == WEFT_OK && !comm_broken(c)) {
        error lost = {.status = WEFT_OK};
        *options->valued = comm_broadcast(c, 0, options->values,
                                          (size_t)fold_place(j, j->reductions), &lost) == WEFT_OK ||
                           *options->valued;
    }
    run_end_watch();
    if (made != WEFT_OK) {
        *e = own;
    }
    return made == WEFT_OK ? status : made;
}

/* Without --sync a file system may tell of errors only here: they are the run's, on all ranks,
 * unless there is one already. With it, nothing has been recorded that is not on disk. */
static weft_status close_store(comm *c, store *s, const run_options *options, int64_t deadline_ns,
                               weft_status status, error *e)
{
    error late = {.status = WEFT_OK};
    const bool agree = options->sync_s <= 0 && !comm_broken(c);
    watch_closing(status, deadline_ns);
    weft_status closed = s == NULL ? WEFT_OK : store_finish(s, &late);
    store_close(s);
    if (options->maps == 1 || !options->file->made) {
        run_close_file(options->file);
    }
    run_end_watch();
    closed = agree ? comm_agree_at_end(c, closed, &late) : WEFT_OK;
    if (closed == WEFT_OK || error_is_failure(status)) {
        return status;
    }
    *e = late;
    return closed;
}

void run_close_file(run_file *file)
{
    store_file_release(file->open);
    file->open = NULL;
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
        status = open_other(r->setup.job, &r->options, &r->opening, &r->store, &r->retry, e);
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

void run_begin(run *r, const run_setup *setup)
{
    assert(thread_drives());
    comm *c = setup->comm;
    error *e = &r->error;
    r->setup = *setup;
    r->options = *setup->options;
    signals_watch();
    overflow_watch(comm_rank(c), setup->placement->workers > 0);
    if (comm_rank(c) == 0) {
        /* It makes or reads the file, which may take long, or hang: the others wait for it. */
        run_watch(r->options.deadline_ns);
        warn_of_many_tiles(setup->job);
    }
    r->status = open_on_first(c, setup->job, &r->options, &r->store, &r->opening, &r->retry, e);
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
    comm *c = r->setup.comm;
    if (r->computing) {
        r->status = loop_end(r->made.loop, &r->error);
        isolation_conclude(r->flow.isolation);
        release_parts(&r->flow, &r->made);
    }
    free(r->retry);
    const int hosts = r->setup.placement->hosts;
    r->status = share_values(c, &r->store, r->setup.job, &r->options, hosts, r->deadline_ns,
                             r->status, &r->error);
    r->status = close_store(c, r->store, &r->options, r->deadline_ns, r->status, &r->error);
    *r->options.readable = is_readable(c, &r->options, hosts);
    pool_destroy(r->buffers);
    pool_destroy(r->reports);
    overflow_unwatch();
    signals_unwatch();
    if (r->status != WEFT_OK) {
        *e = r->error;
    }
    return r->status;
}
