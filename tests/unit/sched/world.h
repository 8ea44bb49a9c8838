/* SPDX-License-Identifier: BSD-3-Clause */
/* A run without processes: the coordinator's decisions, and ranks, messages and a disk that are
 * simulated. */
#ifndef TEST_SCHED_WORLD_H
#define TEST_SCHED_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/lead.h"
#include "sched/message.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RANKS = 5, MOST_TILES = 100, MOST_EVENTS = 5, RUNS = 5000, NOTHING = -1 };

static const int64_t ms_ns = INT64_C(1000000);
static const int64_t second_ns = INT64_C(1000000000);
static const int64_t start_ns = INT64_C(77000000000);
static const int64_t step_ns = INT64_C(10000000);
static const int64_t longest_run_ns = INT64_C(300000000000);

static const pulse beats = {.beat_ns = INT64_C(100000000),
                            .limit_ns = INT64_C(1000000000),
                            .doubt_ns = INT64_C(300000000),
                            .sure_ns = INT64_C(750000000)};

typedef enum happening {
    HAPPENS_DEATH,  /* the rank's process ends */
    HAPPENS_FREEZE, /* it is stopped, rank 0 with the coordinator */
    HAPPENS_CUT,    /* its messages wait */
    HAPPENS_SIGNAL, /* it is told to stop */
    HAPPENS_FAILURE /* it cannot go on */
} happening;

typedef struct event {
    happening what;
    int rank;
    int64_t at_ns; /* after the start, as all times here */
    int64_t for_ns;
    int number; /* of a signal */
} event;

/* A run as it is planned. */
typedef struct script {
    int64_t tiles;
    int ranks;
    bool pure;
    technique technique;
    uint32_t seed;
    int64_t tile_ns[MOST_RANKS];
    bool neighbours;      /* whether a death is noticed */
    int64_t killer;       /* kills a process, but for rank 0, where it is not careful; or NOTHING */
    int64_t hung;         /* never comes back but on rank 0; or NOTHING */
    int64_t latency_ns;   /* of messages, at most */
    int64_t lease_ns;     /* that it takes to write a lease, at most */
    int64_t disk_ns;      /* that the record needs to be closed */
    int64_t limit_ns;     /* of time; 0: none */
    int64_t record_fails; /* this report cannot be recorded; or NOTHING */
    int64_t lease_fails;  /* nor this lease be written */
    weft_status disk;     /* what the disk says in the end */
    event event[MOST_EVENTS];
    int events;
} script;

typedef struct parcel {
    struct parcel *next;
    int64_t at_ns; /* when it arrives; NOTHING: it has not left yet */
    size_t count;
    max_align_t bytes[];
} parcel;

typedef struct mate {
    bool dead;
    bool noticed;
    bool lost; /* to the coordinator */
    bool held;
    int32_t told_epoch; /* the last that it was told of */
    bool has_asked;     /* in that epoch, and has had no answer */
    parcel *to;         /* oldest first */
    parcel *from;
    int64_t frozen_ns; /* until then */
    int64_t cut_ns;
    int32_t epoch;
    interval queue[4 * MOST_TILES]; /* of one tile each, not begun */
    int first;
    int last;
    int64_t tile; /* that is being computed */
    int64_t until_ns;
    bool written[MOST_TILES]; /* and not reported */
    int64_t unreported;
    int64_t report_ns;
    bool asked;
    bool stopping;
    bool left;
    bool ended;
    int64_t leave_ns;
    int64_t beat_ns;
    int64_t heard_ns;
    message_end end;
} mate;

typedef struct world {
    const script *script;
    lead *lead;
    dispatch *dispatch;
    uint32_t seed;
    int64_t now_ns;
    mate mate[MOST_RANKS];
    bool done[MOST_TILES];    /* by an earlier run */
    bool suspect[MOST_TILES]; /* was with a rank that was lost, and with no other */
    int recorded[MOST_TILES];
    int computed[MOST_TILES];
    int allowed[MOST_TILES]; /* so often it may be computed where a map is not pure */
    unsigned holders[MOST_TILES];
    bool shared[MOST_TILES];       /* there were several at a time */
    int64_t leased_ns[MOST_TILES]; /* when the file says so; 0: not asked for */
    int64_t written_ns;            /* when all leases asked for so far are */
    int64_t reports;
    int64_t leases;
    int64_t repeats;
    int lost;
    int back;
    int stopping;
    int killed;
    bool event_over[MOST_EVENTS];
    int64_t closing_ns;
    weft_status closed_as;
} world;

/* Whether memory is refused. */
static bool refuses;
void *__real_realloc(void *old, size_t count); /* NOLINT: the linker's name, see --wrap */
void *__wrap_realloc(void *old, size_t count); /* NOLINT */

void *__wrap_realloc(void *old, size_t count) /* NOLINT */
{
    return refuses ? NULL : __real_realloc(old, count);
}

static void check(const world *w, bool holds, const char *what)
{
    if (!holds) {
        fail_msg("seed %u: %s", w->script->seed, what);
    }
}

static int64_t draw(world *w, int64_t below)
{
    w->seed = w->seed * 1664525u + 1013904223u;
    return below > 0 ? (int64_t)(w->seed >> 8) % below : 0;
}

/* Messages. One to a rank is in flight at most, as in comm/sendqueue.h. */
static parcel *append(parcel **list, const void *bytes, size_t count)
{
    parcel *p = malloc(sizeof *p + count);
    assert_non_null(p);
    *p = (parcel){.at_ns = NOTHING, .count = count};
    memcpy(p->bytes, bytes, count);
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = p;
    return p;
}

static void remove_first(parcel **list)
{
    parcel *p = *list;
    *list = p->next;
    free(p);
}

static void depart(world *w, int rank)
{
    mate *m = &w->mate[rank];
    if (m->to != NULL && m->to->at_ns == NOTHING && !m->held) {
        m->to->at_ns = w->now_ns + (rank > 0 ? draw(w, w->script->latency_ns) : 0);
    }
}

static void check_grant(world *w, int rank, const message_grant *grant)
{
    check(w, w->mate[rank].has_asked, "a rank is granted what it has not asked for in this epoch");
    w->mate[rank].has_asked = false;
    for (int i = 0; i < grant->intervals; i++) {
        const interval p = grant->interval[i];
        for (int64_t tile = p.first; tile < interval_end(p); tile++) {
            check(w, w->leased_ns[tile] > 0 && w->leased_ns[tile] <= w->now_ns,
                  "a tile is granted that is not leased in the file");
            check(w, !w->suspect[tile] || p.careful, "a suspect tile is granted as harmless");
            check(w, w->script->pure || w->holders[tile] == 0, "a tile is granted twice");
            w->shared[tile] |= w->holders[tile] != 0;
            w->holders[tile] |= 1u << rank;
        }
    }
}

static weft_status send_to(void *context, int rank, const void *bytes, size_t count, error *e)
{
    world *w = context;
    mate *m = &w->mate[rank];
    if (*(const message_kind *)bytes == MESSAGE_GRANT) {
        check_grant(w, rank, bytes);
    }
    if (*(const message_kind *)bytes == MESSAGE_REJOIN) {
        m->told_epoch = ((const message_rejoin *)bytes)->epoch;
    }
    if (m->dead && draw(w, 4) == 0) {
        return error_set(e, WEFT_ERR_SYSTEM, "out of reach");
    }
    append(&m->to, bytes, count);
    depart(w, rank);
    return WEFT_OK;
}

static void hold(void *context, int rank, bool held)
{
    world *w = context;
    w->mate[rank].held = held;
    depart(w, rank);
}

static void drop(void *context, int rank)
{
    mate *m = &((world *)context)->mate[rank];
    parcel **rest = m->to != NULL && m->to->at_ns != NOTHING ? &m->to->next : &m->to;
    while (*rest != NULL) {
        remove_first(rest);
    }
}

static bool waiting(void *context, int rank)
{
    return ((const world *)context)->mate[rank].to != NULL;
}

/* The disk. */
static weft_status lease(void *context, const interval granted[], int intervals, int64_t *ticket,
                         error *e)
{
    (void)e;
    world *w = context;
    w->written_ns = w->now_ns + draw(w, w->script->lease_ns) > w->written_ns
                        ? w->now_ns + draw(w, w->script->lease_ns)
                        : w->written_ns;
    for (int i = 0; i < intervals; i++) {
        for (int64_t tile = granted[i].first; tile < interval_end(granted[i]); tile++) {
            w->leased_ns[tile] = w->leased_ns[tile] > 0 ? w->leased_ns[tile] : w->written_ns;
        }
    }
    w->leases++;
    *ticket = w->written_ns;
    return WEFT_OK;
}

static bool is_leased(void *context, int64_t ticket, error *e)
{
    const world *w = context;
    if (w->script->lease_fails != NOTHING && w->leases > w->script->lease_fails) {
        (void)error_set(e, WEFT_ERR_NO_SPACE, "no space for a lease");
        return false;
    }
    return ticket <= w->now_ns;
}

static weft_status record(void *context, int rank, const message_report *report, size_t count,
                          error *e)
{
    (void)rank;
    world *w = context;
    check(w, count == sizeof *report, "a report is cut");
    check(w, w->closing_ns == 0, "a report is recorded after the end");
    if (w->reports++ == w->script->record_fails) {
        return error_set(e, WEFT_ERR_NO_SPACE, "no space for a record");
    }
    for (int64_t tile = report->first; tile < report->first + report->tiles; tile++) {
        const bool first = dispatch_report(w->dispatch, tile);
        check(w, w->computed[tile] > 0, "a tile is recorded that nobody has computed");
        check(w, first == (w->recorded[tile] == 0), "a tile is recorded twice, or not at all");
        w->recorded[tile] += first;
        w->repeats += !first;
    }
    return WEFT_OK;
}

static void count_items(void *context, int64_t *done, int64_t *failed)
{
    const world *w = context;
    *done = 0;
    *failed = 0;
    for (int64_t tile = 0; tile < w->script->tiles; tile++) {
        *done += w->done[tile] || w->recorded[tile] > 0;
    }
}

static weft_status close_record(void *context, weft_status why, error *e)
{
    (void)e;
    world *w = context;
    check(w, w->closing_ns == 0, "the record is closed twice");
    w->closing_ns = w->now_ns;
    w->closed_as = why;
    return WEFT_OK;
}

static bool is_closed(void *context, error *e)
{
    const world *w = context;
    const bool closed = w->now_ns >= w->closing_ns + w->script->disk_ns;
    if (closed && w->script->disk != WEFT_OK) {
        (void)error_set(e, w->script->disk, "the disk has failed");
    }
    return closed;
}

/* What is said. */
static void lost(void *context, int rank, int64_t tiles, const char *why)
{
    (void)tiles;
    world *w = context;
    check(w, why[0] != '\0', "a rank is lost for no reason");
    w->lost++;
    w->mate[rank].lost = true;
    w->mate[rank].has_asked = false;
    for (int64_t tile = 0; tile < w->script->tiles; tile++) {
        if ((w->holders[tile] & 1u << rank) != 0) {
            w->holders[tile] &= ~(1u << rank);
            w->allowed[tile]++;
            w->suspect[tile] |= !w->shared[tile] && w->recorded[tile] == 0;
        }
    }
}

static void back(void *context, int rank)
{
    world *w = context;
    w->mate[rank].lost = false;
    w->back++;
}

static void stopping(void *context, int number)
{
    (void)number;
    ((world *)context)->stopping++;
}

static void warn(void *context, const char *text)
{
    (void)context;
    (void)text;
}

/* Ranks. */
static void say(world *w, int rank, const void *bytes, size_t count)
{
    parcel **list = &w->mate[rank].from;
    int64_t at_ns = w->now_ns + (rank > 0 ? draw(w, w->script->latency_ns) : 0);
    for (const parcel *p = *list; p != NULL; p = p->next) {
        at_ns = p->at_ns > at_ns ? p->at_ns : at_ns;
    }
    append(list, bytes, count)->at_ns = at_ns;
}

static void give_back(world *w, int rank)
{
    mate *m = &w->mate[rank];
    message_return message = {.kind = MESSAGE_RETURN, .epoch = m->epoch};
    for (int half = (m->last - m->first + 1) / 2; half > 0 && message.intervals < ORDER_INTERVALS;
         half--) {
        const interval p = m->queue[--m->last];
        w->holders[p.first] &= ~(1u << rank);
        message.interval[message.intervals++] = p;
    }
    message.left = m->last - m->first;
    say(w, rank, &message, sizeof message);
}

static void begin_stop(world *w, mate *m, int64_t grace_ns)
{
    m->stopping = true;
    m->first = m->last = 0;
    m->leave_ns = w->now_ns + grace_ns;
}

static void take_grant(world *w, mate *m, const message_grant *grant)
{
    m->asked = false;
    for (int i = 0; i < grant->intervals && !m->stopping; i++) {
        const interval p = grant->interval[i];
        for (int64_t tile = p.first; tile < interval_end(p); tile++) {
            if (m->first == m->last) {
                m->first = m->last = 0;
            }
            check(w, m->last < 4 * MOST_TILES, "a rank is granted more than there is");
            m->queue[m->last++] = (interval){.first = tile, .tiles = 1, .careful = p.careful};
        }
    }
}

static void take(world *w, int rank, const void *bytes)
{
    mate *m = &w->mate[rank];
    m->heard_ns = w->now_ns;
    switch (*(const message_kind *)bytes) {
    case MESSAGE_GRANT:
        take_grant(w, m, bytes);
        break;
    case MESSAGE_RECALL:
        give_back(w, rank);
        break;
    case MESSAGE_STOP:
        begin_stop(w, m, ((const message_stop *)bytes)->grace_ns);
        break;
    case MESSAGE_END:
        check(w, !m->ended, "a rank is told of the end twice");
        m->ended = true;
        m->end = *(const message_end *)bytes;
        check(w, m->lost || m->end.at_once || m->tile == NOTHING,
              "a rank is told of the end in the middle of a tile");
        break;
    case MESSAGE_REJOIN:
        m->epoch = ((const message_rejoin *)bytes)->epoch;
        m->asked = false;
        m->first = m->last = 0;
        break;
    case MESSAGE_BEAT:
        m->beat_ns = 0;
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
}

static void die(world *w, int rank)
{
    mate *m = &w->mate[rank];
    m->dead = true;
    while (m->from != NULL && draw(w, 2) == 0) {
        parcel **last = &m->from;
        while ((*last)->next != NULL) {
            last = &(*last)->next;
        }
        remove_first(last);
    }
}

static void finish_tile(world *w, int rank)
{
    mate *m = &w->mate[rank];
    const double seconds = 1e-9 * (double)w->script->tile_ns[rank];
    const message_news message = {.kind = MESSAGE_NEWS,
                                  .news = {.computed = {.tiles = 1,
                                                        .seconds = seconds,
                                                        .squares = seconds * seconds,
                                                        .elapsed = seconds},
                                           .longest_s = seconds,
                                           .left = m->last - m->first}};
    w->computed[m->tile]++;
    m->report_ns = m->unreported == 0 ? w->now_ns + draw(w, 300) * ms_ns : m->report_ns;
    m->unreported += !m->written[m->tile];
    m->written[m->tile] = true;
    m->tile = NOTHING;
    say(w, rank, &message, sizeof message);
}

/* Begins the next tile; it may be the rank's last. */
static void begin_tile(world *w, int rank)
{
    mate *m = &w->mate[rank];
    const interval p = m->queue[m->first++];
    const int64_t usual_ns = w->script->tile_ns[rank];
    m->tile = p.first;
    m->until_ns = w->now_ns + usual_ns / 2 + draw(w, usual_ns);
    if (rank > 0 && p.first == w->script->hung) {
        m->until_ns = INT64_MAX;
    }
    if (rank > 0 && p.first == w->script->killer && !p.careful) {
        w->killed++;
        die(w, rank);
    }
}

static void report(world *w, int rank)
{
    mate *m = &w->mate[rank];
    for (int64_t tile = 0; tile < w->script->tiles; tile++) {
        int64_t end = tile;
        while (end < w->script->tiles && m->written[end]) {
            m->written[end++] = false;
        }
        if (end > tile) {
            const message_report message = {
                .kind = MESSAGE_REPORT, .first = tile, .tiles = end - tile};
            say(w, rank, &message, sizeof message);
            tile = end;
        }
    }
    m->unreported = 0;
}

static void speak(world *w, int rank)
{
    mate *m = &w->mate[rank];
    const bool idle = m->tile == NOTHING && m->first == m->last;
    if (m->unreported > 0 && (idle || m->stopping || w->now_ns >= m->report_ns)) {
        report(w, rank);
    }
    if (!m->stopping && !m->asked && m->last - m->first < 2) {
        const message_ask ask = {.kind = MESSAGE_ASK, .epoch = m->epoch, .want = 1 + draw(w, 6)};
        m->asked = true;
        say(w, rank, &ask, sizeof ask);
    }
    if (m->stopping && !m->left && (idle || w->now_ns >= m->leave_ns)) {
        const message_left left = {.kind = MESSAGE_LEFT, .dropped = !idle};
        m->left = true;
        say(w, rank, &left, sizeof left);
    }
    if (w->now_ns - m->beat_ns >= beats.beat_ns) {
        const message_alive alive = {.kind = MESSAGE_ALIVE, .clock_ns = w->now_ns};
        m->beat_ns = w->now_ns;
        say(w, rank, &alive, sizeof alive);
    }
}

static bool is_away(const world *w, int rank)
{
    return w->mate[rank].dead || w->now_ns < w->mate[rank].frozen_ns;
}

static void step_rank(world *w, int rank)
{
    mate *m = &w->mate[rank];
    while (m->to != NULL && m->to->at_ns != NOTHING && m->to->at_ns <= w->now_ns &&
           w->now_ns >= m->cut_ns && !m->ended) {
        take(w, rank, m->to->bytes);
        remove_first(&m->to);
        depart(w, rank);
    }
    /* A rank that hears nothing ends by itself. */
    m->ended = m->ended || w->now_ns - m->heard_ns > 2 * beats.limit_ns + second_ns;
    if (!m->ended && m->tile != NOTHING && w->now_ns >= m->until_ns) {
        finish_tile(w, rank);
    }
    if (!m->ended && m->tile == NOTHING && m->first < m->last) {
        begin_tile(w, rank);
    }
    if (!m->ended && !m->dead) {
        speak(w, rank);
    }
}

static void happen(world *w, const event *v)
{
    mate *m = &w->mate[v->rank];
    const message_signal told = {.kind = MESSAGE_SIGNAL, .number = v->number};
    message_fail failure = {.kind = MESSAGE_FAIL};
    switch (v->what) {
    case HAPPENS_DEATH:
        die(w, v->rank);
        break;
    case HAPPENS_FREEZE:
        m->frozen_ns = w->now_ns + v->for_ns;
        m->heard_ns = m->frozen_ns;
        m->until_ns += m->until_ns < INT64_MAX ? v->for_ns : 0;
        break;
    case HAPPENS_CUT:
        m->cut_ns = w->now_ns + v->for_ns;
        break;
    case HAPPENS_SIGNAL:
        say(w, v->rank, &told, sizeof told);
        break;
    case HAPPENS_FAILURE:
        (void)error_set(&failure.error, WEFT_ERR_SYSTEM, "it cannot go on");
        say(w, v->rank, &failure, sizeof failure);
        break;
    }
}

static void let_events_happen(world *w)
{
    for (int i = 0; i < w->script->events; i++) {
        const event *v = &w->script->event[i];
        if (!w->event_over[i] && w->now_ns >= start_ns + v->at_ns) {
            w->event_over[i] = true;
            if (!is_away(w, v->rank) && !w->mate[v->rank].ended) {
                happen(w, v);
            }
        }
    }
}

static void step_coordinator(world *w)
{
    for (int rank = 0; rank < w->script->ranks; rank++) {
        mate *m = &w->mate[rank];
        while (m->from != NULL && m->from->at_ns <= w->now_ns && w->now_ns >= m->cut_ns) {
            const message_ask *ask = (const void *)m->from->bytes;
            m->has_asked |= ask->kind == MESSAGE_ASK && ask->epoch == m->told_epoch && !m->lost;
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
        running = running || !(w->mate[rank].dead || w->mate[rank].ended);
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
    check(w, w->mate[0].ended && w->mate[0].end.error.status == status,
          "rank 0 is not told how the run has ended");
}

/* Runs it, after one that has recorded what `done` says. */
static world *run(const script *s, const bool done[])
{
    error e = {.status = WEFT_OK};
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->script = s;
    w->seed = s->seed;
    w->now_ns = start_ns;
    const dispatch_setup deal = {.tiles = s->tiles,
                                 .ranks = s->ranks,
                                 .technique = s->technique,
                                 .seed = s->seed,
                                 .pure = s->pure};
    assert_int_equal(dispatch_create(&deal, &w->dispatch, &e), WEFT_OK);
    for (int64_t tile = 0; tile < s->tiles; tile++) {
        w->allowed[tile] = 1;
        if (done != NULL && done[tile]) {
            w->done[tile] = true;
            dispatch_set_done(w->dispatch, tile);
        }
    }
    for (int rank = 0; rank < s->ranks; rank++) {
        w->mate[rank].tile = NOTHING;
        w->mate[rank].heard_ns = start_ns;
    }
    assert_int_equal(dispatch_start(w->dispatch, &e), WEFT_OK);
    const lead_setup setup = {.outside = {.context = w,
                                          .send = send_to,
                                          .hold = hold,
                                          .drop = drop,
                                          .waiting = waiting,
                                          .lease = lease,
                                          .leased = is_leased,
                                          .record = record,
                                          .lost = lost,
                                          .back = back,
                                          .count = count_items,
                                          .stopping = stopping,
                                          .close = close_record,
                                          .closed = is_closed,
                                          .warn = warn},
                              .dispatch = w->dispatch,
                              .ranks = s->ranks,
                              .items = s->tiles,
                              .pulse = beats,
                              .pure = s->pure,
                              .deadline_ns = s->limit_ns > 0 ? start_ns + s->limit_ns : 0};
    assert_int_equal(lead_create(&setup, w->now_ns, &w->lead, &e), WEFT_OK);
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

static void leave(world *w)
{
    for (int rank = 0; rank < MOST_RANKS; rank++) {
        while (w->mate[rank].to != NULL) {
            remove_first(&w->mate[rank].to);
        }
        while (w->mate[rank].from != NULL) {
            remove_first(&w->mate[rank].from);
        }
    }
    lead_destroy(w->lead);
    dispatch_destroy(w->dispatch);
    free(w);
}

#endif
