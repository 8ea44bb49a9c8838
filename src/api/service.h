/* SPDX-License-Identifier: BSD-3-Clause */
/* The service: tasks are done in the order in which they were given, by threads of its own, the
 * service threads, or, without one, by whoever waits. A task that may be done beside those before
 * it begins when these have begun, and a service thread is free; it counts as done only when they
 * are.
 *
 * Thread: the main thread, but for service_tell_begun(), which is for the thread that does a task.
 */
#ifndef API_SERVICE_H
#define API_SERVICE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct service service;

/* Over: it is done, and one before it is not. */
typedef enum task_state {
    TASK_NONE,
    TASK_GIVEN,
    TASK_TAKEN,
    TASK_BEGUN,
    TASK_OVER,
    TASK_DONE
} task_state;

/* Its owner's, zero before it is given for the first time. What follows `work` is called under the
 * service's mutex. */
typedef struct task {
    struct task *next;
    task_state state;
    int number; /* of the service thread that does it; -1: of any */
    /* Does some of it, until the clock says until_ns or a moment longer: whether it is done. */
    bool (*work)(void *context, int64_t until_ns);
    /* It is being given. */
    void (*given)(void *context);
    /* Whether it may begin now, when those before it have begun. */
    bool (*beside)(void *context);
    /* It is about to begin: service thread `number` does it, or in its place who waits, or the only
     * one that there is. */
    void (*taken)(void *context, int number);
    /* It is over. Nobody waits for it yet. Those that were given behind it, which begin with
     * `behind`, have not begun, unless beside it. */
    void (*done)(void *context, struct task *behind);
    void *context;
} task;

enum { SERVICE_MOST_THREADS = 2 };

/* The service has that many threads from the first task on, or, if no more can be had, `least` of
 * them; 0: none. */
weft_status service_create(int threads, int least, service **out, error *e);

/* The service threads end; all tasks are done. NULL is allowed. */
void service_destroy(service *s);

bool service_in_background(const service *s);

/* Before a task is given: fails if too few threads can be had. */
weft_status service_start(service *s, error *e);

void service_give(service *s, task *t);

/* Calls a function while no task is given or comes to its end. */
void service_exclude(service *s, void (*act)(void *context), void *context);

/* Does a task at once in the calling thread, as no other is given. */
void service_do(service *s, task *t);

/* Whether no task is given that is not done. */
bool service_idle(service *s);

task_state service_state(service *s, const task *t);

/* Who does a task has begun. */
void service_tell_begun(service *s, task *t);

/* Waits until the task is in that state, or a later one, or the clock says until_ns; does it, and
 * what was given before, where there is no service thread. Whether it is. */
bool service_wait(service *s, const task *t, task_state state, int64_t until_ns);

#endif
