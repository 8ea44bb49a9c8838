/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent of a rank: gets chunks, offers them to the team as blocks, and reports what is written.
 */
#include "engine/agent.h"

#include "base/clock.h"
#include "base/done.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/watchdog.h"
#include "engine/delivery.h"
#include "engine/isolation.h"
#include "engine/pace.h"
#include "engine/supply.h"
#include "team/team.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many ranks say that the coordinator is dead: the first of them may be, too. */
enum { RANKS_THAT_TELL = 4 };

/* The last words of a process that leaves something behind. */
enum { LEAVING_S = 2 };

/* Where nobody says how long a rank may wait for its disk, since the coordinator is dead. */
static const int64_t orphan_disk_ns = INT64_C(10000000000);

/* Messages are read for so long at a time. */
static const int64_t read_ns = INT64_C(20000000);

/* Children that are ended are gone by then, and the threads that waited for them back: well before
 * the coordinator's own patience is at an end. */
enum { CHILDREN_NS = 100000000 };

typedef struct agent {
    agent_setup setup;
    team *team;
    supply *supply;
    delivery *delivery;
    int64_t rest_ns;
    int32_t epoch;
    bool asked;
    int told; /* the signal that the coordinator knows of */
    bool stopping;
    bool left;
    int64_t leave_ns; /* when stopping: how long a kernel may take */
    bool ended;
    int64_t ended_ns;
    message_end end;
} agent;

static void fail_if(agent *a, weft_status status, const error *e)
{
    if (status != WEFT_OK) {
        contact_fail(a->setup.contact, e);
    }
}

/* Tiles that nobody here has begun. */
static int64_t count_left(const agent *a)
{
    return supply_queued(a->supply) + team_stock(a->team);
}

static void begin_stop(agent *a, int64_t grace_ns)
{
    a->stopping = true;
    a->leave_ns = clock_now_ns() + grace_ns;
    atomic_store(&a->setup.work->stopping, true);
    if (a->team != NULL) {
        supply_clear(a->supply);
        team_halt(a->team);
    }
}

/* Tiles taken back from a block that is on offer. */
static bool cut_block(agent *a, int64_t keep, int64_t most, piece *p)
{
    void *data = NULL;
    if (!team_cut(a->team, keep, most, &data, &p->first, &p->tiles)) {
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
    piece p;
    supply_clear(a->supply);
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
    piece p;
    while (half > 0 && message.pieces < ORDER_PIECES &&
           (supply_take_back(a->supply, half, &p) || cut_block(a, 0, half, &p))) {
        message.piece[message.pieces++] = p;
        half -= p.tiles;
    }
    message.left = count_left(a);
    const size_t bytes = offsetof(message_return, piece) + (size_t)message.pieces * sizeof p;
    contact_send(a->setup.contact, &message, bytes);
}

/* The coordinator has heard of this rank when the clock here said that: what it had given it is
 * with nobody else for some time after. On rank 0 it is in any case. */
static void be_sure_since(agent *a, int64_t heard_ns)
{
    if (a->setup.coordinator == NULL && a->setup.pulse.limit_ns > 0 && heard_ns != 0) {
        atomic_store(&a->setup.work->mine_until_ns, heard_ns + a->setup.pulse.sure_ns);
    }
}

static void take_message(agent *a, const void *bytes)
{
    switch (*(const message_kind *)bytes) {
    case MESSAGE_GRANT: {
        const message_grant *granted = bytes;
        a->asked = false;
        delivery_begin(a->delivery, clock_now_ns());
        for (int32_t i = 0; i < granted->pieces && !a->stopping; i++) {
            error e = {.status = WEFT_OK};
            fail_if(a, supply_add(a->supply, granted->piece[i], &e), &e);
        }
        break;
    }
    case MESSAGE_RECALL:
        give_back(a);
        break;
    case MESSAGE_STOP:
        begin_stop(a, ((const message_stop *)bytes)->grace_ns);
        break;
    case MESSAGE_END:
        a->ended = true;
        a->ended_ns = clock_now_ns();
        a->end = *(const message_end *)bytes;
        begin_stop(a, 0);
        break;
    case MESSAGE_REJOIN:
        rejoin(a, ((const message_rejoin *)bytes)->epoch);
        break;
    case MESSAGE_BEAT:
        contact_answer(a->setup.contact);
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

/* Reads messages, on rank 0 also those for the coordinator; but while ever more of them arrive,
 * this rank has to say now and then that it is there. */
static bool read_mail(agent *a)
{
    bool any = false;
    bool arrived = true;
    const int64_t until_ns = clock_now_ns() + read_ns;
    while (arrived && clock_now_ns() < until_ns) {
        int source = 0;
        const void *bytes = NULL;
        size_t count = 0;
        error e = {.status = WEFT_OK};
        if (mail_receive(a->setup.mail, &arrived, &source, &bytes, &count, &e) != WEFT_OK) {
            /* MPI may complain of a rank that has died; who is silent for it is noticed. */
            log_print(LOG_DEBUG, "%s", e.text);
            if (e.status == WEFT_ERR_MEMORY) {
                contact_fail(a->setup.contact, &e);
            }
            break;
        }
        if (!arrived) {
            break;
        }
        any = true;
        contact_hear(a->setup.contact);
        if (*(const message_kind *)bytes >= MESSAGE_GRANT) {
            take_message(a, bytes);
        } else if (a->setup.coordinator != NULL) {
            coordinator_receive(a->setup.coordinator, source, bytes, count);
        }
    }
    return any;
}

static void pass_signal_on(agent *a)
{
    const int number = signals_seen();
    if (number != a->told) {
        const message_signal message = {.kind = MESSAGE_SIGNAL, .number = number};
        a->told = number;
        contact_send(a->setup.contact, &message, sizeof message);
    }
}

/* A block for the next tiles; an empty one is made if none is free. */
static block *next_block(agent *a)
{
    block *b = delivery_take_free(a->delivery);
    error e = {.status = WEFT_OK};
    if (b == NULL && block_create(a->setup.work, supply_block_room(a->supply), &b, &e) != WEFT_OK) {
        contact_fail(a->setup.contact, &e);
    }
    return b;
}

/* Blocks that turn out far too long, since tiles have become dearer, lose their ends again. */
static void shorten_blocks(agent *a)
{
    const int64_t tiles = supply_block_tiles(a->supply);
    error e = {.status = WEFT_OK};
    piece p;
    while (cut_block(a, PACE_TOO_LONG * tiles, INT64_MAX, &p)) {
        fail_if(a, supply_return(a->supply, p, &e), &e);
    }
}

/* Keeps workers in work: offers blocks, and asks for more before the last one is taken. */
static void keep_supplied(agent *a)
{
    supply_observe(a->supply, team_tile_ns(a->team));
    shorten_blocks(a);
    piece p;
    while (supply_next(a->supply, team_stock(a->team), &p)) {
        block *b = next_block(a);
        if (b == NULL) {
            return;
        }
        block_begin(b, p);
        if (!team_offer(a->team, p.tiles, b)) {
            error e = {.status = WEFT_OK};
            delivery_put_free(a->delivery, b);
            fail_if(a, supply_return(a->supply, p, &e), &e);
            break;
        }
    }
    const int64_t want = supply_wanted(a->supply, team_stock(a->team));
    if (want > 0 && !a->asked) {
        const message_ask ask = {.kind = MESSAGE_ASK, .epoch = a->epoch, .want = want};
        a->asked = true;
        contact_send(a->setup.contact, &ask, sizeof ask);
    }
}

/* Kernels have had their time: children are ended, so that threads that wait for them are free.
 * True as long as that is worth waiting for. */
static bool end_children(agent *a, int64_t now_ns)
{
    atomic_store(&a->setup.work->leaving, true);
    return isolation_waiting(a->setup.work->isolation) > 0 && now_ns < a->leave_ns + CHILDREN_NS;
}

/* After MESSAGE_STOP: everything is reported, or time is up. */
static void leave_if_drained(agent *a, int64_t now_ns)
{
    const bool drained = team_idle(a->team) && delivery_done(a->delivery);
    if (a->left || (!drained && (now_ns < a->leave_ns || end_children(a, now_ns)))) {
        return;
    }
    const message_left left = {.kind = MESSAGE_LEFT, .dropped = !team_idle(a->team)};
    a->left = true;
    contact_send(a->setup.contact, &left, sizeof left);
}

/* The coordinator's silence ends the run for this rank. */
static void listen_to_coordinator(agent *a, int64_t now_ns)
{
    if (a->ended || !contact_lost(a->setup.contact, now_ns, &a->end.error)) {
        return;
    }
    a->ended = true;
    a->ended_ns = now_ns;
    a->end.broken = true;
    a->end.at_once = true;
    a->end.disk_ns = orphan_disk_ns;
    if (comm_rank(a->setup.comm) < RANKS_THAT_TELL) {
        log_print(LOG_WARNING, "%s", a->end.error.text);
    }
    begin_stop(a, 0);
}

/* The rest of the program does not come about, so that even a complete run is not all there was to
 * do. */
static weft_status status_of_leaving(const agent *a)
{
    const weft_status status = a->end.error.status;
    return error_is_failure(status) ? status : WEFT_STOPPED;
}

/* A kernel, or the disk, has not come back in time, and threads cannot be ended one by one: the
 * process goes, as it would be killed a moment later. Everything reported is in the books. The
 * files beside the result are on the same disk, perhaps. */
static void leave_behind(agent *a, const char *what)
{
    const weft_status status = status_of_leaving(a);
    const int exit_status = weft_status_exit(status);
    watchdog_set(LEAVING_S, exit_status, "");
    comm_flush(a->setup.comm, INT64_C(200000000));
    coordinator_destroy(a->setup.coordinator);
    if (a->setup.coordinator != NULL) {
        store_leave(a->setup.work->store);
    }
    if (a->setup.coordinator != NULL && error_is_failure(status)) {
        log_print(LOG_ERROR, "error: %s", a->end.error.text);
    }
    if (what != NULL) {
        log_print(LOG_WARNING,
                  "%s on rank %d: the process ends, and with it the rest of the program; run the "
                  "same command again",
                  what, comm_rank(a->setup.comm));
    }
    if (a->setup.coordinator != NULL || a->end.broken) {
        done_write(exit_status, a->setup.coordinator == NULL);
    }
    _exit(exit_status);
}

/* The run is over. Whether the rank is done with it, too: what is still at work here is waited for,
 * but not for ever. */
static bool end_here(agent *a, int64_t now_ns)
{
    const bool idle = team_idle(a->team);
    const bool writing = delivery_busy(a->delivery) ||
                         (a->setup.coordinator != NULL && !store_flushed(a->setup.work->store));
    if (!idle && a->end.at_once && !end_children(a, now_ns)) {
        const bool said = a->end.error.status == status_of_leaving(a);
        leave_behind(a, said ? NULL : "others have done its items, but a kernel has not come back");
    }
    if (idle && writing && now_ns - a->ended_ns >= a->end.disk_ns) {
        leave_behind(a, "what was written last is not recorded: the disk has not answered");
    }
    return idle && !writing;
}

static void rest(agent *a, bool active)
{
    const bool hungry = a->stopping || team_stock(a->team) == 0 ||
                        (a->setup.coordinator != NULL && coordinator_busy(a->setup.coordinator));
    if (active || hungry) {
        a->rest_ns = PACE_HUNGRY_NS;
    } else {
        a->rest_ns = pace_longer_rest(a->rest_ns, comm_size(a->setup.comm),
                                      clock_now_ns() - a->setup.work->origin_ns);
    }
    team_rest(a->team, a->rest_ns);
}

/* Listens and speaks; true if there was anything to hear. */
static bool converse(agent *a)
{
    bool any = read_mail(a);
    listen_to_coordinator(a, clock_now_ns());
    contact_beat(a->setup.contact, clock_now_ns());
    if (a->setup.coordinator != NULL) {
        coordinator_step(a->setup.coordinator, clock_now_ns());
        any = read_mail(a) || any;
    }
    return any;
}

/* Everything but rest; *active says whether there was anything to do. False when all is over. */
static bool do_duties(agent *a, bool *active)
{
    pass_signal_on(a);
    *active = delivery_collect(a->delivery, supply_queued(a->supply), a->epoch);
    const bool idle = team_idle(a->team) && supply_queued(a->supply) == 0;
    delivery_report(a->delivery, clock_now_ns(), a->stopping || idle);
    *active = converse(a) || *active;
    if (a->ended) {
        if (end_here(a, clock_now_ns())) {
            return false;
        }
    } else if (a->stopping) {
        leave_if_drained(a, clock_now_ns());
    } else {
        keep_supplied(a);
    }
    return true;
}

static bool attend(agent *a, bool *active)
{
    const int seat = a->setup.workers > 0 ? a->setup.workers : 1;
    lull_break(a->setup.work->lull, seat);
    const bool go_on = do_duties(a, active);
    lull_keep(a->setup.work->lull, seat);
    return go_on;
}

static bool step(void *context)
{
    agent *a = context;
    bool active = false;
    if (!attend(a, &active)) {
        return false;
    }
    rest(a, active);
    return true;
}

/* The same from within a span, while its thread waits for a child. */
static void attend_meanwhile(void *context)
{
    bool active = false;
    (void)attend(context, &active);
}

static int64_t compute_hook(void *context, void *data, int worker, int64_t first, int64_t tiles,
                            int64_t start_ns)
{
    (void)context;
    return block_compute(data, worker, first, tiles, start_ns);
}

static void write_hook(void *context, void *data)
{
    (void)context;
    block_write(data);
}

static weft_status prepare(agent *a, error *e)
{
    static const team_hooks hooks = {.agent = step, .span = compute_hook, .block = write_hook};
    const int workers = a->setup.workers;
    const int64_t limit = pace_span_limit(a->setup.work->span_tiles);
    weft_status status =
        supply_create(workers, comm_size(a->setup.comm), a->setup.work->job, &a->supply, e);
    if (status == WEFT_OK) {
        status = team_create(workers, pace_blocks(workers), limit, &hooks, a, &a->team, e);
    }
    if (status == WEFT_OK) {
        team_pin(a->team, a->setup.pin);
        a->setup.work->attend = workers == 0 ? attend_meanwhile : NULL;
        a->setup.work->agent = a;
    }
    if (status == WEFT_OK) {
        const delivery_setup setup = {.team = a->team,
                                      .workers = workers,
                                      .contact = a->setup.contact,
                                      .store = a->setup.work->store,
                                      .sync_s = a->setup.sync_s};
        status = delivery_create(&setup, &a->delivery, e);
    }
    return status;
}

/* Without a team there is nobody to compute; the others learn of it, and the run ends. */
static void give_up(agent *a, const error *why)
{
    contact_fail(a->setup.contact, why);
    while (!a->ended) {
        (void)converse(a);
        clock_sleep_ns(PACE_HUNGRY_NS);
    }
}

weft_status agent_run(const agent_setup *setup, error *why)
{
    agent a = {.setup = *setup, .rest_ns = PACE_HUNGRY_NS};
    error e = {.status = WEFT_OK};
    weft_status status = prepare(&a, &e);
    if (status == WEFT_OK) {
        status = team_run(a.team, &e);
    }
    if (status != WEFT_OK) {
        give_up(&a, &e);
    }
    delivery_destroy(a.delivery);
    team_destroy(a.team);
    supply_destroy(a.supply);
    if (a.end.broken) {
        comm_break(setup->comm);
    }
    *why = a.end.error;
    return why->status;
}
