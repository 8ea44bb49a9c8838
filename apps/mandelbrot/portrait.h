/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The picture of a finished result.
 */
#ifndef MANDELBROT_PORTRAIT_H
#define MANDELBROT_PORTRAIT_H

#include "plane.h"

#include <weft/weft.h>

/** Renders a result file as PNG; an error's text goes into the session. Called on one rank. */
weft_status portrait_render(weft_session *session, const char *result_path, const plane *view,
                            const char *image_path);

#endif
