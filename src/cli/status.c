/* SPDX-License-Identifier: BSD-3-Clause */
/* weft status: how far a result is, while its job runs and afterwards. */
#include "status.h"

#include "status_data.h"
#include "status_json.h"
#include "status_text.h"

#include <stdbool.h>

static weft_status show(const char *path, bool as_json)
{
    weft_result *result = NULL;
    report r = {.path = NULL};
    weft_status status = weft_result_open(path, &result);
    if (status == WEFT_OK) {
        status = report_gather(result, path, &r);
    }
    if (status == WEFT_OK) {
        if (as_json) {
            status = status_print_json(&r);
        } else {
            status_print_text(&r);
        }
    }
    if (status != WEFT_OK) {
        const char *text = weft_result_error_text(result);
        (void)command_error(status, "%s", text[0] == '\0' ? weft_status_text(status) : text);
    }
    report_release(&r);
    weft_result_close(result);
    return status;
}

static weft_status run_status(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'}, COMMAND_HELP, {0}};
    const char *path = NULL;
    bool as_json = false;
    weft_status status = WEFT_OK;
    int letter = 0;
    while (status == WEFT_OK && letter != -1) {
        letter = command_next_option(&status_command, argc, argv, options, &status);
        as_json = as_json || letter == 'j';
    }
    if (status == WEFT_OK) {
        status = command_take_file(&status_command, argc, argv, &path);
    }
    return status == WEFT_OK ? show(path, as_json) : status;
}

const command status_command = {
    .name = "status",
    .summary = "how far a result is, who is running it, what went wrong",
    .help = "usage: weft status FILE [--json]\n"
            "\n"
            "Says how far a result is: while its job runs, after a kill, when it is complete. "
            "Nothing is\n"
            "written or locked.\n"
            "\n"
            "options\n"
            "  --json  for programs: everything, with all runs and all failures\n"
            "  --help  this text\n"
            "\n"
            "The state is one of\n"
            "  running                     a run is writing to the file now\n"
            "  complete                    every item is in the result\n"
            "  complete with failed items  the same, but some hold fill values\n"
            "  interrupted                 run the same command again to continue\n"
            "\n"
            "Exit status: 0 if the file could be read, whatever its state; 1 if it is damaged or "
            "cannot\n"
            "be read; 2 if it is not a result of weft.\n",
    .run = run_status,
};
