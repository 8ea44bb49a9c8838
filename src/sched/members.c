/* SPDX-License-Identifier: BSD-3-Clause */
/* The members of a run, as the coordinator knows them: which ranks are there, which are presumed
 * dead, and messages to those that are not. */
#include "sched/members.h"

#include "base/number.h"
#include "sched/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The coordinator's beats come so often within the limit: a rank that misses some is not misled. */
enum { BEATS_PER_LIMIT = 5 };

/* What a rank had sent before it died has arrived when it has been silent for this many beats. */
enum { LAST_WORDS_BEATS = 3 };

typedef struct member {
    int32_t epoch;
    int64_t clock_ns; /* the newest that has come from it */
    bool left;
    bool present;     /* it has answered the roll call */
    bool unreachable; /* and has not been told of */
    bool dismissed;
    bool dead; /* so it is said */
    bool gone; /* the process is known to have ended */
    bool held; /* it is suspect: nothing is sent to it */
} member;

struct members {
    const effects *outside;
    int ranks;
    pulse pulse;
    failure_detector *detector;
    member *member;
    bool called;     /* the roll has been */
    int unreachable; /* so many members are */
    int dead;
    int64_t next_beat_ns;
    int64_t next_doubt_ns; /* when to look who is suspect */
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
    *r = (members){.outside = outside, .ranks = ranks, .pulse = p, .member = each};
    const weft_status status = failure_detector_create(ranks, p.limit_ns, now_ns, &r->detector, e);
    if (status != WEFT_OK) {
        members_destroy(r);
        return status;
    }
    *out = r;
    return WEFT_OK;
}

void members_destroy(members *r)
{
    if (r != NULL) {
        failure_detector_destroy(r->detector);
        free(r->member);
        free(r);
    }
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
    error e = {.status = WEFT_OK};
    if (!failure_detector_lost(r->detector, rank) &&
        r->outside->send(r->outside->context, rank, bytes, count, &e) != WEFT_OK) {
        failure_detector_lose(r->detector, rank);
        r->member[rank].unreachable = true;
        r->unreachable++;
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
        error ignored = {.status = WEFT_OK};
        if (r->member[rank].gone) {
            continue;
        }
        hold(r, rank, false);
        (void)r->outside->send(r->outside->context, rank, bytes, count, &ignored);
        if (failure_detector_lost(r->detector, rank)) {
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
    const bool back = failure_detector_hear(r->detector, rank);
    hold(r, rank, false);
    m->gone = false;
    m->present = r->called;
    m->epoch += back;
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

/* A rank that has something to come, or is suspect, needs no beat. */
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
        if (!r->member[rank].held && members_doubtful(r, rank)) {
            hold(r, rank, true);
        }
    }
}

void members_listen(members *r, int64_t now_ns)
{
    failure_detector_listen(r->detector, now_ns);
    if (r->pulse.doubt_ns > 0 && now_ns >= r->next_doubt_ns) {
        r->next_doubt_ns = now_ns + r->pulse.beat_ns;
        hold_doubtful(r);
    }
    if (r->pulse.limit_ns > 0 && now_ns >= r->next_beat_ns) {
        r->next_beat_ns = now_ns + r->pulse.limit_ns / BEATS_PER_LIMIT;
        send_beats(r);
    }
}

static int next_unreachable(members *r)
{
    for (int rank = 0; rank < r->ranks && r->unreachable > 0; rank++) {
        if (r->member[rank].unreachable) {
            r->member[rank].unreachable = false;
            r->unreachable--;
            return rank;
        }
    }
    return -1;
}

void members_presume_dead(members *r, int rank)
{
    if (r->pulse.limit_ns > 0 && !r->member[rank].dead) {
        r->member[rank].dead = true;
        r->dead++;
        r->member[rank].gone = true;
        hold(r, rank, true);
    }
}

/* Of those that are known to have died, one of whom nothing more is to be expected. */
static int next_dead(members *r)
{
    for (int rank = 0; rank < r->ranks && r->dead > 0; rank++) {
        if (r->member[rank].dead &&
            failure_detector_silence_ns(r->detector, rank) >= LAST_WORDS_BEATS * r->pulse.beat_ns) {
            const bool known = failure_detector_lost(r->detector, rank);
            r->member[rank].dead = false;
            r->dead--;
            failure_detector_lose(r->detector, rank);
            if (!known) {
                return rank;
            }
        }
    }
    return -1;
}

int members_next_lost(members *r, char why[MEMBERS_WHY_BYTES])
{
    (void)snprintf(why, MEMBERS_WHY_BYTES, "cannot be reached");
    int rank = next_unreachable(r);
    if (rank < 0) {
        (void)snprintf(why, MEMBERS_WHY_BYTES, "has died");
        rank = next_dead(r);
    }
    if (rank < 0) {
        (void)number_print(why, MEMBERS_WHY_BYTES, "has been silent for %g s",
                           1e-9 * (double)r->pulse.limit_ns);
        rank = failure_detector_next_lost(r->detector);
    }
    if (rank >= 0) {
        r->outside->drop(r->outside->context, rank);
    }
    return rank;
}

void members_dismiss(members *r, int rank)
{
    r->member[rank].dismissed = true;
    failure_detector_lose(r->detector, rank);
}

bool members_lost(const members *r, int rank)
{
    return failure_detector_lost(r->detector, rank);
}

int members_lost_ranks(const members *r)
{
    return failure_detector_lost_ranks(r->detector);
}

bool members_doubtful(const members *r, int rank)
{
    return failure_detector_silence_ns(r->detector, rank) >= r->pulse.doubt_ns;
}

void members_leave(members *r, int rank)
{
    r->member[rank].left = true;
}

bool members_has_left(const members *r, int rank)
{
    return r->member[rank].left;
}

bool members_all_left(const members *r)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        if (!r->member[rank].left && !failure_detector_lost(r->detector, rank)) {
            return false;
        }
    }
    return true;
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
        if (!m->present && !m->left && !failure_detector_lost(r->detector, rank)) {
            return false;
        }
    }
    return true;
}
