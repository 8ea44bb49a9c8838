/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank as a simulation sees it: the decisions of its agent (agent.c), without threads, messages
 * or files. */
#include "plan/mimic.h"

#include "sched/granted.h"
#include "sched/pace.h"

#include <stdlib.h>

struct mimic {
    mimic_setup setup;
    granted *granted;
    crew *crew;
    letter *inbox; /* the oldest first */
    letter *inbox_end;
    crew_block *collected; /* written by workers, not seen by the agent yet */
    crew_block *written;   /* not forced to disk yet */
    crew_block *syncing;
    bool sync_done;
    double next_sync_ns;
    double looked_ns;
    int64_t rest_ns;
    double news_ns; /* when the coordinator was told last, or the first grant came */
    bool has_work;
    bool asked;
    bool failed; /* out of memory */
};

letter *letter_create(message_kind kind, int rank, int intervals)
{
    letter *l = calloc(1, sizeof *l + (size_t)intervals * sizeof l->interval[0]);
    if (l != NULL) {
        l->kind = kind;
        l->rank = rank;
        l->intervals = intervals;
    }
    return l;
}

void letter_destroy(letter *l)
{
    while (l != NULL) {
        letter *next = l->next;
        crew_free_block(l->block);
        free(l);
        l = next;
    }
}

static void push(crew_block **list, crew_block *b)
{
    b->next = *list;
    *list = b;
}

static crew_block *pop(crew_block **list)
{
    crew_block *b = *list;
    if (b != NULL) {
        *list = b->next;
    }
    return b;
}

weft_status mimic_create(const mimic_setup *setup, mimic **out, error *e)
{
    mimic *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for a simulated rank");
    }
    m->setup = *setup;
    m->rest_ns = PACE_HUNGRY_NS;
    m->crew = crew_create(setup->workers, pace_span_limit(setup->call_tiles));
    weft_status status =
        m->crew == NULL ? error_set(e, WEFT_ERR_MEMORY, "out of memory for %d simulated workers",
                                    setup->workers)
                        : granted_create(setup->workers, setup->ranks, setup->job, &m->granted, e);
    if (status != WEFT_OK) {
        mimic_destroy(m);
        return status;
    }
    *out = m;
    return WEFT_OK;
}

static void free_blocks(crew_block **list)
{
    for (crew_block *b = pop(list); b != NULL; b = pop(list)) {
        crew_free_block(b);
    }
}

void mimic_destroy(mimic *m)
{
    if (m != NULL) {
        letter_destroy(m->inbox);
        free_blocks(&m->collected);
        free_blocks(&m->written);
        free_blocks(&m->syncing);
        crew_destroy(m->crew);
        granted_destroy(m->granted);
        free(m);
    }
}

crew *mimic_crew(mimic *m)
{
    return m->crew;
}

void mimic_deliver(mimic *m, letter *l)
{
    l->next = NULL;
    if (m->inbox_end != NULL) {
        m->inbox_end->next = l;
    } else {
        m->inbox = l;
    }
    m->inbox_end = l;
}

void mimic_written(mimic *m, crew_block *b)
{
    crew_remove(m->crew, b);
    push(&m->collected, b);
}

void mimic_synced(mimic *m, double now_ns)
{
    m->sync_done = true;
    m->next_sync_ns = now_ns + m->setup.sync_pause_ns;
}

/* A message to send; NULL, and noted, if there is no memory for it. */
static letter *write_letter(mimic *m, message_kind kind, int intervals)
{
    letter *l = letter_create(kind, m->setup.rank, intervals);
    m->failed = m->failed || l == NULL;
    return l;
}

static int64_t count_left(const mimic *m)
{
    return granted_queued(m->granted) + crew_stock(m->crew);
}

/* Each tile's seconds, stretched by what its block took. */
static void add_news(const mimic *m, news *n, const crew_block *b)
{
    const double stretch = b->work_ns > 0 ? b->busy_ns / b->work_ns : 1;
    n->computed.tiles += b->all.tiles;
    for (int64_t tile = b->all.first; tile < interval_end(b->all); tile++) {
        const double seconds = 1e-9 * stretch * m->setup.tile_ns(m->setup.context, tile);
        n->computed.seconds += seconds;
        n->computed.squares += seconds * seconds;
        n->longest_s = seconds > n->longest_s ? seconds : n->longest_s;
    }
}

static bool collect(mimic *m, double now_ns, const mimic_hooks *hooks)
{
    if (m->collected == NULL) {
        return false;
    }
    letter *l = write_letter(m, MESSAGE_NEWS, 0);
    for (crew_block *b = pop(&m->collected); b != NULL; b = pop(&m->collected)) {
        if (l != NULL) {
            add_news(m, &l->news, b);
        }
        push(&m->written, b);
    }
    if (l != NULL) {
        l->news.computed.elapsed = 1e-9 * (now_ns - m->news_ns);
        l->news.left = count_left(m);
        m->news_ns = now_ns;
        hooks->send(hooks->context, l);
    }
    return true;
}

static void report_all(mimic *m, crew_block **list, const mimic_hooks *hooks)
{
    for (crew_block *b = pop(list); b != NULL; b = pop(list)) {
        letter *l = write_letter(m, MESSAGE_REPORT, 0);
        if (l == NULL) {
            crew_free_block(b);
        } else {
            l->block = b;
            hooks->send(hooks->context, l);
        }
    }
}

static bool nothing_to_compute(const mimic *m)
{
    return crew_idle(m->crew) && granted_queued(m->granted) == 0;
}

static void sync_and_report(mimic *m, double now_ns, const mimic_hooks *hooks)
{
    if (!m->setup.syncs) {
        report_all(m, &m->written, hooks);
        return;
    }
    if (m->syncing != NULL && !m->sync_done) {
        return;
    }
    report_all(m, &m->syncing, hooks);
    if (m->written != NULL && (now_ns >= m->next_sync_ns || nothing_to_compute(m))) {
        m->syncing = m->written;
        m->written = NULL;
        m->sync_done = false;
        hooks->sync(hooks->context, m->setup.rank);
    }
}

static bool cut_block(mimic *m, int64_t keep, int64_t most, interval *p, const mimic_hooks *hooks)
{
    crew_block *finished = NULL;
    const bool cut = crew_cut(m->crew, keep, most, p, &finished);
    if (finished != NULL) {
        hooks->write(hooks->context, m->setup.rank, finished);
    }
    return cut;
}

static void give_back(mimic *m, const mimic_hooks *hooks)
{
    letter *l = write_letter(m, MESSAGE_RETURN, ORDER_INTERVALS);
    if (l == NULL) {
        return;
    }
    int64_t half = (count_left(m) + 1) / 2;
    interval p;
    for (l->intervals = 0;
         half > 0 && l->intervals < ORDER_INTERVALS &&
         (granted_take_back(m->granted, half, &p) || cut_block(m, 0, half, &p, hooks));
         half -= p.tiles) {
        l->interval[l->intervals++] = p;
    }
    l->left = count_left(m);
    hooks->send(hooks->context, l);
}

static void take_grant(mimic *m, const letter *l, double now_ns)
{
    error e = {.status = WEFT_OK};
    m->asked = false;
    m->news_ns = m->has_work ? m->news_ns : now_ns;
    m->has_work = true;
    for (int i = 0; i < l->intervals; i++) {
        m->failed = granted_add(m->granted, l->interval[i], &e) != WEFT_OK || m->failed;
    }
}

static bool read_mail(mimic *m, double now_ns, const mimic_hooks *hooks)
{
    const bool any = m->inbox != NULL;
    for (const letter *l = m->inbox; l != NULL; l = l->next) {
        if (l->kind == MESSAGE_GRANT) {
            take_grant(m, l, now_ns);
        } else if (l->kind == MESSAGE_RECALL) {
            give_back(m, hooks);
        }
    }
    letter_destroy(m->inbox);
    m->inbox = NULL;
    m->inbox_end = NULL;
    return any;
}

static void put_back(mimic *m, interval p)
{
    error e = {.status = WEFT_OK};
    m->failed = granted_return(m->granted, p, &e) != WEFT_OK || m->failed;
}

static void wake_workers(mimic *m, const mimic_hooks *hooks)
{
    /* All are told, but only as many as there are tiles can find any. */
    for (int64_t i = crew_stock(m->crew); i > 0; i--) {
        const int worker = crew_wake(m->crew);
        if (worker < 0) {
            return;
        }
        hooks->wake(hooks->context, m->setup.rank, worker);
    }
}

static void keep_supplied(mimic *m, const mimic_hooks *hooks)
{
    interval p;
    granted_observe(m->granted, crew_tile_ns(m->crew));
    const int64_t longest = PACE_TOO_LONG * granted_block_tiles(m->granted);
    while (cut_block(m, longest, INT64_MAX, &p, hooks)) {
        put_back(m, p);
    }
    while (granted_next(m->granted, crew_stock(m->crew), &p)) {
        if (!crew_offer(m->crew, p)) {
            put_back(m, p);
            break;
        }
    }
    wake_workers(m, hooks);
    const int64_t want = granted_wanted(m->granted, crew_stock(m->crew));
    letter *l = want > 0 && !m->asked ? write_letter(m, MESSAGE_ASK, 0) : NULL;
    if (l != NULL) {
        l->want = want;
        m->asked = true;
        hooks->send(hooks->context, l);
    }
}

static int64_t rest_after(const mimic *m, bool active, int64_t rest_ns)
{
    const bool hungry = crew_stock(m->crew) == 0;
    return active || hungry ? PACE_HUNGRY_NS
                            : pace_longer_rest(rest_ns, m->setup.ranks, (int64_t)m->looked_ns);
}

bool mimic_step(mimic *m, double now_ns, const mimic_hooks *hooks)
{
    bool active = collect(m, now_ns, hooks);
    sync_and_report(m, now_ns, hooks);
    active = read_mail(m, now_ns, hooks) || active;
    keep_supplied(m, hooks);
    m->looked_ns = now_ns;
    m->rest_ns = rest_after(m, active, m->rest_ns);
    return !m->failed;
}

double mimic_next_look(const mimic *m, double from_ns)
{
    double look_ns = m->looked_ns + (double)m->rest_ns;
    int64_t rest_ns = m->rest_ns;
    while (look_ns < from_ns) {
        const int64_t before_ns = rest_ns;
        rest_ns = rest_after(m, false, rest_ns);
        if (rest_ns == before_ns) {
            /* From here on it looks up regularly. */
            const int64_t times = (int64_t)((from_ns - look_ns) / (double)rest_ns);
            look_ns += (double)times * (double)rest_ns;
        }
        look_ns += look_ns < from_ns ? (double)rest_ns : 0;
    }
    return look_ns;
}

/* Whether tiles take much longer, or shorter, than when it looked last. */
static bool knows_better(const mimic *m)
{
    const int64_t then_ns = granted_tile_ns(m->granted);
    const int64_t now_ns = crew_tile_ns(m->crew);
    return now_ns / 2 > then_ns || now_ns < then_ns / 2;
}

bool mimic_has_to_look(const mimic *m, double *when_ns)
{
    const int64_t stock = crew_stock(m->crew);
    *when_ns = m->looked_ns;
    if (m->inbox != NULL || m->collected != NULL || (m->syncing != NULL && m->sync_done) ||
        (!m->asked && granted_wanted(m->granted, stock) > 0) ||
        (!crew_full(m->crew) && granted_would_offer(m->granted, stock)) || knows_better(m)) {
        return true;
    }
    if (m->written != NULL && m->syncing == NULL) {
        *when_ns = nothing_to_compute(m) ? m->looked_ns : m->next_sync_ns;
        return true;
    }
    return false;
}

void mimic_stay_awake(mimic *m, double now_ns)
{
    m->looked_ns = now_ns;
    m->rest_ns = PACE_HUNGRY_NS;
}
