/* SPDX-License-Identifier: BSD-3-Clause */
/* Options: from the command line and from the environment, by a table. */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include "base/error.h"

#include <stdbool.h>
#include <weft/session.h>

/* Reads the text of an option's argument into its value; the error names `origin`. */
weft_status option_read(const weft_option *option, const char *origin, const char *text, error *e);

/* Takes the options of both tables (each ended by a row without a name; `theirs` may be NULL) out
 * of argv, values given last win. "--" ends the options and is removed. What neither table knows is
 * an error if `strict`, else it stays. An option of `ours` also has the name WEFT_<NAME> in the
 * environment, which is read first. */
weft_status option_parse(const weft_option *ours, const weft_option *theirs, bool strict, int *argc,
                         char **argv, error *e);

#endif
