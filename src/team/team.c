/* SPDX-License-Identifier: BSD-3-Clause */
/* The team of a rank: workers that take spans of tiles from blocks that the agent offers. */
#include "team/team.h"

#include "base/clock.h"
#include "base/thread.h"
#include "host/exits.h"
#include "host/stack.h"
#include "host/thread_state.h"
#include "host/usage.h"
#include "sched/pace.h"
#include "team/region.h"
#include "team/ring.h"
#include "team/worktime.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long a worker has waited for a core is not looked at more often. */
enum { WAIT_PAUSE_NS = 10000000, CACHE_LINE = 64 };

/* Workers that have nothing to do end at once; one that has is waited for so long. */
static const int64_t leave_ns = INT64_C(5000000000);

/* What one worker writes; a cache line each. */
typedef struct worker {
    _Alignas(CACHE_LINE) _Atomic int64_t busy_ns;
    int64_t tile_ns; /* recent mean, 0 while unknown */
    int64_t at;      /* the block it looks at */
    int64_t now_ns;  /* when it finished its last span; 0 after a rest */
    int64_t run;     /* in which it has worked last */
    usage usage;
    int64_t cpu_from_ns; /* the thread's, when it began to work in this run */
    int64_t wait_from_ns;
    int64_t next_wait_ns; /* when to look at it again */
    _Atomic int64_t cpu_ns;
    _Atomic int64_t wait_ns;
    worktime time; /* where it goes: changed per block and rest, not per span, and with no look at
                      the clock of its own */
} worker;

struct team {
    int workers;
    host_cores *pin; /* one per worker; NULL: none is pinned */
    region *region;  /* NULL: no worker has been needed yet, or … */
    error failure;   /* … none could be had */
    worker *worker;
    ring *ring;
    /* Of the present run, or the last one. Workers sleep where this is written: */
    int64_t run; /* counted from 1 */
    team_hooks hooks;
    void *context;
    int64_t span_limit;
    team_caller caller;
    bool halted; /* agent only */
    /* Of any: */
    _Atomic int64_t tile_ns; /* of the worker that measured last */
    bool shutdown;           /* under the mutex */
    pthread_mutex_t mutex;
    pthread_cond_t offered; /* for workers */
    pthread_cond_t noticed; /* for the agent */
    atomic_int waiting;     /* workers that sleep, or are not there yet; changed under the mutex */
    ring_span *finished;    /* blocks that a worker is to hand to the hook; under the mutex */
    atomic_int finished_count;
    bool news; /* for the agent; under the mutex */
};

void team_note_caller(team_caller *caller)
{
    thread_state_get(&caller->state);
    region_icv_get(&caller->icv);
}

static void init_conditions(team *t)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&t->mutex, NULL);
    (void)pthread_cond_init(&t->offered, &attributes);
    (void)pthread_cond_init(&t->noticed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

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

weft_status team_create(int workers, int blocks, const host_cores pin[], team **out, error *e)
{
    const size_t count = workers > 0 ? (size_t)workers : 1;
    team *t = calloc(1, sizeof *t);
    worker *each = aligned_alloc(CACHE_LINE, count * sizeof *each);
    ring *r = ring_create(blocks);
    ring_span *finished = calloc(2 * (size_t)blocks, sizeof *finished);
    host_cores *pins = NULL;
    if (t == NULL || each == NULL || r == NULL || finished == NULL ||
        copy_pins(pin, workers, &pins, e) != WEFT_OK) {
        free(finished);
        ring_destroy(r);
        free(each);
        free(t);
        return error_memory(e, "a team of %d workers", workers);
    }
    for (size_t i = 0; i < count; i++) {
        each[i] = (worker){.tile_ns = 0};
    }
    t->workers = workers;
    t->pin = pins;
    t->worker = each;
    t->ring = r;
    t->finished = finished; /* a ring has less than twice as many blocks as it was asked for */
    atomic_init(&t->waiting, workers);
    init_conditions(t);
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
    (void)pthread_cond_destroy(&t->noticed);
    (void)pthread_cond_destroy(&t->offered);
    (void)pthread_mutex_destroy(&t->mutex);
    free(t->finished);
    ring_destroy(t->ring);
    free(t->worker);
    free(t->pin);
    free(t);
}

void team_wake(void *waking)
{
    team *t = waking;
    (void)pthread_mutex_lock(&t->mutex);
    t->news = true;
    (void)pthread_cond_signal(&t->noticed);
    (void)pthread_mutex_unlock(&t->mutex);
}

static void begin_usage(worker *w)
{
    w->cpu_from_ns = usage_cpu_ns();
    w->wait_from_ns = usage_wait_ns(&w->usage);
}

/* System calls: once per block and rest, not per span; and the dearer one not even so often. */
static void note_usage(worker *w, int64_t now_ns)
{
    const int64_t cpu_ns = usage_cpu_ns() - w->cpu_from_ns;
    atomic_store_explicit(&w->cpu_ns, cpu_ns, memory_order_relaxed);
    if (now_ns >= w->next_wait_ns) {
        const int64_t wait_ns = usage_wait_ns(&w->usage) - w->wait_from_ns;
        atomic_store_explicit(&w->wait_ns, wait_ns > 0 ? wait_ns : 0, memory_order_relaxed);
        w->next_wait_ns = now_ns + WAIT_PAUSE_NS;
    }
}

static int64_t begin_to_compute(worker *w)
{
    const int64_t now_ns = clock_now_ns();
    worktime_enter(&w->time, WEFT_COMPUTING, now_ns);
    return now_ns;
}

/* When a worker has finished what it was at. */
static int64_t end_of_work(const worker *w)
{
    return w->now_ns != 0 ? w->now_ns : clock_now_ns();
}

static void finish_block(team *t, const ring_span *span)
{
    t->hooks.block(t->context, span->data);
    ring_publish(t->ring, span);
}

/* The agent has finished a block by taking its end back. Writing it may take long, and the agent
 * has others to answer: so the next worker that is free does it, which is soon, since the last one
 * to compute some of this block has not taken anything else yet, or not for long. */
static void finish_for_agent(team *t, const ring_span *span)
{
    const bool nothing_computed = span->first == 0;
    if (t->workers == 0 || nothing_computed) {
        finish_block(t, span);
        return;
    }
    (void)pthread_mutex_lock(&t->mutex);
    t->finished[atomic_fetch_add(&t->finished_count, 1)] = *span;
    (void)pthread_cond_broadcast(&t->offered);
    (void)pthread_mutex_unlock(&t->mutex);
}

static bool any_finished(team *t)
{
    return atomic_load_explicit(&t->finished_count, memory_order_relaxed) > 0;
}

/* A worker does what the agent has left to it; false if there is nothing. */
static bool finish_once(team *t, int number)
{
    ring_span span;
    if (!any_finished(t)) {
        return false;
    }
    (void)pthread_mutex_lock(&t->mutex);
    const bool mine = any_finished(t);
    if (mine) {
        span = t->finished[atomic_fetch_sub(&t->finished_count, 1) - 1];
    }
    (void)pthread_mutex_unlock(&t->mutex);
    if (mine) {
        worker *w = &t->worker[number];
        worktime_enter(&w->time, WEFT_WAITING_FOR_DISK, end_of_work(w));
        finish_block(t, &span);
        team_wake(t);
        w->now_ns = 0;
    }
    return mine;
}

static void compute(team *t, int number, const ring_span *span)
{
    worker *w = &t->worker[number];
    /* One look at the clock per span: a span begins where the last one ended. */
    const int64_t start = w->now_ns != 0 ? w->now_ns : begin_to_compute(w);
    const int64_t end =
        t->hooks.span(t->context, span->data, number, span->first, span->tiles, start);
    const int64_t busy = atomic_load_explicit(&w->busy_ns, memory_order_relaxed) + end - start;
    atomic_store_explicit(&w->busy_ns, busy, memory_order_relaxed);
    w->now_ns = end;
    w->tile_ns = pace_learn(w->tile_ns, end - start, span->tiles);
    if (ring_finish(t->ring, span)) {
        worktime_enter(&w->time, WEFT_WAITING_FOR_DISK, end);
        note_usage(w, end);
        finish_block(t, span);
        team_wake(t);
        w->now_ns = 0;
    } else if (span->last) {
        team_wake(t);
    }
    if (t->workers == 0) { /* the agent's own work lies between two spans */
        worktime_enter(&w->time, WEFT_ELSEWHERE, end_of_work(w));
        w->now_ns = 0;
    }
    if (span->last || end - start > PACE_LEAST_SPAN_NS) {
        atomic_store_explicit(&t->tile_ns, w->tile_ns, memory_order_relaxed);
    }
}

static void prepare(team *t, int number)
{
    worker *w = &t->worker[number];
    const int64_t start_ns = end_of_work(w);
    if (t->hooks.prepare(t->context, number)) {
        worktime_enter(&w->time, WEFT_ELSEWHERE, start_ns);
        w->now_ns = 0;
    }
}

/* Takes a span from the oldest block that has any left, and computes it. */
static bool work_once(team *t, int number)
{
    worker *w = &t->worker[number];
    ring_span span;
    int64_t left = 0;
    while (ring_look(t->ring, &w->at, &left)) {
        const bool coarse = ring_coarse(t->ring, w->at);
        const int64_t tiles = pace_span_tiles(t->workers, t->span_limit, w->tile_ns, left, coarse);
        if (ring_take(t->ring, w->at, tiles, &span)) {
            if (coarse) {
                prepare(t, number);
            }
            compute(t, number, &span);
            return true;
        }
    }
    return false;
}

/* The agent learns that a worker is idle. */
static void begin_to_wait(team *t, int number)
{
    worker *w = &t->worker[number];
    const int64_t now_ns = clock_now_ns();
    worktime_enter(&w->time, WEFT_WAITING_FOR_WORK, w->now_ns != 0 ? w->now_ns : now_ns);
    w->now_ns = 0;
    note_usage(w, now_ns);
    (void)pthread_mutex_lock(&t->mutex);
    atomic_fetch_add(&t->waiting, 1);
    t->news = true;
    (void)pthread_cond_signal(&t->noticed);
    (void)pthread_mutex_unlock(&t->mutex);
}

/* Sleeps until there may be work; false once there will be no more. */
static bool wait_for_offer(team *t, int number)
{
    int64_t left = 0;
    (void)pthread_mutex_lock(&t->mutex);
    while (!t->shutdown && !any_finished(t) && !ring_look(t->ring, &t->worker[number].at, &left)) {
        (void)pthread_cond_wait(&t->offered, &t->mutex);
    }
    const bool work = !t->shutdown;
    atomic_fetch_sub(&t->waiting, work);
    (void)pthread_mutex_unlock(&t->mutex);
    return work;
}

/* A worker computes as the run's caller would, whatever an earlier run has left behind. */
static void adopt_run(team *t, worker *w)
{
    if (w->run != t->run) {
        w->run = t->run;
        thread_state_set(&t->caller.state);
        region_icv_set(t->region, &t->caller.icv);
        begin_usage(w);
    }
}

static void work(team *t, int number)
{
    while (wait_for_offer(t, number)) {
        adopt_run(t, &t->worker[number]);
        while (finish_once(t, number) || work_once(t, number)) {
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
    usage_open(&t->worker[number].usage);
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

weft_status team_start(team *t, error *e)
{
    assert(thread_drives());
    if (t->workers > 0 && t->region == NULL && t->failure.status == WEFT_OK) {
        (void)region_open(t->workers, &t->caller.icv, run_worker, t, &t->region, &t->failure);
    }
    if (t->failure.status != WEFT_OK) {
        *e = t->failure;
    }
    return t->failure.status;
}

/* Without workers: the agent's thread computes a span. */
static bool work_as_agent(team *t)
{
    exits_enter(EXITS_IN_KERNEL);
    const bool worked = work_once(t, 0);
    exits_enter(EXITS_ELSEWHERE);
    return worked;
}

/* The last run has left no block that could be worked at, and all workers sleep. */
void team_begin(team *t, const team_hooks *hooks, void *context, int64_t span_limit,
                const team_caller *caller)
{
    assert(thread_drives());
    const int64_t now_ns = clock_now_ns();
    error_clear(&t->failure);
    while (ring_collect(t->ring) != NULL) {
    }
    for (int i = 0; i < (t->workers > 0 ? t->workers : 1); i++) {
        worker *w = &t->worker[i];
        atomic_store(&w->busy_ns, 0);
        atomic_store(&w->cpu_ns, 0);
        atomic_store(&w->wait_ns, 0);
        w->tile_ns = 0;
        w->next_wait_ns = 0;
        /* Workers sleep; without any, the thread is the program's until the agent runs. */
        worktime_begin(&w->time, t->workers > 0 ? WEFT_WAITING_FOR_WORK : WEFT_ELSEWHERE, now_ns);
    }
    t->hooks = *hooks;
    t->context = context;
    t->span_limit = span_limit;
    t->halted = false;
    atomic_store(&t->tile_ns, 0);
    t->caller = *caller;
    t->run++;
}

/* Workers finish what is on offer, and sleep. */
static void await_workers(team *t)
{
    (void)pthread_mutex_lock(&t->mutex);
    while (atomic_load(&t->waiting) < t->workers || any_finished(t) || ring_stock(t->ring) > 0) {
        (void)pthread_cond_wait(&t->noticed, &t->mutex);
    }
    (void)pthread_mutex_unlock(&t->mutex);
}

static bool run_agent(team *t)
{
    return t->hooks.agent(t->context);
}

/* Calls `act` until it returns false, in the place of a worker. The thread does other things in
 * between two times, which do not count. */
static void work_alone(team *t, bool (*act)(team *))
{
    worker *w = &t->worker[0];
    thread_state own;
    thread_state_get(&own);
    thread_state_set(&t->caller.state);
    usage_open(&w->usage);
    begin_usage(w);
    w->cpu_from_ns -= atomic_load(&w->cpu_ns);
    w->wait_from_ns -= atomic_load(&w->wait_ns);
    stack_enter();
    while (act(t)) {
    }
    stack_leave();
    const int64_t now_ns = clock_now_ns();
    worktime_enter(&w->time, WEFT_ELSEWHERE, now_ns);
    w->next_wait_ns = 0;
    note_usage(w, now_ns);
    usage_close(&w->usage);
    thread_state_set(&own);
}

void team_run(team *t)
{
    assert(thread_drives());
    if (t->workers == 0) {
        work_alone(t, run_agent);
        return;
    }
    while (run_agent(t)) {
    }
}

void team_end(team *t)
{
    assert(thread_drives());
    if (t->workers == 0) {
        work_alone(t, work_as_agent);
    } else {
        await_workers(t);
    }
}

/* As many workers as there are tiles for: each takes one at least. */
static void wake_workers(team *t, int64_t tiles)
{
    (void)pthread_mutex_lock(&t->mutex);
    const int waiting = atomic_load(&t->waiting);
    if (tiles < waiting) {
        for (int64_t i = 0; i < tiles; i++) {
            (void)pthread_cond_signal(&t->offered);
        }
    } else if (waiting > 0) {
        (void)pthread_cond_broadcast(&t->offered);
    }
    (void)pthread_mutex_unlock(&t->mutex);
}

bool team_offer(team *t, int64_t tiles, bool coarse, void *data)
{
    assert(thread_drives() && (t->workers == 0 || t->region != NULL));
    if (t->halted || !ring_offer(t->ring, tiles, coarse, data)) {
        return false;
    }
    wake_workers(t, tiles);
    return true;
}

void *team_collect(team *t)
{
    assert(thread_drives());
    return ring_collect(t->ring);
}

int64_t team_stock(const team *t)
{
    return ring_stock(t->ring);
}

int64_t team_tile_ns(const team *t)
{
    return atomic_load_explicit(&t->tile_ns, memory_order_relaxed);
}

void team_halt(team *t)
{
    assert(thread_drives());
    ring_span span;
    bool finished = false;
    t->halted = true;
    for (int n = 0; ring_cut(t->ring, n, RING_BLOCK_TILES, &span, &finished); n++) {
        if (finished) {
            finish_for_agent(t, &span);
        }
    }
}

bool team_cut(team *t, int64_t keep, int64_t most, void **data, int64_t *first, int64_t *tiles)
{
    assert(thread_drives());
    ring_span span;
    bool finished = false;
    if (!ring_cut_youngest(t->ring, keep, most, &span, &finished)) {
        return false;
    }
    *data = span.data;
    *first = span.first;
    *tiles = span.tiles;
    if (finished) {
        finish_for_agent(t, &span);
    }
    return true;
}

bool team_full(const team *t)
{
    return ring_full(t->ring);
}

bool team_idle(const team *t)
{
    return ring_blocks(t->ring) == 0;
}

bool team_waits(const team *t)
{
    return t->workers == 0 ? ring_stock(t->ring) == 0
                           : atomic_load_explicit(&t->waiting, memory_order_relaxed) > 0;
}

bool team_rest(team *t, int64_t ns)
{
    assert(thread_drives());
    if (t->workers == 0) {
        const bool worked = work_as_agent(t);
        if (!worked) {
            worktime_enter(&t->worker[0].time, WEFT_WAITING_FOR_WORK, clock_now_ns());
            clock_sleep_ns(ns);
        }
        return worked;
    }
    const int64_t until = clock_now_ns() + ns;
    const struct timespec limit = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    (void)pthread_mutex_lock(&t->mutex);
    int expired = 0;
    while (!t->news && expired == 0) {
        expired = pthread_cond_timedwait(&t->noticed, &t->mutex, &limit);
    }
    const bool woken = t->news;
    t->news = false;
    (void)pthread_mutex_unlock(&t->mutex);
    return woken;
}

int team_waiting(const team *t)
{
    return atomic_load_explicit(&t->waiting, memory_order_relaxed);
}

int64_t team_busy_ns(const team *t, int number)
{
    return atomic_load_explicit(&t->worker[number].busy_ns, memory_order_relaxed);
}

void team_get_states(const team *t, int64_t now_ns, states *sums)
{
    *sums = (states){.ns = {0}};
    for (int number = 0; number < (t->workers > 0 ? t->workers : 1); number++) {
        worktime_add(&t->worker[number].time, now_ns, sums);
    }
}

int64_t team_cpu_ns(const team *t, int number)
{
    return atomic_load_explicit(&t->worker[number].cpu_ns, memory_order_relaxed);
}

int64_t team_wait_ns(const team *t, int number)
{
    return atomic_load_explicit(&t->worker[number].wait_ns, memory_order_relaxed);
}
