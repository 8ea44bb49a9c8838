/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The part of the complex plane that is looked at, and how fast its points escape.
 */
#ifndef MANDELBROT_PLANE_H
#define MANDELBROT_PLANE_H

#include <stdbool.h>
#include <stdint.h>

/** What is computed: a grid of points, pixel (x, y) with y downwards. */
typedef struct plane {
    int64_t width;
    int64_t height;
    int64_t max_iter; /**< 1 … UINT32_MAX */
    double centre_x;
    double centre_y;
    double span; /**< the width of the view in the plane; a pixel is span / width wide and high */
} plane;

/**
 * How many steps z ← z² + c are done from z = 0 while |z|² ≤ 4, at most limit. In IEEE doubles, in
 * the order (x² − y²) + cx, 2xy + cy, x² + y².
 */
uint32_t plane_steps(double cx, double cy, uint32_t limit);

/**
 * Computes a run of pixels in row-major order, with
 * c = centre + ((x + ½ − W/2) + i·(H/2 − y − ½)) · span / W, from left to right.
 */
void plane_count(const plane *view, int64_t first, int64_t count, uint32_t *steps);

/** The real part of c in a column, the imaginary part in a row. */
double plane_x(const plane *view, int64_t column);
double plane_y(const plane *view, int64_t row);

/** Reads "X,Y"; both must be finite numbers, with nothing else around them. */
bool plane_parse_centre(const char *text, double *x, double *y);

#endif
