/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what a simulated agent says and does, step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan/mimic.h"
#include "sched/pace.h"

#include <math.h>

/* What the agent has had others do. */
typedef struct scene {
    mimic *mimic;
    job *job;
    letter *sent; /* the newest */
    int letters;
    int woken;
    int synced;
    int written; /* by the agent */
} scene;

static void send(void *context, letter *l)
{
    scene *s = context;
    l->next = s->sent;
    s->sent = l;
    s->letters++;
}

static void wake(void *context, int rank, int worker)
{
    scene *s = context;
    s->woken += rank == 3 && worker >= 0 && worker < 2;
}

static void sync(void *context, int rank)
{
    scene *s = context;
    s->synced += rank == 3;
}

static void write_block(void *context, int rank, crew_block *b)
{
    scene *s = context;
    (void)rank;
    s->written++;
    mimic_written(s->mimic, b);
}

/* A millisecond; the tenth tile takes three. */
static double tile_ns(const void *context, int64_t tile)
{
    (void)context;
    return tile == 10 ? 3e6 : 1e6;
}

static scene make_scene(bool syncs)
{
    static const int64_t count = 100000;
    error e = {.status = WEFT_OK};
    scene s = {.letters = 0};
    assert_int_equal(job_create("mimic", 1, &count, &s.job, &e), WEFT_OK);
    assert_int_equal(job_add_field(s.job, "a", WEFT_UINT8, 0, NULL, NULL, NULL, &e), WEFT_OK);
    assert_int_equal(job_settle(s.job, 0, 1, &e), WEFT_OK);
    const mimic_setup setup = {.rank = 3,
                               .ranks = 8,
                               .workers = 2,
                               .call_tiles = INT64_MAX,
                               .syncs = syncs,
                               .sync_pause_ns = 5e6,
                               .job = s.job,
                               .tile_ns = tile_ns};
    assert_int_equal(mimic_create(&setup, &s.mimic, &e), WEFT_OK);
    crew_wait(mimic_crew(s.mimic), 0);
    crew_wait(mimic_crew(s.mimic), 1);
    return s;
}

static void leave(scene *s)
{
    letter_destroy(s->sent);
    mimic_destroy(s->mimic);
    job_destroy(s->job);
}

static void step(scene *s, double now_ns)
{
    const mimic_hooks hooks = {
        .context = s, .send = send, .wake = wake, .sync = sync, .write = write_block};
    assert_true(mimic_step(s->mimic, now_ns, &hooks));
}

/* The newest letter, which is of that kind. */
static const letter *last_letter(const scene *s, message_kind kind)
{
    assert_non_null(s->sent);
    assert_int_equal(s->sent->kind, kind);
    assert_int_equal(s->sent->rank, 3);
    return s->sent;
}

static void grant(scene *s, int64_t first, int64_t tiles)
{
    letter *l = letter_create(MESSAGE_GRANT, 3, 1);
    assert_non_null(l);
    l->interval[0] = (interval){.first = first, .tiles = tiles};
    mimic_deliver(s->mimic, l);
}

/* A worker computes what it takes; true if that finishes a block, which is then written. */
static bool compute(scene *s, int worker, double stretch)
{
    crew *c = mimic_crew(s->mimic);
    crew_block *b = NULL;
    interval span;
    bool last = false;
    double work_ns = 0;
    assert_true(crew_take(c, worker, &b, &span, &last));
    for (int64_t tile = span.first; tile < interval_end(span); tile++) {
        work_ns += tile_ns(NULL, tile);
    }
    const bool done = crew_finish(c, worker, b, span.tiles, stretch * work_ns, work_ns, last);
    if (done) {
        mimic_written(s->mimic, b);
    }
    return done;
}

static void test_asks_once(void **state)
{
    (void)state;
    scene s = make_scene(false);
    double when_ns = 0;
    assert_true(mimic_has_to_look(s.mimic, &when_ns));
    step(&s, 1000);
    assert_true(last_letter(&s, MESSAGE_ASK)->want >= 2);
    step(&s, 2000);
    assert_int_equal(s.letters, 1);
    assert_false(mimic_has_to_look(s.mimic, &when_ns));
    grant(&s, 0, 50);
    assert_true(mimic_has_to_look(s.mimic, &when_ns));
    step(&s, 3000);
    assert_int_equal(s.woken, 2);
    assert_true(crew_stock(mimic_crew(s.mimic)) > 0);
    leave(&s);
}

/* What was computed is told at once, and reported once it may be recorded. */
static void test_news_and_reports(void **state)
{
    (void)state;
    for (int syncs = 0; syncs < 2; syncs++) {
        scene s = make_scene(syncs == 1);
        step(&s, 0);
        grant(&s, 10, 1);
        step(&s, 1e6);
        grant(&s, 20, 4);
        assert_true(compute(&s, 0, 2));
        step(&s, 7e6);
        const letter *told = syncs == 1 ? s.sent : s.sent->next;
        while (told->kind != MESSAGE_NEWS) {
            told = told->next;
        }
        assert_int_equal(told->news.computed.tiles, 1);
        assert_true(fabs(told->news.computed.seconds - 6e-3) < 1e-12);
        assert_true(fabs(told->news.computed.squares - 36e-6) < 1e-12);
        assert_true(fabs(told->news.longest_s - 6e-3) < 1e-12);
        assert_true(fabs(told->news.computed.elapsed - 6e-3) < 1e-12);
        int reports = 0;
        for (const letter *l = s.sent; l != NULL; l = l->next) {
            reports += l->kind == MESSAGE_REPORT;
        }
        assert_int_equal(s.synced, syncs);
        assert_int_equal(reports, 1 - syncs);
        if (syncs == 1) {
            mimic_synced(s.mimic, 8e6);
            step(&s, 8e6);
            const letter *report = s.sent;
            while (report->kind != MESSAGE_REPORT) {
                report = report->next;
            }
            assert_int_equal(report->block->all.first, 10);
            assert_int_equal(report->block->all.tiles, 1);
        }
        leave(&s);
    }
}

/* The back half of what nobody has begun: what is queued first, then what is on offer. */
static void test_giving_back(void **state)
{
    (void)state;
    scene s = make_scene(false);
    step(&s, 0);
    grant(&s, 0, 1000);
    step(&s, 1000);
    mimic_deliver(s.mimic, letter_create(MESSAGE_RECALL, 3, 0));
    step(&s, 2000);
    const letter *back = last_letter(&s, MESSAGE_RETURN);
    assert_int_equal(interval_end(back->interval[0]), 1000);
    assert_int_equal(back->intervals, 1);
    assert_int_equal(back->interval[0].tiles, 500);
    assert_int_equal(back->left, 500);
    int64_t returned = 0;
    for (int i = 0; i < 30; i++) {
        mimic_deliver(s.mimic, letter_create(MESSAGE_RECALL, 3, 0));
        step(&s, 3000 + i);
        for (const letter *l = s.sent; l != NULL; l = l->next) {
            returned += l->kind == MESSAGE_RETURN && l->left == 0 ? 1 : 0;
        }
    }
    assert_true(returned > 0);
    assert_int_equal(crew_stock(mimic_crew(s.mimic)), 0);
    leave(&s);
}

/* A block made for quick tiles is cut when they turn out slow: the rest is queued again. */
static void test_long_blocks_are_cut(void **state)
{
    (void)state;
    scene s = make_scene(false);
    double when_ns = 0;
    step(&s, 0);
    grant(&s, 100, 2000);
    step(&s, 1000);
    while (!compute(&s, 0, 1e-3)) {
    }
    step(&s, 2000);
    step(&s, 3000);
    const int64_t before = crew_stock(mimic_crew(s.mimic));
    assert_true(before > 500);
    for (int i = 0; i < 30; i++) {
        (void)compute(&s, 0, 100);
    }
    assert_true(mimic_has_to_look(s.mimic, &when_ns));
    step(&s, 4000);
    assert_true(crew_stock(mimic_crew(s.mimic)) < before / 10);
    leave(&s);
}

/* Soon while something happens or nobody has work, then less and less often. */
static void test_looks(void **state)
{
    (void)state;
    scene s = make_scene(false);
    step(&s, 0);
    assert_true(mimic_next_look(s.mimic, 50000) == PACE_HUNGRY_NS);
    assert_true(mimic_next_look(s.mimic, 950001) == 10.0 * PACE_HUNGRY_NS);
    grant(&s, 0, 100);
    step(&s, 1e6);
    assert_true(mimic_next_look(s.mimic, 1e6) == 1e6 + PACE_HUNGRY_NS);
    assert_true(mimic_next_look(s.mimic, 1e6 + 1.5 * PACE_HUNGRY_NS) == 1e6 + 3.0 * PACE_HUNGRY_NS);
    const double late_ns = mimic_next_look(s.mimic, 1e9);
    assert_true(late_ns >= 1e9 && late_ns < 1e9 + PACE_QUIET_NS);
    step(&s, 2e9);
    const double later_ns = mimic_next_look(s.mimic, 3e9);
    assert_true(later_ns >= 3e9 && later_ns < 3e9 + 5 * PACE_QUIET_NS);
    assert_true(pace_longest_rest(2, 0) == PACE_QUIET_NS);
    assert_true(pace_longest_rest(2, INT64_MAX) == PACE_QUIETEST_NS);
    mimic_stay_awake(s.mimic, 2e9);
    assert_true(mimic_next_look(s.mimic, 2e9) == 2e9 + PACE_HUNGRY_NS);
    leave(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_once),   cmocka_unit_test(test_news_and_reports),
        cmocka_unit_test(test_giving_back), cmocka_unit_test(test_long_blocks_are_cut),
        cmocka_unit_test(test_looks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
