/* SPDX-License-Identifier: BSD-3-Clause */
/* Same bits everywhere, exactly once: on this layout, every technique, grain and count gives the
 * bytes of a serial loop. */
#include "known.h"

#include <inttypes.h>

static const int64_t grains[] = {1, 7, 0};
static const int64_t counts[] = {0, 1, 2, 3, 17, 1009};

static void run_one(const char *schedule, int64_t grain, int64_t count, const char *path)
{
    char seed[32];
    char grain_text[32];
    (void)snprintf(seed, sizeof seed, "--seed=%" PRId64, count + 5);
    (void)snprintf(grain_text, sizeof grain_text, "--grain=%" PRId64, grain);
    /* The thread of each file's sync is tried now and then. */
    const char *const words[] = {"--out",      path,
                                 "--log",      "error",
                                 "--progress", "never",
                                 "--schedule", schedule,
                                 "--sync",     count % 2 == 0 ? "0" : "10",
                                 seed,         grain > 0 ? grain_text : NULL,
                                 NULL};
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    verdict_words(words, &argc, &argv);
    weft_status status = weft_init(&argc, &argv, NULL, &session);
    if (CHECK(status == WEFT_OK)) {
        CHECK(weft_session_ranks(session) == verdict_ranks);
        CHECK(weft_session_rank(session) == verdict_rank);
        CHECK(weft_session_workers(session) == verdict_threads());
        weft_map *map = known_map(session, "known", count);
        status = weft_map_run(map, known_kernel, NULL);
        CHECK(status == WEFT_OK);
        CHECK(weft_session_seed(session) == (uint64_t)count + 5);
        known_read_back(map, (uint64_t)count + 5, count);
        /* It is passed, and read again. */
        status = weft_map_run(map, known_kernel, NULL);
        CHECK(status == WEFT_OK);
        known_read_back(map, (uint64_t)count + 5, count);
        weft_map_destroy(map);
    }
    CHECK(weft_finish(session, status) == 0);
}

static void check_one(int64_t count, const char *path)
{
    weft_result *r = NULL;
    if (CHECK(weft_result_open(path, &r) == WEFT_OK)) {
        known_check(r, (uint64_t)count + 5, count, NULL);
        known_check_books(r, count, 1, WEFT_OUTCOME_COMPLETE);
    }
    weft_result_close(r);
    CHECK(unlink(path) == 0);
}

int main(int argc, char **argv)
{
    char path[320];
    verdict_begin(&argc, &argv);
    bool failed = false;
    const char *schedule = NULL;
    for (int s = 0; (schedule = weft_schedule_name(s)) != NULL; s++) {
        for (int n = 0; n < 6 && !failed; n++) {
            const int64_t grain = grains[(s + n) % 3];
            (void)snprintf(path, sizeof path, "%s/known.h5", verdict_folder);
            (void)snprintf(verdict_case, sizeof verdict_case, "%s, grain %d, %d items", schedule,
                           (int)grain, (int)counts[n]);
            run_one(schedule, grain, counts[n], path);
            if (verdict_rank == 0) {
                check_one(counts[n], path);
            }
            failed = verdict_failed();
        }
    }
    return verdict_end();
}
