/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent of a rank: what its desk decides is done here with blocks, team, disk and messages. */
#include "engine/rank/agent.h"

#include "base/clock.h"
#include "base/thread.h"
#include "engine/exec/isolation.h"
#include "engine/flow/block.h"
#include "host/signals.h"
#include "store/syncer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct agent {
    agent_setup setup;
    desk *desk;
    syncer *syncer; /* NULL: data is reported as soon as it is written */
    bool syncing;   /* the desk has not been told that it is done */
    block *free;
};

static void push(block **list, block *b)
{
    b->next = *list;
    *list = b;
}

static block *pop(block **list)
{
    block *b = *list;
    if (b != NULL) {
        *list = b->next;
    }
    return b;
}

/* What the desk has the agent do. */

static desk_team look_hook(void *context)
{
    const lane *l = ((const agent *)context)->setup.lane;
    return (desk_team){.stock = lane_stock(l),
                       .tile_ns = lane_tile_ns(l),
                       .full = lane_full(l),
                       .idle = lane_idle(l),
                       .waits = lane_waits(l)};
}

static void fail_hook(void *context, const error *why)
{
    coordinator_link_fail(((agent *)context)->setup.link, why);
}

static bool offer_hook(void *context, interval p)
{
    agent *a = context;
    error e = {.status = WEFT_OK};
    weft_status status = lane_start(a->setup.lane, &e);
    block *b = status == WEFT_OK ? pop(&a->free) : NULL;
    if (status == WEFT_OK && b == NULL) {
        status = block_create(a->setup.flow, desk_room(a->desk), &b, &e);
    }
    if (status != WEFT_OK) {
        fail_hook(a, &e);
        return false;
    }
    block_begin(b, p);
    const bool coarse = isolation_takes_long_spans(a->setup.flow, b->careful);
    if (!lane_offer(a->setup.lane, p.tiles, coarse, b)) {
        push(&a->free, b);
        return false;
    }
    return true;
}

static bool cut_hook(void *context, int64_t keep, int64_t most, interval *p)
{
    void *data = NULL;
    if (!lane_cut(((agent *)context)->setup.lane, keep, most, &data, &p->first, &p->tiles)) {
        return false;
    }
    block *b = data;
    b->kept = p->first;
    p->first += b->first;
    p->careful = b->careful;
    return true;
}

static void halt_hook(void *context)
{
    const agent *a = context;
    atomic_store(&a->setup.flow->stopping, true);
    lane_halt(a->setup.lane);
}

static void send_hook(void *context, const void *bytes, size_t count)
{
    coordinator_link_send(((agent *)context)->setup.link, bytes, count);
}

rank_effort agent_effort(const void *about)
{
    const agent *a = about;
    rank_effort sum = {.busy_ns = 0};
    for (int i = 0; i < (a->setup.workers > 0 ? a->setup.workers : 1); i++) {
        const int64_t busy_ns = lane_busy_ns(a->setup.lane, i);
        sum.busy_ns += busy_ns;
        sum.cpu_ns += lane_cpu_ns(a->setup.lane, i);
        sum.wait_ns += lane_wait_ns(a->setup.lane, i);
        sum.worst_ns = busy_ns > sum.worst_ns ? busy_ns : sum.worst_ns;
    }
    lane_get_states(a->setup.lane, clock_now_ns(), &sum.states);
    return sum;
}

/* Says what is in a parcel, and what the workers have done so far. */
static void report_hook(void *context, parcel *p)
{
    const agent *a = context;
    message_report *head = &p->report;
    head->effort = agent_effort(a);
    if (a->syncer != NULL) {
        head->sync_ns = (int64_t)(1e9 * syncer_seconds(a->syncer));
    }
    /* Where workers wait, the end is near, and others may wait for it. */
    coordinator_link_hand(a->setup.link, p, lane_waits(a->setup.lane), head, p->bytes);
}

static void drop_hook(void *context, parcel *p)
{
    (void)context;
    pool_give(p);
}

static void sync_hook(void *context)
{
    agent *a = context;
    a->syncing = true;
    syncer_ask(a->syncer);
}

static bool end_children_hook(void *context)
{
    flow *f = ((agent *)context)->setup.flow;
    atomic_store(&f->leaving, true);
    return isolation_waiting(f->isolation) > 0;
}

static const desk_hooks hooks = {.look = look_hook,
                                 .offer = offer_hook,
                                 .cut = cut_hook,
                                 .halt = halt_hook,
                                 .send = send_hook,
                                 .report = report_hook,
                                 .drop = drop_hook,
                                 .fail = fail_hook,
                                 .sync = sync_hook,
                                 .end_children = end_children_hook};

weft_status agent_create(const agent_setup *setup, agent **out, error *e)
{
    agent *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return error_memory(e, "the state of the agent");
    }
    a->setup = *setup;
    const desk_setup decides = {.workers = setup->workers,
                                .ranks = setup->ranks,
                                .job = setup->flow->job,
                                .sync_s = setup->flow->options->sync_s,
                                .hooks = &hooks,
                                .context = a};
    weft_status status = desk_create(&decides, &a->desk, e);
    if (status == WEFT_OK && setup->flow->options->sync_s > 0) {
        status = syncer_create(setup->flow->store, lane_wake, setup->lane, &a->syncer, e);
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
        syncer_destroy(a->syncer);
        for (block *b = pop(&a->free); b != NULL; b = pop(&a->free)) {
            block_destroy(b);
        }
        desk_destroy(a->desk);
        free(a);
    }
}

static bool tile_done(const void *data, int64_t i)
{
    return ((const block *)data)->done[i];
}

/* A block that the team has finished: its bytes are in the file, or never will be. */
static void finish(agent *a, block *b)
{
    const desk_block finished = {.all = {.first = b->first, .tiles = b->tiles},
                                 .kept = b->kept,
                                 .news = b->news,
                                 .done = tile_done,
                                 .data = b};
    error e = b->error;
    parcel *report = e.status == WEFT_OK ? block_pack(b) : NULL;
    if (report != NULL) {
        desk_finish(a->desk, &finished, report);
    } else {
        if (e.status == WEFT_OK) {
            (void)error_memory(&e, "a report");
        }
        fail_hook(a, &e);
    }
    push(&a->free, b);
}

/* What could not be forced to disk is never reported: the system may have dropped it. */
static void look_after_sync(agent *a)
{
    error e = {.status = WEFT_OK};
    if (a->syncing && !syncer_busy(a->syncer)) {
        a->syncing = false;
        if (syncer_status(a->syncer, &e) == WEFT_OK) {
            desk_synced(a->desk, syncer_seconds(a->syncer));
        } else {
            fail_hook(a, &e);
        }
    }
}

bool agent_collect(agent *a, int64_t now_ns)
{
    assert(thread_drives());
    bool any = false;
    const atomic_bool *cancelled = a->setup.flow->options->cancelled;
    const int number = signals_seen();
    /* After a signal there is less time. */
    desk_signal(a->desk, number == 0 && cancelled != NULL && atomic_load(cancelled) ? SIGNAL_CANCEL
                                                                                    : number);
    for (block *b = lane_collect(a->setup.lane); b != NULL; b = lane_collect(a->setup.lane)) {
        finish(a, b);
        any = true;
    }
    look_after_sync(a);
    desk_report(a->desk, now_ns);
    return any;
}

void agent_receive(agent *a, const void *bytes, int64_t now_ns)
{
    assert(thread_drives());
    if (*(const message_kind *)bytes == MESSAGE_BEAT) {
        const int64_t heard_ns = ((const message_beat *)bytes)->heard_ns;
        coordinator_link_answer(a->setup.link);
        if (a->setup.flow->rank != 0) {
            flow_tell(a->setup.flow->options, &((const message_beat *)bytes)->tally);
        }
        /* The coordinator has heard of this rank when the clock here said that: what it had given
         * it is with nobody else for some time after. On rank 0 it is in any case. */
        if (a->setup.flow->rank != 0 && a->setup.pulse.limit_ns > 0 && heard_ns != 0) {
            atomic_store(&a->setup.flow->mine_until_ns, heard_ns + a->setup.pulse.sure_ns);
        }
        return;
    }
    desk_receive(a->desk, bytes, now_ns);
}

desk_state agent_step(agent *a, bool writing, int64_t now_ns)
{
    assert(thread_drives());
    const bool syncing = a->syncer != NULL && syncer_busy(a->syncer);
    return desk_step(a->desk, writing || syncing, now_ns);
}

urgency agent_urgency(const agent *a, int64_t now_ns)
{
    return desk_urgency(a->desk, now_ns);
}
