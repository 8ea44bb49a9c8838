/* SPDX-License-Identifier: BSD-3-Clause */
/* Stopping in good order and going on: a signal on any rank stops all, nothing that was done is
 * computed again, and the end is the same as without. */
#include "known.h"

#include <stdatomic.h>
#include <time.h>

enum { ITEMS = 1009, STOPS = 3, ROUNDS = 3 };

/* Spans of a run that is to be stopped take so long, so that every rank comes to have some; those
 * begun after the signal take longer, so that its rank comes to see it before all is computed. */
static const struct timespec slowness = {.tv_nsec = 200000};
static const struct timespec more_slowness = {.tv_nsec = 20000000};

/* Items computed by this rank; at which of them the signal comes. */
typedef struct trigger {
    atomic_int items;
    atomic_bool sent;
    int after; /* -1: never */
    int number;
} trigger;

static int stopping_kernel(const weft_span *span, void *context)
{
    trigger *t = context;
    const int items =
        (int)weft_span_count(span) + atomic_fetch_add(&t->items, (int)weft_span_count(span));
    if (t->after >= 0 && items >= t->after && !atomic_exchange(&t->sent, true)) {
        (void)raise(t->number);
    }
    if (t->number != 0) {
        (void)nanosleep(weft_span_stopping(span) ? &more_slowness : &slowness, NULL);
    }
    return known_kernel(span, NULL);
}

static weft_status run_one(const char *path, int threads, trigger *t)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", threads);
    const char *const words[] = {"--out",  path,        "--log", "error",  "--progress",
                                 "never",  "--threads", number,  "--seed", "3",
                                 "--sync", "10",        NULL};
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    verdict_words(words, &argc, &argv);
    weft_status status = weft_init(&argc, &argv, NULL, &session);
    if (CHECK(status == WEFT_OK)) {
        weft_map *map = known_map(session, "known", ITEMS);
        CHECK(weft_map_set_grain(map, 4) == WEFT_OK);
        CHECK(weft_map_set_span_limit(map, 4) == WEFT_OK);
        status = weft_map_run(map, stopping_kernel, t);
        weft_map_destroy(map);
    }
    CHECK(weft_finish(session, status) == weft_status_exit(status));
    return status;
}

/* All ranks have the same status. */
static void check_common(weft_status status)
{
    int mine = (int)status;
    int low = 0;
    int high = 0;
    verdict_reduce(&mine, &low, 1, MPI_INT, MPI_MIN);
    verdict_reduce(&mine, &high, 1, MPI_INT, MPI_MAX);
    CHECK(low == high);
}

/* How far the file is after a stop; what is there already is right. */
static int64_t look_at(const char *path)
{
    weft_result *r = NULL;
    weft_result_progress p = {.items_done = -1};
    int64_t verified = 0;
    int64_t bad = 0;
    if (CHECK(weft_result_open(path, &r) == WEFT_OK)) {
        CHECK(weft_result_get_progress(r, &p) == WEFT_OK);
        CHECK(p.tiles_bad == 0);
        CHECK(weft_result_verify(r, NULL, NULL, &verified, &bad) == WEFT_OK);
        CHECK(verified == p.tiles_done);
    }
    weft_result_close(r);
    return p.items_done;
}

/* Stops a number of times, each time by another rank, with another number of workers. */
static void stop_and_go_on(const char *path, int number)
{
    int64_t computed = 0;
    int stops = 0;
    for (int i = 0; i < STOPS; i++) {
        /* The first time any rank: one of them has as many items. */
        const bool chosen = i == 0 || verdict_rank == i % verdict_ranks;
        trigger t = {.after = chosen ? 10 + 20 * i : -1, .number = number};
        const weft_status status = run_one(path, (verdict_threads() + i) % 4, &t);
        /* The chosen rank may have been given too little to come to its signal. */
        CHECK(status == WEFT_STOPPED || status == WEFT_OK);
        check_common(status);
        computed += atomic_load(&t.items);
        stops += status == WEFT_STOPPED;
        if (verdict_rank == 0) {
            const int64_t done = look_at(path);
            CHECK(status == WEFT_OK ? done == ITEMS : done >= 1 && done < ITEMS);
        }
    }
    CHECK(stops > 0);
    trigger t = {.after = -1};
    CHECK(run_one(path, verdict_threads(), &t) == WEFT_OK);
    computed += atomic_load(&t.items);
    int64_t all = 0;
    verdict_reduce(&computed, &all, 1, MPI_INT64_T, MPI_SUM);
    if (verdict_rank == 0) {
        weft_result *r = NULL;
        weft_result_progress p;
        if (CHECK(weft_result_open(path, &r) == WEFT_OK) &&
            CHECK(weft_result_get_progress(r, &p) == WEFT_OK)) {
            int64_t items = 0;
            int64_t duplicates = 0;
            for (int i = 0; i < p.runs; i++) {
                weft_result_run run;
                CHECK(weft_result_get_run(r, i, &run) == WEFT_OK);
                items += run.items;
                duplicates += run.duplicates;
            }
            CHECK(p.runs == stops + 1); /* one completed it, whether or not it was the last */
            CHECK(items == ITEMS);
            CHECK(p.items_done == ITEMS);
            /* Kernels were called for what the books hold; among several ranks one that is thought
             * late may do more, which nobody waits for. */
            CHECK(all >= ITEMS + duplicates);
            CHECK(verdict_ranks > 1 || all == ITEMS);
            known_check(r, 3, ITEMS, NULL);
        }
        weft_result_close(r);
        CHECK(unlink(path) == 0);
    }
}

int main(int argc, char **argv)
{
    char path[320];
    verdict_begin(&argc, &argv);
    /* After SIGTERM and SIGINT, for which system.signals is there, a rank that is slow to answer is
     * left behind, and ends. */
    for (int i = 0; i < ROUNDS && !verdict_failed(); i++) {
        (void)snprintf(path, sizeof path, "%s/stop.h5", verdict_folder);
        (void)snprintf(verdict_case, sizeof verdict_case, "round %d", i);
        stop_and_go_on(path, SIGUSR1);
    }
    return verdict_end();
}
