/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests text in pictures: every sign can be told from the others, and nothing is drawn elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "draw/text.h"

#include <string.h>

enum { SIDE = 40 };

static const colour white = {1, 1, 1};

static bool is_set(const picture *image, int x, int y)
{
    return image->rgb[3 * (y * image->width + x)] != 0;
}

static int count_set(const picture *image)
{
    int count = 0;
    for (int y = 0; y < image->height; ++y)
        for (int x = 0; x < image->width; ++x) {
            count += is_set(image, x, y);
        }
    return count;
}

static picture *drawn(double x, double y, int size, const char *text)
{
    picture *image = picture_create(SIDE, SIDE, COLOUR(0));
    assert_non_null(image);
    text_draw(image, x, y, size, text, white);
    return image;
}

static void test_signs_differ(void **state)
{
    (void)state;
    static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789.,-+/:*%()=<> _~[]'\"^?!;#&|";
    for (size_t i = 0; i < sizeof signs - 1; ++i) {
        for (size_t j = 0; j < i; ++j) {
            picture *one = drawn(0, 0, 1, (char[]){signs[i], '\0'});
            picture *other = drawn(0, 0, 1, (char[]){signs[j], '\0'});
            assert_memory_not_equal(one->rgb, other->rgb, 3 * SIDE * SIDE);
            picture_destroy(one);
            picture_destroy(other);
        }
    }
}

/* Those of units are signs, others one box each, whatever bytes there are. */
static void test_utf8(void **state)
{
    (void)state;
    assert_int_equal(text_width("µm", 1), text_width("xx", 1));
    assert_int_equal(text_width("W/m²", 1), text_width("W/m2", 1));
    assert_int_equal(text_width("界", 1), text_width("x", 1));
    picture *micro = drawn(0, 0, 1, "µ"), *mu = drawn(0, 0, 1, "μ"), *box = drawn(0, 0, 1, "~");
    picture *other = drawn(0, 0, 1, "界"), *broken = drawn(0, 0, 1, "\xff");
    assert_memory_equal(micro->rgb, mu->rgb, 3 * SIDE * SIDE);
    assert_memory_not_equal(micro->rgb, box->rgb, 3 * SIDE * SIDE);
    assert_memory_equal(other->rgb, box->rgb, 3 * SIDE * SIDE);
    assert_memory_equal(broken->rgb, box->rgb, 3 * SIDE * SIDE);
    picture_destroy(micro);
    picture_destroy(mu);
    picture_destroy(box);
    picture_destroy(other);
    picture_destroy(broken);
}

static void test_a_sign_is_where_it_should_be(void **state)
{
    (void)state;
    /* The top of a 7 is a bar, and nothing lies below its left end. */
    picture *image = drawn(3, 4, 2, " 7");
    const int left = 3 + 6 * 2;
    for (int x = left; x < left + 10; ++x) {
        assert_true(is_set(image, x, 4) && is_set(image, x, 5));
    }
    assert_false(is_set(image, left - 1, 4) || is_set(image, left + 10, 4));
    assert_false(is_set(image, left, 6) || is_set(image, left, 3));
    picture_destroy(image);
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(text_width("", 3), 0);
    assert_int_equal(text_width("x", 3), 15);
    assert_int_equal(text_width("0.5", 1), 17);
    /* A box fills all of its width. */
    picture *image = drawn(0, 0, 2, "~");
    assert_true(is_set(image, text_width("~", 2) - 1, 0));
    assert_false(is_set(image, text_width("~", 2), 0));
    picture_destroy(image);
}

static void test_size_and_edges(void **state)
{
    (void)state;
    picture *small = drawn(2, 2, 1, "e"), *large = drawn(2, 2, 3, "e");
    assert_int_equal(count_set(large), 9 * count_set(small));
    picture *cut = drawn(SIDE - 2, SIDE - 3, 1, "~"), *outside = drawn(SIDE, -20, 2, "~~");
    assert_int_equal(count_set(cut), 2 + 1 + 1);
    assert_int_equal(count_set(outside), 0);
    picture *left = drawn(-3, 0, 1, "~");
    assert_int_equal(count_set(left), 2 + 5 + 2);
    picture_destroy(small);
    picture_destroy(large);
    picture_destroy(cut);
    picture_destroy(outside);
    picture_destroy(left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs_differ),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_a_sign_is_where_it_should_be),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_size_and_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
