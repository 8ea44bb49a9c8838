/* SPDX-License-Identifier: BSD-3-Clause */
/* A command of the program, and what all commands share: options, errors. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <weft/option.h>
#include <weft/result.h>
#include <weft/status.h>

typedef struct command {
    const char *name;
    const char *summary; /* one line for `weft --help` */
    const char *help;    /* all of `weft NAME --help` */
    weft_status (*run)(int argc, char **argv);
    bool takes_part; /* a part of the file may be named behind it */
} command;

extern const command status_command;
extern const command plan_command;
extern const command verify_command;
extern const command show_command;
extern const command random_command;

/* Says what went wrong, on stderr, behind everything that is on stdout so far, in words that are
 * fit for a terminal wherever they come from. Gives the status. */
weft_status command_error(weft_status status, const char *format, ...) WEFT_PRINTF(2, 3);

/* The same of a function of the library, with the text that goes with its status, or "". */
weft_status command_failed(weft_status status, const char *text);

/* A file that a command looks at. */
typedef struct command_file {
    const char *path;
    const char *part; /* what is named behind it; NULL: nothing */
    char shown[4096]; /* the path as it is printed, fit for a terminal */
} command_file;

/* Reads a command's options, which end with a row without a name, and the path of one file, unless
 * `file` is NULL. --help, -h and --version are answered: WEFT_HELP_SHOWN. argv[0] is the command's
 * name. */
weft_status command_read(const command *c, const weft_option *options, int argc, char **argv,
                         command_file *file);

/* The maps of a result that a command is about: all, or the one of that name, if it is not NULL.
 * What is wrong is in the result's error. */
weft_status command_choose_maps(weft_result *result, const char *name, int *first, int *end);

weft_status command_print_version(void);

#endif
