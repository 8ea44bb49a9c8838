/* SPDX-License-Identifier: BSD-3-Clause */
/* A job whose result is known: several fields, random streams, items of very different cost. A
 * serial loop gives the reference that every layout must match byte for byte. */
#ifndef TEST_MPI_KNOWN_H
#define TEST_MPI_KNOWN_H

#include "verdict.h"

#include <math.h>
#include <weft/weft.h>

enum { KNOWN_MOST_ITEMS = 2048, KNOWN_FIELDS = 4 };

/* Everything that an item has in the result. */
typedef struct known {
    double number;
    uint8_t byte;
    int32_t triple[3];
    long double wide;
} known;

/* An item's values, by its own stream; the cost is irregular, and random too. */
static inline known known_compute(uint64_t seed, int64_t item)
{
    weft_random random;
    weft_random_init(&random, seed, 0, (uint64_t)item);
    const uint64_t turns = 1 + weft_random_below(&random, item % 97 == 0 ? 20000 : 50);
    double sum = 0;
    for (uint64_t i = 0; i < turns; i++) {
        sum += weft_random_double(&random);
    }
    known k = {.number = sum + (double)item,
               .byte = (uint8_t)weft_random_below(&random, 256),
               .wide = (long double)weft_random_u64(&random) / 3.0L};
    for (int i = 0; i < 3; i++) {
        k.triple[i] = (int32_t)item * 3 + i;
    }
    return k;
}

static inline int known_kernel(const weft_span *span, void *context)
{
    (void)context;
    double *number = weft_span_result(span, 0);
    uint8_t *byte = weft_span_result(span, 1);
    int32_t *triple = weft_span_result(span, 2);
    long double *wide = weft_span_result(span, 3);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const known k = known_compute(weft_span_seed(span), weft_span_first(span) + i);
        number[i] = k.number;
        byte[i] = k.byte;
        memcpy(&triple[3 * i], k.triple, sizeof k.triple);
        wide[i] = k.wide;
    }
    return 0;
}

static inline weft_map *known_map(weft_session *session, const char *name, int64_t count)
{
    weft_map *map = NULL;
    const int64_t three = 3;
    CHECK(weft_map_create(session, name, 1, &count, &map) == WEFT_OK &&
          weft_map_add_field(map, "number", WEFT_FLOAT64, 0, NULL, NULL, NULL) == WEFT_OK &&
          weft_map_add_field(map, "byte", WEFT_UINT8, 0, NULL, NULL, NULL) == WEFT_OK &&
          weft_map_add_field(map, "triple", WEFT_INT32, 1, &three, NULL, NULL) == WEFT_OK &&
          weft_map_add_field(map, "wide", WEFT_LONG_DOUBLE, 0, NULL, NULL, NULL) == WEFT_OK);
    return map;
}

/* The bytes of an item in a field, padding cleared. */
static inline size_t known_bytes(const known *k, int field, unsigned char bytes[16])
{
    memset(bytes, 0, 16);
    switch (field) {
    case 0:
        memcpy(bytes, &k->number, sizeof k->number);
        return sizeof k->number;
    case 1:
        bytes[0] = k->byte;
        return 1;
    case 2:
        memcpy(bytes, k->triple, sizeof k->triple);
        return sizeof k->triple;
    default:
        memcpy(bytes, &k->wide, 10);
        return sizeof k->wide;
    }
}

/* Rank 0: every byte of /results is the reference's; `skip` says which items hold fill values. */
static inline void known_check(weft_result *r, uint64_t seed, int64_t count,
                               bool (*skip)(int64_t item))
{
    static unsigned char values[KNOWN_MOST_ITEMS * 16 + 1];
    for (int field = 0; field < KNOWN_FIELDS; field++) {
        if (!CHECK(weft_result_read(r, field, 0, count, values) == WEFT_OK)) {
            return;
        }
        for (int64_t item = 0; item < count; item++) {
            unsigned char expected[16];
            const known k = known_compute(seed, item);
            const size_t bytes = known_bytes(&k, field, expected);
            if ((skip == NULL || !skip(item)) &&
                !CHECK(memcmp(values + (size_t)item * bytes, expected, bytes) == 0)) {
                return;
            }
        }
    }
}

/* Any rank reads the map back, in parts, and finds the reference's bytes. */
static inline void known_read_back(weft_map *map, uint64_t seed, int64_t count)
{
    static const char *const names[KNOWN_FIELDS] = {"number", "byte", "triple", "wide"};
    static unsigned char values[KNOWN_FIELDS][KNOWN_MOST_ITEMS * 16 + 1];
    const int64_t part = count / 3 + 1;
    for (int64_t item = 0; item < count; item++) {
        const known k = known_compute(seed, item);
        const int64_t from = item % part;
        const int64_t items = count - item < part ? count - item : part;
        for (int field = 0; field < KNOWN_FIELDS; field++) {
            unsigned char expected[16];
            const size_t bytes = known_bytes(&k, field, expected);
            if (!CHECK(from > 0 ||
                       weft_map_read(map, names[field], item, items, values[field]) == WEFT_OK) ||
                !CHECK(memcmp(values[field] + (size_t)from * bytes, expected, bytes) == 0)) {
                return;
            }
        }
    }
}

/* Rank 0: the books say that every item was computed by these runs together, and is sound. */
static inline void known_check_books(weft_result *r, int64_t count, int runs, weft_outcome outcome)
{
    weft_result_progress p;
    int64_t items = 0;
    if (!CHECK(weft_result_get_progress(r, &p) == WEFT_OK)) {
        return;
    }
    CHECK(p.items_done == count);
    CHECK(p.tiles_bad == 0);
    CHECK(!p.in_use);
    CHECK(p.runs == runs);
    for (int i = 0; i < p.runs; i++) {
        weft_result_run run;
        if (!CHECK(weft_result_get_run(r, i, &run) == WEFT_OK)) {
            return;
        }
        items += run.items;
        CHECK(run.duplicates >= 0);
        CHECK(run.ranks == verdict_ranks);
        CHECK(run.outcome == (i == p.runs - 1 ? outcome : WEFT_OUTCOME_STOPPED));
    }
    CHECK(items == count);
    int64_t verified = 0;
    int64_t bad = 0;
    CHECK(weft_result_verify(r, NULL, NULL, &verified, &bad) == WEFT_OK);
    CHECK(verified == weft_result_describe(r)->tiles);
}

#endif
