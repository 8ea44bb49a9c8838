/* SPDX-License-Identifier: BSD-3-Clause */
/* A command of the program, and what all commands share: options, errors. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <getopt.h>
#include <weft/macros.h>
#include <weft/status.h>

typedef struct command {
    const char *name;
    const char *summary; /* one line for `weft --help` */
    const char *help;    /* all of `weft NAME --help` */
    weft_status (*run)(int argc, char **argv);
} command;

/* For the end of every table of options. */
#define COMMAND_HELP                   \
    {                                  \
        "help", no_argument, NULL, 'h' \
    }

/* Says what went wrong, on stderr, behind everything that is on stdout so far, in words that are
 * fit for a terminal wherever they come from. Gives the status. */
weft_status command_error(weft_status status, const char *format, ...) WEFT_PRINTF(2, 3);

/* The next option's letter; -1 after the last one; 0 if the command is over, since help was asked
 * for and printed or the option is wrong: *status says which. argv[0] is the command's name. */
int command_next_option(const command *c, int argc, char **argv, const struct option *options,
                        weft_status *status);

/* What is left of argv behind the options: nothing, or else an error. */
weft_status command_take_nothing(const command *c, int argc, char **argv);

/* What is left of argv behind the options: the path of one file. */
weft_status command_take_file(const command *c, int argc, char **argv, const char **path);

#endif
