/* SPDX-License-Identifier: BSD-3-Clause */
/* What a person sees of a run: the progress line, and the closing line. */
#include "engine/coord/progress.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "host/host.h"
#include "store/format/record.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const int64_t live_ns = INT64_C(250000000);
static const int64_t batch_ns = INT64_C(30000000000);

/* Workers always wait for a core now and then. */
static const double least_waited = 0.05;

void progress_begin(progress *p, const run_options *options, const char *map, int64_t items,
                    int64_t done)
{
    const int64_t now = clock_now_ns();
    const bool live = options->progress == PROGRESS_ALWAYS ||
                      (options->progress == PROGRESS_AUTO && host_on_terminal());
    *p = (progress){.live = live,
                    .silent = options->progress == PROGRESS_NEVER,
                    .start_ns = now,
                    .next_ns = now + (live ? live_ns : batch_ns),
                    .items = items,
                    .before = done,
                    .map = map,
                    .options = options};
}

void progress_update(progress *p, int64_t done, int64_t failed, int64_t now_ns)
{
    if (p->silent || now_ns < p->next_ns) {
        return;
    }
    p->next_ns = now_ns + (p->live ? live_ns : batch_ns);
    const double elapsed_s = 1e-9 * (double)(now_ns - p->start_ns);
    const double rate = (double)(done - p->before) / elapsed_s;
    const clock_text left = clock_duration((double)(p->items - done) / rate);
    char failures[48] = "";
    if (failed > 0) {
        (void)snprintf(failures, sizeof failures, ", %" PRId64 " failed", failed);
    }
    char line[256];
    (void)number_print(line, sizeof line,
                       "%5.1f %%, %" PRId64 " of %" PRId64 " items%s, %.4g items/s, %s left",
                       100 * (double)done / (double)(p->items > 0 ? p->items : 1), done, p->items,
                       failures, rate, rate > 0 ? left.text : "unknown");
    if (p->live) {
        log_progress(line);
    } else {
        log_print(LOG_INFO, "%s", line);
    }
}

/* Where the workers' time went. Imbalance: how far the busiest worker is above the mean. Time in
 * which others had the core counts as computing, which only a further word can tell. */
static void describe_effort(const progress_summary *summary, char *text, size_t bytes)
{
    const double waited = fmin(summary->wait_s / summary->busy_s, 1);
    int percent[WEFT_STATES];
    char shares[128];
    if (weft_states_share(summary->state_s, percent)) {
        weft_states_print(percent, " %", shares, sizeof shares);
        number_append(text, bytes, "; workers: %s", shares);
    }
    number_append(text, bytes, "; imbalance %.0f %%",
                  100 * (summary->worst_s * summary->workers / summary->busy_s - 1));
    if (waited >= least_waited) {
        number_append(text, bytes, "; %.0f %% of the computing time was waiting for a core",
                      100 * waited);
    }
}

void progress_end(progress *p, const progress_summary *summary, int64_t now_ns)
{
    static const char *const ends[WEFT_OUTCOME_COUNT] = {
        [WEFT_OUTCOME_COMPLETE] = "complete",
        [WEFT_OUTCOME_FAILED_ITEMS] = "complete, with failed items",
        [WEFT_OUTCOME_STOPPED] = "stopped",
        [WEFT_OUTCOME_ERROR] = "ended by an error"};
    const double elapsed_s = 1e-9 * (double)(now_ns - p->start_ns);
    const bool cancelled = summary->cancelled && summary->status == WEFT_STOPPED;
    const int64_t computed = summary->done - p->before;
    log_progress(NULL);
    char line[768];
    const bool several = p->options->maps > 1;
    (void)snprintf(line, sizeof line,
                   "%s%s%s%s: %" PRId64 " of %" PRId64 " items done, %" PRId64 " now in %s",
                   several ? "map '" : "", several ? p->map : "", several ? "': " : "",
                   cancelled ? "cancelled" : ends[outcome_of(summary->status)], summary->done,
                   p->items, computed, clock_duration(elapsed_s).text);
    if (summary->failed > 0) {
        number_append(line, sizeof line, ", %" PRId64 " failed", summary->failed);
    }
    if (summary->duplicates > 0) {
        number_append(line, sizeof line, ", %" PRId64 " computed twice", summary->duplicates);
    }
    if (summary->lost > 0) {
        number_append(line, sizeof line, ", %d rank%s lost with %" PRId64 " items in progress",
                      summary->lost, number_plural(summary->lost), summary->lost_items);
    }
    if (computed > 0 && elapsed_s > 0 && summary->busy_s > 0) {
        describe_effort(summary, line, sizeof line);
    }
    log_print(LOG_INFO, "%s", line);
    log_print(LOG_INFO, "result: %s", p->options->path);
    if (summary->failed > 0) {
        log_print(LOG_INFO,
                  "failed items are listed by: weft status %s; --retry-failed computes them again",
                  p->options->path);
    }
    if (summary->status == WEFT_STOPPED && !cancelled) {
        log_print(LOG_INFO, "run the same command again%s to continue",
                  p->options->fresh ? " without --fresh (or WEFT_FRESH)" : "");
    }
}
