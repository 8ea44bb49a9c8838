/* SPDX-License-Identifier: BSD-3-Clause */
/* A suggestion: which of the existing names the user may have meant. */
#ifndef BASE_SUGGESTION_H
#define BASE_SUGGESTION_H

#include <stddef.h>

typedef struct suggestion {
    const char *word; /* that is no name; `length` characters of it */
    size_t length;
    const char *name; /* the nearest so far; NULL: none is near */
    int distance;
} suggestion;

/* For a word without the dashes in front of it, up to a "=". */
suggestion suggestion_for(const char *word);

/* Considers a name: small and capital letters are alike, and so are "-" and "_". */
void suggestion_try(suggestion *s, const char *name);

#endif
