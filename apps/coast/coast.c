/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns how a cell's answer is found: candidates by straight lines, the choice by geodesics. */
#include "coast.h"

#include "globe.h"
#include "land.h"
#include "shoreline.h"
#include "tree.h"

#include <geodesic.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct coast {
    int64_t rows;
    int64_t columns;
    tree *pieces;
    land *inside;
    struct geod_geodesic earth;
};

weft_status coast_create(const gshhg *data, int64_t rows, coast **out)
{
    piece *pieces = NULL;
    int64_t count = 0;
    coast *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return WEFT_ERR_MEMORY;
    }
    c->rows = rows;
    c->columns = 2 * rows;
    geod_init(&c->earth, GLOBE_RADIUS_M, GLOBE_FLATTENING);
    weft_status status = shoreline_cut(data, &pieces, &count);
    if (status == WEFT_OK) {
        status = tree_build(pieces, count, &c->pieces);
    }
    free(pieces);
    if (status == WEFT_OK) {
        status = land_create(data, c->columns, &c->inside);
    }
    if (status == WEFT_OK) {
        *out = c;
    } else {
        coast_destroy(c);
    }
    return status;
}

void coast_destroy(coast *c)
{
    if (c == NULL) {
        return;
    }
    tree_destroy(c->pieces);
    land_destroy(c->inside);
    free(c);
}

double coast_lon(const coast *c, int64_t column)
{
    return (double)(2 * column + 1) * 180 / (double)c->columns - 180;
}

double coast_lat(const coast *c, int64_t row)
{
    return 90 - (double)(2 * row + 1) * 90 / (double)c->rows;
}

/* The order in which equally distant points are preferred; any would do, if it is always the same.
 */
static bool better(const coast_point *p, const coast_point *q)
{
    if (p->distance_km < q->distance_km || p->distance_km > q->distance_km) {
        return p->distance_km < q->distance_km;
    }
    if (p->lon < q->lon || p->lon > q->lon) {
        return p->lon < q->lon;
    }
    return p->lat < q->lat;
}

/* Chooses among the candidates and gives the piece. Most often the nearest point is an end that two
 * pieces share, and is measured once. */
static int64_t choose(const coast *c, const tree_found *found, const double place[3], double lon,
                      double lat, coast_point *nearest)
{
    int64_t chosen = -1;
    double feet[TREE_HITS][3];
    for (int i = 0; i < found->count; i++) {
        tree_foot(c->pieces, found->hits[i].piece, place, feet[i]);
        bool known = false;
        for (int j = 0; j < i && !known; j++) {
            known =
                feet[i][0] == feet[j][0] && feet[i][1] == feet[j][1] && feet[i][2] == feet[j][2];
        }
        if (known) {
            continue;
        }
        coast_point candidate;
        double metres;
        globe_to_degrees(feet[i], &candidate.lon, &candidate.lat);
        geod_inverse(&c->earth, lat, lon, candidate.lat, candidate.lon, &metres, NULL, NULL);
        candidate.distance_km = metres / 1000;
        if (chosen < 0 || better(&candidate, nearest)) {
            chosen = found->hits[i].piece;
            *nearest = candidate;
        }
    }
    return chosen;
}

void coast_nearest(const coast *c, double lon, double lat, int64_t *hint, coast_point *nearest)
{
    double place[3];
    tree_found found;
    globe_from_degrees(lon, lat, place);
    tree_search(c->pieces, place, *hint, &found);
    *hint = choose(c, &found, place, lon, lat, nearest);
}

void coast_cells(const coast *c, int64_t first, int64_t count, double *distance, double *nearest,
                 uint8_t *inside)
{
    /* A thread's cells mostly lie side by side, also from one run of them to the next; any piece is
     * a hint, also one of another shoreline. */
    static _Thread_local int64_t hint = -1;
    if (hint >= tree_count(c->pieces)) {
        hint = -1;
    }
    for (int64_t i = 0; i < count; i++) {
        const int64_t row = (first + i) / c->columns, column = (first + i) % c->columns;
        const double lat = coast_lat(c, row);
        coast_point point = {.distance_km = 0};
        coast_nearest(c, coast_lon(c, column), lat, &hint, &point);
        distance[i] = point.distance_km;
        nearest[2 * i] = point.lon;
        nearest[2 * i + 1] = point.lat;
        inside[i] = land_at(c->inside, column, lat);
    }
}
