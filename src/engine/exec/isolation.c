/* SPDX-License-Identifier: BSD-3-Clause */
/* Isolation: which items are computed in a child of the worker, and what becomes of those that kill
 * it. */
#define _GNU_SOURCE 1
#include "engine/exec/isolation.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "engine/exec/call.h"
#include "engine/exec/overflow.h"
#include "team/region.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Results that a child hands over at once, unless a tile has more. */
static const int64_t area_bytes = INT64_C(4) << 20;

/* A span in which items take PATIENCE times what they usually do is given up, and its items are
 * tried one by one: so a hanging item is found long before all others could have taken the time
 * that each of them may. */
enum { PATIENCE = 10 };

/* After a child in which nothing moves, see child_compute(), another one is tried, and at last the
 * rank itself. Once that has happened so often, and no child has answered in between, none is tried
 * any more. */
enum { STUCK_TRIES = 2, STUCK_SPANS = 2 };

/* How many items that all die alike are worth a line. */
enum { ALIKE_DEATHS = 4 };

/* A rank that is silent for stuck_ns is missed: its threads may be held up for a share of that. */
enum { LULL_SHARE = 50 };

/* The system may be short of processes for a moment only. */
enum { FORK_TRIES = 5, FORK_PAUSE_NS = 100000000 };

/* A worker's. */
typedef struct slot {
    isolation *isolation;
    int worker;
    int region_threads;   /* of an OpenMP region that the worker opens */
    child *child;         /* NULL: it has never needed one */
    failed_items *failed; /* the child's: of its span */
    double item_ns;       /* what an item has taken lately; 0: unknown */
    error broken;         /* no child can be made */
    char text[112];       /* how the last one has died */
} slot;

struct isolation {
    isolation_setup setup;
    lull *lull; /* the forker's */
    forker *forker;
    int64_t room; /* items that a child's areas hold */
    atomic_int waiting;
    pthread_mutex_t mutex; /* for the following */
    int64_t alike;    /* items whose children died like the first one, twice; -1: not all … */
    char text[112];   /* … this way */
    atomic_int stuck; /* spans in a row that no child could compute */
    slot slot[];
};

weft_status isolation_create(const isolation_setup *setup, isolation **out, error *e)
{
    isolation *s = calloc(1, sizeof *s + (size_t)setup->workers * sizeof s->slot[0]);
    if (s == NULL) {
        return error_memory(e, "the children of %d workers", setup->workers);
    }
    const job *j = setup->flow->job;
    const int64_t room = j->item_bytes > 0 ? area_bytes / j->item_bytes : area_bytes;
    weft_status status = lull_create(setup->workers + 1, &s->lull, e);
    if (status == WEFT_OK) {
        status = forker_create(s->lull, setup->stuck_ns / LULL_SHARE, &s->forker, e);
    }
    if (status != WEFT_OK) {
        lull_destroy(s->lull);
        free(s);
        return status;
    }
    (void)pthread_mutex_init(&s->mutex, NULL);
    s->setup = *setup;
    s->room = room > j->tiles.grain ? room : j->tiles.grain;
    for (int i = 0; i < setup->workers; i++) {
        s->slot[i].isolation = s;
        s->slot[i].worker = i;
    }
    *out = s;
    return WEFT_OK;
}

void isolation_destroy(isolation *s)
{
    if (s != NULL) {
        for (int i = 0; i < s->setup.workers; i++) {
            child_destroy(s->slot[i].child);
            failed_items_destroy(s->slot[i].failed);
        }
        forker_destroy(s->forker);
        (void)pthread_mutex_destroy(&s->mutex);
        free(s);
    }
}

static bool is_possible(const isolation *s)
{
    return !s->setup.flow->options->never_apart && atomic_load(&s->stuck) < STUCK_SPANS;
}

int64_t isolation_look(const isolation *s, const weft_span *span, isolation_plan *plan)
{
    const flow *w = s->setup.flow;
    const bool alone = span->careful && !w->options->pure;
    const int64_t most = alone ? 1 : s->room;
    *plan = (isolation_plan){.apart = is_possible(s) && (span->careful || w->options->isolate)};
    return plan->apart && span->count > most ? most : span->count;
}

bool isolation_takes_long_spans(const flow *w, bool careful)
{
    return w->options->pure && (careful || w->options->isolate);
}

/* In the child. */
static void begin_in_child(void *context)
{
    const slot *mine = context;
    region_set_inner_threads(mine->region_threads);
    if (mine->isolation->setup.flow->store != NULL) {
        store_forget(mine->isolation->setup.flow->store);
    }
}

/* In the child. */
static int compute_in_child(void *context, unsigned char *bytes, const int64_t start[],
                            const atomic_bool *told, _Atomic int64_t *at, int64_t first,
                            int64_t count, span_failures *failures)
{
    const slot *mine = context;
    const flow *w = mine->isolation->setup.flow;
    failed_items_clear(mine->failed, 0, count);
    failures->items = mine->failed;
    failures->origin = first;
    failures->failed = 0;
    failures->short_of_rows = false;
    const weft_span span = {.flow = w,
                            .bytes = bytes,
                            .field_start = start,
                            .origin = first,
                            .first = first,
                            .count = count,
                            .worker = mine->worker,
                            .told = told,
                            .failures = failures};
    const int code = call_parts(&span, at);
    /* A failure that has no row would not be heard of: then nothing of this counts. */
    return code == 0 && failures->short_of_rows ? WEFT_ERR_MEMORY : code;
}

static weft_status prepare(slot *mine)
{
    const isolation *s = mine->isolation;
    const job *j = s->setup.flow->job;
    int64_t bytes[WEFT_MAX_FIELDS];
    for (int i = 0; i < job_columns(j); i++) {
        bytes[i] = i < j->fields ? job_field_bytes(j, i, s->room) : job_row_bytes(j, i, 1);
    }
    mine->failed = failed_items_create(s->room);
    if (mine->failed == NULL) {
        return error_memory(&mine->broken, "the failures of a child");
    }
    mine->region_threads = region_inner_threads();
    const child_setup setup = {
        .forker = s->forker,
        .caller = s->setup.flow->caller,
        .hooks = {.begin = begin_in_child, .compute = compute_in_child, .context = mine},
        .areas = job_columns(j),
        .area_bytes = bytes,
        .threads = mine->region_threads > 1};
    return child_create(&setup, &mine->child, &mine->broken);
}

bool isolation_prepare(isolation *s, int worker)
{
    slot *mine = s != NULL ? &s->slot[worker] : NULL;
    if (mine == NULL || !is_possible(s) || mine->broken.status != WEFT_OK ||
        (mine->child == NULL && prepare(mine) != WEFT_OK)) {
        return false;
    }
    return child_begin(mine->child);
}

/* How long a part of `items` items may take; 0: for ever. Where items are not to be computed twice
 * without need, nothing is given up before each of them has had its time. */
static int64_t limit_ns(const slot *mine, int64_t items)
{
    const isolation_setup *setup = &mine->isolation->setup;
    const double most = 1e9 * setup->flow->options->item_timeout_s * (double)items;
    const double patient =
        1e9 * setup->flow->options->item_timeout_s + PATIENCE * mine->item_ns * (double)items;
    const bool guess =
        items > 1 && setup->flow->options->pure && mine->item_ns > 0 && patient < most;
    return (int64_t)fmin(guess ? patient : most, 0x1p62);
}

static child_wish look(const void *context)
{
    const flow *w = context;
    if (w->attend != NULL) {
        w->attend(w->agent);
    }
    return atomic_load(&w->leaving) ? CHILD_LEAVE : flow_stopping(w) ? CHILD_STOP : CHILD_GO_ON;
}

/* The child goes on from what the span's tile has so far. */
static void hand_accumulators(const slot *mine, const weft_span *span)
{
    const job *j = span->flow->job;
    for (int i = 0; i < j->reductions; i++) {
        if (j->reduction[i].field < 0) {
            memcpy(child_area(mine->child, j->fields + i), span_accumulator(span, i),
                   (size_t)j->reduction[i].bytes);
        }
    }
}

/* The child's answer; a refusal only if it lasts. */
static child_answer compute(slot *mine, const weft_span *span)
{
    const child_wait wait = {.limit_ns = limit_ns(mine, call_part_items(span)),
                             .stuck_ns = mine->isolation->setup.stuck_ns,
                             .look = look,
                             .context = span->flow};
    child_answer answer = {.end = CHILD_REFUSED, .number = EAGAIN};
    hand_accumulators(mine, span);
    atomic_fetch_add(&mine->isolation->waiting, 1);
    for (int i = 0; i < FORK_TRIES && answer.end == CHILD_REFUSED && !flow_stopping(span->flow);
         i++) {
        if (i > 0) {
            clock_sleep_ns(FORK_PAUSE_NS);
        }
        answer = child_compute(mine->child, span->first, span->count, &wait, span->failures);
    }
    atomic_fetch_sub(&mine->isolation->waiting, 1);
    return answer;
}

static void copy_results(const slot *mine, const weft_span *span)
{
    const job *j = span->flow->job;
    for (int i = 0; i < j->fields; i++) {
        memcpy(weft_span_result(span, i), child_area(mine->child, i),
               (size_t)job_field_bytes(j, i, span->count));
    }
    for (int i = 0; i < j->reductions; i++) {
        if (j->reduction[i].field < 0) {
            memcpy(span_accumulator(span, i), child_area(mine->child, j->fields + i),
                   (size_t)j->reduction[i].bytes);
        }
    }
}

/* What the table of failures will say of it. */
static attempt describe_death(slot *mine, child_answer answer)
{
    const isolation_setup *setup = &mine->isolation->setup;
    attempt a = {.died = true, .text = mine->text, .at = answer.at};
    char where[OVERFLOW_TEXT_BYTES] = "";
    const char *name = NULL;
    switch (answer.end) {
    case CHILD_SIGNALLED:
        name = sigdescr_np(answer.number);
        a.code = -answer.number;
        if (answer.stack_bytes > 0) {
            overflow_describe(!setup->by_main, answer.stack_bytes, where);
        }
        (void)snprintf(mine->text, sizeof mine->text, "killed by signal %d (%s)%s", answer.number,
                       name == NULL ? "unknown" : name, where);
        break;
    case CHILD_EXITED:
        a.code = WEFT_QUARANTINE_EXIT;
        (void)snprintf(mine->text, sizeof mine->text, "called exit(%d)", answer.number);
        break;
    case CHILD_LATE:
        a.code = WEFT_QUARANTINE_TIMEOUT;
        (void)number_print(mine->text, sizeof mine->text, "took longer than %g s",
                           setup->flow->options->item_timeout_s);
        break;
    case CHILD_STARVED:
        a.code = WEFT_QUARANTINE_MEMORY;
        (void)snprintf(mine->text, sizeof mine->text, "killed for want of memory");
        break;
    case CHILD_STUCK:
        a.code = WEFT_QUARANTINE_STUCK;
        (void)snprintf(mine->text, sizeof mine->text,
                       "waited in a child for a lock or a thread that never came");
        break;
    case CHILD_LOST:
    case CHILD_DONE:
    case CHILD_REFUSED:
    case CHILD_LEFT:
        a.code = WEFT_QUARANTINE_LOST;
        (void)snprintf(mine->text, sizeof mine->text, "its process was gone");
        break;
    }
    return a;
}

/* Where no item comes out well, and all die alike, the items are probably not the cause. */
static void note_death(isolation *s, const weft_span *span, const attempt *a)
{
    if (span->count > 1) {
        return;
    }
    (void)pthread_mutex_lock(&s->mutex);
    if (s->alike == 0) {
        (void)snprintf(s->text, sizeof s->text, "%s", a->text);
    }
    s->alike = s->alike >= 0 && strcmp(s->text, a->text) == 0 ? s->alike + 1 : -1;
    (void)pthread_mutex_unlock(&s->mutex);
}

static void note_answer(isolation *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->alike = -1;
    (void)pthread_mutex_unlock(&s->mutex);
}

static attempt give_up(slot *mine, const weft_span *span)
{
    span->failures->broken = &mine->broken;
    return (attempt){.code = 1};
}

/* Whether it may be the items' own fault that a child was stuck in them, and they must not hold up
 * the rank or, if they have side effects, be computed again. */
static bool items_may_be_guilty(const slot *mine, child_answer answer)
{
    const isolation_setup *setup = &mine->isolation->setup;
    return answer.number != 0 &&
           (setup->flow->options->item_timeout_s > 0 || !setup->flow->options->pure);
}

/* The answer of a child that is not stuck, if there can be any. */
static child_answer compute_surely(slot *mine, const weft_span *span)
{
    child_answer answer = compute(mine, span);
    for (int i = 1;
         i < STUCK_TRIES && answer.end == CHILD_STUCK && !items_may_be_guilty(mine, answer); i++) {
        log_print(LOG_DEBUG, "items %" PRId64 " to %" PRId64 ": the child was stuck", span->first,
                  span->first + span->count - 1);
        answer = compute(mine, span);
    }
    if (answer.end == CHILD_DONE) {
        atomic_store(&mine->isolation->stuck, 0);
    }
    return answer;
}

/* No child can compute the span, as far as can be told: it is up to the rank. */
static attempt decline(slot *mine, const weft_span *span)
{
    if (atomic_fetch_add(&mine->isolation->stuck, 1) < STUCK_SPANS) {
        log_print(LOG_WARNING,
                  "rank %d: a child that was to compute items %" PRId64 " to %" PRId64
                  " did nothing but wait for a lock, or for threads, OpenMP's perhaps, that do not "
                  "exist there: the rank computes them itself. For a kernel that cannot be called "
                  "in a child there is weft_map_set_isolation(map, WEFT_NEVER)",
                  span->flow->rank, span->first, span->first + span->count - 1);
    }
    return (attempt){.here = true};
}

attempt isolation_try(isolation *s, const weft_span *span)
{
    slot *mine = &s->slot[span->worker];
    if (mine->broken.status != WEFT_OK || (mine->child == NULL && prepare(mine) != WEFT_OK)) {
        return give_up(mine, span);
    }
    const int64_t start_ns = clock_now_ns();
    const child_answer answer = compute_surely(mine, span);
    if (answer.end == CHILD_DONE) {
        const double item_ns = (double)(clock_now_ns() - start_ns) / (double)span->count;
        /* A kernel that has failed has not computed them all. */
        if (answer.number == 0) {
            mine->item_ns = mine->item_ns > 0 ? (mine->item_ns + item_ns) / 2 : item_ns;
        }
        copy_results(mine, span);
        note_answer(s);
        return (attempt){.code = answer.number, .at = answer.at};
    }
    if (answer.end == CHILD_LEFT || (answer.end == CHILD_REFUSED && flow_stopping(span->flow))) {
        return (attempt){.code = 1};
    }
    if (answer.end == CHILD_STUCK && !items_may_be_guilty(mine, answer)) {
        return decline(mine, span);
    }
    if (answer.end == CHILD_REFUSED) {
        (void)error_system(
            &mine->broken, answer.number,
            "rank %d cannot start a child for items that may crash; " ERROR_MORE_THREADS,
            span->flow->rank);
        return give_up(mine, span);
    }
    const attempt a = describe_death(mine, answer);
    note_death(s, span, &a);
    log_print(LOG_DEBUG, "items %" PRId64 " to %" PRId64 ": %s", span->first,
              span->first + span->count - 1, a.text);
    return a;
}

int isolation_waiting(const isolation *s)
{
    return s == NULL ? 0 : atomic_load(&s->waiting);
}

child_effort isolation_effort(const isolation *s)
{
    child_effort sum = {.forked = 0};
    for (int i = 0; i < s->setup.workers; i++) {
        const child_effort effort = child_count(s->slot[i].child);
        sum.forked += effort.forked;
        sum.asked += effort.asked;
    }
    return sum;
}

void isolation_conclude(const isolation *s)
{
    const child_effort effort = isolation_effort(s);
    if (effort.forked > 0) {
        log_print(LOG_DEBUG,
                  "%" PRId64 " children were forked, and asked for items %" PRId64 " times",
                  effort.forked, effort.asked);
    }
    if (s->alike > ALIKE_DEATHS && s->setup.flow->rank == 0) {
        log_print(LOG_WARNING,
                  "no item that rank 0 has computed in a child came out well, and all died alike "
                  "(%s): the items are probably not the cause",
                  s->text);
    }
}

lull *isolation_lull(const isolation *s)
{
    return s == NULL ? NULL : s->lull;
}
