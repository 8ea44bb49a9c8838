/* SPDX-License-Identifier: BSD-3-Clause */
/* What the coordinator decides: which rank gets which tiles, which ranks are presumed dead, and how
 * a run ends: all is done, it is told to stop or short of time, or something has failed. Then
 * nothing more is begun, all ranks are waited for until they have returned from their kernels, but
 * never without a limit, the run record is closed, and all ranks are told. */
#include "sched/lead.h"

#include "sched/members.h"
#include "sched/message.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY = -1 };

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

/* A grant that waits until its leases are written. */
typedef struct letter {
    struct letter *next;
    int64_t ticket; /* of its leases */
    int rank;
    size_t count;
    message_grant grant; /* its first bytes */
} letter;

typedef enum phase {
    PHASE_RUNNING,
    PHASE_STOPPING, /* all are called in */
    PHASE_CLOSING,  /* the run record is on its way to the disk */
    PHASE_OVER
} phase;

struct lead {
    lead_setup setup;
    members *members;
    letter *first; /* the oldest */
    letter *last;
    int64_t next_dispatch_ns;
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

weft_status lead_create(const lead_setup *setup, int64_t now_ns, lead **out, error *e)
{
    lead *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return error_memory(e, "the coordinator");
    }
    l->setup = *setup;
    const weft_status status =
        members_create(&l->setup.outside, setup->ranks, setup->pulse, now_ns, &l->members, e);
    if (status != WEFT_OK) {
        free(l);
        return status;
    }
    *out = l;
    return WEFT_OK;
}

static void remove_first_letter(lead *l)
{
    letter *old = l->first;
    l->first = old->next;
    l->last = l->first == NULL ? NULL : l->last;
    free(old);
}

void lead_destroy(lead *l)
{
    if (l == NULL) {
        return;
    }
    while (l->first != NULL) {
        remove_first_letter(l);
    }
    members_destroy(l->members);
    free(l);
}

urgency lead_urgency(const lead *l)
{
    return dispatch_urgency(l->setup.dispatch);
}

bool lead_closed(const lead *l)
{
    return l->phase >= PHASE_CLOSING;
}

bool lead_over(const lead *l)
{
    return l->phase == PHASE_OVER;
}

weft_status lead_status(const lead *l)
{
    return l->phase == PHASE_OVER ? l->why.status : WEFT_STOPPED;
}

void lead_presume_dead(lead *l, int rank)
{
    members_presume_dead(l->members, rank);
}

/* The limits of time. */

static bool is_limited(const lead *l)
{
    return l->setup.deadline_ns != 0;
}

/* What it takes, after the last tile has been begun, until the run is over: nearly any tile, and
 * forcing the results to disk. */
static int64_t estimate_end(const lead *l)
{
    const double tiles = (double)(l->computed.tiles > 0 ? l->computed.tiles : 1);
    const double mean_s = l->computed.seconds / tiles;
    const double variance = l->computed.squares / tiles - mean_s * mean_s;
    const double usual_s = mean_s + 2 * sqrt(variance > 0 ? variance : 0);
    const double tile_s = usual_s < l->longest_s ? usual_s : l->longest_s;
    return (int64_t)(1e9 * tile_s) + 2 * l->sync_ns + closing_ns;
}

/* How long, before the time limit, tiles can still be begun. */
static int64_t time_left(const lead *l, int64_t now_ns)
{
    return l->setup.deadline_ns - now_ns - estimate_end(l);
}

/* How long kernels may take from now on, if there is no other limit. */
static int64_t grace_left(const lead *l, int64_t now_ns)
{
    const int64_t left_ns = l->setup.deadline_ns - now_ns - leave_ns;
    return !is_limited(l) ? INT64_MAX : left_ns > 0 ? left_ns : 0;
}

/* How long the disk may take from now on; INT64_MAX: as long as it takes. */
static int64_t disk_left(const lead *l, int64_t now_ns)
{
    const int64_t left_ns = l->setup.deadline_ns - now_ns;
    const int64_t limit_ns = !is_limited(l)         ? INT64_MAX
                             : left_ns > closing_ns ? left_ns
                                                    : closing_ns;
    const bool hurry = l->told_to_stop || error_is_failure(l->why.status);
    return hurry && disk_grace_ns < limit_ns ? disk_grace_ns : limit_ns;
}

/* From now on only the disk is waited for, on a rank or here. */
static void wait_for_disk(lead *l, int64_t now_ns)
{
    const int64_t left_ns = disk_left(l, now_ns);
    if (l->disk_until_ns == 0) {
        l->disk_since_ns = now_ns;
        l->disk_until_ns = left_ns < INT64_MAX ? now_ns + left_ns : INT64_MAX;
    }
}

/* What may end the run. */

/* What a rank has not recorded is of no use once everything is. */
static message_stop stop_message(const lead *l, int64_t grace_ns, int64_t now_ns)
{
    const bool complete = dispatch_undone(l->setup.dispatch) == 0;
    return (message_stop){
        .kind = MESSAGE_STOP, .grace_ns = grace_ns, .disk_ns = complete ? 0 : disk_left(l, now_ns)};
}

/* Nothing more is begun; what is in progress may take the grace period to return. */
static void call_in(lead *l, int64_t most_ns, int64_t now_ns)
{
    const int64_t left_ns = grace_left(l, now_ns);
    const int64_t grace_ns = most_ns < left_ns ? most_ns : left_ns;
    const int64_t until_ns = now_ns + grace_ns + leave_ns;
    if (l->phase == PHASE_RUNNING || (l->phase == PHASE_STOPPING && until_ns < l->stop_ns)) {
        const message_stop stop = stop_message(l, grace_ns, now_ns);
        l->phase = PHASE_STOPPING;
        l->stop_ns = until_ns;
        members_send_to_all(l->members, &stop, sizeof stop);
    }
}

static void stop(lead *l, int signal, int64_t grace_ns, int64_t now_ns)
{
    if (l->phase == PHASE_RUNNING) {
        l->setup.outside.stopping(l->setup.outside.context, signal);
    }
    call_in(l, grace_ns, now_ns);
}

static int64_t grace_after(int signal)
{
    if (signal == SIGNAL_CANCEL) {
        return cancel_grace_ns;
    }
    return signal == SIGUSR1 ? long_grace_ns : short_grace_ns;
}

static void take_signal(lead *l, int number, int64_t now_ns)
{
    l->told_to_stop = true;
    l->cancelled = number == SIGNAL_CANCEL && (l->cancelled || l->phase == PHASE_RUNNING);
    if (l->disk_until_ns > now_ns + disk_grace_ns) {
        l->disk_until_ns = now_ns + disk_grace_ns;
    }
    if (l->phase == PHASE_CLOSING) {
        return;
    }
    stop(l, number, grace_after(number), now_ns);
}

/* Of what goes wrong the first counts. */
static void blame(lead *l, const error *why)
{
    if (!error_is_failure(l->why.status)) {
        l->why = *why;
    }
}

void lead_take_error(lead *l, const error *why, int64_t now_ns)
{
    if (l->phase < PHASE_CLOSING) {
        blame(l, why);
        call_in(l, error_grace_ns, now_ns);
    }
}

static void fail_if(lead *l, weft_status status, const error *why, int64_t now_ns)
{
    if (status != WEFT_OK) {
        lead_take_error(l, why, now_ns);
    }
}

/* What is handed out. */

/* A rank is presumed dead: its tiles are handed out again, and grants that wait for it dropped. */
static void bury(lead *l, int rank, const char *why)
{
    const int64_t tiles = dispatch_bury(l->setup.dispatch, rank);
    for (letter *each = l->first; each != NULL; each = each->next) {
        each->rank = each->rank == rank ? NOBODY : each->rank;
    }
    l->setup.outside.lost(l->setup.outside.context, rank, tiles, why);
}

/* Tiles that are computed again because their holder is late may have killed the holder. */
static void suspect_copies(lead *l, order *o)
{
    if (!o->again) {
        return;
    }
    l->repeats = true;
    for (int i = 0; i < o->intervals; i++) {
        o->interval[i].careful = o->interval[i].careful || members_doubtful(l->members, o->holder);
    }
}

/* Meanwhile a rank may have been presumed dead that had the same tiles. */
static void suspect_again(const lead *l, message_grant *grant)
{
    for (int i = 0; i < grant->intervals; i++) {
        interval *p = &grant->interval[i];
        const int64_t end = interval_end(*p);
        p->careful = p->careful || dispatch_next_careful(l->setup.dispatch, p->first, end) < end;
    }
}

/* Sends grants in their order, as far as their leases are written. */
static void flush_letters(lead *l, int64_t now_ns)
{
    const effects *outside = &l->setup.outside;
    error e;
    weft_status status = WEFT_OK;
    bool written = true;
    while (l->first != NULL) {
        status = outside->leased(outside->context, l->first->ticket, &written, &e);
        if (status != WEFT_OK || !written) {
            break;
        }
        if (l->first->rank != NOBODY) {
            suspect_again(l, &l->first->grant);
            members_send(l->members, l->first->rank, &l->first->grant, l->first->count);
        }
        remove_first_letter(l);
    }
    fail_if(l, status, &e, now_ns);
}

static weft_status post_letter(lead *l, int rank, const message_grant *grant, size_t count,
                               int64_t ticket, error *e)
{
    letter *new = malloc(offsetof(letter, grant) + count);
    if (new == NULL) {
        return error_memory(e, "a grant");
    }
    new->next = NULL;
    new->ticket = ticket;
    new->rank = rank;
    new->count = count;
    memcpy(&new->grant, grant, count);
    *(l->first == NULL ? &l->first : &l->last->next) = new;
    l->last = new;
    return WEFT_OK;
}

static void send_grant(lead *l, order *o, int64_t now_ns)
{
    const effects *outside = &l->setup.outside;
    error e;
    int64_t ticket = 0;
    message_grant grant = {.kind = MESSAGE_GRANT, .intervals = o->intervals};
    const size_t listed = (size_t)o->intervals * sizeof o->interval[0];
    suspect_copies(l, o);
    memcpy(grant.interval, o->interval, listed);
    weft_status status = outside->lease(outside->context, o->interval, o->intervals, &ticket, &e);
    if (status == WEFT_OK) {
        status =
            post_letter(l, o->rank, &grant, offsetof(message_grant, interval) + listed, ticket, &e);
    }
    fail_if(l, status, &e, now_ns);
    flush_letters(l, now_ns);
}

/* Tells ranks what is decided by now. */
static int64_t send_orders(lead *l, int64_t now_ns)
{
    order o;
    int64_t orders = 0;
    if (is_limited(l)) {
        const int64_t left_ns = time_left(l, now_ns);
        dispatch_set_time_left(l->setup.dispatch, 1e-9 * (double)(left_ns > 1 ? left_ns : 1));
    }
    while (l->phase == PHASE_RUNNING && dispatch_next(l->setup.dispatch, now_ns, &o)) {
        if (o.kind == ORDER_RECALL) {
            const message_kind recall = MESSAGE_RECALL;
            members_send(l->members, o.rank, &recall, sizeof recall);
        } else {
            send_grant(l, &o, now_ns);
        }
        orders++;
    }
    l->next_dispatch_ns = now_ns + DISPATCH_NS;
    return orders;
}

/* Messages. */

/* A rank that is back may have to stop at once. */
static void tell_of_stop(lead *l, int rank, int64_t now_ns)
{
    /* Too late to be called in: the kernel that it may still be at is not waited for. */
    l->dropped = l->dropped || l->phase == PHASE_CLOSING;
    if (l->phase == PHASE_STOPPING) {
        const int64_t left_ns = l->stop_ns - now_ns;
        const message_stop stop = stop_message(l, left_ns > 0 ? left_ns : 0, now_ns);
        members_send(l->members, rank, &stop, sizeof stop);
    }
}

/* A rank that had been presumed dead. What it had is with others, so that it begins anew; but where
 * nothing may be computed twice, it has to go. */
static void welcome_back(lead *l, int rank, int64_t now_ns)
{
    l->setup.outside.back(l->setup.outside.context, rank);
    if (!l->setup.pure) {
        message_end end;
        memset(&end, 0, sizeof end);
        end = (message_end){.kind = MESSAGE_END, .broken = true};
        (void)error_set(&end.error, WEFT_STOPPED, "this rank was presumed dead");
        members_send(l->members, rank, &end, sizeof end);
        members_dismiss(l->members, rank);
        return;
    }
    const message_rejoin rejoin = {.kind = MESSAGE_REJOIN,
                                   .epoch = members_epoch(l->members, rank)};
    members_send(l->members, rank, &rejoin, sizeof rejoin);
    l->repeats = true;
    tell_of_stop(l, rank, now_ns);
}

static int64_t take_wish(lead *l, int rank, const message_ask *ask, int64_t now_ns)
{
    if (ask->epoch != members_epoch(l->members, rank)) {
        return 0;
    }
    dispatch_ask(l->setup.dispatch, rank, ask->want, ask->idle);
    return send_orders(l, now_ns);
}

static int64_t take_back(lead *l, int rank, const message_return *back, int64_t now_ns)
{
    if (back->epoch != members_epoch(l->members, rank)) {
        return 0;
    }
    dispatch_return(l->setup.dispatch, rank, back->intervals, back->interval, back->left, now_ns);
    return send_orders(l, now_ns);
}

static void take_news(lead *l, int rank, const news *n, int64_t now_ns)
{
    l->computed.tiles += n->computed.tiles;
    l->computed.seconds += n->computed.seconds;
    l->computed.squares += n->computed.squares;
    l->longest_s = n->longest_s > l->longest_s ? n->longest_s : l->longest_s;
    dispatch_hear(l->setup.dispatch, rank, n, now_ns);
}

static void take_report(lead *l, int rank, const message_report *report, size_t count,
                        int64_t now_ns)
{
    const effects *outside = &l->setup.outside;
    error e;
    l->sync_ns = report->sync_ns > l->sync_ns ? report->sync_ns : l->sync_ns;
    fail_if(l, outside->record(outside->context, rank, report, count, &e), &e, now_ns);
}

static void take_failure(lead *l, int rank, const message_fail *failure, int64_t now_ns)
{
    error why = failure->error;
    if (l->setup.ranks > 1) {
        (void)error_set(&why, failure->error.status, "rank %d: %.*s", rank, ERROR_TEXT_BYTES - 32,
                        failure->error.text);
    }
    lead_take_error(l, &why, now_ns);
}

static void take_leave(lead *l, int rank, const message_left *left, int64_t now_ns)
{
    members_leave(l->members, rank, left->writing);
    if (left->writing) {
        wait_for_disk(l, now_ns);
        return;
    }
    l->dropped = l->dropped || left->dropped;
    if (!members_writing(l->members) && now_ns + closing_ns < l->disk_until_ns) {
        l->disk_until_ns = 0; /* it has answered */
    }
}

int64_t lead_receive(lead *l, int rank, const void *bytes, size_t count, int64_t now_ns)
{
    const message_kind kind = *(const message_kind *)bytes;
    if (l->phase == PHASE_OVER) {
        return 0;
    }
    if (members_hear(l->members, rank)) {
        welcome_back(l, rank, now_ns);
    }
    if (kind == MESSAGE_SIGNAL) {
        take_signal(l, ((const message_signal *)bytes)->number, now_ns);
    }
    if (l->phase == PHASE_CLOSING || members_lost(l->members, rank)) {
        return 0;
    }
    switch (kind) {
    case MESSAGE_ASK:
        return take_wish(l, rank, bytes, now_ns);
    case MESSAGE_RETURN:
        return take_back(l, rank, bytes, now_ns);
    case MESSAGE_NEWS:
        take_news(l, rank, &((const message_news *)bytes)->news, now_ns);
        break;
    case MESSAGE_REPORT:
        take_report(l, rank, bytes, count, now_ns);
        break;
    case MESSAGE_FAIL:
        take_failure(l, rank, bytes, now_ns);
        break;
    case MESSAGE_LEFT:
        take_leave(l, rank, bytes, now_ns);
        break;
    case MESSAGE_DEAD:
        members_presume_dead(l->members, ((const message_dead *)bytes)->rank);
        break;
    case MESSAGE_ALIVE:
        members_take_clock(l->members, rank, ((const message_alive *)bytes)->clock_ns);
        break;
    case MESSAGE_GRANT:
    case MESSAGE_RECALL:
    case MESSAGE_STOP:
    case MESSAGE_END:
    case MESSAGE_BEAT:
    case MESSAGE_REJOIN:
    case MESSAGE_SIGNAL:
        break;
    }
    return 0;
}

/* The end, step by step. */

/* How the run stands if nothing has gone wrong. */
static void judge(lead *l)
{
    if (error_is_failure(l->why.status)) {
        return;
    }
    int64_t done = 0;
    int64_t failed = 0;
    l->setup.outside.count(l->setup.outside.context, &done, &failed);
    error_clear(&l->why);
    if (dispatch_undone(l->setup.dispatch) > 0) {
        (void)error_set(&l->why, WEFT_STOPPED, "stopped with %" PRId64 " of %" PRId64 " items done",
                        done, l->setup.items);
    } else if (failed > 0) {
        (void)error_set(&l->why, WEFT_ITEMS_FAILED, "%" PRId64 " items failed", failed);
    }
}

/* A rank that has not said that it has left may have died of what it has: that is not known. */
static void give_up_on_the_silent(lead *l)
{
    for (int rank = 0; rank < l->setup.ranks && dispatch_undone(l->setup.dispatch) > 0; rank++) {
        if (!members_has_left(l->members, rank)) {
            (void)dispatch_bury(l->setup.dispatch, rank);
        }
    }
}

static void close_record(lead *l, int64_t now_ns)
{
    const effects *outside = &l->setup.outside;
    error e;
    give_up_on_the_silent(l);
    judge(l);
    wait_for_disk(l, now_ns);
    if (l->disk_until_ns < now_ns + closing_ns) {
        l->disk_until_ns = now_ns + closing_ns;
    }
    l->phase = PHASE_CLOSING;
    if (outside->close(outside->context, l->why.status, &e) != WEFT_OK) {
        blame(l, &e);
    }
}

static void end_if_complete(lead *l, int64_t now_ns)
{
    if (l->phase != PHASE_RUNNING || dispatch_undone(l->setup.dispatch) > 0 ||
        !members_call(l->members)) {
        return;
    }
    if (l->repeats) {
        call_in(l, complete_grace_ns + (int64_t)(2e9 * l->longest_s), now_ns);
    } else {
        close_record(l, now_ns);
    }
}

static void stop_in_time(lead *l, int64_t now_ns)
{
    if (l->phase == PHASE_RUNNING && is_limited(l) && time_left(l, now_ns) <= 0) {
        stop(l, 0, INT64_MAX, now_ns);
    }
}

/* All have left, or time is up, for kernels and for the disk. */
static void end_if_left(lead *l, int64_t now_ns)
{
    if (l->phase != PHASE_STOPPING) {
        return;
    }
    const bool all = members_all_left(l->members);
    const bool writing = members_writing(l->members) && now_ns + closing_ns < l->disk_until_ns;
    if (all || (now_ns > l->stop_ns && !writing)) {
        l->dropped = l->dropped || !all;
        close_record(l, now_ns);
    }
}

/* The disk has not answered for a while. If it is waited for no longer, what it says is not known.
 */
static void warn_of_disk(lead *l, bool gives_up, double waited_s)
{
    error e;
    (void)error_set(&e, WEFT_STOPPED,
                    gives_up ? "the disk has not answered for %.1f s: what was recorded last may "
                               "be missing; run the same command again"
                             : "nothing is computed any more; waiting for the disk, silent for "
                               "%.0f s",
                    waited_s);
    l->setup.outside.warn(l->setup.outside.context, e.text);
    l->told_of_disk = true;
    if (gives_up) {
        blame(l, &e);
    }
}

static void tell_of_end(lead *l, int64_t disk_ns)
{
    message_end end;
    memset(&end, 0, sizeof end);
    end.kind = MESSAGE_END;
    end.error = l->why;
    end.cancelled = l->cancelled;
    /* What a rank that is presumed dead may still compute, others have done. */
    end.broken = l->dropped || members_lost_ranks(l->members) > 0;
    end.disk_ns = disk_ns;
    l->phase = PHASE_OVER;
    members_send_last(l->members, &end, sizeof end);
}

/* Once the run record is on disk, or time is up, tells all ranks. */
static void end_if_closed(lead *l, int64_t now_ns)
{
    const effects *outside = &l->setup.outside;
    const double waited_s = 1e-9 * (double)(now_ns - l->disk_since_ns);
    error e;
    bool closed = false;
    if (l->phase != PHASE_CLOSING) {
        return;
    }
    if (outside->closed(outside->context, &closed, &e) != WEFT_OK) {
        blame(l, &e);
    }
    if (closed) {
        tell_of_end(l, disk_left(l, now_ns));
    } else if (now_ns >= l->disk_until_ns) {
        warn_of_disk(l, true, waited_s);
        tell_of_end(l, closing_ns);
    } else if (now_ns - l->disk_since_ns > disk_grace_ns && !l->told_of_disk) {
        warn_of_disk(l, false, waited_s);
    }
}

int64_t lead_step(lead *l, int64_t now_ns)
{
    error e;
    const char *why = NULL;
    if (l->phase == PHASE_OVER) {
        return 0;
    }
    members_listen(l->members, now_ns);
    for (int rank = members_next_lost(l->members, &why); rank >= 0;
         rank = members_next_lost(l->members, &why)) {
        bury(l, rank, why);
    }
    flush_letters(l, now_ns);
    fail_if(l, dispatch_status(l->setup.dispatch, &e), &e, now_ns);
    end_if_complete(l, now_ns);
    stop_in_time(l, now_ns);
    end_if_left(l, now_ns);
    end_if_closed(l, now_ns);
    return l->phase == PHASE_RUNNING && now_ns >= l->next_dispatch_ns ? send_orders(l, now_ns) : 0;
}
