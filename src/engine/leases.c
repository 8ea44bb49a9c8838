/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tiles are done, and which rank has been given which: the decisions of the coordinator,
 * without clocks, messages or files of its own. */
#include "engine/leases.h"

#include <stdlib.h>
#include <string.h>

/* How long a lease of which everything has been handed out twice is left in peace. */
static const int64_t patience_ns = INT64_C(1000000000);

/* A piece in the hands of a rank. Tiles may be done by then, by anyone. */
typedef struct lease {
    piece piece;
    int rank;
    int copies;      /* how often it has been handed out again, whole */
    int64_t when_ns; /* when it was last handed out */
} lease;

struct leases {
    int64_t tiles;
    bool pure;
    bool *done;
    int64_t undone;
    int64_t next; /* tiles before it are done or handed out */
    schedule schedule;
    lease *active; /* oldest first, from `oldest` on */
    int64_t oldest;
    int64_t used;
    int64_t room;
    int64_t chunks;
};

weft_status leases_create(int64_t tiles, bool pure, leases **out, error *e)
{
    leases *l = calloc(1, sizeof *l);
    bool *done = calloc((size_t)tiles + 1, sizeof *done);
    if (l == NULL || done == NULL) {
        free(done);
        free(l);
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the state of %lld tiles",
                         (long long)tiles);
    }
    l->tiles = tiles;
    l->pure = pure;
    l->done = done;
    l->undone = tiles;
    *out = l;
    return WEFT_OK;
}

void leases_destroy(leases *l)
{
    if (l != NULL) {
        free(l->active);
        free(l->done);
        free(l);
    }
}

void leases_set_done(leases *l, int64_t tile)
{
    (void)leases_report(l, tile);
}

void leases_start(leases *l, technique t, int ranks)
{
    schedule_init(&l->schedule, t, l->undone, ranks, 1);
}

bool leases_report(leases *l, int64_t tile)
{
    const bool first = !l->done[tile];
    l->done[tile] = true;
    l->undone -= first;
    return first;
}

/* Room for one more lease, by closing up what is over, or by more memory. */
static bool make_room(leases *l)
{
    if (l->oldest > l->room / 2) {
        memmove(l->active, l->active + l->oldest,
                (size_t)(l->used - l->oldest) * sizeof *l->active);
        l->used -= l->oldest;
        l->oldest = 0;
    }
    if (l->used < l->room) {
        return true;
    }
    const int64_t room = l->room == 0 ? 64 : 2 * l->room;
    lease *larger = realloc(l->active, (size_t)room * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    l->active = larger;
    l->room = room;
    return true;
}

/* Without memory to remember it the piece is still computed; only a second try is lost. */
static void remember(leases *l, piece p, int rank, int64_t now_ns)
{
    if (make_room(l)) {
        l->active[l->used++] = (lease){.piece = p, .rank = rank, .when_ns = now_ns};
    }
}

/* Cuts off what is done at both ends; false if nothing is left. */
static bool trim(const leases *l, piece *p)
{
    while (p->tiles > 0 && l->done[p->first]) {
        p->first++;
        p->tiles--;
    }
    while (p->tiles > 0 && l->done[p->first + p->tiles - 1]) {
        p->tiles--;
    }
    return p->tiles > 0;
}

static void forget_finished(leases *l)
{
    while (l->oldest < l->used && !trim(l, &l->active[l->oldest].piece)) {
        l->oldest++;
    }
}

/* The next tiles that are to do, up to a number; none if all have been handed out. */
static piece next_piece(leases *l, int64_t most)
{
    while (l->next < l->tiles && l->done[l->next]) {
        l->next++;
    }
    piece p = {.first = l->next};
    while (l->next < l->tiles && p.tiles < most && !l->done[l->next]) {
        l->next++;
        p.tiles++;
    }
    return p;
}

/* Chunks of the technique's size until the rank has what it wants. Where tiles are done already, a
 * chunk falls into several pieces. */
static void grant_fresh(leases *l, int rank, int64_t want, int64_t now_ns, grant *g)
{
    const int most = (int)(sizeof g->piece / sizeof g->piece[0]);
    int64_t chunk = 0;
    for (int64_t granted = 0; g->pieces < most && (granted < want || chunk > 0);) {
        if (chunk == 0) {
            chunk = schedule_next(&l->schedule);
            l->chunks += chunk > 0;
        }
        const piece p = next_piece(l, chunk);
        if (p.tiles == 0) {
            break;
        }
        chunk -= p.tiles;
        granted += p.tiles;
        g->piece[g->pieces++] = p;
        remember(l, p, rank, now_ns);
    }
    /* What did not fit into the message goes back to the technique. */
    l->schedule.remaining += chunk;
}

/* Drops every lease that is over, so that looking through them stays short. */
static void drop_finished(leases *l)
{
    int64_t kept = 0;
    for (int64_t i = l->oldest; i < l->used; i++) {
        lease each = l->active[i];
        if (trim(l, &each.piece)) {
            l->active[kept++] = each;
        }
    }
    l->oldest = 0;
    l->used = kept;
}

/* The outstanding lease that is best helped: never handed out again before, else the one with the
 * fewest copies that has been left in peace long enough; among equals the oldest. */
static lease *find_outstanding(leases *l, int rank, int64_t now_ns)
{
    lease *best = NULL;
    for (int64_t i = l->oldest; i < l->used; i++) {
        lease *candidate = &l->active[i];
        if (candidate->rank == rank) {
            continue;
        }
        const bool peace = candidate->copies > 0 &&
                           now_ns - candidate->when_ns < patience_ns << (candidate->copies - 1);
        if (!peace && (best == NULL || candidate->copies < best->copies)) {
            best = candidate;
        }
        if (best != NULL && best->copies == 0) {
            break;
        }
    }
    return best;
}

/* The owner works from the front, so the back half is taken; of a single tile, a second copy. */
static void grant_again(leases *l, int rank, int64_t now_ns, grant *g)
{
    drop_finished(l);
    lease *from = find_outstanding(l, rank, now_ns);
    if (from == NULL) {
        return;
    }
    piece p = from->piece;
    g->victim = from->rank;
    if (p.tiles > 1 && from->copies == 0) {
        const int64_t kept = p.tiles / 2;
        from->piece.tiles = kept;
        p.first += kept;
        p.tiles -= kept;
        remember(l, p, rank, now_ns);
    } else {
        from->copies += from->copies < 20;
        from->when_ns = now_ns;
    }
    g->piece[g->pieces++] = p;
    l->chunks++;
}

void leases_grant(leases *l, int rank, int64_t want, int64_t now_ns, grant *g)
{
    g->pieces = 0;
    g->victim = -1;
    forget_finished(l);
    if (l->undone == 0) {
        return;
    }
    grant_fresh(l, rank, want > 0 ? want : 1, now_ns, g);
    if (g->pieces == 0 && l->pure) {
        grant_again(l, rank, now_ns, g);
    }
}

int64_t leases_undone(const leases *l)
{
    return l->undone;
}

int64_t leases_chunks(const leases *l)
{
    return l->chunks;
}
