/* SPDX-License-Identifier: BSD-3-Clause */
/* A run from its beginning to its end, on all ranks. */
#include "engine/run.h"

#include "base/clock.h"
#include "base/exits.h"
#include "base/signals.h"
#include "engine/agent.h"
#include "engine/coordinator.h"
#include "engine/hazards.h"
#include "engine/isolation.h"
#include "engine/mail.h"
#include "engine/work.h"

#include <stdlib.h>
#include <string.h>

/* What rank 0 tells the others of the file it has opened. */
typedef struct opening {
    metadata_layout layout;
    int64_t grain;
    int64_t retry_count;
    int run;
} opening;

static int compare_items(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Rank 0: the items to retry, of those tiles whose failures are all in the table. Of other tiles
 * everything is computed again. */
static weft_status list_retries(ledger *l, const tiling *tiles, int64_t **items, int64_t *count,
                                error *e)
{
    int64_t rows = 0;
    const failure_row *row = ledger_failures(l, &rows);
    int64_t *list = malloc((size_t)(rows + 1) * sizeof *list);
    if (list == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for %lld failed items",
                         (long long)rows);
    }
    int64_t used = 0;
    for (int64_t i = 0; i < rows; i++) {
        if (row[i].code != 0) {
            list[used++] = row[i].item;
        }
    }
    qsort(list, (size_t)used, sizeof *list, compare_items);
    int64_t kept = 0;
    for (int64_t i = 0; i < used;) {
        const int64_t tile = list[i] / tiles->grain;
        int64_t n = 0;
        while (i + n < used && list[i + n] / tiles->grain == tile) {
            n++;
        }
        if (n == ledger_record(l, tile)->failed) {
            memmove(list + kept, list + i, (size_t)n * sizeof *list);
            kept += n;
        }
        i += n;
    }
    *items = list;
    *count = kept;
    return WEFT_OK;
}

/* Opens the result on rank 0. */
static weft_status open_first(job *j, const run_choice *choice, store **s, opening *o,
                              int64_t **retry, error *e)
{
    const store_policy policy = {.fresh = choice->fresh, .adopt_grain = choice->grain == 0};
    weft_status status = store_open(choice->path, j, policy, s, e);
    if (status != WEFT_OK) {
        return status;
    }
    o->layout = *store_layout(*s);
    o->grain = j->tiles.grain;
    o->run = ledger_run(store_ledger(*s));
    if (choice->retry_failed) {
        status = list_retries(store_ledger(*s), &j->tiles, retry, &o->retry_count, e);
    }
    return status;
}

/* Opens it on all others, as rank 0 says. */
static weft_status open_other(job *j, const run_choice *choice, const opening *o, store **s,
                              int64_t **retry, error *e)
{
    weft_status status = job_settle(j, choice->seed, o->grain, e);
    if (status == WEFT_OK) {
        status = store_attach(choice->path, j, &o->layout, s, e);
    }
    if (status == WEFT_OK) {
        *retry = calloc((size_t)o->retry_count + 1, sizeof **retry);
        if (*retry == NULL) {
            status = error_set(e, WEFT_ERR_MEMORY, "out of memory for the failed items");
        }
    }
    return status;
}

static weft_status open_everywhere(comm *c, job *j, const run_choice *choice, store **s, opening *o,
                                   int64_t **retry, error *e)
{
    weft_status status = WEFT_OK;
    memset(o, 0, sizeof *o);
    if (comm_rank(c) == 0) {
        (void)open_first(j, choice, s, o, retry, e);
    }
    status = comm_agree(c, e);
    if (status == WEFT_OK) {
        status = comm_broadcast(c, 0, o, sizeof *o, e);
    }
    if (status != WEFT_OK) {
        return status;
    }
    if (comm_rank(c) != 0) {
        (void)open_other(j, choice, o, s, retry, e);
    }
    status = comm_agree(c, e);
    if (status == WEFT_OK && o->retry_count > 0) {
        status = comm_broadcast(c, 0, *retry, (size_t)o->retry_count * sizeof **retry, e);
    }
    return status;
}

/* A main thread that computes cannot say meanwhile that it is alive: with such ranks one has to
 * wait far longer before any is taken for dead. What it leaves undone is computed by others before
 * that, once it is late. */
enum { BUSY_LIMITS = 60 };

static pulse settle_pulse(const run_choice *choice, const placement *p)
{
    pulse settled = pulse_for(choice->pulse, p->ranks);
    settled.limit_ns *= p->idle_main_threads ? 1 : BUSY_LIMITS;
    return settled;
}

/* Collective: fails on all ranks if there is an error on any. */
static weft_status start_coordinator(comm *c, const placement *p, const run_choice *choice,
                                     const work *w, const hazards *h, mail *m, coordinator **out,
                                     error *e)
{
    const int computing = p->workers > 0 ? p->workers : 1;
    int *workers = calloc((size_t)p->ranks, sizeof *workers);
    weft_status status = WEFT_OK;
    if (workers == NULL) {
        (void)error_set(e, WEFT_ERR_MEMORY, "out of memory for the workers of %d ranks", p->ranks);
    }
    status = comm_agree(c, e);
    if (status == WEFT_OK) {
        status = comm_gather(c, &computing, sizeof computing, workers, e);
    }
    if (status == WEFT_OK && comm_rank(c) == 0) {
        const coordinator_setup setup = {.job = w->job,
                                         .store = w->store,
                                         .mail = m,
                                         .hazards = h,
                                         .placement = p,
                                         .workers = workers,
                                         .technique = choice->technique,
                                         .pulse = settle_pulse(choice, p),
                                         .pure = choice->pure,
                                         .retry_failed = choice->retry_failed,
                                         .sync = choice->sync_s > 0,
                                         .deadline_ns = choice->deadline_ns,
                                         .fresh = choice->fresh,
                                         .progress = choice->progress,
                                         .path = choice->path,
                                         .command = choice->command};
        (void)coordinator_create(&setup, out, e);
    }
    free(workers);
    return status == WEFT_OK ? comm_agree(c, e) : status;
}

/* The run proper: from here to the end there is no collective call. */
static weft_status compute(comm *c, const placement *p, const run_choice *choice, work *w,
                           hazards *h, error *e)
{
    mail *m = NULL;
    contact *line = NULL;
    coordinator *co = NULL;
    const pulse settled = settle_pulse(choice, p);
    if (mail_create(c, &m, e) == WEFT_OK) {
        (void)contact_create(m, comm_rank(c), settled, &line, e);
    }
    weft_status status = start_coordinator(c, p, choice, w, h, m, &co, e);
    if (status == WEFT_OK) {
        const agent_setup setup = {.work = w,
                                   .comm = c,
                                   .mail = m,
                                   .contact = line,
                                   .coordinator = co,
                                   .hazards = h,
                                   .workers = p->workers,
                                   .pin = p->pin,
                                   .pulse = settled,
                                   .sync_s = choice->sync_s};
        status = agent_run(&setup, e);
    }
    coordinator_destroy(co);
    contact_destroy(line);
    mail_destroy(m);
    return status;
}

/* What may kill is kept apart from the rest of the rank. */
static weft_status compute_safely(comm *c, const placement *p, const run_choice *choice, work *w,
                                  error *e)
{
    const int workers = p->workers > 0 ? p->workers : 1;
    hazards h;
    weft_status status =
        hazards_open(c, choice->path, w->job, w->store, workers, choice->retry_failed, &h, e);
    const isolation_setup setup = {
        .work = w, .workers = workers, .item_timeout_s = choice->item_timeout_s};
    if (status == WEFT_OK) {
        (void)isolation_create(&setup, &w->isolation, e);
        status = comm_agree(c, e);
    }
    if (status == WEFT_OK) {
        w->notes = notes_lines(h.notes);
        w->suspects = h.suspects;
        w->isolate = choice->isolate || choice->item_timeout_s > 0;
        status = compute(c, p, choice, w, &h, e);
    }
    isolation_destroy(w->isolation);
    hazards_settle(&h, status);
    hazards_close(&h);
    return status;
}

/* The limit in whole tiles. */
static int64_t span_tiles(const tiling *tiles, int64_t limit)
{
    if (limit == 0) {
        return INT64_MAX;
    }
    return limit > tiles->grain ? limit / tiles->grain : 1;
}

/* Without --sync a file system may tell of errors only here: they are the run's, on all ranks,
 * unless there is one already. With it, nothing has been recorded that is not on disk. */
static weft_status close_store(comm *c, store *s, bool agree, weft_status status, error *e)
{
    error late = {.status = WEFT_OK};
    if (s != NULL) {
        (void)store_finish(s, &late);
    }
    store_close(s);
    if (!agree || comm_agree_at_end(c, &late) == WEFT_OK || weft_status_exit(status) == 1) {
        return status;
    }
    *e = late;
    return late.status;
}

weft_status run_map(comm *c, const placement *p, job *j, const run_choice *choice,
                    weft_kernel_fn kernel, void *context, error *e)
{
    store *s = NULL;
    int64_t *retry = NULL;
    opening o;
    const int64_t grain = choice->grain > 0 ? choice->grain : choice->map_grain;
    signals_watch();
    exits_watch();
    (void)job_settle(j, choice->seed, grain, e);
    weft_status status = comm_agree(c, e);
    if (status == WEFT_OK) {
        status = open_everywhere(c, j, choice, &s, &o, &retry, e);
    }
    if (status == WEFT_OK) {
        work w = {.job = j,
                  .store = s,
                  .kernel = kernel,
                  .context = context,
                  .pure = choice->pure,
                  .span_tiles = span_tiles(&j->tiles, choice->span_limit),
                  .rank = comm_rank(c),
                  .run = o.run,
                  .origin_ns = clock_now_ns(),
                  .origin_s = clock_wall_s(),
                  .retry_count = o.retry_count,
                  .retry = retry};
        status = compute_safely(c, p, choice, &w, e);
    }
    free(retry);
    status = close_store(c, s, choice->sync_s <= 0 && !comm_broken(c), status, e);
    exits_unwatch();
    signals_unwatch();
    return status;
}
