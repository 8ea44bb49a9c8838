/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the random streams: NumPy's numbers, and the distributions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>
#include <weft/random.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* From NumPy 1.24: numpy.random.Philox(key=[seed, stream], counter=[0, item, 0, 0]). The six
 * numbers of each row reach into the second block. */
static const struct {
    uint64_t place[3]; /* seed, stream, item */
    uint64_t numbers[6];
} golden[] = {
    {{0, 0, 0},
     {UINT64_C(0x02f4ba6408e4d89b), UINT64_C(0x3dd62b0b9ca8c5b2), UINT64_C(0x1c8667a55d902e79),
      UINT64_C(0x907d7a052fd5b4dc), UINT64_C(0x809bf322883987c3), UINT64_C(0x471128b9e807f7dd)}},
    {{1, 0, 0},
     {UINT64_C(0x4db6a27b756282df), UINT64_C(0xd944fa03babe0e2f), UINT64_C(0x27f872e577060d32),
      UINT64_C(0x07f697696a0482a2), UINT64_C(0xe677fe4bbd0452ec), UINT64_C(0x0d543dba56d1e799)}},
    {{0, 1, 0},
     {UINT64_C(0xd037f8c3f9a1d176), UINT64_C(0xc057419b4c210765), UINT64_C(0xabf13115117b0065),
      UINT64_C(0x7bae035dea6ea5c0), UINT64_C(0xb487ac82e7ddd46f), UINT64_C(0x45e81edba7c59426)}},
    {{0, 0, 1},
     {UINT64_C(0x363c6d54f81ba26e), UINT64_C(0x372e02c93de0b01e), UINT64_C(0xc182a0e88e99b6d5),
      UINT64_C(0x8893b0f0fb6673dc), UINT64_C(0xc8e4daf33eaa9aee), UINT64_C(0x737aadb0ed919412)}},
    {{42, 7, UINT64_C(0xffffffff)},
     {UINT64_C(0x6100e2157d2cf3b6), UINT64_C(0xc91a0a4031722524), UINT64_C(0x9ef209529806e08a),
      UINT64_C(0xb97b69fa0ee447d6), UINT64_C(0xeb5dee84cae42e8f), UINT64_C(0xc500136ece364f56)}},
    {{42, 7, UINT64_C(0x100000000)},
     {UINT64_C(0xaccedadbc3ad2840), UINT64_C(0x36250d2f75364bc4), UINT64_C(0x986102eebaecdce1),
      UINT64_C(0x33b92c4146efb7d8), UINT64_C(0x07ec856b22b66417), UINT64_C(0x11bcd0f37a570665)}},
    {{42, 7, UINT64_C(0x100000005)},
     {UINT64_C(0x8926c675f0503e2d), UINT64_C(0x7cf3d2db50f9af56), UINT64_C(0xc7cf5a891254b8ad),
      UINT64_C(0x7aa333afa310e214), UINT64_C(0x3a791b337c768dcd), UINT64_C(0xcb462818d6768090)}},
    {{20240229, 3, UINT64_C(0x10000003039)},
     {UINT64_C(0x67762f7d1fdbc1ef), UINT64_C(0x8cbbec38169cb071), UINT64_C(0xafdac75bfa061700),
      UINT64_C(0x31d9ea42b0bab356), UINT64_C(0xd0f989823487988a), UINT64_C(0xb83978f4f6f590c6)}},
    {{7, 0, UINT64_C(0x7fffffffffffffff)},
     {UINT64_C(0xc58a200c6182c3b3), UINT64_C(0x72fc4aaecd08da6c), UINT64_C(0x0f830657d83ebfc3),
      UINT64_C(0x91ae1e02cf91aba3), UINT64_C(0x65829c85f70b9853), UINT64_C(0x98919f540ea7c3f1)}},
    {{UINT64_MAX, UINT64_MAX, UINT64_MAX},
     {UINT64_C(0xa6de787e99b6661d), UINT64_C(0x475ec681ed69d93f), UINT64_C(0x0e82a8490a55bc99),
      UINT64_C(0x1dae27593ac2a6a7), UINT64_C(0x3d008311fd240d08), UINT64_C(0x8493b77137195bd4)}},
};

/* The stream of most of the tests below; its item lies beyond 2³². */
static weft_random sample_stream(void)
{
    weft_random random;
    weft_random_init(&random, 42, 7, UINT64_C(0x100000005));
    return random;
}

static void test_numbers_are_numpys(void **state)
{
    (void)state;
    for (int g = 0; g < LENGTH(golden); g++) {
        weft_random random;
        weft_random_init(&random, golden[g].place[0], golden[g].place[1], golden[g].place[2]);
        for (int i = 0; i < LENGTH(golden[g].numbers); i++) {
            assert_int_equal(weft_random_u64(&random), golden[g].numbers[i]);
        }
    }
}

/* random_raw(10001): all of the first 10,000 in one word, and the last. */
static void test_a_long_stream_is_numpys(void **state)
{
    (void)state;
    weft_random random = sample_stream();
    uint64_t all = 0;
    for (int i = 0; i < 10000; i++) {
        all ^= weft_random_u64(&random);
    }
    assert_int_equal(all, UINT64_C(0x0a1c335513434d72));
    assert_int_equal(weft_random_u64(&random), UINT64_C(0xae162d31d81ad7fd));
}

/* Philox(key=[42, 7], counter=[2⁶⁴ - 2, 9, 0, 0]).random_raw(9), and with all bits of the counter
 * set: block 0 follows. */
static void test_the_counter_carries_as_numpys(void **state)
{
    (void)state;
    static const uint64_t over_one_word[] = {
        UINT64_C(0xb3a6a1d4cbd4ff97), UINT64_C(0x3730f882b1467a0a), UINT64_C(0x1d512695f713241b),
        UINT64_C(0xe2a410dd9b42ddcd), UINT64_C(0x3256a7aa9f282d5f), UINT64_C(0xcdaeee843a03050c),
        UINT64_C(0x4310f9ea61fc0997), UINT64_C(0xf542f4fb23577237), UINT64_C(0xb36f2cfc92078d95)};
    static const uint64_t over_all_words[] = {
        UINT64_C(0x2fd1bc0d2c8697bb), UINT64_C(0x8ee17f67a549bba6), UINT64_C(0x1bdce1f847e7df47),
        UINT64_C(0xe123b6bbe4e89f03), UINT64_C(0xa64064f34e84b9a3)};
    weft_random random;
    weft_random_init(&random, 42, 7, 9);
    random.counter[0] = UINT64_MAX - 1;
    for (int i = 0; i < LENGTH(over_one_word); i++) {
        assert_int_equal(weft_random_u64(&random), over_one_word[i]);
    }
    weft_random_init(&random, 42, 7, 9);
    memset(random.counter, 0xff, sizeof random.counter);
    for (int i = 0; i < LENGTH(over_all_words); i++) {
        assert_int_equal(weft_random_u64(&random), over_all_words[i]);
    }
}

/* Generator(...).random(4), bit for bit. */
static void test_doubles_are_numpys(void **state)
{
    (void)state;
    static const double want[] = {0x1.124d8cebe0a07p-1, 0x1.f3cf4b6d43e6ap-2, 0x1.8f9eb51224a97p-1,
                                  0x1.ea8ccebe8c438p-2};
    weft_random random = sample_stream();
    for (int i = 0; i < LENGTH(want); i++) {
        double value = weft_random_double(&random);
        assert_memory_equal(&value, &want[i], sizeof value);
    }
}

/* A stream whose next number is given, and random after it. */
static weft_random stream_with_next(uint64_t number)
{
    weft_random random = sample_stream();
    random.next = 3;
    random.block[3] = number;
    return random;
}

static void test_double_is_below_one(void **state)
{
    (void)state;
    weft_random random = stream_with_next(UINT64_MAX);
    assert_true(weft_random_double(&random) == 1 - 0x1p-53);
    random = stream_with_next(2047);
    assert_true(weft_random_double(&random) == 0);
}

static void test_streams_repeat(void **state)
{
    (void)state;
    weft_random a = sample_stream();
    weft_random b = sample_stream();
    for (int i = 0; i < 1001; i++) {
        assert_int_equal(weft_random_u64(&a), weft_random_u64(&b));
    }
    weft_random fork = a;
    uint64_t next = weft_random_u64(&a);
    assert_int_equal(weft_random_u64(&fork), next);
    weft_random_init(&a, 42, 7, UINT64_C(0x100000005));
    b = sample_stream();
    assert_int_equal(weft_random_u64(&a), weft_random_u64(&b));
}

static uint64_t first_number(uint64_t seed, uint64_t stream, uint64_t item)
{
    weft_random random;
    weft_random_init(&random, seed, stream, item);
    return weft_random_u64(&random);
}

static void test_seed_stream_and_item_all_count(void **state)
{
    (void)state;
    static const uint64_t words[] = {0, 1, UINT64_C(1) << 32, UINT64_C(1) << 63};
    uint64_t seen[64];
    int count = 0;
    for (int i = 0; i < 64; i++) {
        uint64_t number = first_number(words[i % 4], words[i / 4 % 4], words[i / 16]);
        for (int j = 0; j < count; j++) {
            assert_int_not_equal(number, seen[j]);
        }
        seen[count++] = number;
    }
}

/* Generator.integers(0, bound, dtype=uint64), which for bounds over 2³² is the same method on the
 * same numbers. With 3 · 2⁶² one number in four is turned away. */
static void test_below_is_numpys(void **state)
{
    (void)state;
    static const struct {
        uint64_t bound;
        uint64_t numbers[8];
    } cases[] = {
        {UINT64_C(0xc000000000000000),
         {UINT64_C(0x66dd14d8743c2ea1), UINT64_C(0x5db6de247cbb4380), UINT64_C(0x95db83e6cdbf8a81),
          UINT64_C(0x2bdad4669d58ea59), UINT64_C(0x89c11de565f9a137), UINT64_C(0x0e96788a547e1579),
          UINT64_C(0x22ce8c35a07f4778), UINT64_C(0x592274ac77e14cf6)}},
        {UINT64_C(0x8000000000000001),
         {UINT64_C(0x1d3c8d99be3b46e6), UINT64_C(0x65a3140c6b3b4048), UINT64_C(0x09b9a5b18da963a6),
          UINT64_C(0x73e4d4ef7112c404), UINT64_C(0x17345d7915aa2fa5), UINT64_C(0x570862894870d164),
          UINT64_C(0x3b6c4dc84feb88a4), UINT64_C(0x0fd650c954e76936)}},
        {UINT64_C(1000000000000),
         {UINT64_C(0x0000007cbd1065cb), UINT64_C(0x00000071a4c19255), UINT64_C(0x000000b5b9e29854),
          UINT64_C(0x0000006f89c510d3), UINT64_C(0x000000352e52a4e5), UINT64_C(0x000000b8e06d80a3),
          UINT64_C(0x000000a70c951e4e), UINT64_C(0x00000011b0a456c5)}},
    };
    for (int c = 0; c < LENGTH(cases); c++) {
        weft_random random = sample_stream();
        for (int i = 0; i < LENGTH(cases[c].numbers); i++) {
            assert_int_equal(weft_random_below(&random, cases[c].bound), cases[c].numbers[i]);
        }
    }
}

static void test_below_stays_below(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {1,         2, 3, 10, UINT64_C(1) << 32, UINT64_C(1) << 63,
                                      UINT64_MAX};
    weft_random random = sample_stream();
    assert_int_equal(weft_random_below(&random, 0), 0);
    for (int b = 0; b < LENGTH(bounds); b++) {
        for (int i = 0; i < 1000; i++) {
            assert_true(weft_random_below(&random, bounds[b]) < bounds[b]);
        }
    }
    random = stream_with_next(UINT64_MAX);
    assert_int_equal(weft_random_below(&random, 10), 9);
}

/* 2⁶⁴ = 1 mod 3: of the numbers, only 0 is one too many for the result 0. */
static void test_below_turns_the_surplus_away(void **state)
{
    (void)state;
    weft_random sample = sample_stream();
    weft_random random = stream_with_next(0);
    assert_int_equal(weft_random_below(&random, 3), weft_random_below(&sample, 3));
    random = stream_with_next(1);
    assert_int_equal(weft_random_below(&random, 3), 0);
    assert_int_equal(random.next, 4);
    random = stream_with_next(0); /* a power of two has no surplus */
    assert_int_equal(weft_random_below(&random, 4), 0);
    assert_int_equal(random.next, 4);
}

static void test_below_is_even(void **state)
{
    (void)state;
    enum { SIDES = 6, THROWS = 60000 };
    int seen[SIDES] = {0};
    weft_random random = sample_stream();
    for (int i = 0; i < THROWS; i++) {
        seen[weft_random_below(&random, SIDES)]++;
    }
    for (int i = 0; i < SIDES; i++) {
        assert_in_range(seen[i], 9600, 10400); /* 4.4 standard deviations */
    }
}

typedef double draw_fn(weft_random *random);

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* A million of them: the first ones, all of them in one word, and the number that comes next.
 * Layers at the edge of the curve and tails (256, and 456 of the exponential) are among them. */
static void compare_a_million(draw_fn *draw, const double first[4], uint64_t all, uint64_t next)
{
    weft_random random = sample_stream();
    uint64_t seen = 0;
    for (int i = 0; i < 1000000; i++) {
        const uint64_t bits = bits_of(draw(&random));
        seen ^= bits;
        if (i < 4) {
            assert_int_equal(bits, bits_of(first[i]));
        }
    }
    assert_int_equal(seen, all);
    assert_int_equal(weft_random_u64(&random), next);
}

/* Generator(...).standard_normal() and .standard_exponential(), bit for bit. */
static void test_deviates_are_numpys(void **state)
{
    (void)state;
    static const double normals[] = {0x1.14c1ec3466902p-2, -0x1.2223f92dc518ep+0,
                                     0x1.d15a9d50251a6p-2, 0x1.2520732e6fd72p-1};
    static const double exponentials[] = {0x1.8015c5d95bd87p+0, 0x1.fe4fe9c2fefe2p+0,
                                          0x1.6d2985826e117p-2, 0x1.dc76e919b8375p-2};
    compare_a_million(weft_random_normal, normals, UINT64_C(0x81e61a7d4aa42789),
                      UINT64_C(0xc1d4d6d39e2a259e));
    compare_a_million(weft_random_exponential, exponentials, UINT64_C(0x01b0ce4cd1acad54),
                      UINT64_C(0xa65ecba338b84e1f));
}

static void test_deviates_at_the_ends(void **state)
{
    (void)state;
    weft_random random = stream_with_next(0);
    const double lowest = weft_random_exponential(&random);
    assert_true(lowest == 0 && !signbit(lowest));
    random = stream_with_next(UINT64_MAX);
    assert_true(isfinite(weft_random_exponential(&random)));
    random = stream_with_next(UINT64_MAX);
    assert_true(isfinite(weft_random_normal(&random)));
    random = stream_with_next(0);
    assert_true(weft_random_normal(&random) == 0);
    /* The lowest layer's last place: in the tail. */
    random = stream_with_next(~UINT64_C(0xff));
    assert_true(weft_random_normal(&random) < -3.6541528853610088);
    random = stream_with_next(~UINT64_C(0x7ff));
    assert_true(weft_random_exponential(&random) > 7.6971174701310497);
}

enum { MOMENTS = 4, DRAWS = 100000 };

/* The mean of x, x², x³, x⁴. */
static void sample_moments(draw_fn *draw, double moments[MOMENTS])
{
    weft_random random = sample_stream();
    memset(moments, 0, MOMENTS * sizeof moments[0]);
    for (int i = 0; i < DRAWS; i++) {
        double x = draw(&random);
        double power = 1;
        for (int m = 0; m < MOMENTS; m++) {
            power *= x;
            moments[m] += power / DRAWS;
        }
    }
}

static bool is_near(double value, double want, double tolerance)
{
    return fabs(value - want) <= tolerance;
}

/* The bounds are about five standard errors. */
static void test_moments(void **state)
{
    (void)state;
    double moments[MOMENTS];
    sample_moments(weft_random_double, moments);
    assert_true(is_near(moments[0], 1.0 / 2, 0.005));
    assert_true(is_near(moments[1], 1.0 / 3, 0.005));
    sample_moments(weft_random_normal, moments);
    assert_true(is_near(moments[0], 0, 0.016));
    assert_true(is_near(moments[1], 1, 0.023));
    assert_true(is_near(moments[2], 0, 0.062));
    assert_true(is_near(moments[3], 3, 0.16));
    sample_moments(weft_random_exponential, moments);
    assert_true(is_near(moments[0], 1, 0.016));
    assert_true(is_near(moments[1], 2, 0.072));
    assert_true(is_near(moments[2], 6, 0.42));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_numpys),
        cmocka_unit_test(test_a_long_stream_is_numpys),
        cmocka_unit_test(test_the_counter_carries_as_numpys),
        cmocka_unit_test(test_doubles_are_numpys),
        cmocka_unit_test(test_double_is_below_one),
        cmocka_unit_test(test_streams_repeat),
        cmocka_unit_test(test_seed_stream_and_item_all_count),
        cmocka_unit_test(test_below_is_numpys),
        cmocka_unit_test(test_below_stays_below),
        cmocka_unit_test(test_below_turns_the_surplus_away),
        cmocka_unit_test(test_below_is_even),
        cmocka_unit_test(test_deviates_are_numpys),
        cmocka_unit_test(test_deviates_at_the_ends),
        cmocka_unit_test(test_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
