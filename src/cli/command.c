/* SPDX-License-Identifier: BSD-3-Clause */
/* A command of the program, and what all commands share: options, errors. */
#include "command.h"

#include "base/terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

weft_status command_error(weft_status status, const char *format, ...)
{
    va_list arguments;
    (void)fflush(stdout);
    va_start(arguments, format);
    terminal_print_list("weft: error: ", format, arguments);
    va_end(arguments);
    return status;
}

static weft_status wrong_option(const command *c, const char *word, const char *what)
{
    return command_error(WEFT_ERR_USAGE, "%s '%s'; see weft %s --help", what, word, c->name);
}

int command_next_option(const command *c, int argc, char **argv, const struct option *options,
                        weft_status *status)
{
    /* ":": getopt tells a missing argument from an unknown option, and prints nothing itself. */
    const int letter = getopt_long(argc, argv, ":h", options, NULL);
    const char *word = argv[optind - 1];
    switch (letter) {
    case 'h':
        (void)fputs(c->help, stdout);
        *status = WEFT_HELP_SHOWN;
        return 0;
    case ':':
        *status = wrong_option(c, word, "an argument is missing behind");
        return 0;
    case '?':
        *status =
            wrong_option(c, word,
                         optopt != 0 && strchr(word, '=') != NULL ? "this option takes no argument:"
                                                                  : "unknown option");
        return 0;
    default:
        return letter;
    }
}

weft_status command_take_nothing(const command *c, int argc, char **argv)
{
    if (optind < argc) {
        return wrong_option(c, argv[optind], "unexpected argument");
    }
    return WEFT_OK;
}

weft_status command_take_file(const command *c, int argc, char **argv, const char **path)
{
    if (optind >= argc) {
        return command_error(WEFT_ERR_USAGE, "no FILE is given; see weft %s --help", c->name);
    }
    *path = argv[optind++];
    return command_take_nothing(c, argc, argv);
}
