/* SPDX-License-Identifier: BSD-3-Clause */
/* What the coordinator decides: which rank gets which tiles, which ranks are presumed dead, and how
 * a run ends. */
#include "sched/lead.h"

#include "sched/grants.h"
#include "sched/members.h"
#include "sched/message.h"
#include "sched/shutdown.h"

#include <stdlib.h>
#include <string.h>

struct lead {
    lead_setup setup;
    members *members;
    grants *grants;
    shutdown *shutdown;
    int64_t next_dispatch_ns;
};

weft_status lead_create(const lead_setup *setup, int64_t now_ns, lead **out, error *e)
{
    lead *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return error_memory(e, "the coordinator");
    }
    l->setup = *setup;
    const effects *outside = &l->setup.outside;
    weft_status status =
        members_create(outside, setup->ranks, setup->pulse, now_ns, &l->members, e);
    if (status == WEFT_OK) {
        status = grants_create(outside, setup->dispatch, l->members, &l->grants, e);
    }
    if (status == WEFT_OK) {
        const shutdown_setup end = {.outside = outside,
                                    .dispatch = setup->dispatch,
                                    .members = l->members,
                                    .ranks = setup->ranks,
                                    .items = setup->items,
                                    .deadline_ns = setup->deadline_ns};
        status = shutdown_create(&end, &l->shutdown, e);
    }
    if (status != WEFT_OK) {
        lead_destroy(l);
        return status;
    }
    *out = l;
    return WEFT_OK;
}

void lead_destroy(lead *l)
{
    if (l != NULL) {
        shutdown_destroy(l->shutdown);
        grants_destroy(l->grants);
        members_destroy(l->members);
        free(l);
    }
}

urgency lead_urgency(const lead *l)
{
    return dispatch_urgency(l->setup.dispatch);
}

bool lead_lost(const lead *l, int rank)
{
    return members_lost(l->members, rank);
}

bool lead_closed(const lead *l)
{
    return shutdown_closed(l->shutdown);
}

bool lead_over(const lead *l)
{
    return shutdown_over(l->shutdown);
}

weft_status lead_status(const lead *l)
{
    return shutdown_status(l->shutdown);
}

void lead_presume_dead(lead *l, int rank)
{
    members_presume_dead(l->members, rank);
}

void lead_take_error(lead *l, const error *why, int64_t now_ns)
{
    shutdown_take_error(l->shutdown, why, now_ns);
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
    grants_bury(l->grants, rank);
    l->setup.outside.lost(l->setup.outside.context, rank, tiles, why);
}

/* Tiles that are computed again because their holder is late may have killed the holder. */
static void suspect_copies(lead *l, order *o)
{
    if (!o->again) {
        return;
    }
    shutdown_expect_repeats(l->shutdown);
    for (int i = 0; i < o->intervals; i++) {
        o->interval[i].careful = o->interval[i].careful || members_doubtful(l->members, o->holder);
    }
}

static void send_grant(lead *l, order *o, int64_t now_ns)
{
    error e;
    suspect_copies(l, o);
    weft_status status = grants_send(l->grants, o, &e);
    if (status == WEFT_OK) {
        status = grants_flush(l->grants, &e);
    }
    fail_if(l, status, &e, now_ns);
}

/* Tells ranks what is decided by now. */
static int64_t send_orders(lead *l, int64_t now_ns)
{
    order o;
    int64_t orders = 0;
    const int64_t left_ns = shutdown_time_left(l->shutdown, now_ns);
    if (left_ns < INT64_MAX) {
        dispatch_set_time_left(l->setup.dispatch, 1e-9 * (double)(left_ns > 1 ? left_ns : 1));
    }
    while (shutdown_running(l->shutdown) && dispatch_next(l->setup.dispatch, now_ns, &o)) {
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
    shutdown_expect_repeats(l->shutdown);
    shutdown_tell(l->shutdown, rank, now_ns);
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
    shutdown_measure(l->shutdown, n);
    dispatch_hear(l->setup.dispatch, rank, n, now_ns);
}

static void take_report(lead *l, int rank, const message_report *report, size_t count,
                        int64_t now_ns)
{
    const effects *outside = &l->setup.outside;
    error e;
    shutdown_measure_sync(l->shutdown, report->sync_ns);
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

int64_t lead_receive(lead *l, int rank, const void *bytes, size_t count, int64_t now_ns)
{
    const message_kind kind = *(const message_kind *)bytes;
    if (lead_over(l)) {
        return 0;
    }
    if (members_hear(l->members, rank)) {
        welcome_back(l, rank, now_ns);
    }
    if (kind == MESSAGE_SIGNAL) {
        shutdown_signal(l->shutdown, ((const message_signal *)bytes)->number, now_ns);
    }
    if (lead_closed(l) || members_lost(l->members, rank)) {
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
        shutdown_leave(l->shutdown, rank, bytes, now_ns);
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

int64_t lead_step(lead *l, int64_t now_ns)
{
    error e;
    const char *why = NULL;
    if (lead_over(l)) {
        return 0;
    }
    members_listen(l->members, now_ns);
    for (int rank = members_next_lost(l->members, &why); rank >= 0;
         rank = members_next_lost(l->members, &why)) {
        bury(l, rank, why);
    }
    fail_if(l, grants_flush(l->grants, &e), &e, now_ns);
    fail_if(l, dispatch_status(l->setup.dispatch, &e), &e, now_ns);
    shutdown_step(l->shutdown, now_ns);
    return shutdown_running(l->shutdown) && now_ns >= l->next_dispatch_ns ? send_orders(l, now_ns)
                                                                          : 0;
}
