/* SPDX-License-Identifier: BSD-3-Clause */
/* Agreement: the ranks have made the same call, of the same things, and have one status. */
#include "comm/internals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The account's first name; a call is one of a function, and perhaps of a map by name. */
#define CALL "the call"

/* What one look at all ranks tells, the least of each number over the ranks. It is the same in all
 * versions of weft, so that ranks of two versions find out that they are. */
enum {
    LOOK_FAILED,     /* the lowest rank with an error; the number of ranks if there is none */
    LOOK_DIGEST,     /* the least */
    LOOK_COMPLEMENT, /* the least, which is that of the largest digest */
    LOOK_NUMBERS
};

/* The ranks whose accounts are not rank 0's. */
typedef struct others {
    int first; /* the lowest of them */
    int count;
} others;

static weft_status find_others(comm *c, uint64_t digest, others *o, error *e)
{
    uint64_t *all = malloc((size_t)c->size * sizeof *all);
    weft_status status = comm_agree(
        c, all == NULL ? error_memory(e, "the digests of %d ranks", c->size) : WEFT_OK, e);
    if (status == WEFT_OK) {
        status = comm_gather(c, &digest, sizeof digest, all, e);
    }
    *o = (others){.first = 0};
    for (int rank = c->size - 1; rank > 0 && status == WEFT_OK && all != NULL; rank--) {
        if (all[rank] != all[0]) {
            o->first = rank;
            o->count++;
        }
    }
    free(all);
    return status;
}

/* All ranks get a copy of one rank's account. */
static weft_status share(comm *c, int root, const account *mine, account *copy, error *e)
{
    uint64_t bytes = mine->used;
    weft_status status = comm_broadcast(c, root, &bytes, sizeof bytes, e);
    if (status != WEFT_OK) {
        return status;
    }
    *copy = (account){.text = malloc((size_t)bytes + 1), .used = (size_t)bytes};
    if (copy->text == NULL) {
        status = error_memory(e, "what rank %d says", root);
    } else if (c->rank == root) {
        memcpy(copy->text, mine->text, mine->used);
    }
    status = comm_agree(c, status, e);
    return status == WEFT_OK ? comm_broadcast(c, root, copy->text, copy->used, e) : status;
}

static weft_status name_difference(const others *o, const account_difference *d, error *e)
{
    char more[64] = "";
    if (strcmp(d->name, CALL) == 0) {
        return error_set(e, WEFT_ERR_USAGE,
                         "rank 0 has called %s and rank %d %s: every rank makes the same calls in "
                         "the same order",
                         d->first, o->first, d->second);
    }
    if (o->count > 1) {
        (void)snprintf(more, sizeof more, " (%d ranks differ from rank 0)", o->count);
    }
    return error_set(e, WEFT_ERR_USAGE,
                     "%s is %s on rank 0 and %s on rank %d%s: start the same program with the same "
                     "options and input on all ranks",
                     d->name, d->first, d->second, o->first, more);
}

/* Finds what the ranks do not have in common: the same error on all ranks, and whether it is the
 * call. */
static weft_status find_difference(comm *c, const account *mine, bool *calls, error *e)
{
    others o;
    account first = {.text = NULL};
    account other = {.text = NULL};
    account_difference d;
    weft_status status = find_others(c, account_digest(mine), &o, e);
    if (status == WEFT_OK) {
        status = share(c, 0, mine, &first, e);
    }
    if (status == WEFT_OK) {
        status = share(c, o.first, mine, &other, e);
    }
    if (status == WEFT_OK && account_compare(&first, &other, &d)) {
        status = name_difference(&o, &d, e);
        *calls = strcmp(d.name, CALL) == 0;
    }
    account_clear(&first);
    account_clear(&other);
    return status;
}

/* The call and the account as one. */
static account join(const char *call, const account *a)
{
    account whole = {.incomplete = a != NULL && a->incomplete};
    account_add(&whole, CALL, "%s", call);
    if (a != NULL) {
        account_append(&whole, a);
    }
    return whole;
}

weft_status comm_agree_on(comm *c, const char *call, const account *a, weft_status own, error *e)
{
    error failure = {.status = WEFT_OK};
    int64_t least[LOOK_NUMBERS] = {c->size};
    bool diverged = false;
    account mine = join(call, a);
    if (mine.incomplete && own == WEFT_OK) {
        own = error_memory(e, "what the ranks have in common");
    }
    const int64_t digest = (int64_t)account_digest(&mine);
    const int64_t look[] = {own != WEFT_OK ? c->rank : c->size, digest, ~digest};
    c->meets = true;
    weft_status status = comm_least(c, look, LOOK_NUMBERS, least, &failure);
    c->meets = false;
    if (status == WEFT_OK && least[LOOK_DIGEST] != ~least[LOOK_COMPLEMENT]) {
        status = find_difference(c, &mine, &diverged, &failure);
    }
    account_clear(&mine);
    if (least[LOOK_FAILED] < c->size && !comm_broken(c)) {
        /* A rank's own error says more than that it has gone another way for it. */
        failure = *e;
        status = comm_share_error(c, (int)least[LOOK_FAILED], own, &failure);
    }
    if (diverged) {
        comm_diverge(c, &failure);
    }
    if (status == WEFT_OK || (own != WEFT_OK && comm_broken(c))) {
        return own;
    }
    *e = failure;
    return status;
}

void comm_diverge(comm *c, const error *why)
{
    comm *trunk = c->trunk != NULL ? c->trunk : c;
    if (!atomic_exchange(&trunk->diverges, true)) {
        trunk->divergence = *why;
        trunk->has_diverged = true;
    }
}

const error *comm_divergence(const comm *c)
{
    const comm *trunk = c->trunk != NULL ? c->trunk : c;
    return trunk->has_diverged ? &trunk->divergence : NULL;
}

bool comm_diverged(const comm *c)
{
    return comm_divergence(c) != NULL;
}
