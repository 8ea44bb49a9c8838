/* SPDX-License-Identifier: BSD-3-Clause */
/* The coordinator's outbox: grants that wait until the file says that their tiles are leased. */
#include "engine/coord/outbox.h"

#include <stdlib.h>
#include <string.h>

enum { NOBODY = -1 };

typedef struct letter {
    struct letter *next;
    int64_t leases; /* that have to be in the file first */
    int rank;       /* NOBODY: it has been dropped */
    size_t count;
    unsigned char bytes[];
} letter;

struct outbox {
    members *members;
    lease_table *table;
    letter *first; /* the oldest */
    letter *last;
};

weft_status outbox_create(members *r, lease_table *table, outbox **out, error *e)
{
    outbox *o = calloc(1, sizeof *o);
    if (o == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for grants");
    }
    o->members = r;
    o->table = table;
    *out = o;
    return WEFT_OK;
}

static void remove_first(outbox *o)
{
    letter *l = o->first;
    o->first = l->next;
    o->last = o->first == NULL ? NULL : o->last;
    free(l);
}

void outbox_destroy(outbox *o)
{
    while (o != NULL && o->first != NULL) {
        remove_first(o);
    }
    free(o);
}

weft_status outbox_send(outbox *o, int rank, const void *bytes, size_t count, error *e)
{
    const int64_t asked = lease_table_asked(o->table);
    if (o->first == NULL && lease_table_written(o->table, asked)) {
        members_send(o->members, rank, bytes, count);
        return WEFT_OK;
    }
    letter *l = malloc(sizeof *l + count);
    if (l == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for a grant");
    }
    *l = (letter){.leases = asked, .rank = rank, .count = count};
    memcpy(l->bytes, bytes, count);
    *(o->first == NULL ? &o->first : &o->last->next) = l;
    o->last = l;
    return WEFT_OK;
}

void outbox_drop(outbox *o, int rank)
{
    for (letter *l = o->first; l != NULL; l = l->next) {
        l->rank = l->rank == rank ? NOBODY : l->rank;
    }
}

weft_status outbox_flush(outbox *o, error *e)
{
    while (o->first != NULL && lease_table_written(o->table, o->first->leases)) {
        if (o->first->rank != NOBODY) {
            members_send(o->members, o->first->rank, o->first->bytes, o->first->count);
        }
        remove_first(o);
    }
    return o->first == NULL ? WEFT_OK : lease_table_status(o->table, e);
}

bool outbox_waits(const outbox *o)
{
    return o->first != NULL;
}
