/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of words, as command lines are made of. What there is no memory for ends the program. */
#ifndef LAUNCH_WORDS_H
#define LAUNCH_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/macros.h>

/* Zero-initialised: empty. */
typedef struct words {
    char **word; /* NULL behind the last one, unless there is none */
    int count;
    int64_t room;
} words;

void words_add(words *w, const char *format, ...) WEFT_PRINTF(2, 3);

/* The words of a list that ends with NULL; and words one by one. */
void words_add_list(words *w, const char *const list[]);
#define WORDS_ADD(w, ...) words_add_list(w, (const char *const[]){__VA_ARGS__, NULL})

/* The parts of a text between spaces, tabs and line breaks. */
void words_split(words *w, const char *text);

void words_free(words *w);

/* The words as one line to be shown, and to be pasted into any shell, each quoted if it needs that;
 * into bash and its like where one would act on the terminal. To be freed. */
char *words_line(const words *w);

/* A word as any shell reads it; to be freed. */
char *words_quoted(const char *word);

/* A text; to be freed. */
char *words_text(const char *format, ...) WEFT_PRINTF(1, 2);

#endif
