/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what is computed, and the command line. */
#include "work.h"

#ifdef WEFT_GSHHG_DIR
#include "coast/coast.h"
#endif
#include "cost.h"
#include "mandelbrot/plane.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 20 };

static bool complain(const char *what, const char *which)
{
    (void)fprintf(stderr, "weft-bench: %s: %s\n", what, which);
    return false;
}

/* What is handed out at once by hand has about this size where the work has no rows. */
static int64_t usual_piece(int64_t bytes)
{
    return bytes < PIECE_BYTES ? PIECE_BYTES / bytes : 1;
}

static bool set(settings *s, const char *name, const char *value)
{
    static const struct {
        const char *name;
        size_t at;
        enum { TEXT, INT64, DOUBLE } type;
    } known[] = {
        {"do", offsetof(settings, action), TEXT},
        {"work", offsetof(settings, work), TEXT},
        {"items", offsetof(settings, items), INT64},
        {"bytes", offsetof(settings, bytes), INT64},
        {"piece", offsetof(settings, piece), INT64},
        {"rows", offsetof(settings, rows), INT64},
        {"maps", offsetof(settings, maps), INT64},
        {"stop", offsetof(settings, stop), INT64},
        {"limit", offsetof(settings, limit), INT64},
        {"spread", offsetof(settings, spread), INT64},
        {"threads", offsetof(settings, threads), INT64},
        {"steps", offsetof(settings, steps), DOUBLE},
        {"step-ns", offsetof(settings, step_ns), DOUBLE},
        {"seconds", offsetof(settings, seconds), DOUBLE},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const size_t length = strlen(known[i].name);
        char *end = NULL;
        char *member = (char *)s + known[i].at;
        if (strncmp(name, known[i].name, length) != 0 || name[length] != '=') {
            continue;
        }
        if (known[i].type == TEXT) {
            memcpy(member, &value, sizeof value);
            return true;
        }
        const double number = strtod(value, &end);
        const int64_t whole = (int64_t)number;
        memcpy(member, known[i].type == INT64 ? (const void *)&whole : (const void *)&number,
               sizeof number);
        return end != value && *end == '\0';
    }
    return false;
}

bool settings_read(settings *s, int argc, char **argv)
{
    *s = (settings){.action = "run",
                    .work = "fill",
                    .items = 1,
                    .bytes = 8,
                    .rows = 1,
                    .maps = 1,
                    .stop = -1,
                    .threads = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (value == NULL || !set(s, argv[i], value + 1)) {
            return complain("no such word; this program is for weft-bench", argv[i]);
        }
    }
    return true;
}

double work_spin(int64_t start, int64_t steps)
{
    double x = 1 / (1 + (double)start);
    for (int64_t i = 0; i < steps; i++) {
        x = x * 0.75 + 0.5;
    }
    return x;
}

static void spin_items(const work *w, int64_t first, int64_t count, void *const results[])
{
    const cost_fn *cost = w->context;
    double *values = results[0];
    for (int64_t i = 0; i < count; i++) {
        values[i] = work_spin(first + i, (int64_t)(w->steps * (*cost)(first + i, w->items)));
    }
}

/* Words that tell their place, at the speed of memory. */
static void fill_items(const work *w, int64_t first, int64_t count, void *const results[])
{
    uint64_t *words = results[0];
    const uint64_t each = (uint64_t)w->field[0].elements, start = (uint64_t)first * each;
    for (uint64_t i = 0; i < (uint64_t)count * each; i++) {
        words[i] = start + i;
    }
}

static void count_steps(const work *w, int64_t first, int64_t count, void *const results[])
{
    plane_count(w->context, first, count, results[0]);
}

static bool open_mandelbrot(work *w, const settings *s)
{
    static plane view = {.max_iter = 2000, .centre_x = -0.5, .span = 4.2};
    view.width = s->rows * 16 / 9;
    view.height = s->rows;
    *w = (work){.rows = view.height,
                .columns = view.width,
                .piece = view.width,
                .fields = 1,
                .field = {{"iterations", WEFT_UINT32, 1, 4}},
                .compute = count_steps,
                .context = &view};
    return true;
}

#ifdef WEFT_GSHHG_DIR
static void find_shores(const work *w, int64_t first, int64_t count, void *const results[])
{
    coast_cells(w->context, first, count, results[0], results[1], results[2]);
}

static bool open_coast(work *w, const settings *s)
{
    char error[GSHHG_ERROR_BYTES];
    gshhg *data = NULL;
    static coast *shore;
    if (gshhg_read(WEFT_GSHHG_DIR, "i", &data, error) != WEFT_OK) {
        return complain("coast", error);
    }
    if (coast_create(data, s->rows, &shore) != WEFT_OK) {
        return complain("coast", "cannot prepare the shorelines");
    }
    gshhg_free(data);
    /* Shorter pieces than a row lose what a cell tells of its neighbours. */
    *w = (work){.rows = s->rows,
                .columns = 2 * s->rows,
                .piece = 2 * s->rows,
                .fields = 3,
                .field = {{"distance", WEFT_FLOAT64, 1, 8},
                          {"nearest", WEFT_FLOAT64, 2, 16},
                          {"land", WEFT_UINT8, 1, 1}},
                .compute = find_shores,
                .context = shore};
    return true;
}
#else
static bool open_coast(work *w, const settings *s)
{
    (void)w;
    return complain("not in this program", s->work);
}
#endif

static bool open_fill(work *w, const settings *s)
{
    *w = (work){.rows = 1,
                .columns = s->items,
                .piece = usual_piece(s->bytes),
                .fields = 1,
                .field = {{"words", WEFT_UINT64, s->bytes / 8, s->bytes}},
                .compute = fill_items};
    return true;
}

static bool open_costs(work *w, const settings *s)
{
    static const struct {
        const char *name;
        cost_fn cost;
    } known[] = {{"uniform", cost_uniform},       {"increasing", cost_increasing},
                 {"decreasing", cost_decreasing}, {"exponential", cost_exponential},
                 {"bimodal", cost_bimodal},       {"giant", cost_giant}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, s->work) == 0) {
            *w = (work){.rows = 1,
                        .columns = s->items,
                        .piece = 1,
                        .fields = 1,
                        .field = {{"value", WEFT_FLOAT64, 1, 8}},
                        .compute = spin_items,
                        .steps = s->steps,
                        .context = &known[i].cost};
            return true;
        }
    }
    return complain("no such work", s->work);
}

bool work_open(work *w, const settings *s)
{
    bool good = false;
    if (strcmp(s->work, "fill") == 0) {
        good = open_fill(w, s);
    } else if (strcmp(s->work, "mandelbrot") == 0) {
        good = open_mandelbrot(w, s);
    } else if (strcmp(s->work, "coast") == 0) {
        good = open_coast(w, s);
    } else {
        good = open_costs(w, s);
    }
    if (good) {
        w->items = w->rows * w->columns;
        w->piece = s->piece > 0 ? s->piece : w->piece;
    }
    return good;
}
