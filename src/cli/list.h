/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of whole numbers on the command line: "1,2,4-8". */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include <stdbool.h>

enum { LIST_MOST = 64, LIST_LARGEST = 1 << 20 };

typedef struct list {
    int count;
    int number[LIST_MOST];
} list;

/* False if it is no list of numbers from 1 to LIST_LARGEST, or has more than LIST_MOST. */
bool list_read(const char *text, list *l);

#endif
