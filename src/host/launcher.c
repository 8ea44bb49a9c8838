/* SPDX-License-Identifier: BSD-3-Clause */
/* What launchers of parallel programs say of this process in its environment. */
#include "host/launcher.h"

#include "base/number.h"
#include "host/host.h"
#include "host/process.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Slurm's numbers for what is not a step of srun's: batch script, interactive shell and so on. */
static const int64_t first_special_step = INT64_C(4294967280);

enum { NAME_BYTES = 64, MOST_ANCESTORS = 64 };

static const struct {
    const char *rank;
    const char *size;
    bool by_slurm; /* srun sets it for each task, perhaps besides others */
    bool on_host;  /* it counts the ranks of a host */
} variables[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", false, false},
    {"PMI_RANK", "PMI_SIZE", true, false},
    {"MPI_LOCALRANKID", "MPI_LOCALNRANKS", false, true},
    {"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE", false, false},
    {"PMIX_RANK", NULL, true, false},
    {"ALPS_APP_PE", NULL, false, false},
    {"SLURM_PROCID", "SLURM_NTASKS", true, false},
};
enum { VARIABLES = sizeof variables / sizeof variables[0] };

/* A whole number that is not negative; -1 if it is none. */
static int64_t read_variable(const char *name)
{
    const char *text = name == NULL ? NULL : getenv(name);
    int64_t number = -1;
    return text != NULL && number_read_int64(text, &number) && number >= 0 ? number : -1;
}

/* Whether a process only takes care of others that have lost their parents. */
static bool adopts(int64_t pid)
{
    char name[NAME_BYTES];
    (void)host_read_file(name, sizeof name, "/proc/%lld/comm", (long long)pid);
    return pid <= 1 || strcmp(name, "systemd\n") == 0;
}

/* Whether the process that has set a variable still exists: the parent of the topmost process that
 * has it. */
static bool setter_lives(const char *name)
{
    int64_t parent = (int64_t)getppid();
    for (int i = 0; i < MOST_ANCESTORS && process_started_with(parent, name, NULL); i++) {
        parent = host_process_parent(parent);
    }
    return !adopts(parent);
}

/* Whether this is what runs in a shell that srun --pty has started. The tasks are such shells. */
static bool in_shell_of_step(void)
{
    return getenv("SLURM_PTY_PORT") != NULL && read_variable("SLURM_TASK_PID") != getpid();
}

/* The environment of a job without a step. */
static bool outside_of_step(void)
{
    const int64_t step = read_variable("SLURM_STEP_ID");
    return step < 0 || step >= first_special_step;
}

static bool is_slurm(const char *rank_variable)
{
    return strcmp(rank_variable, "SLURM_PROCID") == 0;
}

bool launcher_is_there(void)
{
    bool any = false;
    for (int i = 0; i < VARIABLES; i++) {
        const bool inherited =
            is_slurm(variables[i].rank) && (outside_of_step() || in_shell_of_step());
        any = any || (!inherited && read_variable(variables[i].rank) >= 0);
    }
    return any;
}

bool launcher_claims_several(launcher_claim *claim)
{
    bool several = false;
    for (int i = 0; i < VARIABLES; i++) {
        const int64_t rank = read_variable(variables[i].rank);
        int64_t size = read_variable(variables[i].size);
        if (is_slurm(variables[i].rank) && read_variable("SLURM_STEP_NUM_TASKS") > 0) {
            size = read_variable("SLURM_STEP_NUM_TASKS");
        }
        if (rank < 0 || (is_slurm(variables[i].rank) && outside_of_step()) ||
            (variables[i].by_slurm && in_shell_of_step())) {
            continue;
        }
        if (size == 1 && !variables[i].on_host) {
            return false;
        }
        if (!several && (size > 1 || rank > 0) && setter_lives(variables[i].rank)) {
            several = true;
            *claim = (launcher_claim){.rank_variable = variables[i].rank,
                                      .size_variable = variables[i].size,
                                      .rank = (int)rank,
                                      .size = size > 1 ? (int)size : 0};
        }
    }
    return several;
}
