/* SPDX-License-Identifier: BSD-3-Clause */
/* mpirun from its start to its end, and to the end of all that it has started. */
#include "launch/supervise.h"

#include "base/array.h"
#include "base/clock.h"
#include "host/host.h"
#include "host/outcome_file.h"
#include "host/process.h"
#include "launch/message.h"
#include "launch/outcome.h"
#include "launch/remote.h"
#include "launch/spawn.h"
#include "launch/verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LOOK_MS = 200,      /* between two looks at the run's folder */
    SHORT_MS = 100,     /* between two looks at processes that are about to end */
    AFTER_MPIRUN_S = 4, /* when mpirun is gone: its daemons leave their ranks two */
    KILL_MS = 500,      /* for mpirun, after each signal that is to end it */
    REMOTE_END_S = 6,   /* to end what is left on other hosts */
};

typedef struct watch {
    const hosts *hosts;
    const folder *folder;
    const request *asked;
    evidence e;
    pid_t mpirun; /* also the session that all started here are in; 0: not started */
    int64_t deadline_ns;
    bool usr1_was_early; /* it came before all ranks had begun */
    bool judged;
    int status;
} watch;

static const int held_signals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU};

static void fill_held(sigset_t *set)
{
    (void)sigemptyset(set);
    for (size_t i = 0; i < sizeof held_signals / sizeof held_signals[0]; i++) {
        struct sigaction action;
        if (sigaction(held_signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            (void)sigaddset(set, held_signals[i]);
        }
    }
}

void supervise_hold_signals(void)
{
    sigset_t set;
    fill_held(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static void look(watch *w)
{
    outcome_read(w->folder->path, w->hosts, &w->e);
}

static void pass_on(watch *w, int number)
{
    message_print(LOG_DEBUG, "passing signal %d on to mpirun", number);
    (void)kill(w->mpirun, number);
}

/* mpirun would follow a TERM of its own with KILL after a second; USR2 it passes on and that is
 * all. */
static void heed(watch *w, int number)
{
    w->e.signal = number;
    w->e.interrupts += number == SIGINT;
    if (w->mpirun == 0 || w->e.mpirun_ended) {
        return;
    }
    look(w);
    if (number == SIGUSR1) {
        w->usr1_was_early = !w->e.begun;
        pass_on(w, SIGUSR1);
    } else {
        pass_on(w, w->e.begun ? SIGUSR2 : SIGTERM);
    }
}

/* Of ranks that it has not started yet mpirun forgets that they were to get a USR1. */
static void pass_on_again(watch *w)
{
    if (w->usr1_was_early && w->e.begun) {
        w->usr1_was_early = false;
        pass_on(w, SIGUSR1);
    }
}

/* Waits for a signal for at most `ms` milliseconds, and acts on it; the end of a child ends the
 * wait. */
static void pause_for(watch *w, int ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    sigset_t set;
    fill_held(&set);
    (void)sigaddset(&set, SIGCHLD);
    const int number = sigtimedwait(&set, NULL, &time);
    if (number > 0 && number != SIGCHLD) {
        heed(w, number);
    }
}

static void heed_what_came_before(watch *w)
{
    static const struct timespec now = {.tv_sec = 0};
    sigset_t set;
    fill_held(&set);
    for (int number = sigtimedwait(&set, NULL, &now); number > 0;
         number = sigtimedwait(&set, NULL, &now)) {
        heed(w, number);
    }
}

static void start(watch *w, char *const line[])
{
    const spawn_options options = {.leads_session = true, .keeps_stdin = w->asked->takes_stdin};
    const pid_t pid = spawn(line, &options);
    if (pid < 0) {
        w->e.mpirun_status = message_fail(1, "mpirun cannot be started: %s", strerror(errno));
        w->e.mpirun_ended = true;
    } else {
        w->mpirun = pid;
    }
}

static bool has_ended(watch *w)
{
    if (!w->e.mpirun_ended) {
        w->e.mpirun_ended = spawn_has_ended(w->mpirun, &w->e.mpirun_status);
    }
    return w->e.mpirun_ended;
}

/* What is known of the run decides how long mpirun may take. */
static void set_deadline(watch *w)
{
    look(w);
    const int limit_s = verdict_limit_s(&w->e, w->asked->grace_s);
    const int64_t deadline_ns = clock_now_ns() + (int64_t)limit_s * 1000000000;
    if (limit_s != VERDICT_NO_LIMIT && deadline_ns < w->deadline_ns) {
        w->deadline_ns = deadline_ns;
    }
}

static void judge(watch *w)
{
    char why[VERDICT_TEXT_BYTES] = "";
    if (!w->judged) {
        w->judged = true;
        look(w);
        w->status = verdict_status(&w->e, why);
    }
    if (why[0] != '\0') {
        message_print(LOG_ERROR, "%s", why);
    }
}

static void end_mpirun(watch *w)
{
    static const int signals[] = {SIGTERM, SIGTERM, SIGKILL};
    message_print(LOG_DEBUG, "mpirun does not end by itself");
    for (int i = 0; i < 3 && !has_ended(w); i++) {
        (void)kill(w->mpirun, w->e.interrupts > 1 ? SIGKILL : signals[i]);
        const int64_t until_ns = clock_now_ns() + (int64_t)KILL_MS * 1000000;
        while (!has_ended(w) && clock_now_ns() < until_ns) {
            pause_for(w, SHORT_MS);
        }
    }
}

static void watch_mpirun(watch *w)
{
    while (!has_ended(w)) {
        set_deadline(w);
        if (clock_now_ns() >= w->deadline_ns) {
            judge(w);
            end_mpirun(w);
        } else {
            pass_on_again(w);
            pause_for(w, LOOK_MS);
        }
    }
}

/* Ranks that have outlived their mpirun are asked to stop in good order: on this host from here, on
 * others by their daemons. The session has other members, too: remote shells, which the signal
 * would end. */
static void await_ranks(watch *w)
{
    int limit_s = w->asked->grace_s;
    look(w);
    if (w->mpirun == 0 || process_signal_all(w->mpirun, NULL, NULL, 0) == 0) {
        return;
    }
    if (w->e.begun && !w->e.word.there && w->e.interrupts <= 1) {
        limit_s = AFTER_MPIRUN_S;
        message_print(LOG_DEBUG, "mpirun is gone; the ranks on this host are told to stop");
        (void)process_signal_all(w->mpirun, "OMPI_COMM_WORLD_RANK", NULL, SIGUSR2);
    }
    const int64_t until_ns = clock_now_ns() + (int64_t)limit_s * 1000000000;
    while (w->e.interrupts <= 1 && clock_now_ns() < until_ns &&
           process_signal_all(w->mpirun, NULL, NULL, 0) > 0) {
        pause_for(w, SHORT_MS);
    }
}

typedef struct remote_ends {
    const char *done;
    pid_t *pid;
    int64_t room;
    int count;
} remote_ends;

static void end_on_host(int at, const char *entry, void *context)
{
    const char *host = outcome_daemon_of(entry);
    remote_ends *ends = context;
    const spawn_options mute = {.is_mute = true};
    words w = {.count = 0};
    (void)at;
    if (host == NULL || !ARRAY_RESERVE(ends->pid, ends->room, ends->count + 1)) {
        return;
    }
    message_print(LOG_DEBUG, "ending what is left on %s", host);
    remote_end_words(&w, host, ends->done);
    const pid_t pid = spawn(w.word, &mute);
    if (pid > 0) {
        ends->pid[ends->count++] = pid;
    }
    words_free(&w);
}

/* A host that cannot be reached ends what is there by itself: its daemon hears nothing any more. */
static void await_remote_ends(watch *w, remote_ends *ends)
{
    const int64_t until_ns = clock_now_ns() + (int64_t)REMOTE_END_S * 1000000000;
    for (int i = 0; i < ends->count; i++) {
        int status = 0;
        while (!spawn_has_ended(ends->pid[i], &status)) {
            if (clock_now_ns() > until_ns) {
                (void)kill(ends->pid[i], SIGKILL);
                break;
            }
            pause_for(w, SHORT_MS);
        }
        (void)spawn_wait(ends->pid[i]);
    }
}

/* Ends what is left of the run, here and on hosts whose daemon has not ended in good order. */
static void end_processes(watch *w)
{
    remote_ends ends = {.done = w->folder->done};
    if (w->mpirun == 0) {
        return;
    }
    (void)process_signal_all(w->mpirun, NULL, NULL, SIGKILL);
    process_end_all(OUTCOME_VARIABLE, w->folder->done);
    host_visit_folder(AT_FDCWD, w->folder->path, end_on_host, &ends);
    await_remote_ends(w, &ends);
    free(ends.pid);
    /* As long as it was not waited for, no other session could have its number. */
    (void)spawn_wait(w->mpirun);
}

int supervise(char *const line[], const hosts *h, const folder *f, const request *asked)
{
    watch w = {.hosts = h, .folder = f, .asked = asked, .deadline_ns = INT64_MAX};
    verdict_clear(&w.e);
    heed_what_came_before(&w);
    if (w.e.signal == 0) {
        start(&w, line);
    }
    if (w.mpirun != 0) {
        watch_mpirun(&w);
        await_ranks(&w);
    }
    judge(&w);
    end_processes(&w);
    w.status = verdict_settle(&w.e, w.status);
    message_print(LOG_DEBUG, "status %d", w.status);
    return w.status;
}
