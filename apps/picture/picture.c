/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the pixels of a picture and the use of libpng. */
#include "picture.h"

#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

picture *picture_create(int width, int height)
{
    if (width < 1 || height < 1 || width > PICTURE_MAX_SIDE || height > PICTURE_MAX_SIDE)
        return NULL;
    picture *image = malloc(sizeof *image);
    if (!image)
        return NULL;
    image->width = width;
    image->height = height;
    image->rgb = calloc((size_t)width * (size_t)height, 3);
    if (!image->rgb) {
        free(image);
        return NULL;
    }
    return image;
}

void picture_destroy(picture *image)
{
    if (!image)
        return;
    free(image->rgb);
    free(image);
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

void picture_blend(picture *image, int x, int y, colour value, double opacity)
{
    if (x < 0 || y < 0 || x >= image->width || y >= image->height || !(opacity > 0))
        return;
    const uint8_t *p = pixel(image, x, y);
    colour below = {p[0] / 255.0, p[1] / 255.0, p[2] / 255.0};
    picture_set(image, x, y, colour_mix(below, value, fmin(opacity, 1)));
}

void picture_fill(picture *image, int x, int y, int width, int height, colour value)
{
    const int left = x > 0 ? x : 0, top = y > 0 ? y : 0;
    const int right = x + width < image->width ? x + width : image->width;
    const int bottom = y + height < image->height ? y + height : image->height;
    for (int j = top; j < bottom; ++j)
        for (int i = left; i < right; ++i)
            picture_set(image, i, j, value);
}

/* How much of a pixel lies inside a disc whose edge is `inside` pixels further out. */
static double coverage(double inside)
{
    return fmin(fmax(inside + 0.5, 0), 1);
}

void picture_draw_dot(picture *image, double x, double y, double radius, colour fill, colour ring)
{
    const double width = radius * 0.45;
    const colour halo = {0, 0, 0};
    int reach = (int)ceil(radius + 2 * width) + 1;
    for (int j = (int)floor(y) - reach; j <= (int)floor(y) + reach; ++j) {
        for (int i = (int)floor(x) - reach; i <= (int)floor(x) + reach; ++i) {
            double r = hypot(i + 0.5 - x, j + 0.5 - y);
            /* A thin shadow keeps the ring visible on a ground of its own colour. */
            picture_blend(image, i, j, halo, 0.35 * coverage(radius + 2 * width - r));
            picture_blend(image, i, j, ring, coverage(radius + width - r));
            picture_blend(image, i, j, fill, coverage(radius - r));
        }
    }
}

bool picture_path_usable(const char *path, char error[PICTURE_ERROR_BYTES])
{
    struct stat about;
    if (stat(path, &about) == 0) {
        if (!S_ISDIR(about.st_mode) && access(path, W_OK) == 0)
            return true;
        snprintf(error, PICTURE_ERROR_BYTES, "cannot write the picture %s: %s", path,
                 S_ISDIR(about.st_mode) ? "it is a folder" : strerror(errno));
        return false;
    }
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    char *folder = malloc(length + 2);
    if (!folder) {
        snprintf(error, PICTURE_ERROR_BYTES, "out of memory");
        return false;
    }
    if (slash)
        snprintf(folder, length + 2, "%.*s", length ? (int)length : 1, path);
    else
        snprintf(folder, length + 2, ".");
    bool usable = *path && access(folder, W_OK | X_OK) == 0;
    if (!usable)
        snprintf(error, PICTURE_ERROR_BYTES, "cannot write the picture \"%s\": %s", path,
                 *path ? strerror(errno) : "the name is empty");
    free(folder);
    return usable;
}

bool picture_write_png(const picture *image, const char *path, char error[PICTURE_ERROR_BYTES])
{
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = PNG_FORMAT_RGB};
    errno = 0;
    if (png_image_write_to_file(&png, path, 0, image->rgb, 0, NULL))
        return true;
    snprintf(error, PICTURE_ERROR_BYTES, "cannot write the picture %s: %s", path, png.message);
    png_image_free(&png);
    return false;
}
