/* SPDX-License-Identifier: BSD-3-Clause */
/* A white canvas for charts: lines, dots, small text; written as PNG. */
#include "canvas.h"

#include <ctype.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GLYPH_WIDTH = 5, GLYPH_HEIGHT = 7, SCALE = 2 };

struct canvas {
    int width;
    int height;
    uint8_t *rgb;
};

/* Five columns per row, the leftmost in the highest of the five bits. */
typedef struct glyph {
    char character;
    uint8_t row[GLYPH_HEIGHT];
} glyph;

static const glyph glyphs[] = {
    {'0', {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}},
    {'1', {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e}},
    {'2', {0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f}},
    {'3', {0x0e, 0x11, 0x01, 0x06, 0x01, 0x11, 0x0e}},
    {'4', {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}},
    {'5', {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e}},
    {'6', {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}},
    {'7', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08}},
    {'8', {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}},
    {'9', {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c}},
    {'A', {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}},
    {'B', {0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e}},
    {'C', {0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e}},
    {'D', {0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e}},
    {'E', {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}},
    {'F', {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10}},
    {'G', {0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f}},
    {'H', {0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}},
    {'I', {0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e}},
    {'J', {0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c}},
    {'K', {0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11}},
    {'L', {0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f}},
    {'M', {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11}},
    {'N', {0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11}},
    {'O', {0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}},
    {'P', {0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10}},
    {'Q', {0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d}},
    {'R', {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11}},
    {'S', {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e}},
    {'T', {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04}},
    {'U', {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e}},
    {'V', {0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04}},
    {'W', {0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11}},
    {'X', {0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11}},
    {'Y', {0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04}},
    {'Z', {0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f}},
    {'.', {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c}},
    {',', {0x00, 0x00, 0x00, 0x00, 0x0c, 0x04, 0x08}},
    {':', {0x00, 0x0c, 0x0c, 0x00, 0x0c, 0x0c, 0x00}},
    {'-', {0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00}},
    {'_', {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1f}},
    {'/', {0x01, 0x01, 0x02, 0x04, 0x08, 0x10, 0x10}},
    {'%', {0x19, 0x19, 0x02, 0x04, 0x08, 0x13, 0x13}},
    {'+', {0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00}},
    {'(', {0x02, 0x04, 0x08, 0x08, 0x08, 0x04, 0x02}},
    {')', {0x08, 0x04, 0x02, 0x02, 0x02, 0x04, 0x08}},
};

canvas *canvas_create(int width, int height)
{
    canvas *c = malloc(sizeof *c);
    uint8_t *rgb = malloc(3 * (size_t)width * (size_t)height);
    if (c == NULL || rgb == NULL) {
        free(rgb);
        free(c);
        return NULL;
    }
    memset(rgb, 0xff, 3 * (size_t)width * (size_t)height);
    *c = (canvas){.width = width, .height = height, .rgb = rgb};
    return c;
}

void canvas_destroy(canvas *c)
{
    if (c != NULL) {
        free(c->rgb);
        free(c);
    }
}

/* Lays a colour over a pixel, opacity 0 … 1. */
static void blend(canvas *c, int x, int y, uint32_t colour, double opacity)
{
    if (x < 0 || y < 0 || x >= c->width || y >= c->height || !(opacity > 0)) {
        return;
    }
    uint8_t *pixel = c->rgb + 3 * ((size_t)y * (size_t)c->width + (size_t)x);
    for (int i = 0; i < 3; i++) {
        const double over = (double)(colour >> (16 - 8 * i) & 0xff);
        const double mixed = pixel[i] + fmin(opacity, 1) * (over - pixel[i]);
        pixel[i] = (uint8_t)lround(mixed);
    }
}

void canvas_line(canvas *c, double x0, double y0, double x1, double y1, double width,
                 uint32_t colour)
{
    const double length = hypot(x1 - x0, y1 - y0);
    const double margin = width / 2 + 1;
    const int right = (int)fmin(c->width, ceil(fmax(x0, x1) + margin));
    const int bottom = (int)fmin(c->height, ceil(fmax(y0, y1) + margin));
    for (int y = (int)fmax(0, fmin(y0, y1) - margin); y < bottom; y++) {
        for (int x = (int)fmax(0, fmin(x0, x1) - margin); x < right; x++) {
            const double dx = x + 0.5 - x0;
            const double dy = y + 0.5 - y0;
            const double along =
                length > 0 ? (dx * (x1 - x0) + dy * (y1 - y0)) / (length * length) : 0;
            const double place = fmin(fmax(along, 0), 1);
            const double off = hypot(dx - place * (x1 - x0), dy - place * (y1 - y0));
            blend(c, x, y, colour, width / 2 + 0.5 - off);
        }
    }
}

void canvas_dot(canvas *c, double x, double y, double radius, uint32_t colour)
{
    canvas_line(c, x, y, x, y, 2 * radius, colour);
}

static const glyph *find_glyph(char character)
{
    const char capital = (char)toupper((unsigned char)character);
    for (size_t i = 0; i < sizeof glyphs / sizeof glyphs[0]; i++) {
        if (glyphs[i].character == capital) {
            return &glyphs[i];
        }
    }
    return NULL;
}

static void draw_glyph(canvas *c, int left, int top, const glyph *g, uint32_t colour)
{
    for (int y = 0; y < GLYPH_HEIGHT * SCALE; y++) {
        for (int x = 0; x < GLYPH_WIDTH * SCALE; x++) {
            const int bit = g->row[y / SCALE] >> (GLYPH_WIDTH - 1 - x / SCALE) & 1;
            blend(c, left + x, top + y, colour, bit);
        }
    }
}

void canvas_text(canvas *c, double x, double y, const char *text, uint32_t colour)
{
    int left = (int)lround(x);
    for (; *text != '\0'; text++) {
        const glyph *g = find_glyph(*text);
        if (g != NULL) {
            draw_glyph(c, left, (int)lround(y), g, colour);
        }
        left += CANVAS_CHAR_WIDTH;
    }
}

int canvas_text_width(const char *text)
{
    return (int)strlen(text) * CANVAS_CHAR_WIDTH;
}

bool canvas_write(const canvas *c, const char *path, const char **why)
{
    static char reason[sizeof((png_image *)0)->message];
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)c->width,
                     .height = (png_uint_32)c->height,
                     .format = PNG_FORMAT_RGB};
    if (png_image_write_to_file(&png, path, 0, c->rgb, 0, NULL) != 0) {
        return true;
    }
    (void)snprintf(reason, sizeof reason, "%s", png.message);
    png_image_free(&png);
    *why = reason;
    return false;
}
