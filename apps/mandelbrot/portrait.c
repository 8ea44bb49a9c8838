/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns how counts of steps become colours. */
#include "portrait.h"

#include "draw/picture.h"

#include <math.h>
#include <stdlib.h>

/* Bands get wider with the logarithm of the count, so that neither the smooth surroundings nor the
 * fine filaments near the set drown. */
static colour colour_of(uint32_t steps, int64_t max_iter)
{
    const colour inside = {0.01, 0.01, 0.03};
    if (steps >= max_iter) {
        return inside;
    }
    double turns = 0.14 * log2(fmax((double)steps, 1));
    return ramp_colour(RAMP_FRACTAL, turns - floor(turns));
}

static weft_status paint(weft_result *result, const plane *view, uint32_t *steps, picture *image)
{
    int field = weft_result_find_field(result, "iterations");
    for (int y = 0; y < image->height; y++) {
        weft_status status = weft_result_read(result, field, y * view->width, view->width, steps);
        if (status != WEFT_OK) {
            return status;
        }
        for (int x = 0; x < image->width; x++) {
            picture_set(image, x, y, colour_of(steps[x], view->max_iter));
        }
    }
    return WEFT_OK;
}

weft_status portrait_render(weft_session *session, const char *result_path, const plane *view,
                            const char *image_path)
{
    weft_result *result = NULL;
    char error[PICTURE_ERROR_BYTES];
    uint32_t *steps = malloc((size_t)view->width * sizeof *steps);
    picture *image = picture_create((int)view->width, (int)view->height, COLOUR(0));
    weft_status status = steps != NULL && image != NULL ? WEFT_OK : WEFT_ERR_MEMORY;
    if (status != WEFT_OK) {
        weft_error(session, status, "no memory for a picture of %d × %d points", (int)view->width,
                   (int)view->height);
        goto done;
    }
    status = weft_result_open(result_path, &result);
    if (status == WEFT_OK) {
        status = paint(result, view, steps, image);
    }
    if (status != WEFT_OK) {
        weft_error(session, status, "%s", weft_result_error_text(result));
        goto done;
    }
    if (!picture_write_png(image, image_path, error)) {
        status = weft_error(session, WEFT_ERR_SYSTEM, "%s", error);
    }
done:
    weft_result_close(result);
    picture_destroy(image);
    free(steps);
    return status;
}
