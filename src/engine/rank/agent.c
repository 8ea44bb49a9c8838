/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent of a rank: gets chunks, offers them to the team as blocks, and reports what is written.
 */
#include "engine/rank/agent.h"

#include "base/clock.h"
#include "engine/exec/isolation.h"
#include "engine/rank/reports.h"
#include "host/signals.h"
#include "sched/granted.h"
#include "sched/pace.h"

#include <stdlib.h>
#include <string.h>

/* Where nobody says how long a rank may wait for its disk, since the coordinator is dead. */
static const int64_t orphan_disk_ns = INT64_C(10000000000);

/* Children that are ended are gone by then, and the threads that waited for them back: well before
 * the coordinator's own patience is at an end. */
enum { CHILDREN_NS = 100000000 };

struct agent {
    agent_setup setup;
    granted *granted;
    reports *reports;
    int32_t epoch;
    bool asked;
    int told; /* the signal that the coordinator knows of */
    bool stopping;
    bool left;
    int64_t leave_ns; /* when stopping: how long a kernel may take */
    bool ended;
    int64_t ended_ns;
    message_end end;
};

static void fail_if(agent *a, weft_status status, const error *e)
{
    if (status != WEFT_OK) {
        coordinator_link_fail(a->setup.link, e);
    }
}

/* Tiles that nobody here has begun. */
static int64_t count_left(const agent *a)
{
    return granted_queued(a->granted) + team_stock(a->setup.team);
}

static void begin_stop(agent *a, int64_t grace_ns, int64_t now_ns)
{
    a->stopping = true;
    a->leave_ns = now_ns + grace_ns;
    atomic_store(&a->setup.flow->stopping, true);
    granted_clear(a->granted);
    team_halt(a->setup.team);
}

/* Tiles taken back from a block that is on offer. */
static bool cut_block(agent *a, int64_t keep, int64_t most, interval *p)
{
    void *data = NULL;
    if (!team_cut(a->setup.team, keep, most, &data, &p->first, &p->tiles)) {
        return false;
    }
    block *b = data;
    b->kept = p->first;
    p->first += b->first;
    p->careful = b->careful;
    return true;
}

/* Nothing that has not been begun is left here: the team's blocks finish with what they have. */
static void drop_unbegun(agent *a)
{
    interval p;
    granted_clear(a->granted);
    while (cut_block(a, 0, INT64_MAX, &p)) {
    }
}

/* The coordinator has had to do without this rank for a while. */
static void rejoin(agent *a, int32_t epoch)
{
    a->epoch = epoch;
    a->asked = false;
    drop_unbegun(a);
}

/* Another rank is idle: half of what is not begun here can be computed there. */
static void give_back(agent *a)
{
    message_return message;
    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_RETURN;
    message.epoch = a->epoch;
    int64_t half = (count_left(a) + 1) / 2;
    interval p;
    while (half > 0 && message.intervals < ORDER_INTERVALS &&
           (granted_take_back(a->granted, half, &p) || cut_block(a, 0, half, &p))) {
        message.interval[message.intervals++] = p;
        half -= p.tiles;
    }
    message.left = count_left(a);
    const size_t bytes = offsetof(message_return, interval) + (size_t)message.intervals * sizeof p;
    coordinator_link_send(a->setup.link, &message, bytes);
}

/* The coordinator has heard of this rank when the clock here said that: what it had given it is
 * with nobody else for some time after. On rank 0 it is in any case. */
static void be_sure_since(agent *a, int64_t heard_ns)
{
    if (a->setup.flow->rank != 0 && a->setup.pulse.limit_ns > 0 && heard_ns != 0) {
        atomic_store(&a->setup.flow->mine_until_ns, heard_ns + a->setup.pulse.sure_ns);
    }
}

void agent_receive(agent *a, const void *bytes, int64_t now_ns)
{
    switch (*(const message_kind *)bytes) {
    case MESSAGE_GRANT: {
        const message_grant *grant = bytes;
        a->asked = false;
        reports_begin(a->reports, now_ns);
        for (int32_t i = 0; i < grant->intervals && !a->stopping; i++) {
            error e = {.status = WEFT_OK};
            fail_if(a, granted_add(a->granted, grant->interval[i], &e), &e);
        }
        break;
    }
    case MESSAGE_RECALL:
        give_back(a);
        break;
    case MESSAGE_STOP:
        begin_stop(a, ((const message_stop *)bytes)->grace_ns, now_ns);
        break;
    case MESSAGE_END:
        a->ended = true;
        a->ended_ns = now_ns;
        a->end = *(const message_end *)bytes;
        begin_stop(a, 0, now_ns);
        break;
    case MESSAGE_REJOIN:
        rejoin(a, ((const message_rejoin *)bytes)->epoch);
        break;
    case MESSAGE_BEAT:
        coordinator_link_answer(a->setup.link);
        be_sure_since(a, ((const message_beat *)bytes)->heard_ns);
        break;
    case MESSAGE_ALIVE:
    case MESSAGE_DEAD:
    case MESSAGE_ASK:
    case MESSAGE_NEWS:
    case MESSAGE_REPORT:
    case MESSAGE_SIGNAL:
    case MESSAGE_FAIL:
    case MESSAGE_LEFT:
    case MESSAGE_RETURN:
        break;
    }
}

static void pass_signal_on(agent *a)
{
    const int number = signals_seen();
    if (number != a->told) {
        const message_signal message = {.kind = MESSAGE_SIGNAL, .number = number};
        a->told = number;
        coordinator_link_send(a->setup.link, &message, sizeof message);
    }
}

/* A block for the next tiles; an empty one is made if none is free. */
static block *next_block(agent *a)
{
    block *b = reports_take_free(a->reports);
    error e = {.status = WEFT_OK};
    if (b == NULL &&
        block_create(a->setup.flow, granted_block_room(a->granted), &b, &e) != WEFT_OK) {
        coordinator_link_fail(a->setup.link, &e);
    }
    return b;
}

/* Blocks that turn out far too long, since tiles have become dearer, lose their ends again. */
static void shorten_blocks(agent *a)
{
    const int64_t tiles = granted_block_tiles(a->granted);
    error e = {.status = WEFT_OK};
    interval p;
    while (cut_block(a, PACE_TOO_LONG * tiles, INT64_MAX, &p)) {
        fail_if(a, granted_return(a->granted, p, &e), &e);
    }
}

/* Keeps workers in work: offers blocks, and asks for more before the last one is taken. */
static void keep_supplied(agent *a)
{
    granted_observe(a->granted, team_tile_ns(a->setup.team));
    shorten_blocks(a);
    interval p;
    while (granted_next(a->granted, team_stock(a->setup.team), &p)) {
        block *b = next_block(a);
        if (b == NULL) {
            return;
        }
        block_begin(b, p);
        if (!team_offer(a->setup.team, p.tiles, b)) {
            error e = {.status = WEFT_OK};
            reports_put_free(a->reports, b);
            fail_if(a, granted_return(a->granted, p, &e), &e);
            break;
        }
    }
    const int64_t want = granted_wanted(a->granted, team_stock(a->setup.team));
    if (want > 0 && !a->asked) {
        const message_ask ask = {.kind = MESSAGE_ASK, .epoch = a->epoch, .want = want};
        a->asked = true;
        coordinator_link_send(a->setup.link, &ask, sizeof ask);
    }
}

/* Kernels have had their time: children are ended, so that threads that wait for them are free.
 * True as long as that is worth waiting for. */
static bool end_children(agent *a, int64_t now_ns)
{
    atomic_store(&a->setup.flow->leaving, true);
    return isolation_waiting(a->setup.flow->isolation) > 0 && now_ns < a->leave_ns + CHILDREN_NS;
}

/* After MESSAGE_STOP: everything is reported, or time is up. */
static void leave_if_drained(agent *a, int64_t now_ns)
{
    const bool drained = team_idle(a->setup.team) && reports_done(a->reports);
    if (a->left || (!drained && (now_ns < a->leave_ns || end_children(a, now_ns)))) {
        return;
    }
    const message_left left = {.kind = MESSAGE_LEFT, .dropped = !team_idle(a->setup.team)};
    a->left = true;
    coordinator_link_send(a->setup.link, &left, sizeof left);
}

/* The run is over, and what is still at work here is waited for, but not for ever. */
static agent_state end_here(agent *a, bool writing, int64_t now_ns)
{
    const bool idle = team_idle(a->setup.team);
    writing = writing || reports_busy(a->reports);
    if (!idle && a->end.at_once && !end_children(a, now_ns)) {
        return AGENT_GIVES_UP;
    }
    if (idle && writing && now_ns - a->ended_ns >= a->end.disk_ns) {
        return AGENT_LEAVES_DISK;
    }
    return idle && !writing ? AGENT_IS_DONE : AGENT_ENDS;
}

weft_status agent_create(const agent_setup *setup, agent **out, error *e)
{
    const reports_setup reported = {
        .team = setup->team, .workers = setup->workers, .link = setup->link, .flow = setup->flow};
    agent *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the agent");
    }
    a->setup = *setup;
    weft_status status =
        granted_create(setup->workers, setup->ranks, setup->flow->job, &a->granted, e);
    if (status == WEFT_OK) {
        status = reports_create(&reported, &a->reports, e);
    }
    if (status != WEFT_OK) {
        agent_destroy(a);
        return status;
    }
    *out = a;
    return WEFT_OK;
}

void agent_destroy(agent *a)
{
    if (a != NULL) {
        reports_destroy(a->reports);
        granted_destroy(a->granted);
        free(a);
    }
}

bool agent_collect(agent *a, int64_t now_ns)
{
    pass_signal_on(a);
    const bool any = reports_collect(a->reports, granted_queued(a->granted), a->epoch);
    const bool idle = team_idle(a->setup.team) && granted_queued(a->granted) == 0;
    reports_report(a->reports, now_ns, a->stopping || idle);
    return any;
}

void agent_lose_coordinator(agent *a, const error *why, int64_t now_ns)
{
    a->ended = true;
    a->ended_ns = now_ns;
    a->end = (message_end){.kind = MESSAGE_END,
                           .broken = true,
                           .at_once = true,
                           .error = *why,
                           .disk_ns = orphan_disk_ns};
    begin_stop(a, 0, now_ns);
}

agent_state agent_step(agent *a, bool writing, int64_t now_ns)
{
    if (a->ended) {
        return end_here(a, writing, now_ns);
    }
    if (a->stopping) {
        leave_if_drained(a, now_ns);
    } else {
        keep_supplied(a);
    }
    return AGENT_WORKS;
}

bool agent_is_hungry(const agent *a)
{
    return a->stopping || team_stock(a->setup.team) == 0;
}

bool agent_has_ended(const agent *a)
{
    return a->ended;
}

const message_end *agent_end(const agent *a)
{
    return &a->end;
}
