/* SPDX-License-Identifier: BSD-3-Clause */
/* What the programs under mpirun share: checks that all ranks fail by together, a folder that all
 * ranks know, a time limit.
 *
 * An assertion that leaves one rank would let the others wait for it in MPI. So a check only notes
 * what is wrong, and settle() lets every rank learn of it, and end, at the same place. */
#ifndef TEST_MPI_VERDICT_H
#define TEST_MPI_VERDICT_H

#include <dirent.h>
#include <mpi.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* For what hangs: no machine is so busy that a test takes this long. */
enum { VERDICT_LIMIT_S = 2400, VERDICT_TEXT_BYTES = 1024 };

static char verdict_first[VERDICT_TEXT_BYTES]; /* the first check that failed on this rank */
static char verdict_case[200];                 /* what is being tested */
static char verdict_folder[256];
static int verdict_rank;
static int verdict_ranks;
static int verdict_level = MPI_THREAD_FUNNELED; /* that is asked for, and then what there is */

#define CHECK(condition) verdict_note((condition), #condition, __FILE__, __LINE__)

static inline bool verdict_note(bool good, const char *what, const char *file, int line)
{
    if (!good && verdict_first[0] == '\0') {
        const char *slash = strrchr(file, '/');
        (void)snprintf(verdict_first, sizeof verdict_first, "%s:%d: rank %d: %s: %s",
                       slash == NULL ? file : slash + 1, line, verdict_rank, verdict_case, what);
    }
    return good;
}

static inline void verdict_too_late(int number)
{
    (void)number;
    static const char text[] = "time limit: a rank hangs in: ";
    /* Only what a signal handler may call. */
    const ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1) +
                            write(STDERR_FILENO, verdict_case, strlen(verdict_case)) +
                            write(STDERR_FILENO, "\n", 1);
    _exit(ignored > 0 ? 124 : 125);
}

/* Open MPI waits by asking again and again, which takes the cores from the rank that is waited for.
 */
static inline void verdict_wait(MPI_Request *request)
{
    int done = 0;
    while (MPI_Test(request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
}

/* Collective. */
static inline void verdict_barrier(void)
{
    MPI_Request request;
    (void)MPI_Ibarrier(MPI_COMM_WORLD, &request);
    verdict_wait(&request);
}

/* MPI_Allreduce(). Collective. */
static inline void verdict_reduce(const void *mine, void *all, int count, MPI_Datatype type,
                                  MPI_Op op)
{
    MPI_Request request;
    (void)MPI_Iallreduce(mine, all, count, type, op, MPI_COMM_WORLD, &request);
    verdict_wait(&request);
}

/* Starts MPI, the clock, and a folder for results. Collective. */
static inline void verdict_begin(int *argc, char ***argv)
{
    (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    (void)signal(SIGALRM, verdict_too_late);
    (void)alarm(VERDICT_LIMIT_S);
    (void)MPI_Init_thread(argc, argv, verdict_level, &verdict_level);
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &verdict_rank);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &verdict_ranks);
    if (verdict_rank == 0) {
        const char *base = getenv("TMPDIR");
        (void)snprintf(verdict_folder, sizeof verdict_folder, "%.200s/weft-mpi-XXXXXX",
                       base == NULL ? "." : base);
        if (mkdtemp(verdict_folder) == NULL) {
            verdict_folder[0] = '\0';
        }
    }
    (void)MPI_Bcast(verdict_folder, sizeof verdict_folder, MPI_BYTE, 0, MPI_COMM_WORLD);
    CHECK(verdict_folder[0] != '\0');
}

static inline void verdict_remove_folder(void)
{
    DIR *folder = opendir(verdict_folder);
    for (struct dirent *each = folder == NULL ? NULL : readdir(folder); each != NULL;
         each = readdir(folder)) {
        char path[600];
        (void)snprintf(path, sizeof path, "%s/%s", verdict_folder, each->d_name);
        (void)unlink(path);
    }
    if (folder != NULL) {
        (void)closedir(folder);
        (void)rmdir(verdict_folder);
    }
}

/* Whether some rank has failed a check by now; the lowest of them tells which. Collective. */
static inline bool verdict_failed(void)
{
    int mine = verdict_first[0] == '\0' ? verdict_ranks : verdict_rank;
    int lowest = mine;
    verdict_reduce(&mine, &lowest, 1, MPI_INT, MPI_MIN);
    if (lowest < verdict_ranks) {
        (void)MPI_Bcast(verdict_first, sizeof verdict_first, MPI_BYTE, lowest, MPI_COMM_WORLD);
    }
    return lowest < verdict_ranks;
}

/* Ends MPI; what main() returns. Collective. */
static inline int verdict_end(void)
{
    const bool failed = verdict_failed();
    if (verdict_rank == 0) {
        verdict_remove_folder();
        (void)printf("%s%s\n", failed ? "FAILED " : "passed", failed ? verdict_first : "");
        (void)fflush(stdout);
    }
    (void)MPI_Finalize();
    return failed ? 1 : 0;
}

/* The number that the test's second dimension has, from WEFT_THREADS. */
static inline int verdict_threads(void)
{
    const char *text = getenv("WEFT_THREADS");
    return text == NULL ? 1 : (int)strtol(text, NULL, 10);
}

/* Words for weft_init(), which takes them apart: copies, in static memory. */
static inline void verdict_words(const char *const words[], int *argc, char ***argv)
{
    static char texts[24][320];
    static char *pointers[25];
    *argc = 0;
    *argv = pointers;
    (void)snprintf(texts[0], sizeof texts[0], "tester");
    pointers[(*argc)++] = texts[0];
    for (int i = 0; words[i] != NULL && i < 22; i++) {
        (void)snprintf(texts[*argc], sizeof texts[0], "%s", words[i]);
        pointers[*argc] = texts[*argc];
        *argc += 1;
    }
    pointers[*argc] = NULL;
}

#endif
