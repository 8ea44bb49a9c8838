/* SPDX-License-Identifier: BSD-3-Clause */
/* Scales: where a number lies between two ends, and at which numbers there are marks. */
#ifndef DRAW_SCALE_H
#define DRAW_SCALE_H

#include <stdbool.h>

enum { DRAW_SCALE_TICKS = 16, DRAW_SCALE_TEXT_BYTES = 24 };

typedef struct draw_tick {
    double place; /* 0 … 1 along the scale */
    char text[DRAW_SCALE_TEXT_BYTES];
} draw_tick;

typedef struct draw_scale {
    double low;
    double high;      /* above low */
    bool logarithmic; /* low is above 0 */
    int ticks;
    draw_tick tick[DRAW_SCALE_TICKS];
} draw_scale;

/* A scale between these ends, with marks at round numbers, `most` steps apart at most; of angles in
 * degrees if `degrees`. Ends that are alike, or too near for doubles, are moved apart. */
void draw_scale_init(draw_scale *s, double low, double high, bool logarithmic, bool degrees,
                     int most);

/* Where a number lies on it: 0 at the low end, 1 at the high one; outside below 0 or above 1. */
double draw_scale_place(const draw_scale *s, double value);

/* A number in a few letters. */
void draw_scale_print(double value, char text[DRAW_SCALE_TEXT_BYTES]);

#endif
