/* SPDX-License-Identifier: BSD-3-Clause */
/* The service: tasks are done one after the other, in the order in which they were given: by a
 * thread of its own, the service thread, or, without one, by whoever waits.
 *
 * Thread: the main thread, but for service_tell_begun(), which is for the thread that does a task.
 */
#ifndef API_SERVICE_H
#define API_SERVICE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct service service;

typedef enum task_state { TASK_NONE, TASK_GIVEN, TASK_BEGUN, TASK_DONE } task_state;

/* Its owner's, zero before it is given for the first time. */
typedef struct task {
    struct task *next;
    task_state state;
    /* Does some of it, until the clock says until_ns or a moment longer: whether it is done. */
    bool (*work)(void *context, int64_t until_ns);
    /* It is done. Called under the service's mutex: nobody waits for it yet, and those that were
     * given behind it, which begin with `behind`, have not begun. */
    void (*done)(void *context, struct task *behind);
    /* It is being given, under the same mutex. */
    void (*given)(void *context);
    void *context;
} task;

/* `background`: the service has a thread, from the first task on. */
weft_status service_create(bool background, service **out, error *e);

/* The service thread ends; all tasks are done. NULL is allowed. */
void service_destroy(service *s);

bool service_in_background(const service *s);

/* Before a task is given: fails if there is to be a service thread, and none can be had. */
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
