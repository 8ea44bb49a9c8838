/* SPDX-License-Identifier: BSD-3-Clause */
/* coast: how far every place on earth is from the ocean's shoreline. */
#include "axis.h"
#include "bands.h"
#include "chart.h"
#include "coast.h"
#include "gshhg.h"
#include "margin.h"
#include "survey.h"

#include <math.h>
#include <weft/weft.h>

/* A finer grid would not fit on any disk. */
#define MIN_STEP 0.001

typedef struct request {
    const char *resolution;
    double step;
    const char *folder;
    const char *image;
} request;

typedef struct job {
    int64_t rows;
    gshhg *data;
    coast *shore;
    weft_map *map;
    weft_map *bands;
} job;

static int kernel(const weft_span *span, void *context)
{
    coast_cells(context, weft_span_first(span), weft_span_count(span), weft_span_result(span, 0),
                weft_span_result(span, 1), weft_span_result(span, 2));
    return 0;
}

static weft_status check(weft_session *session, const request *wish, int64_t *rows)
{
    if (!(wish->step >= MIN_STEP && wish->step <= 180)) {
        return weft_error(session, WEFT_ERR_USAGE, "--step must be %g to 180 degrees, not %g",
                          MIN_STEP, wish->step);
    }
    double count = round(180 / wish->step);
    if (fabs(count * wish->step - 180) > 1e-6) {
        return weft_error(session, WEFT_ERR_USAGE,
                          "--step %.17g does not divide 180 degrees into whole rows; %.10g does",
                          wish->step, 180 / count);
    }
    *rows = (int64_t)count;
    char error[PICTURE_ERROR_BYTES];
    weft_status status = WEFT_OK;
    if (wish->image != NULL && weft_session_rank(session) == 0 &&
        !picture_path_usable(wish->image, error)) {
        status = weft_error(session, WEFT_ERR_USAGE, "%s", error);
    }
    return weft_agree(session, status);
}

/* Every rank reads the shorelines by itself. */
static weft_status prepare(weft_session *session, const request *wish, job *work)
{
    char error[GSHHG_ERROR_BYTES];
    weft_status status = gshhg_read(wish->folder, wish->resolution, &work->data, error);
    if (status != WEFT_OK) {
        weft_error(session, status, "%s", error);
    } else {
        status = coast_create(work->data, work->rows, &work->shore);
        if (status == WEFT_ERR_MEMORY) {
            weft_error(session, status, "out of memory for the shorelines");
        } else if (status != WEFT_OK) {
            weft_error(session, status, "%s/binned_GSHHS_%s.nc: there is no shoreline in it",
                       wish->folder, wish->resolution);
        }
    }
    return weft_agree(session, status);
}

/* The middles of the cells. */
static double longitude(const void *shore, int64_t column)
{
    return coast_lon(shore, column);
}

static double latitude(const void *shore, int64_t row)
{
    return coast_lat(shore, row);
}

static weft_status describe(weft_session *session, const request *wish, const job *work,
                            weft_map **map)
{
    const int64_t shape[] = {work->rows, 2 * work->rows}, pair = 2;
    const uint8_t neither = 255;
    weft_map_create(session, "coast", 2, shape, map);
    weft_status status =
        axis_set(session, *map, 0, "lat", "degrees_north", work->rows, latitude, work->shore);
    if (status == WEFT_OK) {
        status = axis_set(session, *map, 1, "lon", "degrees_east", 2 * work->rows, longitude,
                          work->shore);
    }
    weft_map_add_field(*map, "distance", WEFT_FLOAT64, 0, NULL, "km",
                       "geodesic distance to the ocean's shoreline");
    weft_map_add_field(*map, "nearest", WEFT_FLOAT64, 1, &pair, "degrees",
                       "longitude and latitude of the nearest point of the shoreline");
    weft_map_add_field(*map, "land", WEFT_UINT8, 0, NULL, "1",
                       "1 inside the ocean's shoreline, else 0");
    weft_map_set_fill(*map, "land", &neither);
    weft_map_add_string(*map, "resolution", wish->resolution);
    weft_map_add_double(*map, "step", wish->step);
    weft_map_add_string(*map, "gshhg-version", work->data->version);
    weft_map_add_int64(*map, "gshhg-points", work->data->point_count);
    return status;
}

/* Without what is beside it, the map alone. */
static picture *draw_all(const chart *map, const job *work, const chart_mark marks[], int count,
                         const bands *beside)
{
    picture *image = chart_draw(map, work->data, marks, count);
    if (image != NULL && beside != NULL) {
        picture *larger = margin_draw(image, beside);
        picture_destroy(image);
        image = larger;
    }
    return image;
}

static weft_status draw(weft_session *session, const request *wish, const job *work,
                        const chart *map, const survey *found, const bands *beside)
{
    char error[PICTURE_ERROR_BYTES];
    chart_mark marks[2];
    int count = 0;
    if (found->sea.found) {
        marks[count++] = (chart_mark){found->sea.lon, found->sea.lat};
    }
    if (found->land.found) {
        marks[count++] = (chart_mark){found->land.lon, found->land.lat};
    }
    weft_status status = WEFT_OK;
    picture *image = draw_all(map, work, marks, count, beside);
    if (image == NULL) {
        status = weft_error(session, WEFT_ERR_MEMORY, "out of memory for the picture");
    } else if (!picture_write_png(image, wish->image, error)) {
        status = weft_error(session, WEFT_ERR_SYSTEM, "%s", error);
    }
    picture_destroy(image);
    return status;
}

static weft_status report(weft_session *session, const request *wish, const job *work,
                          bool complete)
{
    chart map = {0};
    survey found;
    bands beside;
    weft_status status = WEFT_OK;
    if (wish->image != NULL && chart_alloc(&map, work->rows) != WEFT_OK) {
        status = weft_error(session, WEFT_ERR_MEMORY, "out of memory for the picture");
    }
    if (status == WEFT_OK) {
        status = survey_read(session, weft_map_path(work->map), work->shore,
                             wish->image != NULL ? &map : NULL, &found);
    }
    if (status == WEFT_OK) {
        survey_print(work->shore, &found);
        status = complete ? bands_read(work->bands, work->rows, &beside) : WEFT_OK;
    }
    if (status == WEFT_OK && complete) {
        bands_print(&beside);
    }
    if (status == WEFT_OK && wish->image != NULL) {
        status = draw(session, wish, work, &map, &found, complete ? &beside : NULL);
    }
    chart_free(&map);
    return status;
}

static weft_status run(weft_session *session, const request *wish)
{
    job work = {0};
    weft_status reported = WEFT_OK;
    weft_status status = check(session, wish, &work.rows);
    if (status == WEFT_OK) {
        status = prepare(session, wish, &work);
    }
    if (status == WEFT_OK) {
        status = describe(session, wish, &work, &work.map);
    }
    if (status == WEFT_OK) {
        bands_describe(session, work.rows, &work.bands);
        status = weft_map_run(work.map, kernel, work.shore);
    }
    /* Numbers about all cells wait until none has failed: retried ones would not be in them. */
    if (status == WEFT_OK) {
        status = bands_run(work.bands);
    }
    if (status == WEFT_OK || status == WEFT_ITEMS_FAILED) {
        if (weft_session_rank(session) == 0) {
            reported = report(session, wish, &work, status == WEFT_OK);
        }
        reported = weft_agree(session, reported);
    }
    coast_destroy(work.shore);
    gshhg_free(work.data);
    return reported != WEFT_OK ? reported : status;
}

int main(int argc, char **argv)
{
    request wish = {.resolution = "i", .step = 0.5, .folder = WEFT_GSHHG_DIR};
    const weft_option options[] = {
        {"resolution", "R", WEFT_OPTION_STRING, &wish.resolution,
         "shorelines: c, l, i, h or f, crude to full (i)"},
        {"step", "DEGREES", WEFT_OPTION_DOUBLE, &wish.step, "the size of a cell (0.5)"},
        {"data", "DIR", WEFT_OPTION_STRING, &wish.folder,
         "where the GSHHG files lie (" WEFT_GSHHG_DIR ")"},
        {"image", "FILE.png", WEFT_OPTION_STRING, &wish.image, "draw a map of the result as well"},
        {0},
    };
    const weft_program program = {
        .name = "coast",
        .summary = "Computes for each cell of a global grid how far it is from the ocean's "
                   "shoreline, and where that is nearest; and what that says of each latitude.",
        .default_out = "coast.h5",
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
