/* SPDX-License-Identifier: BSD-3-Clause */
/* libFuzzer target: a command line of arbitrary bytes, each ended by a zero, never breaks the
 * parser, and leaves no more words than it was given. */
#include "base/option.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 16, MOST_BYTES = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char program[] = "program";
    char text[MOST_BYTES + 1] = "";
    char *words[MOST_WORDS + 2] = {program};
    int count = 1;
    const size_t bytes = size < MOST_BYTES ? size : MOST_BYTES;
    if (bytes > 0) {
        memcpy(text, data, bytes);
    }
    for (size_t at = 0; at < bytes && count <= MOST_WORDS; at += strlen(text + at) + 1) {
        words[count++] = text + at;
    }
    bool flag = false;
    int64_t whole = 0;
    double number = 0;
    const char *name = NULL;
    const weft_option table[] = {{"flag", NULL, WEFT_OPTION_FLAG, &flag, ""},
                                 {"whole", "N", WEFT_OPTION_INT64, &whole, ""},
                                 {"number", "X", WEFT_OPTION_DOUBLE, &number, ""},
                                 {"name", "TEXT", WEFT_OPTION_STRING, &name, ""},
                                 {NULL, NULL, WEFT_OPTION_FLAG, NULL, NULL}};
    error e = {.status = WEFT_OK};
    const int given = count;
    const weft_status status =
        option_parse(table, NULL, (option_rest)(size % 3), &count, words, &e);
    if (count < 1 || count > given || (status != WEFT_OK) != (e.text[0] != '\0')) {
        abort();
    }
    return 0;
}
