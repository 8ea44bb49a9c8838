/* SPDX-License-Identifier: BSD-3-Clause */
/* A field, or what is left of it at the places of --at, as a picture. */
#ifndef CLI_IMAGE_H
#define CLI_IMAGE_H

#include "view.h"

/* Draws it to a file. What is wrong with the view or the picture it says itself. */
weft_status image_write(view *v, const char *path);

#endif
