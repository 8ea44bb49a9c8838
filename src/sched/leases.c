/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tiles are done, which rank has been given which, and which are reserved for whom. */
#include "sched/leases.h"

#include "base/array.h"
#include "base/pages.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* However patient, a time in nanoseconds must still fit. */
enum { MOST_DOUBLINGS = 10, NONE = -1 };

/* What is known of a tile. */
enum { TILE_IS_DONE = 1, TILE_IS_CAREFUL = 2 };

/* A piece in the hands of a rank. Tiles may be done by then, by anyone. */
typedef struct lease {
    interval interval;
    int64_t when_ns; /* when it was last handed out */
    int copies;      /* how often it has been handed out again … */
    int copier;      /* … and to whom last; NONE: to nobody, or it is dead */
    int from;        /* the rank that had it before, and was late; NONE: nobody */
    int before;      /* the same rank's; of free ones, unused */
    int behind;
} lease;

/* A rank's leases, oldest first, and what is reserved for it: tiles from one to another, less those
 * that are done. */
typedef struct holdings {
    int first;
    int last;
    interval reserve;
    int64_t reserved; /* tiles of it to do */
} holdings;

struct leases {
    int64_t tiles;
    int ranks;
    unsigned char *tile; /* TILE_IS_… */
    int64_t undone;
    int64_t next;  /* tiles before it are done, reserved, leased or returned */
    int64_t ahead; /* of those from there on, how many are to do */
    holdings *of;  /* per rank */
    lease *lease;
    int64_t room;
    int free;           /* the first free one; the others by `behind` */
    interval *returned; /* given back and not reserved again yet */
    int64_t returned_count;
    int64_t returned_room;
    bool incomplete; /* there was no memory for all that is to be remembered */
};

weft_status leases_create(int64_t tiles, int ranks, leases **out, error *e)
{
    leases *l = calloc(1, sizeof *l);
    unsigned char *tile = pages_create((size_t)tiles + 1);
    holdings *of = malloc((size_t)ranks * sizeof *of);
    if (l == NULL || tile == NULL || of == NULL) {
        free(of);
        pages_destroy(tile, (size_t)tiles + 1);
        free(l);
        return error_memory(e, "the state of %lld tiles", (long long)tiles);
    }
    for (int rank = 0; rank < ranks; rank++) {
        of[rank] = (holdings){.first = NONE, .last = NONE};
    }
    *l = (leases){.tiles = tiles,
                  .ranks = ranks,
                  .tile = tile,
                  .undone = tiles,
                  .ahead = tiles,
                  .of = of,
                  .free = NONE};
    *out = l;
    return WEFT_OK;
}

void leases_destroy(leases *l)
{
    if (l != NULL) {
        free(l->returned);
        free(l->lease);
        free(l->of);
        pages_destroy(l->tile, (size_t)l->tiles + 1);
        free(l);
    }
}

static bool is_done(const leases *l, int64_t tile)
{
    return (l->tile[tile] & TILE_IS_DONE) != 0;
}

/* The first tile from one on, before the end, of which those bits are not as in `same`; the end if
 * there is none. Eight tiles are looked at at a time. */
static int64_t skip(const leases *l, int64_t tile, int64_t end, unsigned bits, unsigned same)
{
    static const uint64_t every_byte = UINT64_C(0x0101010101010101);
    uint64_t word = 0;
    while (end - tile >= (int64_t)sizeof word) {
        memcpy(&word, &l->tile[tile], sizeof word);
        if ((word & (every_byte * bits)) != every_byte * same) {
            break;
        }
        tile += (int64_t)sizeof word;
    }
    while (tile < end && (l->tile[tile] & bits) == same) {
        tile++;
    }
    return tile;
}

static int64_t smaller_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t leases_report_run(leases *l, int64_t first, int64_t tiles)
{
    const int64_t fresh = skip(l, first, first + tiles, TILE_IS_DONE, 0) - first;
    for (int64_t i = 0; i < fresh; i++) {
        l->tile[first + i] |= TILE_IS_DONE;
    }
    l->undone -= fresh;
    l->ahead -= first >= l->next ? fresh : 0;
    return fresh;
}

void leases_set_careful(leases *l, int64_t tile)
{
    l->tile[tile] |= TILE_IS_CAREFUL;
}

int64_t leases_next_careful(const leases *l, int64_t tile, int64_t end)
{
    return skip(l, tile, end, TILE_IS_CAREFUL, 0);
}

int64_t leases_undone(const leases *l)
{
    return l->undone;
}

weft_status leases_status(const leases *l, error *e)
{
    return !l->incomplete ? WEFT_OK : error_memory(e, "what ranks have");
}

/* At least one free lease; false if there is no memory for it. */
static bool make_room(leases *l)
{
    if (l->free != NONE) {
        return true;
    }
    const int64_t had = l->room;
    if (had > INT_MAX / 4 || !ARRAY_RESERVE(l->lease, l->room, had + 1)) {
        l->incomplete = true;
        return false;
    }
    for (int i = (int)had; i < l->room; i++) {
        l->lease[i].behind = i + 1 < l->room ? i + 1 : NONE;
    }
    l->free = (int)had;
    return true;
}

static void remember(leases *l, int rank, interval p, int64_t now_ns)
{
    if (!make_room(l)) {
        return;
    }
    holdings *h = &l->of[rank];
    const int i = l->free;
    l->free = l->lease[i].behind;
    l->lease[i] = (lease){.interval = p,
                          .when_ns = now_ns,
                          .copier = NONE,
                          .from = NONE,
                          .before = h->last,
                          .behind = NONE};
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
static bool trim(const leases *l, interval *p)
{
    const int64_t end = interval_end(*p);
    p->first = skip(l, p->first, end, TILE_IS_DONE, TILE_IS_DONE);
    p->tiles = end - p->first;
    while (p->tiles > 0 && is_done(l, interval_end(*p) - 1)) {
        p->tiles--;
    }
    return p->tiles > 0;
}

/* Ranks work from the front, so the oldest leases are the first to be over. */
static void forget_finished(leases *l, int rank)
{
    int i = l->of[rank].first;
    while (i != NONE && !trim(l, &l->lease[i].interval)) {
        forget(l, rank, i);
        i = l->of[rank].first;
    }
}

/* From what ranks have given back: at most `most` tiles. */
static interval next_returned(leases *l, int64_t most)
{
    interval p = {.tiles = 0};
    while (l->returned_count > 0 && p.tiles == 0) {
        interval *last = &l->returned[l->returned_count - 1];
        if (!trim(l, last)) {
            l->returned_count--;
            continue;
        }
        p = (interval){.first = last->first, .tiles = last->tiles < most ? last->tiles : most};
        last->first += p.tiles;
        last->tiles -= p.tiles;
    }
    return p;
}

/* The tiles to do of a run. */
static int64_t count_undone(const leases *l, interval p)
{
    int64_t undone = 0;
    for (int64_t tile = p.first; tile < interval_end(p); tile++) {
        undone += !is_done(l, tile);
    }
    return undone;
}

/* From `next` on, until `most` of them are to do; *undone says how many are. */
static interval next_fresh(leases *l, int64_t most, int64_t *undone)
{
    interval p = {.first = l->next};
    *undone = 0;
    while (l->next < l->tiles && *undone < most) {
        l->next = skip(l, l->next, l->tiles, TILE_IS_DONE, TILE_IS_DONE);
        const int64_t first = l->next;
        l->next =
            skip(l, first, first + smaller_of(l->tiles - first, most - *undone), TILE_IS_DONE, 0);
        *undone += l->next - first;
    }
    p.tiles = l->next - p.first;
    l->ahead -= *undone;
    return p;
}

int64_t leases_reserve(leases *l, int rank, int64_t most)
{
    holdings *h = &l->of[rank];
    h->reserve = next_returned(l, most);
    h->reserved = count_undone(l, h->reserve);
    if (h->reserved == 0) {
        h->reserve = next_fresh(l, most, &h->reserved);
    }
    return h->reserved;
}

int64_t leases_reserved(const leases *l, int rank)
{
    return l->of[rank].reserved;
}

int64_t leases_leased(const leases *l)
{
    int64_t ready = l->ahead;
    for (int rank = 0; rank < l->ranks; rank++) {
        ready += l->of[rank].reserved;
    }
    for (int64_t i = 0; i < l->returned_count; i++) {
        ready += count_undone(l, l->returned[i]);
    }
    return l->undone > ready ? l->undone - ready : 0;
}

int64_t leases_steal(leases *l, int from, int to)
{
    holdings *rich = &l->of[from];
    holdings *poor = &l->of[to];
    const int64_t half = (count_undone(l, rich->reserve) + 1) / 2;
    interval p = {.first = interval_end(rich->reserve)};
    for (int64_t undone = 0; undone < half; p.tiles++) {
        p.first--;
        undone += !is_done(l, p.first);
    }
    rich->reserve.tiles -= p.tiles;
    rich->reserved = count_undone(l, rich->reserve);
    poor->reserve = p;
    poor->reserved = half;
    return half;
}

/* The first tiles to do of a run, at most `most`, as far as they are alike. */
static interval first_alike(const leases *l, interval run, int64_t most)
{
    const int64_t end = interval_end(run);
    interval p = {.first = skip(l, run.first, end, TILE_IS_DONE, TILE_IS_DONE)};
    p.careful = p.first < end && (l->tile[p.first] & TILE_IS_CAREFUL) != 0;
    p.tiles = skip(l, p.first, p.first + smaller_of(end - p.first, most),
                   TILE_IS_DONE | TILE_IS_CAREFUL, p.careful ? TILE_IS_CAREFUL : 0) -
              p.first;
    return p;
}

interval leases_take(leases *l, int rank, int64_t most, int64_t now_ns)
{
    holdings *h = &l->of[rank];
    const interval p = first_alike(l, h->reserve, most);
    h->reserve.tiles = interval_end(h->reserve) - interval_end(p);
    h->reserve.first = interval_end(p);
    h->reserved = h->reserve.tiles > 0 ? h->reserved - p.tiles : 0;
    if (p.tiles > 0) {
        forget_finished(l, rank);
        const int last = h->last;
        if (last != NONE && interval_end(l->lease[last].interval) == p.first &&
            l->lease[last].copies == 0 && l->lease[last].from == NONE) {
            l->lease[last].interval.tiles += p.tiles;
            l->lease[last].when_ns = now_ns;
        } else {
            remember(l, rank, p, now_ns);
        }
    }
    return p;
}

/* The lease loses what a piece covers of it, and so may fall into two; how many tiles that is. */
static int64_t cut(leases *l, int rank, int i, interval p)
{
    const lease old = l->lease[i];
    const int64_t end = interval_end(old.interval);
    const int64_t from = p.first > old.interval.first ? p.first : old.interval.first;
    const int64_t to = interval_end(p) < end ? interval_end(p) : end;
    if (from >= to) {
        return 0;
    }
    l->lease[i].interval.tiles = from - old.interval.first;
    if (to < end) {
        remember(l, rank, (interval){.first = to, .tiles = end - to}, old.when_ns);
    }
    if (from == old.interval.first) {
        forget(l, rank, i);
    }
    return to - from;
}

/* Whether the rank had a piece as a copy only: it stays with its holder. */
static bool give_up_copy(leases *l, int rank, interval p)
{
    for (int each = 0; each < l->ranks; each++) {
        for (int i = l->of[each].first; i != NONE; i = l->lease[i].behind) {
            lease *held = &l->lease[i];
            if (held->copier == rank && p.first >= held->interval.first &&
                interval_end(p) <= interval_end(held->interval)) {
                held->copier = NONE;
                return true;
            }
        }
    }
    return false;
}

/* A piece is to do again. */
static void put_back(leases *l, interval p)
{
    if (!ARRAY_RESERVE(l->returned, l->returned_room, l->returned_count + 1)) {
        l->incomplete = true;
        return;
    }
    l->returned[l->returned_count++] = p;
}

int64_t leases_return(leases *l, int rank, interval p)
{
    int64_t held = 0;
    for (int i = l->of[rank].last; i != NONE;) {
        const int before = l->lease[i].before;
        held += cut(l, rank, i, p);
        i = before;
    }
    if (held == 0 && give_up_copy(l, rank, p)) {
        return 0;
    }
    put_back(l, p);
    return p.tiles;
}

static void suspect(leases *l, interval p)
{
    for (int64_t tile = p.first; tile < interval_end(p); tile++) {
        leases_set_careful(l, tile);
    }
}

/* No copy is to be expected of a dead rank. It may have died of one, or of what it was late with
 * and another has now. */
static void forget_copier(leases *l, int rank)
{
    for (int each = 0; each < l->ranks; each++) {
        for (int i = l->of[each].first; i != NONE; i = l->lease[i].behind) {
            lease *held = &l->lease[i];
            if (held->copier == rank || held->from == rank) {
                suspect(l, held->interval);
                held->copier = held->copier == rank ? NONE : held->copier;
            }
        }
    }
}

/* Nothing is reserved for the rank any more; how many tiles were. */
static int64_t unreserve(leases *l, int rank)
{
    holdings *h = &l->of[rank];
    const int64_t reserved = h->reserved > 0 ? count_undone(l, h->reserve) : 0;
    if (reserved > 0) {
        put_back(l, h->reserve);
    }
    h->reserve.tiles = 0;
    h->reserved = 0;
    return reserved;
}

/* What another rank has a copy of is its own from then on. */
int64_t leases_bury(leases *l, int rank, int64_t *reserved)
{
    int64_t undone = 0;
    *reserved = unreserve(l, rank);
    forget_copier(l, rank);
    for (int i = l->of[rank].first; i != NONE;) {
        const int behind = l->lease[i].behind;
        const lease old = l->lease[i];
        suspect(l, old.interval);
        forget(l, rank, i);
        if (old.copier != NONE) {
            remember(l, old.copier, old.interval, old.when_ns);
        } else {
            put_back(l, old.interval);
            undone += count_undone(l, old.interval);
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
        if (now_ns - since_ns >= late_ns << each->copies && trim(l, &each->interval) &&
            (!any || each->copies < found->copies)) {
            *found = (overdue){
                .rank = rank, .copies = each->copies, .copier = each->copier, .since_ns = since_ns};
            any = true;
        }
    }
    return any;
}

/* The owner works from the front, so a copy is made of the back half first. */
interval leases_copy(leases *l, const overdue *from, int rank, int64_t now_ns)
{
    int i = l->of[from->rank].first;
    while (i != NONE && (l->lease[i].copies != from->copies || !trim(l, &l->lease[i].interval))) {
        i = l->lease[i].behind;
    }
    if (i == NONE) {
        return (interval){.tiles = 0};
    }
    lease *late = &l->lease[i];
    interval p = late->interval;
    if (p.tiles > 1 && late->copies == 0) {
        const int64_t kept = p.tiles / 2;
        late->interval.tiles = kept;
        p.first += kept;
        p.tiles -= kept;
        remember(l, rank, p, now_ns);
        const int copy = l->of[rank].last;
        if (copy != NONE && l->lease[copy].interval.first == p.first) {
            l->lease[copy].from = from->rank;
        }
    } else {
        late->copies += late->copies < MOST_DOUBLINGS;
        late->copier = rank;
        late->when_ns = now_ns;
    }
    p.careful = leases_next_careful(l, p.first, interval_end(p)) < interval_end(p);
    return p;
}
