/* SPDX-License-Identifier: BSD-3-Clause */
/* What the ranks know of each other's place, and who shares whose cores. */
#include "engine/seat.h"

#include <string.h>

bool seat_same_host(const seat *a, const seat *b)
{
    return strcmp(a->host, b->host) == 0;
}

int seat_threads(const seat *s)
{
    return s->workers > 0 ? s->workers : 1;
}

seat_share seat_find_share(const seat seats[], int ranks, int rank)
{
    const seat *mine = &seats[rank];
    seat_share share = {.equal = true};
    for (int i = 0; i < ranks; i++) {
        if (!seat_same_host(&seats[i], mine) ||
            !host_cores_overlap(&seats[i].cores, &mine->cores)) {
            continue;
        }
        const int threads = seat_threads(&seats[i]);
        share.ranks++;
        share.threads += threads;
        share.first += i < rank ? threads : 0;
        share.equal = share.equal && memcmp(&seats[i].cores, &mine->cores, sizeof mine->cores) == 0;
    }
    return share;
}
