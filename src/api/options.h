/* SPDX-License-Identifier: BSD-3-Clause */
/* The options that every program built on weft has. */
#ifndef API_OPTIONS_H
#define API_OPTIONS_H

#include "base/error.h"
#include "base/log.h"
#include "engine/flow/run_options.h"

#include <stdbool.h>
#include <stdint.h>
#include <weft/session.h>

typedef struct options {
    const char *out;     /* NULL: by the map's name */
    int64_t threads;     /* -1: not given */
    double time_limit_s; /* 0: none; -1: not given */
    run_options run;     /* what the session and the map say of it is not in it yet */
    log_level log;
    bool help;
    bool version;
} options;

/* Takes weft's options, and the program's, out of argv and the environment. */
weft_status options_read(options *c, const weft_program *program, int *argc, char **argv, error *e);

/* Warns of variables of the environment that look like options, and are none. */
void options_warn_of_variables(void);

/* Print the help text, or the versions, on stdout; an error if that is not possible, but none if
 * nobody wants to read on. */
weft_status options_print_help(const weft_program *program, const char *name, error *e);
weft_status options_print_version(const weft_program *program, const char *name, error *e);

#endif
