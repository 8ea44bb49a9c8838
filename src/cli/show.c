/* SPDX-License-Identifier: BSD-3-Clause */
/* weft show: what the fields of a result hold: a table of statistics, or a picture of one. */
#include "command.h"

#include "base/number.h"
#include "base/terminal.h"
#include "draw/picture.h"
#include "image.h"
#include "statistics.h"
#include "table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { AT_BYTES = 2048, TAIL_BYTES = 1024, LIST_BYTES = 2048 };

/* What is asked for. */
typedef struct wish {
    const char *image;
    const char *at;
    int first; /* maps … */
    int end;
    int field; /* … and of one of them this field; -1: all */
} wish;

static weft_status failed(weft_result *result, weft_status status)
{
    return command_failed(status, weft_result_error_text(result));
}

/* Lists fields as MAP/FIELD: those of some maps, all or of one name. Their number, and the last
 * map that has one. */
static weft_status list_fields(weft_result *result, const wish *w, const char *field, char *names,
                               size_t bytes, int *count, int *map)
{
    weft_status status = WEFT_OK;
    names[0] = '\0';
    *count = 0;
    for (int i = w->first; i < w->end && status == WEFT_OK; i++) {
        status = weft_result_set_map(result, i);
        const weft_result_info *info = weft_result_describe(result);
        for (int f = 0; f < info->fields && status == WEFT_OK; f++) {
            const char *name = weft_result_field(result, f)->name;
            if (field == NULL || strcmp(field, name) == 0) {
                number_append(names, bytes, "%s%s/%s", *count > 0 ? ", " : "", info->name, name);
                *map = i;
                ++*count;
            }
        }
    }
    return status;
}

static weft_status choose_field(weft_result *result, int map, const char *field, wish *w)
{
    weft_status status = weft_result_set_map(result, map);
    if (status == WEFT_OK && field != NULL && field[0] != '\0') {
        w->field = weft_result_find_field(result, field);
        status = w->field < 0 ? WEFT_ERR_USAGE : WEFT_OK;
    }
    w->first = map;
    w->end = map + 1;
    return status == WEFT_OK ? WEFT_OK : failed(result, status);
}

/* A field whose map is not named: the only one that has it. */
static weft_status choose_only(weft_result *result, const char *path, const char *field, wish *w)
{
    char names[LIST_BYTES];
    int count = 0;
    int map = 0;
    weft_status status = list_fields(result, w, field, names, sizeof names, &count, &map);
    if (status != WEFT_OK) {
        return failed(result, status);
    }
    if (count == 1 || w->end == 1) {
        return choose_field(result, map, field, w);
    }
    if (count > 1) {
        return command_error(WEFT_ERR_USAGE, "%s: several maps have a field '%s': say which of %s",
                             path, field, names);
    }
    status = list_fields(result, w, NULL, names, sizeof names, &count, &map);
    return status != WEFT_OK
               ? failed(result, status)
               : command_error(WEFT_ERR_USAGE, "%s has neither a map nor a field '%s'; it has %s",
                               path, field, count == 0 ? "no fields" : names);
}

/* MAP/FIELD, MAP, or FIELD where only one map has it. */
static weft_status choose(weft_result *result, const char *path, const char *part, wish *w)
{
    char map[WEFT_NAME_BYTES];
    w->first = 0;
    w->end = weft_result_describe(result)->maps;
    w->field = -1;
    if (part == NULL) {
        return WEFT_OK;
    }
    part += part[0] == '/';
    const size_t length = strcspn(part, "/");
    (void)snprintf(map, sizeof map, "%.*s", (int)(length < sizeof map ? length : sizeof map - 1),
                   part);
    const int number = weft_result_find_map(result, map);
    if (number < 0 && part[length] == '\0') {
        return choose_only(result, path, part, w);
    }
    return number < 0
               ? failed(result, WEFT_ERR_USAGE)
               : choose_field(result, number, part[length] == '\0' ? NULL : part + length + 1, w);
}

static void put_number(table *t, double value)
{
    if (isfinite(value)) {
        table_put(t, "%.6g", value);
    } else {
        table_put(t, "-");
    }
}

static bool is_integer(weft_type type)
{
    return type != WEFT_FLOAT32 && type != WEFT_FLOAT64 && type != WEFT_LONG_DOUBLE;
}

/* "lat, lon" */
static void list_axes(const view *v, char *text, size_t bytes)
{
    for (int i = 0; i < v->axes; i++) {
        number_append(text, bytes, "%s%s", i > 0 ? ", " : "", v->axis[i].name);
    }
}

static void put_field(table *t, const view *v, const statistics *s, char tail[TAIL_BYTES])
{
    const weft_field_info *f = v->info;
    char name[WEFT_NAME_BYTES];
    (void)snprintf(name, sizeof name, "%s", f->name);
    terminal_clean(name);
    (void)snprintf(tail, TAIL_BYTES, "%s  (", strcmp(f->units, "1") == 0 ? "-" : f->units);
    list_axes(v, tail, TAIL_BYTES);
    number_append(tail, TAIL_BYTES, ")");
    terminal_clean(tail);
    table_begin_row(t, tail);
    table_put(t, "%s", name);
    table_put(t, "%s", weft_type_name(f->type));
    table_put(t, "%" PRId64, s->values);
    table_put(t, "%" PRId64, s->missing);
    put_number(t, s->values > 0 ? s->low : (double)NAN);
    for (int i = 0; i < STATISTICS_QUANTILES; i++) {
        const double quantile = is_integer(f->type) ? round(s->quantile[i]) : s->quantile[i];
        put_number(t, s->values > 0 ? quantile : (double)NAN);
    }
    put_number(t, s->values > 0 ? s->high : (double)NAN);
    put_number(t, s->mean);
    put_number(t, s->deviation);
}

static weft_status print_fields(weft_result *result, const wish *w)
{
    static char tails[WEFT_MAX_FIELDS][TAIL_BYTES];
    static const char *const titles[] = {"field", "type", "values",   "none", "least",
                                         "5 %",   "25 %", "median",   "75 %", "95 %",
                                         "most",  "mean", "deviation"};
    const int fields = weft_result_describe(result)->fields;
    weft_status status = WEFT_OK;
    bool nearly = false;
    table t = {.align = "llrrrrrrrrrrr"};
    table_begin_row(&t, "unit (dimensions)");
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        table_put(&t, "%s", titles[i]);
    }
    for (int i = 0; i < fields && status == WEFT_OK; i++) {
        view v;
        statistics s;
        if (w->field >= 0 && i != w->field) {
            continue;
        }
        status = view_open(result, i, &v);
        if (status == WEFT_OK) {
            status = statistics_collect(&v, &s);
        }
        if (status == WEFT_OK) {
            put_field(&t, &v, &s, tails[i]);
            nearly = nearly || s.nearly;
        }
        view_close(&v);
    }
    if (status == WEFT_OK && fields > 0) {
        (void)printf("\n");
        table_print(&t);
        if (nearly) {
            (void)printf("quantiles are right to 0.1 %%: there are too many values to keep all\n");
        }
    }
    return status;
}

static weft_status print_dimensions(weft_result *result)
{
    static char units[WEFT_MAX_DIMS][256];
    const int ndims = weft_result_describe(result)->ndims;
    weft_status status = WEFT_OK;
    bool any = false;
    table t = {.align = "lrrr"};
    table_begin_row(&t, "unit");
    table_put(&t, "dimension");
    table_put(&t, "items");
    table_put(&t, "first");
    table_put(&t, "last");
    for (int i = 0; i < ndims && status == WEFT_OK; i++) {
        weft_dimension_info about;
        double ends[2] = {(double)NAN, (double)NAN};
        status = weft_result_get_dimension(result, i, &about);
        if (status == WEFT_OK && about.coordinates && about.count > 0) {
            status = weft_result_read_coordinates(result, i, 0, 1, &ends[0]);
        }
        if (status == WEFT_OK && about.coordinates && about.count > 0) {
            status = weft_result_read_coordinates(result, i, about.count - 1, 1, &ends[1]);
        }
        if (status == WEFT_OK && about.name[0] != '\0') {
            any = true;
            terminal_clean(about.name);
            (void)snprintf(units[i], sizeof units[i], "%s",
                           strcmp(about.units, "1") == 0 ? "-" : about.units);
            terminal_clean(units[i]);
            table_begin_row(&t, units[i]);
            table_put(&t, "%s", about.name);
            table_put(&t, "%" PRId64, about.count);
            put_number(&t, ends[0]);
            put_number(&t, ends[1]);
        }
    }
    if (any && status == WEFT_OK) {
        (void)printf("\n");
        table_print(&t);
    }
    return status;
}

static weft_status print_map(weft_result *result, int map, const char *path, const wish *w)
{
    char name[WEFT_NAME_BYTES];
    weft_result_progress progress;
    weft_status status = weft_result_set_map(result, map);
    if (status == WEFT_OK) {
        status = weft_result_get_progress(result, &progress);
    }
    if (status != WEFT_OK) {
        return status;
    }
    const weft_result_info *info = weft_result_describe(result);
    (void)snprintf(name, sizeof name, "%s", info->name);
    terminal_clean(name);
    (void)printf("%s%s, map %s: %" PRId64 " items, %" PRId64 " done, %" PRId64 " failed%s\n",
                 map > w->first ? "\n" : "", path, name, info->count, progress.items_done,
                 progress.items_failed, info->fields == 0 ? "; it has no fields" : "");
    status = print_dimensions(result);
    return status == WEFT_OK ? print_fields(result, w) : status;
}

static weft_status print_statistics(weft_result *result, const char *path, const wish *w)
{
    weft_status status = WEFT_OK;
    if (w->at[0] != '\0') {
        return command_error(WEFT_ERR_USAGE, "--at is for --image; see weft show --help");
    }
    for (int i = w->first; i < w->end && status == WEFT_OK; i++) {
        status = print_map(result, i, path, w);
    }
    return status == WEFT_OK ? WEFT_OK : failed(result, status);
}

/* Which there are, where it has not been said which to draw. */
static weft_status tell_fields(weft_result *result, const wish *w)
{
    char names[LIST_BYTES];
    int count = 0;
    int map = 0;
    const weft_status status = list_fields(result, w, NULL, names, sizeof names, &count, &map);
    return status != WEFT_OK
               ? failed(result, status)
               : command_error(WEFT_ERR_USAGE, "say which field to draw, as MAP/FIELD: there %s %s",
                               count == 0 ? "is" : "are", count == 0 ? "none" : names);
}

static weft_status draw(weft_result *result, const wish *w)
{
    char error[PICTURE_ERROR_BYTES];
    const bool one = w->end == w->first + 1;
    weft_status status = one ? weft_result_set_map(result, w->first) : WEFT_OK;
    if (status != WEFT_OK) {
        return failed(result, status);
    }
    const int field =
        w->field < 0 && one && weft_result_describe(result)->fields == 1 ? 0 : w->field;
    if (field < 0) {
        return tell_fields(result, w);
    }
    if (!picture_path_usable(w->image, error)) {
        return command_error(WEFT_ERR_USAGE, "--image: %s", error);
    }
    view v;
    status = view_open(result, field, &v);
    if (status != WEFT_OK) {
        (void)failed(result, status);
    } else {
        status = view_fix(&v, w->at);
    }
    if (status == WEFT_OK) {
        status = image_write(&v, w->image);
    }
    view_close(&v);
    return status;
}

/* Several --at are as one that has them all. False: they are too long. */
static bool join_places(int *argc, char **argv, char joined[AT_BYTES])
{
    int kept = 1;
    bool ended = false;
    bool fits = true;
    joined[0] = '\0';
    for (int i = 1; i < *argc; i++) {
        const char *place = NULL;
        ended = ended || strcmp(argv[i], "--") == 0;
        if (!ended && strncmp(argv[i], "--at=", 5) == 0) {
            place = argv[i] + 5;
        } else if (!ended && strcmp(argv[i], "--at") == 0 && i + 1 < *argc) {
            place = argv[++i];
        }
        if (place == NULL) {
            argv[kept++] = argv[i];
        } else {
            fits = fits && strlen(joined) + strlen(place) + 2 < AT_BYTES;
            number_append(joined, AT_BYTES, "%s%s", joined[0] == '\0' ? "" : ",", place);
        }
    }
    argv[kept] = NULL;
    *argc = kept;
    return fits;
}

static weft_status run_show(int argc, char **argv)
{
    char at[AT_BYTES];
    const char *unused = NULL;
    wish w = {.at = at};
    const weft_option options[] = {{"image", "FILE.png", WEFT_OPTION_STRING, &w.image, ""},
                                   {"at", "NAME=VALUE", WEFT_OPTION_STRING, &unused, ""},
                                   {0}};
    command_file file;
    weft_result *result = NULL;
    if (!join_places(&argc, argv, at)) {
        return command_error(WEFT_ERR_USAGE, "what --at says is too long");
    }
    weft_status status = command_read(&show_command, options, argc, argv, &file);
    if (status != WEFT_OK) {
        return status;
    }
    status = weft_result_open(file.path, &result);
    if (status != WEFT_OK) {
        (void)failed(result, status);
    } else {
        status = choose(result, file.shown, file.part, &w);
    }
    if (status == WEFT_OK) {
        status = w.image == NULL ? print_statistics(result, file.shown, &w) : draw(result, &w);
    }
    weft_result_close(result);
    return status;
}

const command show_command = {
    .name = "show",
    .summary = "what is in a result: a table of statistics, or a picture",
    .takes_part = true,
    .help =
        "usage: weft show FILE [MAP|FIELD|MAP/FIELD] [--image FILE.png [--at NAME=VALUE...]]\n"
        "\n"
        "Says what the fields of a result hold: all of them, those of a map, or the one that is "
        "named, by\n"
        "itself where only one map has it. How many values there are, and elements without one "
        "(failed\n"
        "items, and NaN), the least, the largest, quantiles, mean and standard deviation. The "
        "file need\n"
        "not be complete; nothing is written or locked.\n"
        "\n"
        "options\n"
        "  --image FILE.png  draw the field instead, over its one or two dimensions: their "
        "names,\n"
        "                    units and coordinates are at the axes. What is not done is grey, "
        "what has\n"
        "                    no value is pink\n"
        "  --at NAME=VALUE   of a field of more dimensions: where to look along dimension "
        "NAME: at the\n"
        "                    nearest coordinate, or at an index where it has none. May be given "
        "several\n"
        "                    times, or as a list with commas\n"
        "  --help            this text\n"
        "\n"
        "Dimensions that have no name are dim_0, dim_1 ..., and those of a field's own\n"
        "FIELD_dim_0 ..., as in the file. Of very many values in a picture their mean is "
        "shown.\n"
        "\n"
        "Exit status: 0 if all is well; 1 if the file is damaged or cannot be read, or the "
        "picture not\n"
        "written; 2 if there is no such field, or the file is not a result of weft.\n",
    .run = run_show,
};
