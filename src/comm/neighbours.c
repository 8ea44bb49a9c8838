/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours: the ranks of this machine, of whose processes the system says whether they are there.
 */
#include "comm/neighbours.h"

#include <stdlib.h>
#include <string.h>

enum { NOBODY = -1, FIRST = 0 };

static const int64_t look_ns = INT64_C(100000000);

struct neighbours {
    int ranks;
    int rank;
    bool first; /* rank 0 is watched */
    int next;   /* and this one; NOBODY: there is no other */
    int64_t next_look_ns;
    host_process of[];
};

/* The next neighbour after a rank, in a ring that ends at this one. Rank 0 is watched anyway. */
static int next_after(const neighbours *n, int rank)
{
    for (int i = (rank + 1) % n->ranks; i != n->rank; i = (i + 1) % n->ranks) {
        if (i != FIRST && host_process_near(&n->of[i], &n->of[n->rank])) {
            return i;
        }
    }
    return NOBODY;
}

weft_status neighbours_create(const host_process of[], int ranks, int rank, neighbours **out,
                              error *e)
{
    const size_t bytes = (size_t)ranks * sizeof of[0];
    neighbours *n = malloc(sizeof *n + bytes);
    if (n == NULL) {
        return error_memory(e, "the processes of %d ranks", ranks);
    }
    *n = (neighbours){.ranks = ranks, .rank = rank};
    memcpy(n->of, of, bytes);
    n->first = rank != FIRST && host_process_near(&of[FIRST], &of[rank]);
    n->next = next_after(n, rank);
    *out = n;
    return WEFT_OK;
}

void neighbours_destroy(neighbours *n)
{
    free(n);
}

int neighbours_next_dead(neighbours *n, int64_t now_ns)
{
    if (n == NULL || now_ns < n->next_look_ns) {
        return NOBODY;
    }
    if (n->first && !host_process_lives(&n->of[FIRST])) {
        n->first = false;
        return FIRST;
    }
    const int next = n->next;
    if (next != NOBODY && !host_process_lives(&n->of[next])) {
        n->next = next_after(n, next);
        return next;
    }
    n->next_look_ns = now_ns + look_ns;
    return NOBODY;
}
