/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole runs without processes: the ranks of a world are desks, around which teams, disks and
 * messages are simulated. */
#ifndef TEST_SCHED_RANKS_H
#define TEST_SCHED_RANKS_H

#include "sched/world.h"

#include "sched/desk.h"

enum { WORKERS = 3, BLOCKS = 6 };

static const int64_t step_ns = INT64_C(10000000);
static const int64_t longest_run_ns = INT64_C(300000000000);
static const int64_t sync_pause_ns = INT64_C(300000000);

/* A block, or none: all.tiles is 0. */
typedef struct slot {
    interval all;
    int64_t kept;  /* tiles that are not cut off */
    int64_t begun; /* of these */
    int64_t finished;
    bool halted; /* no more are begun */
    bool done[MOST_TILES];
} slot;

typedef struct worker {
    slot *slot; /* in which a tile is being computed, or NULL */
    int64_t tile;
    int64_t until_ns;
} worker;

typedef struct station {
    world *world;
    int rank;
    job *job;
    desk *desk;
    slot slot[BLOCKS]; /* the oldest first */
    worker worker[WORKERS];
    int64_t tile_ns;
    int64_t synced_ns; /* until then it syncs; 0: it does not */
    int64_t sync_ns;   /* which takes so long */
    int64_t frozen_ns; /* until then */
    int64_t cut_ns;
    int64_t beat_ns;
    int64_t heard_ns;
    int signal;
    bool told_to_stop;
    int32_t epoch;
    bool ended;
    message_end end;
} station;

static void say(world *w, int rank, const void *bytes, size_t count)
{
    letter **list = &w->mate[rank].from;
    int64_t at_ns = w->now_ns + (rank > 0 ? draw(w, w->script->latency_ns) : 0);
    for (const letter *p = *list; p != NULL; p = p->next) {
        at_ns = p->at_ns > at_ns ? p->at_ns : at_ns;
    }
    append(list, bytes, count)->at_ns = at_ns;
}

static void die(world *w, int rank)
{
    mate *m = &w->mate[rank];
    m->dead = true;
    while (m->from != NULL && draw(w, 2) == 0) {
        letter **last = &m->from;
        while ((*last)->next != NULL) {
            last = &(*last)->next;
        }
        remove_first(last);
    }
}

/* What a desk has others do. */

static int64_t left_of(const slot *b)
{
    return b->halted ? 0 : b->kept - b->begun;
}

static desk_team look(void *context)
{
    const station *s = context;
    desk_team t = {.tile_ns = s->tile_ns, .full = s->slot[BLOCKS - 1].all.tiles > 0};
    t.idle = s->slot[0].all.tiles == 0;
    for (int i = 0; i < s->world->script->workers; i++) {
        t.waits = t.waits || s->worker[i].slot == NULL;
    }
    for (int i = 0; i < BLOCKS; i++) {
        t.stock += left_of(&s->slot[i]);
    }
    return t;
}

static bool offer(void *context, interval p)
{
    station *s = context;
    for (int i = 0; i < BLOCKS; i++) {
        slot *b = &s->slot[i];
        if (b->all.tiles == 0) {
            *b = (slot){.all = p, .kept = p.tiles};
            return true;
        }
    }
    return false;
}

static bool cut(void *context, int64_t keep, int64_t most, interval *p)
{
    station *s = context;
    for (int i = BLOCKS - 1; i >= 0; i--) {
        slot *b = &s->slot[i];
        const int64_t above = left_of(b) - keep;
        if (above > 0) {
            const int64_t tiles = above < most ? above : most;
            b->kept -= tiles;
            *p = (interval){
                .first = b->all.first + b->kept, .tiles = tiles, .careful = b->all.careful};
            return true;
        }
    }
    return false;
}

static void halt(void *context)
{
    station *s = context;
    for (int i = 0; i < BLOCKS; i++) {
        s->slot[i].halted = true;
    }
}

/* What a rank gives back is no longer with it. */
static void send(void *context, const void *bytes, size_t count)
{
    station *s = context;
    const message_return *message = bytes;
    if (message->kind == MESSAGE_RETURN && message->epoch == s->epoch) {
        for (int i = 0; i < message->intervals; i++) {
            const interval p = message->interval[i];
            for (int64_t tile = p.first; tile < interval_end(p); tile++) {
                s->world->holders[tile] &= ~(1u << s->rank);
            }
        }
    }
    say(s->world, s->rank, bytes, count);
}

static void report(void *context, parcel *p)
{
    const station *s = context;
    p->report.sync_ns = s->sync_ns;
    say(s->world, s->rank, &p->report, p->bytes);
    free(p);
}

static void drop_report(void *context, parcel *p)
{
    (void)context;
    free(p);
}

static void fail_run(void *context, const error *why)
{
    const station *s = context;
    message_fail message = {.kind = MESSAGE_FAIL, .error = *why};
    say(s->world, s->rank, &message, sizeof message);
}

static void sync(void *context)
{
    station *s = context;
    check(s->world, s->synced_ns == 0, "a rank syncs twice at a time");
    s->sync_ns = draw(s->world, s->world->script->sync_ns);
    s->synced_ns = s->world->now_ns + s->sync_ns;
}

static bool end_children(void *context)
{
    (void)context;
    return false;
}

/* The team. */

static bool is_done(const void *data, int64_t i)
{
    return ((const slot *)data)->done[i];
}

/* Begins the next tile of the oldest block that has one; it may be the rank's last. */
static void begin_tile(station *s, worker *k)
{
    world *w = s->world;
    const int64_t usual_ns = w->script->tile_ns[s->rank];
    for (int i = 0; i < BLOCKS && k->slot == NULL; i++) {
        k->slot = left_of(&s->slot[i]) > 0 ? &s->slot[i] : NULL;
    }
    if (k->slot == NULL) {
        return;
    }
    k->tile = k->slot->all.first + k->slot->begun++;
    k->until_ns = w->now_ns + usual_ns / 2 + draw(w, usual_ns);
    if (s->rank > 0 && k->tile == w->script->hung) {
        k->until_ns = INT64_MAX;
    }
    if (s->rank > 0 && k->tile == w->script->killer && !k->slot->all.careful) {
        w->killed++;
        die(w, s->rank);
    }
}

static void finish_tile(station *s, worker *k)
{
    const int64_t usual_ns = s->world->script->tile_ns[s->rank];
    k->slot->done[k->tile - k->slot->all.first] = true;
    k->slot->finished++;
    k->slot = NULL;
    s->tile_ns = usual_ns;
    s->world->computed[k->tile]++;
}

static void step_team(station *s)
{
    for (int i = 0; i < s->world->script->workers && !s->world->mate[s->rank].dead; i++) {
        worker *k = &s->worker[i];
        if (k->slot != NULL && s->world->now_ns >= k->until_ns) {
            finish_tile(s, k);
        }
        if (k->slot == NULL) {
            begin_tile(s, k);
        }
    }
}

static bool computes(const station *s)
{
    bool any = false;
    for (int i = 0; i < WORKERS; i++) {
        any = any || s->worker[i].slot != NULL;
    }
    return any;
}

/* The agent. */

/* The report says of each tile whether it was computed. */
static void collect(station *s, int i)
{
    const slot done = s->slot[i];
    desk_block b = {.all = done.all, .kept = done.kept, .done = is_done, .data = &done};
    const size_t bytes = sizeof(message_report) + (size_t)done.kept;
    parcel *p = calloc(1, offsetof(parcel, report) + bytes);
    assert_non_null(p);
    p->bytes = bytes;
    p->report =
        (message_report){.kind = MESSAGE_REPORT, .first = done.all.first, .tiles = done.kept};
    bool *computed = (bool *)(&p->report + 1);
    for (int64_t tile = 0; tile < done.kept; tile++) {
        computed[tile] = done.done[tile];
        if (done.done[tile]) {
            news_add(&b.news, 1, 1e-9 * (double)s->tile_ns);
        }
    }
    /* The younger ones move up. */
    memmove(&s->slot[i], &s->slot[i + 1], (size_t)(BLOCKS - 1 - i) * sizeof done);
    s->slot[BLOCKS - 1] = (slot){.kept = 0};
    for (int k = 0; k < WORKERS; k++) {
        s->worker[k].slot -= s->worker[k].slot > &s->slot[i];
    }
    desk_finish(s->desk, &b, p);
}

static void collect_all(station *s)
{
    for (int i = 0; i < BLOCKS;) {
        const slot *b = &s->slot[i];
        if (b->all.tiles > 0 && left_of(b) == 0 && b->finished == b->begun) {
            collect(s, i);
        } else {
            i++;
        }
    }
}

static void take(station *s, const void *bytes)
{
    world *w = s->world;
    s->heard_ns = w->now_ns;
    switch (*(const message_kind *)bytes) {
    case MESSAGE_END:
        check(w, s->end.kind != MESSAGE_END, "a rank is told of the end twice");
        s->end = *(const message_end *)bytes;
        check(w, w->mate[s->rank].lost || s->told_to_stop || !computes(s),
              "a rank is told of the end in the middle of a tile");
        break;
    case MESSAGE_REJOIN:
        s->epoch = ((const message_rejoin *)bytes)->epoch;
        break;
    case MESSAGE_BEAT:
        s->beat_ns = 0;
        break;
    case MESSAGE_STOP:
        s->told_to_stop = true;
        break;
    case MESSAGE_GRANT:
    case MESSAGE_RECALL:
        break;
    case MESSAGE_ASK:
    case MESSAGE_NEWS:
    case MESSAGE_REPORT:
    case MESSAGE_SIGNAL:
    case MESSAGE_FAIL:
    case MESSAGE_LEFT:
    case MESSAGE_RETURN:
    case MESSAGE_ALIVE:
    case MESSAGE_DEAD:
        check(w, false, "a message of a rank's comes from the coordinator");
    }
    desk_receive(s->desk, bytes, w->now_ns);
}

/* A rank that hears nothing of the coordinator ends by itself. */
static void read_mail(station *s)
{
    world *w = s->world;
    mate *m = &w->mate[s->rank];
    while (m->to != NULL && m->to->at_ns != NOTHING && m->to->at_ns <= w->now_ns &&
           w->now_ns >= s->cut_ns) {
        take(s, m->to->bytes);
        remove_first(&m->to);
        depart(w, s->rank);
    }
    if (s->end.kind != MESSAGE_END && w->now_ns - s->heard_ns > 2 * beats.limit_ns + second_ns) {
        s->end = (message_end){.kind = MESSAGE_END, .broken = true};
        desk_receive(s->desk, &s->end, w->now_ns);
    }
}

/* In the order of engine/run/loop.c. */
static void step_rank(world *w, int rank)
{
    station *s = &w->station[rank];
    step_team(s);
    if (w->mate[rank].dead) {
        return;
    }
    desk_signal(s->desk, s->signal);
    collect_all(s);
    if (s->synced_ns != 0 && w->now_ns >= s->synced_ns) {
        s->synced_ns = 0;
        desk_synced(s->desk, 1e-9 * (double)s->sync_ns);
    }
    (void)desk_report(s->desk, w->now_ns);
    read_mail(s);
    if (w->now_ns - s->beat_ns >= beats.beat_ns) {
        const message_alive alive = {.kind = MESSAGE_ALIVE, .clock_ns = w->now_ns};
        s->beat_ns = w->now_ns;
        say(w, rank, &alive, sizeof alive);
    }
    const desk_state state = desk_step(s->desk, s->synced_ns != 0, w->now_ns);
    s->ended = state != DESK_WORKS && state != DESK_ENDS;
}

/* What happens to ranks. */

static bool is_away(const world *w, int rank)
{
    return w->mate[rank].dead || w->station[rank].ended || w->now_ns < w->station[rank].frozen_ns;
}

/* No time passes for it. */
static void freeze(station *s, int64_t for_ns)
{
    s->frozen_ns = s->world->now_ns + for_ns;
    s->heard_ns = s->frozen_ns;
    for (int i = 0; i < WORKERS; i++) {
        s->worker[i].until_ns += s->worker[i].until_ns < INT64_MAX ? for_ns : 0;
    }
}

static void happen(world *w, const event *v)
{
    station *s = &w->station[v->rank];
    error why;
    switch (v->what) {
    case HAPPENS_DEATH:
        die(w, v->rank);
        break;
    case HAPPENS_FREEZE:
        freeze(s, v->for_ns);
        break;
    case HAPPENS_CUT:
        s->cut_ns = w->now_ns + v->for_ns;
        break;
    case HAPPENS_SIGNAL:
        s->signal = v->number;
        break;
    case HAPPENS_FAILURE:
        (void)error_set(&why, WEFT_ERR_SYSTEM, "it cannot go on");
        fail_run(s, &why);
        break;
    }
}

static void let_events_happen(world *w)
{
    for (int i = 0; i < w->script->events; i++) {
        const event *v = &w->script->event[i];
        if (!w->event_over[i] && w->now_ns >= start_ns + v->at_ns) {
            w->event_over[i] = true;
            if (!is_away(w, v->rank)) {
                happen(w, v);
            }
        }
    }
}

static void step_coordinator(world *w)
{
    for (int rank = 0; rank < w->script->ranks; rank++) {
        mate *m = &w->mate[rank];
        while (m->from != NULL && m->from->at_ns <= w->now_ns &&
               w->now_ns >= w->station[rank].cut_ns) {
            const message_ask *ask = (const void *)m->from->bytes;
            m->has_asked |= ask->kind == MESSAGE_ASK && ask->want > 0 &&
                            ask->epoch == m->told_epoch && !m->lost;
            (void)lead_receive(w->lead, rank, m->from->bytes, m->from->count, w->now_ns);
            remove_first(&m->from);
        }
        if (m->dead && !m->noticed && w->script->neighbours) {
            m->noticed = true;
            lead_presume_dead(w->lead, rank);
        }
    }
    (void)lead_step(w->lead, w->now_ns);
}

static bool is_running(const world *w)
{
    bool running = !lead_over(w->lead);
    for (int rank = 0; rank < w->script->ranks; rank++) {
        running = running || !(w->mate[rank].dead || w->station[rank].ended);
    }
    return running;
}

static void check_end(const world *w)
{
    const weft_status status = lead_status(w->lead);
    int64_t missing = 0;
    for (int64_t tile = 0; tile < w->script->tiles; tile++) {
        missing += !w->done[tile] && w->recorded[tile] == 0;
        check(w, w->recorded[tile] + w->done[tile] <= 1, "a tile is recorded twice");
        check(w, !w->done[tile] || w->computed[tile] == 0, "what was done is computed");
        check(w, w->script->pure || w->computed[tile] <= w->allowed[tile],
              "what is not pure is computed twice");
    }
    check(w, missing == dispatch_undone(w->dispatch), "a tile has got lost");
    check(w, (status != WEFT_OK) || missing == 0, "a run is complete without all tiles");
    check(w, w->station[0].ended && w->station[0].end.error.status == status,
          "rank 0 is not told how the run has ended");
}

static void enter_ranks(world *w)
{
    static const desk_hooks hooks = {.look = look,
                                     .offer = offer,
                                     .cut = cut,
                                     .halt = halt,
                                     .send = send,
                                     .report = report,
                                     .drop = drop_report,
                                     .fail = fail_run,
                                     .sync = sync,
                                     .end_children = end_children};
    w->station = calloc((size_t)w->script->ranks, sizeof *w->station);
    assert_non_null(w->station);
    for (int rank = 0; rank < w->script->ranks; rank++) {
        error e;
        station *s = &w->station[rank];
        *s = (station){.world = w, .rank = rank, .heard_ns = start_ns};
        assert_int_equal(job_create("ranks", 1, &w->script->tiles, &s->job, &e), WEFT_OK);
        assert_int_equal(job_add_field(s->job, "a", WEFT_UINT8, 0, NULL, NULL, NULL, &e), WEFT_OK);
        assert_int_equal(job_settle(s->job, 0, 1, &e), WEFT_OK);
        const desk_setup setup = {.workers = w->script->workers,
                                  .ranks = w->script->ranks,
                                  .job = s->job,
                                  .sync_s =
                                      w->script->sync_ns > 0 ? 1e-9 * (double)sync_pause_ns : 0,
                                  .hooks = &hooks,
                                  .context = s};
        assert_int_equal(desk_create(&setup, &s->desk, &e), WEFT_OK);
    }
}

static void leave_run(world *w)
{
    for (int rank = 0; rank < w->script->ranks; rank++) {
        desk_destroy(w->station[rank].desk);
        job_destroy(w->station[rank].job);
    }
    free(w->station);
    leave(w);
}

/* Runs it, after one that has recorded what `done` says. */
static world *run(const script *s, const bool done[])
{
    world *w = enter(s, done);
    enter_ranks(w);
    while (is_running(w)) {
        let_events_happen(w);
        if (!is_away(w, 0)) {
            step_coordinator(w);
        }
        for (int rank = 0; rank < s->ranks; rank++) {
            if (!is_away(w, rank)) {
                step_rank(w, rank);
            }
        }
        w->now_ns += step_ns;
        check(w, w->now_ns < start_ns + longest_run_ns, "the run does not end");
    }
    check_end(w);
    return w;
}

#endif
