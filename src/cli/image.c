/* SPDX-License-Identifier: BSD-3-Clause */
/* A field, or what is left of it at the places of --at, as a picture. */
#include "image.h"

#include "base/number.h"
#include "base/terminal.h"
#include "command.h"
#include "draw/plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TICKS = 8, TEXT_BYTES = 512 };

/* What is drawn, and the text on it. */
typedef struct drawing {
    view *v;
    const view_axis *up; /* NULL: there is one axis */
    const view_axis *across;
    plot plot;
    grid *grid;
    double step[2]; /* between coordinates, up and across; 0: no two are as far apart */
    char title[TEXT_BYTES];
    char about[TEXT_BYTES];
    char values[TEXT_BYTES];
    char label[2][TEXT_BYTES];
} drawing;

/* Says what to leave out where too many dimensions are left. */
static weft_status tell_left(const view *v, int left, const int axes[])
{
    char names[VIEW_AXES * (VIEW_NAME_BYTES + 24)] = "";
    for (int i = 0; i < left; i++) {
        const view_axis *a = &v->axis[axes[i]];
        number_append(names, sizeof names, "%s%s (%" PRId64 ")", i > 0 ? ", " : "", a->name,
                      a->count);
    }
    return command_error(WEFT_ERR_USAGE,
                         "field '%s' has %d dimensions left, and a picture two: %s; say where to "
                         "look along %d of them, as in --at %s=0",
                         v->info->name, left, names, left - 2, v->axis[axes[left - 1]].name);
}

/* Those of one item need no place to be said. */
static void drop_short_axes(view *v)
{
    int axes[VIEW_AXES];
    int left = view_left(v, VIEW_AXES, axes);
    for (int i = 0; i < v->axes && left > 2; i++) {
        view_axis *a = &v->axis[i];
        if (!a->fixed && a->count == 1) {
            a->fixed = true;
            left--;
        }
    }
}

static weft_status choose_axes(drawing *d)
{
    int axes[VIEW_AXES];
    drop_short_axes(d->v);
    const int left = view_left(d->v, VIEW_AXES, axes);
    if (left > 2) {
        return tell_left(d->v, left, axes);
    }
    if (left == 0) {
        return command_error(WEFT_ERR_USAGE, "no dimension is left to draw; give one --at less");
    }
    d->up = left == 2 ? &d->v->axis[axes[0]] : NULL;
    d->across = &d->v->axis[axes[left - 1]];
    if (d->across->count == 0 || (d->up != NULL && d->up->count == 0)) {
        return command_error(WEFT_ERR_USAGE, "field '%s' has no items to draw", d->v->info->name);
    }
    return WEFT_OK;
}

static weft_status place_of(const view *v, const view_axis *a, int64_t at, double *place)
{
    *place = (double)at;
    return a->coordinates ? weft_result_read_coordinates(v->result, a->dimension, at, 1, place)
                          : WEFT_OK;
}

/* The distance between two neighbours, where it is always the same, or nearly; else 0. */
static weft_status find_step(const view *v, const view_axis *a, double first, double last,
                             double *step)
{
    enum { PIECE = 4096 };
    double piece[PIECE];
    const double wanted = a->count > 1 ? (last - first) / (double)(a->count - 1) : 1;
    weft_status status = WEFT_OK;
    *step = isfinite(wanted) ? wanted : 0;
    for (int64_t at = 0; at < a->count && a->coordinates && status == WEFT_OK; at += PIECE) {
        const int64_t count = a->count - at < PIECE ? a->count - at : PIECE;
        status = weft_result_read_coordinates(v->result, a->dimension, at, count, piece);
        for (int64_t i = 0; i < count && status == WEFT_OK; i++) {
            if (fabs(piece[i] - (first + wanted * (double)(at + i))) > 0.01 * fabs(wanted)) {
                *step = 0;
            }
        }
    }
    return status;
}

/* A round number of items between two ticks. */
static int64_t choose_stride(int64_t count)
{
    int64_t power = 1;
    while (count / power / 10 >= MOST_TICKS) {
        power *= 10;
    }
    return count / power < MOST_TICKS       ? power
           : count / power / 2 < MOST_TICKS ? 2 * power
           : count / power / 5 < MOST_TICKS ? 5 * power
                                            : 10 * power;
}

/* Ticks at items, with their coordinates, however far apart these are. */
static weft_status tick_items(const view *v, const view_axis *a, plot_axis *p)
{
    const int64_t stride = choose_stride(a->count);
    weft_status status = WEFT_OK;
    for (int64_t at = 0; at < a->count && status == WEFT_OK; at += stride) {
        draw_tick *t = &p->tick[p->ticks++];
        const double place = ((double)at + 0.5) / (double)a->count;
        double coordinate = 0;
        status = place_of(v, a, at, &coordinate);
        t->place = p->backward ? 1 - place : place;
        draw_scale_print(coordinate, t->text);
    }
    return status;
}

static bool is_angle(const view_axis *a)
{
    return strncmp(a->units, "degree", 6) == 0;
}

static weft_status make_axis(const view *v, const view_axis *a, bool is_up, plot_axis *p,
                             double *step)
{
    double first = 0;
    double last = 0;
    weft_status status = place_of(v, a, 0, &first);
    if (status == WEFT_OK) {
        status = place_of(v, a, a->count - 1, &last);
    }
    if (status == WEFT_OK) {
        status = find_step(v, a, first, last, step);
    }
    if (status != WEFT_OK) {
        return status;
    }
    /* Coordinates grow to the right and upwards, rows without any are read downwards. */
    p->backward = a->coordinates ? last < first : is_up;
    if (*step == 0 || !a->coordinates) {
        return tick_items(v, a, p);
    }
    draw_scale s;
    const double half = fabs(*step) / 2;
    draw_scale_init(&s, fmin(first, last) - half, fmax(first, last) + half, false, is_angle(a),
                    MOST_TICKS);
    p->ticks = s.ticks;
    memcpy(p->tick, s.tick, sizeof p->tick);
    return WEFT_OK;
}

static const char *measured_in(const char *units)
{
    return strcmp(units, "1") == 0 ? "" : units;
}

/* "distance (km)" */
static void put_label(char text[TEXT_BYTES], const char *name, const char *units)
{
    const char *unit = measured_in(units);
    (void)snprintf(text, TEXT_BYTES, "%s%s%s%s", name, unit[0] == '\0' ? "" : " (", unit,
                   unit[0] == '\0' ? "" : ")");
}

static void put_texts(drawing *d)
{
    const view *v = d->v;
    const weft_result_info *map = weft_result_describe(v->result);
    (void)snprintf(d->title, sizeof d->title, "%s/%s", map->name, v->info->name);
    for (int i = 0; i < v->axes; i++) {
        const view_axis *a = &v->axis[i];
        if (a->fixed && a->count > 1) {
            number_append(d->title, sizeof d->title, ", %s = %.6g", a->name, a->place);
            number_append(d->title, sizeof d->title, "%s%s",
                          measured_in(a->units)[0] == '\0' ? "" : " ", measured_in(a->units));
        }
    }
    (void)snprintf(d->about, sizeof d->about, "%s",
                   strcmp(v->info->long_name, v->info->name) == 0 ? "" : v->info->long_name);
    (void)snprintf(d->values, sizeof d->values, "%s", measured_in(v->info->units));
    if (d->up == NULL) {
        put_label(d->values, v->info->name, v->info->units);
    } else {
        put_label(d->label[0], d->up->name, d->up->units);
    }
    put_label(d->label[1], d->across->name, d->across->units);
    terminal_clean(d->title);
    terminal_clean(d->about);
    terminal_clean(d->values);
    d->plot.title = d->title;
    d->plot.about = d->about;
    d->plot.values = d->values;
    d->plot.up.label = d->label[0];
    d->plot.across.label = d->label[1];
}

/* Cells of the shape that they have where both axes are measured in the same, or are numbers. */
static void choose_ratio(drawing *d)
{
    const bool angles = is_angle(d->up) && is_angle(d->across);
    const bool alike = d->up->coordinates == d->across->coordinates &&
                       (angles || strcmp(d->up->units, d->across->units) == 0);
    const double ratio = fabs(d->step[0] / d->step[1]);
    const double shape = ratio * (double)d->up->count / (double)d->across->count;
    d->plot.ratio = alike && shape > 0.2 && shape < 5 ? ratio : 0;
}

static weft_status gather_row(drawing *d, int64_t y)
{
    view *v = d->v;
    int64_t element = view_origin(v) + (d->up == NULL ? 0 : y * d->up->stride);
    weft_status status = WEFT_OK;
    for (int64_t x = 0; x < d->across->count && status == WEFT_OK; x++) {
        view_state state = VIEW_UNDONE;
        double value = 0;
        grid_cell *cell = grid_find(d->grid, x, y);
        status = view_read(v, element, d->across->stride, &state, &value);
        if (state == VIEW_VALUE) {
            grid_add(cell, value);
        }
        cell->failed += state == VIEW_FAILED;
        cell->undone += state == VIEW_UNDONE;
        element += d->across->stride;
    }
    return status;
}

static weft_status gather(drawing *d)
{
    const int64_t rows = d->up == NULL ? 1 : d->up->count;
    weft_status status = WEFT_OK;
    d->grid = grid_create(d->across->count, rows, PLOT_COLUMNS, PLOT_ROWS);
    if (d->grid == NULL) {
        return command_error(WEFT_ERR_MEMORY, "out of memory for the picture");
    }
    for (int64_t y = 0; y < rows && status == WEFT_OK; y++) {
        status = gather_row(d, y);
    }
    return status == WEFT_OK ? WEFT_OK
                             : command_failed(status, weft_result_error_text(d->v->result));
}

static weft_status prepare(drawing *d)
{
    weft_status status = make_axis(d->v, d->across, false, &d->plot.across, &d->step[1]);
    if (status == WEFT_OK && d->up != NULL) {
        status = make_axis(d->v, d->up, true, &d->plot.up, &d->step[0]);
    }
    if (status != WEFT_OK) {
        return command_failed(status, weft_result_error_text(d->v->result));
    }
    put_texts(d);
    if (d->up != NULL) {
        choose_ratio(d);
    }
    return gather(d);
}

static weft_status draw(const drawing *d, const char *path)
{
    char error[PICTURE_ERROR_BYTES];
    weft_status status = WEFT_OK;
    picture *image =
        d->up == NULL ? plot_draw_row(&d->plot, d->grid) : plot_draw_plane(&d->plot, d->grid);
    if (image == NULL) {
        status = command_error(WEFT_ERR_MEMORY, "out of memory for the picture");
    } else if (!picture_write_png(image, path, error)) {
        status = command_error(WEFT_ERR_SYSTEM, "%s", error);
    }
    picture_destroy(image);
    return status;
}

weft_status image_write(view *v, const char *path)
{
    drawing d = {.v = v, .across = &v->axis[0]};
    weft_status status = choose_axes(&d);
    if (status == WEFT_OK) {
        status = prepare(&d);
    }
    if (status == WEFT_OK) {
        status = draw(&d, path);
    }
    grid_destroy(d.grid);
    return status;
}
