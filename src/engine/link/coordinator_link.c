/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank's line to the coordinator: what it says there, and whether the coordinator is still there.
 */
#include "engine/link/coordinator_link.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "sched/message.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The coordinator presumes a rank dead after the limit; a rank that only could not be heard for a
 * while should then still be there. */
enum { COORDINATOR_LIMITS = 2 };

struct coordinator_link {
    mail *mail;
    pulse pulse;
    bool here;           /* so is the coordinator */
    listening listening; /* to the coordinator, … */
    int64_t heard_ns;    /* … and when, in time listened, there was something to hear */
    int64_t beat_ns;     /* when it was last said that the rank is there */
    int64_t died_ns;     /* when the coordinator was found to be dead; 0: it was not */
    bool held;           /* the coordinator is suspect: all but beats waits */
    rank_effort (*effort_of)(const void *about); /* what beats say; NULL: nothing … */
    const void *about;                           /* … of that */
    bool failed;
    bool told;            /* the coordinator, of that */
    message_fail failure; /* what it is told */
};

weft_status coordinator_link_create(mail *m, int rank, pulse p, coordinator_link **out, error *e)
{
    coordinator_link *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return error_memory(e, "messages");
    }
    c->mail = m;
    c->pulse = p;
    c->here = rank == 0;
    c->listening = listening_begin(COORDINATOR_LIMITS * p.limit_ns, clock_now_ns());
    *out = c;
    return WEFT_OK;
}

void coordinator_link_tell(coordinator_link *c, rank_effort (*effort_of)(const void *about),
                           const void *about)
{
    c->effort_of = effort_of;
    c->about = about;
}

void coordinator_link_destroy(coordinator_link *c)
{
    free(c);
}

/* Without memory for a message the rank cannot go on. */
static void fail_unless(coordinator_link *c, weft_status sent, const error *e)
{
    if (sent != WEFT_OK) {
        log_print(LOG_DEBUG, "no message to rank 0: %s", e->text);
        coordinator_link_fail(c, e);
    }
}

void coordinator_link_send(coordinator_link *c, const void *bytes, size_t count)
{
    assert(thread_drives());
    error e = {.status = WEFT_OK};
    /* That a rank has left must not overtake the last of its reports. */
    const bool last = *(const message_kind *)bytes == MESSAGE_LEFT;
    const int how = (last ? MAIL_BULK : 0) | (message_rings(bytes) ? MAIL_RINGS : 0);
    fail_unless(c, mail_send(c->mail, 0, how, bytes, count, &e), &e);
}

void coordinator_link_hand(coordinator_link *c, void *piece, bool rings, const void *bytes,
                           size_t count)
{
    assert(thread_drives());
    error e = {.status = WEFT_OK};
    fail_unless(
        c, mail_hand(c->mail, 0, piece, MAIL_BULK | (rings ? MAIL_RINGS : 0), bytes, count, &e),
        &e);
}

/* Again and again, if there is no memory for that either. */
static void tell_of_failure(coordinator_link *c)
{
    error e = {.status = WEFT_OK};
    if (c->failed && !c->told) {
        c->told = mail_send(c->mail, 0, MAIL_RINGS, &c->failure, sizeof c->failure, &e) == WEFT_OK;
    }
}

void coordinator_link_fail(coordinator_link *c, const error *e)
{
    if (c->failed) {
        return;
    }
    c->failed = true;
    c->failure.kind = MESSAGE_FAIL;
    c->failure.error = *e;
    tell_of_failure(c);
}

/* A suspect coordinator is sent nothing but beats, one at a time, since somebody has to break the
 * silence; one that is known to have died, nothing at all. */
void coordinator_link_beat(coordinator_link *c, int64_t now_ns)
{
    assert(thread_drives());
    tell_of_failure(c);
    if (now_ns - c->beat_ns >= c->pulse.beat_ns && c->died_ns == 0) {
        message_alive alive;
        error ignored = {.status = WEFT_OK};
        memset(&alive, 0, sizeof alive);
        alive.kind = MESSAGE_ALIVE;
        alive.clock_ns = now_ns;
        if (c->effort_of != NULL) {
            alive.effort = c->effort_of(c->about);
        }
        c->beat_ns = now_ns;
        (void)mail_probe(c->mail, 0, &alive, sizeof alive, &ignored);
    }
}

static void hold(coordinator_link *c, bool held)
{
    if (c->held != held) {
        c->held = held;
        mail_hold(c->mail, 0, held);
    }
}

void coordinator_link_answer(coordinator_link *c)
{
    c->beat_ns = 0;
}

void coordinator_link_hear(coordinator_link *c)
{
    c->heard_ns = c->listening.listened_ns;
    if (!c->here) {
        hold(c, c->died_ns != 0);
    }
}

/* The coordinator may not know. */
static void tell_of_death(coordinator_link *c, int rank)
{
    message_dead dead;
    memset(&dead, 0, sizeof dead);
    dead.kind = MESSAGE_DEAD;
    dead.rank = rank;
    coordinator_link_send(c, &dead, sizeof dead);
}

/* Whether the coordinator is known to be dead, and what it had sent has had time to arrive. */
static bool coordinator_died(coordinator_link *c, int64_t now_ns)
{
    for (int rank = mail_next_dead(c->mail); rank >= 0; rank = mail_next_dead(c->mail)) {
        if (rank != 0) {
            tell_of_death(c, rank);
        } else if (c->died_ns == 0) {
            c->died_ns = now_ns;
            hold(c, true);
        }
    }
    return c->died_ns != 0 && now_ns - c->died_ns >= c->pulse.beat_ns;
}

bool coordinator_link_lost(coordinator_link *c, int64_t now_ns, int64_t own_ns, error *why)
{
    if (c->here) {
        return false;
    }
    listening_look_after(&c->listening, now_ns, own_ns);
    const int64_t silence_ns = c->listening.listened_ns - c->heard_ns;
    if (c->pulse.limit_ns > 0 && silence_ns >= c->pulse.limit_ns) {
        hold(c, true);
    }
    const bool died = coordinator_died(c, now_ns);
    if (died) {
        (void)error_set(
            why, WEFT_STOPPED,
            "rank 0 has died, which ends the run; run the same command again to continue");
    }
    const bool silent =
        c->pulse.limit_ns > 0 && silence_ns >= COORDINATOR_LIMITS * c->pulse.limit_ns;
    if (silent && !died) {
        (void)error_set(why, WEFT_STOPPED,
                        "rank 0 has been silent for %g s and is presumed dead, which ends the "
                        "run; run the same command again to continue",
                        1e-9 * COORDINATOR_LIMITS * (double)c->pulse.limit_ns);
    }
    if (died || silent) {
        mail_drop(c->mail, 0);
    }
    return died || silent;
}
