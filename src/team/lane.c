/* SPDX-License-Identifier: BSD-3-Clause */
/* A lane of a team: one run at a time, with the blocks that its agent offers. */
#include "team/lane.h"

#include "base/clock.h"
#include "base/thread.h"
#include "host/exits.h"
#include "host/stack.h"
#include "sched/pace.h"
#include "team/internals.h"
#include "team/ring.h"
#include "team/worktime.h"

#include <assert.h>
#include <stdlib.h>

/* How long a worker has waited for a core is not looked at more often. */
enum { WAIT_PAUSE_NS = 10000000 };

/* At the end of a run the agent is told; it looks all the same. */
enum { END_LOOK_NS = 1000000000 };

/* What one worker has done in a run, and writes; a cache line each. */
typedef struct share {
    _Alignas(TEAM_LINE_BYTES) _Atomic int64_t busy_ns;
    _Atomic int64_t tile_ns; /* recent mean, 0 while unknown */
    int64_t at;              /* the block it looks at */
    _Atomic int64_t cpu_ns;
    _Atomic int64_t wait_ns;
    worktime time; /* where it goes: changed per block and rest, not per span, and with no look at
                      the clock of its own */
} share;

struct lane {
    team *team;
    share *share; /* of each worker */
    ring *ring;
    /* Of the present run, or the last one. Written while no worker is at the lane: */
    int64_t run; /* counted from 1, over all lanes */
    lane_hooks hooks;
    void *context;
    lane_caller caller;
    _Atomic int64_t span_limit;
    error failure; /* agent only: no workers could be had */
    bool halted;   /* agent only */
    /* Of any: */
    _Atomic int64_t tile_ns; /* of the worker that measured last */
    bell *bell;              /* of the present run's agent, … */
    bell own_bell;           /* … if it has no other */
    bool open;               /* a run is under way; under the team's mutex, as … */
    atomic_int workers;      /* … and how many are at it */
};

void lane_note_caller(lane_caller *caller)
{
    thread_state_get(&caller->state);
    region_icv_get(&caller->icv);
}

/* Without workers the agent's thread has the place of one. */
static int places(const team *t)
{
    return t->workers > 0 ? t->workers : 1;
}

weft_status lane_create(team *t, int blocks, lane **out, error *e)
{
    const size_t count = (size_t)places(t);
    lane *l = calloc(1, sizeof *l);
    share *each = aligned_alloc(TEAM_LINE_BYTES, count * sizeof *each);
    ring *r = ring_create(blocks);
    if (l == NULL || each == NULL || r == NULL) {
        ring_destroy(r);
        free(each);
        free(l);
        return error_memory(e, "a team of %d workers", t->workers);
    }
    for (size_t i = 0; i < count; i++) {
        each[i] = (share){.tile_ns = 0};
    }
    l->team = t;
    l->share = each;
    l->ring = r;
    l->bell = &l->own_bell;
    *out = l;
    return WEFT_OK;
}

void lane_destroy(lane *l)
{
    if (l != NULL) {
        ring_destroy(l->ring);
        free(l->share);
        free(l);
    }
}

/* Under the mutex. */
static void tell_agent(lane *l)
{
    bell_ring(l->bell);
}

void lane_wake(void *waking)
{
    lane *l = waking;
    (void)pthread_mutex_lock(&l->team->mutex);
    tell_agent(l);
    (void)pthread_mutex_unlock(&l->team->mutex);
}

static void add_to(_Atomic int64_t *sum, int64_t ns)
{
    const int64_t before = atomic_load_explicit(sum, memory_order_relaxed);
    atomic_store_explicit(sum, before + ns, memory_order_relaxed);
}

void lane_note_usage(lane *l, int number, int64_t now_ns)
{
    worker *w = &l->team->worker[number];
    share *mine = &l->share[number];
    const int64_t cpu_ns = usage_cpu_ns();
    add_to(&mine->cpu_ns, cpu_ns - w->cpu_ns);
    w->cpu_ns = cpu_ns;
    if (now_ns >= w->next_wait_ns) {
        const int64_t wait_ns = usage_wait_ns(&w->usage);
        add_to(&mine->wait_ns, wait_ns > w->wait_ns ? wait_ns - w->wait_ns : 0);
        w->wait_ns = wait_ns;
        w->next_wait_ns = now_ns + WAIT_PAUSE_NS;
    }
}

static int64_t begin_to_compute(share *mine)
{
    const int64_t now_ns = clock_now_ns();
    worktime_enter(&mine->time, WEFT_COMPUTING, now_ns);
    return now_ns;
}

/* When a worker has finished what it was at. */
static int64_t end_of_work(const worker *w)
{
    return w->now_ns != 0 ? w->now_ns : clock_now_ns();
}

/* What a worker is at from now on, in each run. Under the mutex. */
static void note_states(const team *t, const lane *l, int number, int64_t now_ns)
{
    for (int i = 0; i < TEAM_LANES; i++) {
        lane *each = t->lane[i];
        if (each->open) {
            worktime_enter(&each->share[number].time, each == l ? WEFT_COMPUTING : WEFT_ELSEWHERE,
                           now_ns);
        }
    }
}

/* A worker comes to the lane's run, from another one or from its rest. It computes as the run's
 * caller would, whatever another run has left behind. */
static void enter(lane *l, int number)
{
    team *t = l->team;
    worker *w = &t->worker[number];
    lane *left = w->lane;
    const int64_t now_ns = end_of_work(w);
    if (left != NULL) {
        lane_note_usage(left, number, now_ns);
    }
    (void)pthread_mutex_lock(&t->mutex);
    w->lane = l;
    atomic_fetch_add(&l->workers, 1);
    note_states(t, l, number, now_ns);
    if (left != NULL) {
        atomic_fetch_sub(&left->workers, 1);
        tell_agent(left);
    }
    (void)pthread_mutex_unlock(&t->mutex);
    if (w->run != l->run) {
        w->run = l->run;
        thread_state_set(&l->caller.state);
        region_icv_set(t->region, &l->caller.icv);
    }
    w->now_ns = now_ns;
}

static void finish_block(lane *l, const ring_span *span)
{
    l->hooks.block(l->context, span->data);
    ring_publish(l->ring, span);
}

/* The agent has finished a block by taking its end back. Writing it may take long, and the agent
 * has others to answer: so the next worker that is free does it, which is soon, since the last one
 * to compute some of this block has not taken anything else yet, or not for long. */
static void finish_for_agent(lane *l, const ring_span *span)
{
    team *t = l->team;
    const bool nothing_computed = span->first == 0;
    if (t->workers == 0 || nothing_computed) {
        finish_block(l, span);
        return;
    }
    (void)pthread_mutex_lock(&t->mutex);
    t->finished[atomic_fetch_add(&t->finished_count, 1)] = (leftover){.lane = l, .span = *span};
    (void)pthread_cond_broadcast(&t->offered);
    (void)pthread_mutex_unlock(&t->mutex);
}

/* A worker does what an agent has left to it, in whichever lane; false if there is nothing. */
static bool finish_once(team *t, int number)
{
    leftover mine = {.lane = NULL};
    if (!team_any_finished(t)) {
        return false;
    }
    (void)pthread_mutex_lock(&t->mutex);
    if (team_any_finished(t)) {
        mine = t->finished[atomic_fetch_sub(&t->finished_count, 1) - 1];
    }
    (void)pthread_mutex_unlock(&t->mutex);
    lane *l = mine.lane;
    if (l != NULL) {
        worker *w = &t->worker[number];
        if (w->lane != l) {
            enter(l, number);
        }
        worktime_enter(&l->share[number].time, WEFT_WAITING_FOR_DISK, end_of_work(w));
        finish_block(l, &mine.span);
        lane_wake(l);
        w->now_ns = 0;
    }
    return l != NULL;
}

static void compute(lane *l, int number, const ring_span *span)
{
    worker *w = &l->team->worker[number];
    share *mine = &l->share[number];
    /* One look at the clock per span: a span begins where the last one ended. */
    const int64_t start = w->now_ns != 0 ? w->now_ns : begin_to_compute(mine);
    const int64_t end =
        l->hooks.span(l->context, span->data, number, span->first, span->tiles, start);
    add_to(&mine->busy_ns, end - start);
    w->now_ns = end;
    const int64_t known_ns = atomic_load_explicit(&mine->tile_ns, memory_order_relaxed);
    const int64_t tile_ns = pace_learn(known_ns, end - start, span->tiles);
    atomic_store_explicit(&mine->tile_ns, tile_ns, memory_order_relaxed);
    if (ring_finish(l->ring, span)) {
        worktime_enter(&mine->time, WEFT_WAITING_FOR_DISK, end);
        lane_note_usage(l, number, end);
        finish_block(l, span);
        lane_wake(l);
        w->now_ns = 0;
    } else if (span->last) {
        lane_wake(l);
    }
    if (l->team->workers == 0) { /* the agent's own work lies between two spans */
        worktime_enter(&mine->time, WEFT_ELSEWHERE, end_of_work(w));
        w->now_ns = 0;
    }
    if (span->last || end - start > PACE_LEAST_SPAN_NS) {
        atomic_store_explicit(&l->tile_ns, tile_ns, memory_order_relaxed);
    }
}

static void prepare(lane *l, int number)
{
    worker *w = &l->team->worker[number];
    const int64_t start_ns = end_of_work(w);
    if (l->hooks.prepare(l->context, number)) {
        worktime_enter(&l->share[number].time, WEFT_ELSEWHERE, start_ns);
        w->now_ns = 0;
    }
}

/* Takes a span from the oldest block that has any left, and computes it. */
static bool work_once(lane *l, int number)
{
    share *mine = &l->share[number];
    ring_span span;
    int64_t left = 0;
    while (ring_look(l->ring, &mine->at, &left)) {
        const bool coarse = ring_coarse(l->ring, mine->at);
        const int64_t limit = atomic_load_explicit(&l->span_limit, memory_order_relaxed);
        const int64_t tile_ns = atomic_load_explicit(&mine->tile_ns, memory_order_relaxed);
        const int64_t tiles = pace_span_tiles(l->team->workers, limit, tile_ns, left, coarse);
        if (ring_take(l->ring, mine->at, tiles, &span)) {
            if (l->team->worker[number].lane != l) {
                enter(l, number);
            }
            if (coarse) {
                prepare(l, number);
            }
            compute(l, number, &span);
            return true;
        }
    }
    return false;
}

bool lane_has_work(lane *l, int number)
{
    int64_t left = 0;
    return ring_look(l->ring, &l->share[number].at, &left);
}

bool lane_comes_first(const lane *l)
{
    return atomic_load_explicit(&l->team->first, memory_order_relaxed) == l;
}

bool lane_work(lane *l, int number)
{
    bool any = false;
    while (finish_once(l->team, number) || work_once(l, number)) {
        any = true;
        if (!lane_comes_first(l)) {
            break;
        }
    }
    return any;
}

void lane_tell_rest(lane *l, int number, int64_t now_ns)
{
    if (l->team->worker[number].lane == l) {
        atomic_fetch_sub(&l->workers, 1);
    }
    if (l->open) {
        worktime_enter(&l->share[number].time, WEFT_WAITING_FOR_WORK, now_ns);
        tell_agent(l);
    }
}

weft_status lane_start(lane *l, error *e)
{
    assert(thread_drives());
    if (l->failure.status == WEFT_OK && l->team->workers > 0) {
        (void)team_open(l->team, &l->caller.icv, &l->failure);
    }
    if (l->failure.status != WEFT_OK) {
        *e = l->failure;
    }
    return l->failure.status;
}

/* Workers sleep, or are at another run; without any, the thread is the program's until the agent
 * runs. Under the mutex. */
static void begin_share(lane *l, int number, int64_t now_ns)
{
    const team *t = l->team;
    share *mine = &l->share[number];
    const bool rests = t->workers > 0 && t->worker[number].lane == NULL;
    atomic_store(&mine->busy_ns, 0);
    atomic_store(&mine->tile_ns, 0);
    atomic_store(&mine->cpu_ns, 0);
    atomic_store(&mine->wait_ns, 0);
    worktime_begin(&mine->time, rests ? WEFT_WAITING_FOR_WORK : WEFT_ELSEWHERE, now_ns);
}

/* The last run has left no block, and no worker is at the lane. */
void lane_begin(lane *l, const lane_hooks *hooks, void *context, int64_t span_limit,
                const lane_caller *caller, bell *own)
{
    assert(thread_drives());
    team *t = l->team;
    const int64_t now_ns = clock_now_ns();
    error_clear(&l->failure);
    l->hooks = *hooks;
    l->context = context;
    l->caller = *caller;
    l->bell = own != NULL ? own : &l->own_bell;
    l->halted = false;
    atomic_store(&l->span_limit, span_limit);
    atomic_store(&l->tile_ns, 0);
    (void)pthread_mutex_lock(&t->mutex);
    for (int i = 0; i < places(t); i++) {
        begin_share(l, i, now_ns);
    }
    l->run = ++t->runs;
    if (!((const lane *)atomic_load(&t->first))->open) {
        atomic_store(&t->first, l);
    }
    l->open = true;
    (void)pthread_mutex_unlock(&t->mutex);
}

/* Nothing is left of the run's blocks, and no worker is at them. */
static bool is_left(lane *l)
{
    (void)pthread_mutex_lock(&l->team->mutex);
    while (ring_collect(l->ring) != NULL) {
    }
    const bool left = ring_blocks(l->ring) == 0 && atomic_load(&l->workers) == 0;
    (void)pthread_mutex_unlock(&l->team->mutex);
    return left;
}

/* Workers finish what is on offer, and leave. */
static void await_workers(lane *l)
{
    while (!is_left(l)) {
        (void)bell_wait(l->bell, END_LOOK_NS);
    }
}

/* Whose run began first now: the next. */
static void close_run(lane *l)
{
    team *t = l->team;
    (void)pthread_mutex_lock(&t->mutex);
    l->open = false;
    for (int i = 0; i < TEAM_LANES && lane_comes_first(l); i++) {
        if (t->lane[i]->open) {
            atomic_store(&t->first, t->lane[i]);
        }
    }
    (void)pthread_mutex_unlock(&t->mutex);
}

static bool run_agent(lane *l)
{
    return l->hooks.agent(l->context);
}

/* Without workers: the agent's thread computes a span. */
static bool work_as_agent(lane *l)
{
    exits_enter(EXITS_IN_KERNEL);
    const bool worked = work_once(l, 0);
    exits_enter(EXITS_ELSEWHERE);
    return worked;
}

/* Calls `act` until it returns false, in the place of a worker. The thread does other things in
 * between two times, which do not count. */
static void work_alone(lane *l, bool (*act)(lane *))
{
    worker *w = &l->team->worker[0];
    thread_state own;
    thread_state_get(&own);
    thread_state_set(&l->caller.state);
    w->lane = l;
    team_open_usage(w);
    stack_enter();
    while (act(l)) {
    }
    stack_leave();
    const int64_t now_ns = clock_now_ns();
    worktime_enter(&l->share[0].time, WEFT_ELSEWHERE, now_ns);
    w->next_wait_ns = 0;
    lane_note_usage(l, 0, now_ns);
    usage_close(&w->usage);
    thread_state_set(&own);
}

void lane_run(lane *l)
{
    assert(thread_drives());
    if (l->team->workers == 0) {
        work_alone(l, run_agent);
        return;
    }
    while (run_agent(l)) {
    }
}

void lane_end(lane *l)
{
    assert(thread_drives());
    if (l->team->workers == 0) {
        work_alone(l, work_as_agent);
    }
    await_workers(l);
    close_run(l);
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

bool lane_offer(lane *l, int64_t tiles, bool coarse, void *data)
{
    assert(thread_drives() && (l->team->workers == 0 || l->team->region != NULL));
    if (l->halted || !ring_offer(l->ring, tiles, coarse, data)) {
        return false;
    }
    wake_workers(l->team, tiles);
    return true;
}

void *lane_collect(lane *l)
{
    assert(thread_drives());
    return ring_collect(l->ring);
}

int64_t lane_stock(const lane *l)
{
    return ring_stock(l->ring);
}

int64_t lane_tile_ns(const lane *l)
{
    return atomic_load_explicit(&l->tile_ns, memory_order_relaxed);
}

void lane_halt(lane *l)
{
    assert(thread_drives());
    ring_span span;
    bool finished = false;
    l->halted = true;
    for (int n = 0; ring_cut(l->ring, n, RING_BLOCK_TILES, &span, &finished); n++) {
        if (finished) {
            finish_for_agent(l, &span);
        }
    }
}

bool lane_cut(lane *l, int64_t keep, int64_t most, void **data, int64_t *first, int64_t *tiles)
{
    assert(thread_drives());
    ring_span span;
    bool finished = false;
    if (!ring_cut_youngest(l->ring, keep, most, &span, &finished)) {
        return false;
    }
    *data = span.data;
    *first = span.first;
    *tiles = span.tiles;
    if (finished) {
        finish_for_agent(l, &span);
    }
    return true;
}

bool lane_full(const lane *l)
{
    return ring_full(l->ring);
}

bool lane_idle(const lane *l)
{
    return ring_blocks(l->ring) == 0;
}

bool lane_waits(const lane *l)
{
    const team *t = l->team;
    if (t->workers == 0) {
        return ring_stock(l->ring) == 0;
    }
    return lane_comes_first(l)
               ? atomic_load_explicit(&l->workers, memory_order_relaxed) < t->workers
               : atomic_load_explicit(&t->waiting, memory_order_relaxed) > 0;
}

bool lane_rest(lane *l, int64_t ns)
{
    assert(thread_drives());
    if (l->team->workers == 0) {
        const bool worked = work_as_agent(l);
        if (!worked) {
            worktime_enter(&l->share[0].time, WEFT_WAITING_FOR_WORK, clock_now_ns());
            clock_sleep_ns(ns);
        }
        return worked;
    }
    return bell_wait(l->bell, ns);
}

int64_t lane_busy_ns(const lane *l, int number)
{
    return atomic_load_explicit(&l->share[number].busy_ns, memory_order_relaxed);
}

void lane_get_states(const lane *l, int64_t now_ns, states *sums)
{
    *sums = (states){.ns = {0}};
    for (int number = 0; number < places(l->team); number++) {
        worktime_add(&l->share[number].time, now_ns, sums);
    }
}

int64_t lane_cpu_ns(const lane *l, int number)
{
    return atomic_load_explicit(&l->share[number].cpu_ns, memory_order_relaxed);
}

int64_t lane_wait_ns(const lane *l, int number)
{
    return atomic_load_explicit(&l->share[number].wait_ns, memory_order_relaxed);
}
