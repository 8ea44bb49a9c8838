/* SPDX-License-Identifier: BSD-3-Clause */
/* Grants on their way to ranks: each waits until the file says that its tiles are leased. */
#include "sched/grants.h"

#include "sched/message.h"

#include <stdlib.h>
#include <string.h>

enum { NOBODY = -1 };

typedef struct letter {
    struct letter *next;
    int64_t ticket; /* of its leases */
    int rank;
    size_t count;
    message_grant grant; /* its first bytes */
} letter;

struct grants {
    const effects *outside;
    const dispatch *dispatch;
    members *members;
    letter *first; /* the oldest */
    letter *last;
};

weft_status grants_create(const effects *outside, const dispatch *d, members *m, grants **out,
                          error *e)
{
    grants *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return error_memory(e, "grants");
    }
    *g = (grants){.outside = outside, .dispatch = d, .members = m};
    *out = g;
    return WEFT_OK;
}

static void remove_first(grants *g)
{
    letter *old = g->first;
    g->first = old->next;
    free(old);
}

void grants_destroy(grants *g)
{
    while (g != NULL && g->first != NULL) {
        remove_first(g);
    }
    free(g);
}

/* Meanwhile a rank may have been presumed dead that had the same tiles. */
static void suspect_again(const grants *g, message_grant *grant)
{
    for (int i = 0; i < grant->intervals; i++) {
        interval *p = &grant->interval[i];
        const int64_t end = interval_end(*p);
        p->careful = p->careful || dispatch_next_careful(g->dispatch, p->first, end) < end;
    }
}

weft_status grants_flush(grants *g, error *e)
{
    const effects *outside = g->outside;
    weft_status status = WEFT_OK;
    bool written = true;
    while (g->first != NULL) {
        status = outside->leased(outside->context, g->first->ticket, &written, e);
        if (status != WEFT_OK || !written) {
            break;
        }
        if (g->first->rank != NOBODY) {
            suspect_again(g, &g->first->grant);
            members_send(g->members, g->first->rank, &g->first->grant, g->first->count);
        }
        remove_first(g);
    }
    return status;
}

static weft_status post(grants *g, const order *o, int64_t ticket, error *e)
{
    const size_t listed = (size_t)o->intervals * sizeof o->interval[0];
    const size_t count = offsetof(message_grant, interval) + listed;
    letter *new = calloc(1, offsetof(letter, grant) + count);
    if (new == NULL) {
        return error_memory(e, "a grant");
    }
    new->ticket = ticket;
    new->rank = o->rank;
    new->count = count;
    new->grant.kind = MESSAGE_GRANT;
    new->grant.intervals = o->intervals;
    memcpy(new->grant.interval, o->interval, listed);
    *(g->first == NULL ? &g->first : &g->last->next) = new;
    g->last = new;
    return WEFT_OK;
}

weft_status grants_send(grants *g, const order *o, error *e)
{
    int64_t ticket = 0;
    weft_status status =
        g->outside->lease(g->outside->context, o->interval, o->intervals, &ticket, e);
    if (status == WEFT_OK) {
        status = post(g, o, ticket, e);
    }
    return status;
}

void grants_bury(grants *g, int rank)
{
    for (letter *each = g->first; each != NULL; each = each->next) {
        each->rank = each->rank == rank ? NOBODY : each->rank;
    }
}
