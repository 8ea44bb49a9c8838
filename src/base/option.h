/* SPDX-License-Identifier: BSD-3-Clause */
/* Options: from the command line and from the environment, by a table. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/error.h"

#include <stdbool.h>
#include <weft/session.h>

/* Reads the text of an option's argument into its value; the error names `origin`. */
weft_status option_read(const weft_option *option, const char *origin, const char *text, error *e);

/* What may be left in argv. */
typedef enum option_rest {
    OPTION_LEAVES_ALL,   /* whatever neither table knows */
    OPTION_LEAVES_WORDS, /* but no option that neither knows: that is an error */
    OPTION_LEAVES_NONE   /* nor any other word */
} option_rest;

/* Takes the options of both tables (each ended by a row without a name; `theirs` may be NULL) out
 * of argv, values given last win. "--" ends the options and is removed. An option of `ours` also
 * has the name WEFT_<NAME> in the environment, which is read first; those that ask for a text and
 * nothing else, such as --help, have not. */
weft_status option_parse(const weft_option *ours, const weft_option *theirs, option_rest rest,
                         int *argc, char **argv, error *e);

/* Warns of variables WEFT_<NAME> that are no option's, nor anything else that weft reads. */
void option_warn_of_variables(const weft_option *ours);

#endif
