/* SPDX-License-Identifier: BSD-3-Clause */
/* The Slurm job that the launcher runs in. */
#include "launch/allocation.h"

#include "base/clock.h"
#include "base/number.h"
#include "launch/message.h"
#include "launch/spawn.h"
#include "launch/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a program prints, to be freed. */
static char *read_answer(const char *line)
{
    words w = {.count = 0};
    int status = 0;
    words_split(&w, line);
    char *shown = spawn_read(w.word, &status);
    words_free(&w);
    return shown;
}

static bool is_state_of_living(const char *state)
{
    static const char *const alive[] = {"CONFIGURING", "COMPLETING", "PENDING",   "RUNNING",
                                        "RESIZING",    "SIGNALING",  "SUSPENDED", "STAGE_OUT",
                                        "STOPPED",     "REQUEUE",    "RESV_DEL"};
    for (size_t i = 0; i < sizeof alive / sizeof alive[0]; i++) {
        if (strncmp(state, alive[i], strlen(alive[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* A job may have inherited the end of the one in which it was submitted. If Slurm does not say
 * whether a job lives, its end does. */
static bool is_over(const char *job)
{
    const char *end = getenv("SLURM_JOB_END_TIME");
    double end_s = 0;
    const bool past =
        end != NULL && number_read_double(end, &end_s) && end_s > 0 && end_s < clock_wall_s();
    char *line = words_text("scontrol show job -o %s", job);
    char *shown = read_answer(line);
    const char *state = strstr(shown, "JobState=");
    const bool lives = state != NULL && is_state_of_living(state + strlen("JobState="));
    const bool known = state != NULL || strstr(shown, "Invalid job id") != NULL;
    if (past && lives) {
        (void)unsetenv("SLURM_JOB_END_TIME");
    }
    free(shown);
    free(line);
    return known ? !lives : past;
}

static bool is_slurms(const char *variable)
{
    return strncmp(variable, "SLURM_", 6) == 0;
}

void allocation_find(allocation *a)
{
    memset(a, 0, sizeof *a);
    const char *job = getenv("SLURM_JOB_ID");
    const char *nodes = getenv("SLURM_JOB_NODELIST");
    if (job == NULL || nodes == NULL || *job == '\0' || *nodes == '\0') {
        return;
    }
    if (is_over(job)) {
        message_print(LOG_WARNING,
                      "WARNING: Slurm's job %s, which this shell was started in, is over; its "
                      "variables (SLURM_...) are not believed",
                      job);
        spawn_forget(is_slurms);
        return;
    }
    a->job = job;
    a->nodes = nodes;
    a->cores = getenv("SLURM_JOB_CPUS_PER_NODE");
    a->tasks = getenv("SLURM_NTASKS");
    a->tasks_of_node = getenv("SLURM_TASKS_PER_NODE");
    a->cores_of_task = getenv("SLURM_CPUS_PER_TASK");
}

bool allocation_binds_nothing(void)
{
    char *shown = read_answer("scontrol show config");
    const char *at = strstr(shown, "TaskPlugin ");
    if (at != NULL) {
        at += strlen("TaskPlugin");
        at += strspn(at, " =");
    }
    const bool none = at != NULL && strncmp(at, "task/none", 9) == 0;
    free(shown);
    return none;
}
