/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank around a desk: its team, its disk and its coordinator, simulated, with checks of what is
 * decided. */
#ifndef TEST_SCHED_DESK_SCENE_H
#define TEST_SCHED_DESK_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sched/desk.h"
#include "sched/pace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 4000, BLOCKS = 12, WORKERS = 2, MS = 1000000, RUNS = 1000, EVENTS = 300 };

/* Where a tile is. */
typedef enum place { OUTSIDE, HELD, OFFERED, BEGUN, DONE, LEFT_UNDONE, PACKED, REPORTED } place;

typedef struct slot {
    bool used;
    interval all;
    int64_t end;  /* of what is not cut off, in tiles */
    int64_t kept; /* as all.tiles, less what the desk has cut off */
    int64_t begun;
} slot;

/* A rank around a desk, and its coordinator. */
typedef struct scene {
    desk *desk;
    job *job;
    place place[TILES];
    slot slot[BLOCKS]; /* by age: the oldest first */
    int64_t tile_ns;
    int64_t now_ns;
    int32_t epoch;
    int asks; /* not answered */
    int64_t want;
    bool told_idle;    /* with the last of them */
    message_news news; /* the last */
    int64_t told;      /* tiles, in all news */
    int64_t reported;
    message_return back; /* the last */
    int returns;
    int syncs;
    bool syncing;
    int signals;
    int leaves;
    int waits; /* for the disk */
    bool dropped;
    bool halted;
    bool children;
    bool children_ended;
    int failures;
    int64_t seen_tile_ns; /* at the last step */
    int64_t idle_steps;
    int64_t effects; /* whatever the desk has had done */
} scene;

static int64_t count_places(const scene *s, place where)
{
    int64_t count = 0;
    for (int64_t i = 0; i < TILES; i++) {
        count += s->place[i] == where;
    }
    return count;
}

static void move(scene *s, interval p, place from, place to)
{
    assert_true(p.first >= 0 && p.tiles >= 1 && interval_end(p) <= TILES);
    for (int64_t i = p.first; i < interval_end(p); i++) {
        if (s->place[i] != from) {
            fail_msg("tile %d is at %d instead of %d, on its way to %d", (int)i, (int)s->place[i],
                     (int)from, (int)to);
        }
        s->place[i] = to;
    }
}

static void move_all(scene *s, place from, place to)
{
    for (int64_t i = 0; i < TILES; i++) {
        s->place[i] = s->place[i] == from ? to : s->place[i];
    }
}

static desk_team look(void *context)
{
    const scene *s = context;
    desk_team t = {.tile_ns = s->tile_ns, .full = true, .idle = true};
    int64_t begun = 0;
    for (int i = 0; i < BLOCKS; i++) {
        begun += s->slot[i].used ? s->slot[i].begun : 0;
        t.stock += s->slot[i].used ? s->slot[i].end - s->slot[i].begun : 0;
        t.full = t.full && s->slot[i].used;
        t.idle = t.idle && !s->slot[i].used;
    }
    t.waits = t.stock == 0 && begun < WORKERS;
    return t;
}

static bool offer(void *context, interval p)
{
    scene *s = context;
    assert_false(s->halted);
    assert_in_range(p.tiles, 1, desk_room(s->desk));
    for (int i = 0; i < BLOCKS; i++) {
        if (!s->slot[i].used) {
            s->slot[i] = (slot){.used = true, .all = p, .end = p.tiles, .kept = p.tiles};
            move(s, p, HELD, OFFERED);
            s->effects++;
            return true;
        }
    }
    return false;
}

static bool cut(void *context, int64_t keep, int64_t most, interval *p)
{
    scene *s = context;
    for (int i = BLOCKS - 1; i >= 0; i--) {
        slot *b = &s->slot[i];
        const int64_t above = b->end - b->begun - keep;
        if (b->used && above > 0) {
            const int64_t tiles = above < most ? above : most;
            b->end -= tiles;
            b->kept = b->end;
            *p = (interval){.first = b->all.first + b->end, .tiles = tiles};
            move(s, *p, OFFERED, HELD);
            s->effects++;
            return true;
        }
    }
    return false;
}

static void halt(void *context)
{
    scene *s = context;
    s->halted = true;
    for (int i = 0; i < BLOCKS; i++) {
        slot *b = &s->slot[i];
        if (b->used && b->end > b->begun) {
            move(s, (interval){.first = b->all.first + b->begun, .tiles = b->end - b->begun},
                 OFFERED, LEFT_UNDONE);
            b->end = b->begun;
        }
    }
}

static void take_return(scene *s, const message_return *back, size_t count)
{
    assert_int_equal(count, offsetof(message_return, interval) +
                                (size_t)back->intervals * sizeof back->interval[0]);
    assert_int_equal(back->epoch, s->epoch);
    memcpy(&s->back, back, count);
    s->returns++;
    for (int i = 0; i < back->intervals; i++) {
        const interval p = back->interval[i];
        move(s, p, s->place[p.first] == LEFT_UNDONE ? LEFT_UNDONE : HELD, OUTSIDE);
    }
    assert_int_equal(back->left, count_places(s, HELD) + count_places(s, OFFERED));
}

static void send(void *context, const void *bytes, size_t count)
{
    scene *s = context;
    const message_kind kind = *(const message_kind *)bytes;
    s->effects++;
    if (kind == MESSAGE_ASK) {
        const message_ask *ask = bytes;
        assert_int_equal(ask->epoch, s->epoch);
        assert_false(s->halted);
        assert_true(!ask->idle || (look(s).waits && count_places(s, HELD) == 0));
        if (s->asks > 0) {
            /* Again, since workers wait by now; and no more often. */
            assert_true(ask->want == 0 && ask->idle && !s->told_idle);
        } else {
            assert_true(ask->want > 0);
            s->want = ask->want;
            s->asks++;
        }
        s->told_idle = ask->idle;
    } else if (kind == MESSAGE_NEWS) {
        memcpy(&s->news, bytes, sizeof s->news);
        s->told += s->news.news.computed.tiles;
        assert_int_equal(s->news.news.left, count_places(s, HELD) + count_places(s, OFFERED));
    } else if (kind == MESSAGE_RETURN) {
        take_return(s, bytes, count);
    } else if (kind == MESSAGE_SIGNAL) {
        s->signals++;
    } else {
        assert_int_equal(kind, MESSAGE_LEFT);
        s->dropped = ((const message_left *)bytes)->dropped;
        s->waits += ((const message_left *)bytes)->writing;
        s->leaves += !((const message_left *)bytes)->writing;
    }
}

static void report(void *context, parcel *p)
{
    scene *s = context;
    assert_false(s->syncing);
    s->effects++;
    for (int64_t i = p->report.first; i < p->report.first + p->report.tiles; i++) {
        assert_true(s->place[i] == PACKED || (s->halted && s->place[i] == OUTSIDE));
        s->reported += s->place[i] == PACKED;
        s->place[i] = s->place[i] == PACKED ? REPORTED : OUTSIDE;
    }
    free(p);
}

static void drop(void *context, parcel *p)
{
    (void)context;
    free(p);
}

static void fail_run(void *context, const error *why)
{
    (void)why;
    ((scene *)context)->failures++;
}

static void sync(void *context)
{
    scene *s = context;
    assert_false(s->syncing);
    s->syncing = true;
    s->effects++;
    s->syncs++;
}

static bool end_children(void *context)
{
    scene *s = context;
    s->children_ended = true;
    return s->children;
}

static scene *make_scene(double sync_s)
{
    static const desk_hooks hooks = {.look = look,
                                     .offer = offer,
                                     .cut = cut,
                                     .halt = halt,
                                     .send = send,
                                     .report = report,
                                     .drop = drop,
                                     .fail = fail_run,
                                     .sync = sync,
                                     .end_children = end_children};
    static const int64_t count = TILES;
    static scene s;
    error e = {.status = WEFT_OK};
    s = (scene){.now_ns = 1};
    assert_int_equal(job_create("desk", 1, &count, &s.job, &e), WEFT_OK);
    assert_int_equal(job_add_field(s.job, "a", WEFT_UINT8, 0, NULL, NULL, NULL, &e), WEFT_OK);
    assert_int_equal(job_settle(s.job, 0, 1, &e), WEFT_OK);
    const desk_setup setup = {.workers = WORKERS,
                              .ranks = 8,
                              .job = s.job,
                              .sync_s = sync_s,
                              .hooks = &hooks,
                              .context = &s};
    assert_int_equal(desk_create(&setup, &s.desk, &e), WEFT_OK);
    return &s;
}

static void leave(scene *s)
{
    assert_int_equal(s->failures, 0);
    desk_destroy(s->desk);
    job_destroy(s->job);
}

static desk_state step(scene *s)
{
    return desk_step(s->desk, false, s->now_ns);
}

static void receive(scene *s, const void *message)
{
    desk_receive(s->desk, message, s->now_ns);
}

static void grant(scene *s, int64_t first, int64_t tiles)
{
    const interval p = {.first = first, .tiles = tiles};
    message_grant message = {.kind = MESSAGE_GRANT, .intervals = 1, .interval = {p}};
    move(s, p, OUTSIDE, HELD);
    s->asks = 0;
    receive(s, &message);
    if (s->halted) {
        move(s, p, HELD, OUTSIDE);
    }
}

static void recall(scene *s)
{
    const message_kind kind = MESSAGE_RECALL;
    receive(s, &kind);
}

/* How long the disk may take after a stop. */
static const int64_t DISK_NS = 1000 * MS;

static void stop(scene *s, int64_t grace_ns)
{
    const message_stop message = {.kind = MESSAGE_STOP, .grace_ns = grace_ns, .disk_ns = DISK_NS};
    receive(s, &message);
    move_all(s, HELD, OUTSIDE);
}

static void rejoin(scene *s)
{
    const message_rejoin message = {.kind = MESSAGE_REJOIN, .epoch = ++s->epoch};
    s->asks = 0;
    receive(s, &message);
    assert_int_equal(look(s).stock, 0);
    move_all(s, HELD, OUTSIDE);
}

static void end(scene *s, bool broken, int64_t disk_ns)
{
    const message_end message = {.kind = MESSAGE_END, .broken = broken, .disk_ns = disk_ns};
    receive(s, &message);
    move_all(s, HELD, OUTSIDE);
}

/* A worker begins at most so many tiles of the oldest block that has any; false: none has. */
static bool begin(scene *s, int64_t most)
{
    for (int i = 0; i < BLOCKS; i++) {
        slot *b = &s->slot[i];
        const int64_t left = b->used ? b->end - b->begun : 0;
        if (left > 0) {
            const int64_t tiles = left < most ? left : most;
            move(s, (interval){.first = b->all.first + b->begun, .tiles = tiles}, OFFERED, BEGUN);
            b->begun += tiles;
            return true;
        }
    }
    return false;
}

/* A block that is finished. */
typedef struct view {
    const scene *scene;
    interval all;
} view;

static bool done_in(const void *data, int64_t i)
{
    const view *v = data;
    const place at = v->scene->place[v->all.first + i];
    assert_true(at == DONE || at == LEFT_UNDONE);
    return at == DONE;
}

/* The team has finished a block that has nothing left to begin; those of its tiles that `undone`
 * says are not done. False: there is no such block. */
static bool finish(scene *s, bool undone)
{
    for (int i = 0; i < BLOCKS; i++) {
        slot b = s->slot[i];
        if (!b.used || b.begun < b.end) {
            continue;
        }
        for (int64_t tile = b.all.first; tile < b.all.first + b.begun; tile++) {
            s->place[tile] = undone && tile % 3 != 0 ? LEFT_UNDONE : DONE;
        }
        parcel *p = calloc(1, sizeof *p);
        assert_non_null(p);
        p->report = (message_report){.first = b.all.first, .tiles = b.begun};
        memmove(&s->slot[i], &s->slot[i + 1], (size_t)(BLOCKS - 1 - i) * sizeof b);
        s->slot[BLOCKS - 1].used = false;
        const view v = {.scene = s, .all = b.all};
        desk_block finished = {.all = b.all, .kept = b.kept, .done = done_in, .data = &v};
        for (int64_t tile = 0; tile < b.kept; tile++) {
            if (done_in(&v, tile)) {
                news_add(&finished.news, 1, 1e-3 * (double)(1 + (b.all.first + tile) % 3));
            }
        }
        desk_finish(s->desk, &finished, p);
        for (int64_t tile = b.all.first; tile < b.all.first + b.begun; tile++) {
            s->place[tile] = s->place[tile] == DONE ? PACKED : s->place[tile];
        }
        return true;
    }
    return false;
}

static void finish_sync(scene *s, double seconds)
{
    assert_true(s->syncing);
    s->syncing = false;
    desk_synced(s->desk, seconds);
}

#endif
