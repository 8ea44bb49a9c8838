/* SPDX-License-Identifier: BSD-3-Clause */
/* The send queue: messages on their way to other ranks, at most one send to each of another host in
 * flight. */
#include "comm/sendqueue.h"

#include "comm/internals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Sends of an outbox that are in flight at most to a rank of this host. */
enum { NEAR_FLIGHTS = 2 };

/* A message; MPI reads a part's bytes until the part's request is complete. */
typedef struct posted {
    struct posted *next;
    outbox *box; /* NULL: it has been closed */
    address to;
    MPI_Request request; /* of its part */
    size_t count;
    size_t sent; /* bytes, the part in flight included */
    unsigned char bytes[];
} posted;

/* What an outbox has for a rank. */
typedef struct line {
    int flights;   /* sends in flight */
    bool in_parts; /* the youngest of them is of a message that has parts left */
    posted *open;  /* a message of which parts have been sent, and none is in flight */
    posted *first; /* of those that wait */
    posted *last;
    posted *prompt; /* the last that is not bulk; NULL: there is none */
    int waiting;
    bool held;
    bool dropped; /* what is in flight is not waited for */
} line;

/* What is in flight to a rank, of all outboxes. */
typedef struct peer {
    posted *flying;
    int flights;
    bool near;
    bool active; /* listed below */
} peer;

struct outbox {
    outbox *next;
    sendqueue *queue;
    line line[]; /* per rank */
};

struct sendqueue {
    pthread_mutex_t mutex; /* for all of it, and its outboxes: they may belong to several threads */
    int ranks;
    size_t part_bytes;
    size_t far_part_bytes; /* to ranks of other hosts */
    outbox *boxes;         /* the one that has sent last comes last */
    peer *peer;
    int *active; /* the ranks for which something flies or waits */
    int actives;
};

weft_status sendqueue_create(int ranks, size_t part_bytes, sendqueue **out, error *e)
{
    sendqueue *o = calloc(1, sizeof *o);
    peer *peers = calloc((size_t)ranks, sizeof *peers);
    int *active = calloc((size_t)ranks, sizeof *active);
    if (o == NULL || peers == NULL || active == NULL) {
        free(active);
        free(peers);
        free(o);
        return error_memory(e, "messages to %d ranks", ranks);
    }
    *o = (sendqueue){.ranks = ranks,
                     .part_bytes = part_bytes,
                     .far_part_bytes =
                         part_bytes < SENDQUEUE_EAGER_BYTES ? part_bytes : SENDQUEUE_EAGER_BYTES,
                     .peer = peers,
                     .active = active};
    (void)pthread_mutex_init(&o->mutex, NULL);
    *out = o;
    return WEFT_OK;
}

void sendqueue_destroy(sendqueue *o)
{
    if (o != NULL) {
        (void)pthread_mutex_destroy(&o->mutex);
        free(o->active);
        free(o->peer);
        free(o);
    }
}

void sendqueue_set_near(sendqueue *o, int rank)
{
    (void)pthread_mutex_lock(&o->mutex);
    o->peer[rank].near = true;
    (void)pthread_mutex_unlock(&o->mutex);
}

weft_status outbox_open(sendqueue *o, outbox **out, error *e)
{
    outbox *b = calloc(1, sizeof *b + (size_t)o->ranks * sizeof b->line[0]);
    if (b == NULL) {
        return error_memory(e, "messages to %d ranks", o->ranks);
    }
    b->queue = o;
    (void)pthread_mutex_lock(&o->mutex);
    b->next = o->boxes;
    o->boxes = b;
    (void)pthread_mutex_unlock(&o->mutex);
    *out = b;
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

static void unlist_box(outbox *b)
{
    outbox **link = &b->queue->boxes;
    while (*link != b) {
        link = &(*link)->next;
    }
    *link = b->next;
}

void outbox_close(outbox *b)
{
    if (b == NULL) {
        return;
    }
    sendqueue *o = b->queue;
    (void)pthread_mutex_lock(&o->mutex);
    unlist_box(b);
    for (int rank = 0; rank < o->ranks; rank++) {
        clear(&b->line[rank]);
        free(b->line[rank].open);
        for (posted *p = o->peer[rank].flying; p != NULL; p = p->next) {
            p->box = p->box == b ? NULL : p->box;
        }
    }
    (void)pthread_mutex_unlock(&o->mutex);
    free(b);
}

/* Starts the next part of a message, which flies from then on; what cannot be sent is lost. */
static int launch(sendqueue *o, int rank, posted *p)
{
    const address *to = &p->to;
    peer *receiver = &o->peer[rank];
    line *l = &p->box->line[rank];
    const size_t most = receiver->near ? o->part_bytes : o->far_part_bytes;
    const size_t left = p->count - p->sent;
    const size_t bytes = left < most ? left : most;
    const int tag = bytes < left ? to->tag + SENDQUEUE_MORE : to->tag;
    const int code = MPI_Isend(p->bytes + p->sent, (int)bytes, MPI_BYTE, rank, tag,
                               to->communicator, &p->request);
    if (code != MPI_SUCCESS) {
        free(p);
        return code;
    }
    p->sent += bytes;
    p->next = receiver->flying;
    receiver->flying = p;
    receiver->flights++;
    l->flights++;
    l->in_parts = bytes < left;
    if (to->mailbox != NULL) {
        atomic_fetch_add(&to->mailbox->sent, 1);
        if (to->rings && bytes == left) {
            bell_ring(&to->mailbox->bell);
        }
    }
    return code;
}

/* A part of a message is no longer in flight. What could not be sent is as good as lost on its way:
 * a rank that misses it notices the silence. */
static void take_down(posted *p, int rank, int code)
{
    const bool more = p->sent < p->count;
    line *l = p->box != NULL ? &p->box->line[rank] : NULL;
    if (l != NULL) {
        l->flights--;
        l->in_parts = l->in_parts && !more;
    }
    if (l != NULL && more && code == MPI_SUCCESS) {
        l->open = p;
    } else {
        free(p);
    }
}

/* Looks which sends to a rank are no longer in flight. */
static void land(sendqueue *o, int rank)
{
    peer *to = &o->peer[rank];
    for (posted **link = &to->flying; *link != NULL;) {
        posted *p = *link;
        int sent = 0;
        const int code = MPI_Test(&p->request, &sent, MPI_STATUS_IGNORE);
        if (code == MPI_SUCCESS && !sent) {
            link = &p->next;
            continue;
        }
        *link = p->next;
        to->flights--;
        take_down(p, rank, code);
    }
}

/* Whether an outbox may send to a rank, as far as what is in flight is concerned. */
static bool is_free(const sendqueue *o, const outbox *b, int rank)
{
    const peer *to = &o->peer[rank];
    const line *l = &b->line[rank];
    return !l->in_parts && (to->flights == 0 || (to->near && l->flights < NEAR_FLIGHTS));
}

/* The next message that waits; NULL: there is none. */
static posted *take_waiting(line *l, bool bulk)
{
    posted *p = bulk || l->prompt != NULL ? l->first : NULL;
    if (p != NULL) {
        l->first = p->next;
        l->last = l->first == NULL ? NULL : l->last;
        l->prompt = l->prompt == p ? NULL : l->prompt;
        l->waiting--;
    }
    return p;
}

/* The next message of an outbox to a rank; NULL: none may go. */
static posted *take_next(outbox *b, int rank, bool bulk)
{
    line *l = &b->line[rank];
    posted *p = l->open;
    if (l->held || l->dropped || !is_free(b->queue, b, rank)) {
        return NULL;
    }
    l->open = NULL;
    return p != NULL ? p : take_waiting(l, bulk);
}

/* The others come first next time. */
static void put_last(outbox *b)
{
    outbox **link = &b->queue->boxes;
    unlist_box(b);
    while (*link != NULL) {
        link = &(*link)->next;
    }
    b->next = NULL;
    *link = b;
}

/* Sends a message to a rank; false: none may go. */
static bool send_next(sendqueue *o, int rank, bool bulk)
{
    for (outbox *b = o->boxes; b != NULL; b = b->next) {
        posted *p = take_next(b, rank, bulk);
        if (p != NULL) {
            (void)launch(o, rank, p);
            put_last(b);
            return true;
        }
    }
    return false;
}

/* Whether an outbox has anything for a rank that has not arrived. */
static bool is_under_way(const line *l)
{
    return l->first != NULL || l->open != NULL || l->flights > 0;
}

/* Sends what can be sent to a rank; whether anything is left. */
static bool advance_peer(sendqueue *o, int rank, bool bulk)
{
    bool left = false;
    do {
        land(o, rank);
    } while (send_next(o, rank, false) || (bulk && send_next(o, rank, true)));
    for (const outbox *b = o->boxes; b != NULL; b = b->next) {
        left = left || is_under_way(&b->line[rank]);
    }
    return left || o->peer[rank].flying != NULL;
}

static void advance(sendqueue *o, bool bulk)
{
    for (int i = 0; i < o->actives;) {
        const int rank = o->active[i];
        if (advance_peer(o, rank, bulk)) {
            i++;
        } else {
            o->peer[rank].active = false;
            o->active[i] = o->active[--o->actives];
        }
    }
}

static void list(sendqueue *o, int rank)
{
    if (!o->peer[rank].active) {
        o->peer[rank].active = true;
        o->active[o->actives++] = rank;
    }
}

static weft_status copy(outbox *b, const address *to, const void *bytes, size_t count, posted **out,
                        error *e)
{
    if (to->rank < 0 || to->rank >= b->queue->ranks) {
        return error_set(e, WEFT_ERR_MPI, "MPI: MPI_Isend: there is no rank %d", to->rank);
    }
    posted *p = count < SIZE_MAX - sizeof *p ? malloc(sizeof *p + count) : NULL;
    if (p == NULL) {
        return error_memory(e, "a message of %zu bytes", count);
    }
    *p = (posted){.box = b, .to = *to, .count = count};
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
    line *l = &p->box->line[rank];
    l->dropped = false;
    land(o, rank);
    if (!bulk && l->prompt == NULL && l->open == NULL && !l->held && is_free(o, p->box, rank)) {
        return launch_first(o, rank, p, e);
    }
    wait_in_line(l, p, bulk);
    list(o, rank);
    return WEFT_OK;
}

static bool is_busy(const sendqueue *o, const outbox *b)
{
    for (int i = 0; i < o->actives; i++) {
        const line *l = &b->line[o->active[i]];
        bool busy = l->first != NULL || l->open != NULL;
        for (const posted *p = o->peer[o->active[i]].flying; p != NULL; p = p->next) {
            busy = busy || (p->box == b && p->count > SENDQUEUE_EAGER_BYTES);
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
        for (const outbox *b = o->boxes; b != NULL; b = b->next) {
            const line *l = &b->line[o->active[i]];
            if (!l->held && !l->dropped && is_under_way(l)) {
                return false;
            }
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

bool sendqueue_idle(sendqueue *o)
{
    enter(o);
    const bool idle = is_idle(o);
    leave(o);
    return idle;
}

weft_status outbox_post(outbox *b, const address *to, bool bulk, const void *bytes, size_t count,
                        error *e)
{
    posted *p = NULL;
    weft_status status = copy(b, to, bytes, count, &p, e);
    if (p != NULL) {
        enter(b->queue);
        status = post(b->queue, to->rank, bulk, p, e);
        leave(b->queue);
    }
    return status;
}

weft_status outbox_probe(outbox *b, const address *to, const void *bytes, size_t count, error *e)
{
    const int rank = to->rank;
    posted *p = NULL;
    sendqueue *o = b->queue;
    weft_status status = copy(b, to, bytes, count, &p, e);
    if (p != NULL) {
        enter(o);
        land(o, rank);
        if (b->line[rank].flights == 0 && b->line[rank].open == NULL && is_free(o, b, rank)) {
            status = launch_first(o, rank, p, e);
        } else {
            free(p);
        }
        leave(o);
    }
    return status;
}

void outbox_hold(outbox *b, int rank, bool held)
{
    if (rank >= 0 && rank < b->queue->ranks) {
        enter(b->queue);
        b->line[rank].held = held;
        leave(b->queue);
    }
}

void outbox_drop(outbox *b, int rank)
{
    if (rank >= 0 && rank < b->queue->ranks) {
        enter(b->queue);
        clear(&b->line[rank]);
        b->line[rank].dropped = true;
        leave(b->queue);
    }
}

int outbox_count(outbox *b, int rank)
{
    int count = 0;
    if (rank >= 0 && rank < b->queue->ranks) {
        const line *l = &b->line[rank];
        enter(b->queue);
        land(b->queue, rank);
        count = l->waiting + (l->open != NULL || l->flights > 0);
        leave(b->queue);
    }
    return count;
}

bool outbox_busy(outbox *b)
{
    enter(b->queue);
    const bool busy = is_busy(b->queue, b);
    leave(b->queue);
    return busy;
}
