/* SPDX-License-Identifier: BSD-3-Clause */
/* What the store's tests work on: a job with something of everything, and its bytes. */
#ifndef TEST_STORE_SAMPLE_H
#define TEST_STORE_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/folder.h"

#include "space/job.h"
#include "store/format/checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_ROWS = 5, SAMPLE_COLUMNS = 7, SAMPLE_ITEMS = 35 };

static inline void sample_parameter(job *j, job_parameter_type type, const char *name,
                                    int64_t number, double real, const char *text)
{
    error e = {.status = WEFT_OK};
    job_parameter p = {.type = type, .int64 = number, .number = real};
    (void)snprintf(p.name, sizeof p.name, "%s", name);
    (void)snprintf(p.text, sizeof p.text, "%s", text);
    assert_int_equal(job_add_parameter(j, &p, &e), WEFT_OK);
}

/* Coordinates for as many rows as any test has. */
static inline const double *sample_coordinates(void)
{
    static double values[128];
    for (int i = 0; i < 128; i++) {
        values[i] = 90 - 1.25 * i;
    }
    return values;
}

/* Rows have coordinates, columns a name. */
static inline void sample_label(job *j)
{
    error e = {.status = WEFT_OK};
    job_dimension d;
    assert_int_equal(
        dimension_init(&d, "row", "degrees_north", j->items.shape[0], sample_coordinates(), &e),
        WEFT_OK);
    assert_int_equal(job_set_dimension(j, 0, &d, &e), WEFT_OK);
    j->dimension[0].values = sample_coordinates();
    assert_int_equal(dimension_init(&d, "column", "µm", j->items.shape[1], NULL, &e), WEFT_OK);
    assert_int_equal(job_set_dimension(j, 1, &d, &e), WEFT_OK);
}

/* Labelled dimensions; a field of every type, of several shapes, one with a fill value of its own;
 * parameters of every type. */
static inline job *sample_job(int64_t rows, int64_t columns, int64_t grain)
{
    error e = {.status = WEFT_OK};
    job *j = NULL;
    assert_int_equal(job_create("sample", 2, (int64_t[]){rows, columns}, &j, &e), WEFT_OK);
    sample_label(j);
    for (int type = 0; type < (int)WEFT_TYPE_COUNT; type++) {
        char name[WEFT_NAME_BYTES];
        (void)snprintf(name, sizeof name, "field-%d", WEFT_TYPE_COUNT - type);
        const int64_t shape[] = {type + 1, 2};
        assert_int_equal(job_add_field(j, name, (weft_type)type, type % 3, shape,
                                       type == 4 ? "µm" : NULL, type == 5 ? "the fifth" : NULL, &e),
                         WEFT_OK);
    }
    const int16_t fill = 4711;
    assert_int_equal(job_set_fill(j, j->field[WEFT_INT16].name, &fill, &e), WEFT_OK);
    sample_parameter(j, JOB_INT64, "steps", INT64_MIN, 0, "");
    sample_parameter(j, JOB_DOUBLE, "width", 0, -0.0, "");
    sample_parameter(j, JOB_STRING, "source", 0, 0, "a b\nc µ");
    sample_parameter(j, JOB_STRING, "nothing", 0, 0, "");
    assert_int_equal(job_settle(j, UINT64_C(0xFEDCBA9876543210), grain, &e), WEFT_OK);
    return j;
}

/* The byte of a field's bytes at a place. */
static inline unsigned char sample_byte(int field, int64_t place)
{
    return (unsigned char)((uint64_t)(place * 31 + field * 101 + 7) * UINT64_C(2654435761) >> 16);
}

static inline unsigned char *sample_bytes(const job *j, int field, int64_t first, int64_t items)
{
    const int64_t before = job_field_bytes(j, field, first);
    const int64_t count = job_field_bytes(j, field, items);
    unsigned char *bytes = malloc((size_t)count + 1);
    assert_non_null(bytes);
    for (int64_t i = 0; i < count; i++) {
        bytes[i] = sample_byte(field, before + i);
    }
    return bytes;
}

static inline uint64_t sample_checksum(const job *j, int64_t tile)
{
    const void *bytes[WEFT_MAX_FIELDS] = {NULL};
    size_t counts[WEFT_MAX_FIELDS] = {0};
    unsigned char *owned[WEFT_MAX_FIELDS] = {NULL};
    const int64_t items = tiling_items(&j->tiles, tile, 1);
    for (int i = 0; i < j->fields; i++) {
        owned[i] = sample_bytes(j, i, tiling_first(&j->tiles, tile), items);
        bytes[i] = owned[i];
        counts[i] = (size_t)job_field_bytes(j, i, items);
    }
    const uint64_t checksum = checksum_runs(j->fields, bytes, counts);
    for (int i = 0; i < j->fields; i++) {
        free(owned[i]);
    }
    return checksum;
}

#endif
