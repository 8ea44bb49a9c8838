/* SPDX-License-Identifier: BSD-3-Clause */
/* Text from elsewhere, as a path, a file or a kernel, made fit for a terminal. */
#define _GNU_SOURCE 1
#include "base/terminal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many bytes the character at the start of the text has, and which it is; 0 if it is not one of
 * UTF-8. */
static int character_bytes(const unsigned char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    *code = text[0];
    if (text[0] < 0x80) {
        return 1;
    }
    if (text[0] < 0xc0 || text[0] > 0xf7) {
        return 0;
    }
    const int bytes = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    *code = text[0] & (0x7fU >> bytes);
    for (int i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (text[i] & 0x3fU);
    }
    /* 0xd800 to 0xdfff are halves of other characters. */
    const bool wrong =
        *code < least[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff);
    return wrong ? 0 : bytes;
}

/* The control characters of ASCII and of ISO 6429; line ends; marks that turn the direction of what
 * follows. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
           code == 0x200e || code == 0x200f || code == 0x61c || (code >= 0x2066 && code <= 0x2069);
}

void terminal_clean(char *text)
{
    const unsigned char *from = (const unsigned char *)text;
    char *to = text;
    while (*from != '\0') {
        uint32_t code = 0;
        const int bytes = character_bytes(from, &code);
        if (bytes == 0 || is_control(code)) {
            *to++ = '?';
            from += bytes == 0 ? 1 : bytes;
        } else {
            memmove(to, from, (size_t)bytes);
            to += bytes;
            from += bytes;
        }
    }
    *to = '\0';
}

void terminal_print_list(const char *before, const char *format, va_list arguments)
{
    char *text = NULL;
    char *line = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        return;
    }
    terminal_clean(text);
    const int length = asprintf(&line, "%s%s\n", before, text);
    free(text);
    if (length < 0) {
        return;
    }
    /* What cannot be written has nobody to read it. */
    if (write(STDERR_FILENO, line, (size_t)length) < 0) {
        errno = 0;
    }
    free(line);
}
