/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent of a rank: gets chunks, offers them to the team as blocks, and reports what is written.
 */
#include "engine/agent.h"

#include "base/clock.h"
#include "base/done.h"
#include "base/log.h"
#include "base/signals.h"
#include "engine/liveness.h"
#include "engine/pace.h"
#include "engine/supply.h"
#include "store/syncer.h"
#include "team/team.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The coordinator takes a rank for dead after the limit; a rank that only could not be heard for a
 * while should then still be there. */
enum { COORDINATOR_LIMITS = 2 };

/* So many ranks say that the coordinator is dead: the first of them may be, too. */
enum { RANKS_THAT_TELL = 4 };

typedef struct agent {
    agent_setup setup;
    team *team;
    supply *supply;
    syncer *syncer; /* NULL: data is reported as soon as it is written */
    block *free;
    block *written; /* not forced to disk yet */
    block *syncing; /* being forced to disk */
    int64_t next_sync_ns;
    int64_t rest_ns;
    int64_t news_ns;       /* when the coordinator was told last, or the first grant came */
    int64_t spoke_ns;      /* when the coordinator was told anything last */
    liveness *coordinator; /* as if it were the only rank; NULL on its own */
    int32_t epoch;
    bool asked;
    int told; /* the signal that the coordinator knows of */
    bool stopping;
    bool left;
    int64_t leave_ns; /* when stopping: how long a kernel may take */
    bool failed;      /* has told the coordinator of a failure */
    bool ended;
    message_end end;
} agent;

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

/* What cannot be sent is missed there in the end, or the coordinator is here. */
static void send_to_coordinator(agent *a, const void *bytes, size_t count)
{
    error e = {.status = WEFT_OK};
    if (mail_send(a->setup.mail, 0, bytes, count, &e) != WEFT_OK) {
        log_print(LOG_DEBUG, "no message to rank 0: %s", e.text);
    }
    a->spoke_ns = clock_now_ns();
}

/* The rank cannot go on: the coordinator ends the run for all. */
static void fail(agent *a, const error *e)
{
    if (a->failed || a->ended) {
        return;
    }
    a->failed = true;
    message_fail message;
    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_FAIL;
    message.error = *e;
    send_to_coordinator(a, &message, sizeof message);
}

static void fail_if(agent *a, weft_status status, const error *e)
{
    if (status != WEFT_OK) {
        fail(a, e);
    }
}

/* Tells of a block's tiles, and has it back for the next. */
static void report(agent *a, block *b)
{
    const size_t records_bytes = (size_t)b->tiles * sizeof *b->records;
    const size_t failures_bytes = (size_t)b->failure_count * sizeof *b->failures;
    unsigned char *bytes = malloc(sizeof(message_report) + records_bytes + failures_bytes);
    if (bytes == NULL) {
        error e;
        (void)error_set(&e, WEFT_ERR_MEMORY, "out of memory for a report");
        fail(a, &e);
    } else {
        message_report head;
        memset(&head, 0, sizeof head);
        head.kind = MESSAGE_REPORT;
        head.failures = (int32_t)b->failure_count;
        head.first = b->first;
        head.tiles = b->tiles;
        for (int i = 0; i < (a->setup.workers > 0 ? a->setup.workers : 1); i++) {
            const int64_t busy_ns = team_busy_ns(a->team, i);
            head.busy_ns += busy_ns;
            head.cpu_ns += team_cpu_ns(a->team, i);
            head.wait_ns += team_wait_ns(a->team, i);
            head.worst_ns = busy_ns > head.worst_ns ? busy_ns : head.worst_ns;
        }
        if (a->syncer != NULL) {
            head.sync_ns = (int64_t)(1e9 * syncer_seconds(a->syncer));
        }
        memcpy(bytes, &head, sizeof head);
        memcpy(bytes + sizeof head, b->records, records_bytes);
        if (failures_bytes > 0) {
            memcpy(bytes + sizeof head + records_bytes, b->failures, failures_bytes);
        }
        send_to_coordinator(a, bytes, sizeof head + records_bytes + failures_bytes);
        free(bytes);
    }
    push(&a->free, b);
}

static void report_all(agent *a, block **list)
{
    for (block *b = pop(list); b != NULL; b = pop(list)) {
        report(a, b);
    }
}

/* Tiles that nobody here has begun. */
static int64_t count_left(const agent *a)
{
    return supply_queued(a->supply) + team_stock(a->team);
}

static void add_news(news *n, const block *b)
{
    for (int64_t i = 0; i < b->tiles; i++) {
        const double seconds = b->records[i].seconds;
        if (tile_record_done(&b->records[i])) {
            n->computed.tiles++;
            n->computed.seconds += seconds;
            n->computed.squares += seconds * seconds;
            n->longest_s = seconds > n->longest_s ? seconds : n->longest_s;
        }
    }
}

/* The coordinator learns at once how fast it goes here, and later, once it is on disk, what may be
 * recorded. */
static void send_news(agent *a, const news *n)
{
    const int64_t now_ns = clock_now_ns();
    message_news message;
    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_NEWS;
    message.news = *n;
    message.news.computed.elapsed = 1e-9 * (double)(now_ns - a->news_ns);
    message.news.left = count_left(a);
    a->news_ns = now_ns;
    send_to_coordinator(a, &message, sizeof message);
}

/* Blocks that the team has finished: their bytes are in the file, or never will be. */
static bool collect(agent *a)
{
    news n = {.longest_s = 0};
    bool any = false;
    for (block *b = team_collect(a->team); b != NULL; b = team_collect(a->team)) {
        any = true;
        if (b->error.status != WEFT_OK) {
            fail(a, &b->error);
            push(&a->free, b);
        } else {
            add_news(&n, b);
            push(&a->written, b);
        }
    }
    if (any) {
        send_news(a, &n);
    }
    return any;
}

/* Reports what may be reported: everything, or what is on disk for sure. */
static void sync_and_report(agent *a, int64_t now_ns)
{
    if (a->syncer == NULL) {
        report_all(a, &a->written);
        return;
    }
    if (syncer_busy(a->syncer)) {
        return;
    }
    error e = {.status = WEFT_OK};
    if (a->syncing != NULL) {
        if (syncer_status(a->syncer, &e) != WEFT_OK) {
            /* The system may have dropped these bytes: they are never reported. */
            fail(a, &e);
            return;
        }
        report_all(a, &a->syncing);
        const int64_t most_ns = (int64_t)(1e9 * a->setup.sync_s);
        const int64_t pause_ns = (int64_t)(1e9 * PACE_SYNC_PAUSES * syncer_seconds(a->syncer));
        a->next_sync_ns = now_ns + (pause_ns < most_ns ? pause_ns : most_ns);
    }
    /* At the end nothing more will come that could share a sync. */
    const bool idle = team_idle(a->team) && supply_queued(a->supply) == 0;
    if (a->written != NULL && (now_ns >= a->next_sync_ns || a->stopping || idle)) {
        a->syncing = a->written;
        a->written = NULL;
        syncer_ask(a->syncer);
    }
}

static void begin_stop(agent *a, int64_t grace_ns)
{
    a->stopping = true;
    a->leave_ns = clock_now_ns() + grace_ns;
    atomic_store(&a->setup.work->stopping, true);
    supply_clear(a->supply);
    team_halt(a->team);
}

/* Tiles taken back from a block that is on offer. */
static bool cut_block(agent *a, int64_t keep, int64_t most, piece *p)
{
    void *data = NULL;
    if (!team_cut(a->team, keep, most, &data, &p->first, &p->tiles)) {
        return false;
    }
    p->first += ((const block *)data)->first;
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
    send_to_coordinator(a, &message, bytes);
}

static void take_message(agent *a, const void *bytes)
{
    switch (*(const message_kind *)bytes) {
    case MESSAGE_GRANT: {
        const message_grant *granted = bytes;
        a->asked = false;
        a->news_ns = a->news_ns == 0 ? clock_now_ns() : a->news_ns;
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
        a->end = *(const message_end *)bytes;
        begin_stop(a, 0);
        break;
    case MESSAGE_HAZARD: {
        const message_hazard *hazard = bytes;
        error e = {.status = WEFT_OK};
        fail_if(a, hazards_add(a->setup.hazards, hazard->list, hazard->count, &e), &e);
        break;
    }
    case MESSAGE_REJOIN:
        rejoin(a, ((const message_rejoin *)bytes)->epoch);
        break;
    case MESSAGE_BEAT:
        a->spoke_ns = 0; /* it is answered at once */
        break;
    case MESSAGE_ALIVE:
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

/* It was there a moment ago, and so was this rank for it. */
static void hear_coordinator(agent *a)
{
    if (a->coordinator != NULL) {
        (void)liveness_hear(a->coordinator, 0);
        if (a->setup.pulse.limit_ns > 0) {
            atomic_store(&a->setup.work->mine_until_ns,
                         clock_now_ns() + a->setup.pulse.limit_ns / 2);
        }
    }
}

/* Reads all messages; on rank 0 also those for the coordinator. */
static bool read_mail(agent *a)
{
    bool any = false;
    bool arrived = true;
    while (arrived) {
        int source = 0;
        const void *bytes = NULL;
        size_t count = 0;
        error e = {.status = WEFT_OK};
        if (mail_receive(a->setup.mail, &arrived, &source, &bytes, &count, &e) != WEFT_OK) {
            /* MPI may complain of a rank that has died; who is silent for it is noticed. */
            log_print(LOG_DEBUG, "%s", e.text);
            break;
        }
        if (!arrived) {
            break;
        }
        any = true;
        hear_coordinator(a);
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
        send_to_coordinator(a, &message, sizeof message);
    }
}

/* A block for the next tiles; an empty one is made if none is free. */
static block *next_block(agent *a)
{
    block *b = pop(&a->free);
    error e = {.status = WEFT_OK};
    if (b == NULL && block_create(a->setup.work, supply_block_room(a->supply), &b, &e) != WEFT_OK) {
        fail(a, &e);
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
        block_begin(b, p.first, p.tiles);
        if (!team_offer(a->team, p.tiles, b)) {
            error e = {.status = WEFT_OK};
            push(&a->free, b);
            fail_if(a, supply_return(a->supply, p, &e), &e);
            break;
        }
    }
    const int64_t want = supply_wanted(a->supply, team_stock(a->team));
    if (want > 0 && !a->asked) {
        const message_ask ask = {.kind = MESSAGE_ASK, .epoch = a->epoch, .want = want};
        a->asked = true;
        send_to_coordinator(a, &ask, sizeof ask);
    }
}

/* After MESSAGE_STOP: everything is reported, or time is up. */
static void leave_if_drained(agent *a, int64_t now_ns)
{
    const bool drained = team_idle(a->team) && a->written == NULL && a->syncing == NULL;
    if (a->left || (!drained && now_ns < a->leave_ns)) {
        return;
    }
    const message_left left = {.kind = MESSAGE_LEFT, .dropped = !team_idle(a->team)};
    a->left = true;
    notes_drop(a->setup.hazards->notes);
    send_to_coordinator(a, &left, sizeof left);
}

/* The coordinator's silence ends the run for this rank. */
static void listen_to_coordinator(agent *a, int64_t now_ns)
{
    if (a->coordinator == NULL || a->ended) {
        return;
    }
    liveness_listen(a->coordinator, now_ns);
    if (liveness_next_lost(a->coordinator) < 0) {
        return;
    }
    a->ended = true;
    a->end.broken = true;
    a->end.at_once = true;
    (void)error_set(
        &a->end.error, WEFT_STOPPED,
        "rank 0 has been silent for %g s and is taken for dead, which ends the run; run "
        "the same command again to go on",
        1e-9 * COORDINATOR_LIMITS * (double)a->setup.pulse.limit_ns);
    if (comm_rank(a->setup.comm) < RANKS_THAT_TELL) {
        log_print(LOG_WARNING, "%s", a->end.error.text);
    }
    begin_stop(a, 0);
}

/* The coordinator must not take this rank for dead. */
static void beat(agent *a, int64_t now_ns)
{
    const message_kind alive = MESSAGE_ALIVE;
    if (now_ns - a->spoke_ns >= a->setup.pulse.beat_ns) {
        send_to_coordinator(a, &alive, sizeof alive);
    }
}

/* A kernel has not come back in time, and threads cannot be ended one by one: the process goes, as
 * it would be killed a moment later. Everything reported is in the books. */
static void leave_behind(agent *a)
{
    comm_flush(a->setup.comm, INT64_C(200000000));
    coordinator_destroy(a->setup.coordinator);
    hazards_settle(a->setup.hazards, a->end.error.status);
    if (a->setup.coordinator != NULL) {
        store_close(a->setup.work->store);
    }
    const int exit_status = weft_status_exit(a->end.error.status);
    if (a->setup.coordinator != NULL || a->end.broken) {
        done_write(exit_status, a->setup.coordinator == NULL);
    }
    _exit(exit_status);
}

static void rest(agent *a, bool active)
{
    const bool hungry = a->stopping || team_stock(a->team) == 0;
    if (active || hungry) {
        a->rest_ns = PACE_HUNGRY_NS;
    } else {
        a->rest_ns = pace_longer_rest(a->rest_ns, comm_size(a->setup.comm),
                                      clock_now_ns() - a->setup.work->origin_ns);
    }
    team_rest(a->team, a->rest_ns);
}

static bool step(void *context)
{
    agent *a = context;
    pass_signal_on(a);
    bool active = collect(a);
    sync_and_report(a, clock_now_ns());
    active = read_mail(a) || active;
    listen_to_coordinator(a, clock_now_ns());
    beat(a, clock_now_ns());
    if (a->setup.coordinator != NULL) {
        coordinator_step(a->setup.coordinator, clock_now_ns());
        active = read_mail(a) || active;
    }
    if (a->ended) {
        if (a->end.at_once && !team_idle(a->team)) {
            leave_behind(a);
        }
        if (team_idle(a->team)) {
            return false;
        }
    } else if (a->stopping) {
        leave_if_drained(a, clock_now_ns());
    } else {
        keep_supplied(a);
    }
    rest(a, active);
    return true;
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

static void free_blocks(block **list)
{
    for (block *b = pop(list); b != NULL; b = pop(list)) {
        block_destroy(b);
    }
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
    }
    if (status == WEFT_OK && a->setup.coordinator == NULL) {
        status = liveness_create(1, COORDINATOR_LIMITS * a->setup.pulse.limit_ns, clock_now_ns(),
                                 &a->coordinator, e);
    }
    if (status == WEFT_OK && a->setup.sync_s > 0) {
        status = syncer_create(a->setup.work->store, &a->syncer, e);
    }
    return status;
}

/* What a rank without a team can still do: say so, and wait for the end. */
static void wait_for_end(agent *a)
{
    while (!a->ended) {
        (void)read_mail(a);
        listen_to_coordinator(a, clock_now_ns());
        beat(a, clock_now_ns());
        if (a->setup.coordinator != NULL) {
            coordinator_step(a->setup.coordinator, clock_now_ns());
        }
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
        /* Without a team there is nobody to compute, but the others must learn of it. */
        fail(&a, &e);
        wait_for_end(&a);
    }
    syncer_destroy(a.syncer);
    team_destroy(a.team);
    supply_destroy(a.supply);
    free_blocks(&a.free);
    free_blocks(&a.written);
    free_blocks(&a.syncing);
    liveness_destroy(a.coordinator);
    if (a.end.broken) {
        comm_break(setup->comm);
    }
    *why = a.end.error;
    return why->status;
}
