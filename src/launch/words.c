/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of words, as command lines are made of. */
#define _GNU_SOURCE 1
#include "launch/words.h"

#include "base/array.h"
#include "base/terminal.h"
#include "launch/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void give_up(void)
{
    message_print(LOG_ERROR, "out of memory");
    exit(1);
}

static char *room_for(size_t bytes)
{
    char *text = malloc(bytes);
    if (text == NULL) {
        give_up();
    }
    return text;
}

/* The text is the list's from then on. */
static void add(words *w, char *text)
{
    if (!ARRAY_RESERVE(w->word, w->room, w->count + 2)) {
        give_up();
    }
    w->word[w->count++] = text;
    w->word[w->count] = NULL;
}

static char *print(const char *format, va_list arguments) WEFT_PRINTF(1, 0);

static char *print(const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        give_up();
    }
    return text;
}

char *words_text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = print(format, arguments);
    va_end(arguments);
    return text;
}

void words_add(words *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(w, print(format, arguments));
    va_end(arguments);
}

void words_add_list(words *w, const char *const list[])
{
    for (int i = 0; list[i] != NULL; i++) {
        words_add(w, "%s", list[i]);
    }
}

void words_split(words *w, const char *text)
{
    static const char *const between = " \t\n";
    for (text += strspn(text, between); *text != '\0'; text += strspn(text, between)) {
        const size_t length = strcspn(text, between);
        words_add(w, "%.*s", (int)length, text);
        text += length;
    }
}

void words_free(words *w)
{
    for (int i = 0; i < w->count; i++) {
        free(w->word[i]);
    }
    free(w->word);
    memset(w, 0, sizeof *w);
}

char *words_quoted(const char *word)
{
    char *text = room_for(4 * strlen(word) + 3);
    char *to = text;
    *to++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            to = stpcpy(to, "'\\'");
        }
        *to++ = *word;
    }
    (void)stpcpy(to, "'");
    return text;
}

static bool needs_quotes(const char *word)
{
    static const char *const plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,@%+-";
    return *word == '\0' || word[strspn(word, plain)] != '\0';
}

/* Line ends and tabs do no harm. */
static bool acts_on_terminal(const char *word)
{
    char *clean = words_text("%s", word);
    bool acts = false;
    terminal_clean(clean);
    for (size_t i = 0; word[i] != '\0' && !acts; i++) {
        acts = clean[i] != word[i] && word[i] != '\n' && word[i] != '\t';
    }
    free(clean);
    return acts;
}

/* With an escape sequence of the shell for every byte that is no plain one of ASCII. */
static char *escaped(const char *word)
{
    char *text = room_for(4 * strlen(word) + 4);
    char *to = stpcpy(text, "$'");
    for (; *word != '\0'; word++) {
        const unsigned char byte = (unsigned char)*word;
        if (byte < ' ' || byte > '~' || byte == '\'' || byte == '\\') {
            to += sprintf(to, "\\%03o", byte);
        } else {
            *to++ = *word;
        }
    }
    (void)stpcpy(to, "'");
    return text;
}

static char *shown(const char *word)
{
    if (acts_on_terminal(word)) {
        return escaped(word);
    }
    return needs_quotes(word) ? words_quoted(word) : words_text("%s", word);
}

char *words_line(const words *w)
{
    char *line = words_text("%s", "");
    for (int i = 0; i < w->count; i++) {
        char *word = shown(w->word[i]);
        char *longer = words_text("%s%s%s", line, i > 0 ? " " : "", word);
        free(word);
        free(line);
        line = longer;
    }
    return line;
}
