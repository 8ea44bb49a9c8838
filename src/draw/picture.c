/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the pixels of a picture and the use of libpng. */
#include "draw/picture.h"

#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

picture *picture_create(int width, int height, colour ground)
{
    if (width < 1 || height < 1 || width > PICTURE_MAX_SIDE || height > PICTURE_MAX_SIDE) {
        return NULL;
    }
    picture *image = malloc(sizeof *image);
    uint8_t *rgb = calloc((size_t)width * (size_t)height, 3);
    if (image == NULL || rgb == NULL) {
        free(rgb);
        free(image);
        return NULL;
    }
    *image = (picture){.width = width, .height = height, .rgb = rgb};
    picture_fill(image, 0, 0, width, height, ground);
    return image;
}

void picture_destroy(picture *image)
{
    if (image != NULL) {
        free(image->rgb);
        free(image);
    }
}

static uint8_t *pixel(const picture *image, int x, int y)
{
    return image->rgb + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
}

static uint8_t channel(double value)
{
    return (uint8_t)lround(255 * fmin(fmax(value, 0), 1));
}

void picture_set(picture *image, int x, int y, colour value)
{
    uint8_t *p = pixel(image, x, y);
    p[0] = channel(value.red);
    p[1] = channel(value.green);
    p[2] = channel(value.blue);
}

/* Lays a colour over a pixel, opacity 0 … 1. */
static void blend(picture *image, int x, int y, colour value, double opacity)
{
    const uint8_t *p = pixel(image, x, y);
    const colour below = {p[0] / 255.0, p[1] / 255.0, p[2] / 255.0};
    picture_set(image, x, y, colour_mix(below, value, opacity));
}

void picture_fill(picture *image, int x, int y, int width, int height, colour value)
{
    const int left = x > 0 ? x : 0;
    const int top = y > 0 ? y : 0;
    const int right = x + width < image->width ? x + width : image->width;
    const int bottom = y + height < image->height ? y + height : image->height;
    for (int j = top; j < bottom; j++) {
        for (int i = left; i < right; i++) {
            picture_set(image, i, j, value);
        }
    }
}

static void draw_line(picture *image, double x0, double y0, double x1, double y1, double width,
                      colour value, double opacity)
{
    const double length = hypot(x1 - x0, y1 - y0);
    const double margin = width / 2 + 1;
    const int right = (int)fmin(image->width, ceil(fmax(x0, x1) + margin));
    const int bottom = (int)fmin(image->height, ceil(fmax(y0, y1) + margin));
    for (int y = (int)fmax(0, fmin(y0, y1) - margin); y < bottom; y++) {
        for (int x = (int)fmax(0, fmin(x0, x1) - margin); x < right; x++) {
            const double dx = x + 0.5 - x0;
            const double dy = y + 0.5 - y0;
            const double along =
                length > 0 ? (dx * (x1 - x0) + dy * (y1 - y0)) / (length * length) : 0;
            const double place = fmin(fmax(along, 0), 1);
            const double off = hypot(dx - place * (x1 - x0), dy - place * (y1 - y0));
            blend(image, x, y, value, opacity * fmin(fmax(width / 2 + 0.5 - off, 0), 1));
        }
    }
}

void picture_draw_line(picture *image, double x0, double y0, double x1, double y1, double width,
                       colour value)
{
    draw_line(image, x0, y0, x1, y1, width, value, 1);
}

void picture_draw_mark(picture *image, double x, double y, double radius, colour fill, colour ring)
{
    const double width = 0.45 * radius;
    draw_line(image, x, y, x, y, 2 * (radius + 2 * width), COLOUR(0x000000), 0.35);
    draw_line(image, x, y, x, y, 2 * (radius + width), ring, 1);
    draw_line(image, x, y, x, y, 2 * radius, fill, 1);
}

bool picture_path_usable(const char *path, char error[PICTURE_ERROR_BYTES])
{
    struct stat about;
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    char *folder = malloc(length + 2);
    if (folder == NULL) {
        (void)snprintf(error, PICTURE_ERROR_BYTES, "out of memory");
        return false;
    }
    (void)snprintf(folder, length + 2, "%.*s", length > 0 ? (int)length : 1,
                   length > 0 ? path : ".");
    const bool there = stat(path, &about) == 0;
    const char *why = NULL;
    if (path[0] == '\0') {
        why = "the name is empty";
    } else if (there && !S_ISREG(about.st_mode)) {
        why = "it is no file"; /* and if it were /dev/full, libpng would remove it */
    } else if (there ? access(path, W_OK) != 0 : access(folder, W_OK | X_OK) != 0) {
        why = strerror(errno);
    }
    free(folder);
    if (why != NULL) {
        (void)snprintf(error, PICTURE_ERROR_BYTES, "cannot write the picture \"%s\": %s", path,
                       why);
    }
    return why == NULL;
}

bool picture_write_png(const picture *image, const char *path, char error[PICTURE_ERROR_BYTES])
{
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = PNG_FORMAT_RGB};
    if (png_image_write_to_file(&png, path, 0, image->rgb, 0, NULL) != 0) {
        return true;
    }
    (void)snprintf(error, PICTURE_ERROR_BYTES, "cannot write the picture %s: %s", path,
                   png.message);
    png_image_free(&png);
    return false;
}
