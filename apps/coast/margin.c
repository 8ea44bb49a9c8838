/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what the numbers beside the map of the world look like. */
#include "margin.h"

#include "chart.h"
#include "draw/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_KM (BANDS_BINS * BANDS_BIN_KM)

static const colour ground = COLOUR_PARTS(0xffffff), ink = COLOUR_PARTS(0x29303f),
                    pale = COLOUR_PARTS(0xd5d9e0);

/* Where things are, in pixels. */
typedef struct frame {
    picture *image;
    int unit;          /* a point of the font */
    int x, y;          /* of the map's upper left corner */
    int width, height; /* of the map */
    int side;          /* the width of each of the panels on the right */
} frame;

/* A text whose middle, or right end, is at x. */
static void write_at(const frame *f, double x, double y, double share_to_the_left, const char *text)
{
    text_draw(f->image, x - share_to_the_left * text_width(text, f->unit), y, f->unit, text, ink);
}

static void put_map(const frame *f, const picture *map)
{
    for (int y = 0; y < map->height; y++) {
        memcpy(f->image->rgb + 3 * ((size_t)(f->y + y) * (size_t)f->image->width + (size_t)f->x),
               map->rgb + 3 * (size_t)y * (size_t)map->width, 3 * (size_t)map->width);
    }
}

/* The upper edge of a band; bands are equally high. */
static int band_y(const frame *f, const bands *b, int64_t band)
{
    return f->y + (int)(band * f->height / b->count);
}

/* The share of land, from the left; the rest is sea. */
static void draw_shares(const frame *f, const bands *b, int left)
{
    const colour sea = chart_colour(false, 600), land = chart_colour(true, 300);
    for (int64_t i = 0; i < b->count; i++) {
        const int top = band_y(f, b, i), high = band_y(f, b, i + 1) - top;
        const int split = (int)(b->land[i] * f->side + 0.5);
        picture_fill(f->image, left, top, split, high, land);
        picture_fill(f->image, left + split, top, f->side - split, high, sea);
    }
    write_at(f, left + f->side / 2.0, f->y - 11 * f->unit, 0.5, "land and sea");
    write_at(f, left, f->y + f->height + 4 * f->unit, 0, "0");
    write_at(f, left + f->side, f->y + f->height + 4 * f->unit, 1, "100 %");
}

static int km_x(const frame *f, int left, double km)
{
    return left + (int)(fmin(km, MOST_KM) / MOST_KM * f->side + 0.5);
}

/* A bar as long as the mean, and a thin line on to the largest. */
static void draw_reach(const frame *f, int left, int top, int high, double mean, double largest,
                       colour value)
{
    if (isnan(mean)) {
        return;
    }
    const int end = km_x(f, left, mean);
    const int furthest = km_x(f, left, largest);
    picture_fill(f->image, left, top, end - left, high, value);
    picture_fill(f->image, end, top + high / 2 - f->unit / 2, furthest - end, f->unit, value);
    picture_fill(f->image, furthest - f->unit, top, 2 * f->unit, high, value);
}

static void draw_reaches(const frame *f, const bands *b, int left)
{
    const int low = f->y + f->height;
    for (int km = 0; km <= MOST_KM; km += 1000) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", km);
        picture_fill(f->image, km_x(f, left, km), f->y, f->unit, f->height, pale);
        write_at(f, km_x(f, left, km), low + 4 * f->unit, km > 0 ? 0.5 : 0, text);
    }
    write_at(f, left + f->side, low + 4 * f->unit, 1, "km");
    for (int64_t i = 0; i < b->count; i++) {
        const int top = band_y(f, b, i), high = (band_y(f, b, i + 1) - top) / 2;
        draw_reach(f, left, top + 1, high - 1, b->mean_km[i][BANDS_SEA],
                   b->largest_km[i][BANDS_SEA], chart_colour(false, 600));
        draw_reach(f, left, top + high, high - 1, b->mean_km[i][BANDS_LAND],
                   b->largest_km[i][BANDS_LAND], chart_colour(true, 900));
    }
    write_at(f, left + f->side / 2.0, f->y - 11 * f->unit, 0.5, "distance: mean, largest");
}

static double largest_area(const bands *b)
{
    double most = 0;
    for (int i = 0; i < BANDS_BINS; i++) {
        most = fmax(most, fmax(b->area_km2[BANDS_SEA][i], b->area_km2[BANDS_LAND][i]));
    }
    return most;
}

/* Lines at round areas. */
static void draw_scale(const frame *f, double most, int top, int high)
{
    for (int million = 20; million * 1e6 < most; million += 20) {
        char text[24];
        const int y = top + high - (int)(million * 1e6 / most * high);
        (void)snprintf(text, sizeof text, "%d", million);
        picture_fill(f->image, f->x, y, f->width, f->unit, pale);
        write_at(f, f->x, y + 2 * f->unit, 0, text);
    }
}

/* The sea to the left of the shoreline, the land to its right, in the colours of the map, of which
 * this is the key. */
static void draw_areas(const frame *f, const bands *b, int top, int high)
{
    const double most = largest_area(b), middle = f->x + f->width / 2.0;
    const double wide = f->width / 2.0 / BANDS_BINS;
    draw_scale(f, most, top, high);
    for (int side = 0; side < BANDS_SIDES; side++) {
        for (int i = 0; i < BANDS_BINS; i++) {
            const double left = middle + wide * (side == BANDS_SEA ? -(i + 1) : i);
            const int tall = (int)ceil(b->area_km2[side][i] / most * high);
            picture_fill(f->image, (int)left, top + high - tall, (int)(left + wide) - (int)left,
                         tall, chart_colour(side == BANDS_LAND, (i + 0.5) * BANDS_BIN_KM));
        }
    }
    const int below = top + high + 4 * f->unit;
    for (int km = -2500; km <= 2500; km += 500) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", abs(km));
        write_at(f, middle + km * wide / BANDS_BIN_KM, below, 0.5, text);
    }
    write_at(f, f->x + f->width, below, 1, "km");
    write_at(f, f->x, top - 11 * f->unit, 0,
             "area by distance to the shore, million km2 per 100 km: sea");
    write_at(f, f->x + f->width, top - 11 * f->unit, 1, "land");
}

picture *margin_draw(const picture *map, const bands *found)
{
    const int unit = map->width / 1080, gap = 16 * unit;
    const int side = map->width / 7, high = map->height / 4;
    frame f = {
        .unit = unit, .x = gap, .y = gap, .width = map->width, .height = map->height, .side = side};
    f.image = picture_create(map->width + 2 * side + 4 * gap, map->height + high + 5 * gap, ground);
    if (f.image != NULL) {
        put_map(&f, map);
        draw_shares(&f, found, f.x + f.width + gap);
        draw_reaches(&f, found, f.x + f.width + side + 2 * gap);
        draw_areas(&f, found, f.y + f.height + 2 * gap, high);
    }
    return f.image;
}
