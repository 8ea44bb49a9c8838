/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tiles go to which rank, which rank gives some back, what is computed twice. */
#include "sched/dispatch.h"

#include "sched/leases.h"

#include <stdlib.h>

enum { NOBODY = -1 };

/* A piece is late after this at the least: messages and syncs take their time. */
static const int64_t least_late_ns = INT64_C(500000000);

/* A rank that does not answer a recall is asked again after this. */
static const int64_t answer_ns = INT64_C(1000000000);

/* What is granted at once should take longer than a message on its way there, with an agent that
 * sleeps at either end. */
static const double least_grant_s = 2e-3;

/* Between two requests, from whichever ranks, this many hand-outs should have time: enough of a
 * chunk is granted at once for that. */
static const double least_overheads = 20;

/* With very many ranks it takes the coordinator longer to look at them all; so it does it less
 * often. */
static const int64_t survey_rank_ns = 1000;

/* How many recalls a rank gets at the end of most runs. */
static const int64_t usual_recalls = 4;

/* What is known of a rank. */
typedef struct member {
    int workers;
    int64_t want; /* it waits for that many tiles; 0: it does not wait */
    bool idle;    /* and has workers that wait */
    int before;   /* others who wait; NOBODY at the ends */
    int behind;
    int64_t heard_ns;
    int64_t left;        /* tiles that it has not begun, when last heard of, and granted since */
    int64_t copied;      /* of these, what has been granted since that is late elsewhere */
    int64_t recalled_ns; /* it owes an answer to a recall since then; 0: it does not */
    int recalled_for;    /* and this rank waits for it */
} member;

/* A rank that has more than it has begun. */
typedef struct source {
    int rank;
    double left_s; /* how long that, and what is reserved for it, will take it */
} source;

struct dispatch {
    dispatch_setup setup;
    schedule *schedule;
    leases *leases;
    member *member;
    int first; /* who waits, longest first */
    int last;
    int idle; /* how many of those that wait have idle workers */
    int64_t chunks;
    int64_t recalls;
    int64_t late_ns;
    double overhead_s; /* what a hand-out costs */
    /* The last survey, for when everything has been handed out. */
    int64_t next_survey_ns;
    int next; /* of those who wait, to be served from it */
    source *source;
    int sources;
    int next_source;
    overdue *overdue;
    int overdues;
    int next_overdue;
};

weft_status dispatch_create(const dispatch_setup *setup, dispatch **out, error *e)
{
    dispatch *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return error_memory(e, "the dispatch");
    }
    const size_t ranks = (size_t)setup->ranks;
    d->setup = *setup;
    d->first = d->last = d->next = NOBODY;
    d->late_ns = least_late_ns;
    d->member = calloc(ranks, sizeof *d->member);
    d->source = calloc(ranks, sizeof *d->source);
    d->overdue = calloc(ranks, sizeof *d->overdue);
    weft_status status = WEFT_OK;
    if (d->member == NULL || d->source == NULL || d->overdue == NULL) {
        status = error_memory(e, "the state of %d ranks", setup->ranks);
    } else {
        status = leases_create(setup->tiles, setup->ranks, &d->leases, e);
        for (int rank = 0; rank < setup->ranks; rank++) {
            d->member[rank].workers = setup->workers != NULL ? setup->workers[rank] : 1;
        }
    }
    if (status != WEFT_OK) {
        dispatch_destroy(d);
        return status;
    }
    *out = d;
    return WEFT_OK;
}

void dispatch_destroy(dispatch *d)
{
    if (d != NULL) {
        leases_destroy(d->leases);
        schedule_destroy(d->schedule);
        free(d->overdue);
        free(d->source);
        free(d->member);
        free(d);
    }
}

void dispatch_set_done(dispatch *d, int64_t tile)
{
    (void)leases_report(d->leases, tile);
}

void dispatch_set_careful(dispatch *d, int64_t tile)
{
    leases_set_careful(d->leases, tile);
}

int64_t dispatch_next_careful(const dispatch *d, int64_t tile, int64_t end)
{
    return leases_next_careful(d->leases, tile, end);
}

weft_status dispatch_start(dispatch *d, error *e)
{
    const schedule_setup setup = {.technique = d->setup.technique,
                                  .tiles = leases_undone(d->leases),
                                  .ranks = d->setup.ranks,
                                  .workers = d->setup.workers,
                                  .seed = d->setup.seed};
    d->setup.workers = NULL;
    return schedule_create(&setup, &d->schedule, e);
}

/* Puts a rank between two that wait; NOBODY at either end. */
static void start_waiting(dispatch *d, int rank, int before, int behind)
{
    d->member[rank].before = before;
    d->member[rank].behind = behind;
    *(before != NOBODY ? &d->member[before].behind : &d->first) = rank;
    *(behind != NOBODY ? &d->member[behind].before : &d->last) = rank;
}

/* The last survey may count on what has changed since. */
static void forget_survey(dispatch *d)
{
    d->sources = d->next_source = 0;
    d->overdues = d->next_overdue = 0;
}

static void set_idle(dispatch *d, int rank, bool idle)
{
    d->idle += idle - d->member[rank].idle;
    d->member[rank].idle = idle;
}

void dispatch_ask(dispatch *d, int rank, int64_t want, bool idle)
{
    if (want == 0 && d->member[rank].want == 0) {
        return;
    }
    if (d->member[rank].want == 0) {
        /* Whoever has tiles reserved takes nothing from others, and need not wait for them. */
        const bool at_once = leases_reserved(d->leases, rank) > 0;
        start_waiting(d, rank, at_once ? NOBODY : d->last, at_once ? d->first : NOBODY);
    }
    /* A survey that has served everybody else serves this one, too. */
    d->next = d->next == NOBODY ? rank : d->next;
    d->member[rank].want = want > 0 ? want : d->member[rank].want;
    set_idle(d, rank, idle);
}

urgency dispatch_urgency(const dispatch *d)
{
    return d->idle > 0 ? URGENCY_HUNGER : d->first != NOBODY ? URGENCY_ANSWER : URGENCY_NONE;
}

/* The rank waits no longer, or for something else. */
static void leave_queue(dispatch *d, int rank)
{
    const int before = d->member[rank].before;
    const int behind = d->member[rank].behind;
    *(before != NOBODY ? &d->member[before].behind : &d->first) = behind;
    *(behind != NOBODY ? &d->member[behind].before : &d->last) = before;
    d->next = d->next == rank ? behind : d->next;
}

static void stop_waiting(dispatch *d, int rank)
{
    leave_queue(d, rank);
    set_idle(d, rank, false);
    d->member[rank].want = 0;
}

void dispatch_return(dispatch *d, int rank, int intervals, const interval back[], int64_t left,
                     int64_t now_ns)
{
    member *m = &d->member[rank];
    m->recalled_ns = 0;
    m->left = left;
    m->copied = 0;
    m->heard_ns = now_ns;
    for (int i = 0; i < intervals; i++) {
        schedule_return(d->schedule, leases_return(d->leases, rank, back[i]));
    }
    if (intervals > 0 && d->member[m->recalled_for].want > 0) {
        leave_queue(d, m->recalled_for);
        start_waiting(d, m->recalled_for, NOBODY, d->first);
    }
}

void dispatch_hear(dispatch *d, int rank, const news *n, int64_t now_ns)
{
    const int64_t twice_ns = n->longest_s < 1e9 ? (int64_t)(2e9 * n->longest_s) : 0;
    d->member[rank].heard_ns = now_ns;
    d->member[rank].left = n->left;
    d->member[rank].copied = 0;
    if (twice_ns > d->late_ns) {
        d->late_ns = twice_ns;
        forget_survey(d);
    }
    if (n->computed.tiles > 0) {
        schedule_measure(d->schedule, rank, &n->computed);
    }
}

int64_t dispatch_report_run(dispatch *d, int64_t first, int64_t tiles)
{
    return leases_report_run(d->leases, first, tiles);
}

int64_t dispatch_bury(dispatch *d, int rank)
{
    member *m = &d->member[rank];
    if (m->want > 0) {
        stop_waiting(d, rank);
    }
    int64_t reserved = 0;
    const int64_t tiles = leases_bury(d->leases, rank, &reserved);
    schedule_return(d->schedule, tiles + reserved);
    m->left = m->copied = 0;
    m->recalled_ns = 0;
    forget_survey(d);
    return tiles;
}

void dispatch_set_overhead(dispatch *d, double seconds)
{
    d->overhead_s = seconds;
    schedule_set_overhead(d->schedule, seconds);
}

void dispatch_set_time_left(dispatch *d, double seconds)
{
    schedule_set_time_left(d->schedule, seconds);
}

/* Joins a piece to the last one where they touch and are alike; false if there is no room for one
 * more. */
static bool add_piece(order *o, interval p)
{
    interval *last = o->intervals > 0 ? &o->interval[o->intervals - 1] : NULL;
    if (last != NULL && interval_end(*last) == p.first && last->careful == p.careful) {
        last->tiles += p.tiles;
    } else {
        o->interval[o->intervals++] = p;
    }
    return o->intervals < ORDER_INTERVALS;
}

/* How many tiles of new chunks one message may bring a rank, so that others get some, too; but
 * never so few that they are computed before the next message can be there. */
static int64_t fair_share(const dispatch *d, int rank)
{
    const int64_t share = schedule_remaining(d->schedule) / (2 * (int64_t)d->setup.ranks);
    const double tile_s = schedule_tile_seconds(d->schedule, rank);
    const double least = tile_s > 0 ? least_grant_s / tile_s : 0;
    return least > (double)share && least < 1e15 ? (int64_t)least : share;
}

/* How many tiles to grant at once, as far as they are reserved: what the rank wants, and more where
 * requests of that size, from all ranks, would keep the coordinator busy. */
static int64_t count_wanted(const dispatch *d, int rank)
{
    const int64_t want = d->member[rank].want;
    const double tile_s = schedule_tile_seconds(d->schedule, rank);
    const double least_s = least_overheads * d->setup.ranks * d->overhead_s;
    const double least = tile_s > 0 ? least_s / tile_s : 0;
    return least > (double)want && least < 1e15 ? (int64_t)least : want;
}

/* Reserves a chunk of the technique's size. */
static bool reserve_chunk(dispatch *d, int rank)
{
    const int64_t chunk = schedule_next(d->schedule, rank, d->member[rank].want);
    const int64_t reserved = chunk > 0 ? leases_reserve(d->leases, rank, chunk) : 0;
    d->chunks += reserved > 0;
    /* If nobody has the rest, others have done it twice. */
    schedule_return(d->schedule, reserved > 0 ? chunk - reserved : 0);
    return reserved > 0;
}

/* What is reserved for the rank, and then more chunks, until it has what it wants: several at once
 * save messages. Where tiles are done already a chunk falls into several pieces. */
static bool grant(dispatch *d, int rank, int64_t now_ns, order *o)
{
    const int64_t want = count_wanted(d, rank);
    const int64_t asked = d->member[rank].want;
    const int64_t fair = fair_share(d, rank);
    int64_t granted = 0;
    bool room = true;
    *o = (order){.kind = ORDER_GRANT, .rank = rank};
    while (room && granted < want) {
        const interval p = leases_take(d->leases, rank, want - granted, now_ns);
        granted += p.tiles;
        if (p.tiles > 0) {
            room = add_piece(o, p);
        } else if ((granted > 0 && (granted >= fair || granted >= asked)) ||
                   !reserve_chunk(d, rank)) {
            break;
        }
    }
    return granted > 0;
}

static int compare_sources(const void *a, const void *b)
{
    const source *x = a;
    const source *y = b;
    return (x->left_s < y->left_s) - (x->left_s > y->left_s);
}

/* The least copied first, and among equals the one that has been silent longest. */
static int compare_overdues(const void *a, const void *b)
{
    const overdue *x = a;
    const overdue *y = b;
    if (x->copies != y->copies) {
        return (x->copies > y->copies) - (x->copies < y->copies);
    }
    return (x->since_ns > y->since_ns) - (x->since_ns < y->since_ns);
}

/* How long what a rank has not begun will take it. One that has not been heard of since that should
 * be over is slower than it was: then it still has some. */
static double estimate_left(const dispatch *d, int rank, int64_t now_ns)
{
    const member *m = &d->member[rank];
    const double tile_s = schedule_tile_seconds(d->schedule, rank);
    const double reserved_s = (double)leases_reserved(d->leases, rank) * (tile_s > 0 ? tile_s : 1);
    const double left_s = (double)m->left * (tile_s > 0 ? tile_s : 1);
    const double now_s = left_s - 1e-9 * (double)(now_ns - m->heard_ns);
    return reserved_s + (now_s > left_s / 4 ? now_s : left_s / 4);
}

/* Everything has been handed out and somebody waits: who has tiles to spare, and who is late. */
static void survey(dispatch *d, int64_t now_ns)
{
    d->sources = d->next_source = 0;
    d->overdues = d->next_overdue = 0;
    for (int rank = 0; rank < d->setup.ranks; rank++) {
        const member *m = &d->member[rank];
        const bool owes = m->recalled_ns != 0 && now_ns - m->recalled_ns < answer_ns;
        /* A copy that is asked back at once is late again, and later each time. */
        if (leases_reserved(d->leases, rank) > 0 || (m->left > m->copied && !owes)) {
            d->source[d->sources++] =
                (source){.rank = rank, .left_s = estimate_left(d, rank, now_ns)};
        }
        /* Nothing is late at a rank that has been heard of since it could be: its leases, of which
         * there may be thousands, are not looked through. */
        const bool silent = now_ns - m->heard_ns >= d->late_ns;
        if (d->setup.pure && silent &&
            leases_find_overdue(d->leases, rank, m->heard_ns, now_ns, d->late_ns,
                                &d->overdue[d->overdues])) {
            d->overdues++;
        }
    }
    qsort(d->source, (size_t)d->sources, sizeof *d->source, compare_sources);
    qsort(d->overdue, (size_t)d->overdues, sizeof *d->overdue, compare_overdues);
}

/* Whether a rank has only tiles left that its own workers begin next. Another whose workers all
 * compute would begin them no sooner, and lose them to the first at once. */
static bool needs_all(const dispatch *d, int rank)
{
    return leases_reserved(d->leases, rank) == 0 && d->member[rank].left <= d->member[rank].workers;
}

/* The rank with most tiles to spare, if another has far fewer; NOBODY if that is none. */
static int find_source(dispatch *d, int rank, int64_t now_ns)
{
    const source *most = &d->source[d->next_source];
    if (d->next_source == d->sources || most->rank == rank ||
        most->left_s < 2 * estimate_left(d, rank, now_ns) ||
        (!d->member[rank].idle && needs_all(d, most->rank))) {
        return NOBODY;
    }
    d->next_source++;
    return most->rank;
}

/* Half of what is reserved for one rank is another's from now on; where nothing is, the rank is to
 * give back half of what it has not begun. False if that turns out to be done. */
static bool share(dispatch *d, int from, int to, int64_t now_ns, order *o)
{
    if (leases_reserved(d->leases, from) > 0) {
        return leases_steal(d->leases, from, to) > 0 && grant(d, to, now_ns, o);
    }
    d->recalls++;
    d->member[from].recalled_ns = now_ns;
    d->member[from].recalled_for = to;
    *o = (order){.kind = ORDER_RECALL, .rank = from};
    return true;
}

/* Hands out a second time what has been with another rank for too long. */
static bool copy(dispatch *d, int rank, int64_t now_ns, order *o)
{
    for (int i = d->next_overdue; i < d->overdues; i++) {
        const overdue late = d->overdue[i];
        if (late.rank == rank || late.copier == rank) {
            continue;
        }
        d->overdue[i] = d->overdue[d->next_overdue++];
        const interval p = leases_copy(d->leases, &late, rank, now_ns);
        if (p.tiles > 0) {
            *o = (order){.kind = ORDER_GRANT,
                         .rank = rank,
                         .again = true,
                         .holder = late.rank,
                         .intervals = 1,
                         .interval = {p}};
            d->chunks++;
            return true;
        }
    }
    return false;
}

static void note_grant(dispatch *d, const order *o)
{
    stop_waiting(d, o->rank);
    for (int i = 0; i < o->intervals; i++) {
        d->member[o->rank].left += o->interval[i].tiles;
        d->member[o->rank].copied += o->again ? o->interval[i].tiles : 0;
    }
}

/* The answer of the survey to those who wait, one after the other. */
static bool serve_from_survey(dispatch *d, int64_t now_ns, order *o)
{
    while (d->next != NOBODY) {
        const int rank = d->next;
        const member *m = &d->member[rank];
        if (m->idle && m->left == 0 && copy(d, rank, now_ns, o)) {
            note_grant(d, o);
            return true;
        }
        d->next = m->behind;
        const int from = find_source(d, rank, now_ns);
        if (from == NOBODY || !share(d, from, rank, now_ns, o)) {
            continue;
        }
        if (o->kind == ORDER_GRANT) {
            note_grant(d, o);
        }
        return true;
    }
    return false;
}

static int64_t survey_pause(const dispatch *d, int64_t now_ns)
{
    const int64_t rounds = d->recalls / (usual_recalls * d->setup.ranks);
    const double share = d->setup.look_share * (double)(rounds > 1 ? rounds : 1);
    const int64_t share_ns = (int64_t)(share * (double)now_ns);
    const int64_t rank_ns = survey_rank_ns * d->setup.ranks;
    const int64_t pause_ns = rank_ns > share_ns ? rank_ns : share_ns;
    return pause_ns > DISPATCH_NS ? pause_ns : DISPATCH_NS;
}

bool dispatch_next(dispatch *d, int64_t now_ns, order *o)
{
    if (d->first == NOBODY || leases_undone(d->leases) == 0) {
        return false;
    }
    if (grant(d, d->first, now_ns, o)) {
        note_grant(d, o);
        return true;
    }
    if (now_ns >= d->next_survey_ns) {
        d->next_survey_ns = now_ns + survey_pause(d, now_ns);
        d->next = d->first;
        survey(d, now_ns);
    }
    return serve_from_survey(d, now_ns, o);
}

weft_status dispatch_status(const dispatch *d, error *e)
{
    return leases_status(d->leases, e);
}

int64_t dispatch_leased(const dispatch *d)
{
    return leases_leased(d->leases);
}

int64_t dispatch_undone(const dispatch *d)
{
    return leases_undone(d->leases);
}

int64_t dispatch_chunks(const dispatch *d)
{
    return d->chunks;
}
