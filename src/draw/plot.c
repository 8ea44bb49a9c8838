/* SPDX-License-Identifier: BSD-3-Clause */
/* Pictures of values over two axes, as colours with a colour bar, or over one, as a line. */
#include "draw/plot.h"

#include "draw/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    POINT = 2,
    LEFT = 124,
    TOP = 104,
    BOTTOM = 84,
    RIGHT = 36,
    GAP = 28,
    BAR = 24,
    BAR_TEXT = 124,
    LEAST_SIDE = 220,
    TICK = 6,
    LINE_HEIGHT = 2 * TEXT_HEIGHT
};

static const colour paper = COLOUR_PARTS(0xffffff);
static const colour ink = COLOUR_PARTS(0x262626);
static const colour pale_ink = COLOUR_PARTS(0x6a6a6a);
static const colour mesh = COLOUR_PARTS(0xe4e4e4);
static const colour line = COLOUR_PARTS(0x1f62b0);
static const colour not_done = COLOUR_PARTS(0xd0d0d0);
static const colour no_value = COLOUR_PARTS(0xff3fa4);

/* The part of the picture that holds the values. */
typedef struct frame {
    picture *image;
    int left;
    int top;
    int width;
    int height;
} frame;

/* A text that is cut where it would be wider than that. */
static void draw_cut(picture *image, double x, double y, int width, const char *text, colour value)
{
    char shown[512];
    (void)snprintf(shown, sizeof shown, "%s", text);
    size_t length = strlen(shown);
    while (text_width(shown, POINT) > width && length > 3) {
        /* A whole sign goes. */
        while (length > 4 && ((unsigned char)shown[length - 4] & 0xc0) == 0x80) {
            length--;
        }
        length = length > 4 ? length - 1 : 3;
        memcpy(shown + length - 3, "...", 4);
    }
    text_draw(image, x, y, POINT, shown, value);
}

static void draw_frame(const frame *f)
{
    const double right = f->left + f->width;
    const double bottom = f->top + f->height;
    picture_draw_line(f->image, f->left, f->top, right, f->top, 1.5, ink);
    picture_draw_line(f->image, f->left, bottom, right, bottom, 1.5, ink);
    picture_draw_line(f->image, f->left, f->top, f->left, bottom, 1.5, ink);
    picture_draw_line(f->image, right, f->top, right, bottom, 1.5, ink);
}

static void draw_titles(const frame *f, const plot *p)
{
    const int width = f->image->width - f->left - RIGHT / 2;
    draw_cut(f->image, f->left, 18, width, p->title, ink);
    draw_cut(f->image, f->left, 18 + LINE_HEIGHT + 8, width, p->about, pale_ink);
}

static void draw_across(const frame *f, const plot_axis *a)
{
    const double bottom = f->top + f->height;
    double free_from = 0;
    for (int i = 0; i < a->ticks; i++) {
        const double x = f->left + a->tick[i].place * f->width;
        const int width = text_width(a->tick[i].text, POINT);
        picture_draw_line(f->image, x, bottom, x, bottom + TICK, 1.5, ink);
        if (x - width / 2.0 >= free_from) {
            text_draw(f->image, x - width / 2.0, bottom + TICK + 6, POINT, a->tick[i].text, ink);
            free_from = x + width / 2.0 + 8;
        }
    }
    const int width = text_width(a->label, POINT);
    text_draw(f->image, fmax(f->left + (f->width - width) / 2.0, 4), bottom + 40, POINT, a->label,
              ink);
}

static void draw_up(const frame *f, const plot_axis *a)
{
    for (int i = 0; i < a->ticks; i++) {
        const double y = f->top + (1 - a->tick[i].place) * f->height;
        const int width = text_width(a->tick[i].text, POINT);
        picture_draw_line(f->image, f->left - TICK, y, f->left, y, 1.5, ink);
        text_draw(f->image, f->left - TICK - 6 - width, y - 7, POINT, a->tick[i].text, ink);
    }
    text_draw(f->image, f->left, f->top - LINE_HEIGHT - 12, POINT, a->label, ink);
}

static void draw_sample(const frame *f, double *x, const char *text, colour value)
{
    const int top = f->image->height - 26;
    picture_fill(f->image, (int)*x, top, 16, 16, value);
    text_draw(f->image, *x + 24, top + 1, POINT, text, ink);
    *x += 24 + text_width(text, POINT) + 28;
}

/* What the colours mean that are no values, where there are any. */
static void draw_legend(const frame *f, const grid_range *r)
{
    double x = f->left;
    if (r->undone) {
        draw_sample(f, &x, "not done yet", not_done);
    }
    if (r->failed) {
        draw_sample(f, &x, "no value", no_value);
    }
}

/* Whether most values would else have nearly the same colour. */
static bool wants_logarithm(const grid_range *r)
{
    return r->low > 0 && r->high >= 50 * r->low && r->middle - r->low < (r->high - r->low) / 25;
}

/* Values on both sides of 0, neither of which hardly counts, are shown as such. */
static bool has_signs(const grid_range *r)
{
    return r->low < 0 && r->high > 0 && fmin(-r->low, r->high) > fmax(-r->low, r->high) / 5;
}

static draw_scale scale_of(const grid_range *r, ramp *which)
{
    draw_scale s;
    const bool signs = has_signs(r);
    const double most = fmax(-r->low, r->high);
    *which = signs ? RAMP_SIGNS : RAMP_VALUES;
    if (r->low > r->high) {
        draw_scale_init(&s, 0, 1, false, false, 8);
        s.ticks = 0;
    } else {
        draw_scale_init(&s, signs ? -most : r->low, signs ? most : r->high, wants_logarithm(r),
                        false, 8);
    }
    return s;
}

static colour colour_of(const grid_cell *cell, const draw_scale *s, ramp which)
{
    if (cell->values > 0) {
        return ramp_colour(which, draw_scale_place(s, grid_mean(cell)));
    }
    return cell->undone > 0 ? not_done : no_value;
}

static void fill_plane(const frame *f, const plot *p, const grid *g, const draw_scale *s,
                       ramp which)
{
    for (int y = 0; y < f->height; y++) {
        const int row = (int)((y + 0.5) / f->height * g->rows);
        const int data_row = p->up.backward ? row : g->rows - 1 - row;
        for (int x = 0; x < f->width; x++) {
            const int column = (int)((x + 0.5) / f->width * g->columns);
            const int from_left = p->across.backward ? g->columns - 1 - column : column;
            picture_set(
                f->image, f->left + x, f->top + y,
                colour_of(&g->cell[(size_t)data_row * (size_t)g->columns + (size_t)from_left], s,
                          which));
        }
    }
}

static void draw_bar(const frame *f, const plot *p, const draw_scale *s, ramp which)
{
    char label[300];
    frame bar = {.image = f->image,
                 .left = f->left + f->width + GAP,
                 .top = f->top,
                 .width = BAR,
                 .height = f->height};
    for (int y = 0; y < bar.height; y++) {
        const double place = 1 - (y + 0.5) / bar.height;
        picture_fill(f->image, bar.left, bar.top + y, BAR, 1, ramp_colour(which, place));
    }
    for (int i = 0; i < s->ticks; i++) {
        const double y = bar.top + (1 - s->tick[i].place) * bar.height;
        picture_draw_line(f->image, bar.left + BAR, y, bar.left + BAR + TICK, y, 1.5, ink);
        text_draw(f->image, bar.left + BAR + TICK + 6, y - 7, POINT, s->tick[i].text, ink);
    }
    draw_frame(&bar);
    (void)snprintf(label, sizeof label, "%s%s", p->values, s->logarithmic ? " (log)" : "");
    const int width = text_width(label, POINT);
    const int room = f->image->width - RIGHT / 2 - bar.left;
    draw_cut(f->image, fmin(bar.left, f->image->width - RIGHT / 2.0 - fmin(width, room)),
             bar.top - LINE_HEIGHT - 12, room, label, ink);
}

/* How large the part for the values is, with cells of the wanted shape where that can be. */
static void choose_size(const plot *p, const grid *g, int *width, int *height)
{
    *width = PLOT_COLUMNS * 5 / 6;
    *height = PLOT_ROWS * 5 / 6;
    if (p->ratio > 0) {
        const double wanted = (double)g->height * p->ratio / (double)g->width;
        const double least = LEAST_SIDE;
        const double across = fmin(PLOT_COLUMNS, PLOT_ROWS / wanted);
        *width = (int)fmax(least, across);
        *height = (int)fmax(least, fmin(PLOT_ROWS, across * wanted));
    }
    /* Cells of whole points, where they are few. */
    if (g->columns > 0 && g->columns < *width) {
        *width -= *width % g->columns;
    }
    if (g->rows > 0 && g->rows < *height) {
        *height -= *height % g->rows;
    }
}

picture *plot_draw_plane(const plot *p, const grid *g)
{
    frame f = {.left = LEFT, .top = TOP};
    const grid_range r = grid_measure(g);
    ramp which = RAMP_VALUES;
    const draw_scale s = scale_of(&r, &which);
    choose_size(p, g, &f.width, &f.height);
    f.image = picture_create(LEFT + f.width + GAP + BAR + BAR_TEXT, TOP + f.height + BOTTOM, paper);
    if (f.image == NULL) {
        return NULL;
    }
    fill_plane(&f, p, g, &s, which);
    draw_frame(&f);
    draw_across(&f, &p->across);
    draw_up(&f, &p->up);
    draw_bar(&f, p, &s, which);
    draw_titles(&f, p);
    draw_legend(&f, &r);
    return f.image;
}

/* The middle of a column. */
static double column_x(const frame *f, const plot *p, const grid *g, int column)
{
    const int from_left = p->across.backward ? g->columns - 1 - column : column;
    return f->left + (from_left + 0.5) / g->columns * f->width;
}

static void shade_columns(const frame *f, const plot *p, const grid *g)
{
    const int half = (int)ceil(0.5 * f->width / g->columns);
    for (int i = 0; i < g->columns; i++) {
        const grid_cell *cell = &g->cell[i];
        if (cell->undone > 0 || cell->failed > 0) {
            const int left = (int)column_x(f, p, g, i) - half;
            const int first = left > f->left ? left : f->left;
            const int end = left + 2 * half + 1;
            const int last = end < f->left + f->width ? end : f->left + f->width;
            const int height = cell->undone > 0 ? f->height : 10;
            picture_fill(f->image, first, f->top + f->height - height, last - first, height,
                         cell->undone > 0 ? not_done : no_value);
        }
    }
}

static double value_y(const frame *f, const draw_scale *s, double value)
{
    return f->top + (1 - draw_scale_place(s, value)) * f->height;
}

static void draw_curve(const frame *f, const plot *p, const grid *g, const draw_scale *s)
{
    enum { MOST_DOTS = 100 };
    const colour range = colour_mix(paper, line, 0.35);
    for (int i = 0; i < g->columns; i++) {
        const grid_cell *cell = &g->cell[i];
        const double x = column_x(f, p, g, i);
        if (cell->values > 1) {
            picture_draw_line(f->image, x, value_y(f, s, cell->low), x, value_y(f, s, cell->high),
                              1.5, range);
        }
    }
    for (int i = 0; i < g->columns; i++) {
        const grid_cell *cell = &g->cell[i];
        const grid_cell *next = i + 1 < g->columns ? cell + 1 : cell;
        if (cell->values > 0) {
            const double x = column_x(f, p, g, i);
            const double y = value_y(f, s, grid_mean(cell));
            const bool dot = g->columns <= MOST_DOTS;
            picture_draw_line(f->image, x, y, x, y, dot ? 7 : 2, line);
            if (next->values > 0 && next != cell) {
                picture_draw_line(f->image, x, y, column_x(f, p, g, i + 1),
                                  value_y(f, s, grid_mean(next)), 2, line);
            }
        }
    }
}

/* From the least to the largest of all values, with some room. */
static draw_scale scale_of_row(const grid *g)
{
    draw_scale s;
    double low = (double)INFINITY;
    double high = -(double)INFINITY;
    for (int i = 0; i < g->columns; i++) {
        if (g->cell[i].values > 0) {
            low = fmin(low, g->cell[i].low);
            high = fmax(high, g->cell[i].high);
        }
    }
    const double margin = isfinite(high - low) ? 0.04 * (high - low) : 0;
    draw_scale_init(&s, low > high ? 0 : low - margin, low > high ? 1 : high + margin, false, false,
                    8);
    return s;
}

picture *plot_draw_row(const plot *p, const grid *g)
{
    frame f = {
        .left = LEFT, .top = TOP, .width = PLOT_COLUMNS * 5 / 6, .height = PLOT_ROWS * 3 / 5};
    const grid_range r = grid_measure(g);
    const draw_scale s = scale_of_row(g);
    plot_axis values = {.label = p->values, .ticks = s.ticks};
    memcpy(values.tick, s.tick, sizeof values.tick);
    f.image = picture_create(LEFT + f.width + RIGHT, TOP + f.height + BOTTOM, paper);
    if (f.image == NULL) {
        return NULL;
    }
    shade_columns(&f, p, g);
    for (int i = 0; i < s.ticks; i++) {
        const double y = f.top + (1 - s.tick[i].place) * f.height;
        picture_draw_line(f.image, f.left, y, f.left + f.width, y, 1, mesh);
    }
    draw_curve(&f, p, g, &s);
    draw_frame(&f);
    draw_across(&f, &p->across);
    draw_up(&f, &values);
    draw_titles(&f, p);
    draw_legend(&f, &r);
    return f.image;
}
