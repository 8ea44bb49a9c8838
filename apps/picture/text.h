/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Short labels in a picture, in a small font of points: lower-case letters, digits and the signs
 * that numbers and names need. Anything else is drawn as a box.
 */
#ifndef PICTURE_TEXT_H
#define PICTURE_TEXT_H

#include "picture.h"

/** How high a line is, in points of the font, with what hangs below the letters. */
#define TEXT_HEIGHT 8

/** How wide a text is in pixels, its points being size × size pixels. */
int text_width(const char *text, int size);

/** Draws a text with its upper left corner at (x, y); what lies outside the picture is cut off. */
void text_draw(picture *image, int x, int y, int size, const char *text, colour value);

#endif
