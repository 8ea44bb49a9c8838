/* SPDX-License-Identifier: BSD-3-Clause */
/* The layer comm among ranks: messages of any size arrive whole and in order, agreement takes the
 * lowest rank's text, and a run hears nothing of the one before it. */
#include "verdict.h"

#include "base/clock.h"
#include "comm/comm.h"

enum { SIZES = 9, LARGEST = 3000000, ROUNDS = 3 };

static const size_t sizes[SIZES] = {0, 1, 7, 64, 4000, 4096, 70000, 1 << 20, LARGEST};

static unsigned char byte_of(int from, int to, int number, size_t place)
{
    return (unsigned char)((size_t)(from * 7 + to * 31 + number * 101) + place * 13 + place / 251);
}

static void post_all(comm *c, unsigned char *bytes)
{
    for (int number = 0; number < SIZES * ROUNDS; number++) {
        for (int to = 0; to < verdict_ranks; to++) {
            error e = {.status = WEFT_OK};
            const size_t count = sizes[number % SIZES];
            for (size_t i = 0; i < count; i++) {
                bytes[i] = byte_of(verdict_rank, to, number, i);
            }
            if (to != verdict_rank) {
                CHECK(comm_post(c, to, bytes, count, &e) == WEFT_OK);
            }
            /* The message is a copy. */
            memset(bytes, 0xEE, count);
        }
    }
}

static void receive_all(comm *c)
{
    int next[64] = {0};
    int missing = (verdict_ranks - 1) * SIZES * ROUNDS;
    const int64_t until = clock_now_ns() + INT64_C(60000000000);
    while (missing > 0 && clock_now_ns() < until) {
        error e = {.status = WEFT_OK};
        bool arrived = false;
        int source = -1;
        const void *bytes = NULL;
        size_t count = 0;
        if (!CHECK(comm_receive(c, &arrived, &source, &bytes, &count, &e) == WEFT_OK)) {
            return;
        }
        if (!arrived) {
            clock_sleep_ns(50000);
            continue;
        }
        missing--;
        if (!CHECK(source >= 0 && source < verdict_ranks && source != verdict_rank)) {
            continue;
        }
        const int number = next[source]++;
        CHECK(count == sizes[number % SIZES]);
        bool same = true;
        for (size_t i = 0; i < count; i++) {
            same = same &&
                   ((const unsigned char *)bytes)[i] == byte_of(source, verdict_rank, number, i);
        }
        CHECK(same);
    }
    CHECK(missing == 0);
    error e = {.status = WEFT_OK};
    bool arrived = true;
    int source = -1;
    const void *bytes = NULL;
    size_t count = 0;
    CHECK(comm_receive(c, &arrived, &source, &bytes, &count, &e) == WEFT_OK);
    CHECK(!arrived);
}

/* For every set of ranks with an error: all get the lowest one's. */
static void agree_on_all(comm *c)
{
    for (int set = 0; set < 1 << verdict_ranks; set++) {
        error e = {.status = WEFT_OK};
        int lowest = -1;
        for (int rank = verdict_ranks - 1; rank >= 0; rank--) {
            lowest = set >> rank & 1 ? rank : lowest;
        }
        if (set >> verdict_rank & 1) {
            (void)error_set(&e, verdict_rank % 2 == 0 ? WEFT_ERR_USAGE : WEFT_ERR_SYSTEM,
                            "rank %d says", verdict_rank);
        }
        const weft_status status = comm_agree(c, &e);
        char text[64] = "";
        weft_status expected = WEFT_OK;
        if (lowest >= 0) {
            (void)snprintf(text, sizeof text, "rank %d says", lowest);
            expected = lowest % 2 == 0 ? WEFT_ERR_USAGE : WEFT_ERR_SYSTEM;
        }
        CHECK(status == expected);
        CHECK(e.status == expected);
        CHECK(strcmp(e.text, text) == 0);
    }
}

static void spread(comm *c, unsigned char *bytes)
{
    for (int root = 0; root < verdict_ranks; root++) {
        for (int s = 0; s < SIZES; s++) {
            error e = {.status = WEFT_OK};
            bool same = true;
            for (size_t i = 0; i < sizes[s] && verdict_rank == root; i++) {
                bytes[i] = byte_of(root, s, 0, i);
            }
            CHECK(comm_broadcast(c, root, bytes, sizes[s], &e) == WEFT_OK);
            for (size_t i = 0; i < sizes[s]; i++) {
                same = same && bytes[i] == byte_of(root, s, 0, i);
            }
            CHECK(same);
            memset(bytes, 0, sizes[s]);
        }
    }
    int mine[2] = {verdict_rank, 10 * verdict_rank};
    int all[2 * 64];
    error e = {.status = WEFT_OK};
    CHECK(comm_gather(c, mine, sizeof mine, all, &e) == WEFT_OK);
    for (int rank = 0; rank < verdict_ranks; rank++) {
        CHECK(all[2 * rank] == rank && all[2 * rank + 1] == 10 * rank);
    }
}

/* What was posted in an earlier run and not received there never turns up in a later one. */
static void begin_runs(comm *c)
{
    for (int run = 0; run < 5; run++) {
        comm_begin_run(c);
        error e = {.status = WEFT_OK};
        CHECK(comm_agree(c, &e) == WEFT_OK);
        for (int to = 0; to < verdict_ranks; to++) {
            /* The second one is left to the next run. */
            for (int k = 0; k < 2 && to != verdict_rank; k++) {
                const int told[2] = {run, k};
                CHECK(comm_post(c, to, told, sizeof told, &e) == WEFT_OK);
            }
        }
        const int64_t until = clock_now_ns() + INT64_C(60000000000);
        for (int missing = verdict_ranks - 1; missing > 0 && clock_now_ns() < until;) {
            bool arrived = false;
            int source = -1;
            const void *bytes = NULL;
            size_t count = 0;
            CHECK(comm_receive(c, &arrived, &source, &bytes, &count, &e) == WEFT_OK);
            if (arrived) {
                int told[2];
                CHECK(count == sizeof told);
                memcpy(told, bytes, sizeof told);
                CHECK(told[0] == run);
                missing -= told[1] == 0;
            }
        }
    }
}

int main(int argc, char **argv)
{
    verdict_begin(&argc, &argv);
    comm *c = NULL;
    error e = {.status = WEFT_OK};
    unsigned char *bytes = malloc(LARGEST);
    (void)snprintf(verdict_case, sizeof verdict_case, "opening");
    CHECK(bytes != NULL);
    CHECK(comm_open(&argc, &argv, &c, &e) == WEFT_OK);
    if (!verdict_failed()) {
        CHECK(comm_rank(c) == verdict_rank && comm_size(c) == verdict_ranks);
        (void)snprintf(verdict_case, sizeof verdict_case, "agreement");
        agree_on_all(c);
        (void)snprintf(verdict_case, sizeof verdict_case, "broadcast and gathering");
        spread(c, bytes);
        (void)snprintf(verdict_case, sizeof verdict_case, "messages");
        post_all(c, bytes);
        receive_all(c);
        comm_flush(c, INT64_C(10000000000));
        (void)snprintf(verdict_case, sizeof verdict_case, "messages of earlier runs");
        begin_runs(c);
    }
    comm_close(c);
    free(bytes);
    return verdict_end();
}
