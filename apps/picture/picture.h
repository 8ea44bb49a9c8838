/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * An 8-bit RGB picture in memory: drawing points, rectangles and ringed dots, writing it as PNG.
 */
#ifndef PICTURE_PICTURE_H
#define PICTURE_PICTURE_H

#include "ramp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The largest width and height of a picture, which is what libpng takes. */
#define PICTURE_MAX_SIDE 1000000

/** Room enough for any error text of this module. */
#define PICTURE_ERROR_BYTES 512

/** A picture; pixel (x, y), y downwards, is rgb[3 · (y · width + x)] and the two that follow. */
typedef struct picture {
    int width;
    int height;
    uint8_t *rgb;
} picture;

/** Makes a black picture; NULL if a side is not in 1 … PICTURE_MAX_SIDE or memory is short. */
picture *picture_create(int width, int height);

/** Frees a picture, or NULL. */
void picture_destroy(picture *image);

/** Sets a pixel. */
void picture_set(picture *image, int x, int y, colour value);

/** Lays a colour over a pixel, opacity 0 … 1; does nothing outside the picture. */
void picture_blend(picture *image, int x, int y, colour value, double opacity);

/** Fills a rectangle; what lies outside the picture is cut off. */
void picture_fill(picture *image, int x, int y, int width, int height, colour value);

/** Draws a filled dot with a ring around it; what lies outside the picture is cut off. */
void picture_draw_dot(picture *image, double x, double y, double radius, colour fill, colour ring);

/** Whether a file can be made at a path, as far as its folder tells; asked before a long run. */
bool picture_path_usable(const char *path, char error[PICTURE_ERROR_BYTES]);

/** Writes the picture as PNG; on failure says why, and leaves no file of its own behind. */
bool picture_write_png(const picture *image, const char *path, char error[PICTURE_ERROR_BYTES]);

#endif
