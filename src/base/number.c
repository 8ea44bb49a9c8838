/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers from text and in text: with a point, whatever locale the program has chosen. */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Makes the calling thread's locale the plain one; what it was is for end_plain(). Asking for this
 * locale allocates nothing, so that there is nothing to free. */
static locale_t begin_plain(void)
{
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return plain == (locale_t)0 ? plain : uselocale(plain);
}

static void end_plain(locale_t before)
{
    if (before != (locale_t)0) {
        (void)uselocale(before);
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* False, and nothing has changed, if it is then too large. */
static bool add_digit(uint64_t *value, char digit)
{
    const uint64_t more = (uint64_t)(digit - '0');
    const bool fits = *value <= (UINT64_MAX - more) / 10;
    *value = fits ? 10 * *value + more : *value;
    return fits;
}

bool number_take(const char **text, uint64_t *value)
{
    const char *at = *text;
    uint64_t size = 0;
    for (; is_digit(*at); at++) {
        if (!add_digit(&size, *at)) {
            return false;
        }
    }
    if (at == *text) {
        return false;
    }
    *text = at;
    *value = size;
    return true;
}

bool number_read_count(const char *text, int least, int *count)
{
    const char *end = text;
    uint64_t value = 0;
    const bool zero_first = text[0] == '0' && text[1] != '\0';
    if (zero_first || !number_take(&end, &value) || *end != '\0' || value > 9999999 ||
        (int)value < least) {
        return false;
    }
    *count = (int)value;
    return true;
}

/* Digits, with a point among them or none: their value, without the point, and how many were behind
 * it. False if it is too large, or if there is no digit. */
static bool take_digits(const char **at, uint64_t *value, int *behind)
{
    bool any = false;
    bool point = false;
    *value = 0;
    *behind = 0;
    for (; is_digit(**at) || (**at == '.' && !point); (*at)++) {
        if (**at == '.') {
            point = true;
            continue;
        }
        if (!add_digit(value, **at)) {
            return false;
        }
        *behind += point;
        any = true;
    }
    return any;
}

/* What stands behind the digits, as a power of ten. */
static bool take_exponent(const char **at, int *exponent)
{
    static const char letters[] = "kMG";
    const char *letter = **at == '\0' ? NULL : strchr(letters, **at);
    *exponent = 0;
    if (letter != NULL) {
        *exponent = 3 * (int)(letter - letters + 1);
        (*at)++;
    } else if (**at == 'e' || **at == 'E') {
        uint64_t value = 0;
        (*at)++;
        *at += **at == '+';
        if (!number_take(at, &value) || value > 99) {
            return false;
        }
        *exponent = (int)value;
    }
    return **at == '\0';
}

/* Times a power of ten; false if that is no whole number, or too large. */
static bool scale(uint64_t *value, int power)
{
    for (; power > 0 && *value != 0; power--) {
        if (*value > UINT64_MAX / 10) {
            return false;
        }
        *value *= 10;
    }
    for (; power < 0; power++) {
        if (*value % 10 != 0) {
            return false;
        }
        *value /= 10;
    }
    return true;
}

bool number_read_uint64(const char *text, uint64_t *value)
{
    const char *at = text;
    uint64_t size = 0;
    int behind = 0;
    int exponent = 0;
    if (!take_digits(&at, &size, &behind) || !take_exponent(&at, &exponent) ||
        !scale(&size, exponent - behind)) {
        return false;
    }
    *value = size;
    return true;
}

bool number_read_int64(const char *text, int64_t *value)
{
    const bool negative = text[0] == '-';
    uint64_t size = 0;
    if (!number_read_uint64(text + (negative || text[0] == '+'), &size) ||
        size > (uint64_t)INT64_MAX + negative) {
        return false;
    }
    *value = negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

bool number_read_double(const char *text, double *value)
{
    char *end = NULL;
    const locale_t before = begin_plain();
    const double number = strtod(text, &end);
    end_plain(before);
    /* strtod() would also skip blanks in front. */
    if (end == text || *end != '\0' || !isfinite(number) || strchr(" \t\n\v\f\r", text[0])) {
        return false;
    }
    *value = number;
    return true;
}

int number_print_list(char *text, size_t bytes, const char *format, va_list arguments)
{
    const locale_t before = begin_plain();
    const int length = vsnprintf(text, bytes, format, arguments);
    end_plain(before);
    return length;
}

int number_print(char *text, size_t bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = number_print_list(text, bytes, format, arguments);
    va_end(arguments);
    return length;
}

void number_append(char *text, size_t bytes, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    (void)number_print_list(text + used, bytes - used, format, arguments);
    va_end(arguments);
}
