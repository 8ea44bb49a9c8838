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

extern char **environ;

bool allocation_is_past(const char *end_s, double now_s)
{
    double time_s = 0;
    return end_s != NULL && number_read_double(end_s, &time_s) && time_s > 0 && time_s < now_s;
}

allocation_life allocation_read_life(const char *shown)
{
    static const char *const alive[] = {"CONFIGURING", "COMPLETING", "PENDING",   "RUNNING",
                                        "RESIZING",    "SIGNALING",  "SUSPENDED", "STAGE_OUT",
                                        "STOPPED",     "REQUEUE",    "RESV_DEL"};
    const char *state = strstr(shown, "JobState=");
    if (state == NULL) {
        return strstr(shown, "Invalid job id") != NULL ? ALLOCATION_IS_OVER : ALLOCATION_UNKNOWN;
    }
    state += strlen("JobState=");
    for (size_t i = 0; i < sizeof alive / sizeof alive[0]; i++) {
        if (strncmp(state, alive[i], strlen(alive[i])) == 0) {
            return ALLOCATION_LIVES;
        }
    }
    return ALLOCATION_IS_OVER;
}

static allocation_life ask(const char *job)
{
    words w = {.count = 0};
    int status = 0;
    words_split(&w, "scontrol show job -o");
    words_add(&w, "%s", job);
    char *shown = spawn_read(w.word, &status);
    const allocation_life life = allocation_read_life(shown);
    free(shown);
    words_free(&w);
    return life;
}

/* A job may have inherited the end of the one in which it was submitted. If Slurm does not say
 * whether a job lives, its end does. */
static bool is_over(const char *job)
{
    const bool past = allocation_is_past(getenv("SLURM_JOB_END_TIME"), clock_wall_s());
    const allocation_life life = ask(job);
    if (past && life == ALLOCATION_LIVES) {
        (void)unsetenv("SLURM_JOB_END_TIME");
    }
    return life == ALLOCATION_IS_OVER || (past && life == ALLOCATION_UNKNOWN);
}

static void forget_slurm(void)
{
    for (int i = 0; environ[i] != NULL;) {
        const size_t length = strcspn(environ[i], "=");
        if (strncmp(environ[i], "SLURM_", 6) == 0) {
            char *name = words_text("%.*s", (int)length, environ[i]);
            i = unsetenv(name) == 0 ? 0 : i + 1;
            free(name);
        } else {
            i++;
        }
    }
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
        forget_slurm();
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
    words w = {.count = 0};
    int status = 0;
    words_split(&w, "scontrol show config");
    char *shown = spawn_read(w.word, &status);
    const char *at = strstr(shown, "TaskPlugin ");
    if (at != NULL) {
        at += strlen("TaskPlugin");
        at += strspn(at, " =");
    }
    const bool none = at != NULL && strncmp(at, "task/none", 9) == 0;
    free(shown);
    words_free(&w);
    return none;
}
