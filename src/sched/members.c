/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of a run, as the coordinator knows them. */
#include "sched/members.h"

#include "base/number.h"
#include "sched/message.h"

#include <stdlib.h>
#include <string.h>

/* How many beats the coordinator sends within the limit: a rank that misses some is not misled. */
enum { BEATS_PER_LIMIT = 5 };

/* What a rank had sent before it died has arrived when it has been silent for this many beats. */
enum { LAST_WORDS_BEATS = 3 };

typedef struct member {
    int64_t heard_ns; /* in time listened */
    int64_t clock_ns; /* the newest that has come from it */
    int32_t epoch;
    bool lost;        /* presumed dead */
    bool unreachable; /* which members_next_lost() has not told of */
    bool dead;        /* so others say, and it has not been silent for long enough yet */
    bool gone;        /* the process is known to have ended */
    bool held;        /* doubtful: nothing is sent to it */
    bool left;
    bool writing; /* and leaves once that is done */
    bool present; /* it has answered the roll call */
    bool dismissed;
} member;

struct members {
    const effects *outside;
    int ranks;
    pulse pulse;
    listening listening;
    member *member;
    int lost;
    int pending;            /* how often unreachable or dead is set */
    int next;               /* to be looked at in the search under way; `ranks`: there is none */
    bool called;            /* the roll has been */
    int64_t next_search_ns; /* in time listened */
    int64_t next_beat_ns;
    int64_t next_doubt_ns; /* when to look which ranks are doubtful */
    char silent[64];       /* why a rank that is silent is presumed dead */
};

weft_status members_create(const effects *outside, int ranks, pulse p, int64_t now_ns,
                           members **out, error *e)
{
    members *r = calloc(1, sizeof *r);
    member *each = calloc((size_t)ranks, sizeof *each);
    if (r == NULL || each == NULL) {
        free(each);
        free(r);
        return error_memory(e, "the state of %d ranks", ranks);
    }
    *r = (members){.outside = outside,
                   .ranks = ranks,
                   .pulse = p,
                   .listening = listening_begin(p.limit_ns, now_ns),
                   .member = each,
                   .next = ranks};
    (void)number_print(r->silent, sizeof r->silent, "has been silent for %g s",
                       1e-9 * (double)p.limit_ns);
    *out = r;
    return WEFT_OK;
}

void members_destroy(members *r)
{
    if (r != NULL) {
        free(r->member);
        free(r);
    }
}

static int64_t silence_ns(const members *r, int rank)
{
    return r->listening.listened_ns - r->member[rank].heard_ns;
}

static void lose(members *r, int rank)
{
    r->lost += !r->member[rank].lost;
    r->member[rank].lost = true;
}

static void set_pending(members *r, bool *flag, bool value)
{
    r->pending += value - *flag;
    *flag = value;
}

static void hold(members *r, int rank, bool held)
{
    if (r->member[rank].held != held) {
        r->member[rank].held = held;
        r->outside->hold(r->outside->context, rank, held);
    }
}

void members_send(members *r, int rank, const void *bytes, size_t count)
{
    error ignored;
    if (!r->member[rank].lost &&
        r->outside->send(r->outside->context, rank, bytes, count, &ignored) != WEFT_OK) {
        lose(r, rank);
        set_pending(r, &r->member[rank].unreachable, true);
    }
}

void members_send_to_all(members *r, const void *bytes, size_t count)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        members_send(r, rank, bytes, count);
    }
}

void members_send_last(members *r, const void *bytes, size_t count)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        error ignored;
        if (r->member[rank].gone) {
            continue;
        }
        hold(r, rank, false);
        (void)r->outside->send(r->outside->context, rank, bytes, count, &ignored);
        if (r->member[rank].lost) {
            r->outside->drop(r->outside->context, rank);
        }
    }
}

bool members_hear(members *r, int rank)
{
    member *m = &r->member[rank];
    if (m->dismissed || m->unreachable) {
        return false;
    }
    const bool back = m->lost;
    hold(r, rank, false);
    m->heard_ns = r->listening.listened_ns;
    m->lost = false;
    m->gone = false;
    m->present = r->called;
    m->epoch += back;
    r->lost -= back;
    return back;
}

int32_t members_epoch(const members *r, int rank)
{
    return r->member[rank].epoch;
}

void members_take_clock(members *r, int rank, int64_t clock_ns)
{
    r->member[rank].clock_ns = clock_ns;
}

/* A rank for which a message is under way, or that is doubtful, needs no beat. */
static void send_beats(members *r)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        if (r->member[rank].held || r->outside->waiting(r->outside->context, rank)) {
            continue;
        }
        message_beat beat;
        memset(&beat, 0, sizeof beat);
        beat.kind = MESSAGE_BEAT;
        beat.heard_ns = r->member[rank].clock_ns;
        members_send(r, rank, &beat, sizeof beat);
    }
}

/* Ranks that may be dead get nothing until they are heard of again. */
static void hold_doubtful(members *r)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        if (members_doubtful(r, rank)) {
            hold(r, rank, true);
        }
    }
}

void members_listen(members *r, int64_t now_ns)
{
    listening_look(&r->listening, now_ns);
    if (r->pulse.limit_ns > 0 && now_ns >= r->next_doubt_ns) {
        r->next_doubt_ns = now_ns + r->pulse.beat_ns;
        hold_doubtful(r);
    }
    if (r->pulse.limit_ns > 0 && now_ns >= r->next_beat_ns) {
        r->next_beat_ns = now_ns + r->pulse.limit_ns / BEATS_PER_LIMIT;
        send_beats(r);
    }
    const bool due = r->pulse.limit_ns > 0 && r->listening.listened_ns >= r->next_search_ns;
    if (due) {
        r->next_search_ns = r->listening.listened_ns + r->listening.longest_ns;
    }
    if (due || r->pending > 0) {
        r->next = 0;
    }
}

void members_presume_dead(members *r, int rank)
{
    if (r->pulse.limit_ns > 0) {
        set_pending(r, &r->member[rank].dead, true);
        r->member[rank].gone = true;
        hold(r, rank, true);
    }
}

/* Why a rank is presumed dead from now on; NULL: it is not. */
static const char *judge(members *r, int rank)
{
    member *m = &r->member[rank];
    const bool told = m->lost && !m->unreachable;
    const bool died = m->dead && silence_ns(r, rank) >= LAST_WORDS_BEATS * r->pulse.beat_ns;
    const bool silent = r->pulse.limit_ns > 0 && silence_ns(r, rank) >= r->pulse.limit_ns;
    const char *why = died             ? "has died"
                      : m->unreachable ? "cannot be reached"
                      : silent         ? r->silent
                                       : NULL;
    if (died) {
        set_pending(r, &m->dead, false);
        m->gone = true;
    }
    if (told || why == NULL) {
        return NULL;
    }
    set_pending(r, &m->unreachable, false);
    lose(r, rank);
    return why;
}

int members_next_lost(members *r, const char **why)
{
    while (r->next < r->ranks) {
        const int rank = r->next++;
        const char *reason = judge(r, rank);
        if (reason != NULL) {
            *why = reason;
            r->outside->drop(r->outside->context, rank);
            return rank;
        }
    }
    return -1;
}

void members_dismiss(members *r, int rank)
{
    r->member[rank].dismissed = true;
    lose(r, rank);
}

bool members_lost(const members *r, int rank)
{
    return r->member[rank].lost;
}

int members_lost_ranks(const members *r)
{
    return r->lost;
}

bool members_doubtful(const members *r, int rank)
{
    return r->pulse.limit_ns > 0 && silence_ns(r, rank) >= r->pulse.doubt_ns;
}

void members_leave(members *r, int rank, bool writing)
{
    r->member[rank].left = !writing;
    r->member[rank].writing = writing;
}

bool members_has_left(const members *r, int rank)
{
    return r->member[rank].left;
}

bool members_all_left(const members *r)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        if (!r->member[rank].left && !r->member[rank].lost) {
            return false;
        }
    }
    return true;
}

bool members_writing(const members *r)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        if (r->member[rank].writing && !r->member[rank].lost) {
            return true;
        }
    }
    return false;
}

bool members_call(members *r)
{
    if (r->pulse.limit_ns == 0) {
        return true;
    }
    if (!r->called) {
        r->called = true;
        send_beats(r);
    }
    for (int rank = 0; rank < r->ranks; rank++) {
        const member *m = &r->member[rank];
        if (!m->present && !m->left && !m->lost) {
            return false;
        }
    }
    return true;
}
