/* SPDX-License-Identifier: BSD-3-Clause */
/* A forecast as a picture: speed-up over the number of workers. */
#include "command.h"
#include "draw/text.h"
#include "forecast.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 900, HEIGHT = 640, LEFT = 100, RIGHT = 870, TOP = 60, BOTTOM = 560, POINT = 2 };

static const colour ink = COLOUR_PARTS(0x303030);
static const colour grid = COLOUR_PARTS(0xdddddd);
static const colour pale = COLOUR_PARTS(0x999999);
static const colour colours[] = {
    COLOUR_PARTS(0x1f62b0), COLOUR_PARTS(0xc5582a), COLOUR_PARTS(0x2a8a4a), COLOUR_PARTS(0x8a3f9e),
    COLOUR_PARTS(0xb08a10), COLOUR_PARTS(0x208a94), COLOUR_PARTS(0xc0385a), COLOUR_PARTS(0x606060)};

enum { COLOURS = sizeof colours / sizeof colours[0] };

/* Both axes are logarithmic. That of workers begins with 1, and so does that of the speed-up,
 * unless some are slower than one worker. */
typedef struct axes {
    picture *image;
    double most;
    double least; /* speed-up, a power of the ticks' factor */
    int factor;   /* between two ticks */
} axes;

/* What is slower lies on the axis. */
static const double least_speed_up = 1e-3;

static double place_x(const axes *a, double workers)
{
    return LEFT + (RIGHT - LEFT) * log(fmax(workers, 1)) / log(a->most);
}

static double place_y(const axes *a, double speed_up)
{
    const double share = log(fmax(speed_up / a->least, 1)) / log(a->most / a->least);
    return BOTTOM - (BOTTOM - TOP) * share;
}

static double speed_up(const forecast *f, double seconds)
{
    return seconds > 0 ? f->info->work_s / seconds : 1;
}

static axes make_axes(const forecast *f, picture *image)
{
    axes a = {.image = image, .most = 2, .least = 1};
    double slowest = 1;
    for (int i = 0; i < f->rows; i++) {
        a.most = fmax(a.most, 1.15 * (double)forecast_workers(&f->row[i]));
        slowest = fmin(slowest, speed_up(f, f->row[i].p.makespan_high_s));
        if (f->row[i].shared) {
            slowest = fmin(slowest, speed_up(f, f->row[i].sharing.makespan_s));
        }
    }
    slowest = fmax(slowest, least_speed_up);
    a.factor = a.most / slowest <= 1100 ? 2 : 10;
    while (a.least > slowest) {
        a.least /= a.factor;
    }
    return a;
}

static void draw_ticks(const axes *a)
{
    double tick = a->least;
    while (tick <= a->most) {
        char text[16];
        const double x = place_x(a, tick);
        const double y = place_y(a, tick);
        (void)snprintf(text, sizeof text, "%.4g", tick);
        picture_draw_line(a->image, LEFT, y, RIGHT, y, 1, grid);
        text_draw(a->image, LEFT - 10 - text_width(text, POINT), y - 7, POINT, text, ink);
        if (tick >= 1) {
            picture_draw_line(a->image, x, TOP, x, BOTTOM, 1, grid);
            text_draw(a->image, x - text_width(text, POINT) / 2.0, BOTTOM + 8, POINT, text, ink);
        }
        tick *= a->factor;
    }
}

static void draw_axes(const axes *a, const forecast *f)
{
    static const char across[] = "workers";
    char title[128];
    (void)snprintf(title, sizeof title, "speed-up of %s",
                   f->info == &f->sum ? "all maps" : f->info->name);
    draw_ticks(a);
    picture_draw_line(a->image, LEFT, BOTTOM, RIGHT, BOTTOM, 2, ink);
    picture_draw_line(a->image, LEFT, TOP, LEFT, BOTTOM, 2, ink);
    picture_draw_line(a->image, place_x(a, 1), place_y(a, 1), place_x(a, a->most),
                      place_y(a, a->most), 1.5, pale);
    text_draw(a->image, LEFT, 20, POINT, title, ink);
    text_draw(a->image, (LEFT + RIGHT - text_width(across, POINT)) / 2.0, BOTTOM + 36, POINT,
              across, ink);
}

static bool same_series(const forecast_row *a, const forecast_row *b)
{
    return strcmp(a->layout.schedule, b->layout.schedule) == 0;
}

/* The series' row with the next number of workers above `behind`: of several the fastest. */
static const forecast_row *next_row(const forecast *f, const forecast_row *series, double behind)
{
    const forecast_row *next = NULL;
    for (int i = 0; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        if (!same_series(row, series) || (double)forecast_workers(row) <= behind) {
            continue;
        }
        if (next == NULL || (double)forecast_workers(row) < (double)forecast_workers(next) ||
            ((double)forecast_workers(row) <= (double)forecast_workers(next) &&
             row->p.makespan_s < next->p.makespan_s)) {
            next = row;
        }
    }
    return next;
}

static double seconds_of(const forecast_row *row, bool sharing)
{
    return sharing && row->shared ? row->sharing.makespan_s : row->p.makespan_s;
}

static void draw_line(const axes *a, const forecast *f, const forecast_row *series, bool sharing,
                      colour value)
{
    const forecast_row *before = NULL;
    for (const forecast_row *row = next_row(f, series, 0); row != NULL;
         row = next_row(f, series, (double)forecast_workers(row))) {
        if (before != NULL) {
            picture_draw_line(a->image, place_x(a, (double)forecast_workers(before)),
                              place_y(a, speed_up(f, seconds_of(before, sharing))),
                              place_x(a, (double)forecast_workers(row)),
                              place_y(a, speed_up(f, seconds_of(row, sharing))), 2.5, value);
        }
        before = row;
    }
}

static void draw_points(const axes *a, const forecast *f, const forecast_row *series, colour value)
{
    for (int i = 0; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        if (same_series(row, series)) {
            const double x = place_x(a, (double)forecast_workers(row));
            const double y = place_y(a, speed_up(f, row->p.makespan_s));
            picture_draw_line(a->image, x, place_y(a, speed_up(f, row->p.makespan_high_s)), x,
                              place_y(a, speed_up(f, row->p.makespan_low_s)), 1.5, value);
            picture_draw_line(a->image, x, y, x, y, 9, value);
        }
    }
}

static void draw_legend(const axes *a, int number, const char *text, colour value)
{
    const double y = TOP + 16 + 24.0 * number;
    picture_draw_line(a->image, LEFT + 16, y, LEFT + 46, y, 3, value);
    text_draw(a->image, LEFT + 56, y - 7, POINT, text, ink);
}

static void draw_series(const axes *a, const forecast *f)
{
    int legends = 0;
    bool shared = false;
    draw_legend(a, legends++, "ideal", pale);
    for (int i = 0; i < f->rows; i++) {
        const forecast_row *series = &f->row[i];
        bool known = false;
        for (int k = 0; k < i; k++) {
            known = known || same_series(&f->row[k], series);
        }
        shared = shared || series->shared;
        if (!known) {
            const colour value = colours[(legends - 1) % COLOURS];
            draw_line(a, f, series, false, value);
            draw_points(a, f, series, value);
            draw_legend(a, legends++, series->layout.schedule, value);
        }
    }
    if (shared) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s on %d cores", f->row[0].layout.schedule,
                       f->info->cores);
        draw_line(a, f, &f->row[0], true, ink);
        draw_legend(a, legends, text, ink);
    }
}

weft_status chart_check(const char *path)
{
    char error[PICTURE_ERROR_BYTES];
    return picture_path_usable(path, error) ? WEFT_OK
                                            : command_error(WEFT_ERR_USAGE, "--image: %s", error);
}

weft_status chart_write(const forecast *f, const char *path)
{
    char error[PICTURE_ERROR_BYTES];
    weft_status status = WEFT_OK;
    picture *image = picture_create(WIDTH, HEIGHT, COLOUR(0xffffff));
    if (image == NULL) {
        return command_error(WEFT_ERR_MEMORY, "out of memory for the picture");
    }
    const axes a = make_axes(f, image);
    draw_axes(&a, f);
    draw_series(&a, f);
    if (!picture_write_png(image, path, error)) {
        status = command_error(WEFT_ERR_SYSTEM, "%s", error);
    }
    picture_destroy(image);
    return status;
}
