/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages that arrive: each one whole, or not at all. */
#include "comm/internals.h"

#include <stdlib.h>

/* How often MPI is not asked where no message has been sent. */
enum { MOST_UNASKED = 16 };

/* Parts of a message that has not arrived whole. */
typedef struct partial {
    struct partial *next;
    int source;
    size_t count;
    unsigned char *bytes;
} partial;

void comm_forget_parts(comm *c)
{
    while (c->partial != NULL) {
        partial *next = c->partial->next;
        free(c->partial->bytes);
        free(c->partial);
        c->partial = next;
    }
}

/* Room for `count` bytes. */
static weft_status make_room(unsigned char **bytes, size_t *room, size_t count, error *e)
{
    if (*bytes != NULL && count <= *room) {
        return WEFT_OK;
    }
    unsigned char *larger = realloc(*bytes, count + 1);
    if (larger == NULL) {
        return error_memory(e, "a message of %zu bytes", count);
    }
    *bytes = larger;
    *room = count;
    return WEFT_OK;
}

/* What has arrived of a rank's message; NULL: nothing yet. */
static partial **find_partial(comm *c, int source)
{
    partial **link = &c->partial;
    while (*link != NULL && (*link)->source != source) {
        link = &(*link)->next;
    }
    return link;
}

/* The message that was found goes behind what its sender's has by now. */
static weft_status append(comm *c, size_t length, error *e)
{
    partial **link = find_partial(c, c->found_from.MPI_SOURCE);
    if (*link == NULL) {
        *link = calloc(1, sizeof **link);
        if (*link == NULL) {
            return error_memory(e, "a message");
        }
        (*link)->source = c->found_from.MPI_SOURCE;
    }
    partial *p = *link;
    size_t room = 0;
    const weft_status status = make_room(&p->bytes, &room, p->count + length, e);
    if (status != WEFT_OK) {
        return status;
    }
    const int code =
        MPI_Mrecv(p->bytes + p->count, (int)length, MPI_BYTE, &c->found, MPI_STATUS_IGNORE);
    c->taken++;
    p->count += length;
    return code == MPI_SUCCESS ? WEFT_OK : comm_fail(e, code, "MPI_Mrecv");
}

/* A message whose last part has come is handed out as any other. */
static void take_whole(comm *c, size_t *count)
{
    partial **link = find_partial(c, c->found_from.MPI_SOURCE);
    partial *p = *link;
    if (p == NULL) {
        return;
    }
    free(c->received);
    c->received = p->bytes;
    c->received_room = p->count;
    *count = p->count;
    *link = p->next;
    free(p);
}

/* Asks MPI for a message. Open MPI first looks among what has arrived and then lets more arrive, so
 * that it finds that only when it is asked once more; and where nothing has, it leaves its core to
 * others. */
static int probe(comm *c, int *found)
{
    int code = MPI_SUCCESS;
    for (int i = 0; i < 2 && code == MPI_SUCCESS && *found == 0; i++) {
        code = MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, c->communicator, found, &c->found,
                           &c->found_from);
    }
    return code;
}

/* Looks for a message, of whichever run, unless one has been found that still waits for room. */
static weft_status find(comm *c, error *e)
{
    int found = 0;
    if (c->found != MPI_MESSAGE_NULL) {
        return WEFT_OK;
    }
    /* Should a count be wrong, a message is late, and not lost. */
    if (!comm_may_have_mail(c) && ++c->unasked % MOST_UNASKED != 0) {
        return WEFT_OK;
    }
    const int code = probe(c, &found);
    if (code == MPI_SUCCESS && found != 0) {
        return WEFT_OK;
    }
    c->found = MPI_MESSAGE_NULL;
    if (comm_is_death(code)) {
        comm_take_note(c);
        return WEFT_OK;
    }
    return code == MPI_SUCCESS ? WEFT_OK : comm_fail(e, code, "MPI_Improbe");
}

/* Receives the message that was found, or leaves it there if it finds no room. *whole: it is of
 * this run, and nothing of it is missing. */
static weft_status receive_found(comm *c, bool *whole, size_t *count, error *e)
{
    int length = 0;
    const int tag = c->found_from.MPI_TAG;
    const bool more = tag == c->run + SENDQUEUE_MORE;
    *whole = tag == c->run;
    (void)MPI_Get_count(&c->found_from, MPI_BYTE, &length);
    *count = (size_t)length;
    if (more || (*whole && *find_partial(c, c->found_from.MPI_SOURCE) != NULL)) {
        const weft_status status = append(c, *count, e);
        if (status == WEFT_OK && *whole) {
            take_whole(c, count);
        }
        return status;
    }
    const weft_status status = make_room(&c->received, &c->received_room, *count, e);
    if (status != WEFT_OK) {
        return status;
    }
    const int code = MPI_Mrecv(c->received, length, MPI_BYTE, &c->found, MPI_STATUS_IGNORE);
    c->taken++;
    return code == MPI_SUCCESS ? WEFT_OK : comm_fail(e, code, "MPI_Mrecv");
}

weft_status comm_receive(comm *c, bool *arrived, int *source, const void **bytes, size_t *count,
                         error *e)
{
    *arrived = false;
    if (c->size == 1) {
        return WEFT_OK;
    }
    sendqueue_advance(c->queue, false);
    bool whole = false;
    while (!whole) {
        weft_status status = find(c, e);
        if (status != WEFT_OK || c->found == MPI_MESSAGE_NULL) {
            return status;
        }
        status = receive_found(c, &whole, count, e);
        if (status != WEFT_OK) {
            return status;
        }
    }
    *arrived = true;
    *source = c->found_from.MPI_SOURCE;
    *bytes = c->received;
    return WEFT_OK;
}
