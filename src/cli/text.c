/* SPDX-License-Identifier: BSD-3-Clause */
/* Durations and times for people, and text from a file made fit for a terminal. */
#include "text.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* How many bytes the character at the start of the text has; 0 if it is not one of UTF-8. */
static int character_bytes(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (text[0] < 0x80) {
        return 1;
    }
    const int bytes = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc0 || text[0] > 0xf7) {
        return 0;
    }
    uint32_t code = text[0] & (0x7fU >> bytes);
    for (int i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text[i] & 0x3fU);
    }
    /* 0x80 to 0x9f are control characters; 0xd800 to 0xdfff are halves of others. */
    const int wrong =
        code < least[bytes] || code < 0xa0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
    return wrong ? 0 : bytes;
}

void text_clean(char *text)
{
    unsigned char *at = (unsigned char *)text;
    while (*at != '\0') {
        const int bytes = character_bytes(at);
        if (bytes == 0 || *at < ' ' || *at == 0x7f) {
            *at = '?';
            at++;
        } else {
            at += bytes;
        }
    }
}

void text_duration(double seconds, char text[TEXT_TIME_BYTES])
{
    const double longest = 1e10;
    if (!(seconds >= 0 && seconds < longest)) {
        (void)snprintf(text, TEXT_TIME_BYTES, "-");
        return;
    }
    const long long whole = (long long)(seconds + 0.5);
    if (seconds > 0 && seconds < 0.0995) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%.3g ms", 1e3 * seconds);
    } else if (seconds < 9.995) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%.2f s", seconds);
    } else if (whole < 60) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%lld s", whole);
    } else if (whole < 3600) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%lld min %02lld s", whole / 60, whole % 60);
    } else if (whole < 86400) {
        (void)snprintf(text, TEXT_TIME_BYTES, "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
    } else {
        (void)snprintf(text, TEXT_TIME_BYTES, "%lld d %02lld h", whole / 86400,
                       whole % 86400 / 3600);
    }
}

void text_time(double since_1970_s, char text[TEXT_TIME_BYTES])
{
    const double last = 253402300799.0; /* of the year 9999 */
    struct tm parts;
    if (since_1970_s >= 0 && since_1970_s <= last) {
        const time_t seconds = (time_t)since_1970_s;
        if (gmtime_r(&seconds, &parts) != NULL &&
            strftime(text, TEXT_TIME_BYTES, "%Y-%m-%d %H:%M:%S", &parts) > 0) {
            return;
        }
    }
    (void)snprintf(text, TEXT_TIME_BYTES, "-");
}
