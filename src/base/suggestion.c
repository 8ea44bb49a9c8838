/* SPDX-License-Identifier: BSD-3-Clause */
/* A suggestion: which of the existing names the user may have meant. */
#include "base/suggestion.h"

#include <string.h>

enum { MOST = 40 };

suggestion suggestion_for(const char *word)
{
    word += strspn(word, "-");
    return (suggestion){.word = word, .length = strcspn(word, "=")};
}

static char plain(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '_' ? '-' : c;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* How many letters have to be put in, left out, replaced, or exchanged with their neighbour (the
 * optimal string alignment distance). */
static int distance(const char *a, size_t m, const char *b, size_t n)
{
    int d[MOST + 1][MOST + 1];
    for (size_t i = 0; i <= m; i++) {
        for (size_t j = 0; j <= n; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (int)(i + j);
                continue;
            }
            const int other = plain(a[i - 1]) != plain(b[j - 1]);
            d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + other);
            if (i > 1 && j > 1 && plain(a[i - 1]) == plain(b[j - 2]) &&
                plain(a[i - 2]) == plain(b[j - 1])) {
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[m][n];
}

void suggestion_try(suggestion *s, const char *name)
{
    const size_t length = strlen(name);
    if (s->length == 0 || s->length > MOST || length > MOST) {
        return;
    }
    /* Of short words, most are near to each other. */
    const int near = length < 4 ? 1 : length < 8 ? 2 : 3;
    const int away = distance(s->word, s->length, name, length);
    if (away <= near && (size_t)away < length && (s->name == NULL || away < s->distance)) {
        s->name = name;
        s->distance = away;
    }
}
