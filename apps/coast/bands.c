/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns how cells become bands, and what is told of them. */
#include "bands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PI 3.14159265358979324
#define RADIUS_KM 6371.0072 /* of a sphere with the area of the earth */

/* The cells of a row. */
typedef struct row {
    weft_result *result;
    int distance_field, land_field;
    int64_t rows, columns;
    double *distance;
    uint8_t *land;
} row;

/* In square metres, so that sums are exact, and the same for every grain. */
typedef struct histogram {
    int64_t area[BANDS_SIDES][BANDS_BINS];
} histogram;

static void merge(void *accumulator, const void *next, void *context)
{
    (void)context;
    histogram *to = accumulator;
    const histogram *from = next;
    for (int bin = 0; bin < BANDS_BINS; bin++) {
        to->area[BANDS_SEA][bin] += from->area[BANDS_SEA][bin];
        to->area[BANDS_LAND][bin] += from->area[BANDS_LAND][bin];
    }
}

static void finish(const void *accumulator, void *value, void *context)
{
    (void)context;
    const histogram *h = accumulator;
    double *km2 = value;
    for (int bin = 0; bin < BANDS_BINS; bin++) {
        km2[bin] = 1e-6 * (double)h->area[BANDS_SEA][bin];
        km2[BANDS_BINS + bin] = 1e-6 * (double)h->area[BANDS_LAND][bin];
    }
}

static int64_t first_row(int64_t band, int64_t count, int64_t rows)
{
    return band * rows / count;
}

/* Of each cell of a row. */
static double cell_area_km2(const row *r, int64_t number)
{
    const double step = PI / (double)r->rows;
    const double north = PI / 2 - step * (double)number;
    return RADIUS_KM * RADIUS_KM * step * (sin(north) - sin(north - step));
}

static int bin_of(double distance)
{
    return distance < BANDS_BINS * BANDS_BIN_KM ? (int)(distance / BANDS_BIN_KM) : BANDS_BINS - 1;
}

/* Of a band's middle. */
static double latitude_of(int64_t band, int64_t count, int64_t rows)
{
    const int64_t both = first_row(band, count, rows) + first_row(band + 1, count, rows);
    return 90 - 90.0 * (double)both / (double)rows;
}

static weft_status read_row(row *r, int64_t number)
{
    const int64_t first = number * r->columns;
    const weft_status status =
        weft_result_read(r->result, r->distance_field, first, r->columns, r->distance);
    return status != WEFT_OK
               ? status
               : weft_result_read(r->result, r->land_field, first, r->columns, r->land);
}

/* A band's fields, and its share of the histogram. */
typedef struct summary {
    double *land;
    double *mean;
    double *largest;
    histogram *areas;
} summary;

static weft_status summarise(row *r, int64_t begin, int64_t end, const summary *s)
{
    double area[BANDS_SIDES] = {0}, weighted[BANDS_SIDES] = {0};
    double largest[BANDS_SIDES] = {(double)NAN, (double)NAN};
    for (int64_t number = begin; number < end; number++) {
        const weft_status status = read_row(r, number);
        if (status != WEFT_OK) {
            return status;
        }
        const double cell = cell_area_km2(r, number);
        const int64_t cell_m2 = (int64_t)(1e6 * cell + 0.5);
        for (int64_t i = 0; i < r->columns; i++) {
            const int side = r->land[i] ? BANDS_LAND : BANDS_SEA;
            area[side] += cell;
            weighted[side] += cell * r->distance[i];
            largest[side] = fmax(largest[side], r->distance[i]);
            s->areas->area[side][bin_of(r->distance[i])] += cell_m2;
        }
    }
    *s->land = area[BANDS_LAND] / (area[BANDS_SEA] + area[BANDS_LAND]);
    for (int side = 0; side < BANDS_SIDES; side++) {
        s->mean[side] = area[side] > 0 ? weighted[side] / area[side] : (double)NAN;
        s->largest[side] = largest[side];
    }
    return WEFT_OK;
}

/* The first map is the one that a result is about at first. */
static weft_status open_rows(const char *path, row *r)
{
    const weft_status status = weft_result_open(path, &r->result);
    if (status != WEFT_OK) {
        return status;
    }
    const weft_result_info *coast = weft_result_describe(r->result);
    r->rows = coast->shape[0];
    r->columns = coast->shape[1];
    r->distance_field = weft_result_find_field(r->result, "distance");
    r->land_field = weft_result_find_field(r->result, "land");
    r->distance = malloc((size_t)r->columns * sizeof *r->distance);
    r->land = malloc((size_t)r->columns);
    return r->distance != NULL && r->land != NULL ? WEFT_OK : WEFT_ERR_MEMORY;
}

static void close_rows(row *r)
{
    free(r->land);
    free(r->distance);
    weft_result_close(r->result);
}

static int kernel(const weft_span *span, void *context)
{
    const weft_map *map = context;
    row r = {0};
    weft_status status = open_rows(weft_map_path(map), &r);
    const int64_t count = r.rows < BANDS_MOST ? r.rows : BANDS_MOST;
    for (int64_t i = 0; i < weft_span_count(span) && status == WEFT_OK; i++) {
        const int64_t band = weft_span_first(span) + i;
        const summary s = {.land = weft_span_double(span, "land") + i,
                           .mean = weft_span_double(span, "mean") + BANDS_SIDES * i,
                           .largest = weft_span_double(span, "largest") + BANDS_SIDES * i,
                           .areas = weft_span_accumulator(span, 0)};
        status =
            summarise(&r, first_row(band, count, r.rows), first_row(band + 1, count, r.rows), &s);
    }
    close_rows(&r);
    return status;
}

static int64_t count_of(int64_t rows)
{
    return rows < BANDS_MOST ? rows : BANDS_MOST;
}

void bands_describe(weft_session *session, int64_t rows, weft_map **map)
{
    const int64_t count = count_of(rows);
    const int64_t sides = BANDS_SIDES;
    const weft_reducer areas = {.bytes = sizeof(histogram),
                                .merge = merge,
                                .finish = finish,
                                .type = WEFT_FLOAT64,
                                .ndims = 2,
                                .shape = (int64_t[]){BANDS_SIDES, BANDS_BINS}};
    double latitude[BANDS_MOST];
    for (int64_t band = 0; band < count; band++) {
        latitude[band] = latitude_of(band, count, rows);
    }
    weft_map_create(session, "bands", 1, &count, map);
    weft_map_set_dimension(*map, 0, "lat", "degrees_north", latitude);
    weft_map_add_field(*map, "land", WEFT_FLOAT64, 0, NULL, "1",
                       "share of land of the band's area");
    weft_map_add_field(*map, "mean", WEFT_FLOAT64, 1, &sides, "km",
                       "mean distance to the shoreline, at sea and on land");
    weft_map_add_field(*map, "largest", WEFT_FLOAT64, 1, &sides, "km",
                       "largest distance to the shoreline, at sea and on land");
    weft_map_add_reduction(*map, "areas", weft_reducer_of(&areas));
    weft_map_set_grain(*map, 1);
}

weft_status bands_run(weft_map *map)
{
    return weft_map_run(map, kernel, map);
}

weft_status bands_read(weft_map *map, int64_t rows, bands *found)
{
    found->count = count_of(rows);
    weft_status status = weft_map_read(map, "land", 0, found->count, found->land);
    if (status == WEFT_OK) {
        status = weft_map_read(map, "mean", 0, found->count, found->mean_km);
    }
    if (status == WEFT_OK) {
        status = weft_map_read(map, "largest", 0, found->count, found->largest_km);
    }
    return status == WEFT_OK ? weft_map_get(map, "areas", found->area_km2) : status;
}

static double total(const double area[BANDS_BINS])
{
    double sum = 0;
    for (int bin = 0; bin < BANDS_BINS; bin++) {
        sum += area[bin];
    }
    return sum;
}

void bands_print(const bands *found)
{
    const double sea = total(found->area_km2[BANDS_SEA]), land = total(found->area_km2[BANDS_LAND]);
    printf("Land:                  %.2f %% of the earth, %.1f million km²\n",
           100 * land / (land + sea), 1e-6 * land);
    (void)fflush(stdout);
}
