/* SPDX-License-Identifier: BSD-3-Clause */
/* A field as an array: its axes, which are the map's dimensions and its own, and its values, one by
 * one, as numbers. */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/result.h>

enum { VIEW_AXES = 2 * WEFT_MAX_DIMS, VIEW_NAME_BYTES = WEFT_NAME_BYTES + 16 };

/* All text in it has been through terminal_clean(). */
typedef struct view_axis {
    char name[VIEW_NAME_BYTES]; /* "dim_0" where nobody has named it, as in the file */
    char units[256];            /* "" where it has no name */
    int64_t count;
    int64_t stride; /* in elements */
    int dimension;  /* the map's; -1: the field's own */
    bool coordinates;
    bool fixed;   /* --at says where … */
    int64_t at;   /* … which is this item along it … */
    double place; /* … with this coordinate, or index */
} view_axis;

typedef enum view_state { VIEW_VALUE, VIEW_FAILED, VIEW_UNDONE } view_state;

typedef struct view {
    weft_result *result;
    int field;
    const weft_field_info *info;
    weft_result_progress progress;
    int axes;
    view_axis axis[VIEW_AXES];
    int64_t item_elements;
    int64_t
        *failed; /* the items that have failed, in order; NULL: the file does not list them all */
    /* The items that are in memory, and those of which is known whether they are done: */
    unsigned char *buffer;
    int64_t first;
    int64_t end;
    int64_t known_first;
    int64_t known_end;
    bool known_done;
} view;

/* What goes wrong with reading is in the result's error; view_close() in every case. */
weft_status view_open(weft_result *result, int field, view *v);

void view_close(view *v);

/* Fixes axes, by "NAME=VALUE,…", at the coordinates that are nearest, or at indices. Says itself
 * what is wrong. */
weft_status view_fix(view *v, const char *at);

/* The axes that are left; at most `most` are listed. */
int view_left(const view *v, int most, int axes[]);

/* The first of the elements at the fixed places. */
int64_t view_origin(const view *v);

/* One element. `step` is how far the next one will be, in elements. */
weft_status view_read(view *v, int64_t element, int64_t step, view_state *state, double *value);

#endif
