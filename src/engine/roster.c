/* SPDX-License-Identifier: BSD-3-Clause */
/* The coordinator's roster: which ranks are there, which are taken for dead, and messages to those
 * that are not. */
#include "engine/roster.h"

#include "base/clock.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The coordinator's beats come so often within the limit: a rank that misses some is not misled. */
enum { BEATS_PER_LIMIT = 5 };

/* What a rank had sent before it died has arrived when it has been silent for so many beats. */
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

struct roster {
    mail *mail;
    int ranks;
    pulse pulse;
    liveness *liveness;
    member *member;
    bool called;     /* the roll has been */
    int unreachable; /* so many members are */
    int dead;
    int64_t next_beat_ns;
    int64_t next_doubt_ns; /* when to look who is suspect */
};

weft_status roster_create(mail *m, int ranks, pulse p, roster **out, error *e)
{
    roster *r = calloc(1, sizeof *r);
    member *members = calloc((size_t)ranks, sizeof *members);
    if (r == NULL || members == NULL) {
        free(members);
        free(r);
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the state of %d ranks", ranks);
    }
    *r = (roster){.mail = m, .ranks = ranks, .pulse = p, .member = members};
    const weft_status status = liveness_create(ranks, p.limit_ns, clock_now_ns(), &r->liveness, e);
    if (status != WEFT_OK) {
        roster_destroy(r);
        return status;
    }
    *out = r;
    return WEFT_OK;
}

void roster_destroy(roster *r)
{
    if (r != NULL) {
        liveness_destroy(r->liveness);
        free(r->member);
        free(r);
    }
}

static void hold(roster *r, int rank, bool held)
{
    if (r->member[rank].held != held) {
        r->member[rank].held = held;
        mail_hold(r->mail, rank, held);
    }
}

void roster_send(roster *r, int rank, const void *bytes, size_t count)
{
    error e = {.status = WEFT_OK};
    if (!liveness_lost(r->liveness, rank) &&
        mail_send(r->mail, rank, bytes, count, &e) != WEFT_OK) {
        liveness_lose(r->liveness, rank);
        r->member[rank].unreachable = true;
        r->unreachable++;
    }
}

void roster_send_to_all(roster *r, const void *bytes, size_t count)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        roster_send(r, rank, bytes, count);
    }
}

void roster_send_last(roster *r, const void *bytes, size_t count)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        error ignored = {.status = WEFT_OK};
        if (r->member[rank].gone) {
            continue;
        }
        hold(r, rank, false);
        (void)mail_send(r->mail, rank, bytes, count, &ignored);
        if (liveness_lost(r->liveness, rank)) {
            mail_drop(r->mail, rank);
        }
    }
}

bool roster_hear(roster *r, int rank)
{
    member *m = &r->member[rank];
    if (m->dismissed || m->unreachable) {
        return false;
    }
    const bool back = liveness_hear(r->liveness, rank);
    hold(r, rank, false);
    m->gone = false;
    m->present = r->called;
    m->epoch += back;
    return back;
}

int32_t roster_epoch(const roster *r, int rank)
{
    return r->member[rank].epoch;
}

void roster_take_clock(roster *r, int rank, int64_t clock_ns)
{
    r->member[rank].clock_ns = clock_ns;
}

/* A rank that has something to come, or is suspect, needs no beat. */
static void send_beats(roster *r)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        if (r->member[rank].held || mail_waiting(r->mail, rank) > 0) {
            continue;
        }
        message_beat beat;
        memset(&beat, 0, sizeof beat);
        beat.kind = MESSAGE_BEAT;
        beat.heard_ns = r->member[rank].clock_ns;
        roster_send(r, rank, &beat, sizeof beat);
    }
}

/* Ranks that may be dead get nothing until they are heard of again. */
static void hold_doubtful(roster *r)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        if (!r->member[rank].held && roster_doubtful(r, rank)) {
            hold(r, rank, true);
        }
    }
}

void roster_listen(roster *r, int64_t now_ns)
{
    liveness_listen(r->liveness, now_ns);
    if (r->pulse.doubt_ns > 0 && now_ns >= r->next_doubt_ns) {
        r->next_doubt_ns = now_ns + r->pulse.beat_ns;
        hold_doubtful(r);
    }
    if (r->pulse.limit_ns > 0 && now_ns >= r->next_beat_ns) {
        r->next_beat_ns = now_ns + r->pulse.limit_ns / BEATS_PER_LIMIT;
        send_beats(r);
    }
}

static int next_unreachable(roster *r)
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

void roster_presume_dead(roster *r, int rank)
{
    if (r->pulse.limit_ns > 0 && !r->member[rank].dead) {
        r->member[rank].dead = true;
        r->dead++;
        r->member[rank].gone = true;
        hold(r, rank, true);
    }
}

/* Of those that are known to have died, one of whom nothing more is to be expected. */
static int next_dead(roster *r)
{
    for (int rank = mail_next_dead(r->mail); rank >= 0; rank = mail_next_dead(r->mail)) {
        roster_presume_dead(r, rank);
    }
    for (int rank = 0; rank < r->ranks && r->dead > 0; rank++) {
        if (r->member[rank].dead &&
            liveness_silence_ns(r->liveness, rank) >= LAST_WORDS_BEATS * r->pulse.beat_ns) {
            const bool known = liveness_lost(r->liveness, rank);
            r->member[rank].dead = false;
            r->dead--;
            liveness_lose(r->liveness, rank);
            if (!known) {
                return rank;
            }
        }
    }
    return -1;
}

int roster_next_lost(roster *r, char why[ROSTER_WHY_BYTES])
{
    (void)snprintf(why, ROSTER_WHY_BYTES, "cannot be reached");
    int rank = next_unreachable(r);
    if (rank < 0) {
        (void)snprintf(why, ROSTER_WHY_BYTES, "has died");
        rank = next_dead(r);
    }
    if (rank < 0) {
        (void)number_print(why, ROSTER_WHY_BYTES, "has been silent for %g s",
                           1e-9 * (double)r->pulse.limit_ns);
        rank = liveness_next_lost(r->liveness);
    }
    if (rank >= 0) {
        mail_drop(r->mail, rank);
    }
    return rank;
}

void roster_dismiss(roster *r, int rank)
{
    r->member[rank].dismissed = true;
    liveness_lose(r->liveness, rank);
}

bool roster_lost(const roster *r, int rank)
{
    return liveness_lost(r->liveness, rank);
}

int roster_lost_ranks(const roster *r)
{
    return liveness_lost_ranks(r->liveness);
}

bool roster_doubtful(const roster *r, int rank)
{
    return liveness_silence_ns(r->liveness, rank) >= r->pulse.doubt_ns;
}

void roster_leave(roster *r, int rank)
{
    r->member[rank].left = true;
}

bool roster_has_left(const roster *r, int rank)
{
    return r->member[rank].left;
}

bool roster_all_left(const roster *r)
{
    for (int rank = 0; rank < r->ranks; rank++) {
        if (!r->member[rank].left && !liveness_lost(r->liveness, rank)) {
            return false;
        }
    }
    return true;
}

bool roster_call(roster *r)
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
        if (!m->present && !m->left && !liveness_lost(r->liveness, rank)) {
            return false;
        }
    }
    return true;
}
