/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tiles are done, and which rank has been given which: the decisions of the coordinator,
 * without clocks, messages or files of its own. */
#include "engine/leases.h"

#include <stdlib.h>
#include <string.h>

/* However patient, a time in nanoseconds must still fit. */
enum { MOST_DOUBLINGS = 10 };

/* A rank is asked to give something back this often at most. */
static const int64_t recall_ns = INT64_C(20000000);

/* A piece in the hands of a rank. Tiles may be done by then, by anyone. */
typedef struct lease {
    piece piece;
    int rank;
    int copies;      /* how often it has been handed out again */
    int64_t when_ns; /* when it was last handed out */
} lease;

struct leases {
    int64_t tiles;
    bool pure;
    bool *done;
    int ranks;
    int64_t *heard_ns;    /* per rank: when it last had something to report */
    int64_t *recalled_ns; /* per rank: when it was last asked to give something back */
    int64_t undone;
    int64_t next; /* tiles before it are done or handed out */
    schedule schedule;
    lease *active; /* oldest first, from `oldest` on */
    int64_t oldest;
    int64_t used;
    int64_t room;
    int64_t chunks;
    piece *returned; /* given back and not handed out again yet */
    int64_t returned_count;
    int64_t returned_room;
};

weft_status leases_create(int64_t tiles, int ranks, bool pure, leases **out, error *e)
{
    leases *l = calloc(1, sizeof *l);
    bool *done = calloc((size_t)tiles + 1, sizeof *done);
    int64_t *heard_ns = calloc((size_t)ranks, sizeof *heard_ns);
    int64_t *recalled_ns = calloc((size_t)ranks, sizeof *recalled_ns);
    if (l == NULL || done == NULL || heard_ns == NULL || recalled_ns == NULL) {
        free(recalled_ns);
        free(heard_ns);
        free(done);
        free(l);
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the state of %lld tiles",
                         (long long)tiles);
    }
    l->tiles = tiles;
    l->pure = pure;
    l->done = done;
    l->ranks = ranks;
    l->heard_ns = heard_ns;
    l->recalled_ns = recalled_ns;
    l->undone = tiles;
    *out = l;
    return WEFT_OK;
}

void leases_destroy(leases *l)
{
    if (l != NULL) {
        free(l->returned);
        free(l->active);
        free(l->recalled_ns);
        free(l->heard_ns);
        free(l->done);
        free(l);
    }
}

void leases_set_done(leases *l, int64_t tile)
{
    (void)leases_report(l, tile);
}

void leases_start(leases *l, technique t)
{
    schedule_init(&l->schedule, t, l->undone, l->ranks, 1);
}

void leases_hear(leases *l, int rank, int64_t now_ns)
{
    l->heard_ns[rank] = now_ns;
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

/* From what ranks have given back: at most so many tiles. */
static piece next_returned(leases *l, int64_t most)
{
    piece p = {.tiles = 0};
    while (l->returned_count > 0 && p.tiles == 0) {
        piece *last = &l->returned[l->returned_count - 1];
        if (!trim(l, last)) {
            l->returned_count--;
            continue;
        }
        p = (piece){.first = last->first, .tiles = last->tiles < most ? last->tiles : most};
        last->first += p.tiles;
        last->tiles -= p.tiles;
    }
    return p;
}

/* The next tiles that are to do, at most so many; none if all have been handed out. */
static piece next_piece(leases *l, int64_t most)
{
    piece p = next_returned(l, most);
    if (p.tiles > 0) {
        return p;
    }
    while (l->next < l->tiles && l->done[l->next]) {
        l->next++;
    }
    p.first = l->next;
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
    int64_t granted = 0;
    while (g->pieces < most && (granted < want || granted == 0 || chunk > 0)) {
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

/* Since when nothing has been heard of a lease: its rank may still be at an earlier one. */
static int64_t quiet_since(const leases *l, const lease *each)
{
    const int64_t heard_ns = l->heard_ns[each->rank];
    return heard_ns > each->when_ns ? heard_ns : each->when_ns;
}

/* The lease of another rank that is latest: with the fewest copies, and among equals the oldest.
 * Each copy doubles the patience, so that many idle ranks do not all repeat one long item. */
static lease *find_late(leases *l, int rank, int64_t now_ns, int64_t late_ns)
{
    lease *best = NULL;
    for (int64_t i = l->oldest; i < l->used; i++) {
        lease *candidate = &l->active[i];
        const bool late = now_ns - quiet_since(l, candidate) >= late_ns << candidate->copies;
        if (candidate->rank != rank && late && (best == NULL || candidate->copies < best->copies)) {
            best = candidate;
        }
    }
    return best;
}

/* The owner works from the front, so a copy is made of the back half first. */
static void grant_again(leases *l, int rank, int64_t now_ns, int64_t late_ns, grant *g)
{
    drop_finished(l);
    lease *late = find_late(l, rank, now_ns, late_ns);
    if (late == NULL) {
        return;
    }
    piece p = late->piece;
    if (p.tiles > 1 && late->copies == 0) {
        const int64_t kept = p.tiles / 2;
        late->piece.tiles = kept;
        p.first += kept;
        p.tiles -= kept;
        remember(l, p, rank, now_ns);
    } else {
        late->copies += late->copies < MOST_DOUBLINGS;
        late->when_ns = now_ns;
    }
    g->piece[g->pieces++] = p;
    l->chunks++;
}

void leases_grant(leases *l, int rank, int64_t want, int64_t now_ns, int64_t late_ns, grant *g)
{
    g->pieces = 0;
    forget_finished(l);
    if (l->undone == 0) {
        return;
    }
    /* Several chunks at once save messages, but not so many that others go without. */
    const int64_t share = l->schedule.remaining / (2 * (int64_t)l->ranks);
    grant_fresh(l, rank, want < share ? want : share, now_ns, g);
    if (g->pieces == 0 && l->pure) {
        grant_again(l, rank, now_ns, late_ns, g);
    }
}

bool leases_recall(leases *l, int rank, int64_t now_ns, int *holder)
{
    drop_finished(l);
    for (int64_t i = l->oldest; i < l->used; i++) {
        const int other = l->active[i].rank;
        if (other != rank && now_ns - l->recalled_ns[other] >= recall_ns) {
            l->recalled_ns[other] = now_ns;
            *holder = other;
            return true;
        }
    }
    return false;
}

/* The holder no longer answers for the piece: its lease falls into what is before and behind. */
static void split_lease(leases *l, int rank, piece p, int64_t now_ns)
{
    for (int64_t i = l->oldest; i < l->used; i++) {
        piece *held = &l->active[i].piece;
        const int64_t behind = held->first + held->tiles - (p.first + p.tiles);
        if (l->active[i].rank == rank && held->first <= p.first && behind >= 0) {
            held->tiles = p.first - held->first;
            if (behind > 0) {
                remember(l, (piece){.first = p.first + p.tiles, .tiles = behind}, rank, now_ns);
            }
            return;
        }
    }
}

void leases_return(leases *l, int rank, piece p, int64_t now_ns)
{
    if (l->returned_count == l->returned_room) {
        const int64_t room = l->returned_room == 0 ? 16 : 2 * l->returned_room;
        piece *larger = realloc(l->returned, (size_t)room * sizeof *larger);
        if (larger == NULL) {
            /* The lease stays, and is handed out again once it is late. */
            return;
        }
        l->returned = larger;
        l->returned_room = room;
    }
    split_lease(l, rank, p, now_ns);
    l->returned[l->returned_count++] = p;
    l->schedule.remaining += p.tiles;
}

int64_t leases_undone(const leases *l)
{
    return l->undone;
}

int64_t leases_chunks(const leases *l)
{
    return l->chunks;
}
