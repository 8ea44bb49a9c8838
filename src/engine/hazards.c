/* SPDX-License-Identifier: BSD-3-Clause */
/* The hazards of a run: what is known, on all ranks, of items that may kill; and the notes from
 * which it is learnt. */
#include "engine/hazards.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What rank 0 tells the others. */
typedef struct briefing {
    int64_t count; /* of suspects; they follow */
    notes_shape shape;
} briefing;

/* Rank 0: tiles in which items are in quarantine. */
static weft_status add_quarantined(suspects *s, store *result, const tiling *tiles, error *e)
{
    const ledger *l = store_ledger(result);
    weft_status status = WEFT_OK;
    suspect *list = malloc(((size_t)tiles->tiles + 1) * sizeof *list);
    int64_t used = 0;
    if (list == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for items in quarantine");
    }
    for (int64_t tile = 0; tile < tiles->tiles; tile++) {
        if (ledger_record(l, tile)->state == TILE_QUARANTINED) {
            list[used++] = (suspect){.first = tiling_first(tiles, tile),
                                     .count = tiling_items(tiles, tile, 1)};
        }
    }
    status = suspects_add(s, list, used, e);
    free(list);
    return status;
}

/* Rank 0: what killed runs had in hand. */
static weft_status add_left(suspects *s, const char *path, const job *j, error *e)
{
    suspect *list = NULL;
    int64_t count = 0;
    weft_status status = notes_read_left(path, j, &list, &count, e);
    if (status == WEFT_OK) {
        status = suspects_add(s, list, count, e);
    }
    if (status == WEFT_OK && count > 0) {
        int64_t items = 0;
        const suspect *all = suspects_list(s, &count);
        for (int64_t i = 0; i < count; i++) {
            items += all[i].count;
        }
        log_print(LOG_WARNING,
                  "an earlier run died with items in hand (%" PRId64 ", from item %" PRId64
                  " on): they are computed in a process of their own now, where they do no harm",
                  items, all[0].first);
    }
    free(list);
    return status;
}

/* Rank 0's part. */
static weft_status gather(const char *path, const job *j, store *s, bool retry_failed,
                          const int workers[], int ranks, hazards *h, briefing *b, error *e)
{
    weft_status status = add_left(h->suspects, path, j, e);
    if (status == WEFT_OK && retry_failed) {
        status = add_quarantined(h->suspects, s, &j->tiles, e);
    }
    if (status == WEFT_OK) {
        int most = 1;
        for (int rank = 0; rank < ranks; rank++) {
            most = workers[rank] > most ? workers[rank] : most;
        }
        const suspect *list = suspects_list(h->suspects, &b->count);
        notes_create(path, j, ranks, most, list, b->count, &b->shape);
    }
    return status;
}

/* All ranks get rank 0's suspects. */
static weft_status share(comm *c, hazards *h, int64_t count, error *e)
{
    const bool first = comm_rank(c) == 0;
    int64_t known = 0;
    const suspect *mine = suspects_list(h->suspects, &known);
    suspect *list = calloc((size_t)count + 1, sizeof *list);
    if (list == NULL) {
        (void)error_set(e, WEFT_ERR_MEMORY, "out of memory for %" PRId64 " suspects", count);
    } else if (first) {
        memcpy(list, mine, (size_t)count * sizeof *list);
    }
    weft_status status = comm_agree(c, e);
    if (status == WEFT_OK) {
        status = comm_broadcast(c, 0, list, (size_t)count * sizeof *list, e);
    }
    if (status == WEFT_OK && !first) {
        (void)suspects_add(h->suspects, list, count, e);
    }
    free(list);
    return status == WEFT_OK ? comm_agree(c, e) : status;
}

weft_status hazards_open(comm *c, const char *path, const job *j, store *s, int workers,
                         bool retry_failed, hazards *h, error *e)
{
    const int ranks = comm_size(c);
    int *all = calloc((size_t)ranks, sizeof *all);
    briefing b;
    memset(&b, 0, sizeof b);
    *h = (hazards){.keeper = comm_rank(c) == 0};
    if (all == NULL) {
        (void)error_set(e, WEFT_ERR_MEMORY, "out of memory for the workers of %d ranks", ranks);
    } else {
        (void)suspects_create(&h->suspects, e);
    }
    weft_status status = comm_agree(c, e);
    if (status == WEFT_OK) {
        status = comm_gather(c, &workers, sizeof workers, all, e);
    }
    if (status == WEFT_OK && h->keeper && all != NULL) {
        (void)gather(path, j, s, retry_failed, all, ranks, h, &b, e);
    }
    free(all);
    status = status == WEFT_OK ? comm_agree(c, e) : status;
    if (status == WEFT_OK) {
        status = comm_broadcast(c, 0, &b, sizeof b, e);
    }
    if (status == WEFT_OK && b.count > 0) {
        status = share(c, h, b.count, e);
    }
    if (status == WEFT_OK) {
        h->notes = notes_attach(path, &b.shape, comm_rank(c));
    }
    return status;
}

weft_status hazards_add(hazards *h, const suspect list[], int64_t count, error *e)
{
    if (h->keeper) {
        notes_keep(h->notes, list, count);
    }
    return suspects_add(h->suspects, list, count, e);
}

void hazards_settle(const hazards *h, weft_status status)
{
    if (h->keeper) {
        notes_settle(h->notes, status == WEFT_OK || status == WEFT_ITEMS_FAILED);
    }
}

void hazards_close(hazards *h)
{
    notes_detach(h->notes);
    suspects_destroy(h->suspects);
    *h = (hazards){.notes = NULL};
}
