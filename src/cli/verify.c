/* SPDX-License-Identifier: BSD-3-Clause */
/* weft verify: whether a result's bytes are those that were computed. */
#include "command.h"

#include "base/terminal.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

enum { MOST_LISTED = 20 };

/* What there is to say of bad tiles: each of the first few, and how many. */
static void list_tile(int64_t tile, int64_t first, int64_t count, const char *what, void *context)
{
    int64_t *seen = context;
    if (++*seen > MOST_LISTED) {
        return;
    }
    if (count == 1) {
        (void)printf("tile %" PRId64 ", item %" PRId64 ": %s\n", tile, first, what);
    } else {
        (void)printf("tile %" PRId64 ", items %" PRId64 " to %" PRId64 ": %s\n", tile, first,
                     first + count - 1, what);
    }
}

/* The next run sees a damaged record by itself. It does not read data, so damage there stays. */
static void advise(const weft_result_progress *progress, int64_t bad)
{
    if (progress->in_use) {
        (void)printf("the file is in use by %s: tiles may have changed while they were read; "
                     "verify again when that run is over\n",
                     progress->user);
    }
    if (bad > progress->tiles_bad) {
        (void)printf(
            "to repair the data: run the job's command again with --fresh, which moves the "
            "file to FILE.bak and computes everything anew\n");
    } else {
        (void)printf(
            "to repair the tile records: run the job's command again, which computes these "
            "tiles anew\n");
    }
}

static weft_status verify_map(weft_result *result, int map, const char *path)
{
    weft_result_progress progress;
    char name[WEFT_NAME_BYTES];
    int64_t verified = 0;
    int64_t bad = 0;
    int64_t seen = 0;
    weft_status status = weft_result_set_map(result, map);
    if (status == WEFT_OK) {
        status = weft_result_get_progress(result, &progress);
    }
    if (status == WEFT_OK) {
        status = weft_result_verify(result, list_tile, &seen, &verified, &bad);
    }
    if (status != WEFT_OK && status != WEFT_ERR_CORRUPT) {
        return status;
    }
    if (bad > MOST_LISTED) {
        (void)printf("… and %" PRId64 " more\n", bad - MOST_LISTED);
    }
    const weft_result_info *info = weft_result_describe(result);
    const int64_t left = info->tiles - verified - bad;
    (void)snprintf(name, sizeof name, "%s", info->name);
    terminal_clean(name);
    (void)printf("%s%s%s: %" PRId64 " tiles verified, %" PRId64 " not done yet", path,
                 info->maps > 1 ? ", map " : "", info->maps > 1 ? name : "", verified, left);
    if (bad > 0) {
        (void)printf(", %" PRId64 " DAMAGED", bad);
    }
    (void)printf("\n");
    if (bad > 0) {
        terminal_clean(progress.user);
        advise(&progress, bad);
    }
    return status;
}

/* Damage in one map is no reason not to look at the next. */
static weft_status verify(weft_result *result, const char *path, const char *map)
{
    int first = 0;
    int end = 0;
    weft_status worst = command_choose_maps(result, map, &first, &end);
    for (int i = first; i < end && (worst == WEFT_OK || worst == WEFT_ERR_CORRUPT); i++) {
        const weft_status status = verify_map(result, i, path);
        if (status == WEFT_ERR_CORRUPT) {
            (void)command_failed(status, weft_result_error_text(result));
        }
        worst = status == WEFT_OK ? worst : status;
    }
    return worst;
}

static weft_status run_verify(int argc, char **argv)
{
    const char *map = NULL;
    const weft_option options[] = {{"map", "NAME", WEFT_OPTION_STRING, &map, ""}, {0}};
    command_file file;
    bool said = false;
    weft_result *result = NULL;
    weft_status status = command_read(&verify_command, options, argc, argv, &file);
    if (status != WEFT_OK) {
        return status;
    }
    status = weft_result_open(file.path, &result);
    if (status == WEFT_OK) {
        status = verify(result, file.shown, map);
        said = status == WEFT_ERR_CORRUPT;
    }
    if (status != WEFT_OK && !said) {
        (void)command_failed(status, weft_result_error_text(result));
    }
    weft_result_close(result);
    return status;
}

const command verify_command = {
    .name = "verify",
    .summary = "checks every byte of a result that is marked done",
    .help = "usage: weft verify FILE [--map NAME]\n"
            "\n"
            "Computes the checksum of every tile that is done from the bytes on disk. Lists the "
            "first 20\n"
            "tiles that differ or cannot be read, and those whose tile record is damaged.\n"
            "\n"
            "options\n"
            "  --map NAME  this map of the file alone\n"
            "  --help      this text\n"
            "\n"
            "Exit status: 0 if every tile agrees, also of a result that is not complete; 1 if one "
            "does\n"
            "not, or the file cannot be read; 2 if it is not a result of weft.\n",
    .run = run_verify,
};
