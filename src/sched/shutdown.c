/* SPDX-License-Identifier: BSD-3-Clause */
/* How a run ends: all is done, it is told to stop or short of time, or something has failed. Then
 * nothing more is begun, all ranks are waited for until they have returned from their kernels, but
 * never without a limit, the run record is closed, and all ranks are told. */
#include "sched/shutdown.h"

#include "sched/members.h"
#include "sched/message.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* After SIGINT and SIGTERM a kill follows soon: mpirun's after one second with Open MPI 4.1, after
 * a quarter of one with 5. SIGUSR1 is a friendly warning, sent long before. Nothing follows when
 * the program has cancelled the map: it goes on, and no kernel is left behind. */
static const int64_t short_grace_ns = INT64_C(100000000);
static const int64_t long_grace_ns = INT64_C(3600000000000);
static const int64_t cancel_grace_ns = INT64_C(1000000000000000000);

/* After an error what is still computed is of no use, but kernels should end as they please. */
static const int64_t error_grace_ns = INT64_C(1000000000);

/* When everything is done, a kernel whose items others have computed is waited for as long as
 * that, and twice as long as any tile has taken. */
static const int64_t complete_grace_ns = INT64_C(5000000000);

/* How much longer than the grace a rank may take to say that it has left. */
static const int64_t leave_ns = INT64_C(200000000);

/* Before a time limit, this is left for messages, the end of the run record, and the end of MPI. */
static const int64_t closing_ns = INT64_C(500000000);

/* Once nothing is computed any more, the disk may take this long to answer; with a time limit,
 * until then. A run that is complete and has no limit waits, and says so. */
static const int64_t disk_grace_ns = INT64_C(10000000000);

typedef enum phase {
    PHASE_RUNNING,
    PHASE_STOPPING, /* all are called in */
    PHASE_CLOSING,  /* the run record is on its way to the disk */
    PHASE_OVER
} phase;

struct shutdown {
    shutdown_setup setup;
    measurement computed; /* by all ranks */
    double longest_s;     /* of these tiles */
    int64_t sync_ns;      /* the longest that forcing results to disk took */
    phase phase;
    int64_t stop_ns;       /* when stopping: when to wait no longer */
    int64_t disk_since_ns; /* when only the disk is waited for: since when, … */
    int64_t disk_until_ns; /* … and when to wait no longer; 0: not yet */
    bool told_of_disk;
    bool told_to_stop; /* by a signal, or … */
    bool cancelled;    /* … by the program alone */
    bool repeats;      /* some items may be with two ranks */
    bool dropped;      /* a kernel has been left behind */
    error why;         /* the run ends, once it does; and then, how it has ended */
};

weft_status shutdown_create(const shutdown_setup *setup, shutdown **out, error *e)
{
    shutdown *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return error_memory(e, "the end of the run");
    }
    s->setup = *setup;
    *out = s;
    return WEFT_OK;
}

void shutdown_destroy(shutdown *s)
{
    free(s);
}

bool shutdown_running(const shutdown *s)
{
    return s->phase == PHASE_RUNNING;
}

bool shutdown_closed(const shutdown *s)
{
    return s->phase >= PHASE_CLOSING;
}

bool shutdown_over(const shutdown *s)
{
    return s->phase == PHASE_OVER;
}

weft_status shutdown_status(const shutdown *s)
{
    return s->phase == PHASE_OVER ? s->why.status : WEFT_STOPPED;
}

/* The limits of time. */

void shutdown_measure(shutdown *s, const news *n)
{
    s->computed.tiles += n->computed.tiles;
    s->computed.seconds += n->computed.seconds;
    s->computed.squares += n->computed.squares;
    s->longest_s = n->longest_s > s->longest_s ? n->longest_s : s->longest_s;
}

void shutdown_measure_sync(shutdown *s, int64_t sync_ns)
{
    s->sync_ns = sync_ns > s->sync_ns ? sync_ns : s->sync_ns;
}

static bool is_limited(const shutdown *s)
{
    return s->setup.deadline_ns != 0;
}

/* What it takes, after the last tile has been begun, until the run is over: nearly any tile, and
 * forcing the results to disk. */
static int64_t estimate_end(const shutdown *s)
{
    const double tiles = (double)(s->computed.tiles > 0 ? s->computed.tiles : 1);
    const double mean_s = s->computed.seconds / tiles;
    const double variance = s->computed.squares / tiles - mean_s * mean_s;
    const double usual_s = mean_s + 2 * sqrt(variance > 0 ? variance : 0);
    const double tile_s = usual_s < s->longest_s ? usual_s : s->longest_s;
    return (int64_t)(1e9 * tile_s) + 2 * s->sync_ns + closing_ns;
}

int64_t shutdown_time_left(const shutdown *s, int64_t now_ns)
{
    return !is_limited(s) ? INT64_MAX : s->setup.deadline_ns - now_ns - estimate_end(s);
}

/* How long kernels may take from now on, if there is no other limit. */
static int64_t grace_left(const shutdown *s, int64_t now_ns)
{
    const int64_t left_ns = s->setup.deadline_ns - now_ns - leave_ns;
    return !is_limited(s) ? INT64_MAX : left_ns > 0 ? left_ns : 0;
}

/* How long the disk may take from now on; INT64_MAX: as long as it takes. */
static int64_t disk_left(const shutdown *s, int64_t now_ns)
{
    const int64_t left_ns = s->setup.deadline_ns - now_ns;
    const int64_t limit_ns = !is_limited(s)         ? INT64_MAX
                             : left_ns > closing_ns ? left_ns
                                                    : closing_ns;
    const bool hurry = s->told_to_stop || error_is_failure(s->why.status);
    return hurry && disk_grace_ns < limit_ns ? disk_grace_ns : limit_ns;
}

/* From now on only the disk is waited for, on a rank or here. */
static void wait_for_disk(shutdown *s, int64_t now_ns)
{
    const int64_t left_ns = disk_left(s, now_ns);
    if (s->disk_until_ns == 0) {
        s->disk_since_ns = now_ns;
        s->disk_until_ns = left_ns < INT64_MAX ? now_ns + left_ns : INT64_MAX;
    }
}

/* What may end the run. */

/* What a rank has not recorded is of no use once everything is. */
static message_stop stop_message(const shutdown *s, int64_t grace_ns, int64_t now_ns)
{
    const bool complete = dispatch_undone(s->setup.dispatch) == 0;
    return (message_stop){
        .kind = MESSAGE_STOP, .grace_ns = grace_ns, .disk_ns = complete ? 0 : disk_left(s, now_ns)};
}

/* Nothing more is begun; what is in progress may take the grace period to return. */
static void call_in(shutdown *s, int64_t most_ns, int64_t now_ns)
{
    const int64_t left_ns = grace_left(s, now_ns);
    const int64_t grace_ns = most_ns < left_ns ? most_ns : left_ns;
    const int64_t until_ns = now_ns + grace_ns + leave_ns;
    if (s->phase == PHASE_RUNNING || (s->phase == PHASE_STOPPING && until_ns < s->stop_ns)) {
        const message_stop stop = stop_message(s, grace_ns, now_ns);
        s->phase = PHASE_STOPPING;
        s->stop_ns = until_ns;
        members_send_to_all(s->setup.members, &stop, sizeof stop);
    }
}

static void stop(shutdown *s, int signal, int64_t grace_ns, int64_t now_ns)
{
    if (s->phase == PHASE_RUNNING) {
        s->setup.outside->stopping(s->setup.outside->context, signal);
    }
    call_in(s, grace_ns, now_ns);
}

static int64_t grace_after(int signal)
{
    if (signal == SIGNAL_CANCEL) {
        return cancel_grace_ns;
    }
    return signal == SIGUSR1 ? long_grace_ns : short_grace_ns;
}

void shutdown_signal(shutdown *s, int number, int64_t now_ns)
{
    s->told_to_stop = true;
    s->cancelled = number == SIGNAL_CANCEL && (s->cancelled || s->phase == PHASE_RUNNING);
    if (s->disk_until_ns > now_ns + disk_grace_ns) {
        s->disk_until_ns = now_ns + disk_grace_ns;
    }
    if (s->phase == PHASE_CLOSING) {
        return;
    }
    stop(s, number, grace_after(number), now_ns);
}

/* Of what goes wrong the first counts. */
static void blame(shutdown *s, const error *why)
{
    if (!error_is_failure(s->why.status)) {
        s->why = *why;
    }
}

void shutdown_take_error(shutdown *s, const error *why, int64_t now_ns)
{
    if (s->phase < PHASE_CLOSING) {
        blame(s, why);
        call_in(s, error_grace_ns, now_ns);
    }
}

void shutdown_expect_repeats(shutdown *s)
{
    s->repeats = true;
}

void shutdown_tell(shutdown *s, int rank, int64_t now_ns)
{
    /* Too late to be called in: the kernel that it may still be at is not waited for. */
    s->dropped = s->dropped || s->phase == PHASE_CLOSING;
    if (s->phase == PHASE_STOPPING) {
        const int64_t left_ns = s->stop_ns - now_ns;
        const message_stop stop = stop_message(s, left_ns > 0 ? left_ns : 0, now_ns);
        members_send(s->setup.members, rank, &stop, sizeof stop);
    }
}

void shutdown_leave(shutdown *s, int rank, const message_left *left, int64_t now_ns)
{
    members_leave(s->setup.members, rank, left->writing);
    if (left->writing) {
        wait_for_disk(s, now_ns);
        return;
    }
    s->dropped = s->dropped || left->dropped;
    if (!members_writing(s->setup.members) && now_ns + closing_ns < s->disk_until_ns) {
        s->disk_until_ns = 0; /* it has answered */
    }
}

/* The end, step by step. */

/* How the run stands if nothing has gone wrong. */
static void judge(shutdown *s)
{
    if (error_is_failure(s->why.status)) {
        return;
    }
    int64_t done = 0;
    int64_t failed = 0;
    s->setup.outside->count(s->setup.outside->context, &done, &failed);
    error_clear(&s->why);
    if (dispatch_undone(s->setup.dispatch) > 0) {
        (void)error_set(&s->why, WEFT_STOPPED, "stopped with %" PRId64 " of %" PRId64 " items done",
                        done, s->setup.items);
    } else if (failed > 0) {
        (void)error_set(&s->why, WEFT_ITEMS_FAILED, "%" PRId64 " items failed", failed);
    }
}

/* A rank that has not said that it has left may have died of what it has: that is not known. */
static void give_up_on_the_silent(shutdown *s)
{
    for (int rank = 0; rank < s->setup.ranks && dispatch_undone(s->setup.dispatch) > 0; rank++) {
        if (!members_has_left(s->setup.members, rank)) {
            (void)dispatch_bury(s->setup.dispatch, rank);
        }
    }
}

static void close_record(shutdown *s, int64_t now_ns)
{
    const effects *outside = s->setup.outside;
    error e;
    give_up_on_the_silent(s);
    judge(s);
    wait_for_disk(s, now_ns);
    if (s->disk_until_ns < now_ns + closing_ns) {
        s->disk_until_ns = now_ns + closing_ns;
    }
    s->phase = PHASE_CLOSING;
    if (outside->close(outside->context, s->why.status, &e) != WEFT_OK) {
        blame(s, &e);
    }
}

static void end_if_complete(shutdown *s, int64_t now_ns)
{
    if (s->phase != PHASE_RUNNING || dispatch_undone(s->setup.dispatch) > 0 ||
        !members_call(s->setup.members)) {
        return;
    }
    if (s->repeats) {
        call_in(s, complete_grace_ns + (int64_t)(2e9 * s->longest_s), now_ns);
    } else {
        close_record(s, now_ns);
    }
}

static void stop_in_time(shutdown *s, int64_t now_ns)
{
    if (s->phase == PHASE_RUNNING && shutdown_time_left(s, now_ns) <= 0) {
        stop(s, 0, INT64_MAX, now_ns);
    }
}

/* All have left, or time is up, for kernels and for the disk. */
static void end_if_left(shutdown *s, int64_t now_ns)
{
    if (s->phase != PHASE_STOPPING) {
        return;
    }
    const bool all = members_all_left(s->setup.members);
    const bool writing =
        members_writing(s->setup.members) && now_ns + closing_ns < s->disk_until_ns;
    if (all || (now_ns > s->stop_ns && !writing)) {
        s->dropped = s->dropped || !all;
        close_record(s, now_ns);
    }
}

/* The disk has not answered for a while. If it is waited for no longer, what it says is not known.
 */
static void warn_of_disk(shutdown *s, bool gives_up, double waited_s)
{
    error e;
    (void)error_set(&e, WEFT_STOPPED,
                    gives_up ? "the disk has not answered for %.1f s: what was recorded last may "
                               "be missing; run the same command again"
                             : "nothing is computed any more; waiting for the disk, silent for "
                               "%.0f s",
                    waited_s);
    s->setup.outside->warn(s->setup.outside->context, e.text);
    s->told_of_disk = true;
    if (gives_up) {
        blame(s, &e);
    }
}

static void tell_of_end(shutdown *s, int64_t disk_ns)
{
    message_end end;
    memset(&end, 0, sizeof end);
    end.kind = MESSAGE_END;
    end.error = s->why;
    end.cancelled = s->cancelled;
    /* What a rank that is presumed dead may still compute, others have done. */
    end.broken = s->dropped || members_lost_ranks(s->setup.members) > 0;
    end.disk_ns = disk_ns;
    s->phase = PHASE_OVER;
    members_send_last(s->setup.members, &end, sizeof end);
}

/* Once the run record is on disk, or time is up, tells all ranks. */
static void end_if_closed(shutdown *s, int64_t now_ns)
{
    const effects *outside = s->setup.outside;
    const double waited_s = 1e-9 * (double)(now_ns - s->disk_since_ns);
    error e;
    bool closed = false;
    if (s->phase != PHASE_CLOSING) {
        return;
    }
    if (outside->closed(outside->context, &closed, &e) != WEFT_OK) {
        blame(s, &e);
    }
    if (closed) {
        tell_of_end(s, disk_left(s, now_ns));
    } else if (now_ns >= s->disk_until_ns) {
        warn_of_disk(s, true, waited_s);
        tell_of_end(s, closing_ns);
    } else if (now_ns - s->disk_since_ns > disk_grace_ns && !s->told_of_disk) {
        warn_of_disk(s, false, waited_s);
    }
}

void shutdown_step(shutdown *s, int64_t now_ns)
{
    end_if_complete(s, now_ns);
    stop_in_time(s, now_ns);
    end_if_left(s, now_ns);
    end_if_closed(s, now_ns);
}
