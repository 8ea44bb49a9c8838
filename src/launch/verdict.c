/* SPDX-License-Identifier: BSD-3-Clause */
/* What the launcher makes of what it knows. */
#include "launch/verdict.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* How long the rest of the job may take, in seconds, ... */
enum {
    AFTER_THE_WORD_S = 600, /* ... when the program has said how it ends, and rank 0 goes on, */
    AFTER_A_SIGNAL_S = 20,  /* ... when it has been told to stop at once, */
    AFTER_RANK_0_S = 60,    /* ... when rank 0 is gone, for the others to find out. */
};

enum { BY_SIGNAL = 128, NOT_FOUND = 127, NOT_ITS_OWN = 126, INTERRUPTED = 130 };

void verdict_clear(evidence *e)
{
    memset(e, 0, sizeof *e);
    e->word.status = e->alone.status = e->rank_0.status = -1;
    e->killed_rank = e->failed_rank = -1;
}

bool verdict_was_stopped(int status)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGUSR2, SIGTERM, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (status == BY_SIGNAL + signals[i]) {
            return true;
        }
    }
    return false;
}

int verdict_limit_s(const evidence *e, int grace_s)
{
    const bool rank_0_gone = e->begun && e->rank_0_gone;
    const bool failed_first =
        !e->begun && (e->host_lost || e->failed_rank >= 0 || e->killed_rank >= 0);
    /* The first row that holds decides. */
    const struct {
        bool holds;
        int limit_s;
    } rows[] = {
        {e->interrupts > 1, 0},
        {(e->word.there || e->alone.there) && e->rank_0_gone, grace_s},
        {e->word.there, AFTER_THE_WORD_S},
        {rank_0_gone && e->nobody_left, grace_s},
        {rank_0_gone, AFTER_RANK_0_S},
        {failed_first, grace_s},
        {e->signal != 0 && e->signal != SIGUSR1, AFTER_A_SIGNAL_S},
        {true, VERDICT_NO_LIMIT},
    };
    size_t i = 0;
    while (!rows[i].holds) {
        i++;
    }
    return rows[i].limit_s;
}

static bool is_its_own(int status)
{
    return status >= 0 && status < NOT_ITS_OWN;
}

/* A row of the table of exit statuses. */
typedef struct row {
    bool holds;
    int status;
    const char *of; /* a rank, or mpirun, whose end with the status `ended` the text is about */
    int ended;
    const char *text;
} row;

static void explain(const row *r, char why[VERDICT_TEXT_BYTES])
{
    char how[48] = "";
    if (r->of == NULL) {
        (void)snprintf(why, VERDICT_TEXT_BYTES, "%s", r->text);
        return;
    }
    if (r->ended > BY_SIGNAL && r->ended <= BY_SIGNAL + 64) {
        (void)snprintf(how, sizeof how, " (by signal %d)", r->ended - BY_SIGNAL);
    } else if (r->ended == NOT_FOUND) {
        (void)snprintf(how, sizeof how, ": it, or a library, was not found");
    }
    (void)snprintf(why, VERDICT_TEXT_BYTES, "%s ended with status %d%s%s", r->of, r->ended, how,
                   r->text);
}

int verdict_status(const evidence *e, char why[VERDICT_TEXT_BYTES])
{
    static const char again[] = "; run the same command again";
    static const char cut_off[] = "the ranks that knew more were on hosts that are lost; run the "
                                  "same command again";
    static const char no_word[] = "no word came from rank 0: do all hosts see the folder of "
                                  "--done-dir, and is there room for a file?";
    char failed[32];
    char killed[32];
    (void)snprintf(failed, sizeof failed, "rank %d", e->failed_rank);
    (void)snprintf(killed, sizeof killed, "rank %d", e->killed_rank);
    const bool as_it_said = e->word.there && is_its_own(e->rank_0.status);
    /* SIGUSR1 to a program that is not weft's: some go on, and end as they do. */
    const bool passed_over = e->signal == SIGUSR1 && !e->begun;
    const bool failed_then = passed_over && e->failed_rank >= 0 && e->failed_status < NOT_ITS_OWN;
    const bool outlived =
        passed_over && e->failed_rank < 0 && e->killed_rank < 0 && is_its_own(e->rank_0.status);
    const bool mpirun_killed =
        verdict_was_stopped(e->mpirun_status) || (e->begun && e->mpirun_status > BY_SIGNAL);
    /* From when all have begun, others may be lost, and rank 0's end is the end. */
    const bool rank_0_killed = e->begun && verdict_was_stopped(e->rank_0.status);
    /* The first row that holds decides. */
    const row rows[] = {
        {as_it_said, e->rank_0.status, NULL, 0, ""},
        {e->word.status >= 0, e->word.status, NULL, 0, ""},
        {e->interrupts > 1, INTERRUPTED, NULL, 0, ""},
        {e->alone.status >= 0, e->alone.status, NULL, 0, ""},
        {failed_then, e->failed_status, NULL, 0, ""},
        {outlived, e->rank_0.status, NULL, 0, ""},
        {e->signal != 0, VERDICT_STOPPED, NULL, 0, ""},
        {mpirun_killed, VERDICT_STOPPED, NULL, 0, "mpirun was killed; run the same command again"},
        {rank_0_killed, VERDICT_STOPPED, "rank 0", e->rank_0.status, again},
        {e->begun && e->rank_0.status > 0, e->rank_0.status, "rank 0", e->rank_0.status, ""},
        {e->failed_rank >= 0, e->failed_status, failed, e->failed_status, ""},
        {e->killed_rank >= 0, VERDICT_STOPPED, killed, e->killed_status, again},
        {e->begun && e->mpirun_status != 0, VERDICT_STOPPED, "mpirun", e->mpirun_status,
         " before the program did"},
        {e->mpirun_status != 0, e->mpirun_status, NULL, 0, ""},
        {e->begun && e->host_lost, VERDICT_STOPPED, NULL, 0, cut_off},
        {e->begun || e->host_lost, 1, NULL, 0, "the program ended without a word"},
        {e->rank_0.status >= 0, e->rank_0.status, NULL, 0, ""},
        {true, 1, NULL, 0, no_word},
    };
    const row *r = rows;
    while (!r->holds) {
        r++;
    }
    explain(r, why);
    return r->status;
}

int verdict_settle(const evidence *e, int status)
{
    return e->interrupts > 1 && status == VERDICT_STOPPED ? INTERRUPTED : status;
}
