/* SPDX-License-Identifier: BSD-3-Clause */
/* What the coordinator decides: who gets which tiles, which ranks are presumed dead, and when the
 * run is over. */
#include "sched/lead.h"

#include "sched/members.h"
#include "sched/message.h"
#include "sched/shutdown.h"

#include <stdlib.h>
#include <string.h>

enum { NOBODY = -1 };

/* A grant that waits until its leases are written. */
typedef struct letter {
    struct letter *next;
    int64_t ticket; /* of its leases */
    int rank;
    size_t count;
    message_grant grant; /* its first bytes */
} letter;

struct lead {
    lead_setup setup;
    members *members;
    shutdown *shutdown;
    letter *first; /* the oldest */
    letter *last;
    int64_t next_dispatch_ns;
};

weft_status lead_create(const lead_setup *setup, int64_t now_ns, lead **out, error *e)
{
    lead *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return error_memory(e, "the coordinator");
    }
    l->setup = *setup;
    weft_status status =
        members_create(&l->setup.outside, setup->ranks, setup->pulse, now_ns, &l->members, e);
    if (status == WEFT_OK) {
        const shutdown_setup end = {.outside = &l->setup.outside,
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
    shutdown_destroy(l->shutdown);
    members_destroy(l->members);
    free(l);
}

void lead_take_error(lead *l, const error *why, int64_t now_ns)
{
    if (why->status != WEFT_OK) {
        shutdown_take_error(l->shutdown, why, now_ns);
    }
}

void lead_presume_dead(lead *l, int rank)
{
    members_presume_dead(l->members, rank);
}

/* A rank is presumed dead: what it had is handed out again, and what waits for it is dropped. */
static void bury(lead *l, int rank, const char *why)
{
    const int64_t tiles = dispatch_bury(l->setup.dispatch, rank);
    for (letter *each = l->first; each != NULL; each = each->next) {
        each->rank = each->rank == rank ? NOBODY : each->rank;
    }
    l->setup.outside.lost(l->setup.outside.context, rank, tiles, why);
}

/* What is computed again because its holder is late may have killed the holder. */
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

/* Meanwhile somebody may have been presumed dead who had the same tiles. */
static void suspect_again(const lead *l, message_grant *grant)
{
    for (int i = 0; i < grant->intervals; i++) {
        interval *p = &grant->interval[i];
        for (int64_t tile = p->first; tile < interval_end(*p) && !p->careful; tile++) {
            p->careful = dispatch_careful(l->setup.dispatch, tile);
        }
    }
}

/* Sends grants in their order, as far as their leases are written. */
static void flush_letters(lead *l, int64_t now_ns)
{
    const effects *outside = &l->setup.outside;
    error e = {.status = WEFT_OK};
    while (l->first != NULL && outside->leased(outside->context, l->first->ticket, &e)) {
        if (l->first->rank != NOBODY) {
            suspect_again(l, &l->first->grant);
            members_send(l->members, l->first->rank, &l->first->grant, l->first->count);
        }
        remove_first_letter(l);
    }
    lead_take_error(l, &e, now_ns);
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
    error e = {.status = WEFT_OK};
    int64_t ticket = 0;
    message_grant grant = {.kind = MESSAGE_GRANT, .intervals = o->intervals};
    const size_t listed = (size_t)o->intervals * sizeof o->interval[0];
    suspect_copies(l, o);
    memcpy(grant.interval, o->interval, listed);
    if (outside->lease(outside->context, o->interval, o->intervals, &ticket, &e) == WEFT_OK) {
        (void)post_letter(l, o->rank, &grant, offsetof(message_grant, interval) + listed, ticket,
                          &e);
    }
    lead_take_error(l, &e, now_ns);
    flush_letters(l, now_ns);
}

/* Tells ranks what is decided by now. */
static int64_t send_orders(lead *l, int64_t now_ns)
{
    order o;
    int64_t orders = 0;
    if (shutdown_limited(l->shutdown)) {
        const int64_t left_ns = shutdown_time_left(l->shutdown, now_ns);
        dispatch_set_time_left(l->setup.dispatch, 1e-9 * (double)(left_ns > 1 ? left_ns : 1));
    }
    while (shutdown_far(l->shutdown) && dispatch_next(l->setup.dispatch, now_ns, &o)) {
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

/* A rank that had been presumed dead. What it had is with others, so that it begins anew; but where
 * nothing may be computed twice, it has to go. */
static void welcome_back(lead *l, int rank, int64_t now_ns)
{
    l->setup.outside.back(l->setup.outside.context, rank);
    if (!l->setup.pure) {
        message_end end;
        memset(&end, 0, sizeof end);
        end = (message_end){.kind = MESSAGE_END, .broken = true, .at_once = true};
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

static void take_failure(lead *l, int rank, const message_fail *failure, int64_t now_ns)
{
    error why = failure->error;
    if (l->setup.ranks > 1) {
        (void)error_set(&why, failure->error.status, "rank %d: %.*s", rank, ERROR_TEXT_BYTES - 32,
                        failure->error.text);
    }
    lead_take_error(l, &why, now_ns);
}

static void take_report(lead *l, int rank, const message_report *report, size_t count,
                        int64_t now_ns)
{
    error e = {.status = WEFT_OK};
    shutdown_learn_sync(l->shutdown, report->sync_ns);
    (void)l->setup.outside.record(l->setup.outside.context, rank, report, count, &e);
    lead_take_error(l, &e, now_ns);
}

static int64_t take_wish(lead *l, int rank, const message_ask *ask, int64_t now_ns)
{
    if (ask->epoch != members_epoch(l->members, rank)) {
        return 0;
    }
    dispatch_ask(l->setup.dispatch, rank, ask->want);
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

int64_t lead_receive(lead *l, int rank, const void *bytes, size_t count, int64_t now_ns)
{
    const message_kind kind = *(const message_kind *)bytes;
    if (shutdown_over(l->shutdown)) {
        return 0;
    }
    if (members_hear(l->members, rank)) {
        welcome_back(l, rank, now_ns);
    }
    if (kind == MESSAGE_SIGNAL) {
        shutdown_take_signal(l->shutdown, ((const message_signal *)bytes)->number, now_ns);
    }
    if (shutdown_closed(l->shutdown) || members_lost(l->members, rank)) {
        return 0;
    }
    switch (kind) {
    case MESSAGE_ASK:
        return take_wish(l, rank, bytes, now_ns);
    case MESSAGE_NEWS:
        shutdown_learn(l->shutdown, &((const message_news *)bytes)->news);
        dispatch_hear(l->setup.dispatch, rank, &((const message_news *)bytes)->news, now_ns);
        break;
    case MESSAGE_REPORT:
        take_report(l, rank, bytes, count, now_ns);
        break;
    case MESSAGE_FAIL:
        take_failure(l, rank, bytes, now_ns);
        break;
    case MESSAGE_LEFT:
        shutdown_take_leave(l->shutdown, rank, ((const message_left *)bytes)->dropped);
        break;
    case MESSAGE_RETURN:
        return take_back(l, rank, bytes, now_ns);
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
    char why[MEMBERS_WHY_BYTES];
    error e = {.status = WEFT_OK};
    if (shutdown_over(l->shutdown)) {
        return 0;
    }
    members_listen(l->members, now_ns);
    for (int rank = members_next_lost(l->members, why); rank >= 0;
         rank = members_next_lost(l->members, why)) {
        bury(l, rank, why);
    }
    flush_letters(l, now_ns);
    (void)dispatch_status(l->setup.dispatch, &e);
    lead_take_error(l, &e, now_ns);
    shutdown_step(l->shutdown, now_ns);
    return shutdown_far(l->shutdown) && now_ns >= l->next_dispatch_ns ? send_orders(l, now_ns) : 0;
}

bool lead_busy(const lead *l)
{
    return l->first != NULL;
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
