/* SPDX-License-Identifier: BSD-3-Clause */
/* The service: tasks are done in their order, by service threads or by whoever waits. */
#include "api/service.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A service thread. */
typedef struct server {
    service *service;
    int number;
    pthread_t thread;
} server;

struct service {
    int threads; /* that there are to be, … */
    int least;   /* … and have to be */
    server server[SERVICE_MOST_THREADS];
    pthread_mutex_t mutex; /* for the rest, and the tasks' states and links */
    int started;           /* threads that there are */
    pthread_cond_t moved;  /* a task has, or one was given */
    task *first;           /* not done */
    bool ending;
};

weft_status service_create(int threads, int least, service **out, error *e)
{
    pthread_condattr_t attributes;
    service *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return error_memory(e, "the state of the service thread");
    }
    s->threads = threads;
    s->least = least;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->moved, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&s->mutex, NULL);
    *out = s;
    return WEFT_OK;
}

void service_destroy(service *s)
{
    if (s == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&s->mutex);
    s->ending = true;
    (void)pthread_cond_broadcast(&s->moved);
    (void)pthread_mutex_unlock(&s->mutex);
    for (int i = 0; i < s->started; i++) {
        (void)pthread_join(s->server[i].thread, NULL);
    }
    (void)pthread_mutex_destroy(&s->mutex);
    (void)pthread_cond_destroy(&s->moved);
    free(s);
}

bool service_in_background(const service *s)
{
    return s->threads > 0;
}

/* Under the mutex. */
static void take(task *t, int number)
{
    t->state = TASK_TAKEN;
    t->taken(t->context, t->number >= 0 ? t->number : number);
}

/* A task is over; all that are, up to the first that is not, are done. Under the mutex. */
static void finish(service *s, task *t)
{
    t->done(t->context, t->next);
    t->state = TASK_OVER;
    while (s->first != NULL && s->first->state == TASK_OVER) {
        s->first->state = TASK_DONE;
        s->first = s->first->next;
    }
    (void)pthread_cond_broadcast(&s->moved);
}

/* What a service thread is to do next; NULL: nothing now. Under the mutex. */
static task *find_next(const service *s, int number)
{
    task *t = s->first;
    while (t != NULL && t->state >= TASK_BEGUN) {
        t = t->next;
    }
    const bool ready = t != NULL && t->state == TASK_GIVEN &&
                       (t->number < 0 || t->number == number || s->started == 1) &&
                       (t == s->first || t->beside(t->context));
    return ready ? t : NULL;
}

static void *serve(void *context)
{
    const server *mine = context;
    service *s = mine->service;
    (void)pthread_mutex_lock(&s->mutex);
    while (!s->ending) {
        task *t = find_next(s, mine->number);
        if (t == NULL) {
            (void)pthread_cond_wait(&s->moved, &s->mutex);
            continue;
        }
        take(t, mine->number);
        (void)pthread_mutex_unlock(&s->mutex);
        while (!t->work(t->context, INT64_MAX)) {
        }
        (void)pthread_mutex_lock(&s->mutex);
        finish(s, t);
    }
    (void)pthread_mutex_unlock(&s->mutex);
    return NULL;
}

weft_status service_start(service *s, error *e)
{
    int number = 0;
    (void)pthread_mutex_lock(&s->mutex);
    while (s->started < s->threads && number == 0) {
        server *next = &s->server[s->started];
        *next = (server){.service = s, .number = s->started};
        number = pthread_create(&next->thread, NULL, serve, next);
        s->started += number == 0;
    }
    const bool enough = s->started >= s->least;
    (void)pthread_mutex_unlock(&s->mutex);
    return enough ? WEFT_OK
                  : error_set(e, WEFT_ERR_SYSTEM,
                              "the service thread cannot be created (%s): " ERROR_MORE_THREADS,
                              strerror(number));
}

void service_give(service *s, task *t)
{
    task **link = &s->first;
    (void)pthread_mutex_lock(&s->mutex);
    while (*link != NULL) {
        link = &(*link)->next;
    }
    t->next = NULL;
    t->state = TASK_GIVEN;
    t->given(t->context);
    *link = t;
    (void)pthread_cond_broadcast(&s->moved);
    (void)pthread_mutex_unlock(&s->mutex);
}

void service_exclude(service *s, void (*act)(void *context), void *context)
{
    (void)pthread_mutex_lock(&s->mutex);
    act(context);
    (void)pthread_mutex_unlock(&s->mutex);
}

void service_do(service *s, task *t)
{
    t->next = NULL;
    (void)pthread_mutex_lock(&s->mutex);
    t->given(t->context);
    take(t, 0);
    (void)pthread_mutex_unlock(&s->mutex);
    while (!t->work(t->context, INT64_MAX)) {
    }
    (void)pthread_mutex_lock(&s->mutex);
    t->done(t->context, NULL);
    t->state = TASK_DONE;
    (void)pthread_mutex_unlock(&s->mutex);
}

bool service_idle(service *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    const bool idle = s->first == NULL;
    (void)pthread_mutex_unlock(&s->mutex);
    return idle;
}

task_state service_state(service *s, const task *t)
{
    (void)pthread_mutex_lock(&s->mutex);
    const task_state state = t->state;
    (void)pthread_mutex_unlock(&s->mutex);
    return state;
}

void service_tell_begun(service *s, task *t)
{
    (void)pthread_mutex_lock(&s->mutex);
    t->state = TASK_BEGUN;
    (void)pthread_cond_broadcast(&s->moved);
    (void)pthread_mutex_unlock(&s->mutex);
}

/* There is no service thread: the caller does some of what is first. */
static void do_some(service *s, int64_t until_ns)
{
    (void)pthread_mutex_lock(&s->mutex);
    task *first = s->first;
    if (first->state == TASK_GIVEN) {
        take(first, 0);
    }
    (void)pthread_mutex_unlock(&s->mutex);
    if (first->work(first->context, until_ns)) {
        (void)pthread_mutex_lock(&s->mutex);
        finish(s, first);
        (void)pthread_mutex_unlock(&s->mutex);
    }
}

/* At least a little. */
static bool do_until(service *s, const task *t, task_state state, int64_t until_ns)
{
    bool first_time = true;
    while (service_state(s, t) < state && (first_time || clock_now_ns() < until_ns)) {
        first_time = false;
        do_some(s, state == TASK_DONE ? until_ns : 0);
    }
    return service_state(s, t) >= state;
}

bool service_wait(service *s, const task *t, task_state state, int64_t until_ns)
{
    if (s->threads == 0) {
        return do_until(s, t, state, until_ns);
    }
    const struct timespec until = {.tv_sec = until_ns / 1000000000,
                                   .tv_nsec = until_ns % 1000000000};
    int late = 0;
    (void)pthread_mutex_lock(&s->mutex);
    while (t->state < state && late == 0) {
        late = pthread_cond_timedwait(&s->moved, &s->mutex, &until);
    }
    const bool there = t->state >= state;
    (void)pthread_mutex_unlock(&s->mutex);
    return there;
}
