/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns how the shoreline becomes straight pieces. */
#include "shoreline.h"

#include "globe.h"

#include <math.h>
#include <stdlib.h>

#define DEGREE_M 111700.0 /* of latitude, at most */

/* A straight run in longitude and latitude. */
typedef struct run {
    double lon[2];
    double lat[2];
} run;

static run run_between(const gshhg *data, int32_t point)
{
    return (run){
        {gshhg_degrees(data, data->x[point]), gshhg_degrees(data, data->x[point + 1])},
        {gshhg_degrees(data, data->y[point]) - 90, gshhg_degrees(data, data->y[point + 1]) - 90},
    };
}

static int64_t pieces_of(const run *edge)
{
    double nearest_equator = fmin(fabs(edge->lat[0]), fabs(edge->lat[1]));
    if (edge->lat[0] * edge->lat[1] < 0) {
        nearest_equator = 0;
    }
    double east = (edge->lon[1] - edge->lon[0]) * cos(nearest_equator * 0.017453292519943295);
    double length = DEGREE_M * hypot(east, edge->lat[1] - edge->lat[0]);
    return length > SHORELINE_PIECE_M ? (int64_t)ceil(length / SHORELINE_PIECE_M) : 1;
}

/* Ends that two runs share come out with the same bits, since they come from the same numbers. */
static void place_on(const run *edge, int64_t step, int64_t steps, double place[3])
{
    double share = (double)step / (double)steps;
    double lon =
        step == steps ? edge->lon[1] : edge->lon[0] + share * (edge->lon[1] - edge->lon[0]);
    double lat =
        step == steps ? edge->lat[1] : edge->lat[0] + share * (edge->lat[1] - edge->lat[0]);
    globe_from_degrees(lon, lat, place);
}

/* Counts the pieces, and stores them if there is somewhere to. */
static int64_t walk(const gshhg *data, piece *out)
{
    int64_t count = 0;
    for (int64_t i = 0; i < data->line_count; i++) {
        const gshhg_line *line = &data->lines[i];
        if (line->level != GSHHG_OCEAN) {
            continue;
        }
        for (int32_t point = line->first; point < line->first + line->count - 1; point++) {
            run edge = run_between(data, point);
            int64_t steps = pieces_of(&edge);
            for (int64_t step = 0; out != NULL && step < steps; step++) {
                place_on(&edge, step, steps, out[count + step].a);
                place_on(&edge, step + 1, steps, out[count + step].b);
            }
            count += steps;
        }
    }
    return count;
}

weft_status shoreline_cut(const gshhg *data, piece **pieces, int64_t *count)
{
    int64_t total = walk(data, NULL);
    if (total == 0) {
        return WEFT_ERR_HDF5;
    }
    piece *out = malloc((size_t)total * sizeof *out);
    if (out == NULL) {
        return WEFT_ERR_MEMORY;
    }
    walk(data, out);
    *pieces = out;
    *count = total;
    return WEFT_OK;
}
