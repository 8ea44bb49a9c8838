/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what the map of the world looks like. */
#include "chart.h"

#include "land.h"

#include <math.h>
#include <stdlib.h>

#define MIN_WIDTH 2160
#define SUBSAMPLES 3 /* of a pixel, both ways, for the shore's edge */
#define DEGREE 0.017453292519943295
#define KM_PER_DEGREE 111.2
#define CONTOUR_KM 500.0

weft_status chart_alloc(chart *c, int64_t cell_rows)
{
    c->cell_rows = cell_rows;
    c->stride = (2 * cell_rows + CHART_MAX_COLUMNS - 1) / CHART_MAX_COLUMNS;
    c->rows = cell_rows / c->stride;
    c->columns = 2 * cell_rows / c->stride;
    c->height = malloc((size_t)c->rows * (size_t)c->columns * sizeof *c->height);
    return c->height != NULL ? WEFT_OK : WEFT_ERR_MEMORY;
}

void chart_free(chart *c)
{
    free(c->height);
    c->height = NULL;
}

int64_t chart_cell(const chart *c, int64_t sample)
{
    return sample * c->stride + (c->stride - 1) / 2;
}

/* The height at a pixel and how it grows per pixel, eastwards and northwards. */
typedef struct slope {
    double height;
    double east;
    double north;
} slope;

/* Weights of the cubic B-spline and of its derivative: smooth enough for light and shadow. */
static void spline(double t, double weights[4], double derivative[4])
{
    const double u = 1 - t;
    weights[0] = u * u * u / 6;
    weights[1] = 2.0 / 3 - t * t + t * t * t / 2;
    weights[2] = 2.0 / 3 - u * u + u * u * u / 2;
    weights[3] = t * t * t / 6;
    derivative[0] = -u * u / 2;
    derivative[1] = 1.5 * t * t - 2 * t;
    derivative[2] = 2 * u - 1.5 * u * u;
    derivative[3] = t * t / 2;
}

/* A sample; beyond a pole the globe goes on at the opposite meridian. */
static double sample(const chart *c, int64_t row, int64_t column)
{
    if (row < 0 || row >= c->rows) {
        row = row < 0 ? -1 - row : 2 * c->rows - 1 - row;
        row = row < 0 ? 0 : row >= c->rows ? c->rows - 1 : row;
        column += c->columns / 2;
    }
    return (double)c->height[row * c->columns + ((column % c->columns) + c->columns) % c->columns];
}

/* Where a share of the width or height falls among the samples of that side. */
static double among_samples(const chart *c, double share, int64_t cells)
{
    double cell = share * (double)cells - 0.5;
    return (cell - (double)chart_cell(c, 0)) / (double)c->stride;
}

static slope slope_at(const chart *c, double across, double down, int width)
{
    double column = among_samples(c, across, 2 * c->cell_rows);
    double row = among_samples(c, down, c->cell_rows);
    double wx[4], dx[4], wy[4], dy[4];
    spline(column - floor(column), wx, dx);
    spline(row - floor(row), wy, dy);
    slope s = {0};
    for (int j = 0; j < 4; j++) {
        for (int i = 0; i < 4; i++) {
            double h = sample(c, (int64_t)floor(row) - 1 + j, (int64_t)floor(column) - 1 + i);
            s.height += wx[i] * wy[j] * h;
            s.east += dx[i] * wy[j] * h;
            s.north -= wx[i] * dy[j] * h;
        }
    }
    double samples_per_pixel = 2 * (double)c->cell_rows / (double)c->stride / width;
    s.east *= samples_per_pixel;
    s.north *= samples_per_pixel;
    return s;
}

/* Light from the north-west on a relief that rises inland and falls towards the open sea. */
static double light(slope s, double lat, int width)
{
    const double km_per_pixel = 360.0 * KM_PER_DEGREE / width;
    double east = s.east / (km_per_pixel * fmax(cos(lat * DEGREE), 0.05));
    double north = s.north / km_per_pixel;
    double steep = fmax(hypot(east, north), 1);
    return 0.7 * (east - north) / steep;
}

/* How much of a pixel a contour line covers; the shore itself is drawn from the data. */
static double contour(slope s, double spacing, double line_width)
{
    double line = round(s.height / spacing);
    if (fabs(line) < 0.5) {
        return 0;
    }
    double away = fabs(s.height - line * spacing) / fmax(hypot(s.east, s.north), 1e-6);
    return fmin(fmax(line_width / 2 + 0.5 - away, 0), 1);
}

colour chart_colour(bool inland, double distance_km)
{
    const double furthest = inland ? 2500 : 2700;
    return ramp_colour(inland ? RAMP_LAND : RAMP_SEA, pow(fmax(distance_km, 0) / furthest, 0.8));
}

static colour shaded(ramp which, double distance, slope s, double brightness)
{
    colour value = chart_colour(which == RAMP_LAND, distance);
    value = colour_shade(value, which == RAMP_SEA ? 0.10 * brightness : 0.13 * brightness);
    double line = 0.30 * contour(s, CONTOUR_KM, 1.0);
    const colour pale = {1, 1, 1}, dark = {0.24, 0.09, 0.05};
    return colour_mix(value, which == RAMP_SEA ? pale : dark, line);
}

/* The share of land in and closely around a pixel, which makes a smooth line of the shore. */
static double land_share(const land *inside, const picture *image, int x, int y)
{
    const int64_t columns = (int64_t)image->width * SUBSAMPLES;
    int count = 0;
    for (int j = -1; j <= SUBSAMPLES; j++) {
        double lat = 90 - (y + (j + 0.5) / SUBSAMPLES) * 180 / image->height;
        for (int i = -1; i <= SUBSAMPLES; i++) {
            count += land_at(inside, ((int64_t)x * SUBSAMPLES + i + columns) % columns, lat);
        }
    }
    return count / (double)((SUBSAMPLES + 2) * (SUBSAMPLES + 2));
}

static colour pixel_colour(const chart *c, const land *inside, const picture *image, int x, int y)
{
    const colour unknown = {0.55, 0.55, 0.55}, ink = {0.16, 0.19, 0.26};
    slope s = slope_at(c, (x + 0.5) / image->width, (y + 0.5) / image->height, image->width);
    if (isnan(s.height)) {
        return unknown;
    }
    double brightness = light(s, 90 - (y + 0.5) * 180 / image->height, image->width);
    double share = land_share(inside, image, x, y);
    colour at_sea = shaded(RAMP_SEA, -s.height, s, brightness);
    colour on_land = shaded(RAMP_LAND, s.height, s, brightness);
    colour both = colour_mix(at_sea, on_land, share);
    return colour_mix(both, ink, 2.8 * share * (1 - share));
}

static void draw_marks(picture *image, const chart_mark *marks, int count)
{
    const colour fill = {0.93, 0.16, 0.22}, ring = {1, 1, 1};
    for (int i = 0; i < count; i++) {
        picture_draw_mark(image, (marks[i].lon + 180) / 360 * image->width,
                          (90 - marks[i].lat) / 180 * image->height, image->width / 300.0, fill,
                          ring);
    }
}

picture *chart_draw(const chart *c, const gshhg *data, const chart_mark *marks, int mark_count)
{
    int width = c->columns > MIN_WIDTH ? (int)c->columns / 2 * 2 : MIN_WIDTH;
    land *inside = NULL;
    picture *image = picture_create(width, width / 2, COLOUR(0));
    if (image == NULL || land_create(data, (int64_t)width * SUBSAMPLES, &inside) != WEFT_OK) {
        picture_destroy(image);
        return NULL;
    }
    for (int y = 0; y < image->height; y++) {
        for (int x = 0; x < width; x++) {
            picture_set(image, x, y, pixel_colour(c, inside, image, x, y));
        }
    }
    draw_marks(image, marks, mark_count);
    land_destroy(inside);
    return image;
}
