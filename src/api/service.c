/* SPDX-License-Identifier: BSD-3-Clause */
/* The service: tasks are done one after the other, by the service thread or by whoever waits. */
#include "api/service.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct service {
    bool background;
    bool started; /* the service thread */
    pthread_t thread;
    pthread_mutex_t mutex; /* for the rest, and the tasks' states and links */
    pthread_cond_t given;  /* for the service thread */
    pthread_cond_t moved;  /* a task has: for who waits */
    task *first;           /* not done */
    bool ending;
};

weft_status service_create(bool background, service **out, error *e)
{
    pthread_condattr_t attributes;
    service *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return error_memory(e, "the state of the service thread");
    }
    s->background = background;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->given, &attributes);
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
    if (s->started) {
        (void)pthread_mutex_lock(&s->mutex);
        s->ending = true;
        (void)pthread_cond_signal(&s->given);
        (void)pthread_mutex_unlock(&s->mutex);
        (void)pthread_join(s->thread, NULL);
    }
    (void)pthread_mutex_destroy(&s->mutex);
    (void)pthread_cond_destroy(&s->moved);
    (void)pthread_cond_destroy(&s->given);
    free(s);
}

bool service_in_background(const service *s)
{
    return s->background;
}

/* Who does the first task has come to its end. */
static void finish(service *s, task *t)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->first = t->next;
    t->done(t->context, s->first);
    t->state = TASK_DONE;
    (void)pthread_cond_broadcast(&s->moved);
    (void)pthread_mutex_unlock(&s->mutex);
}

static void *serve(void *context)
{
    service *s = context;
    (void)pthread_mutex_lock(&s->mutex);
    while (!s->ending) {
        task *t = s->first;
        if (t == NULL) {
            (void)pthread_cond_wait(&s->given, &s->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&s->mutex);
        while (!t->work(t->context, INT64_MAX)) {
        }
        finish(s, t);
        (void)pthread_mutex_lock(&s->mutex);
    }
    (void)pthread_mutex_unlock(&s->mutex);
    return NULL;
}

weft_status service_start(service *s, error *e)
{
    if (!s->background || s->started) {
        return WEFT_OK;
    }
    const int number = pthread_create(&s->thread, NULL, serve, s);
    if (number != 0) {
        return error_set(e, WEFT_ERR_SYSTEM,
                         "the service thread cannot be created (%s): " ERROR_MORE_THREADS,
                         strerror(number));
    }
    s->started = true;
    return WEFT_OK;
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
    (void)pthread_cond_signal(&s->given);
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
    service_exclude(s, t->given, t->context);
    while (!t->work(t->context, INT64_MAX)) {
    }
    (void)pthread_mutex_lock(&s->mutex);
    t->done(t->context, NULL);
    t->state = TASK_DONE;
    (void)pthread_mutex_unlock(&s->mutex);
}

static task *first_task(service *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    task *t = s->first;
    (void)pthread_mutex_unlock(&s->mutex);
    return t;
}

bool service_idle(service *s)
{
    return first_task(s) == NULL;
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

/* There is no service thread: the caller does what is first, at least a little of it. */
static bool do_until(service *s, const task *t, task_state state, int64_t until_ns)
{
    bool first_time = true;
    while (service_state(s, t) < state && (first_time || clock_now_ns() < until_ns)) {
        task *first = first_task(s);
        first_time = false;
        if (first->work(first->context, state == TASK_DONE ? until_ns : 0)) {
            finish(s, first);
        }
    }
    return service_state(s, t) >= state;
}

bool service_wait(service *s, const task *t, task_state state, int64_t until_ns)
{
    if (!s->background) {
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
