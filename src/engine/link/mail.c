/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between agents and the coordinator; rank 0's own agent and the coordinator talk in
 * memory, everybody else over MPI. */
#include "engine/link/mail.h"

#include "base/thread.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct letter {
    struct letter *next;
    size_t count;
    max_align_t bytes[];
} letter;

struct mail {
    comm *comm;
    letter *first;
    letter *last;
    letter *open; /* the one handed out last */
};

weft_status mail_create(comm *c, mail **out, error *e)
{
    mail *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return error_memory(e, "messages");
    }
    m->comm = c;
    comm_begin_run(c);
    *out = m;
    return WEFT_OK;
}

void mail_destroy(mail *m)
{
    if (m == NULL) {
        return;
    }
    while (m->first != NULL) {
        letter *next = m->first->next;
        free(m->first);
        m->first = next;
    }
    free(m->open);
    free(m);
}

weft_status mail_send(mail *m, int rank, const void *bytes, size_t count, error *e)
{
    assert(thread_is_main());
    if (rank != comm_rank(m->comm)) {
        return comm_post(m->comm, rank, bytes, count, e);
    }
    letter *l = malloc(sizeof *l + count);
    if (l == NULL) {
        return error_memory(e, "a message of %zu bytes", count);
    }
    l->next = NULL;
    l->count = count;
    memcpy(l->bytes, bytes, count);
    if (m->last != NULL) {
        m->last->next = l;
    } else {
        m->first = l;
    }
    m->last = l;
    return WEFT_OK;
}

int mail_next_dead(mail *m)
{
    return comm_next_dead(m->comm);
}

weft_status mail_probe(mail *m, int rank, const void *bytes, size_t count, error *e)
{
    return rank == comm_rank(m->comm) ? mail_send(m, rank, bytes, count, e)
                                      : comm_probe(m->comm, rank, bytes, count, e);
}

void mail_hold(mail *m, int rank, bool held)
{
    comm_hold(m->comm, rank, held);
}

int mail_waiting(mail *m, int rank)
{
    return comm_waiting(m->comm, rank);
}

void mail_drop(mail *m, int rank)
{
    comm_drop(m->comm, rank);
}

weft_status mail_receive(mail *m, bool *arrived, int *source, const void **bytes, size_t *count,
                         error *e)
{
    assert(thread_is_main());
    free(m->open);
    m->open = m->first;
    if (m->open == NULL) {
        return comm_receive(m->comm, arrived, source, bytes, count, e);
    }
    m->first = m->open->next;
    if (m->first == NULL) {
        m->last = NULL;
    }
    *arrived = true;
    *source = comm_rank(m->comm);
    *bytes = m->open->bytes;
    *count = m->open->count;
    return WEFT_OK;
}
