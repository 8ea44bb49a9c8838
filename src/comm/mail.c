/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of a run: those between ranks go over MPI, one to oneself stays in memory. */
#include "comm/mail.h"

#include "base/thread.h"
#include "comm/internals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct letter {
    struct letter *next;
    size_t count;
    void *piece; /* the pool's that holds the bytes; NULL: they are … */
    const void *at;
    max_align_t bytes[]; /* … here */
} letter;

struct mail {
    comm *comm;
    pool *pool;
    letter *first;
    letter *last;
    letter *open; /* the one handed out last */
};

weft_status mail_create(comm *c, pool *p, mail **out, error *e)
{
    mail *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return error_memory(e, "messages");
    }
    m->comm = c;
    m->pool = p;
    comm_begin_run(c);
    *out = m;
    return WEFT_OK;
}

static void throw_away(letter *l)
{
    if (l != NULL) {
        pool_give(l->piece);
        free(l);
    }
}

void mail_destroy(mail *m)
{
    if (m == NULL) {
        return;
    }
    while (m->first != NULL) {
        letter *next = m->first->next;
        throw_away(m->first);
        m->first = next;
    }
    throw_away(m->open);
    free(m);
}

/* A letter to oneself, with room for bytes of its own; NULL: out of memory. */
static letter *append(mail *m, size_t room, size_t count, error *e)
{
    letter *l = malloc(sizeof *l + room);
    if (l == NULL) {
        (void)error_memory(e, "a message of %zu bytes", count);
        return NULL;
    }
    *l = (letter){.count = count, .at = l->bytes};
    if (m->last != NULL) {
        m->last->next = l;
    } else {
        m->first = l;
    }
    m->last = l;
    return l;
}

static weft_status post(mail *m, int rank, int how, const void *bytes, size_t count, error *e)
{
    const comm *c = m->comm;
    const address to = comm_address(c, rank, c->run, (how & MAIL_RINGS) != 0);
    return outbox_post(c->outbox, &to, (how & MAIL_BULK) != 0, bytes, count, e);
}

weft_status mail_send(mail *m, int rank, int how, const void *bytes, size_t count, error *e)
{
    assert(thread_drives());
    if (rank != m->comm->rank) {
        return post(m, rank, how, bytes, count, e);
    }
    letter *l = append(m, count, count, e);
    if (l == NULL) {
        return e->status;
    }
    if (count > 0) {
        memcpy(l->bytes, bytes, count);
    }
    return WEFT_OK;
}

weft_status mail_hand(mail *m, int rank, void *piece, int how, const void *bytes, size_t count,
                      error *e)
{
    assert(thread_drives());
    letter *l = NULL;
    weft_status status = WEFT_OK;
    if (rank != m->comm->rank) {
        status = post(m, rank, how, bytes, count, e);
    } else {
        l = append(m, 0, count, e);
        status = l != NULL ? WEFT_OK : e->status;
    }
    if (l == NULL) {
        pool_give(piece);
        return status;
    }
    l->piece = piece;
    l->at = bytes;
    return WEFT_OK;
}

int mail_next_dead(mail *m)
{
    return comm_next_dead(m->comm);
}

weft_status mail_probe(mail *m, int rank, const void *bytes, size_t count, error *e)
{
    const comm *c = m->comm;
    assert(thread_drives());
    const address to = comm_address(c, rank, c->run, false);
    return rank == c->rank ? mail_send(m, rank, MAIL_PLAIN, bytes, count, e)
                           : outbox_probe(c->outbox, &to, bytes, count, e);
}

void mail_hold(mail *m, int rank, bool held)
{
    outbox_hold(m->comm->outbox, rank, held);
}

int mail_waiting(mail *m, int rank)
{
    return outbox_count(m->comm->outbox, rank);
}

void mail_drop(mail *m, int rank)
{
    outbox_drop(m->comm->outbox, rank);
}

bool mail_is_own(const mail *m)
{
    return m->first != NULL;
}

void mail_advance(mail *m)
{
    assert(thread_drives());
    sendqueue_advance(m->comm->queue, true);
}

bool mail_sends(const mail *m)
{
    return outbox_busy(m->comm->outbox);
}

weft_status mail_receive(mail *m, bool *arrived, int *source, const void **bytes, size_t *count,
                         error *e)
{
    assert(thread_drives());
    throw_away(m->open);
    m->open = m->first;
    if (m->open == NULL) {
        return comm_receive(m->comm, arrived, source, bytes, count, e);
    }
    m->first = m->open->next;
    if (m->first == NULL) {
        m->last = NULL;
    }
    *arrived = true;
    *source = m->comm->rank;
    *bytes = m->open->at;
    *count = m->open->count;
    return WEFT_OK;
}

void *mail_keep(mail *m, const void **bytes, size_t count)
{
    if (m->open != NULL && m->open->piece != NULL) {
        pool_share(m->open->piece);
        return m->open->piece;
    }
    void *piece = pool_take(m->pool, count);
    if (piece != NULL) {
        memcpy(piece, *bytes, count);
        *bytes = piece;
    }
    return piece;
}
