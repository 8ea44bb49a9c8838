/* SPDX-License-Identifier: BSD-3-Clause */
/* The send queue: messages on their way to other ranks, at most one send to each of another host in
 * flight. */
#include "comm/sendqueue.h"

#include "comm/internals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Sends that are in flight at most to a rank of this host. */
enum { NEAR_FLIGHTS = 2 };

/* A message; MPI reads a part's bytes until the part's request is complete. */
typedef struct posted {
    struct posted *next;
    MPI_Comm communicator;
    MPI_Request request; /* of its part */
    int tag;
    size_t count;
    size_t sent; /* bytes, the part in flight included */
    unsigned char bytes[];
} posted;

/* What is for a rank. */
typedef struct line {
    posted *flying; /* the youngest first, the only one that may have parts left */
    int flights;
    posted *first; /* of those that wait */
    posted *last;
    posted *prompt; /* the last that is not bulk; NULL: there is none */
    int waiting;
    bool near;
    bool held;
    bool dropped; /* what is in flight is not waited for */
    bool active;  /* listed below */
} line;

struct sendqueue {
    pthread_mutex_t mutex; /* for all of it: communicators may belong to several threads */
    int ranks;
    size_t part_bytes;
    size_t far_part_bytes; /* to ranks of other hosts */
    line *line;
    int *active; /* the ranks of lines in which something flies or waits */
    int actives;
};

weft_status sendqueue_create(int ranks, size_t part_bytes, sendqueue **out, error *e)
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
    *o = (sendqueue){.ranks = ranks,
                     .part_bytes = part_bytes,
                     .far_part_bytes =
                         part_bytes < SENDQUEUE_EAGER_BYTES ? part_bytes : SENDQUEUE_EAGER_BYTES,
                     .line = lines,
                     .active = active};
    (void)pthread_mutex_init(&o->mutex, NULL);
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
    l->prompt = NULL;
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
    (void)pthread_mutex_destroy(&o->mutex);
    free(o->active);
    free(o->line);
    free(o);
}

void sendqueue_set_near(sendqueue *o, int rank)
{
    o->line[rank].near = true;
}

/* Starts the next part of a message. */
static int send_part(sendqueue *o, int rank, posted *p)
{
    const size_t most = o->line[rank].near ? o->part_bytes : o->far_part_bytes;
    const size_t left = p->count - p->sent;
    const size_t bytes = left < most ? left : most;
    const int tag = bytes < left ? p->tag + SENDQUEUE_MORE : p->tag;
    const int code = MPI_Isend(p->bytes + p->sent, (int)bytes, MPI_BYTE, rank, tag, p->communicator,
                               &p->request);
    p->sent += bytes;
    return code;
}

/* Lets a message fly. */
static int launch(sendqueue *o, int rank, posted *p)
{
    line *l = &o->line[rank];
    const int code = send_part(o, rank, p);
    if (code != MPI_SUCCESS) {
        free(p);
        return code;
    }
    p->next = l->flying;
    l->flying = p;
    l->flights++;
    return code;
}

/* Whether a message is no longer in flight. What could not be sent is as good as lost on its way: a
 * rank that misses it notices the silence. */
static bool has_landed(sendqueue *o, int rank, posted *p)
{
    const line *l = &o->line[rank];
    int code = MPI_SUCCESS;
    while (code == MPI_SUCCESS) {
        int sent = 0;
        code = MPI_Test(&p->request, &sent, MPI_STATUS_IGNORE);
        if (code == MPI_SUCCESS && !sent) {
            return false;
        }
        if (p->sent == p->count) {
            return true;
        }
        if (l->held || l->dropped) {
            return false;
        }
        code = code == MPI_SUCCESS ? send_part(o, rank, p) : code;
    }
    return true;
}

/* Whether nothing of a line is in flight any more. */
static bool land(sendqueue *o, int rank)
{
    line *l = &o->line[rank];
    for (posted **link = &l->flying; *link != NULL;) {
        posted *p = *link;
        if (has_landed(o, rank, p)) {
            *link = p->next;
            l->flights--;
            free(p);
        } else {
            link = &p->next;
        }
    }
    return l->flying == NULL;
}

/* Whether the next message to a rank may fly. */
static bool may_fly(sendqueue *o, int rank)
{
    const line *l = &o->line[rank];
    const bool landed = land(o, rank);
    return !l->held && (landed || (l->near && l->flights < NEAR_FLIGHTS &&
                                   l->flying->sent == l->flying->count));
}

/* Sends what can be sent to a rank; whether anything is left. */
static bool advance_line(sendqueue *o, int rank, bool bulk)
{
    line *l = &o->line[rank];
    bool free_line = may_fly(o, rank);
    for (posted *p = l->first; free_line && p != NULL && (bulk || l->prompt != NULL);
         p = l->first) {
        l->first = p->next;
        l->last = l->first == NULL ? NULL : l->last;
        l->prompt = l->prompt == p ? NULL : l->prompt;
        l->waiting--;
        (void)launch(o, rank, p);
        free_line = may_fly(o, rank);
    }
    return l->flying != NULL || l->first != NULL;
}

static void advance(sendqueue *o, bool bulk)
{
    for (int i = 0; i < o->actives;) {
        const int rank = o->active[i];
        if (advance_line(o, rank, bulk)) {
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

static weft_status copy(const sendqueue *o, MPI_Comm communicator, int rank, int tag,
                        const void *bytes, size_t count, posted **out, error *e)
{
    if (rank < 0 || rank >= o->ranks) {
        return error_set(e, WEFT_ERR_MPI, "MPI: MPI_Isend: there is no rank %d", rank);
    }
    posted *p = count < SIZE_MAX - sizeof *p ? malloc(sizeof *p + count) : NULL;
    if (p == NULL) {
        return error_memory(e, "a message of %zu bytes", count);
    }
    *p = (posted){.communicator = communicator, .tag = tag, .count = count};
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

static void wait_in_line(line *l, posted *p, bool bulk)
{
    posted *before = bulk ? l->last : l->prompt;
    posted **link = before != NULL ? &before->next : &l->first;
    p->next = *link;
    *link = p;
    l->last = p->next == NULL ? p : l->last;
    l->prompt = bulk ? l->prompt : p;
    l->waiting++;
}

static weft_status post(sendqueue *o, int rank, bool bulk, posted *p, error *e)
{
    line *l = &o->line[rank];
    l->dropped = false;
    if (!bulk && l->prompt == NULL && may_fly(o, rank)) {
        return launch_first(o, rank, p, e);
    }
    wait_in_line(l, p, bulk);
    list(o, rank);
    return WEFT_OK;
}

static bool is_busy(const sendqueue *o)
{
    for (int i = 0; i < o->actives; i++) {
        const line *l = &o->line[o->active[i]];
        bool busy = l->first != NULL;
        for (const posted *p = l->flying; p != NULL; p = p->next) {
            busy = busy || p->count > SENDQUEUE_EAGER_BYTES;
        }
        if (!l->held && !l->dropped && busy) {
            return true;
        }
    }
    return false;
}

static bool is_idle(const sendqueue *o)
{
    for (int i = 0; i < o->actives; i++) {
        const line *l = &o->line[o->active[i]];
        if (!l->held && !l->dropped) {
            return false;
        }
    }
    return true;
}

/* What the functions above do, for one thread at a time. */

static void enter(sendqueue *o)
{
    (void)pthread_mutex_lock(&o->mutex);
}

static void leave(sendqueue *o)
{
    (void)pthread_mutex_unlock(&o->mutex);
}

void sendqueue_advance(sendqueue *o, bool bulk)
{
    enter(o);
    advance(o, bulk);
    leave(o);
}

weft_status sendqueue_post(sendqueue *o, MPI_Comm communicator, int rank, int tag, bool bulk,
                           const void *bytes, size_t count, error *e)
{
    posted *p = NULL;
    weft_status status = copy(o, communicator, rank, tag, bytes, count, &p, e);
    if (p != NULL) {
        enter(o);
        status = post(o, rank, bulk, p, e);
        leave(o);
    }
    return status;
}

weft_status sendqueue_probe(sendqueue *o, MPI_Comm communicator, int rank, int tag,
                            const void *bytes, size_t count, error *e)
{
    posted *p = NULL;
    weft_status status = copy(o, communicator, rank, tag, bytes, count, &p, e);
    if (p != NULL) {
        enter(o);
        if (land(o, rank)) {
            status = launch_first(o, rank, p, e);
        } else {
            free(p);
        }
        leave(o);
    }
    return status;
}

void sendqueue_hold(sendqueue *o, int rank, bool held)
{
    if (rank >= 0 && rank < o->ranks) {
        enter(o);
        o->line[rank].held = held;
        leave(o);
    }
}

void sendqueue_drop(sendqueue *o, int rank)
{
    if (rank >= 0 && rank < o->ranks) {
        enter(o);
        clear(&o->line[rank]);
        o->line[rank].dropped = true;
        leave(o);
    }
}

int sendqueue_count(sendqueue *o, int rank)
{
    int count = 0;
    if (rank >= 0 && rank < o->ranks) {
        enter(o);
        count = o->line[rank].waiting + !land(o, rank);
        leave(o);
    }
    return count;
}

bool sendqueue_busy(sendqueue *o)
{
    enter(o);
    const bool busy = is_busy(o);
    leave(o);
    return busy;
}

bool sendqueue_idle(sendqueue *o)
{
    enter(o);
    const bool idle = is_idle(o);
    leave(o);
    return idle;
}
