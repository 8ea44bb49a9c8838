/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests pictures: what is drawn comes back from the file, and colours lie on their ramps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "draw/picture.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_round_trip(void **state)
{
    (void)state;
    char error[PICTURE_ERROR_BYTES] = "";
    char path[] = "/tmp/weft-picture-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);

    picture *image = picture_create(37, 11, COLOUR(0));
    assert_non_null(image);
    for (int y = 0; y < 11; ++y)
        for (int x = 0; x < 37; ++x) {
            picture_set(image, x, y, (colour){x / 255.0, y / 255.0, (x * y % 256) / 255.0});
        }
    assert_true(picture_write_png(image, path, error));

    png_image png = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&png, path));
    assert_int_equal(png.width, 37);
    assert_int_equal(png.height, 11);
    assert_int_equal(png.format, PNG_FORMAT_RGB);
    uint8_t back[37 * 11 * 3];
    assert_true(png_image_finish_read(&png, NULL, back, 0, NULL));
    for (int y = 0; y < 11; ++y) {
        for (int x = 0; x < 37; ++x) {
            const uint8_t *p = &back[3 * (y * 37 + x)];
            assert_int_equal(p[0], x);
            assert_int_equal(p[1], y);
            assert_int_equal(p[2], x * y % 256);
        }
    }
    picture_destroy(image);
    unlink(path);
}

static void test_errors(void **state)
{
    (void)state;
    char error[PICTURE_ERROR_BYTES] = "";
    picture *image = picture_create(2, 2, COLOUR(0));
    assert_false(picture_write_png(image, "missing-folder/world.png", error));
    assert_non_null(strstr(error, "missing-folder/world.png"));
    error[0] = '\0';
    assert_false(picture_path_usable("missing-folder/world.png", error));
    assert_non_null(strstr(error, "missing-folder/world.png"));
    assert_false(picture_path_usable("/tmp", error));
    assert_non_null(strstr(error, "no file"));
    assert_false(picture_path_usable("/dev/full", error));
    assert_false(picture_path_usable("", error));
    assert_true(picture_path_usable("/tmp/weft-no-such-picture.png", error));
    assert_null(picture_create(0, 5, COLOUR(0)));
    assert_null(picture_create(5, -1, COLOUR(0)));
    assert_null(picture_create(PICTURE_MAX_SIDE + 1, 1, COLOUR(0)));
    picture_destroy(image);
    picture_destroy(NULL);
}

static void test_dots_are_cut_off_at_the_edge(void **state)
{
    (void)state;
    const colour red = {1, 0, 0}, white = {1, 1, 1};
    picture *image = picture_create(40, 30, COLOUR(0));
    picture_draw_mark(image, 20.5, 15.5, 5, red, white);
    picture_draw_mark(image, 0, 0, 5, red, white);
    picture_draw_mark(image, 40, 30, 5, red, white);
    const uint8_t *middle = &image->rgb[3 * (15 * 40 + 20)];
    const uint8_t *ring = &image->rgb[3 * (15 * 40 + 26)];
    const uint8_t *outside = &image->rgb[3 * (15 * 40 + 33)];
    assert_true(middle[0] == 255 && middle[1] == 0 && middle[2] == 0);
    assert_true(ring[0] == 255 && ring[1] == 255 && ring[2] == 255);
    assert_true(outside[0] == 0 && outside[1] == 0 && outside[2] == 0);
    assert_true(image->rgb[0] == 255 && image->rgb[1] == 0);
    picture_destroy(image);
}

/* A line is as wide as asked for, round at its ends, and half as dark where it ends within a pixel.
 */
static void test_lines(void **state)
{
    (void)state;
    picture *image = picture_create(40, 20, COLOUR(0xffffff));
    picture_draw_line(image, 10, 10, 30, 10, 3, COLOUR(0x1f62b0));
    picture_draw_line(image, -50, 10, -10, 10, 3, COLOUR(0));
    for (int y = 0; y < 20; ++y) {
        const uint8_t *p = &image->rgb[3 * (y * 40 + 20)];
        const bool inside = y == 9 || y == 10, edge = y == 8 || y == 11;
        assert_int_equal(p[0], inside ? 0x1f : edge ? 0x8f : 0xff);
        assert_int_equal(p[2], inside ? 0xb0 : edge ? 0xd8 : 0xff);
    }
    assert_int_equal(image->rgb[3 * (10 * 40 + 9)], 0x1f);
    assert_int_equal(image->rgb[3 * (10 * 40 + 7)], 0xff);
    assert_int_equal(image->rgb[3 * (10 * 40 + 32)], 0xff);
    picture_destroy(image);
}

static double luminance(colour c)
{
    return 0.3 * c.red + 0.6 * c.green + 0.1 * c.blue;
}

static void test_ramps_get_darker(void **state)
{
    (void)state;
    const ramp both[] = {RAMP_SEA, RAMP_LAND};
    for (int r = 0; r < 2; ++r) {
        for (int i = 1; i <= 1000; ++i) {
            double before = luminance(ramp_colour(both[r], (i - 1) / 1000.0));
            double after = luminance(ramp_colour(both[r], i / 1000.0));
            assert_true(after < before);
            assert_true(before - after < 0.01);
        }
        colour end = ramp_colour(both[r], 1), beyond = ramp_colour(both[r], 7);
        assert_memory_equal(&end, &beyond, sizeof end);
        colour start = ramp_colour(both[r], 0), before = ramp_colour(both[r], -1);
        assert_memory_equal(&start, &before, sizeof start);
    }
    colour first = ramp_colour(RAMP_FRACTAL, 0), last = ramp_colour(RAMP_FRACTAL, 1);
    assert_memory_equal(&first, &last, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_dots_are_cut_off_at_the_edge),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_ramps_get_darker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
