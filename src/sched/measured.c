/* SPDX-License-Identifier: BSD-3-Clause */
/* What has been measured of ranks and tiles. */
#include "sched/measured.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* A tile's time is kept within these, so that no sum of times or of their inverses is lost in a
 * single report that is absurd. */
static const double shortest_s = 1e-12;
static const double longest_s = 1e12;

/* A rank's recent mean is over this window of tiles. A report of more tiles counts as one window,
 * so that the next report still weighs something. While there are fewer, a few tiles at the mean of
 * all ranks are counted with them: one tile that happens to be quick says little about a rank. */
static const double window_tiles = 64;
static const double assumed_tiles = 4;

/* The recent mean of all ranks is over the largest of these windows of reports: several of each
 * rank, and a part of all that there have been, since a long job's costs drift slowly. */
static const double window_reports = 32;
static const double window_reports_per_rank = 8;
static const double window_part = 1.0 / 32;

/* Tiles and the time that a rank's team took for them; older ones count less. */
typedef struct recent {
    double seconds;
    double tiles;
} recent;

typedef struct rank_record {
    double workers;
    double reports;          /* j */
    double weighted_seconds; /* Σ j·t_j */
    double weighted_tiles;   /* Σ j·n_j */
    double frozen_weight;
    double mean; /* of the last report, a tile's time for the rank's team */
    double deviation;
    recent recent;
} rank_record;

/* Sums over the ranks that have reported. */
typedef struct sums {
    double ranks;
    double speed;          /* Σ 1/µ */
    double spread;         /* Σ σ²/µ */
    double weighted_speed; /* Σ 1/π */
} sums;

struct measured {
    int64_t ranks;
    double workers;
    bool elapsed;
    bool frozen;
    double frozen_mean;
    double frozen_deviation;
    double reports;
    double tiles;
    double mean;
    double squares; /* Σ (t − µ)² over all tiles */
    recent recent;
    sums sums;
    int64_t since_recount; /* reports */
    rank_record rank[];
};

measured *measured_create(int64_t ranks, const int *workers, bool elapsed)
{
    measured *m = NULL;
    if ((uint64_t)ranks <= (SIZE_MAX - sizeof *m) / sizeof m->rank[0]) {
        m = calloc(1, sizeof *m + (size_t)ranks * sizeof m->rank[0]);
    }
    if (m == NULL) {
        return NULL;
    }
    m->ranks = ranks;
    m->elapsed = elapsed;
    for (int64_t rank = 0; rank < ranks; rank++) {
        m->rank[rank].workers = workers != NULL && workers[rank] > 1 ? workers[rank] : 1;
        m->workers += m->rank[rank].workers;
    }
    return m;
}

void measured_destroy(measured *m)
{
    free(m);
}

static double within(double x, double least, double most)
{
    return fmin(fmax(x, least), most);
}

/* Forgets as much of what was before as goes beyond the window. */
static void keep_window(recent *r)
{
    if (r->tiles > window_tiles) {
        r->seconds *= window_tiles / r->tiles;
        r->tiles = window_tiles;
    }
}

/* Takes a rank's share out of the sums, or puts it in. */
static void count_rank(sums *s, const rank_record *r, double sign)
{
    if (r->reports > 0) {
        s->ranks += sign;
        s->speed += sign / r->mean;
        s->spread += sign * r->deviation * r->deviation / r->mean;
        s->weighted_speed += sign * r->weighted_tiles / r->weighted_seconds;
    }
}

/* The sums from scratch, after as many reports as there are ranks: rounding cannot add up, and a
 * report costs no more for it. */
static void recount_in_time(measured *m)
{
    if (++m->since_recount >= m->ranks) {
        m->since_recount = 0;
        m->sums = (sums){.ranks = 0};
        for (int64_t rank = 0; rank < m->ranks; rank++) {
            count_rank(&m->sums, &m->rank[rank], 1);
        }
    }
}

/* Joins a run of tiles, with their mean and their sum of squares about it, to all others. The sums
 * are about the means, so that nothing cancels. */
static void join_tiles(measured *m, double tiles, double mean, double squares)
{
    const double all = m->tiles + tiles;
    const double difference = mean - m->mean;
    m->mean += difference * (tiles / all);
    m->squares += squares + difference * difference * (m->tiles * (tiles / all));
    m->tiles = all;

    m->reports++;
    const double window = fmax(fmax(window_reports, window_reports_per_rank * (double)m->ranks),
                               window_part * m->reports);
    const double kept = 1 - 1 / window;
    m->recent.seconds = kept * m->recent.seconds + tiles * mean;
    m->recent.tiles = kept * m->recent.tiles + tiles;
}

static bool is_sound(const measurement *report)
{
    return report->tiles >= 1 && report->seconds >= 0 && report->seconds <= DBL_MAX;
}

void measured_add(measured *m, int64_t rank, const measurement *report)
{
    if (!is_sound(report)) {
        return;
    }
    rank_record *r = &m->rank[rank];
    const double tiles = (double)report->tiles;
    const double mean = within(report->seconds / tiles / r->workers, shortest_s, longest_s);
    /* Σ (t − µ)² is at most what a single tile that took all the time would make of it. */
    const double apart = report->squares / r->workers / r->workers - tiles * mean * mean;
    const double squares = apart > 0 ? fmin(apart, tiles * (tiles - 1) * mean * mean) : 0;
    const double elapsed = report->elapsed / tiles;
    const bool by_elapsed = m->elapsed && elapsed > 0 && elapsed <= DBL_MAX;
    const double weighed = by_elapsed ? within(elapsed, shortest_s, longest_s) : mean;

    count_rank(&m->sums, r, -1);
    r->reports++;
    r->weighted_seconds += r->reports * weighed * tiles;
    r->weighted_tiles += r->reports * tiles;
    r->mean = mean;
    r->deviation = tiles > 1 ? sqrt(squares / (tiles - 1)) : 0;
    r->recent.seconds += mean * tiles;
    r->recent.tiles += tiles;
    keep_window(&r->recent);
    count_rank(&m->sums, r, 1);
    recount_in_time(m);
    join_tiles(m, tiles, mean, squares);
}

static double all_deviation(const measured *m)
{
    return m->tiles > 1 ? sqrt(m->squares / (m->tiles - 1)) : 0;
}

/* Those measured share as many parts as they are; 0 if the rank is not among them. */
static double adapted_weight(const measured *m, const rank_record *r)
{
    if (r->reports <= 0) {
        return 0;
    }
    const double speed = r->weighted_tiles / r->weighted_seconds;
    return m->sums.ranks * speed / fmax(m->sums.weighted_speed, speed);
}

void measured_freeze(measured *m)
{
    m->frozen = true;
    m->frozen_mean = m->mean;
    m->frozen_deviation = all_deviation(m);
    for (int64_t rank = 0; rank < m->ranks; rank++) {
        m->rank[rank].frozen_weight = adapted_weight(m, &m->rank[rank]);
    }
}

/* From a rank's number of workers; 1 on the average of all ranks. */
static double weight_of(const measured *m, const rank_record *r)
{
    return r->workers * (double)m->ranks / m->workers;
}

/* The recent mean of all ranks, for a rank with the number of workers of this one. */
static double expected_tile_seconds(const measured *m, const rank_record *r)
{
    return m->recent.tiles > 0 ? m->recent.seconds / m->recent.tiles / weight_of(m, r) : 0;
}

static double eked_out_tile_seconds(const measured *m, const rank_record *r)
{
    const double assumed = assumed_tiles * expected_tile_seconds(m, r);
    return (r->recent.seconds + assumed) / (r->recent.tiles + assumed_tiles);
}

void measured_look(const measured *m, int64_t rank, outlook *o)
{
    const rank_record *r = &m->rank[rank];
    /* To those who have not reported the mean of the others is ascribed. */
    const double scale = m->sums.ranks > 0 ? (double)m->ranks / m->sums.ranks : 0;
    o->mean = m->frozen ? m->frozen_mean : m->mean;
    o->deviation = m->frozen ? m->frozen_deviation : all_deviation(m);
    o->recent = m->recent.tiles > 0 ? m->recent.seconds / m->recent.tiles : 0;
    o->weight = weight_of(m, r);
    o->adapted_weight = m->frozen ? r->frozen_weight : adapted_weight(m, r);
    o->rank_mean = r->mean;
    o->rank_deviation = r->deviation;
    o->rank_recent = eked_out_tile_seconds(m, r);
    o->spread = fmax(m->sums.spread, 0) * scale;
    o->rate = fmax(m->sums.speed, 0) * scale;
}

double measured_tile_seconds(const measured *m, int64_t rank)
{
    const rank_record *r = &m->rank[rank];
    return r->recent.tiles > 0 ? r->recent.seconds / r->recent.tiles : expected_tile_seconds(m, r);
}
