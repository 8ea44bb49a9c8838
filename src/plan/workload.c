/* SPDX-License-Identifier: BSD-3-Clause */
/* How long each tile of a job takes: as measured, or guessed from tiles around it; and what the
 * measured ones say of the workers. */
#include "plan/workload.h"

#include "space/divide.h"

#include <math.h>
#include <stdlib.h>
#include <weft/random.h>

/* A gap is filled by what lies within a sixteenth of all measured tiles on either side, but at
 * least 32: enough to have seen what is rare, near enough to follow a drift. */
enum { LEAST_REACH = 32, REACH_SHARE = 16 };

/* Neighbouring tiles, for what a worker's speed is compared with. */
enum { WINDOW = 16, LEAST_OF_WORKER = 8 };

/* Of a worker's mean speed more cannot be true of a machine that is in order. */
static const double most_spread = 0.5;

/* As many tiles as the automatic grain makes at most. */
static const int64_t most_tiles = INT64_C(1) << 20;

weft_status workload_init(workload *w, const workload_tile tile[], int64_t tiles, error *e)
{
    *w = (workload){.tile = tile,
                    .tiles = tiles,
                    .number = calloc((size_t)tiles + 1, sizeof *w->number),
                    .sum = calloc((size_t)tiles + 1, sizeof *w->sum)};
    if (w->number == NULL || w->sum == NULL) {
        workload_free(w);
        return error_memory(e, "the times of %lld tiles", (long long)tiles);
    }
    for (int64_t i = 0; i < tiles; i++) {
        if (tile[i].seconds >= 0) {
            w->number[w->count] = i;
            w->sum[w->count + 1] = w->sum[w->count] + tile[i].seconds;
            w->count++;
        }
    }
    return WEFT_OK;
}

void workload_free(workload *w)
{
    free(w->sum);
    free(w->number);
    *w = (workload){.tile = NULL};
}

/* Some of the measured tiles, by their place in the list of these. */
typedef struct range {
    int64_t first;
    int64_t end;
} range;

static range make_range(const workload *w, int64_t first, int64_t end)
{
    return (range){.first = first > 0 ? first : 0, .end = end < w->count ? end : w->count};
}

static double mean_of(const workload *w, range r)
{
    return (w->sum[r.end] - w->sum[r.first]) / (double)(r.end - r.first);
}

/* place: 0 … 1 through the gap. */
static double draw(const workload *w, range before, range behind, double place, weft_random *random)
{
    const double mean = (1 - place) * mean_of(w, before) + place * mean_of(w, behind);
    const range from = weft_random_double(random) < place ? behind : before;
    const uint64_t nth = weft_random_below(random, (uint64_t)(from.end - from.first));
    const double drawn = w->tile[w->number[from.first + (int64_t)nth]].seconds;
    return mean_of(w, from) > 0 ? mean * drawn / mean_of(w, from) : mean;
}

/* Tiles first … end - 1 were not computed; `known` of the measured ones come before them. */
static void fill_gap(const workload *w, int64_t known, int64_t first, int64_t end, uint64_t seed,
                     double seconds[])
{
    const int64_t share = w->count / REACH_SHARE;
    const int64_t reach = share > LEAST_REACH ? share : LEAST_REACH;
    range before = make_range(w, known - reach, known);
    range behind = make_range(w, known, known + reach);
    before = before.end > before.first ? before : behind;
    behind = behind.end > behind.first ? behind : before;
    for (int64_t i = first; i < end; i++) {
        const double place = ((double)(i - first) + 0.5) / (double)(end - first);
        weft_random random;
        weft_random_init(&random, seed, 0, (uint64_t)i);
        seconds[i] = draw(w, before, behind, place, &random);
    }
}

void workload_fill(const workload *w, uint64_t seed, double seconds[])
{
    int64_t next = 0;
    for (int64_t known = 0; known <= w->count; known++) {
        const int64_t end = known < w->count ? w->number[known] : w->tiles;
        fill_gap(w, known, next, end, seed, seconds);
        if (known < w->count) {
            seconds[end] = w->tile[end].seconds;
        }
        next = end + 1;
    }
}

/* A tile as part of what its worker has computed. */
typedef struct piece_of_work {
    const workload_tile *tile;
    double usual; /* seconds, by the tiles around it */
} piece_of_work;

static int compare_workers(const void *a, const void *b)
{
    const workload_tile *x = ((const piece_of_work *)a)->tile;
    const workload_tile *y = ((const piece_of_work *)b)->tile;
    if (x->run != y->run) {
        return (x->run > y->run) - (x->run < y->run);
    }
    if (x->rank != y->rank) {
        return (x->rank > y->rank) - (x->rank < y->rank);
    }
    return (x->worker > y->worker) - (x->worker < y->worker);
}

/* The pace of one worker, 1 being usual, and how far chance alone may have moved it. */
static void judge_worker(const piece_of_work *work, int64_t count, double *pace, double *variance)
{
    double taken = 0;
    double usual = 0;
    double squares = 0;
    for (int64_t i = 0; i < count; i++) {
        taken += work[i].tile->seconds;
        usual += work[i].usual;
    }
    *pace = usual > 0 ? taken / usual : 1;
    for (int64_t i = 0; i < count; i++) {
        const double off = work[i].tile->seconds - *pace * work[i].usual;
        squares += off * off;
    }
    *variance = usual > 0 ? squares / (usual * usual) : 0;
}

static double spread_of(const piece_of_work *work, int64_t count)
{
    double variance = 0;
    double workers = 0;
    for (int64_t first = 0, end = 0; first < count; first = end) {
        while (end < count && compare_workers(&work[first], &work[end]) == 0) {
            end++;
        }
        double pace = 1;
        double chance = 0;
        if (end - first >= LEAST_OF_WORKER) {
            judge_worker(work + first, end - first, &pace, &chance);
            variance += (pace - 1) * (pace - 1) - chance;
            workers++;
        }
    }
    const double spread = workers > 1 && variance > 0 ? sqrt(variance / (workers - 1)) : 0;
    return spread < most_spread ? spread : most_spread;
}

double workload_spread(const workload *w)
{
    piece_of_work *work = calloc((size_t)w->count + 1, sizeof *work);
    if (work == NULL) {
        return 0;
    }
    for (int64_t i = 0; i < w->count; i++) {
        work[i].tile = &w->tile[w->number[i]];
        work[i].usual = mean_of(w, make_range(w, i - WINDOW, i + WINDOW + 1));
    }
    qsort(work, (size_t)w->count, sizeof *work, compare_workers);
    const double spread = spread_of(work, w->count);
    free(work);
    return spread;
}

void workload_scale(const tiling *given, int64_t items, tiling *scaled)
{
    int64_t grain = given->grain;
    if (items != given->count && divide_up(items, grain) > most_tiles) {
        grain *= divide_up(divide_up(items, grain), most_tiles);
    }
    tiling_init(scaled, items, grain);
}

/* Seconds of the items before `item`, if the given ones come over and over. */
static double seconds_before(const tiling *given, const double sums[], int64_t item)
{
    const int64_t times = item / given->count;
    const double rounds = (double)times * sums[given->tiles];
    const int64_t left = item % given->count;
    const int64_t tile = left / given->grain;
    const int64_t inside = left - tiling_first(given, tile);
    if (inside == 0) {
        return rounds + sums[tile];
    }
    const double share = (double)inside / (double)tiling_items(given, tile, 1);
    return rounds + sums[tile] + share * (sums[tile + 1] - sums[tile]);
}

double workload_seconds(const tiling *given, const double sums[], const tiling *scaled,
                        int64_t tile)
{
    const int64_t first = tiling_first(scaled, tile);
    const int64_t end = first + tiling_items(scaled, tile, 1);
    return fmax(0, seconds_before(given, sums, end) - seconds_before(given, sums, first));
}
