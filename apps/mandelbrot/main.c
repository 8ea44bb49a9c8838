/* SPDX-License-Identifier: BSD-3-Clause */
/* mandelbrot: how fast the points of the complex plane escape, the classic irregular loop. */
#include "axis.h"
#include "draw/picture.h"
#include "plane.h"
#include "portrait.h"

#include <weft/weft.h>

typedef struct request {
    plane view;
    const char *centre;
    const char *image;
} request;

static int kernel(const weft_span *span, void *context)
{
    plane_count(context, weft_span_first(span), weft_span_count(span), weft_span_result(span, 0));
    return 0;
}

static weft_status check(weft_session *session, request *wish)
{
    plane *view = &wish->view;
    if (view->width < 1 || view->height < 1) {
        return weft_error(session, WEFT_ERR_USAGE,
                          "--width and --height must be at least 1, not %lld and %lld",
                          (long long)view->width, (long long)view->height);
    }
    if (view->max_iter < 1 || view->max_iter > UINT32_MAX) {
        return weft_error(session, WEFT_ERR_USAGE, "--max-iter must be 1 to %lld, not %lld",
                          (long long)UINT32_MAX, (long long)view->max_iter);
    }
    if (!(view->span > 0)) {
        return weft_error(session, WEFT_ERR_USAGE, "--span must be more than 0, not %g",
                          view->span);
    }
    if (!plane_parse_centre(wish->centre, &view->centre_x, &view->centre_y)) {
        return weft_error(session, WEFT_ERR_USAGE,
                          "--centre takes two numbers such as -0.5,0, not \"%s\"", wish->centre);
    }
    if (wish->image == NULL) {
        return WEFT_OK;
    }
    if (view->width > PICTURE_MAX_SIDE || view->height > PICTURE_MAX_SIDE) {
        return weft_error(session, WEFT_ERR_USAGE,
                          "--image cannot be had with more than %d points a side",
                          PICTURE_MAX_SIDE);
    }
    char error[PICTURE_ERROR_BYTES];
    weft_status status = WEFT_OK;
    if (weft_session_rank(session) == 0 && !picture_path_usable(wish->image, error)) {
        status = weft_error(session, WEFT_ERR_USAGE, "%s", error);
    }
    return weft_agree(session, status);
}

/* The parts of c along the view's height and width. */
static double imaginary_part(const void *view, int64_t row)
{
    return plane_y(view, row);
}

static double real_part(const void *view, int64_t column)
{
    return plane_x(view, column);
}

static weft_status describe(weft_session *session, const plane *view, weft_map **map)
{
    const int64_t shape[] = {view->height, view->width};
    weft_map_create(session, "mandelbrot", 2, shape, map);
    weft_status status =
        axis_set(session, *map, 0, "imaginary", "1", view->height, imaginary_part, view);
    if (status == WEFT_OK) {
        status = axis_set(session, *map, 1, "real", "1", view->width, real_part, view);
    }
    weft_map_add_field(*map, "iterations", WEFT_UINT32, 0, NULL, "1",
                       "steps until the point escapes");
    weft_map_add_int64(*map, "max-iter", view->max_iter);
    weft_map_add_double(*map, "centre-x", view->centre_x);
    weft_map_add_double(*map, "centre-y", view->centre_y);
    weft_map_add_double(*map, "span", view->span);
    return status;
}

static weft_status run(weft_session *session, request *wish)
{
    weft_map *map = NULL;
    weft_status drawn = WEFT_OK;
    weft_status status = check(session, wish);
    if (status == WEFT_OK) {
        status = describe(session, &wish->view, &map);
    }
    if (status == WEFT_OK) {
        status = weft_map_run(map, kernel, &wish->view);
    }
    if (wish->image != NULL && (status == WEFT_OK || status == WEFT_ITEMS_FAILED)) {
        if (weft_session_rank(session) == 0) {
            drawn = portrait_render(session, weft_map_path(map), &wish->view, wish->image);
        }
        drawn = weft_agree(session, drawn);
    }
    return drawn != WEFT_OK ? drawn : status;
}

int main(int argc, char **argv)
{
    request wish = {
        .view = {.width = 1920, .height = 1080, .max_iter = 1000, .span = 4.2},
        .centre = "-0.5,0",
    };
    const weft_option options[] = {
        {"width", "W", WEFT_OPTION_INT64, &wish.view.width, "points from left to right (1920)"},
        {"height", "H", WEFT_OPTION_INT64, &wish.view.height, "points from top to bottom (1080)"},
        {"max-iter", "M", WEFT_OPTION_INT64, &wish.view.max_iter, "give up after M steps (1000)"},
        {"centre", "X,Y", WEFT_OPTION_STRING, &wish.centre, "the middle of the view (-0.5,0)"},
        {"span", "S", WEFT_OPTION_DOUBLE, &wish.view.span, "the width of the view (4.2)"},
        {"image", "FILE.png", WEFT_OPTION_STRING, &wish.image, "draw the result as well"},
        {0},
    };
    const weft_program program = {
        .name = "mandelbrot",
        .summary = "Counts for each point of the complex plane how fast it escapes.",
        .options = options,
        .version = WEFT_VERSION,
    };
    weft_session *session = NULL;
    weft_status status = weft_init(&argc, &argv, &program, &session);
    if (status == WEFT_OK) {
        status = run(session, &wish);
    }
    return weft_finish(session, status);
}
