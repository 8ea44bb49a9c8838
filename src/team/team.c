/* SPDX-License-Identifier: BSD-3-Clause */
/* The team of a rank: its workers, and the lanes in which runs have them compute. */
#include "team/team.h"

#include "base/clock.h"
#include "base/thread.h"
#include "host/exits.h"
#include "host/stack.h"
#include "host/thread_state.h"
#include "team/internals.h"

#include <stdlib.h>
#include <string.h>

/* Workers that have nothing to do end at once; one that has is waited for so long. */
static const int64_t leave_ns = INT64_C(5000000000);

/* Where each worker is to stay; NULL, and nothing is wrong, if it may be anywhere. */
static weft_status copy_pins(const host_cores pin[], int workers, host_cores **copy, error *e)
{
    *copy = NULL;
    if (pin == NULL || workers == 0) {
        return WEFT_OK;
    }
    *copy = malloc((size_t)workers * sizeof **copy);
    if (*copy == NULL) {
        return error_memory(e, "the cores of %d workers", workers);
    }
    memcpy(*copy, pin, (size_t)workers * sizeof **copy);
    return WEFT_OK;
}

static weft_status create_lanes(team *t, int blocks, error *e)
{
    weft_status status = WEFT_OK;
    for (int i = 0; i < TEAM_LANES && status == WEFT_OK; i++) {
        status = lane_create(t, blocks, &t->lane[i], e);
    }
    atomic_init(&t->first, t->lane[0]);
    /* A ring has less than twice as many blocks as it was asked for. */
    t->finished = calloc((size_t)TEAM_LANES * 2 * (size_t)blocks, sizeof *t->finished);
    return status == WEFT_OK && t->finished == NULL ? error_memory(e, "%d blocks", blocks) : status;
}

/* What is left of a team without threads. */
static void release(team *t)
{
    for (int i = 0; i < TEAM_LANES; i++) {
        lane_destroy(t->lane[i]);
    }
    (void)pthread_cond_destroy(&t->offered);
    (void)pthread_mutex_destroy(&t->mutex);
    (void)pthread_mutex_destroy(&t->starting);
    free(t->finished);
    free(t->worker);
    free(t->pin);
    free(t);
}

weft_status team_create(int workers, int blocks, const host_cores pin[], team **out, error *e)
{
    const size_t count = workers > 0 ? (size_t)workers : 1;
    team *t = calloc(1, sizeof *t);
    worker *each = aligned_alloc(TEAM_LINE_BYTES, count * sizeof *each);
    if (t == NULL || each == NULL) {
        free(each);
        free(t);
        return error_memory(e, "a team of %d workers", workers);
    }
    for (size_t i = 0; i < count; i++) {
        each[i] = (worker){.lane = NULL};
    }
    t->workers = workers;
    t->worker = each;
    atomic_init(&t->waiting, workers);
    (void)pthread_mutex_init(&t->starting, NULL);
    (void)pthread_mutex_init(&t->mutex, NULL);
    (void)pthread_cond_init(&t->offered, NULL);
    weft_status status = copy_pins(pin, workers, &t->pin, e);
    status = status == WEFT_OK ? create_lanes(t, blocks, e) : status;
    if (status != WEFT_OK) {
        release(t);
        return status;
    }
    *out = t;
    return WEFT_OK;
}

static bool end_workers(team *t)
{
    (void)pthread_mutex_lock(&t->mutex);
    t->shutdown = true;
    (void)pthread_cond_broadcast(&t->offered);
    (void)pthread_mutex_unlock(&t->mutex);
    return region_close(t->region, leave_ns);
}

void team_destroy(team *t)
{
    /* A worker that does not return from the kernel still uses the team. */
    if (t == NULL || (t->region != NULL && !end_workers(t))) {
        return;
    }
    release(t);
}

lane *team_lane(team *t, int number)
{
    return t->lane[number];
}

void team_open_usage(worker *w)
{
    usage_open(&w->usage);
    w->cpu_ns = usage_cpu_ns();
    w->wait_ns = usage_wait_ns(&w->usage);
}

/* The agents learn that a worker is idle. */
static void begin_to_wait(team *t, int number)
{
    worker *w = &t->worker[number];
    const int64_t now_ns = clock_now_ns();
    const int64_t from_ns = w->now_ns != 0 ? w->now_ns : now_ns;
    if (w->lane != NULL) {
        lane_note_usage(w->lane, number, now_ns);
    }
    (void)pthread_mutex_lock(&t->mutex);
    for (int i = 0; i < TEAM_LANES; i++) {
        lane_tell_rest(t->lane[i], number, from_ns);
    }
    w->lane = NULL;
    w->now_ns = 0;
    atomic_fetch_add(&t->waiting, 1);
    (void)pthread_mutex_unlock(&t->mutex);
}

static bool has_work(team *t, int number)
{
    bool any = team_any_finished(t);
    for (int i = 0; i < TEAM_LANES && !any; i++) {
        any = lane_has_work(t->lane[i], number);
    }
    return any;
}

/* Sleeps until there may be work; false once there will be no more. */
static bool wait_for_offer(team *t, int number)
{
    (void)pthread_mutex_lock(&t->mutex);
    while (!t->shutdown && !has_work(t, number)) {
        (void)pthread_cond_wait(&t->offered, &t->mutex);
    }
    const bool work = !t->shutdown;
    atomic_fetch_sub(&t->waiting, work);
    (void)pthread_mutex_unlock(&t->mutex);
    return work;
}

/* In the lane of the run that began first, or else in another one. */
static bool work_once(team *t, int number)
{
    lane *first = atomic_load_explicit(&t->first, memory_order_relaxed);
    bool worked = lane_work(first, number);
    for (int i = 0; i < TEAM_LANES && !worked; i++) {
        worked = t->lane[i] != first && lane_work(t->lane[i], number);
    }
    return worked;
}

static void work(team *t, int number)
{
    while (wait_for_offer(t, number)) {
        while (work_once(t, number)) {
        }
        begin_to_wait(t, number);
    }
}

/* The threads may be OpenMP's again afterwards, to serve regions of the user's: they get back what
 * they had. */
static void run_worker(void *context, int number)
{
    team *t = context;
    host_cores cores;
    thread_state before;
    thread_state_get(&before);
    host_get_cores(&cores);
    const bool bound = t->pin != NULL && host_bind_thread(&t->pin[number]);
    team_open_usage(&t->worker[number]);
    stack_enter();
    exits_enter(EXITS_IN_KERNEL);
    work(t, number);
    exits_enter(EXITS_ELSEWHERE);
    stack_leave();
    usage_close(&t->worker[number].usage);
    if (bound) {
        (void)host_bind_thread(&cores);
    }
    thread_state_set(&before);
}

weft_status team_open(team *t, const region_icv *icv, error *e)
{
    weft_status status = WEFT_OK;
    (void)pthread_mutex_lock(&t->starting);
    if (t->region == NULL) {
        status = region_open(t->workers, icv, run_worker, t, &t->region, e);
    }
    (void)pthread_mutex_unlock(&t->starting);
    return status;
}
