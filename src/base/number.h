/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers from text and in text: with a point, whatever locale the program has chosen. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weft/macros.h>

/* A whole number, as 1000, 1e3, 1.5e3 or 1k (M, G); false, and the value as it was, if the text is
 * anything else, or does not fit. */
bool number_read_int64(const char *text, int64_t *value);

/* The same without a sign. */
bool number_read_uint64(const char *text, uint64_t *value);

/* A count as people and programs write it: digits alone, from `least` to 9999999. */
bool number_read_count(const char *text, int least, int *count);

/* Takes the digits off the beginning of a text, which then begins behind them; false, and nothing
 * has changed, if there are none, or if their value does not fit. */
bool number_take(const char **text, uint64_t *value);

/* A finite number. */
bool number_read_double(const char *text, double *value);

/* As snprintf() and vsnprintf(). */
int number_print(char *text, size_t bytes, const char *format, ...) WEFT_PRINTF(3, 4);

/* Prints behind the text that is there already; what does not fit is cut off. */
void number_append(char *text, size_t bytes, const char *format, ...) WEFT_PRINTF(3, 4);

int number_print_list(char *text, size_t bytes, const char *format, va_list arguments)
    WEFT_PRINTF(3, 0);

/* What a word ends with behind a number of things. */
static inline const char *number_plural(int64_t things)
{
    return things == 1 ? "" : "s";
}

#endif
