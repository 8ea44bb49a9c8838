/* SPDX-License-Identifier: BSD-3-Clause */
/* One item takes longer than all others together: other workers compute all others meanwhile. The
 * item's kernel returns once they have, or when nothing has been computed for very long. */
#include "known.h"

#include <stdatomic.h>
#include <time.h>

enum { ITEMS = 2000, PAUSES_WITHOUT_PROGRESS = 30000 };

static atomic_int computed;
static atomic_int begun;

static void pause_for_1_ms(void)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    (void)nanosleep(&pause, NULL);
}

/* The others sleep, so that blocks are short and there are many more of them than can be on offer
 * at a time. */
static int long_kernel(const weft_span *span, void *context)
{
    (void)context;
    if (weft_span_first(span) > 0) {
        pause_for_1_ms();
        atomic_fetch_add(&computed, (int)weft_span_count(span));
        return known_kernel(span, NULL);
    }
    CHECK(weft_span_count(span) == 1);
    atomic_fetch_add(&begun, 1);
    int last = 0;
    int pauses = 0;
    while (last < ITEMS - 1 && pauses++ < PAUSES_WITHOUT_PROGRESS) {
        pause_for_1_ms();
        const int now = atomic_load(&computed);
        pauses = now > last ? 0 : pauses;
        last = now;
    }
    CHECK(last == ITEMS - 1);
    return known_kernel(span, NULL);
}

int main(int argc, char **argv)
{
    char path[320];
    verdict_begin(&argc, &argv);
    (void)snprintf(path, sizeof path, "%s/long.h5", verdict_folder);
    const char *const words[] = {"--out",  path, "--log",   "error", "--progress", "never",
                                 "--sync", "0",  "--grain", "1",     NULL};
    weft_session *session = NULL;
    verdict_words(words, &argc, &argv);
    CHECK(weft_init(&argc, &argv, NULL, &session) == WEFT_OK);
    weft_map *map = known_map(session, "long", ITEMS);
    if (CHECK(map != NULL)) {
        CHECK(weft_map_set_span_limit(map, 1) == WEFT_OK);
        CHECK(weft_map_run(map, long_kernel, NULL) == WEFT_OK);
        CHECK(atomic_load(&begun) == 1);
    }
    weft_map_destroy(map);
    weft_result *r = NULL;
    if (CHECK(weft_result_open(path, &r) == WEFT_OK)) {
        known_check(r, 0, ITEMS, NULL);
        known_check_books(r, ITEMS, 1, WEFT_OUTCOME_COMPLETE);
    }
    weft_result_close(r);
    CHECK(weft_finish(session, WEFT_OK) == 0);
    return verdict_end();
}
