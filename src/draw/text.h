/* SPDX-License-Identifier: BSD-3-Clause */
/* Short labels in a picture, in UTF-8 and a small font of points: letters, digits, and the signs
 * that numbers, names and units need. Anything else is drawn as a box. */
#ifndef DRAW_TEXT_H
#define DRAW_TEXT_H

#include "draw/picture.h"

/* How high a line is, in points of the font, with what hangs below the letters. */
#define TEXT_HEIGHT 8

/* How wide a text is in pixels, its points being size × size pixels. */
int text_width(const char *text, int size);

/* Draws a text with its upper left corner at (x, y). */
void text_draw(picture *image, double x, double y, int size, const char *text, colour value);

#endif
