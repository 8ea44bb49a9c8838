/* SPDX-License-Identifier: BSD-3-Clause */
/* What the launcher makes of what it knows. */
#include "launch/verdict.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* How long the rest of the job may take, in seconds, ... */
enum {
    NOW_S = 0,
    GRACE_S = -2,           /* ... when rank 0 is done: as the user says, */
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

static bool always(const evidence *e)
{
    (void)e;
    return true;
}

static bool interrupted_twice(const evidence *e)
{
    return e->interrupts > 1;
}

static bool word_and_rank_0_gone(const evidence *e)
{
    return (e->word.there || e->alone.there) && e->rank_0_gone;
}

static bool word_is_there(const evidence *e)
{
    return e->word.there;
}

static bool nobody_is_left(const evidence *e)
{
    return e->begun && e->rank_0_gone && e->nobody_left;
}

static bool rank_0_is_gone(const evidence *e)
{
    return e->begun && e->rank_0_gone;
}

static bool failed_before_it_began(const evidence *e)
{
    return !e->begun && (e->host_lost || e->failed_rank >= 0 || e->killed_rank >= 0);
}

static bool told_to_stop_at_once(const evidence *e)
{
    return e->signal != 0 && e->signal != SIGUSR1;
}

int verdict_limit_s(const evidence *e, int grace_s)
{
    /* The first row that holds decides. */
    static const struct {
        bool (*holds)(const evidence *e);
        int limit_s;
    } rows[] = {
        {interrupted_twice, NOW_S},
        {word_and_rank_0_gone, GRACE_S},
        {word_is_there, AFTER_THE_WORD_S},
        {nobody_is_left, GRACE_S},
        {rank_0_is_gone, AFTER_RANK_0_S},
        {failed_before_it_began, GRACE_S},
        {told_to_stop_at_once, AFTER_A_SIGNAL_S},
        {always, VERDICT_NO_LIMIT},
    };
    size_t i = 0;
    while (!rows[i].holds(e)) {
        i++;
    }
    return rows[i].limit_s == GRACE_S ? grace_s : rows[i].limit_s;
}

static bool rank_0_has_ended_as_it_said(const evidence *e)
{
    return e->word.there && e->rank_0.status >= 0 && e->rank_0.status < NOT_ITS_OWN;
}

static bool word_can_be_read(const evidence *e)
{
    return e->word.status >= 0;
}

static bool alone_can_be_read(const evidence *e)
{
    return e->alone.status >= 0;
}

/* SIGUSR1 to a program that is not weft's: some go on, and end as they do. */
static bool failed_in_spite_of_a_signal(const evidence *e)
{
    return e->signal == SIGUSR1 && !e->begun && e->failed_rank >= 0 &&
           e->failed_status < NOT_ITS_OWN;
}

static bool outlived_a_signal(const evidence *e)
{
    return e->signal == SIGUSR1 && !e->begun && e->failed_rank < 0 && e->killed_rank < 0 &&
           e->rank_0.status >= 0 && e->rank_0.status < NOT_ITS_OWN;
}

static bool told_to_stop(const evidence *e)
{
    return e->signal != 0;
}

static bool mpirun_was_killed(const evidence *e)
{
    return verdict_was_stopped(e->mpirun_status) || (e->begun && e->mpirun_status > BY_SIGNAL);
}

/* From when all have begun, others may be lost, and rank 0's end is the end. */
static bool rank_0_was_killed(const evidence *e)
{
    return e->begun && verdict_was_stopped(e->rank_0.status);
}

static bool rank_0_failed(const evidence *e)
{
    return e->begun && e->rank_0.status > 0;
}

static bool some_rank_failed(const evidence *e)
{
    return e->failed_rank >= 0;
}

static bool some_rank_was_killed(const evidence *e)
{
    return e->killed_rank >= 0;
}

static bool mpirun_failed_amid_it(const evidence *e)
{
    return e->begun && e->mpirun_status != 0;
}

static bool mpirun_failed(const evidence *e)
{
    return e->mpirun_status != 0;
}

static bool hosts_were_lost_amid_it(const evidence *e)
{
    return e->begun && e->host_lost;
}

static bool ended_without_a_word(const evidence *e)
{
    return e->begun || e->host_lost;
}

static bool rank_0_can_be_read(const evidence *e)
{
    return e->rank_0.status >= 0;
}

/* Whose status it is. */
typedef enum source {
    STOPPED,
    ERROR,
    SECOND_INTERRUPT,
    OF_THE_WORD,
    OF_THE_LONELY,
    OF_RANK_0,
    OF_THE_FAILED,
    OF_MPIRUN
} source;

typedef enum subject { NOBODY, THE_RANK_0, THE_FAILED, THE_KILLED, THE_MPIRUN } subject;

typedef struct row {
    bool (*holds)(const evidence *e);
    source source;
    subject subject; /* of a text that names a rank or mpirun, and the status it ended with */
    const char *text;
} row;

static int status_from(const evidence *e, source from)
{
    switch (from) {
    case STOPPED:
        return VERDICT_STOPPED;
    case SECOND_INTERRUPT:
        return INTERRUPTED;
    case OF_THE_WORD:
        return e->word.status;
    case OF_THE_LONELY:
        return e->alone.status;
    case OF_RANK_0:
        return e->rank_0.status;
    case OF_THE_FAILED:
        return e->failed_status;
    case OF_MPIRUN:
        return e->mpirun_status;
    case ERROR:
        break;
    }
    return 1;
}

static void explain_end(const char *name, int status, const char *text,
                        char why[VERDICT_TEXT_BYTES])
{
    char how[48] = "";
    if (status > BY_SIGNAL && status <= BY_SIGNAL + 64) {
        (void)snprintf(how, sizeof how, " (by signal %d)", status - BY_SIGNAL);
    } else if (status == NOT_FOUND) {
        (void)snprintf(how, sizeof how, ": it, or a library, was not found");
    }
    (void)snprintf(why, VERDICT_TEXT_BYTES, "%s ended with status %d%s%s", name, status, how, text);
}

static void explain(const evidence *e, const row *r, char why[VERDICT_TEXT_BYTES])
{
    char name[32];
    switch (r->subject) {
    case THE_RANK_0:
        explain_end("rank 0", e->rank_0.status, r->text, why);
        break;
    case THE_FAILED:
        (void)snprintf(name, sizeof name, "rank %d", e->failed_rank);
        explain_end(name, e->failed_status, r->text, why);
        break;
    case THE_KILLED:
        (void)snprintf(name, sizeof name, "rank %d", e->killed_rank);
        explain_end(name, e->killed_status, r->text, why);
        break;
    case THE_MPIRUN:
        explain_end("mpirun", e->mpirun_status, r->text, why);
        break;
    case NOBODY:
        (void)snprintf(why, VERDICT_TEXT_BYTES, "%s", r->text);
        break;
    }
}

int verdict_status(const evidence *e, char why[VERDICT_TEXT_BYTES])
{
    static const char again[] = "; run the same command again";
    /* The first row that holds decides. */
    static const row rows[] = {
        {rank_0_has_ended_as_it_said, OF_RANK_0, NOBODY, ""},
        {word_can_be_read, OF_THE_WORD, NOBODY, ""},
        {interrupted_twice, SECOND_INTERRUPT, NOBODY, ""},
        {alone_can_be_read, OF_THE_LONELY, NOBODY, ""},
        {failed_in_spite_of_a_signal, OF_THE_FAILED, NOBODY, ""},
        {outlived_a_signal, OF_RANK_0, NOBODY, ""},
        {told_to_stop, STOPPED, NOBODY, ""},
        {mpirun_was_killed, STOPPED, NOBODY, "mpirun was killed; run the same command again"},
        {rank_0_was_killed, STOPPED, THE_RANK_0, again},
        {rank_0_failed, OF_RANK_0, THE_RANK_0, ""},
        {some_rank_failed, OF_THE_FAILED, THE_FAILED, ""},
        {some_rank_was_killed, STOPPED, THE_KILLED, again},
        {mpirun_failed_amid_it, STOPPED, THE_MPIRUN, " before the program did"},
        {mpirun_failed, OF_MPIRUN, NOBODY, ""},
        {hosts_were_lost_amid_it, STOPPED, NOBODY,
         "the ranks that knew more were on hosts that are lost; run the same command again"},
        {ended_without_a_word, ERROR, NOBODY, "the program ended without a word"},
        {rank_0_can_be_read, OF_RANK_0, NOBODY, ""},
        {always, ERROR, NOBODY,
         "no word came from rank 0: do all hosts see the folder of --done-dir, and is there room "
         "for a file?"},
    };
    size_t i = 0;
    while (!rows[i].holds(e)) {
        i++;
    }
    explain(e, &rows[i], why);
    return status_from(e, rows[i].source);
}

int verdict_settle(const evidence *e, int status)
{
    return e->interrupts > 1 && status == VERDICT_STOPPED ? INTERRUPTED : status;
}
