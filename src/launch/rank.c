/* SPDX-License-Identifier: BSD-3-Clause */
/* `weft run --rank`: stands between mpirun and each rank. */
#include "launch/rank.h"

#include "host/outcome_file.h"
#include "launch/message.h"
#include "launch/spawn.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The rank gets them as well, and it is the rank's end that counts. */
static void let_by(int number)
{
    (void)number;
}

static void let_signals_by(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            memset(&action, 0, sizeof action);
            action.sa_handler = let_by;
            action.sa_flags = SA_RESTART;
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

int rank_run(char *const program[])
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    /* If mpirun itself is gone, a rank that prints something must live on. */
    spawn_options options = {.keeps_stdin = true, .ignores_pipe = true};
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t pid = spawn(program, &options);
    let_signals_by();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    const int status = pid < 0 ? 1 : spawn_wait(pid);
    if (rank == NULL) {
        return status;
    }
    if (strcmp(rank, "0") == 0 || (status != 0 && !outcome_file_is_marked("", ""))) {
        outcome_file_mark_status(OUTCOME_RANK, rank, status);
    }
    if (status > 128) {
        message_print(LOG_INFO, "rank %s was ended by signal %d", rank, status - 128);
    }
    return 0;
}
