/* SPDX-License-Identifier: BSD-3-Clause */
/* An 8-bit RGB picture in memory: drawn with points, rectangles, lines and dots, written as PNG.
 * What lies outside the picture is cut off. */
#ifndef DRAW_PICTURE_H
#define DRAW_PICTURE_H

#include "draw/colour.h"

#include <stdbool.h>
#include <stdint.h>

/* The largest width and height of a picture, which is what libpng takes. */
#define PICTURE_MAX_SIDE 1000000

/* Room enough for a path, and for what is said of it. */
#define PICTURE_ERROR_BYTES 8192

/* Pixel (x, y), y downwards, is rgb[3 · (y · width + x)] and the two that follow. */
typedef struct picture {
    int width;
    int height;
    uint8_t *rgb;
} picture;

/* Makes a picture of one colour; NULL if a side is not in 1 … PICTURE_MAX_SIDE or memory is short.
 */
picture *picture_create(int width, int height, colour ground);

/* NULL is allowed. */
void picture_destroy(picture *image);

/* Sets a pixel, which must lie inside. */
void picture_set(picture *image, int x, int y, colour value);

void picture_fill(picture *image, int x, int y, int width, int height, colour value);

/* Draws a line with round ends; where both are the same, a dot. */
void picture_draw_line(picture *image, double x0, double y0, double x1, double y1, double width,
                       colour value);

/* Draws a dot with a ring around it, which a thin shadow keeps visible on a ground of its colour.
 */
void picture_draw_mark(picture *image, double x, double y, double radius, colour fill, colour ring);

/* Whether a file can be made at a path, as far as its folder tells; asked before a long run. */
bool picture_path_usable(const char *path, char error[PICTURE_ERROR_BYTES]);

/* Writes the picture as PNG; on failure says why, and leaves no file of its own behind. */
bool picture_write_png(const picture *image, const char *path, char error[PICTURE_ERROR_BYTES]);

#endif
