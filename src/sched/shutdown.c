/* SPDX-License-Identifier: BSD-3-Clause */
/* How a run ends. */
#include "sched/shutdown.h"

#include "sched/message.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* After SIGINT and SIGTERM a kill follows soon: mpirun's after one second with Open MPI 4.1, after
 * a quarter of one with 5. SIGUSR1 is a friendly warning, sent long before. */
static const int64_t short_grace_ns = INT64_C(100000000);
static const int64_t long_grace_ns = INT64_C(3600000000000);

/* After an error what is still computed is of no use, but kernels should end as they please. */
static const int64_t error_grace_ns = INT64_C(1000000000);

/* When everything is done, a kernel whose items others have computed is waited for as long as
 * that, and twice as long as any tile has taken. */
static const int64_t complete_grace_ns = INT64_C(5000000000);

/* How much longer than the grace a rank may take to say that it has left. */
static const int64_t leave_ns = INT64_C(200000000);

/* Before a time limit so much is left for messages, the end of the run record, and the end of MPI.
 */
static const int64_t closing_ns = INT64_C(500000000);

/* Once nothing is computed any more, so long the disk may take to answer; with a time limit, until
 * then. A run that is complete and has no limit waits, and says so. */
static const int64_t disk_grace_ns = INT64_C(10000000000);

typedef enum phase {
    PHASE_RUNNING,
    PHASE_STOPPING, /* all are called in */
    PHASE_CLOSING,  /* the run record is on its way to the disk */
    PHASE_OVER
} phase;

struct shutdown {
    shutdown_setup setup;
    phase phase;
    int64_t stop_ns;      /* when stopping: when to wait no longer */
    measurement computed; /* by all ranks */
    double longest_s;     /* of these tiles */
    int64_t sync_ns;      /* the longest that forcing results to disk took */
    bool repeats;         /* some items may be with two ranks */
    bool dropped;         /* a kernel has been left behind */
    int64_t closing_ns;   /* when closing: since when, … */
    int64_t closed_ns;    /* … and when to wait no longer */
    bool told_of_disk;
    bool told_to_stop; /* by a signal */
    error why;         /* it ends, once it does; and then, how it has ended */
};

weft_status shutdown_create(const shutdown_setup *setup, shutdown **out, error *e)
{
    shutdown *x = calloc(1, sizeof *x);
    if (x == NULL) {
        return error_memory(e, "the coordinator");
    }
    x->setup = *setup;
    *out = x;
    return WEFT_OK;
}

void shutdown_destroy(shutdown *x)
{
    free(x);
}

bool shutdown_far(const shutdown *x)
{
    return x->phase == PHASE_RUNNING;
}

bool shutdown_closed(const shutdown *x)
{
    return x->phase >= PHASE_CLOSING;
}

bool shutdown_over(const shutdown *x)
{
    return x->phase == PHASE_OVER;
}

weft_status shutdown_status(const shutdown *x)
{
    return x->phase == PHASE_OVER ? x->why.status : WEFT_STOPPED;
}

void shutdown_learn(shutdown *x, const news *n)
{
    x->computed.tiles += n->computed.tiles;
    x->computed.seconds += n->computed.seconds;
    x->computed.squares += n->computed.squares;
    x->longest_s = n->longest_s > x->longest_s ? n->longest_s : x->longest_s;
}

void shutdown_learn_sync(shutdown *x, int64_t ns)
{
    x->sync_ns = ns > x->sync_ns ? ns : x->sync_ns;
}

/* What it takes, after the last tile has been begun, until the run is over: nearly any tile, and
 * forcing the results to disk. */
static int64_t estimate_end(const shutdown *x)
{
    const double tiles = (double)(x->computed.tiles > 0 ? x->computed.tiles : 1);
    const double mean_s = x->computed.seconds / tiles;
    const double variance = x->computed.squares / tiles - mean_s * mean_s;
    const double usual_s = mean_s + 2 * sqrt(variance > 0 ? variance : 0);
    const double tile_s = usual_s < x->longest_s ? usual_s : x->longest_s;
    return (int64_t)(1e9 * tile_s) + 2 * x->sync_ns + closing_ns;
}

bool shutdown_limited(const shutdown *x)
{
    return x->setup.deadline_ns != 0;
}

int64_t shutdown_time_left(const shutdown *x, int64_t now_ns)
{
    return x->setup.deadline_ns - now_ns - estimate_end(x);
}

void shutdown_expect_repeats(shutdown *x)
{
    x->repeats = true;
}

/* Of what goes wrong the first counts. */
static void blame(shutdown *x, const error *e)
{
    if (e->status != WEFT_OK && !error_is_failure(x->why.status)) {
        x->why = *e;
    }
}

/* How the run stands if nothing goes wrong. */
static void judge(shutdown *x)
{
    if (error_is_failure(x->why.status)) {
        return;
    }
    int64_t done = 0;
    int64_t failed = 0;
    x->setup.outside->count(x->setup.outside->context, &done, &failed);
    error_clear(&x->why);
    if (dispatch_undone(x->setup.dispatch) > 0) {
        (void)error_set(&x->why, WEFT_STOPPED, "stopped with %" PRId64 " of %" PRId64 " items done",
                        done, x->setup.items);
    } else if (failed > 0) {
        (void)error_set(&x->why, WEFT_ITEMS_FAILED, "%" PRId64 " items failed", failed);
    }
}

/* How long kernels may take from now on, if there is no other limit. */
static int64_t grace_left(const shutdown *x, int64_t now_ns)
{
    const int64_t left_ns = x->setup.deadline_ns - now_ns - leave_ns;
    return !shutdown_limited(x) ? INT64_MAX : left_ns > 0 ? left_ns : 0;
}

/* Nothing more is begun; what is in work may take the grace period to return. */
static void call_in(shutdown *x, int64_t most_ns, int64_t now_ns)
{
    const int64_t left_ns = grace_left(x, now_ns);
    const int64_t grace_ns = most_ns < left_ns ? most_ns : left_ns;
    const int64_t until_ns = now_ns + grace_ns + leave_ns;
    if (x->phase == PHASE_RUNNING || (x->phase == PHASE_STOPPING && until_ns < x->stop_ns)) {
        const message_stop stop = {.kind = MESSAGE_STOP, .grace_ns = grace_ns};
        x->phase = PHASE_STOPPING;
        x->stop_ns = until_ns;
        members_send_to_all(x->setup.members, &stop, sizeof stop);
    }
}

static void stop(shutdown *x, int signal, int64_t grace_ns, int64_t now_ns)
{
    if (x->phase == PHASE_RUNNING) {
        x->setup.outside->stopping(x->setup.outside->context, signal);
    }
    call_in(x, grace_ns, now_ns);
}

void shutdown_take_signal(shutdown *x, int number, int64_t now_ns)
{
    x->told_to_stop = true;
    if (x->phase == PHASE_CLOSING) {
        const int64_t until_ns = now_ns + disk_grace_ns;
        x->closed_ns = until_ns < x->closed_ns ? until_ns : x->closed_ns;
        return;
    }
    stop(x, number, number == SIGUSR1 ? long_grace_ns : short_grace_ns, now_ns);
}

void shutdown_take_error(shutdown *x, const error *why, int64_t now_ns)
{
    if (x->phase < PHASE_CLOSING) {
        blame(x, why);
        call_in(x, error_grace_ns, now_ns);
    }
}

void shutdown_take_leave(shutdown *x, int rank, bool dropped)
{
    members_leave(x->setup.members, rank);
    x->dropped = x->dropped || dropped;
}

void shutdown_tell(shutdown *x, int rank, int64_t now_ns)
{
    /* Too late to be called in: nobody waits for the kernel that it may still be at. */
    x->dropped = x->dropped || x->phase == PHASE_CLOSING;
    if (x->phase == PHASE_STOPPING) {
        const int64_t left_ns = x->stop_ns - now_ns;
        const message_stop stop = {.kind = MESSAGE_STOP, .grace_ns = left_ns > 0 ? left_ns : 0};
        members_send(x->setup.members, rank, &stop, sizeof stop);
    }
}

/* A rank that has not said that it has left may have died of what it has: nobody can tell. */
static void give_up_on_the_silent(shutdown *x)
{
    for (int rank = 0; rank < x->setup.ranks && dispatch_undone(x->setup.dispatch) > 0; rank++) {
        if (!members_has_left(x->setup.members, rank)) {
            (void)dispatch_bury(x->setup.dispatch, rank);
        }
    }
}

/* How long the disk may take from now on; INT64_MAX: as long as it takes. */
static int64_t disk_ns(const shutdown *x, int64_t now_ns)
{
    const int64_t left_ns = x->setup.deadline_ns - now_ns;
    if (shutdown_limited(x)) {
        return left_ns > closing_ns ? left_ns : closing_ns;
    }
    const bool complete = x->why.status == WEFT_OK || x->why.status == WEFT_ITEMS_FAILED;
    return complete && !x->told_to_stop ? INT64_MAX : disk_grace_ns;
}

static void close_record(shutdown *x, int64_t now_ns)
{
    error e = {.status = WEFT_OK};
    give_up_on_the_silent(x);
    judge(x);
    const int64_t may_take_ns = disk_ns(x, now_ns);
    x->closing_ns = now_ns;
    x->closed_ns = may_take_ns < INT64_MAX ? now_ns + may_take_ns : INT64_MAX;
    x->phase = PHASE_CLOSING;
    (void)x->setup.outside->close(x->setup.outside->context, x->why.status, &e);
    blame(x, &e);
}

static void end_if_complete(shutdown *x, int64_t now_ns)
{
    if (x->phase != PHASE_RUNNING || dispatch_undone(x->setup.dispatch) > 0 ||
        !members_call(x->setup.members)) {
        return;
    }
    if (x->repeats) {
        call_in(x, complete_grace_ns + (int64_t)(2e9 * x->longest_s), now_ns);
    } else {
        close_record(x, now_ns);
    }
}

static void stop_in_time(shutdown *x, int64_t now_ns)
{
    if (x->phase == PHASE_RUNNING && shutdown_limited(x) && shutdown_time_left(x, now_ns) <= 0) {
        stop(x, 0, INT64_MAX, now_ns);
    }
}

/* All have left, or time is up. */
static void end_if_left(shutdown *x, int64_t now_ns)
{
    const bool all = members_all_left(x->setup.members);
    if (x->phase == PHASE_STOPPING && (all || now_ns > x->stop_ns)) {
        x->dropped = x->dropped || !all;
        close_record(x, now_ns);
    }
}

/* Whether the run record is on disk; or time is up, and what the disk says is not known. */
static bool record_is_closed(shutdown *x, int64_t now_ns)
{
    const effects *outside = x->setup.outside;
    const double waited_s = 1e-9 * (double)(now_ns - x->closing_ns);
    error e = {.status = WEFT_OK};
    if (outside->closed(outside->context, &e)) {
        blame(x, &e);
        return true;
    }
    if (now_ns >= x->closed_ns) {
        (void)error_set(&e, WEFT_STOPPED,
                        "the disk has not answered for %.1f s: what was recorded last may be "
                        "missing; run the same command again",
                        waited_s);
        outside->warn(outside->context, e.text);
        blame(x, &e);
        return true;
    }
    if (now_ns - x->closing_ns > disk_grace_ns && !x->told_of_disk) {
        x->told_of_disk = true;
        (void)error_set(&e, WEFT_OK,
                        "everything is computed; waiting for the disk, which has not "
                        "answered for %.0f s",
                        waited_s);
        outside->warn(outside->context, e.text);
    }
    return false;
}

/* Once the run record is closed, tells all ranks. */
static void end_if_closed(shutdown *x, int64_t now_ns)
{
    if (x->phase != PHASE_CLOSING || !record_is_closed(x, now_ns)) {
        return;
    }
    message_end end;
    error known = {.status = WEFT_OK};
    const bool closed = x->setup.outside->closed(x->setup.outside->context, &known);
    memset(&end, 0, sizeof end);
    end.kind = MESSAGE_END;
    end.error = x->why;
    end.at_once = x->dropped;
    end.disk_ns = closed ? disk_ns(x, now_ns) : closing_ns;
    end.broken = x->dropped || members_lost_ranks(x->setup.members) > 0;
    x->phase = PHASE_OVER;
    members_send_last(x->setup.members, &end, sizeof end);
}

void shutdown_step(shutdown *x, int64_t now_ns)
{
    end_if_complete(x, now_ns);
    stop_in_time(x, now_ns);
    end_if_left(x, now_ns);
    end_if_closed(x, now_ns);
}
