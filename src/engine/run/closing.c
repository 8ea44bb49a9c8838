/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a run: the values of its reductions, and its file is closed; and how long that, or its
 * beginning, may wait for a disk. */
#include "engine/run/closing.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/run/fold.h"
#include "engine/run/run.h"
#include "host/watchdog.h"

#include <math.h>

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

bool closing_readable(const closing *c)
{
    /* With --sync it can before it is reported. */
    return c->options->sync_s > 0 || c->hosts == 1 || !comm_broken(c->comm);
}

/* Collective, where no rank has been lost: without --sync an NFS client may keep what its ranks
 * have written until they close the file, and rank 0 is to read it before that is done as usual. */
static weft_status close_others(closing *c, weft_status status, error *e)
{
    error late = {.status = WEFT_OK};
    weft_status closed = WEFT_OK;
    if (c->options->sync_s > 0 || comm_size(c->comm) == 1 || comm_broken(c->comm)) {
        return status;
    }
    watch_closing(status, c->deadline_ns);
    if (comm_rank(c->comm) != 0 && c->store != NULL) {
        closed = store_finish(c->store, &late);
        store_close(c->store);
        c->store = NULL;
    }
    run_end_watch();
    closed = comm_agree_at_end(c->comm, closed, &late);
    if (closed == WEFT_OK) {
        return status;
    }
    *e = late;
    return closed;
}

/* Rank 0 has the values; whether it has, and the file, too. */
static weft_status make_values(const closing *c, error *e)
{
    const run_options *options = c->options;
    if (!closing_readable(c)) {
        log_print(LOG_WARNING,
                  "map '%s': ranks were lost, and without --sync what they wrote may be on its way "
                  "still: the next run makes the values of its reductions",
                  c->job->name);
        return WEFT_OK;
    }
    weft_status made = fold_values(c->store, c->job, options->values, e);
    if (made == WEFT_OK && options->sync_s > 0) {
        made = store_sync(c->store, e);
    }
    *options->valued = made == WEFT_OK;
    return made;
}

weft_status closing_share_values(closing *c, weft_status status, error *e)
{
    const run_options *options = c->options;
    const int64_t bytes = fold_place(c->job, c->job->reductions);
    error own = {.status = WEFT_OK};
    weft_status made = WEFT_OK;
    if (c->job->reductions == 0 || !is_complete(status)) {
        return status;
    }
    status = close_others(c, status, e);
    if (!is_complete(status)) {
        return status;
    }
    watch_closing(status, c->deadline_ns);
    if (comm_rank(c->comm) == 0) {
        made = make_values(c, &own);
    }
    if (!comm_broken(c->comm)) {
        made = comm_agree_at_end(c->comm, made, &own);
    }
    if (made == WEFT_OK && !comm_broken(c->comm)) {
        error lost = {.status = WEFT_OK};
        *options->valued =
            comm_broadcast(c->comm, 0, options->values, (size_t)bytes, &lost) == WEFT_OK ||
            *options->valued;
    }
    run_end_watch();
    if (made != WEFT_OK) {
        *e = own;
    }
    return made == WEFT_OK ? status : made;
}

weft_status closing_end(closing *c, weft_status status, error *e)
{
    error late = {.status = WEFT_OK};
    const run_options *options = c->options;
    const bool agree = options->sync_s <= 0 && !comm_broken(c->comm);
    watch_closing(status, c->deadline_ns);
    weft_status closed = c->store == NULL ? WEFT_OK : store_finish(c->store, &late);
    store_close(c->store);
    c->store = NULL;
    if (options->maps == 1) {
        run_close_file(options->file);
    }
    run_end_watch();
    /* With --sync nothing has been recorded that is not on disk. */
    closed = agree ? comm_agree_at_end(c->comm, closed, &late) : WEFT_OK;
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
