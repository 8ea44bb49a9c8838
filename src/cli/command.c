/* SPDX-License-Identifier: BSD-3-Clause */
/* A command of the program, and what all commands share: options, errors. */
#include "command.h"

#include "base/option.h"
#include "base/terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <weft/version.h>

weft_status command_error(weft_status status, const char *format, ...)
{
    va_list arguments;
    (void)fflush(stdout);
    va_start(arguments, format);
    terminal_print_list("weft: error: ", format, arguments);
    va_end(arguments);
    return status;
}

weft_status command_failed(weft_status status, const char *text)
{
    return command_error(status, "%s", text[0] == '\0' ? weft_status_text(status) : text);
}

weft_status command_choose_maps(weft_result *result, const char *name, int *first, int *end)
{
    *first = name == NULL ? 0 : weft_result_find_map(result, name);
    *end = name == NULL ? weft_result_describe(result)->maps : *first + 1;
    return *first < 0 ? WEFT_ERR_USAGE : WEFT_OK;
}

weft_status command_print_version(void)
{
    (void)printf("weft %s\n", weft_version());
    return WEFT_HELP_SHOWN;
}

static weft_status take_file(const command *c, char **words, command_file *file)
{
    if (file != NULL && *words == NULL) {
        return command_error(WEFT_ERR_USAGE, "no FILE is given; see weft %s --help", c->name);
    }
    if (file != NULL) {
        file->path = *words++;
        (void)snprintf(file->shown, sizeof file->shown, "%s", file->path);
        terminal_clean(file->shown);
        file->part = c->takes_part && *words != NULL ? *words++ : NULL;
    }
    return *words == NULL
               ? WEFT_OK
               : command_error(WEFT_ERR_USAGE, "unexpected argument '%s'; see weft %s --help",
                               *words, c->name);
}

weft_status command_read(const command *c, const weft_option *options, int argc, char **argv,
                         command_file *file)
{
    static char help_word[] = "--help";
    bool help = false;
    bool version = false;
    const weft_option ours[] = {{"help", NULL, WEFT_OPTION_FLAG, &help, ""},
                                {"version", NULL, WEFT_OPTION_FLAG, &version, ""},
                                {0}};
    error e;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        argv[i] = strcmp(argv[i], "-h") == 0 ? help_word : argv[i];
    }
    if (option_parse(ours, options, OPTION_LEAVES_WORDS, &argc, argv, &e) != WEFT_OK) {
        return command_error(e.status, "%s: %s", c->name, e.text);
    }
    if (help) {
        (void)fputs(c->help, stdout);
        return WEFT_HELP_SHOWN;
    }
    return version ? command_print_version() : take_file(c, argv + 1, file);
}
