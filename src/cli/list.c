/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of whole numbers on the command line: "1,2,4-8". */
#include "list.h"

#include "base/number.h"

static bool read_number(const char **text, int *number)
{
    uint64_t value = 0;
    if (!number_take(text, &value) || value < 1 || value > LIST_LARGEST) {
        return false;
    }
    *number = (int)value;
    return true;
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
