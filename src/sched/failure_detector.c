/* SPDX-License-Identifier: BSD-3-Clause */
/* Which ranks have been heard of lately, and which are presumed dead. */
#include "sched/failure_detector.h"

#include <stdlib.h>

/* Of a limit, the longest that may pass between two looks and still count as listening; and how
 * often all ranks are looked through. */
enum { LOOKS_PER_LIMIT = 20 };

/* What a beat costs the coordinator, with much to spare. */
enum { BEAT_COST_NS = 20000 };

/* A rank that has missed this many beats may well be dead. */
enum { BEATS_MISSED = 3 };

/* How much longer to wait with ranks whose main thread computes. What they leave undone is computed
 * by others before that, once it is late. */
enum { BUSY_LIMITS = 60 };

typedef struct peer {
    int64_t heard_ns; /* in time listened */
    bool lost;
} peer;

struct failure_detector {
    peer *peer;
    int ranks;
    int lost;
    int64_t limit_ns;
    int64_t looked_ns;   /* the clock at the last look */
    int64_t listened_ns; /* in all */
    int64_t next_search_ns;
    int next; /* to be looked at in the search under way; `ranks`: there is none */
};

pulse pulse_for(int64_t beat_ns, int64_t limit_ns, int ranks, bool busy)
{
    const int64_t least_ns = (int64_t)ranks * BEAT_COST_NS;
    const int64_t slowness = busy ? BUSY_LIMITS : 1;
    pulse p = {.beat_ns = beat_ns > least_ns ? beat_ns : least_ns};
    const int64_t missed_ns = BEATS_MISSED * p.beat_ns;
    const int64_t usual_ns = limit_ns == 0 || limit_ns > missed_ns ? limit_ns : missed_ns;
    p.limit_ns = slowness * usual_ns;
    p.doubt_ns = slowness * missed_ns;
    p.sure_ns = p.limit_ns - usual_ns / 4;
    return p;
}

weft_status failure_detector_create(int ranks, int64_t limit_ns, int64_t now_ns,
                                    failure_detector **out, error *e)
{
    failure_detector *l = calloc(1, sizeof *l);
    peer *peers = calloc((size_t)ranks, sizeof *peers);
    if (l == NULL || peers == NULL) {
        free(peers);
        free(l);
        return error_memory(e, "the state of %d ranks", ranks);
    }
    *l = (failure_detector){
        .peer = peers, .ranks = ranks, .limit_ns = limit_ns, .looked_ns = now_ns, .next = ranks};
    *out = l;
    return WEFT_OK;
}

void failure_detector_destroy(failure_detector *l)
{
    if (l != NULL) {
        free(l->peer);
        free(l);
    }
}

void failure_detector_listen(failure_detector *l, int64_t now_ns)
{
    const int64_t most_ns = l->limit_ns / LOOKS_PER_LIMIT;
    const int64_t passed_ns = now_ns - l->looked_ns;
    l->looked_ns = now_ns;
    l->listened_ns += passed_ns < most_ns ? passed_ns : most_ns;
    if (l->next == l->ranks && l->listened_ns >= l->next_search_ns) {
        l->next_search_ns = l->listened_ns + most_ns;
        l->next = 0;
    }
}

bool failure_detector_hear(failure_detector *l, int rank)
{
    peer *p = &l->peer[rank];
    const bool was_lost = p->lost;
    p->heard_ns = l->listened_ns;
    p->lost = false;
    l->lost -= was_lost;
    return was_lost;
}

int failure_detector_next_lost(failure_detector *l)
{
    while (l->limit_ns > 0 && l->next < l->ranks) {
        const int rank = l->next++;
        const peer *p = &l->peer[rank];
        if (!p->lost && l->listened_ns - p->heard_ns >= l->limit_ns) {
            failure_detector_lose(l, rank);
            return rank;
        }
    }
    return -1;
}

void failure_detector_lose(failure_detector *l, int rank)
{
    l->lost += !l->peer[rank].lost;
    l->peer[rank].lost = true;
}

bool failure_detector_lost(const failure_detector *l, int rank)
{
    return l->peer[rank].lost;
}

int64_t failure_detector_silence_ns(const failure_detector *l, int rank)
{
    return l->listened_ns - l->peer[rank].heard_ns;
}

int failure_detector_lost_ranks(const failure_detector *l)
{
    return l->lost;
}
