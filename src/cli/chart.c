/* SPDX-License-Identifier: BSD-3-Clause */
/* A forecast as a picture: speed-up over the number of workers. */
#include "chart.h"

#include "canvas.h"
#include "command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WIDTH = 900, HEIGHT = 640, LEFT = 100, RIGHT = 870, TOP = 60, BOTTOM = 560 };

static const uint32_t ink = 0x303030;
static const uint32_t grid = 0xdddddd;
static const uint32_t pale = 0x999999;
static const uint32_t colours[] = {0x1f62b0, 0xc5582a, 0x2a8a4a, 0x8a3f9e,
                                   0xb08a10, 0x208a94, 0xc0385a, 0x606060};

enum { COLOURS = sizeof colours / sizeof colours[0] };

/* Both axes are logarithmic. That of workers begins with 1, and so does that of the speed-up,
 * unless some are slower than one worker. */
typedef struct axes {
    canvas *canvas;
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

static double workers_of(const forecast_row *row)
{
    return (double)row->layout.ranks * row->layout.workers;
}

static double speed_up(const forecast *f, double seconds)
{
    return seconds > 0 ? f->info->work_s / seconds : 1;
}

static axes make_axes(const forecast *f, canvas *c)
{
    axes a = {.canvas = c, .most = 2, .least = 1};
    double slowest = 1;
    for (int i = 0; i < f->rows; i++) {
        a.most = fmax(a.most, 1.15 * workers_of(&f->row[i]));
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
        canvas_line(a->canvas, LEFT, y, RIGHT, y, 1, grid);
        canvas_text(a->canvas, LEFT - 10 - canvas_text_width(text), y - 7, text, ink);
        if (tick >= 1) {
            canvas_line(a->canvas, x, TOP, x, BOTTOM, 1, grid);
            canvas_text(a->canvas, x - canvas_text_width(text) / 2.0, BOTTOM + 8, text, ink);
        }
        tick *= a->factor;
    }
}

static void draw_axes(const axes *a, const forecast *f)
{
    static const char across[] = "workers";
    char title[128];
    (void)snprintf(title, sizeof title, "speed-up of %s", f->info->name);
    draw_ticks(a);
    canvas_line(a->canvas, LEFT, BOTTOM, RIGHT, BOTTOM, 2, ink);
    canvas_line(a->canvas, LEFT, TOP, LEFT, BOTTOM, 2, ink);
    canvas_line(a->canvas, place_x(a, 1), place_y(a, 1), place_x(a, a->most), place_y(a, a->most),
                1.5, pale);
    canvas_text(a->canvas, LEFT, 20, title, ink);
    canvas_text(a->canvas, (LEFT + RIGHT - canvas_text_width(across)) / 2.0, BOTTOM + 36, across,
                ink);
}

static bool same_series(const forecast_row *a, const forecast_row *b)
{
    return strcmp(a->layout.schedule, b->layout.schedule) == 0;
}

/* The series' row that comes next behind so many workers: of those with equally many the fastest.
 */
static const forecast_row *next_row(const forecast *f, const forecast_row *series, double behind)
{
    const forecast_row *next = NULL;
    for (int i = 0; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        if (!same_series(row, series) || workers_of(row) <= behind) {
            continue;
        }
        if (next == NULL || workers_of(row) < workers_of(next) ||
            (workers_of(row) <= workers_of(next) && row->p.makespan_s < next->p.makespan_s)) {
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
                      uint32_t colour)
{
    const forecast_row *before = NULL;
    for (const forecast_row *row = next_row(f, series, 0); row != NULL;
         row = next_row(f, series, workers_of(row))) {
        if (before != NULL) {
            canvas_line(a->canvas, place_x(a, workers_of(before)),
                        place_y(a, speed_up(f, seconds_of(before, sharing))),
                        place_x(a, workers_of(row)),
                        place_y(a, speed_up(f, seconds_of(row, sharing))), 2.5, colour);
        }
        before = row;
    }
}

static void draw_points(const axes *a, const forecast *f, const forecast_row *series,
                        uint32_t colour)
{
    for (int i = 0; i < f->rows; i++) {
        const forecast_row *row = &f->row[i];
        if (same_series(row, series)) {
            const double x = place_x(a, workers_of(row));
            canvas_line(a->canvas, x, place_y(a, speed_up(f, row->p.makespan_high_s)), x,
                        place_y(a, speed_up(f, row->p.makespan_low_s)), 1.5, colour);
            canvas_dot(a->canvas, x, place_y(a, speed_up(f, row->p.makespan_s)), 4.5, colour);
        }
    }
}

static void draw_legend(const axes *a, int number, const char *text, uint32_t colour)
{
    const double y = TOP + 16 + 24.0 * number;
    canvas_line(a->canvas, LEFT + 16, y, LEFT + 46, y, 3, colour);
    canvas_text(a->canvas, LEFT + 56, y - 7, text, ink);
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
            const uint32_t colour = colours[(legends - 1) % COLOURS];
            draw_line(a, f, series, false, colour);
            draw_points(a, f, series, colour);
            draw_legend(a, legends++, series->layout.schedule, colour);
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
    struct stat about;
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    char *folder = malloc(length + 2);
    if (folder == NULL) {
        return command_error(WEFT_ERR_MEMORY, "out of memory");
    }
    (void)snprintf(folder, length + 2, "%.*s", length > 0 ? (int)length : 1,
                   length > 0 ? path : ".");
    weft_status status = WEFT_OK;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
        status = command_error(WEFT_ERR_USAGE, "--image: %s is there, and is not a file", path);
    } else if (access(folder, W_OK | X_OK) != 0) {
        status =
            command_error(WEFT_ERR_USAGE, "--image: cannot write to %s: %s", path, strerror(errno));
    }
    free(folder);
    return status;
}

weft_status chart_write(const forecast *f, const char *path)
{
    const char *why = "";
    weft_status status = WEFT_OK;
    canvas *c = canvas_create(WIDTH, HEIGHT);
    if (c == NULL) {
        return command_error(WEFT_ERR_MEMORY, "out of memory for the picture");
    }
    const axes a = make_axes(f, c);
    draw_axes(&a, f);
    draw_series(&a, f);
    if (!canvas_write(c, path, &why)) {
        status = command_error(WEFT_ERR_SYSTEM, "cannot write the picture %s: %s", path, why);
    }
    canvas_destroy(c);
    return status;
}
