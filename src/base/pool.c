/* SPDX-License-Identifier: BSD-3-Clause */
/* Pieces of memory that are used again and again. */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

/* Of more free pieces than that the smallest goes back to the heap: a large one costs more to get
 * again, and serves whoever needs a small one too. */
enum { MOST_FREE = 64 };

/* What comes before a piece. */
typedef struct head {
    struct head *next; /* of the free ones */
    pool *pool;
    size_t room;
    atomic_int users;
    max_align_t bytes[];
} head;

struct pool {
    pthread_mutex_t mutex;
    head *free;
    int count;
};

weft_status pool_create(pool **out, error *e)
{
    pool *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return error_memory(e, "a pool of memory");
    }
    (void)pthread_mutex_init(&p->mutex, NULL);
    *out = p;
    return WEFT_OK;
}

void pool_destroy(pool *p)
{
    if (p == NULL) {
        return;
    }
    while (p->free != NULL) {
        head *next = p->free->next;
        free(p->free);
        p->free = next;
    }
    (void)pthread_mutex_destroy(&p->mutex);
    free(p);
}

static head *take_out(pool *p, head **link)
{
    head *h = *link;
    *link = h->next;
    p->count--;
    return h;
}

/* The free piece that was used last, of those that are large enough; NULL: there is none. */
static head *find(pool *p, size_t bytes)
{
    head **link = &p->free;
    while (*link != NULL && (*link)->room < bytes) {
        link = &(*link)->next;
    }
    return *link != NULL ? take_out(p, link) : NULL;
}

/* The smallest free piece, and of several the one that was not used for the longest time. */
static head *find_smallest(pool *p)
{
    head **smallest = &p->free;
    for (head **link = smallest; *link != NULL; link = &(*link)->next) {
        smallest = (*link)->room <= (*smallest)->room ? link : smallest;
    }
    return take_out(p, smallest);
}

void *pool_take(pool *p, size_t bytes)
{
    (void)pthread_mutex_lock(&p->mutex);
    head *h = find(p, bytes);
    (void)pthread_mutex_unlock(&p->mutex);
    if (h == NULL) {
        h = bytes < SIZE_MAX / 2 ? malloc(sizeof *h + bytes) : NULL;
        if (h == NULL) {
            return NULL;
        }
        h->pool = p;
        h->room = bytes;
    }
    atomic_init(&h->users, 1);
    return h->bytes;
}

static head *head_of(void *piece)
{
    return (head *)(void *)((char *)piece - offsetof(head, bytes));
}

size_t pool_room(const void *piece)
{
    return ((const head *)(const void *)((const char *)piece - offsetof(head, bytes)))->room;
}

void pool_share(void *piece)
{
    (void)atomic_fetch_add(&head_of(piece)->users, 1);
}

void pool_give(void *piece)
{
    if (piece == NULL || atomic_fetch_sub(&head_of(piece)->users, 1) > 1) {
        return;
    }
    head *h = head_of(piece);
    pool *p = h->pool;
    (void)pthread_mutex_lock(&p->mutex);
    h->next = p->free;
    p->free = h;
    p->count++;
    head *spare = p->count > MOST_FREE ? find_smallest(p) : NULL;
    (void)pthread_mutex_unlock(&p->mutex);
    free(spare);
}
