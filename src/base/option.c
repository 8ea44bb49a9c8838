/* SPDX-License-Identifier: BSD-3-Clause */
/* Options: from the command line and from the environment, by a table. */
#define _GNU_SOURCE 1
#include "base/option.h"

#include "base/log.h"
#include "base/number.h"
#include "base/suggestion.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char prefix[] = "WEFT_";

/* What `WEFT_FRESH=…` may say. */
static bool read_flag(const char *text, bool *value)
{
    const bool yes =
        strcmp(text, "1") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    const bool no = strcmp(text, "0") == 0 || strcmp(text, "no") == 0 || strcmp(text, "false") == 0;
    *value = yes;
    return yes || no;
}

/* Reads the text of an option's argument into its value; the error names `origin`. */
weft_status option_read(const weft_option *option, const char *origin, const char *text, error *e)
{
    const char *wanted = "";
    bool good = false;
    switch (option->type) {
    case WEFT_OPTION_FLAG:
        good = read_flag(text, option->value);
        wanted = "1 or 0";
        break;
    case WEFT_OPTION_INT64:
        good = number_read_int64(text, option->value);
        wanted = "a whole number between -2^63 and 2^63";
        break;
    case WEFT_OPTION_DOUBLE:
        good = number_read_double(text, option->value);
        wanted = "a number";
        break;
    case WEFT_OPTION_STRING:
        good = text[0] != '\0';
        if (!good) {
            return error_set(e, WEFT_ERR_USAGE, "%s: its value is empty", origin);
        }
        memcpy(option->value, &text, sizeof text);
        break;
    }
    if (!good) {
        return error_set(e, WEFT_ERR_USAGE, "%s: '%s' is not %s", origin, text, wanted);
    }
    return WEFT_OK;
}

/* Module files set WEFT_VERSION, and nobody wants --help or --version by default. */
static bool has_variable(const weft_option *option)
{
    return strcmp(option->name, "help") != 0 && strcmp(option->name, "version") != 0;
}

/* Whatever the locale: in Turkish an i would get a dot. */
static void name_variable(const weft_option *option, char name[64])
{
    const int used = snprintf(name, 64, "%s%s", prefix, option->name);
    for (int i = 0; i < used && i < 64; i++) {
        if (name[i] == '-') {
            name[i] = '_';
        } else if (name[i] >= 'a' && name[i] <= 'z') {
            name[i] = (char)(name[i] - 'a' + 'A');
        }
    }
}

static weft_status read_environment(const weft_option *table, error *e)
{
    for (const weft_option *option = table; option->name != NULL; option++) {
        char name[64];
        name_variable(option, name);
        const char *text = has_variable(option) ? getenv(name) : NULL;
        if (text == NULL || text[0] == '\0') {
            continue;
        }
        const weft_status status = option_read(option, name, text, e);
        if (status != WEFT_OK) {
            return status;
        }
    }
    return WEFT_OK;
}

/* Whether a word of the environment is a variable that something here reads, or that says where
 * weft is installed. */
static bool is_known(const weft_option *table, const char *word, size_t length)
{
    static const char *const others[] = {"RUN",  "RSH",  "DONE_FILE", "VERSION",    "DIR",
                                         "HOME", "ROOT", "PREFIX",    "BASE",       "BIN",
                                         "LIB",  "INC",  "INCLUDE",   "TEST_MOUNTS"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strlen(others[i]) == length - strlen(prefix) &&
            strncmp(others[i], word + strlen(prefix), strlen(others[i])) == 0) {
            return true;
        }
    }
    for (const weft_option *option = table; option->name != NULL; option++) {
        char name[64];
        name_variable(option, name);
        if (has_variable(option) && strlen(name) == length && strncmp(name, word, length) == 0) {
            return true;
        }
    }
    return false;
}

static void warn_of_variable(const weft_option *table, const char *word, size_t length)
{
    suggestion s = suggestion_for(word + strlen(prefix));
    char name[64];
    for (const weft_option *option = table; option->name != NULL; option++) {
        if (has_variable(option)) {
            suggestion_try(&s, option->name);
        }
    }
    name_variable(&(weft_option){.name = s.name == NULL ? "" : s.name}, name);
    log_print(LOG_WARNING, "the variable %.*s is set, but it is no option's and is ignored%s%s%s",
              (int)length, word, s.name == NULL ? "" : "; did you mean ",
              s.name == NULL ? "" : name, s.name == NULL ? "; see --help" : "?");
}

void option_warn_of_variables(const weft_option *ours)
{
    for (char **word = environ; word != NULL && *word != NULL; word++) {
        const size_t length = strcspn(*word, "=");
        if (strncmp(*word, prefix, strlen(prefix)) == 0 && !is_known(ours, *word, length)) {
            warn_of_variable(ours, *word, length);
        }
    }
}

/* The option that a word names; `*text` is what stands behind its "=", if anything. */
static const weft_option *find_option(const weft_option *table, const char *word, const char **text)
{
    *text = NULL;
    if (table == NULL || strncmp(word, "--", 2) != 0) {
        return NULL;
    }
    const size_t length = strcspn(word + 2, "=");
    for (const weft_option *option = table; option->name != NULL; option++) {
        if (strlen(option->name) == length && strncmp(option->name, word + 2, length) == 0) {
            *text = word[2 + length] == '=' ? word + 3 + length : NULL;
            return option;
        }
    }
    return NULL;
}

/* Reads the option at argv[*i] and moves *i to its last word. */
static weft_status take_option(const weft_option *option, const char *text, int argc, char **argv,
                               int *i, error *e)
{
    char origin[80];
    (void)snprintf(origin, sizeof origin, "--%s", option->name);
    if (option->type == WEFT_OPTION_FLAG) {
        return option_read(option, origin, text == NULL ? "1" : text, e);
    }
    if (text == NULL) {
        if (*i + 1 >= argc) {
            return error_set(e, WEFT_ERR_USAGE, "%s needs an argument, %s; see --help", origin,
                             option->argument);
        }
        *i += 1;
        text = argv[*i];
    }
    return option_read(option, origin, text, e);
}

/* A word that may not stay; it is no option if it stands behind "--". */
static weft_status refuse(const weft_option *ours, const weft_option *theirs, const char *word,
                          bool ended, error *e)
{
    suggestion s = suggestion_for(word);
    for (const weft_option *option = theirs; option != NULL && option->name != NULL; option++) {
        suggestion_try(&s, option->name);
    }
    for (const weft_option *option = ours; option->name != NULL; option++) {
        suggestion_try(&s, option->name);
    }
    const bool is_option = !ended && word[0] == '-' && word[1] != '\0';
    const bool near = !ended && s.name != NULL;
    return error_set(e, WEFT_ERR_USAGE, "%s%s%s%s%s%s",
                     is_option ? "unknown option " : "unexpected argument '", word,
                     is_option ? "" : "', this program takes options only",
                     near ? "; did you mean --" : "", near ? s.name : "",
                     near ? "? See --help" : "; see --help");
}

weft_status option_parse(const weft_option *ours, const weft_option *theirs, option_rest rest,
                         int *argc, char **argv, error *e)
{
    error of_environment = {.status = WEFT_OK};
    weft_status status = WEFT_OK;
    int kept = 1;
    bool ended = false;
    (void)read_environment(ours, &of_environment);
    for (int i = 1; i < *argc && status == WEFT_OK; i++) {
        const char *text = NULL;
        const weft_option *option = ended ? NULL : find_option(theirs, argv[i], &text);
        if (option == NULL && !ended) {
            option = find_option(ours, argv[i], &text);
        }
        const bool is_option = !ended && argv[i][0] == '-' && argv[i][1] != '\0';
        if (option != NULL) {
            status = take_option(option, text, *argc, argv, &i, e);
        } else if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (rest == OPTION_LEAVES_NONE || (rest == OPTION_LEAVES_WORDS && is_option)) {
            status = refuse(ours, theirs, argv[i], ended, e);
        } else {
            argv[kept++] = argv[i];
        }
    }
    if (status == WEFT_OK && of_environment.status != WEFT_OK) {
        *e = of_environment;
        return of_environment.status;
    }
    if (status == WEFT_OK && *argc > 0) {
        argv[kept] = NULL;
        *argc = kept;
    }
    return status;
}
