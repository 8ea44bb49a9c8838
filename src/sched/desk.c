/* SPDX-License-Identifier: BSD-3-Clause */
/* What the agent of a rank decides, between messages, team and disk. */
#include "sched/desk.h"

#include "sched/granted.h"
#include "sched/pace.h"

#include <stdlib.h>
#include <string.h>

/* Children that are ended are gone by then, and the threads that waited for them back: well before
 * the coordinator's own patience is at an end. */
enum { CHILDREN_NS = 100000000 };

/* What lasts longer, lasts until an answer has come that nobody hurries with. */
enum { SOON_NS = 2 * PACE_LONGEST_NS };

struct desk {
    desk_setup setup;
    granted *granted;
    int32_t epoch;
    bool asked;
    int64_t asked_ns;
    bool asked_idle; /* and the coordinator knows that workers wait */
    int told;        /* the signal that the coordinator knows of */
    bool stopping;
    bool left;
    int64_t leave_ns; /* when stopping: how long a kernel may take */
    bool ended;
    int64_t ended_ns;
    int64_t disk_ns;       /* how long the disk may take then, and after a stop */
    int64_t disk_until_ns; /* after a stop, once nothing else is waited for; 0: not yet */
    bool broken;           /* and kernels are not waited for */
    news news;             /* of blocks that the coordinator has not been told of … */
    bool any_news;         /* … if there are any */
    int64_t news_ns;       /* when it was told last, or the rank began */
    parcel *written;       /* the reports of tiles that are not forced to disk yet … */
    parcel *syncing;       /* … and of those that are being */
    bool on_disk;          /* by now they are … */
    double sync_s;         /* … and how long that took */
    int64_t next_sync_ns;
};

static desk_team look(const desk *d)
{
    return d->setup.hooks->look(d->setup.context);
}

static void send(desk *d, const void *bytes, size_t count)
{
    d->setup.hooks->send(d->setup.context, bytes, count);
}

static void fail_if(desk *d, weft_status status, const error *e)
{
    if (status != WEFT_OK) {
        d->setup.hooks->fail(d->setup.context, e);
    }
}

static void put_back(desk *d, interval p)
{
    error e = {.status = WEFT_OK};
    fail_if(d, granted_return(d->granted, p, &e), &e);
}

static bool cut(desk *d, int64_t keep, int64_t most, interval *p)
{
    return d->setup.hooks->cut(d->setup.context, keep, most, p);
}

/* Tiles that no worker of this rank has begun. */
static int64_t count_left(const desk *d)
{
    return granted_queued(d->granted) + look(d).stock;
}

static void send_back(desk *d, message_return *back)
{
    back->kind = MESSAGE_RETURN;
    back->epoch = d->epoch;
    back->left = count_left(d);
    send(d, back,
         offsetof(message_return, interval) + (size_t)back->intervals * sizeof back->interval[0]);
}

weft_status desk_create(const desk_setup *setup, desk **out, error *e)
{
    desk *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return error_memory(e, "the agent");
    }
    d->setup = *setup;
    const weft_status status =
        granted_create(setup->workers, setup->ranks, setup->job, &d->granted, e);
    if (status != WEFT_OK) {
        free(d);
        return status;
    }
    *out = d;
    return WEFT_OK;
}

static void push(parcel **list, parcel *p)
{
    p->next = *list;
    *list = p;
}

static parcel *pop(parcel **list)
{
    parcel *p = *list;
    if (p != NULL) {
        *list = p->next;
    }
    return p;
}

static void drop_all(desk *d, parcel **list)
{
    for (parcel *p = pop(list); p != NULL; p = pop(list)) {
        d->setup.hooks->drop(d->setup.context, p);
    }
}

void desk_destroy(desk *d)
{
    if (d != NULL) {
        drop_all(d, &d->written);
        drop_all(d, &d->syncing);
        granted_destroy(d->granted);
        free(d);
    }
}

int64_t desk_room(const desk *d)
{
    return granted_block_room(d->granted);
}

static void learn(news *n, const news *more)
{
    n->computed.tiles += more->computed.tiles;
    n->computed.seconds += more->computed.seconds;
    n->computed.squares += more->computed.squares;
    n->longest_s = more->longest_s > n->longest_s ? more->longest_s : n->longest_s;
}

/* Tiles that are not done go back: a run that stops leaves some out, and a rank that may be
 * presumed dead must not write. */
static void return_undone(desk *d, const desk_block *b)
{
    message_return undone;
    memset(&undone, 0, sizeof undone);
    undone.intervals = 1;
    interval *run = undone.interval;
    for (int64_t i = 0; i <= b->kept; i++) {
        if (i < b->kept && !b->done(b->data, i)) {
            run->first = run->tiles == 0 ? b->all.first + i : run->first;
            run->tiles++;
        } else if (run->tiles > 0) {
            send_back(d, &undone);
            run->tiles = 0;
        }
    }
}

void desk_finish(desk *d, const desk_block *b, parcel *p)
{
    if (b->news.computed.tiles < b->kept) {
        return_undone(d, b);
    }
    learn(&d->news, &b->news);
    d->any_news = true;
    push(&d->written, p);
}

void desk_synced(desk *d, double seconds)
{
    d->on_disk = true;
    d->sync_s = seconds;
}

static void report_all(desk *d, parcel **list)
{
    for (parcel *p = pop(list); p != NULL; p = pop(list)) {
        d->setup.hooks->report(d->setup.context, p);
    }
}

/* The coordinator learns at once how fast it goes here, and later, once it is on disk, what may be
 * recorded. */
static void send_news(desk *d, int64_t now_ns)
{
    message_news message;
    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_NEWS;
    message.news = d->news;
    message.news.computed.elapsed = 1e-9 * (double)(now_ns - d->news_ns);
    message.news.left = count_left(d);
    d->news_ns = now_ns;
    d->any_news = false;
    d->news = (news){.longest_s = 0};
    send(d, &message, sizeof message);
}

static bool nothing_to_compute(const desk *d)
{
    return granted_queued(d->granted) == 0 && look(d).idle;
}

/* Where nothing more will come that could share a sync, it does not wait. */
static void sync_and_report(desk *d, int64_t now_ns)
{
    if (d->setup.sync_s <= 0) {
        report_all(d, &d->written);
        return;
    }
    if (d->syncing != NULL && !d->on_disk) {
        return;
    }
    if (d->syncing != NULL) {
        const double pause_s = PACE_SYNC_PAUSES * d->sync_s;
        report_all(d, &d->syncing);
        d->next_sync_ns =
            now_ns + (int64_t)(1e9 * (pause_s < d->setup.sync_s ? pause_s : d->setup.sync_s));
    }
    const bool hurry = d->stopping || nothing_to_compute(d);
    if (d->written != NULL && (now_ns >= d->next_sync_ns || hurry)) {
        d->syncing = d->written;
        d->written = NULL;
        d->on_disk = false;
        d->setup.hooks->sync(d->setup.context);
    }
}

bool desk_report(desk *d, int64_t now_ns)
{
    const bool any = d->any_news;
    if (any) {
        send_news(d, now_ns);
    }
    sync_and_report(d, now_ns);
    return any;
}

static void begin_stop(desk *d, int64_t grace_ns, int64_t now_ns)
{
    d->stopping = true;
    d->leave_ns = now_ns + grace_ns;
    granted_clear(d->granted);
    d->setup.hooks->halt(d->setup.context);
}

static void set_asked(desk *d, bool asked, bool idle)
{
    d->asked = asked;
    d->asked_idle = idle;
}

/* The coordinator has had to do without this rank for a while: nothing that has not been begun is
 * left here, and blocks finish with what they have. */
static void rejoin(desk *d, int32_t epoch)
{
    interval p;
    d->epoch = epoch;
    set_asked(d, false, false);
    granted_clear(d->granted);
    while (cut(d, 0, INT64_MAX, &p)) {
    }
}

/* Another rank is idle: half of what is not begun here can be computed there. */
static void give_back(desk *d)
{
    message_return back;
    memset(&back, 0, sizeof back);
    int64_t half = (count_left(d) + 1) / 2;
    interval p;
    while (half > 0 && back.intervals < ORDER_INTERVALS &&
           (granted_take_back(d->granted, half, &p) || cut(d, 0, half, &p))) {
        back.interval[back.intervals++] = p;
        half -= p.tiles;
    }
    send_back(d, &back);
}

static void take_grant(desk *d, const message_grant *grant, int64_t now_ns)
{
    set_asked(d, false, false);
    d->news_ns = d->news_ns == 0 ? now_ns : d->news_ns;
    for (int32_t i = 0; i < grant->intervals && !d->stopping; i++) {
        error e = {.status = WEFT_OK};
        fail_if(d, granted_add(d->granted, grant->interval[i], &e), &e);
    }
}

void desk_receive(desk *d, const void *bytes, int64_t now_ns)
{
    switch (*(const message_kind *)bytes) {
    case MESSAGE_GRANT:
        take_grant(d, bytes, now_ns);
        break;
    case MESSAGE_RECALL:
        give_back(d);
        break;
    case MESSAGE_STOP:
        d->disk_ns = ((const message_stop *)bytes)->disk_ns;
        begin_stop(d, ((const message_stop *)bytes)->grace_ns, now_ns);
        break;
    case MESSAGE_END:
        d->ended = true;
        d->ended_ns = now_ns;
        d->disk_ns = ((const message_end *)bytes)->disk_ns;
        d->broken = ((const message_end *)bytes)->broken;
        begin_stop(d, 0, now_ns);
        break;
    case MESSAGE_REJOIN:
        rejoin(d, ((const message_rejoin *)bytes)->epoch);
        break;
    case MESSAGE_BEAT:
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

void desk_signal(desk *d, int number)
{
    if (number != d->told) {
        const message_signal message = {.kind = MESSAGE_SIGNAL, .number = number};
        d->told = number;
        send(d, &message, sizeof message);
    }
}

/* Whether workers have nothing to compute. */
static bool is_idle(const desk *d)
{
    const desk_team t = look(d);
    return t.waits && t.stock == 0 && granted_queued(d->granted) == 0;
}

/* Whether there is anything to ask for that the coordinator has not been told. */
static bool has_wish(const desk *d)
{
    return d->asked ? !d->asked_idle && is_idle(d) : granted_wanted(d->granted, look(d).stock) > 0;
}

/* Keeps workers in work: offers blocks, and asks for more before the last one is taken. Blocks that
 * turn out far too long, since tiles have become dearer, lose their ends again. */
static void keep_supplied(desk *d, int64_t now_ns)
{
    interval p;
    granted_observe(d->granted, look(d).tile_ns);
    while (cut(d, PACE_TOO_LONG * granted_block_tiles(d->granted), INT64_MAX, &p)) {
        put_back(d, p);
    }
    desk_team t = look(d);
    while (!t.full && granted_next(d->granted, t.stock, &p)) {
        if (!d->setup.hooks->offer(d->setup.context, p)) {
            put_back(d, p);
            break;
        }
        t = look(d);
    }
    if (has_wish(d)) {
        message_ask ask;
        memset(&ask, 0, sizeof ask);
        ask.kind = MESSAGE_ASK;
        ask.epoch = d->epoch;
        ask.want = d->asked ? 0 : granted_wanted(d->granted, look(d).stock);
        ask.idle = is_idle(d);
        ask.soon = granted_runs_out(d->granted, look(d).stock, SOON_NS);
        d->asked_ns = d->asked ? d->asked_ns : now_ns;
        set_asked(d, true, ask.idle);
        send(d, &ask, sizeof ask);
    }
}

/* Kernels have had their time: children are ended, so that threads that wait for them are free.
 * True as long as that is worth waiting for. */
static bool end_children(desk *d, int64_t now_ns)
{
    return d->setup.hooks->end_children(d->setup.context) && now_ns < d->leave_ns + CHILDREN_NS;
}

/* Whether the disk may still be waited for: the coordinator learns once that nothing else is. */
static bool wait_for_disk(desk *d, bool idle, int64_t now_ns)
{
    if (d->written == NULL && d->syncing == NULL) {
        return false;
    }
    if (d->disk_until_ns == 0) {
        const message_left waiting = {.kind = MESSAGE_LEFT, .dropped = !idle, .writing = true};
        d->disk_until_ns = now_ns + d->disk_ns;
        send(d, &waiting, sizeof waiting);
    }
    return now_ns < d->disk_until_ns;
}

/* What the disk is not waited for is recorded by now, and nothing that is still computed is of any
 * use. */
static bool is_of_use(const desk *d)
{
    return d->disk_ns > 0;
}

/* Whether kernels that compute are still waited for. Those in children need not come to their end
 * where they are of no use; others have to be left to it. */
static bool wait_for_kernels(desk *d, int64_t now_ns)
{
    const bool in_time = now_ns < d->leave_ns;
    return (in_time && is_of_use(d)) || end_children(d, now_ns) || in_time;
}

/* After MESSAGE_STOP: kernels have ended, or their time is up, and everything is reported, or the
 * disk's time is up. */
static void leave_if_drained(desk *d, int64_t now_ns)
{
    const bool idle = look(d).idle;
    if (d->left || (!idle && wait_for_kernels(d, now_ns)) || wait_for_disk(d, idle, now_ns)) {
        return;
    }
    const message_left left = {.kind = MESSAGE_LEFT, .dropped = !idle};
    d->left = true;
    send(d, &left, sizeof left);
}

/* The run is over, and what is still at work here is waited for, but not for ever. */
static desk_state end_here(desk *d, bool writing, int64_t now_ns)
{
    const bool idle = look(d).idle;
    if (!idle && d->broken && !end_children(d, now_ns)) {
        return DESK_GIVES_UP;
    }
    if (idle && writing && now_ns - d->ended_ns >= d->disk_ns) {
        return DESK_LEAVES_DISK;
    }
    return idle && !writing ? DESK_IS_DONE : DESK_ENDS;
}

desk_state desk_step(desk *d, bool writing, int64_t now_ns)
{
    if (d->ended) {
        return end_here(d, writing, now_ns);
    }
    if (d->stopping) {
        leave_if_drained(d, now_ns);
    } else {
        keep_supplied(d, now_ns);
    }
    return DESK_WORKS;
}

urgency desk_urgency(const desk *d, int64_t now_ns)
{
    if (d->stopping || is_idle(d)) {
        return URGENCY_HUNGER;
    }
    return d->asked && now_ns - d->asked_ns >= PACE_LONGEST_NS ? URGENCY_ANSWER : URGENCY_NONE;
}

/* Whether tiles take much longer, or shorter, than when it looked last. */
static bool knows_better(const desk *d, int64_t tile_ns)
{
    const int64_t then_ns = granted_tile_ns(d->granted);
    return tile_ns / 2 > then_ns || tile_ns < then_ns / 2;
}

bool desk_due(const desk *d, int64_t *when_ns)
{
    const desk_team t = look(d);
    *when_ns = 0;
    if (d->any_news || (d->syncing != NULL && d->on_disk)) {
        return true;
    }
    if (d->stopping && d->written != NULL && d->syncing == NULL) {
        return true;
    }
    if (d->stopping) {
        *when_ns = !t.idle ? d->leave_ns : d->syncing != NULL ? d->disk_until_ns : 0;
        return !d->left;
    }
    if (has_wish(d) || (!t.full && granted_would_offer(d->granted, t.stock)) ||
        knows_better(d, t.tile_ns)) {
        return true;
    }
    if (d->written == NULL || d->syncing != NULL) {
        return false;
    }
    *when_ns = nothing_to_compute(d) ? 0 : d->next_sync_ns;
    return true;
}
