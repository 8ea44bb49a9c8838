/* SPDX-License-Identifier: BSD-3-Clause */
/* A limit on calls that have none of their own: the process ends if they take longer. */
#include "host/watchdog.h"

#include "base/clock.h"
#include "host/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* As many threads have a limit at a time; and a timer that runs out this early is on time. */
enum { LIMITS = 8, EARLY_NS = 2000000 };

/* What happens, and how soon after a signal; 0: a signal changes nothing. */
typedef struct words {
    _Atomic unsigned seconds;
    atomic_int status;
    const char *_Atomic line;
} words;

/* A thread's. Handlers of signals read and write it. */
typedef struct limit {
    _Atomic int64_t until_ns; /* 0: there is none */
    atomic_int status;
    const char *_Atomic line;
    words stop;
} limit;

static limit limits[LIMITS];
static _Thread_local limit *own;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int set = 0; /* how many are; under the mutex, as what follows */

/* The program's own, and since when they are put aside. Its alarm() is the same timer as this one,
 * in whole seconds. */
static struct sigaction action_before;
static struct itimerval timer_before;
static int64_t aside_ns = 0;

/* When the first limit is over; 0: there is none. */
static int64_t find_first(void)
{
    int64_t first_ns = 0;
    for (int i = 0; i < LIMITS; i++) {
        const int64_t until_ns = atomic_load(&limits[i].until_ns);
        first_ns = until_ns != 0 && (first_ns == 0 || until_ns < first_ns) ? until_ns : first_ns;
    }
    return first_ns;
}

/* Never nothing, which would stop a timer. */
static struct timeval to_timeval(int64_t left_us)
{
    const int64_t us = left_us > 1 ? left_us : 1;
    return (struct timeval){.tv_sec = (time_t)(us / 1000000),
                            .tv_usec = (suseconds_t)(us % 1000000)};
}

/* A limit that another thread, or a handler, has changed meanwhile is seen by one of the two. */
static void wind_up(void)
{
    int64_t first_ns = 0;
    do {
        struct itimerval timer = {.it_value = {.tv_sec = 0}};
        first_ns = find_first();
        if (first_ns != 0) {
            timer.it_value = to_timeval((first_ns - clock_now_ns()) / 1000);
        }
        (void)setitimer(ITIMER_REAL, &timer, NULL);
    } while (find_first() != first_ns);
}

static void on_alarm(int number)
{
    (void)number;
    const int64_t now_ns = clock_now_ns() + EARLY_NS;
    for (int i = 0; i < LIMITS; i++) {
        const int64_t until_ns = atomic_load(&limits[i].until_ns);
        if (until_ns != 0 && until_ns <= now_ns) {
            const char *line = atomic_load(&limits[i].line);
            if (write(STDERR_FILENO, line, strlen(line)) < 0) {
                /* Nothing can be done about it here. */
            }
            _exit(atomic_load(&limits[i].status));
        }
    }
    if (find_first() != 0) {
        wind_up();
    }
}

static void put_timer_aside(void)
{
    const struct itimerval none = {.it_value = {.tv_sec = 0}};
    const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    (void)setitimer(ITIMER_REAL, &none, &timer_before);
    aside_ns = clock_now_ns();
    (void)sigaction(SIGALRM, &action, &action_before);
}

void watchdog_set(unsigned seconds, int exit_status, const char *line)
{
    if (seconds == 0) {
        return;
    }
    (void)fflush(NULL);
    (void)pthread_mutex_lock(&mutex);
    for (int i = 0; i < LIMITS && own == NULL; i++) {
        own = atomic_load(&limits[i].until_ns) == 0 ? &limits[i] : NULL;
    }
    if (own != NULL) {
        if (atomic_load(&own->until_ns) == 0 && set++ == 0) {
            put_timer_aside();
        }
        atomic_store(&own->stop.seconds, 0);
        atomic_store(&own->status, exit_status);
        atomic_store(&own->line, line);
        atomic_store(&own->until_ns, clock_now_ns() + (int64_t)seconds * 1000000000);
        wind_up();
    }
    (void)pthread_mutex_unlock(&mutex);
}

/* Called in a signal's handler: each limit is hurried once. */
static void hurry(void)
{
    const int64_t now_ns = clock_now_ns();
    bool any = false;
    for (int i = 0; i < LIMITS; i++) {
        limit *l = &limits[i];
        const unsigned seconds = atomic_exchange(&l->stop.seconds, 0);
        int64_t until_ns = atomic_load(&l->until_ns);
        const int64_t soon_ns = now_ns + (int64_t)seconds * 1000000000;
        if (seconds == 0 || until_ns == 0) {
            continue;
        }
        atomic_store(&l->status, atomic_load(&l->stop.status));
        atomic_store(&l->line, atomic_load(&l->stop.line));
        /* Unless it has been cleared meanwhile. */
        any = (until_ns > soon_ns &&
               atomic_compare_exchange_strong(&l->until_ns, &until_ns, soon_ns)) ||
              any;
    }
    if (any) {
        wind_up();
    }
}

void watchdog_hurry(unsigned seconds, int exit_status, const char *line)
{
    if (own == NULL) {
        return;
    }
    atomic_store(&own->stop.status, exit_status);
    atomic_store(&own->stop.line, line);
    atomic_store(&own->stop.seconds, seconds);
    signals_tell(hurry);
    if (signals_seen() != 0) {
        hurry();
    }
}

static void give_timer_back(void)
{
    (void)sigaction(SIGALRM, &action_before, NULL);
    if (timer_before.it_value.tv_sec != 0 || timer_before.it_value.tv_usec != 0) {
        const struct timeval *before = &timer_before.it_value;
        const int64_t passed_us = (clock_now_ns() - aside_ns) / 1000;
        timer_before.it_value =
            to_timeval((int64_t)before->tv_sec * 1000000 + before->tv_usec - passed_us);
        (void)setitimer(ITIMER_REAL, &timer_before, NULL);
    }
}

void watchdog_clear(void)
{
    if (own == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&mutex);
    atomic_store(&own->stop.seconds, 0);
    atomic_store(&own->until_ns, 0);
    own = NULL;
    wind_up();
    if (--set == 0) {
        give_timer_back();
    }
    (void)pthread_mutex_unlock(&mutex);
}
