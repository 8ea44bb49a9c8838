/* SPDX-License-Identifier: BSD-3-Clause */
/* Bad input is one error for all: every rank returns the same status and text, whichever rank it
 * was that could not go on, and none is left waiting. */
#include "known.h"

#include <fcntl.h>

enum { ITEMS = 50 };

/* The same status and text on every rank. */
static void check_agreed(weft_status status, weft_status expected, const char *text,
                         const char *part)
{
    char first[1024];
    (void)snprintf(first, sizeof first, "%d %.900s", (int)status, text);
    char mine[1024];
    memcpy(mine, first, sizeof mine);
    (void)MPI_Bcast(first, sizeof first, MPI_BYTE, 0, MPI_COMM_WORLD);
    CHECK(strcmp(mine, first) == 0);
    CHECK(status == expected);
    CHECK(strstr(text, part) != NULL);
}

/* Runs with these words, and expects this. */
static void expect(const char *const words[], int64_t count, weft_status expected, const char *part)
{
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    verdict_words(words, &argc, &argv);
    weft_status status = weft_init(&argc, &argv, NULL, &session);
    if (status == WEFT_OK) {
        weft_map *map = known_map(session, "refused", count);
        status = weft_map_run(map, known_kernel, NULL);
        weft_map_destroy(map);
    }
    check_agreed(status, expected, weft_error_text(session), part);
    CHECK(weft_finish(session, status) == weft_status_exit(expected));
}

#define WORDS(...)                                                                              \
    ((const char *const[]){"--log", "error", "--progress", "never", "--sync", "0", __VA_ARGS__, \
                           NULL})

static void try_options(void)
{
    const bool last = verdict_rank == verdict_ranks - 1;
    (void)snprintf(verdict_case, sizeof verdict_case, "a bad option on all ranks");
    expect(WORDS("--threads=many"), ITEMS, WEFT_ERR_USAGE, "--threads: 'many'");
    (void)snprintf(verdict_case, sizeof verdict_case, "a bad option on the last rank");
    expect(WORDS(last ? "--grain=0" : "--grain=1"), ITEMS, WEFT_ERR_USAGE, "--grain");
}

static void try_program_errors(void)
{
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    (void)snprintf(verdict_case, sizeof verdict_case, "an error of the program on the last rank");
    verdict_words(WORDS("--seed=0"), &argc, &argv);
    if (CHECK(weft_init(&argc, &argv, NULL, &session) == WEFT_OK)) {
        weft_status status = WEFT_OK;
        if (verdict_rank == verdict_ranks - 1) {
            status = weft_error(session, WEFT_ERR_NOT_FOUND, "no input on this rank");
        }
        status = weft_agree(session, status);
        check_agreed(status, WEFT_ERR_NOT_FOUND, weft_error_text(session), "no input");
        CHECK(weft_agree(session, WEFT_OK) == WEFT_OK);
    }
    CHECK(weft_finish(session, WEFT_OK) == 0);
}

static void try_kernel_missing(const char *path)
{
    int argc = 0;
    char **argv = NULL;
    weft_session *session = NULL;
    (void)snprintf(verdict_case, sizeof verdict_case, "no kernel on the last rank");
    verdict_words(WORDS("--out", path), &argc, &argv);
    if (CHECK(weft_init(&argc, &argv, NULL, &session) == WEFT_OK)) {
        weft_map *map = known_map(session, "refused", ITEMS);
        const weft_status status =
            weft_map_run(map, verdict_rank == verdict_ranks - 1 ? NULL : known_kernel, NULL);
        check_agreed(status, WEFT_ERR_USAGE, weft_error_text(session), "no kernel");
        weft_map_destroy(map);
    }
    CHECK(weft_finish(session, WEFT_OK) == 0);
    CHECK(access(path, F_OK) != 0);
}

static void try_files(const char *path)
{
    char none[400];
    (void)snprintf(none, sizeof none, "%s/none/a.h5", verdict_folder);
    (void)snprintf(verdict_case, sizeof verdict_case, "a folder that is not there");
    expect(WORDS("--out", none), ITEMS, WEFT_ERR_USAGE, "none/a.h5");
    (void)snprintf(verdict_case, sizeof verdict_case, "a text file");
    if (verdict_rank == 0) {
        const int fd = open(path, O_CREAT | O_WRONLY, 0666);
        CHECK(fd >= 0 && write(fd, "my notes\n", 9) == 9 && close(fd) == 0);
    }
    expect(WORDS("--out", path), ITEMS, WEFT_ERR_FORMAT, "not an HDF5 file");
    CHECK(access(path, F_OK) == 0);
    verdict_barrier();
    if (verdict_rank == 0) {
        CHECK(unlink(path) == 0);
    }
    (void)snprintf(verdict_case, sizeof verdict_case, "another job's file");
    expect(WORDS("--out", path), ITEMS, WEFT_OK, "");
    expect(WORDS("--out", path), ITEMS + 1, WEFT_ERR_OTHER_JOB, "the shape");
    expect(WORDS("--out", path, "--seed", "4"), ITEMS, WEFT_ERR_OTHER_JOB, "the seed");
    expect(WORDS("--out", path, "--grain", "3"), ITEMS, WEFT_ERR_OTHER_JOB, "the grain");
    (void)snprintf(verdict_case, sizeof verdict_case, "a truncated file");
    verdict_barrier();
    if (verdict_rank == 0) {
        CHECK(truncate(path, 5000) == 0);
    }
    expect(WORDS("--out", path), ITEMS, WEFT_ERR_CORRUPT, "truncated");
    expect(WORDS("--out", path, "--fresh"), ITEMS, WEFT_OK, "");
}

int main(int argc, char **argv)
{
    char path[320];
    verdict_begin(&argc, &argv);
    (void)snprintf(path, sizeof path, "%s/refused.h5", verdict_folder);
    try_options();
    try_program_errors();
    try_kernel_missing(path);
    try_files(path);
    return verdict_end();
}
