/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what is read out of a finished result. */
#include "survey.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DEGREE 0.017453292519943295
#define KM_PER_DEGREE 111.0

/* One row of the result. */
typedef struct strip {
    double *distance;
    uint8_t *land;
} strip;

static void take_poles(const strip *cells, int64_t row, int64_t columns, survey *found)
{
    for (int64_t column = 0; column < columns; column++) {
        survey_pole *pole = cells->land[column] ? &found->land : &found->sea;
        /* A failed item is not a number, and no comparison with it holds. */
        if (cells->distance[column] > pole->cell_km) {
            pole->found = true;
            pole->cell_km = cells->distance[column];
            pole->row = row;
            pole->column = column;
        }
    }
}

static void take_samples(const strip *cells, int64_t row, chart *map)
{
    const int64_t sample_row = row / map->stride;
    if (sample_row >= map->rows || chart_cell(map, sample_row) != row) {
        return;
    }
    float *height = map->height + sample_row * map->columns;
    for (int64_t i = 0; i < map->columns; i++) {
        const int64_t cell = chart_cell(map, i);
        const double distance = cells->distance[cell];
        height[i] = (float)(cells->land[cell] ? distance : -distance);
    }
}

static weft_status read_rows(weft_result *result, const strip *cells, chart *map, survey *found)
{
    const int64_t *shape = weft_result_describe(result)->shape;
    const int distance = weft_result_find_field(result, "distance");
    const int land = weft_result_find_field(result, "land");
    for (int64_t row = 0; row < shape[0]; row++) {
        const int64_t first = row * shape[1];
        weft_status status = weft_result_read(result, distance, first, shape[1], cells->distance);
        if (status == WEFT_OK) {
            status = weft_result_read(result, land, first, shape[1], cells->land);
        }
        if (status != WEFT_OK) {
            return status;
        }
        take_poles(cells, row, shape[1], found);
        if (map != NULL) {
            take_samples(cells, row, map);
        }
    }
    return WEFT_OK;
}

/* Looks around a place, in a square of the given half width, for one that is further away. */
static void climb(const coast *c, double reach, survey_pole *pole)
{
    const int steps = 12;
    const survey_pole start = *pole;
    const double widen = 1 / fmax(cos(start.lat * DEGREE), 0.02);
    int64_t hint = -1;
    for (int j = -steps; j <= steps; j++) {
        for (int i = -steps; i <= steps; i++) {
            double lat = fmin(fmax(start.lat + reach * j / steps, -90), 90);
            double lon = remainder(start.lon + reach * widen * i / steps, 360);
            coast_point nearest;
            coast_nearest(c, lon, lat, &hint, &nearest);
            if (nearest.distance_km > pole->nearest.distance_km) {
                pole->lon = lon;
                pole->lat = lat;
                pole->nearest = nearest;
            }
        }
    }
}

/* The pole is seldom in the middle of a cell. Going less far than the shoreline is away, one stays
 * on its side. */
static void refine(const coast *c, survey_pole *pole)
{
    int64_t hint = -1;
    pole->lon = coast_lon(c, pole->column);
    pole->lat = coast_lat(c, pole->row);
    coast_nearest(c, pole->lon, pole->lat, &hint, &pole->nearest);
    double reach = coast_lat(c, 0) - coast_lat(c, 1);
    reach = fmin(reach, 0.2 * pole->nearest.distance_km / KM_PER_DEGREE);
    for (int round = 0; round < 12; round++) {
        climb(c, reach, pole);
        reach /= 3;
    }
}

weft_status survey_read(weft_session *session, const char *path, const coast *c, chart *map,
                        survey *found)
{
    strip cells = {0};
    survey poles = {.sea = {.cell_km = -1}, .land = {.cell_km = -1}};
    weft_result *result = NULL;
    weft_status status = weft_result_open(path, &result);
    if (status != WEFT_OK) {
        weft_error(session, status, "%s", weft_result_error_text(result));
        goto done;
    }
    const size_t columns = (size_t)weft_result_describe(result)->shape[1];
    cells.distance = malloc(columns * sizeof *cells.distance);
    cells.land = malloc(columns);
    if (cells.distance == NULL || cells.land == NULL) {
        status = weft_error(session, WEFT_ERR_MEMORY, "out of memory while reading %s", path);
        goto done;
    }
    status = read_rows(result, &cells, map, &poles);
    if (status != WEFT_OK) {
        weft_error(session, status, "%s", weft_result_error_text(result));
        goto done;
    }
    if (poles.sea.found) {
        refine(c, &poles.sea);
    }
    if (poles.land.found) {
        refine(c, &poles.land);
    }
    *found = poles;
done:
    free(cells.land);
    free(cells.distance);
    weft_result_close(result);
    return status;
}

static void print_place(double lon, double lat)
{
    printf("%.3f° %c %.3f° %c", fabs(lat), lat < 0 ? 'S' : 'N', fabs(lon), lon < 0 ? 'W' : 'E');
}

static void print_pole(const coast *c, const char *what, const survey_pole *pole)
{
    if (!pole->found) {
        return;
    }
    printf("%s", what);
    print_place(pole->lon, pole->lat);
    printf(", %.1f km from ", pole->nearest.distance_km);
    print_place(pole->nearest.lon, pole->nearest.lat);
    printf("\n  (among the cells:    ");
    print_place(coast_lon(c, pole->column), coast_lat(c, pole->row));
    printf(", %.1f km)\n", pole->cell_km);
}

void survey_print(const coast *c, const survey *found)
{
    print_pole(c, "Furthest from land:    ", &found->sea);
    print_pole(c, "Furthest from the sea: ", &found->land);
    (void)fflush(stdout);
}
