/* SPDX-License-Identifier: BSD-3-Clause */
/* The hand-out of a run's tiles to its ranks. */
#include "sched/schedule.h"

#include <assert.h>
#include <float.h>
#include <stdlib.h>

struct schedule {
    technique technique;
    bool by_batch; /* all chunks of a batch follow what was known at its start */
    int64_t total;
    int64_t remaining;
    int64_t ranks;
    int64_t step;
    int64_t batch_remaining;
    double overhead;
    double time_left;
    uint64_t seed;
    measured *known;
};

weft_status schedule_create(const schedule_setup *setup, schedule **out, error *e)
{
    assert(setup->tiles >= 0 && setup->ranks >= 1);
    const technique t = setup->technique;
    const bool elapsed = t == TECHNIQUE_AWF_D || t == TECHNIQUE_AWF_E;
    schedule *s = calloc(1, sizeof *s);
    measured *known = measured_create(setup->ranks, setup->workers, elapsed);
    if (s == NULL || known == NULL) {
        measured_destroy(known);
        free(s);
        return error_memory(e, "what is measured of %lld ranks", (long long)setup->ranks);
    }
    *s = (schedule){.technique = t,
                    .by_batch = t == TECHNIQUE_FAC || t == TECHNIQUE_AWF_B || t == TECHNIQUE_AWF_D,
                    .total = setup->tiles,
                    .remaining = setup->tiles,
                    .ranks = setup->ranks,
                    .seed = setup->seed,
                    .known = known};
    *out = s;
    return WEFT_OK;
}

void schedule_destroy(schedule *s)
{
    if (s != NULL) {
        measured_destroy(s->known);
        free(s);
    }
}

int64_t schedule_next(schedule *s, int64_t rank, int64_t want)
{
    assert(rank >= 0 && rank < s->ranks);
    if (s->remaining == 0) {
        return 0;
    }
    if (s->step % s->ranks == 0) {
        s->batch_remaining = s->remaining;
        if (s->by_batch) {
            measured_freeze(s->known);
        }
    }
    outlook o = {.total = s->total,
                 .remaining = s->remaining,
                 .ranks = s->ranks,
                 .step = s->step,
                 .batch_remaining = s->batch_remaining,
                 .want = want,
                 .overhead = s->overhead,
                 .time_left = s->time_left,
                 .seed = s->seed};
    measured_look(s->known, rank, &o);
    const int64_t chunk = technique_chunk(s->technique, &o);
    s->remaining -= chunk;
    s->step++;
    return chunk;
}

void schedule_return(schedule *s, int64_t tiles)
{
    assert(tiles >= 0);
    s->remaining += tiles;
}

int64_t schedule_remaining(const schedule *s)
{
    return s->remaining;
}

void schedule_measure(schedule *s, int64_t rank, const measurement *m)
{
    assert(rank >= 0 && rank < s->ranks);
    measured_add(s->known, rank, m);
}

void schedule_set_overhead(schedule *s, double seconds)
{
    if (seconds >= 0 && seconds <= DBL_MAX) {
        s->overhead = seconds;
    }
}

void schedule_set_time_left(schedule *s, double seconds)
{
    /* 0 means that there is no limit, so one that has passed is the shortest time there is. */
    s->time_left = seconds < 0 ? DBL_MIN : seconds;
}

double schedule_tile_seconds(const schedule *s, int64_t rank)
{
    assert(rank >= 0 && rank < s->ranks);
    return measured_tile_seconds(s->known, rank);
}
