/* SPDX-License-Identifier: BSD-3-Clause */
/* Mailboxes of the ranks of this machine: a file without a name, which the others open through the
 * process that has made it. */
#define _GNU_SOURCE 1
#include "comm/mailbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NONE = -1 };

typedef struct rank_boxes {
    mailbox of[MAILBOXES_EACH];
} rank_boxes;

typedef struct shared {
    atomic_int joined; /* ranks */
    char fill[sizeof(rank_boxes) - sizeof(atomic_int)];
    rank_boxes rank[];
} shared;

struct mailboxes {
    int ranks;
    int descriptor; /* of one's own memory; NONE: it is another rank's */
    shared *shared;
    bool near[];
};

static size_t bytes_for(int ranks)
{
    return sizeof(shared) + (size_t)ranks * sizeof(rank_boxes);
}

static shared *map(int descriptor, int ranks)
{
    void *at = mmap(NULL, bytes_for(ranks), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (at == MAP_FAILED) {
        return NULL;
    }
    return at;
}

static bool find_place(int descriptor, mailboxes_place *place)
{
    struct stat about;
    if (fstat(descriptor, &about) != 0) {
        return false;
    }
    *place =
        (mailboxes_place){.descriptor = descriptor, .device = about.st_dev, .file = about.st_ino};
    return true;
}

mailboxes *mailboxes_create(int ranks, mailboxes_place *place)
{
    mailboxes *b = calloc(1, sizeof *b + (size_t)ranks * sizeof b->near[0]);
    *place = (mailboxes_place){.descriptor = NONE};
    if (b == NULL) {
        return NULL;
    }
    b->ranks = ranks;
    b->descriptor = memfd_create("weft", MFD_CLOEXEC);
    if (b->descriptor != NONE && ftruncate(b->descriptor, (off_t)bytes_for(ranks)) == 0) {
        b->shared = map(b->descriptor, ranks);
    }
    if (b->shared == NULL || !find_place(b->descriptor, place)) {
        mailboxes_destroy(b);
        return NULL;
    }
    return b;
}

/* Lets go of one's own memory. */
static void let_go(mailboxes *b)
{
    if (b->shared != NULL) {
        (void)munmap(b->shared, bytes_for(b->ranks));
        b->shared = NULL;
    }
    if (b->descriptor != NONE) {
        (void)close(b->descriptor);
        b->descriptor = NONE;
    }
}

/* The number of a descriptor may stand for another file by now. */
static shared *open_place(const mailboxes_peer *peer, int ranks)
{
    char path[64];
    mailboxes_place found;
    shared *memory = NULL;
    (void)snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)peer->process.pid,
                   (long long)peer->place.descriptor);
    const int descriptor = open(path, O_RDWR | O_CLOEXEC);
    if (descriptor == NONE) {
        return NULL;
    }
    if (find_place(descriptor, &found) && found.device == peer->place.device &&
        found.file == peer->place.file) {
        memory = map(descriptor, ranks);
    }
    (void)close(descriptor);
    return memory;
}

mailboxes *mailboxes_join(mailboxes *b, const mailboxes_peer of[], int rank)
{
    int lowest = NONE;
    if (b == NULL) {
        return NULL;
    }
    for (int i = b->ranks - 1; i >= 0; i--) {
        b->near[i] = host_process_near(&of[i].process, &of[rank].process);
        lowest = b->near[i] ? i : lowest;
    }
    if (lowest != rank) {
        let_go(b);
        b->shared = lowest != NONE ? open_place(&of[lowest], b->ranks) : NULL;
    }
    if (b->shared == NULL) {
        mailboxes_destroy(b);
        return NULL;
    }
    atomic_fetch_add(&b->shared->joined, 1);
    return b;
}

void mailboxes_destroy(mailboxes *b)
{
    if (b != NULL) {
        let_go(b);
        free(b);
    }
}

mailbox *mailboxes_of(mailboxes *b, int rank, int number)
{
    if (b == NULL || rank < 0 || rank >= b->ranks || !b->near[rank] || number >= MAILBOXES_EACH) {
        return NULL;
    }
    return &b->shared->rank[rank].of[number];
}

bool mailboxes_are_complete(const mailboxes *b)
{
    return b != NULL && atomic_load_explicit(&b->shared->joined, memory_order_relaxed) == b->ranks;
}
