/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what the overview looks like as a picture. */
#include "grid.h"

#include "draw/text.h"

#include <math.h>
#include <stdio.h>

enum { POINT = 2, LINE = 28, MARGIN = 16, GAP = 2, LETTER = 6 * POINT, LEGEND_STEP = 90 };

static const colour paper = {1, 1, 1}, ink = {0.1, 0.1, 0.12}, nothing = {0.9, 0.9, 0.9};

static int text_y(int y)
{
    return y + (LINE - TEXT_HEIGHT * POINT) / 2 + POINT;
}

static int widest(const char *names, size_t bytes, int count)
{
    int width = 0;
    for (int i = 0; i < count; i++) {
        const int each = text_width(names + (size_t)i * bytes, POINT);
        width = each > width ? each : width;
    }
    return width;
}

/* Small differences matter most: 1.02 can be told from 1, and 2 is as bad as it gets. */
static colour colour_of(double ratio)
{
    return ramp_colour(RAMP_LAND, sqrt(log2(fmax(ratio, 1))));
}

static void draw_cell(picture *image, int x, int y, int width, double ratio)
{
    char text[16];
    if (!(ratio > 0)) {
        picture_fill(image, x, y, width - GAP, LINE - GAP, nothing);
        return;
    }
    (void)snprintf(text, sizeof text, "%.2f%s", ratio, ratio >= 1 && ratio <= 1 ? "*" : "");
    picture_fill(image, x, y, width - GAP, LINE - GAP, colour_of(ratio));
    text_draw(image, x + 0.5 * (width - text_width(text, POINT)), text_y(y), POINT, text,
              ratio > 1.25 ? paper : ink);
}

static void draw_legend(picture *image, int x, int y)
{
    static const double samples[] = {1, 1.02, 1.1, 1.25, 1.5, 2};
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        draw_cell(image, x + (int)i * LEGEND_STEP, y, LEGEND_STEP, samples[i]);
    }
}

picture *grid_draw(const grid *g)
{
    static const char title[] = "time over that of the best technique";
    const int left = MARGIN + widest(g->line[0], sizeof g->line[0], g->lines) + LETTER;
    const int column = widest(g->column[0], sizeof g->column[0], g->columns) + LETTER;
    const int inner = column * g->columns > 6 * LEGEND_STEP ? column * g->columns : 6 * LEGEND_STEP;
    const int top = MARGIN + 2 * LINE;
    picture *image =
        picture_create(left + inner + MARGIN, top + LINE * (g->lines + 2) + MARGIN, paper);
    if (image == NULL) {
        return NULL;
    }
    text_draw(image, left, MARGIN, POINT, title, ink);
    for (int j = 0; j < g->columns; j++) {
        const int gap = column - text_width(g->column[j], POINT);
        text_draw(image, left + j * column + 0.5 * gap, text_y(top - LINE), POINT, g->column[j],
                  ink);
    }
    for (int i = 0; i < g->lines; i++) {
        text_draw(image, MARGIN, text_y(top + i * LINE), POINT, g->line[i], ink);
        for (int j = 0; j < g->columns; j++) {
            draw_cell(image, left + j * column, top + i * LINE, column, g->ratio[i][j]);
        }
    }
    draw_legend(image, left, top + (g->lines + 1) * LINE);
    return image;
}
