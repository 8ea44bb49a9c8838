/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures of values over two axes, as colours with a colour bar, or over one, as a line. Items
 * that have no value, or are not there yet, have a colour of their own. */
#ifndef DRAW_PLOT_H
#define DRAW_PLOT_H

#include "draw/grid.h"
#include "draw/picture.h"
#include "draw/scale.h"

#include <stdbool.h>

enum { PLOT_COLUMNS = 1080, PLOT_ROWS = 720 };

/* Ticks are at shares of the axis, from the left or from below. */
typedef struct plot_axis {
    const char *label;
    bool backward; /* the first item is on the right, or at the top */
    int ticks;
    draw_tick tick[DRAW_SCALE_TICKS];
} plot_axis;

typedef struct plot {
    const char *title;
    const char *about;  /* a line below the title */
    const char *values; /* what the values are measured in */
    plot_axis across;
    plot_axis up;
    double ratio; /* how much higher a cell is than wide; 0: as it fits */
} plot;

/* Colours for a plane. NULL: no memory. */
picture *plot_draw_plane(const plot *p, const grid *g);

/* A line for a row, whose `up` axis is made of the values. NULL: no memory. */
picture *plot_draw_row(const plot *p, const grid *g);

#endif
