/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tiles are done, and which rank has been given which. */
#include "engine/leases.h"

#include <stdlib.h>
#include <string.h>

/* However patient, a time in nanoseconds must still fit. */
enum { MOST_DOUBLINGS = 10, NONE = -1 };

/* A piece in the hands of a rank. Tiles may be done by then, by anyone. */
typedef struct lease {
    piece piece;
    int64_t when_ns; /* when it was last handed out */
    int copies;      /* how often it has been handed out again … */
    int copier;      /* … and to whom last; NONE: to nobody, or it is dead */
    int before;      /* the same rank's; of free ones, unused */
    int behind;
} lease;

/* A rank's leases, oldest first. */
typedef struct holdings {
    int first;
    int last;
} holdings;

struct leases {
    int64_t tiles;
    int ranks;
    bool *done;
    int64_t undone;
    int64_t next; /* tiles before it are done, handed out or returned */
    holdings *of; /* per rank */
    lease *lease;
    int room;
    int free;        /* the first free one; the others by `behind` */
    piece *returned; /* given back and not handed out again yet */
    int64_t returned_count;
    int64_t returned_room;
};

weft_status leases_create(int64_t tiles, int ranks, leases **out, error *e)
{
    leases *l = calloc(1, sizeof *l);
    bool *done = calloc((size_t)tiles + 1, sizeof *done);
    holdings *of = malloc((size_t)ranks * sizeof *of);
    if (l == NULL || done == NULL || of == NULL) {
        free(of);
        free(done);
        free(l);
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the state of %lld tiles",
                         (long long)tiles);
    }
    for (int rank = 0; rank < ranks; rank++) {
        of[rank] = (holdings){.first = NONE, .last = NONE};
    }
    *l = (leases){
        .tiles = tiles, .ranks = ranks, .done = done, .undone = tiles, .of = of, .free = NONE};
    *out = l;
    return WEFT_OK;
}

void leases_destroy(leases *l)
{
    if (l != NULL) {
        free(l->returned);
        free(l->lease);
        free(l->of);
        free(l->done);
        free(l);
    }
}

bool leases_report(leases *l, int64_t tile)
{
    const bool first = !l->done[tile];
    l->done[tile] = true;
    l->undone -= first;
    return first;
}

int64_t leases_undone(const leases *l)
{
    return l->undone;
}

/* At least one free lease; false if there is no memory for it. */
static bool make_room(leases *l)
{
    if (l->free != NONE) {
        return true;
    }
    const int room = l->room == 0 ? 64 : 2 * l->room;
    lease *larger = room > l->room ? realloc(l->lease, (size_t)room * sizeof *larger) : NULL;
    if (larger == NULL) {
        return false;
    }
    for (int i = l->room; i < room; i++) {
        larger[i].behind = i + 1 < room ? i + 1 : NONE;
    }
    l->lease = larger;
    l->free = l->room;
    l->room = room;
    return true;
}

/* Without memory to remember it the piece is still computed; only a second try is lost. */
static void remember(leases *l, int rank, piece p, int64_t now_ns)
{
    if (!make_room(l)) {
        return;
    }
    holdings *h = &l->of[rank];
    const int i = l->free;
    l->free = l->lease[i].behind;
    l->lease[i] =
        (lease){.piece = p, .when_ns = now_ns, .copier = NONE, .before = h->last, .behind = NONE};
    if (h->last != NONE) {
        l->lease[h->last].behind = i;
    } else {
        h->first = i;
    }
    h->last = i;
}

static void forget(leases *l, int rank, int i)
{
    holdings *h = &l->of[rank];
    const lease old = l->lease[i];
    if (old.before != NONE) {
        l->lease[old.before].behind = old.behind;
    } else {
        h->first = old.behind;
    }
    if (old.behind != NONE) {
        l->lease[old.behind].before = old.before;
    } else {
        h->last = old.before;
    }
    l->lease[i].behind = l->free;
    l->free = i;
}

/* Cuts off what is done at both ends; false if nothing is left. */
static bool trim(const leases *l, piece *p)
{
    while (p->tiles > 0 && l->done[p->first]) {
        p->first++;
        p->tiles--;
    }
    while (p->tiles > 0 && l->done[piece_end(*p) - 1]) {
        p->tiles--;
    }
    return p->tiles > 0;
}

/* Ranks work from the front, so the oldest leases are the first to be over. */
static void forget_finished(leases *l, int rank)
{
    int i = l->of[rank].first;
    while (i != NONE && !trim(l, &l->lease[i].piece)) {
        forget(l, rank, i);
        i = l->of[rank].first;
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

static piece next_fresh(leases *l, int64_t most)
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

piece leases_take(leases *l, int rank, int64_t most, int64_t now_ns)
{
    piece p = next_returned(l, most);
    if (p.tiles == 0) {
        p = next_fresh(l, most);
    }
    if (p.tiles > 0) {
        forget_finished(l, rank);
        const int last = l->of[rank].last;
        if (last != NONE && piece_end(l->lease[last].piece) == p.first &&
            l->lease[last].copies == 0) {
            l->lease[last].piece.tiles += p.tiles;
            l->lease[last].when_ns = now_ns;
        } else {
            remember(l, rank, p, now_ns);
        }
    }
    return p;
}

/* The lease loses what a piece covers of it, and so may fall into two; how many tiles that is. */
static int64_t cut(leases *l, int rank, int i, piece p)
{
    const lease old = l->lease[i];
    const int64_t end = piece_end(old.piece);
    const int64_t from = p.first > old.piece.first ? p.first : old.piece.first;
    const int64_t to = piece_end(p) < end ? piece_end(p) : end;
    if (from >= to) {
        return 0;
    }
    l->lease[i].piece.tiles = from - old.piece.first;
    if (to < end) {
        remember(l, rank, (piece){.first = to, .tiles = end - to}, old.when_ns);
    }
    if (from == old.piece.first) {
        forget(l, rank, i);
    }
    return to - from;
}

/* Whether the rank had a piece as a copy only: it stays with its holder. */
static bool give_up_copy(leases *l, int rank, piece p)
{
    for (int each = 0; each < l->ranks; each++) {
        for (int i = l->of[each].first; i != NONE; i = l->lease[i].behind) {
            lease *held = &l->lease[i];
            if (held->copier == rank && p.first >= held->piece.first &&
                piece_end(p) <= piece_end(held->piece)) {
                held->copier = NONE;
                return true;
            }
        }
    }
    return false;
}

/* Room for one more piece that is to do again; false if there is no memory for it. */
static bool make_room_for_returned(leases *l)
{
    if (l->returned_count < l->returned_room) {
        return true;
    }
    const int64_t room = l->returned_room == 0 ? 16 : 2 * l->returned_room;
    piece *larger = realloc(l->returned, (size_t)room * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    l->returned = larger;
    l->returned_room = room;
    return true;
}

int64_t leases_return(leases *l, int rank, piece p)
{
    int64_t held = 0;
    if (!make_room_for_returned(l)) {
        /* The lease stays, and is handed out again once it is overdue. */
        return 0;
    }
    for (int i = l->of[rank].last; i != NONE;) {
        const int before = l->lease[i].before;
        held += cut(l, rank, i, p);
        i = before;
    }
    if (held == 0 && give_up_copy(l, rank, p)) {
        return 0;
    }
    l->returned[l->returned_count++] = p;
    return p.tiles;
}

/* What is not done of a piece is to do again; how many tiles. False in *all: there was no memory
 * for some. */
static int64_t return_undone(leases *l, piece p, bool *all)
{
    int64_t undone = 0;
    for (int64_t tile = p.first; tile < piece_end(p);) {
        piece run = {.first = tile};
        while (piece_end(run) < piece_end(p) && !l->done[piece_end(run)]) {
            run.tiles++;
        }
        if (run.tiles > 0 && !make_room_for_returned(l)) {
            *all = false;
            break;
        }
        if (run.tiles > 0) {
            l->returned[l->returned_count++] = run;
            undone += run.tiles;
        }
        tile = piece_end(run) + 1;
    }
    return undone;
}

/* No copy is to be expected of a rank. */
static void forget_copier(leases *l, int rank)
{
    for (int each = 0; each < l->ranks; each++) {
        for (int i = l->of[each].first; i != NONE; i = l->lease[i].behind) {
            l->lease[i].copier = l->lease[i].copier == rank ? NONE : l->lease[i].copier;
        }
    }
}

/* What another rank has a copy of is its own from then on. */
int64_t leases_bury(leases *l, int rank)
{
    int64_t undone = 0;
    forget_copier(l, rank);
    for (int i = l->of[rank].first; i != NONE;) {
        const int behind = l->lease[i].behind;
        const lease old = l->lease[i];
        bool all = true;
        if (old.copier != NONE && make_room(l)) {
            remember(l, old.copier, old.piece, old.when_ns);
        } else {
            undone += return_undone(l, old.piece, &all);
        }
        if (all) {
            forget(l, rank, i);
        }
        i = behind;
    }
    return undone;
}

bool leases_find_overdue(leases *l, int rank, int64_t heard_ns, int64_t now_ns, int64_t late_ns,
                         overdue *found)
{
    bool any = false;
    forget_finished(l, rank);
    for (int i = l->of[rank].first; i != NONE; i = l->lease[i].behind) {
        lease *each = &l->lease[i];
        const int64_t since_ns = heard_ns > each->when_ns ? heard_ns : each->when_ns;
        if (now_ns - since_ns >= late_ns << each->copies && trim(l, &each->piece) &&
            (!any || each->copies < found->copies)) {
            *found = (overdue){
                .rank = rank, .copies = each->copies, .copier = each->copier, .since_ns = since_ns};
            any = true;
        }
    }
    return any;
}

/* The owner works from the front, so a copy is made of the back half first. */
piece leases_copy(leases *l, const overdue *from, int rank, int64_t now_ns)
{
    int i = l->of[from->rank].first;
    while (i != NONE && (l->lease[i].copies != from->copies || !trim(l, &l->lease[i].piece))) {
        i = l->lease[i].behind;
    }
    if (i == NONE) {
        return (piece){.tiles = 0};
    }
    lease *late = &l->lease[i];
    piece p = late->piece;
    if (p.tiles > 1 && late->copies == 0) {
        const int64_t kept = p.tiles / 2;
        late->piece.tiles = kept;
        p.first += kept;
        p.tiles -= kept;
        remember(l, rank, p, now_ns);
    } else {
        late->copies += late->copies < MOST_DOUBLINGS;
        late->copier = rank;
        late->when_ns = now_ns;
    }
    return p;
}
