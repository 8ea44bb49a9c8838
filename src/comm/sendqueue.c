/* SPDX-License-Identifier: BSD-3-Clause */
/* The send queue: messages on their way to other ranks, at most one send to each of them in flight.
 */
#include "comm/sendqueue.h"

#include "comm/internals.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A message; MPI reads a part's bytes until the part's request is complete. */
typedef struct posted {
    struct posted *next;
    int tag;
    size_t count;
    size_t sent; /* bytes, the part in flight included */
    unsigned char bytes[];
} posted;

/* What is for a rank. */
typedef struct line {
    posted *flying;
    MPI_Request request; /* of its part */
    posted *first;       /* of those that wait */
    posted *last;
    int waiting;
    bool held;
    bool dropped; /* what is in flight is not waited for */
    bool active;  /* listed below */
} line;

struct sendqueue {
    MPI_Comm communicator;
    int ranks;
    size_t part_bytes;
    line *line;
    int *active; /* the ranks of lines in which something flies or waits */
    int actives;
};

weft_status sendqueue_create(MPI_Comm communicator, int ranks, size_t part_bytes, sendqueue **out,
                             error *e)
{
    sendqueue *o = calloc(1, sizeof *o);
    line *lines = calloc((size_t)ranks, sizeof *lines);
    int *active = calloc((size_t)ranks, sizeof *active);
    if (o == NULL || lines == NULL || active == NULL) {
        free(active);
        free(lines);
        free(o);
        return error_memory(e, "messages to %d ranks", ranks);
    }
    *o = (sendqueue){.communicator = communicator,
                     .ranks = ranks,
                     .part_bytes = part_bytes,
                     .line = lines,
                     .active = active};
    *out = o;
    return WEFT_OK;
}

static void clear(line *l)
{
    while (l->first != NULL) {
        posted *next = l->first->next;
        free(l->first);
        l->first = next;
    }
    l->last = NULL;
    l->waiting = 0;
}

void sendqueue_destroy(sendqueue *o)
{
    if (o == NULL) {
        return;
    }
    for (int rank = 0; rank < o->ranks; rank++) {
        clear(&o->line[rank]);
    }
    free(o->active);
    free(o->line);
    free(o);
}

/* Starts the next part of the message that flies. */
static int send_part(sendqueue *o, int rank)
{
    line *l = &o->line[rank];
    posted *p = l->flying;
    assert(p != NULL);
    const size_t left = p->count - p->sent;
    const size_t bytes = left < o->part_bytes ? left : o->part_bytes;
    const int tag = bytes < left ? p->tag + SENDQUEUE_MORE : p->tag;
    const int code = MPI_Isend(p->bytes + p->sent, (int)bytes, MPI_BYTE, rank, tag, o->communicator,
                               &l->request);
    p->sent += bytes;
    return code;
}

/* Lets a message fly. */
static int launch(sendqueue *o, int rank, posted *p)
{
    line *l = &o->line[rank];
    l->flying = p;
    const int code = send_part(o, rank);
    if (code != MPI_SUCCESS) {
        l->flying = NULL;
        free(p);
    }
    return code;
}

/* Whether nothing of a line is in flight any more. What could not be sent is as good as lost on its
 * way: a rank that misses it notices the silence. */
static bool land(sendqueue *o, int rank)
{
    line *l = &o->line[rank];
    while (l->flying != NULL) {
        int sent = 0;
        int code = MPI_Test(&l->request, &sent, MPI_STATUS_IGNORE);
        if (code == MPI_SUCCESS && !sent) {
            return false;
        }
        if (code == MPI_SUCCESS && l->flying->sent < l->flying->count) {
            if (l->held || l->dropped) {
                return false;
            }
            code = send_part(o, rank);
            if (code == MPI_SUCCESS) {
                continue;
            }
        }
        free(l->flying);
        l->flying = NULL;
    }
    return true;
}

/* Sends what can be sent to a rank; whether anything is left. */
static bool advance_line(sendqueue *o, int rank)
{
    line *l = &o->line[rank];
    while (land(o, rank) && !l->held && l->first != NULL) {
        posted *p = l->first;
        l->first = p->next;
        l->last = l->first == NULL ? NULL : l->last;
        l->waiting--;
        (void)launch(o, rank, p);
    }
    return l->flying != NULL || l->first != NULL;
}

void sendqueue_advance(sendqueue *o)
{
    for (int i = 0; i < o->actives;) {
        const int rank = o->active[i];
        if (advance_line(o, rank)) {
            i++;
        } else {
            o->line[rank].active = false;
            o->active[i] = o->active[--o->actives];
        }
    }
}

static void list(sendqueue *o, int rank)
{
    if (!o->line[rank].active) {
        o->line[rank].active = true;
        o->active[o->actives++] = rank;
    }
}

static weft_status copy(const sendqueue *o, int rank, int tag, const void *bytes, size_t count,
                        posted **out, error *e)
{
    if (rank < 0 || rank >= o->ranks) {
        return error_set(e, WEFT_ERR_MPI, "MPI: MPI_Isend: there is no rank %d", rank);
    }
    posted *p = count < SIZE_MAX - sizeof *p ? malloc(sizeof *p + count) : NULL;
    if (p == NULL) {
        return error_memory(e, "a message of %zu bytes", count);
    }
    *p = (posted){.tag = tag, .count = count};
    if (count > 0) {
        memcpy(p->bytes, bytes, count);
    }
    *out = p;
    return WEFT_OK;
}

static weft_status launch_first(sendqueue *o, int rank, posted *p, error *e)
{
    const int code = launch(o, rank, p);
    list(o, rank);
    return code == MPI_SUCCESS || comm_is_death(code) ? WEFT_OK : comm_fail(e, code, "MPI_Isend");
}

weft_status sendqueue_post(sendqueue *o, int rank, int tag, const void *bytes, size_t count,
                           error *e)
{
    posted *p = NULL;
    const weft_status status = copy(o, rank, tag, bytes, count, &p, e);
    if (status != WEFT_OK) {
        return status;
    }
    line *l = &o->line[rank];
    l->dropped = false;
    if (!advance_line(o, rank) && !l->held) {
        return launch_first(o, rank, p, e);
    }
    if (l->last != NULL) {
        l->last->next = p;
    } else {
        l->first = p;
    }
    l->last = p;
    l->waiting++;
    list(o, rank);
    return WEFT_OK;
}

weft_status sendqueue_probe(sendqueue *o, int rank, int tag, const void *bytes, size_t count,
                            error *e)
{
    if (rank >= 0 && rank < o->ranks && !land(o, rank)) {
        return WEFT_OK;
    }
    posted *p = NULL;
    const weft_status status = copy(o, rank, tag, bytes, count, &p, e);
    return status == WEFT_OK ? launch_first(o, rank, p, e) : status;
}

void sendqueue_hold(sendqueue *o, int rank, bool held)
{
    if (rank >= 0 && rank < o->ranks) {
        o->line[rank].held = held;
    }
}

void sendqueue_drop(sendqueue *o, int rank)
{
    if (rank >= 0 && rank < o->ranks) {
        clear(&o->line[rank]);
        o->line[rank].dropped = true;
    }
}

int sendqueue_count(sendqueue *o, int rank)
{
    const bool known = rank >= 0 && rank < o->ranks;
    return known ? o->line[rank].waiting + !land(o, rank) : 0;
}

bool sendqueue_idle(const sendqueue *o)
{
    for (int i = 0; i < o->actives; i++) {
        const line *l = &o->line[o->active[i]];
        if (!l->held && !l->dropped) {
            return false;
        }
    }
    return true;
}
