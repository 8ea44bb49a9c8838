/* SPDX-License-Identifier: BSD-3-Clause */
/* The world of the coordinator's decisions: messages and a disk that are simulated, with checks of
 * what is decided. */
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

enum { MOST_RANKS = 5, MOST_TILES = 100, MOST_EVENTS = 5, NOTHING = -1 };

static const int64_t ms_ns = INT64_C(1000000);
static const int64_t second_ns = INT64_C(1000000000);
static const int64_t start_ns = INT64_C(77000000000);

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
    bool neighbours;    /* whether a death is noticed */
    int64_t killer;     /* kills a process, but for rank 0, where it is not careful; or NOTHING */
    int64_t hung;       /* never comes back but on rank 0; or NOTHING */
    int workers;        /* of a rank */
    int64_t sync_ns;    /* that forcing results to disk takes a rank, at most; 0: it is not done */
    int64_t latency_ns; /* of messages, at most */
    bool loses;         /* what is in flight to a rank that is presumed dead may get lost */
    int64_t lease_ns;   /* that it takes to write a lease, at most */
    int64_t disk_ns;    /* that the record needs to be closed */
    int64_t limit_ns;   /* of time; 0: none */
    int64_t record_fails; /* this report cannot be recorded; or NOTHING */
    int64_t lease_fails;  /* nor this lease be written */
    weft_status disk;     /* what the disk says in the end */
    int64_t failed;       /* items */
    pulse pulse;
    event event[MOST_EVENTS];
    int events;
} script;

typedef struct letter {
    struct letter *next;
    int64_t at_ns; /* when it arrives; NOTHING: it has not left yet */
    size_t count;
    max_align_t bytes[];
} letter;

/* A rank, seen from the coordinator. */
typedef struct mate {
    bool dead;
    bool unreachable;
    bool noticed;
    bool lost; /* to the coordinator */
    bool held;
    int32_t told_epoch; /* the last that it was told of */
    bool has_asked;     /* in that epoch, and has had no answer */
    letter *to;         /* oldest first */
    letter *from;
} mate;

typedef struct world {
    const script *script;
    effects outside;
    lead *lead;
    dispatch *dispatch;
    uint32_t seed;
    int64_t now_ns;
    mate mate[MOST_RANKS];
    struct station *station;  /* the ranks themselves, where there are any */
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
    int stopped_by; /* the signal */
    int warned;
    int killed;
    bool event_over[MOST_EVENTS];
    int64_t closing_ns;
    weft_status closed_as;
} world;

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
static letter *append(letter **list, const void *bytes, size_t count)
{
    letter *p = malloc(sizeof *p + count);
    assert_non_null(p);
    *p = (letter){.at_ns = NOTHING, .count = count};
    memcpy(p->bytes, bytes, count);
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = p;
    return p;
}

static void remove_first(letter **list)
{
    letter *p = *list;
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
    if (m->unreachable || (m->dead && draw(w, 4) == 0)) {
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
    world *w = context;
    mate *m = &w->mate[rank];
    const bool arrives = !w->script->loses || draw(w, 2) == 0;
    const bool flies = m->to != NULL && m->to->at_ns != NOTHING && arrives;
    letter **rest = flies ? &m->to->next : &m->to;
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

static weft_status look_at_leases(void *context, int64_t ticket, bool *written, error *e)
{
    const world *w = context;
    *written = ticket <= w->now_ns;
    if (w->script->lease_fails != NOTHING && w->leases > w->script->lease_fails) {
        *written = false;
        return error_set(e, WEFT_ERR_NO_SPACE, "no space for a lease");
    }
    return WEFT_OK;
}

static weft_status record(void *context, int rank, const message_report *report, size_t count,
                          error *e)
{
    (void)rank;
    world *w = context;
    const bool *computed = (const bool *)(report + 1); /* per tile */
    check(w, count == sizeof *report + (size_t)report->tiles, "a report is cut");
    check(w, w->closing_ns == 0, "a report is recorded after the end");
    if (w->reports++ == w->script->record_fails) {
        return error_set(e, WEFT_ERR_NO_SPACE, "no space for a record");
    }
    for (int64_t tile = report->first; tile < report->first + report->tiles; tile++) {
        if (!computed[tile - report->first]) {
            continue;
        }
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
    *failed = w->script->failed;
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

static weft_status look_at_record(void *context, bool *closed, error *e)
{
    const world *w = context;
    *closed = w->now_ns >= w->closing_ns + w->script->disk_ns;
    return *closed && w->script->disk != WEFT_OK
               ? error_set(e, w->script->disk, "the disk has failed")
               : WEFT_OK;
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
    w->mate[rank].lost = !w->script->pure || w->closing_ns != 0; /* then it has to go */
    w->back++;
}

static void stopping(void *context, int number)
{
    world *w = context;
    w->stopping++;
    w->stopped_by = number;
}

static void warn(void *context, const char *text)
{
    (void)text;
    ((world *)context)->warned++;
}

/* Nothing happens in it. */
static inline script quiet(int ranks, bool pure)
{
    script s = {.tiles = 60,
                .ranks = ranks,
                .pure = pure,
                .technique = TECHNIQUE_GSS,
                .seed = 1,
                .killer = NOTHING,
                .hung = NOTHING,
                .workers = 1,
                .sync_ns = 10 * ms_ns,
                .latency_ns = ms_ns,
                .lease_ns = ms_ns,
                .record_fails = NOTHING,
                .lease_fails = NOTHING,
                .pulse = beats};
    for (int rank = 0; rank < ranks; rank++) {
        s.tile_ns[rank] = 50 * ms_ns;
    }
    return s;
}

/* Begins a run, after one that has recorded what `done` says. */
static world *enter(const script *s, const bool done[])
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
    assert_int_equal(dispatch_start(w->dispatch, &e), WEFT_OK);
    w->outside = (effects){.context = w,
                           .send = send_to,
                           .hold = hold,
                           .drop = drop,
                           .waiting = waiting,
                           .lease = lease,
                           .leased = look_at_leases,
                           .record = record,
                           .lost = lost,
                           .back = back,
                           .count = count_items,
                           .stopping = stopping,
                           .close = close_record,
                           .closed = look_at_record,
                           .warn = warn};
    const lead_setup setup = {.outside = w->outside,
                              .dispatch = w->dispatch,
                              .ranks = s->ranks,
                              .items = s->tiles,
                              .pulse = s->pulse,
                              .pure = s->pure,
                              .deadline_ns = s->limit_ns > 0 ? start_ns + s->limit_ns : 0};
    assert_int_equal(lead_create(&setup, w->now_ns, &w->lead, &e), WEFT_OK);
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
