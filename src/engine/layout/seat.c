/* SPDX-License-Identifier: BSD-3-Clause */
/* What the ranks know of each other's place, who shares whose cores, and how many workers follow
 * from that. */
#include "engine/layout/seat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ranks of a host that may use the same cores. */
typedef struct group {
    int begin; /* in the order of ranks by seat */
    int end;
    int low; /* words of the mask that are not zero: from low on, below high */
    int high;
    host_cores cores;
    int ranks; /* of all groups that share some of its cores */
    int threads;
    bool equal;
} group;

/* How ranks are compared. */
typedef struct placed {
    const seat *seat;
    const host_cores *cores; /* NULL, unless the seat is ragged */
    int rank;
} placed;

void seat_set_cores(seat *s, const host_cores *cores)
{
    memset(s->run, 0, sizeof s->run);
    s->cores = host_count_cores(cores);
    s->runs = 0;
    seat_run *open = NULL;
    for (int core = 0; core < HOST_MOST_CORES; core++) {
        if (!host_has_core(cores, core)) {
            continue;
        }
        if (open != NULL && open->step == 0) {
            open->step = (uint16_t)(core - open->last);
        }
        if (open != NULL && core - open->last == open->step) {
            open->last = (uint16_t)core;
            continue;
        }
        if (s->runs == SEAT_RUNS) {
            s->runs = SEAT_RAGGED;
            return;
        }
        open = &s->run[s->runs++];
        *open = (seat_run){.first = (uint16_t)core, .last = (uint16_t)core};
    }
}

static void get_cores(const placed *p, host_cores *cores)
{
    if (p->seat->runs == SEAT_RAGGED) {
        *cores = *p->cores;
        return;
    }
    memset(cores, 0, sizeof *cores);
    for (int i = 0; i < p->seat->runs; i++) {
        const seat_run *run = &p->seat->run[i];
        for (int core = run->first; core <= run->last; core += run->step > 0 ? run->step : 1) {
            host_add_core(cores, core);
        }
    }
}

static int compare_cores(const placed *a, const placed *b)
{
    if (a->seat->runs != b->seat->runs) {
        return a->seat->runs < b->seat->runs ? -1 : 1;
    }
    return a->seat->runs == SEAT_RAGGED ? memcmp(a->cores, b->cores, sizeof *a->cores)
                                        : memcmp(a->seat->run, b->seat->run, sizeof a->seat->run);
}

static int compare_ranks(const placed *a, const placed *b)
{
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* By host, and on a host by cores. */
static int by_cores(const void *left, const void *right)
{
    const placed *a = left;
    const placed *b = right;
    const int host = strcmp(a->seat->host, b->seat->host);
    const int cores = host != 0 ? host : compare_cores(a, b);
    return cores != 0 ? cores : compare_ranks(a, b);
}

/* By host, and on a host by quota. */
static int by_quota(const void *left, const void *right)
{
    const placed *a = left;
    const placed *b = right;
    const int host = strcmp(a->seat->host, b->seat->host);
    const uint64_t mine = a->seat->quota_group;
    const uint64_t other = b->seat->quota_group;
    const int quota = host != 0 ? host : (mine > other) - (mine < other);
    return quota != 0 ? quota : compare_ranks(a, b);
}

int seat_threads(int workers)
{
    return workers > 0 ? workers : 1;
}

int seat_quota_workers(double cores)
{
    return cores < 65535 ? (int)ceil(cores) : 65535;
}

static bool overlap(const group *a, const group *b)
{
    const int low = a->low > b->low ? a->low : b->low;
    const int high = a->high < b->high ? a->high : b->high;
    for (int i = low; i < high; i++) {
        if ((a->cores.mask[i] & b->cores.mask[i]) != 0) {
            return true;
        }
    }
    return false;
}

static void open_group(group *g, const placed order[], int begin, int end)
{
    *g = (group){.begin = begin, .end = end, .low = HOST_MASK_WORDS, .equal = true};
    get_cores(&order[begin], &g->cores);
    for (int i = 0; i < HOST_MASK_WORDS; i++) {
        if (g->cores.mask[i] != 0) {
            g->low = i < g->low ? i : g->low;
            g->high = i + 1;
        }
    }
}

/* The groups of a host, whose ranks are begin … end - 1 in the order by cores. */
static int list_groups(const placed order[], int begin, int end, group groups[])
{
    int count = 0;
    for (int i = begin; i < end; i++) {
        if (i + 1 == end || compare_cores(&order[i], &order[i + 1]) != 0) {
            open_group(&groups[count++], order, begin, i + 1);
            begin = i + 1;
        }
    }
    return count;
}

/* A number of each group, summed up over the groups that share cores with it. */
static void add_up(group groups[], int count, const int of[], int *(*field)(group *))
{
    for (int i = 0; i < count; i++) {
        *field(&groups[i]) += of[i];
        for (int k = i + 1; k < count; k++) {
            if (overlap(&groups[i], &groups[k])) {
                groups[i].equal = false;
                groups[k].equal = false;
                *field(&groups[i]) += of[k];
                *field(&groups[k]) += of[i];
            }
        }
    }
}

static int *ranks_of(group *g)
{
    return &g->ranks;
}

static int *threads_of(group *g)
{
    return &g->threads;
}

/* The number of workers that no other limit stands against, and which it is. */
static void choose(const seat *s, int64_t asked, seat_share *share)
{
    if (asked >= 0) {
        share->workers = (int)asked;
        share->reason = SEAT_ASKED;
        return;
    }
    const int part = s->cores / share->ranks;
    share->workers = s->named > 0 ? s->named : part > 0 ? part : 1;
    share->reason = s->named > 0 ? SEAT_NAMED : SEAT_CORES;
    if (s->quota_cores > 0 && s->named == 0) {
        const int all = seat_quota_workers(s->quota_cores) / share->quota_ranks;
        const int quota = all > 0 ? all : 1;
        share->reason = quota < share->workers ? SEAT_QUOTA : share->reason;
        share->workers = quota < share->workers ? quota : share->workers;
    }
    if (s->most < share->workers) {
        share->workers = s->most;
        share->reason = SEAT_LIMIT;
    }
}

/* One host: its ranks' shares. */
static void settle_host(const placed order[], int begin, int end, int64_t asked, group groups[],
                        int sums[], seating *s)
{
    const int count = list_groups(order, begin, end, groups);
    for (int i = 0; i < count; i++) {
        sums[i] = groups[i].end - groups[i].begin;
    }
    add_up(groups, count, sums, ranks_of);
    for (int i = 0; i < count; i++) {
        sums[i] = 0;
        for (int k = groups[i].begin; k < groups[i].end; k++) {
            seat_share *share = &s->share[order[k].rank];
            share->ranks = groups[i].ranks;
            share->equal = groups[i].equal;
            choose(order[k].seat, asked, share);
            share->first = sums[i];
            sums[i] += seat_threads(share->workers);
        }
    }
    add_up(groups, count, sums, threads_of);
    host_cores any = {.mask = {0}};
    int first = order[begin].rank;
    for (int i = 0; i < count; i++) {
        for (int k = groups[i].begin; k < groups[i].end; k++) {
            s->share[order[k].rank].threads = groups[i].threads;
            first = order[k].rank < first ? order[k].rank : first;
        }
        for (int word = groups[i].low; word < groups[i].high; word++) {
            any.mask[word] |= groups[i].cores.mask[word];
        }
    }
    s->first[s->hosts] = first;
    s->host_cores[s->hosts] = host_count_cores(&any);
    s->hosts++;
}

static bool same_host(const placed *a, const placed *b)
{
    return strcmp(a->seat->host, b->seat->host) == 0;
}

/* Counts the ranks that share a quota, or, once workers are settled, their threads. */
static void share_quotas(const placed order[], int ranks, bool threads, seat_share share[])
{
    int begin = 0;
    int sum = 0;
    for (int i = 0; i < ranks; i++) {
        sum += threads ? seat_threads(share[order[i].rank].workers) : 1;
        if (i + 1 < ranks && same_host(&order[i], &order[i + 1]) &&
            order[i].seat->quota_group == order[i + 1].seat->quota_group) {
            continue;
        }
        for (; begin <= i; begin++) {
            *(threads ? &share[order[begin].rank].quota_threads
                      : &share[order[begin].rank].quota_ranks) = sum;
        }
        sum = 0;
    }
}

/* A host while hosts are put in the order of their first ranks. */
typedef struct host_entry {
    int first;
    int cores;
    int number; /* before */
} host_entry;

static int by_first(const void *left, const void *right)
{
    const host_entry *a = left;
    const host_entry *b = right;
    return (a->first > b->first) - (a->first < b->first);
}

/* Hosts by their first ranks. The ranks' hosts are numbered in the order of names by now. */
static bool sort_hosts(seating *s, int ranks)
{
    host_entry *entries = malloc(((size_t)s->hosts + 1) * sizeof *entries);
    int *number = malloc(((size_t)s->hosts + 1) * sizeof *number);
    const bool done = entries != NULL && number != NULL;
    for (int i = 0; i < s->hosts && done; i++) {
        entries[i] = (host_entry){.first = s->first[i], .cores = s->host_cores[i], .number = i};
    }
    if (done) {
        qsort(entries, (size_t)s->hosts, sizeof *entries, by_first);
    }
    for (int i = 0; i < s->hosts && done; i++) {
        s->first[i] = entries[i].first;
        s->host_cores[i] = entries[i].cores;
        number[entries[i].number] = i;
    }
    for (int rank = 0; rank < ranks && done; rank++) {
        s->share[rank].host = number[s->share[rank].host];
    }
    free(number);
    free(entries);
    return done;
}

/* All of it, with memory for `ranks` groups and sums. */
static bool settle(placed order[], int ranks, int64_t asked, group groups[], int sums[], seating *s)
{
    qsort(order, (size_t)ranks, sizeof *order, by_quota);
    share_quotas(order, ranks, false, s->share);
    qsort(order, (size_t)ranks, sizeof *order, by_cores);
    for (int begin = 0, i = 0; i < ranks; i++) {
        s->share[order[i].rank].host = s->hosts;
        if (i + 1 == ranks || !same_host(&order[i], &order[i + 1])) {
            settle_host(order, begin, i + 1, asked, groups, sums, s);
            begin = i + 1;
        }
    }
    qsort(order, (size_t)ranks, sizeof *order, by_quota);
    share_quotas(order, ranks, true, s->share);
    return sort_hosts(s, ranks);
}

weft_status seating_create(const seat seats[], const host_cores all[], int ranks, int64_t asked,
                           seating **out, error *e)
{
    seating *s = calloc(1, sizeof *s);
    placed *order = malloc((size_t)ranks * sizeof *order);
    group *groups = malloc((size_t)ranks * sizeof *groups);
    int *sums = malloc((size_t)ranks * sizeof *sums);
    if (s != NULL) {
        s->first = calloc((size_t)ranks, sizeof *s->first);
        s->host_cores = calloc((size_t)ranks, sizeof *s->host_cores);
        s->share = calloc((size_t)ranks, sizeof *s->share);
    }
    bool done = s != NULL && s->first != NULL && s->host_cores != NULL && s->share != NULL &&
                order != NULL && groups != NULL && sums != NULL;
    if (done) {
        for (int i = 0; i < ranks; i++) {
            order[i] =
                (placed){.seat = &seats[i], .cores = all == NULL ? NULL : &all[i], .rank = i};
        }
        done = settle(order, ranks, asked, groups, sums, s);
    }
    free(sums);
    free(groups);
    free(order);
    if (!done) {
        seating_destroy(s);
        return error_memory(e, "the places of %d ranks", ranks);
    }
    *out = s;
    return WEFT_OK;
}

void seating_destroy(seating *s)
{
    if (s != NULL) {
        free(s->share);
        free(s->host_cores);
        free(s->first);
        free(s);
    }
}
