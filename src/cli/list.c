/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of whole numbers on the command line: "1,2,4-8". */
#include "list.h"

#include <stdlib.h>

static bool read_number(const char **text, int *number)
{
    char *end = NULL;
    if (**text < '0' || **text > '9') {
        return false;
    }
    const long long value = strtoll(*text, &end, 10);
    *text = end;
    *number = value <= LIST_LARGEST ? (int)value : 0;
    return *number >= 1;
}

bool list_read(const char *text, list *l)
{
    l->count = 0;
    do {
        int first = 0;
        if (!read_number(&text, &first)) {
            return false;
        }
        int last = first;
        if (*text == '-') {
            text++;
            if (!read_number(&text, &last) || last < first) {
                return false;
            }
        }
        if (last - first >= LIST_MOST - l->count) {
            return false;
        }
        for (int i = first; i <= last; i++) {
            l->number[l->count++] = i;
        }
    } while (*text++ == ',');
    return text[-1] == '\0';
}
