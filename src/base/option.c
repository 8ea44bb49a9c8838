/* SPDX-License-Identifier: BSD-3-Clause */
/* Options: from the command line and from the environment, by a table. */
#include "base/option.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_int64(const char *text, int64_t *value)
{
    char *end = NULL;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (end == text || errno == ERANGE || isspace((unsigned char)text[0])) {
        return false;
    }
    int64_t factor = 1;
    switch (*end) {
    case 'k':
        factor = 1000;
        break;
    case 'M':
        factor = 1000000;
        break;
    case 'G':
        factor = 1000000000;
        break;
    default:
        break;
    }
    if (factor > 1) {
        end++;
    }
    if (*end != '\0' || number > INT64_MAX / factor || number < INT64_MIN / factor) {
        return false;
    }
    *value = number * factor;
    return true;
}

static bool read_double(const char *text, double *value)
{
    char *end = NULL;
    const double number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(number) || isspace((unsigned char)text[0])) {
        return false;
    }
    *value = number;
    return true;
}

/* What `WEFT_FRESH=…` may say. */
static bool read_flag(const char *text, bool *value)
{
    const bool yes =
        strcmp(text, "1") == 0 || strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    const bool no = strcmp(text, "0") == 0 || strcmp(text, "no") == 0 || strcmp(text, "false") == 0;
    *value = yes;
    return yes || no;
}

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
        good = read_int64(text, option->value);
        wanted = "a whole number";
        break;
    case WEFT_OPTION_DOUBLE:
        good = read_double(text, option->value);
        wanted = "a number";
        break;
    case WEFT_OPTION_STRING:
        good = text[0] != '\0';
        wanted = "a text that is not empty";
        if (good) {
            memcpy(option->value, &text, sizeof text);
        }
        break;
    }
    if (!good) {
        return error_set(e, WEFT_ERR_USAGE, "%s: '%s' is not %s", origin, text, wanted);
    }
    return WEFT_OK;
}

static weft_status read_environment(const weft_option *table, error *e)
{
    for (const weft_option *option = table; option->name != NULL; option++) {
        char name[64];
        int used = snprintf(name, sizeof name, "WEFT_%s", option->name);
        for (int i = 0; i < used && i < (int)sizeof name; i++) {
            name[i] = name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
        }
        const char *text = getenv(name);
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

weft_status option_parse(const weft_option *ours, const weft_option *theirs, bool strict, int *argc,
                         char **argv, error *e)
{
    weft_status status = read_environment(ours, e);
    int kept = 1;
    bool ended = false;
    for (int i = 1; i < *argc && status == WEFT_OK; i++) {
        const char *text = NULL;
        const weft_option *option = ended ? NULL : find_option(theirs, argv[i], &text);
        if (option == NULL && !ended) {
            option = find_option(ours, argv[i], &text);
        }
        if (option != NULL) {
            status = take_option(option, text, *argc, argv, &i, e);
        } else if (!ended && strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (!ended && strict && argv[i][0] == '-' && argv[i][1] != '\0') {
            status = error_set(e, WEFT_ERR_USAGE, "unknown option %s; see --help", argv[i]);
        } else {
            argv[kept++] = argv[i];
        }
    }
    if (status == WEFT_OK && *argc > 0) {
        argv[kept] = NULL;
        *argc = kept;
    }
    return status;
}
