/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole runs without processes: the ranks of a world. */
#ifndef TEST_SCHED_RANKS_H
#define TEST_SCHED_RANKS_H

#include "sched/world.h"

static const int64_t step_ns = INT64_C(10000000);
static const int64_t longest_run_ns = INT64_C(300000000000);

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
    if (!m->stopping && (m->asked ? idle && !m->asked_idle : m->last - m->first < 2)) {
        const message_ask ask = {.kind = MESSAGE_ASK,
                                 .epoch = m->epoch,
                                 .want = m->asked ? 0 : 1 + draw(w, 6),
                                 .idle = idle};
        m->asked = true;
        m->asked_idle = idle;
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
    world *w = enter(s, done);
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
