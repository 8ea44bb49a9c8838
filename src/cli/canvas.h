/* SPDX-License-Identifier: BSD-3-Clause */
/* A white canvas for charts: lines, dots, small text; written as PNG. */
#ifndef CLI_CANVAS_H
#define CLI_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct canvas canvas;

/* A character takes so many pixels, blanks around it included. */
enum { CANVAS_CHAR_WIDTH = 12, CANVAS_CHAR_HEIGHT = 18 };

/* NULL: out of memory. */
canvas *canvas_create(int width, int height);

/* NULL is allowed. */
void canvas_destroy(canvas *c);

/* Colours are 0xRRGGBB; x goes right, y down, in pixels. What lies outside is cut off. */
void canvas_line(canvas *c, double x0, double y0, double x1, double y1, double width,
                 uint32_t colour);
void canvas_dot(canvas *c, double x, double y, double radius, uint32_t colour);

/* ASCII; the upper left corner. Small letters are drawn as capitals. */
void canvas_text(canvas *c, double x, double y, const char *text, uint32_t colour);

/* How wide a text is, in pixels. */
int canvas_text_width(const char *text);

/* False with a reason that lives until the next call. */
bool canvas_write(const canvas *c, const char *path, const char **why);

#endif
