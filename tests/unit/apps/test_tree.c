/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the search tree against looking at every piece, bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "coast/globe.h"
#include "coast/tree.h"

#include <geodesic.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A generator of the test's own, so that it can be repeated anywhere. */
static uint64_t seed;

static double uniform(double low, double high)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(seed >> 11) / 9007199254740992.0;
}

/* Chains of short pieces here and there, as shorelines are: neighbours share an end. */
static piece *random_pieces(int64_t count)
{
    piece *pieces = malloc((size_t)count * sizeof *pieces);
    double lon = 0, lat = 0;
    for (int64_t i = 0; i < count; ++i) {
        if (i % 50 == 0) {
            lon = uniform(-180, 180);
            lat = uniform(-85, 85);
        }
        globe_from_degrees(lon, lat, pieces[i].a);
        lon += uniform(-0.05, 0.05);
        lat += uniform(-0.05, 0.05);
        globe_from_degrees(lon, lat, pieces[i].b);
    }
    return pieces;
}

static void random_place(double place[3])
{
    double lon = uniform(-180, 180), lat = uniform(-90, 90);
    globe_from_degrees(lon, lat, place);
}

static int compare_hits(const void *p, const void *q)
{
    const tree_hit *first = p, *second = q;
    return (first->piece > second->piece) - (first->piece < second->piece);
}

static void sort_hits(tree_found *found)
{
    qsort(found->hits, (size_t)found->count, sizeof found->hits[0], compare_hits);
}

static int compare_squares(const void *p, const void *q)
{
    const tree_hit *first = p, *second = q;
    int order = (first->square > second->square) - (first->square < second->square);
    return order ? order : compare_hits(p, q);
}

/* What a search has to find, in the order of the pieces. */
static void search_all(const tree *t, const double place[3], tree_found *found)
{
    const int64_t count = tree_count(t);
    tree_hit *all = malloc((size_t)count * sizeof *all);
    for (int64_t i = 0; i < count; ++i) {
        all[i] = (tree_hit){tree_square(t, i, place), i};
    }
    qsort(all, (size_t)count, sizeof *all, compare_squares);
    found->count = 0;
    while (found->count < TREE_HITS && found->count < count &&
           all[found->count].square <= tree_reach(all[0].square)) {
        found->hits[found->count] = all[found->count];
        ++found->count;
    }
    free(all);
    sort_hits(found);
}

static void assert_same_hits(tree_found *found, const tree_found *expected)
{
    sort_hits(found);
    assert_int_equal(found->count, expected->count);
    for (int i = 0; i < found->count; ++i) {
        assert_int_equal(found->hits[i].piece, expected->hits[i].piece);
        assert_memory_equal(&found->hits[i].square, &expected->hits[i].square, sizeof(double));
    }
}

static void check_count(int64_t count, int queries)
{
    piece *pieces = random_pieces(count);
    tree *t = NULL;
    assert_int_equal(tree_build(pieces, count, &t), WEFT_OK);
    assert_true(tree_count(t) >= count);
    for (int i = 0; i < queries; ++i) {
        double place[3];
        tree_found found, expected;
        random_place(place);
        search_all(t, place, &expected);
        assert_true(expected.count >= 1);
        tree_search(t, place, -1, &found);
        assert_same_hits(&found, &expected);
        /* A hint, good or bad, must not show. */
        tree_search(t, place, (int64_t)uniform(0, (double)count), &found);
        assert_same_hits(&found, &expected);
        tree_search(t, place, expected.hits[0].piece, &found);
        assert_same_hits(&found, &expected);
    }
    tree_destroy(t);
    free(pieces);
}

static void test_search_finds_what_there_is(void **state)
{
    (void)state;
    seed = 1;
    const int64_t counts[] = {1, 2, 7, 8, 9, 63, 64, 65, 511, 513, 4097, 30000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i) {
        check_count(counts[i], counts[i] > 1000 ? 150 : 40);
    }
}

static void test_close_places(void **state)
{
    (void)state;
    seed = 2;
    piece *pieces = random_pieces(5000);
    tree *t = NULL;
    assert_int_equal(tree_build(pieces, 5000, &t), WEFT_OK);
    for (int i = 0; i < 300; ++i) {
        const piece *near = &pieces[(int64_t)uniform(0, 5000)];
        double place[3], share = i % 3 == 0 ? 0 : uniform(0, 1);
        for (int axis = 0; axis < 3; ++axis)
            place[axis] = near->a[axis] + share * (near->b[axis] - near->a[axis]) +
                          (i % 2 ? uniform(-200, 200) : 0);
        tree_found found, expected;
        search_all(t, place, &expected);
        tree_search(t, place, -1, &found);
        assert_same_hits(&found, &expected);
    }
    tree_destroy(t);
    free(pieces);
}

static void test_order_of_the_pieces_does_not_matter(void **state)
{
    (void)state;
    seed = 3;
    const int64_t count = 3000;
    piece *pieces = random_pieces(count), *shuffled = malloc((size_t)count * sizeof *shuffled);
    memcpy(shuffled, pieces, (size_t)count * sizeof *pieces);
    for (int64_t i = count - 1; i > 0; --i) {
        int64_t j = (int64_t)uniform(0, (double)(i + 1));
        piece kept = shuffled[i];
        shuffled[i] = shuffled[j];
        shuffled[j] = kept;
    }
    tree *one = NULL, *other = NULL;
    assert_int_equal(tree_build(pieces, count, &one), WEFT_OK);
    assert_int_equal(tree_build(shuffled, count, &other), WEFT_OK);
    for (int i = 0; i < 300; ++i) {
        double place[3];
        tree_found p, q;
        random_place(place);
        tree_search(one, place, -1, &p);
        tree_search(other, place, -1, &q);
        assert_int_equal(p.count, q.count);
        qsort(p.hits, (size_t)p.count, sizeof p.hits[0], compare_squares);
        qsort(q.hits, (size_t)q.count, sizeof q.hits[0], compare_squares);
        for (int k = 0; k < p.count; ++k) {
            assert_memory_equal(&p.hits[k].square, &q.hits[k].square, sizeof(double));
        }
    }
    tree_destroy(one);
    tree_destroy(other);
    free(pieces);
    free(shuffled);
}

static void test_too_many_equals(void **state)
{
    (void)state;
    seed = 4;
    const int64_t count = 1000;
    piece *pieces = random_pieces(1);
    pieces = realloc(pieces, (size_t)count * sizeof *pieces);
    for (int64_t i = 1; i < count; ++i) {
        pieces[i] = pieces[0];
    }
    tree *t = NULL;
    assert_int_equal(tree_build(pieces, count, &t), WEFT_OK);
    double place[3];
    tree_found found;
    random_place(place);
    tree_search(t, place, 500, &found);
    sort_hits(&found);
    assert_int_equal(found.count, TREE_HITS);
    for (int i = 0; i < TREE_HITS; ++i) {
        assert_int_equal(found.hits[i].piece, i);
    }
    tree_destroy(t);
    free(pieces);
}

/* What lies beyond the reach must not be nearer along the surface. */
static void test_reach(void **state)
{
    (void)state;
    seed = 5;
    struct geod_geodesic earth;
    geod_init(&earth, GLOBE_RADIUS_M, GLOBE_FLATTENING);
    int beyond = 0, between = 0;
    for (int i = 0; i < 20000; ++i) {
        /* The extremes of curvature lie along the meridian and across it, nearest the equator. */
        double lon = uniform(-180, 180), lat = i % 2 ? uniform(-90, 90) : uniform(-20, 20);
        double length = uniform(10e3, 9000e3), third = length * length * length * 2e-17;
        double along[2] = {length, length + uniform(-third, third)}, from[3], chord[2];
        globe_from_degrees(lon, lat, from);
        for (int k = 0; k < 2; ++k) {
            double azimuth = i % 2 ? uniform(-180, 180) : (i / 2 + k) % 2 ? 90 : 0;
            double there[2], to[3];
            geod_direct(&earth, lat, lon, azimuth, along[k], &there[0], &there[1], NULL);
            globe_from_degrees(there[1], there[0], to);
            chord[k] = pow(to[0] - from[0], 2) + pow(to[1] - from[1], 2) + pow(to[2] - from[2], 2);
        }
        if (chord[1] > tree_reach(chord[0])) {
            assert_true(along[1] > along[0]);
            ++beyond;
        } else if (chord[1] > chord[0]) {
            between += along[1] < along[0];
        }
    }
    /* The reach is needed: some of what has a longer chord is nearer along the surface. */
    assert_true(beyond > 20);
    assert_true(between > 1000);
}

static void test_globe(void **state)
{
    (void)state;
    seed = 6;
    for (int i = 0; i < 10000; ++i) {
        double place[3], lon, lat, east = uniform(-180, 180), north = uniform(-89.9, 89.9);
        globe_from_degrees(east, north, place);
        globe_to_degrees(place, &lon, &lat);
        assert_true(fabs(lon - east) < 1e-10 && fabs(lat - north) < 1e-10);
    }
    double place[3] = {-6378137, 0, 0}, lon, lat;
    globe_to_degrees(place, &lon, &lat);
    assert_true(lon <= -180 && lon >= -180);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_finds_what_there_is),
        cmocka_unit_test(test_close_places),
        cmocka_unit_test(test_order_of_the_pieces_does_not_matter),
        cmocka_unit_test(test_too_many_equals),
        cmocka_unit_test(test_reach),
        cmocka_unit_test(test_globe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
