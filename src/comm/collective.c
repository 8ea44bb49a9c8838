/* SPDX-License-Identifier: BSD-3-Clause */
/* Collective calls: all of them wait asleep, and none for a rank that is known to be dead. A rank
 * that is alone has what it asks for. */
#include "comm/internals.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "host/host.h"
#include "host/signals.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between two looks at a collective call: a rank that waits must leave its core to others, but
 * should not come late by more than a small part of its wait. */
enum { WAIT_LEAST_NS = 10000, WAIT_MOST_NS = 1000000, WAIT_SHARE = 16 };

/* Between two looks at who has died. */
enum { LOOK_NS = 100000000 };

/* A rank that leaves, and has waited for so long, says so. */
static const int64_t leave_ns = INT64_C(3000000000);

/* How long a rank that has been told to stop waits for others, which may not have been told and
 * have work of their own. Nothing more is begun anyway. */
static const int64_t told_ns = INT64_C(5000000000);

/* What is known while a rank waits. */
typedef struct wait {
    int64_t next_look_ns; /* counted from its beginning */
    int64_t stop_ns;      /* when it was found to have been told to stop; 0: it has not been */
    int dead;             /* the rank that has been found dead; -1: none */
    bool told;            /* others that this rank leaves */
} wait;

static comm *trunk_of(comm *c)
{
    return c->trunk != NULL ? c->trunk : c;
}

/* The others may wait for it as well, without knowing, in whichever communicator. */
static void raise_alarm(comm *c, int dead)
{
    log_print(LOG_WARNING, "rank %d has died while others wait for it", dead);
    for (int rank = 0; rank < c->size; rank++) {
        error ignored = {.status = WEFT_OK};
        for (const comm *each = trunk_of(c); each != NULL && rank != c->rank && rank != dead;
             each = each->next_branch) {
            const address to = comm_address(each, rank, TAG_ALARM, false);
            (void)outbox_post(c->outbox, &to, false, &dead, sizeof dead, &ignored);
        }
    }
}

/* The rank that another one has found dead; -1: none has. */
static int hear_alarm(comm *c)
{
    int heard = 0;
    int dead = -1;
    int code = MPI_Iprobe(MPI_ANY_SOURCE, TAG_ALARM, c->communicator, &heard, MPI_STATUS_IGNORE);
    if (code == MPI_SUCCESS && heard != 0) {
        code = MPI_Recv(&dead, (int)sizeof dead, MPI_BYTE, MPI_ANY_SOURCE, TAG_ALARM,
                        c->communicator, MPI_STATUS_IGNORE);
        c->taken++;
    }
    return code == MPI_SUCCESS ? dead : -1;
}

/* A rank that is known to be dead; -1 if there is none. */
static int find_dead(comm *c)
{
    int dead = hear_alarm(c);
    if (dead < 0) {
        dead = comm_next_dead(c);
        if (dead >= 0) {
            raise_alarm(c, dead);
        }
    }
    return dead;
}

/* A rank has died; -1: which one is not known. */
static weft_status fail_for(comm *c, int dead, error *e)
{
    char who[32] = "a rank";
    comm_break(c);
    if (dead >= 0) {
        (void)snprintf(who, sizeof who, "rank %d", dead);
    }
    return error_set(
        e, WEFT_STOPPED,
        "%s has died while others waited for it; run the same command again to continue", who);
}

/* This rank leaves, and others have not come: do they wait for it on another communicator? Where
 * some do and others leave, one of the former is the next one after one of the latter. */
static void tell_of_leaving(comm *c)
{
    const int next = (c->rank + 1) % c->size;
    for (const comm *each = c->trunk; each != NULL; each = each->next_branch) {
        error ignored = {.status = WEFT_OK};
        if (each != c) {
            const address to = comm_address(each, next, TAG_LEFT, false);
            (void)outbox_post(c->outbox, &to, false, &c->why, sizeof c->why, &ignored);
        }
    }
}

/* The rank before this one has left, and will not make the call that this one waits for. */
static weft_status hear_of_leaving(comm *c, error *e)
{
    int heard = 0;
    const int before = (c->rank + c->size - 1) % c->size;
    if (!c->meets || c->leaves) {
        return WEFT_OK;
    }
    int code = MPI_Iprobe(before, TAG_LEFT, c->communicator, &heard, MPI_STATUS_IGNORE);
    if (code == MPI_SUCCESS && heard != 0) {
        code = MPI_Recv(e, (int)sizeof *e, MPI_BYTE, before, TAG_LEFT, c->communicator,
                        MPI_STATUS_IGNORE);
        c->taken++;
        if (code == MPI_SUCCESS) {
            log_print(LOG_WARNING, "%s", e->text);
            return e->status;
        }
    }
    return WEFT_OK;
}

/* Whether it has been told to stop, and has waited long since. SIGUSR1 comes early. */
static bool is_told(wait *w, int64_t waited_ns)
{
    const int number = signals_seen();
    if (number == 0 || number == SIGUSR1) {
        return false;
    }
    w->stop_ns = w->stop_ns > 0 ? w->stop_ns : waited_ns;
    return waited_ns - w->stop_ns > told_ns;
}

/* Fails where it is certain that a wait will not come to an end, or it is to. */
static weft_status look_around(comm *c, wait *w, int64_t waited_ns, const char *what, error *e)
{
    if (c->patience_ns > 0 && waited_ns > c->patience_ns) {
        return error_set(e, WEFT_ERR_MPI,
                         "MPI: %s: some rank has not come for %.0f s; it may have died", what,
                         1e-9 * (double)c->patience_ns);
    }
    if (waited_ns < w->next_look_ns) {
        return WEFT_OK;
    }
    w->next_look_ns = waited_ns + LOOK_NS;
    if (comm_broken(c)) {
        return fail_for(c, -1, e);
    }
    if (comm_diverged(c)) {
        *e = *comm_divergence(c);
        c->abandoned = true;
        return e->status;
    }
    if (c->leaves && c->trunk != NULL && waited_ns > leave_ns && !w->told) {
        w->told = true;
        tell_of_leaving(c);
    }
    const weft_status left = hear_of_leaving(c, e);
    if (left != WEFT_OK) {
        return left;
    }
    if (is_told(w, waited_ns)) {
        return error_set(
            e, WEFT_STOPPED,
            "%s while waiting for another rank; run the same command again to continue",
            signals_name(signals_seen()));
    }
    if (w->dead < 0) {
        /* What it had sent before may still arrive until the next look. */
        w->dead = find_dead(c);
        return WEFT_OK;
    }
    return fail_for(c, w->dead, e);
}

/* `code` is what starting the call returned. */
static weft_status await_asleep(comm *c, int code, MPI_Request *request, const char *what, error *e)
{
    const int64_t start_ns = clock_now_ns();
    wait w = {.next_look_ns = LOOK_NS, .dead = -1};
    int64_t pause_ns = WAIT_LEAST_NS;
    int done = 0;
    while (code == MPI_SUCCESS) {
        code = MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done || code != MPI_SUCCESS) {
            break;
        }
        const int64_t waited_ns = clock_now_ns() - start_ns;
        const weft_status status = look_around(c, &w, waited_ns, what, e);
        if (status != WEFT_OK) {
            c->broken = !c->abandoned;
            return status;
        }
        sendqueue_advance(c->queue, true);
        clock_sleep_ns(pause_ns);
        pause_ns = pause_ns < waited_ns / WAIT_SHARE ? waited_ns / WAIT_SHARE : pause_ns;
        pause_ns = pause_ns < WAIT_MOST_NS ? pause_ns : WAIT_MOST_NS;
    }
    if (comm_is_death(code)) {
        return fail_for(c, find_dead(c), e);
    }
    return code == MPI_SUCCESS ? WEFT_OK : comm_fail(e, code, what);
}

/* Waits for a collective call. */
static weft_status await(comm *c, int code, MPI_Request *request, const char *what, error *e)
{
    host_shorten_slice();
    const weft_status status = await_asleep(c, code, request, what, e);
    host_restore_slice();
    return status;
}

/* Whether a collective call with `count` bytes of `mine` is not made: it cannot be, or the rank is
 * alone and has what it asks for, its own. *status says which. */
static bool is_settled(const comm *c, const void *mine, size_t count, void *all, const char *what,
                       weft_status *status, error *e)
{
    *status = WEFT_OK;
    if (comm_diverged(c)) {
        *e = *comm_divergence(c);
        *status = e->status;
    } else if (comm_broken(c)) {
        *status = error_set(e, WEFT_ERR_MPI, "MPI: %s: a rank has died", what);
    } else if (count > INT_MAX) {
        *status = error_set(e, WEFT_ERR_INTERNAL, "MPI: %s of %zu bytes", what, count);
    } else if (c->size == 1 && all != mine) {
        memcpy(all, mine, count);
    }
    return *status != WEFT_OK || c->size == 1;
}

/* Memory for a collective call, since MPI may use it for ever after a wait that was given up. */
typedef struct loan {
    struct loan *next; /* that was not given back */
    max_align_t bytes[];
} loan;

static loan *_Atomic lost_loans;

/* NULL: there is none, and the call does with the caller's. */
static loan *borrow(size_t count, const void *bytes, size_t own)
{
    loan *l = count < SIZE_MAX - sizeof *l ? malloc(sizeof *l + count) : NULL;
    if (l != NULL && own > 0) {
        memcpy(l->bytes, bytes, own);
    }
    return l;
}

/* Once the call is over, or its wait has failed: then the loan is MPI's. */
static void give_back(loan *l, weft_status status, void *bytes, const void *from, size_t count)
{
    if (l == NULL) {
        return;
    }
    if (status != WEFT_OK) {
        l->next = lost_loans;
        while (!atomic_compare_exchange_weak(&lost_loans, &l->next, l)) {
        }
        return;
    }
    if (count > 0) {
        memcpy(bytes, from, count);
    }
    free(l);
}

weft_status comm_broadcast(comm *c, int root, void *bytes, size_t count, error *e)
{
    assert(thread_drives());
    MPI_Request request = MPI_REQUEST_NULL;
    weft_status status = WEFT_OK;
    if (root < 0 || root >= c->size) {
        return error_set(e, WEFT_ERR_MPI, "MPI: MPI_Ibcast: there is no rank %d", root);
    }
    if (is_settled(c, bytes, count, bytes, "MPI_Ibcast", &status, e)) {
        return status;
    }
    loan *l = borrow(count, bytes, c->rank == root ? count : 0);
    void *work = l != NULL ? l->bytes : bytes;
    const int code = MPI_Ibcast(work, (int)count, MPI_BYTE, root, c->communicator, &request);
    status = await(c, code, &request, "MPI_Ibcast", e);
    give_back(l, status, bytes, work, count);
    return status;
}

weft_status comm_gather(comm *c, const void *mine, size_t count, void *all, error *e)
{
    assert(thread_drives());
    MPI_Request request = MPI_REQUEST_NULL;
    weft_status status = WEFT_OK;
    if (is_settled(c, mine, count, all, "MPI_Iallgather", &status, e)) {
        return status;
    }
    const size_t bytes = count * (size_t)c->size;
    loan *l = borrow(count + bytes, mine, count);
    const unsigned char *own = l != NULL ? (const unsigned char *)l->bytes : mine;
    unsigned char *work = l != NULL ? (unsigned char *)l->bytes + count : all;
    const int code = MPI_Iallgather(own, (int)count, MPI_BYTE, work, (int)count, MPI_BYTE,
                                    c->communicator, &request);
    status = await(c, code, &request, "MPI_Iallgather", e);
    give_back(l, status, all, work, bytes);
    return status;
}

weft_status comm_least(comm *c, const int64_t mine[], int numbers, int64_t least[], error *e)
{
    MPI_Request request = MPI_REQUEST_NULL;
    weft_status status = WEFT_OK;
    const size_t bytes = (size_t)numbers * sizeof mine[0];
    if (is_settled(c, mine, bytes, least, "MPI_Iallreduce", &status, e)) {
        return status;
    }
    loan *l = borrow(2 * bytes, mine, bytes);
    const int64_t *own = l != NULL ? (const int64_t *)(const void *)l->bytes : mine;
    int64_t *work = l != NULL ? (int64_t *)(void *)l->bytes + numbers : least;
    const int code =
        MPI_Iallreduce(own, work, numbers, MPI_INT64_T, MPI_MIN, c->communicator, &request);
    status = await(c, code, &request, "MPI_Iallreduce", e);
    give_back(l, status, least, work, bytes);
    return status;
}

weft_status comm_duplicate(comm *c, MPI_Comm *duplicate, error *e)
{
    MPI_Request request = MPI_REQUEST_NULL;
    const int code = MPI_Comm_idup(c->communicator, duplicate, &request);
    return await(c, code, &request, "MPI_Comm_idup", e);
}

weft_status comm_share_error(comm *c, int root, weft_status own, error *e)
{
    error failure = {.status = WEFT_OK};
    e->status = own;
    const weft_status status = comm_broadcast(c, root, e, sizeof *e, &failure);
    if (status != WEFT_OK) {
        *e = failure;
    }
    return e->status;
}

weft_status comm_agree(comm *c, weft_status own, error *e)
{
    assert(thread_drives());
    /* The lowest rank that has failed; the number of ranks if there is none. */
    int64_t lowest = 0;
    const int64_t failed = own == WEFT_OK ? c->size : c->rank;
    error failure = {.status = WEFT_OK};
    const weft_status status = comm_least(c, &failed, 1, &lowest, &failure);
    if (status == WEFT_OK) {
        return lowest == c->size ? WEFT_OK : comm_share_error(c, (int)lowest, own, e);
    }
    if (own == WEFT_OK) {
        *e = failure;
        return status;
    }
    return own;
}

weft_status comm_agree_at_end(comm *c, weft_status own, error *e)
{
    error agreed = *e;
    const weft_status status = comm_agree(c, own, &agreed);
    if (comm_broken(c)) {
        return own;
    }
    *e = agreed;
    return status;
}
