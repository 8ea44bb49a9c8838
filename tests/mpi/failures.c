/* SPDX-License-Identifier: BSD-3-Clause */
/* One bad item is not the end: items that fail on any rank are marked, listed, and computed again
 * when asked to. */
#include "known.h"

#include <math.h>
#include <stdatomic.h>

enum { ITEMS = 700 };

static atomic_int calls[ITEMS];
static bool healed;

static bool is_bad(int64_t item)
{
    return item % 13 == 5 || item == 0 || item == ITEMS - 1;
}

static int failing_kernel(const weft_span *span, void *context)
{
    int code = 0;
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        atomic_fetch_add(&calls[item], 1);
        if (is_bad(item) && !healed) {
            if (item % 2 == 0) {
                weft_span_fail(span, item, 4, "even");
            } else {
                code = 5;
            }
        }
    }
    const int other = known_kernel(span, context);
    return other != 0 ? other : code;
}

static weft_status run_one(const char *path, const char *more)
{
    const char *const words[] = {"--out",  path,     "--log", "error",   "--progress",
                                 "never",  "--seed", "9",     "--grain", "6",
                                 "--sync", "0",      more,    NULL};
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    verdict_words(words, &argc, &argv);
    weft_status status = weft_init(&argc, &argv, NULL, &session);
    if (CHECK(status == WEFT_OK)) {
        weft_map *map = known_map(session, "failing", ITEMS);
        status = weft_map_run(map, failing_kernel, NULL);
        weft_map_destroy(map);
    }
    CHECK(weft_finish(session, status) == weft_status_exit(status));
    return status;
}

static void check_failed(const char *path)
{
    weft_result *r = NULL;
    weft_result_progress p;
    int64_t bad = 0;
    for (int64_t item = 0; item < ITEMS; item++) {
        bad += is_bad(item);
    }
    if (CHECK(weft_result_open(path, &r) == WEFT_OK) &&
        CHECK(weft_result_get_progress(r, &p) == WEFT_OK)) {
        CHECK(p.items_done == ITEMS);
        CHECK(p.items_failed == bad);
        CHECK(p.failures == bad);
        known_check(r, 9, ITEMS, is_bad);
        double number = 0;
        int32_t triple[3] = {0, 0, 0};
        for (int64_t row = 0; row < p.failures; row++) {
            weft_result_failure failure;
            CHECK(weft_result_get_failure(r, row, &failure) == WEFT_OK);
            CHECK(is_bad(failure.item));
            CHECK(failure.code == (failure.item % 2 == 0 ? 4 : 5));
            CHECK(strcmp(failure.text, failure.item % 2 == 0 ? "even" : "") == 0);
            CHECK(weft_result_read(r, 0, failure.item, 1, &number) == WEFT_OK);
            CHECK(weft_result_read(r, 2, failure.item, 1, triple) == WEFT_OK);
            CHECK(isnan(number));
            CHECK(triple[0] == INT32_MIN && triple[1] == INT32_MIN && triple[2] == INT32_MIN);
        }
    }
    weft_result_close(r);
}

/* Over all ranks: only what had failed was computed again. */
static void check_retried(void)
{
    static int mine[ITEMS];
    static int all[ITEMS];
    for (int i = 0; i < ITEMS; i++) {
        mine[i] = atomic_load(&calls[i]);
    }
    verdict_reduce(mine, all, ITEMS, MPI_INT, MPI_SUM);
    for (int i = 0; i < ITEMS; i++) {
        CHECK(is_bad(i) ? all[i] >= 1 : all[i] == 0);
    }
}

int main(int argc, char **argv)
{
    char path[320];
    verdict_begin(&argc, &argv);
    (void)snprintf(path, sizeof path, "%s/failing.h5", verdict_folder);
    (void)snprintf(verdict_case, sizeof verdict_case, "items that fail");
    CHECK(run_one(path, NULL) == WEFT_ITEMS_FAILED);
    if (verdict_rank == 0) {
        check_failed(path);
    }
    if (!verdict_failed()) {
        (void)snprintf(verdict_case, sizeof verdict_case, "failed items, not computed again");
        memset(calls, 0, sizeof calls);
        CHECK(run_one(path, NULL) == WEFT_ITEMS_FAILED);
        for (int i = 0; i < ITEMS; i++) {
            CHECK(atomic_load(&calls[i]) == 0);
        }
    }
    if (!verdict_failed()) {
        (void)snprintf(verdict_case, sizeof verdict_case, "failed items, computed again");
        healed = true;
        CHECK(run_one(path, "--retry-failed") == WEFT_OK);
        check_retried();
        if (verdict_rank == 0) {
            weft_result *r = NULL;
            weft_result_progress p;
            if (CHECK(weft_result_open(path, &r) == WEFT_OK) &&
                CHECK(weft_result_get_progress(r, &p) == WEFT_OK)) {
                CHECK(p.items_failed == 0);
                CHECK(p.failures == 0);
                known_check(r, 9, ITEMS, NULL);
            }
            weft_result_close(r);
        }
    }
    return verdict_end();
}
