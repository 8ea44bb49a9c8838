/* SPDX-License-Identifier: BSD-3-Clause */
/* The suspects: items that may have killed a process, and are therefore computed in a child. */
#include "engine/suspects.h"

#include <stdlib.h>

/* Sorted and disjoint; never changed once workers can see it. */
typedef struct snapshot {
    struct snapshot *older; /* a worker may still look at it */
    int64_t count;
    suspect list[];
} snapshot;

weft_status suspects_create(suspects **out, error *e)
{
    suspects *s = malloc(sizeof *s);
    if (s == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for suspects");
    }
    atomic_init(&s->now, NULL);
    *out = s;
    return WEFT_OK;
}

void suspects_destroy(suspects *s)
{
    snapshot *each = s == NULL ? NULL : atomic_load(&s->now);
    while (each != NULL) {
        snapshot *older = each->older;
        free(each);
        each = older;
    }
    free(s);
}

/* Where suspect items begin or end. */
typedef struct edge {
    int64_t item;
    int crashes;
    int step; /* 1: they begin; -1: they end */
} edge;

static int compare_edges(const void *a, const void *b)
{
    const int64_t x = ((const edge *)a)->item;
    const int64_t y = ((const edge *)b)->item;
    return (x > y) - (x < y);
}

static edge *put_edges(edge *to, const suspect list[], int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const int crashes = list[i].crashes > 0;
        *to++ = (edge){.item = list[i].first, .crashes = crashes, .step = 1};
        *to++ = (edge){.item = list[i].first + list[i].count, .crashes = crashes, .step = -1};
    }
    return to;
}

/* Appends a run; it is joined to the last one where they touch and are alike. */
static void append(snapshot *s, int64_t first, int64_t end, int crashes)
{
    suspect *last = s->count == 0 ? NULL : &s->list[s->count - 1];
    if (last != NULL && last->first + last->count == first && last->crashes == crashes) {
        last->count += end - first;
    } else {
        s->list[s->count++] = (suspect){.first = first, .count = end - first, .crashes = crashes};
    }
}

/* From edge to edge: by how many of the lists' entries an item is suspected, for either number of
 * crashes. */
static void sweep(snapshot *s, const edge edges[], int64_t count)
{
    int64_t depth[2] = {0, 0};
    for (int64_t i = 0; i + 1 < count; i++) {
        depth[edges[i].crashes] += edges[i].step;
        if (edges[i].item < edges[i + 1].item && depth[0] + depth[1] > 0) {
            append(s, edges[i].item, edges[i + 1].item, depth[1] > 0);
        }
    }
}

weft_status suspects_add(suspects *s, const suspect list[], int64_t count, error *e)
{
    snapshot *old = atomic_load_explicit(&s->now, memory_order_relaxed);
    const int64_t room = 2 * (count + (old == NULL ? 0 : old->count));
    if (count == 0) {
        return WEFT_OK;
    }
    edge *edges = malloc((size_t)room * sizeof *edges);
    snapshot *merged = malloc(sizeof *merged + (size_t)room * sizeof merged->list[0]);
    if (edges == NULL || merged == NULL) {
        free(merged);
        free(edges);
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for %lld suspects", (long long)count);
    }
    merged->older = old;
    merged->count = 0;
    edge *end = put_edges(edges, list, count);
    if (old != NULL) {
        end = put_edges(end, old->list, old->count);
    }
    qsort(edges, (size_t)(end - edges), sizeof *edges, compare_edges);
    sweep(merged, edges, end - edges);
    free(edges);
    atomic_store_explicit(&s->now, merged, memory_order_release);
    return WEFT_OK;
}

/* The first of them that does not end before an item. */
static int64_t find(const snapshot *s, int64_t item)
{
    int64_t low = 0;
    int64_t high = s->count;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (s->list[middle].first + s->list[middle].count <= item) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int64_t suspects_look(const suspects *s, int64_t first, int64_t count, bool *found, int *crashes)
{
    const snapshot *now = atomic_load_explicit(&s->now, memory_order_acquire);
    *found = false;
    *crashes = 0;
    if (now == NULL) {
        return count;
    }
    const int64_t at = find(now, first);
    if (at == now->count) {
        return count;
    }
    const suspect *next = &now->list[at];
    *found = next->first <= first;
    *crashes = *found ? next->crashes : 0;
    const int64_t end = *found ? next->first + next->count : next->first;
    return end - first < count ? end - first : count;
}

const suspect *suspects_list(const suspects *s, int64_t *count)
{
    const snapshot *now = atomic_load_explicit(&s->now, memory_order_acquire);
    *count = now == NULL ? 0 : now->count;
    return now == NULL ? NULL : now->list;
}
