/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that forks processes. */
#define _GNU_SOURCE 1
#include "engine/exec/forker.h"

#include "base/clock.h"
#include "base/thread.h"
#include "host/stack.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The main thread's stack may be unlimited, and grows as it is used. One of another thread has a
 * size, but takes memory only as it is used, too. */
static const size_t least_stack_bytes = (size_t)1 << 20;
static const size_t most_stack_bytes = (size_t)1 << 30;

typedef enum stage {
    STAGE_IDLE,
    STAGE_ASKED,
    STAGE_FORKING,
    STAGE_DONE,
    STAGE_UNWANTED /* forking, and nobody waits for it any more */
} stage;

struct forker {
    lull *lull;
    int64_t lull_ns;      /* how long other threads are waited for */
    pthread_mutex_t turn; /* who asks has it */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    size_t stack_bytes; /* 0: there is no thread yet */
    sigset_t signals;   /* blocked by the thread that asked first */
    stage stage;
    bool shutdown;
    bool left_alone; /* nobody waits for the thread any more */
    void (*live)(void *context);
    void *context;
    pid_t pid; /* or minus an errno */
};

weft_status forker_create(lull *q, int64_t lull_ns, forker **out, error *e)
{
    forker *f = calloc(1, sizeof *f);
    pthread_condattr_t attributes;
    if (f == NULL) {
        return error_memory(e, "the thread that forks children");
    }
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&f->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&f->mutex, NULL);
    (void)pthread_mutex_init(&f->turn, NULL);
    f->lull = q;
    f->lull_ns = lull_ns;
    *out = f;
    return WEFT_OK;
}

static void release(forker *f)
{
    (void)pthread_mutex_destroy(&f->turn);
    (void)pthread_mutex_destroy(&f->mutex);
    (void)pthread_cond_destroy(&f->changed);
    lull_destroy(f->lull);
    free(f);
}

void forker_destroy(forker *f)
{
    if (f == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&f->mutex);
    const bool alone = f->stage == STAGE_UNWANTED;
    const bool joined = f->stack_bytes > 0 && !alone;
    f->shutdown = true;
    if (alone) {
        /* The thread may never return, and what it uses has to stay until it does. */
        f->left_alone = true;
        (void)pthread_detach(f->thread);
    }
    (void)pthread_cond_broadcast(&f->changed);
    (void)pthread_mutex_unlock(&f->mutex);
    if (joined) {
        (void)pthread_join(f->thread, NULL);
    }
    if (!alone) {
        release(f);
    }
}

static pid_t fork_now(const forker *f)
{
    /* Text that waits to be written would be written twice. Nobody is in the middle of a line. */
    (void)fflush(NULL);
    if (f->lull != NULL) {
        (void)lull_begin(f->lull_ns);
    }
    flockfile(stdout);
    flockfile(stderr);
    const pid_t pid = fork();
    const int number = errno;
    if (pid == 0) {
        /* glibc has unlocked its files there. */
        (void)pthread_sigmask(SIG_SETMASK, &f->signals, NULL);
        f->live(f->context);
        _exit(1);
    }
    funlockfile(stderr);
    funlockfile(stdout);
    if (f->lull != NULL) {
        lull_end();
    }
    return pid > 0 ? pid : -number;
}

static void take_back(pid_t pid)
{
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
}

static void *run(void *context)
{
    forker *f = context;
    thread_set_other(true);
    (void)pthread_mutex_lock(&f->mutex);
    while (!f->shutdown) {
        if (f->stage != STAGE_ASKED) {
            (void)pthread_cond_wait(&f->changed, &f->mutex);
            continue;
        }
        f->stage = STAGE_FORKING;
        (void)pthread_mutex_unlock(&f->mutex);
        const pid_t pid = fork_now(f);
        (void)pthread_mutex_lock(&f->mutex);
        if (f->stage == STAGE_UNWANTED) {
            take_back(pid);
            f->stage = STAGE_IDLE;
            continue;
        }
        f->pid = pid;
        f->stage = STAGE_DONE;
        (void)pthread_cond_broadcast(&f->changed);
    }
    const bool alone = f->left_alone;
    (void)pthread_mutex_unlock(&f->mutex);
    if (alone) {
        release(f);
    }
    return NULL;
}

/* That of the calling thread, within limits. */
static size_t own_stack_bytes(void)
{
    const size_t own = (size_t)stack_bytes();
    const size_t bytes = own > least_stack_bytes ? own : least_stack_bytes;
    return bytes < most_stack_bytes ? bytes : most_stack_bytes;
}

/* Signals are for threads of the program. Where memory is limited the stack has to be smaller. */
static int start_thread(forker *f)
{
    pthread_attr_t attributes;
    sigset_t all;
    int number = EAGAIN;
    (void)pthread_attr_init(&attributes);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &f->signals);
    for (size_t bytes = own_stack_bytes(); number != 0 && bytes >= least_stack_bytes; bytes /= 2) {
        /* In whole pages of any size. */
        const size_t size = (bytes + 0xffff) & ~(size_t)0xffff;
        number = pthread_attr_setstacksize(&attributes, size);
        number = number != 0 ? number : pthread_create(&f->thread, &attributes, run, f);
        f->stack_bytes = number == 0 ? size : 0;
    }
    (void)pthread_sigmask(SIG_SETMASK, &f->signals, NULL);
    (void)pthread_attr_destroy(&attributes);
    return number;
}

/* Waits until it is done; minus ETIMEDOUT if that takes too long. */
static pid_t await_process(forker *f, int64_t until_ns)
{
    const struct timespec until = {.tv_sec = until_ns / 1000000000,
                                   .tv_nsec = until_ns % 1000000000};
    int late = 0;
    while (f->stage != STAGE_DONE && late == 0) {
        late = pthread_cond_timedwait(&f->changed, &f->mutex, &until);
    }
    if (f->stage == STAGE_DONE) {
        f->stage = STAGE_IDLE;
        return f->pid;
    }
    f->stage = f->stage == STAGE_ASKED ? STAGE_IDLE : STAGE_UNWANTED;
    return -ETIMEDOUT;
}

pid_t forker_fork(forker *f, void (*live)(void *context), void *context, int64_t limit_ns)
{
    const int64_t until_ns = clock_now_ns() + limit_ns;
    (void)pthread_mutex_lock(&f->turn);
    (void)pthread_mutex_lock(&f->mutex);
    const int number = f->stack_bytes > 0 ? 0 : start_thread(f);
    pid_t pid = number != 0 ? -number : -ETIMEDOUT;
    if (number == 0 && f->stage == STAGE_IDLE) {
        f->live = live;
        f->context = context;
        f->stage = STAGE_ASKED;
        (void)pthread_cond_broadcast(&f->changed);
        pid = await_process(f, until_ns);
    }
    (void)pthread_mutex_unlock(&f->mutex);
    (void)pthread_mutex_unlock(&f->turn);
    return pid;
}
