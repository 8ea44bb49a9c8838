/* SPDX-License-Identifier: BSD-3-Clause */
/* libFuzzer target: numbers from arbitrary text. What is taken means what strtold() makes of it,
 * and is written back to the same; what is not leaves the value alone. */
#include "base/number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 128, UNTOUCHED = 7 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* The value of "1.5k", by another way. */
static long double value_of(const char *text)
{
    char *end = NULL;
    const long double number = strtold(text, &end);
    return number * (*end == 'k' ? 1e3L : *end == 'M' ? 1e6L : *end == 'G' ? 1e9L : 1.0L);
}

static void check_int64(const char *text)
{
    char again[32];
    int64_t value = UNTOUCHED;
    int64_t read = 0;
    if (number_read_int64(text, &value)) {
        demand(fabsl(value_of(text) - (long double)value) <= 1e-18L * fabsl((long double)value));
        (void)snprintf(again, sizeof again, "%lld", (long long)value);
        demand(number_read_int64(again, &read) && read == value);
    } else {
        demand(value == UNTOUCHED);
    }
}

static void check_uint64(const char *text)
{
    uint64_t value = UNTOUCHED;
    if (number_read_uint64(text, &value)) {
        demand(fabsl(value_of(text) - (long double)value) <= 1e-18L * (long double)value);
        demand(text[0] != '-' && text[0] != '+');
    } else {
        demand(value == UNTOUCHED);
    }
}

static void check_double(const char *text)
{
    char again[32];
    double value = UNTOUCHED;
    double read = 0;
    if (number_read_double(text, &value)) {
        demand(isfinite(value));
        (void)number_print(again, sizeof again, "%.17g", value);
        demand(number_read_double(again, &read) && memcmp(&read, &value, sizeof read) == 0);
    } else {
        demand(memcmp(&value, &(double){UNTOUCHED}, sizeof value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[MOST_BYTES + 1] = "";
    memcpy(text, data, size < MOST_BYTES ? size : MOST_BYTES);
    check_int64(text);
    check_uint64(text);
    check_double(text);
    return 0;
}
