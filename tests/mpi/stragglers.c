/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank that is late: others compute what it holds, the run ends with the right bytes, and what it
 * says after the end is no part of the next run, which may be of another map. */
#include "known.h"

#include <stdatomic.h>
#include <time.h>

enum { ITEMS = 60, OTHER_ITEMS = 20, LATE_S = 2 };

static atomic_int computed;

/* The last rank sleeps over the first item that it is given. */
static int late_kernel(const weft_span *span, void *context)
{
    atomic_bool *slept = context;
    atomic_fetch_add(&computed, (int)weft_span_count(span));
    if (verdict_rank == verdict_ranks - 1 && !atomic_exchange(slept, true)) {
        const struct timespec pause = {.tv_sec = LATE_S};
        (void)nanosleep(&pause, NULL);
    } else {
        /* So that the late rank comes to something at all. */
        const struct timespec pause = {.tv_nsec = 1000000};
        (void)nanosleep(&pause, NULL);
    }
    return known_kernel(span, NULL);
}

static weft_session *open_session(const char *path)
{
    const char *const words[] = {"--out",  path, "--log",   "error", "--progress", "never",
                                 "--sync", "0",  "--grain", "1",     NULL};
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    verdict_words(words, &argc, &argv);
    CHECK(weft_init(&argc, &argv, NULL, &session) == WEFT_OK);
    return session;
}

static void check(const char *path, int64_t count)
{
    if (verdict_rank == 0) {
        weft_result *r = NULL;
        if (CHECK(weft_result_open(path, &r) == WEFT_OK)) {
            known_check(r, 0, count, NULL);
            known_check_books(r, count, 1, WEFT_OUTCOME_COMPLETE);
        }
        weft_result_close(r);
    }
}

int main(int argc, char **argv)
{
    char path[320];
    verdict_begin(&argc, &argv);
    (void)snprintf(path, sizeof path, "%s/", verdict_folder);
    weft_session *session = open_session(path);
    static const int64_t counts[] = {ITEMS, ITEMS, OTHER_ITEMS, ITEMS};
    for (int i = 0; i < 4 && !verdict_failed(); i++) {
        (void)snprintf(verdict_case, sizeof verdict_case, "map %d of one session", i);
        atomic_bool slept = i % 2 == 1;
        char name[16];
        (void)snprintf(name, sizeof name, "%s%d", i % 2 == 0 ? "late" : "prompt", i);
        (void)snprintf(path, sizeof path, "%s/%s.h5", verdict_folder, name);
        weft_map *map = known_map(session, name, counts[i]);
        if (CHECK(map != NULL)) {
            CHECK(weft_map_run(map, late_kernel, &slept) == WEFT_OK);
        }
        weft_map_destroy(map);
        check(path, counts[i]);
    }
    CHECK(weft_finish(session, WEFT_OK) == 0);
    return verdict_end();
}
