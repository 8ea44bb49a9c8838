/* SPDX-License-Identifier: BSD-3-Clause */
/* weft: runs programs, and looks at results from outside, one command each. */
#include "command.h"

#include "launch/launch.h"
#include "launch/request.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <weft/session.h>

static const command *const commands[] = {&status_command, &show_command, &plan_command,
                                          &verify_command, &random_command};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static weft_status print_help(void)
{
    (void)printf("usage: weft COMMAND [OPTION...] [FILE]\n"
                 "\n"
                 "Runs programs built on weft, and looks at the results that they leave behind.\n"
                 "\n"
                 "commands\n"
                 "  run       runs a program under mpirun, on this host, on several or in Slurm\n");
    for (int i = 0; i < COMMANDS; i++) {
        (void)printf("  %-8s  %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)printf("  help      this text; help COMMAND: more on a command;\n"
                 "            help options: the options of every program built on weft\n"
                 "  version   which version of weft this is\n"
                 "\n"
                 "--help and --version do the same; so does --help behind a command.\n"
                 "\n"
                 "Exit status: 0 all is well, 1 a damaged result or a system error, 2 wrong usage "
                 "or not\na result of weft.\n");
    return WEFT_HELP_SHOWN;
}

static weft_status run_command(int argc, char **argv)
{
    if (argc < 2) {
        return command_error(WEFT_ERR_USAGE, "no command is given; see weft --help");
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
        return command_print_version();
    }
    const bool help = strcmp(word, "help") == 0;
    if (help && argc > 2 && strcmp(argv[2], "options") == 0) {
        (void)fputs(weft_options_text(), stdout);
        return WEFT_HELP_SHOWN;
    }
    if (help && argc > 2 && strcmp(argv[2], "run") == 0) {
        (void)fputs(request_help(), stdout);
        return WEFT_HELP_SHOWN;
    }
    if (help && argc > 2) {
        /* weft help COMMAND: what weft COMMAND --help prints. */
        word = argv[2];
    } else if (help || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        return print_help();
    }
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(word, commands[i]->name) == 0) {
            if (help) {
                (void)fputs(commands[i]->help, stdout);
                return WEFT_HELP_SHOWN;
            }
            return commands[i]->run(argc - 1, argv + 1);
        }
    }
    return command_error(WEFT_ERR_USAGE, "unknown %s '%s'; see weft --help",
                         word[0] == '-' ? "option" : "command", word);
}

int main(int argc, char **argv)
{
    /* It ends with the status of the program that it has run. */
    if (argc > 1 && strcmp(argv[1], "run") == 0) {
        return launch_run(argv + 2);
    }
    /* A reader that goes away is then an error of the write, and is reported as one. */
    (void)signal(SIGPIPE, SIG_IGN);
    const weft_status status = run_command(argc, argv);
    int number = ferror(stdout) != 0 ? errno : 0;
    if (fflush(stdout) != 0) {
        number = errno;
    }
    if (ferror(stdout) != 0) {
        return weft_status_exit(
            command_error(WEFT_ERR_SYSTEM, "cannot write to stdout: %s", strerror(number)));
    }
    return weft_status_exit(status);
}
