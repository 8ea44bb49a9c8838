/* SPDX-License-Identifier: BSD-3-Clause */
/* deadly: ways in which a kernel ends its process. */
#ifndef SYSTEM_DEADLY_H
#define SYSTEM_DEADLY_H

#include <stdint.h>

typedef struct deadly {
    const char *list; /* "KIND:ITEM,…"; NULL: no item is deadly */
    const char
        *where; /* "rank": only in the process that has called deadly_begin(); else anywhere */
    const char *once; /* the beginning of names of files, by which each item kills only once */
} deadly;

/* The kinds, for a help text. */
#define DEADLY_KINDS "segv abort fpe stack heap exit kill memory hang"

/* Before anything is forked. */
void deadly_begin(void);

/* Ends the process, one way or another, if the item is deadly. */
void deadly_meet(const deadly *d, int64_t item);

#endif
