/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what the agent of a rank decides: step by step, and that under random schedules of events
 * every tile that was granted is reported, given back or dropped, once. */
#include "desk_scene.h"

static void test_asks_once(void **state)
{
    (void)state;
    scene *s = make_scene(0);
    assert_int_equal(desk_urgency(s->desk, s->now_ns), URGENCY_HUNGER);
    assert_int_equal(step(s), DESK_WORKS);
    assert_int_equal(s->asks, 1);
    assert_true(s->want >= WORKERS);
    step(s);
    grant(s, 0, 50);
    step(s);
    assert_true(look(s).stock > 0);
    assert_int_equal(desk_urgency(s->desk, s->now_ns), URGENCY_NONE);
    leave(s);
}

/* The coordinator learns once that workers wait, and the rank is hungry only from then on. */
static void test_says_when_workers_wait(void **state)
{
    (void)state;
    scene *s = make_scene(0);
    step(s);
    assert_true(s->asks == 1 && s->told_idle);
    grant(s, 0, WORKERS);
    step(s);
    while (begin(s, 1)) {
    }
    step(s);
    assert_true(s->asks == 1 && !s->told_idle);
    assert_int_equal(desk_urgency(s->desk, s->now_ns), URGENCY_NONE);
    assert_int_equal(desk_urgency(s->desk, s->now_ns + PACE_LONGEST_NS), URGENCY_ANSWER);
    assert_true(finish(s, false));
    assert_int_equal(desk_urgency(s->desk, s->now_ns), URGENCY_HUNGER);
    int64_t when_ns = 0;
    assert_true(desk_due(s->desk, &when_ns));
    step(s);
    assert_true(s->asks == 1 && s->told_idle);
    const int64_t effects = s->effects;
    step(s);
    assert_int_equal(s->effects, effects);
    grant(s, WORKERS, 50);
    step(s);
    assert_int_equal(desk_urgency(s->desk, s->now_ns), URGENCY_NONE);
    leave(s);
}

/* What was computed is told at once, and reported once it may be recorded. */
static void test_news_and_reports(void **state)
{
    (void)state;
    for (int syncs = 0; syncs < 2; syncs++) {
        scene *s = make_scene(syncs * 10);
        step(s);
        s->now_ns = MS;
        grant(s, 10, 2);
        step(s);
        assert_true(begin(s, 1) && begin(s, 1));
        assert_true(finish(s, false) && finish(s, false));
        s->now_ns = 7 * MS;
        assert_true(desk_report(s->desk, s->now_ns));
        assert_false(desk_report(s->desk, s->now_ns));
        const measurement *m = &s->news.news.computed;
        assert_int_equal(m->tiles, 2);
        assert_true(fabs(m->seconds - 5e-3) < 1e-12 && fabs(m->squares - 13e-6) < 1e-12);
        assert_true(fabs(s->news.news.longest_s - 3e-3) < 1e-12);
        assert_true(fabs(m->elapsed - 6e-3) < 1e-12);
        assert_int_equal(s->syncs, syncs);
        assert_int_equal(s->reported, syncs == 1 ? 0 : 2);
        if (syncs == 1) {
            finish_sync(s, 1e-3);
            (void)desk_report(s->desk, s->now_ns);
            assert_int_equal(s->reported, 2);
        }
        leave(s);
    }
}

/* Between two syncs there is a pause, by the length of the last and as long as --sync says at most;
 * but not where nothing more will come. */
static void test_sync_pauses(void **state)
{
    (void)state;
    static const double sync_s[] = {1e-3, 1};
    static const double pause_s[] = {5e-3, 2};
    for (int i = 0; i < 2; i++) {
        scene *s = make_scene(2);
        const int64_t pause_ns = (int64_t)(1e9 * pause_s[i]);
        step(s);
        grant(s, 0, 400);
        step(s);
        assert_true(begin(s, 1) && finish(s, false));
        (void)desk_report(s->desk, s->now_ns);
        assert_int_equal(s->syncs, 1);
        step(s);
        assert_true(begin(s, 1) && finish(s, false));
        (void)desk_report(s->desk, s->now_ns);
        finish_sync(s, sync_s[i]);
        (void)desk_report(s->desk, s->now_ns);
        assert_int_equal(s->syncs, 1);
        s->now_ns += pause_ns - 1;
        (void)desk_report(s->desk, s->now_ns);
        assert_int_equal(s->syncs, 1);
        s->now_ns += 1;
        (void)desk_report(s->desk, s->now_ns);
        assert_int_equal(s->syncs, 2);
        finish_sync(s, sync_s[i]);
        step(s);
        assert_true(begin(s, 1) && finish(s, false));
        (void)desk_report(s->desk, s->now_ns);
        assert_int_equal(s->syncs, 2);
        stop(s, MS);
        while (finish(s, false)) {
        }
        (void)desk_report(s->desk, s->now_ns);
        assert_int_equal(s->syncs, 3);
        leave(s);
    }
}

/* The back half of what nobody has begun: what is queued first, then what is on offer. */
static void test_giving_back(void **state)
{
    (void)state;
    scene *s = make_scene(0);
    grant(s, 0, 1000);
    step(s);
    recall(s);
    assert_int_equal(s->back.intervals, 1);
    assert_int_equal(interval_end(s->back.interval[0]), 1000);
    assert_int_equal(s->back.interval[0].tiles, 500);
    for (int i = 0; i < 30; i++) {
        recall(s);
    }
    assert_int_equal(s->back.left, 0);
    assert_int_equal(s->back.intervals, 0);
    assert_int_equal(look(s).stock, 0);
    leave(s);
}

/* A block made for quick tiles is cut when they turn out slow: the rest is queued again. */
static void test_long_blocks_are_cut(void **state)
{
    (void)state;
    scene *s = make_scene(0);
    s->tile_ns = 1000;
    grant(s, 100, 2000);
    step(s);
    assert_true(look(s).stock > 500);
    s->tile_ns = 10 * MS;
    step(s);
    assert_true(look(s).stock < 100);
    assert_int_equal(count_places(s, HELD) + look(s).stock, 2000);
    leave(s);
}

/* What is not done is given back in pieces, but what was cut off before is not. */
static void test_undone_goes_back(void **state)
{
    (void)state;
    scene *s = make_scene(0);
    s->tile_ns = 1000;
    grant(s, 0, 20);
    step(s);
    assert_true(begin(s, 9));
    recall(s);
    assert_int_equal(s->returns, 1);
    stop(s, MS);
    assert_true(finish(s, true));
    assert_int_equal(count_places(s, LEFT_UNDONE), 0);
    assert_int_equal(s->returns, 1 + 3);
    assert_int_equal(s->back.interval[0].first, 7);
    leave(s);
}

/* After MESSAGE_STOP a rank leaves once all is reported, or when its time, and that of children, is
 * up; it says so once. */
static void test_leaving(void **state)
{
    (void)state;
    for (int late = 0; late < 3; late++) {
        scene *s = make_scene(10);
        s->children = late == 2;
        step(s);
        grant(s, 0, 10);
        step(s);
        assert_true(begin(s, 1));
        stop(s, 50 * MS);
        grant(s, 100, 10);
        s->now_ns += 50 * MS - 1;
        assert_int_equal(step(s), DESK_WORKS);
        assert_int_equal(s->leaves, 0);
        if (late == 0) {
            while (finish(s, false)) {
            }
            (void)desk_report(s->desk, s->now_ns);
            step(s);
            assert_int_equal(s->leaves, 0);
            finish_sync(s, 1e-3);
            (void)desk_report(s->desk, s->now_ns);
        } else {
            s->now_ns += 1;
        }
        step(s);
        assert_int_equal(s->leaves, late < 2);
        s->now_ns += 100 * MS;
        step(s);
        step(s);
        assert_int_equal(s->leaves, 1);
        assert_int_equal(s->dropped, late > 0);
        assert_int_equal(s->asks, 0);
        leave(s);
    }
}

/* Where all is recorded, children are ended at once, and other kernels have their time. */
static void test_leaving_what_is_of_no_use(void **state)
{
    (void)state;
    for (int useless = 0; useless < 2; useless++) {
        scene *s = make_scene(0);
        step(s);
        grant(s, 0, 10);
        step(s);
        assert_true(begin(s, 1));
        const message_stop message = {
            .kind = MESSAGE_STOP, .grace_ns = 1000 * MS, .disk_ns = useless == 1 ? 0 : DISK_NS};
        receive(s, &message);
        move_all(s, HELD, OUTSIDE);
        assert_int_equal(step(s), DESK_WORKS);
        assert_int_equal(s->children_ended, useless);
        assert_int_equal(s->leaves, 0);
        while (finish(s, false)) {
        }
        (void)desk_report(s->desk, s->now_ns);
        step(s);
        assert_int_equal(s->leaves, 1);
        assert_int_equal(s->dropped, 0);
        leave(s);
    }
}

/* After MESSAGE_STOP the disk has a time of its own, which begins when nothing else is waited for:
 * what was written before a kernel's time was up is reported, whether or not the kernel returns. */
static void test_disk_after_a_stop(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        for (int answers = 0; answers < 2; answers++) {
            scene *s = make_scene(10);
            step(s);
            grant(s, 0, 10);
            step(s);
            while (begin(s, 1)) {
            }
            while (finish(s, false)) {
            }
            (void)desk_report(s->desk, s->now_ns);
            grant(s, 100, 10);
            step(s);
            assert_true(late == 0 || begin(s, 1));
            stop(s, 50 * MS);
            while (late == 0 && finish(s, false)) {
            }
            s->now_ns += 50 * MS;
            step(s);
            step(s);
            assert_int_equal(s->waits, 1);
            assert_int_equal(s->dropped, late);
            s->now_ns += DISK_NS - 1;
            step(s);
            assert_int_equal(s->leaves, 0);
            while (answers == 1 && s->syncing) {
                finish_sync(s, 1e-3);
                (void)desk_report(s->desk, s->now_ns);
            }
            s->now_ns += answers == 0;
            step(s);
            assert_int_equal(s->leaves, 1);
            assert_int_equal(s->waits, 1);
            assert_int_equal(s->reported > 0, answers);
            leave(s);
        }
    }
}

/* At the end a rank waits for its kernels, if the end is not at once, and for its disk, as long as
 * it may. */
static void test_end(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        scene *s = make_scene(0);
        s->children = true;
        step(s);
        grant(s, 0, 10);
        step(s);
        assert_true(begin(s, 1));
        end(s, broken == 1, 200 * MS);
        assert_int_equal(step(s), DESK_ENDS);
        s->now_ns += 100 * MS;
        assert_int_equal(step(s), broken == 1 ? DESK_GIVES_UP : DESK_ENDS);
        while (finish(s, false)) {
        }
        assert_int_equal(desk_step(s->desk, true, s->now_ns), DESK_ENDS);
        assert_int_equal(desk_step(s->desk, true, s->now_ns + 100 * MS), DESK_LEAVES_DISK);
        assert_int_equal(step(s), DESK_IS_DONE);
        leave(s);
    }
}

static void test_signals_are_told_once(void **state)
{
    (void)state;
    scene *s = make_scene(0);
    desk_signal(s->desk, 0);
    assert_int_equal(s->signals, 0);
    desk_signal(s->desk, 15);
    desk_signal(s->desk, 15);
    assert_int_equal(s->signals, 1);
    desk_signal(s->desk, 2);
    assert_int_equal(s->signals, 2);
    leave(s);
}

static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* The coordinator answers a request, late perhaps, with what nobody has; sometimes unasked, as for
 * a rank that has rejoined meanwhile. */
static void grant_some(scene *s, unsigned *seed)
{
    int64_t first = draw(seed, TILES);
    int64_t tiles = 0;
    const int64_t most = 1 + draw(seed, 200);
    while (first + tiles < TILES && tiles < most && s->place[first + tiles] == OUTSIDE) {
        tiles++;
    }
    if (tiles > 0 && (s->asks > 0 || draw(seed, 8) == 0)) {
        grant(s, first, tiles);
    }
}

/* Where nothing is due, nothing is done: a simulation leaves such steps out. Tiles that take a
 * little more or less time than before are let pass. */
static void step_as_said(scene *s)
{
    int64_t when_ns = 0;
    const bool due = desk_due(s->desk, &when_ns) && when_ns <= s->now_ns;
    const int64_t before = s->effects;
    (void)desk_report(s->desk, s->now_ns);
    step(s);
    s->idle_steps += !due;
    assert_true(due || s->effects == before || s->tile_ns != s->seen_tile_ns);
    s->seen_tile_ns = s->tile_ns;
}

static void do_something(scene *s, unsigned *seed)
{
    const unsigned what = draw(seed, 1000);
    s->now_ns += draw(seed, 3 * MS);
    if (what < 250) {
        step_as_said(s);
    } else if (what < 450) {
        grant_some(s, seed);
    } else if (what < 650) {
        (void)begin(s, 1 + draw(seed, 40));
    } else if (what < 800) {
        (void)finish(s, s->halted && draw(seed, 2) == 0);
    } else if (what < 900) {
        (void)desk_report(s->desk, s->now_ns);
    } else if (what < 930) {
        recall(s);
    } else if (what < 960 && s->syncing) {
        finish_sync(s, 1e-4 * draw(seed, 10));
    } else if (what < 990) {
        s->tile_ns = 1 + draw(seed, 1u << draw(seed, 24));
    } else if (what < 997 && !s->halted) {
        rejoin(s);
    } else if (what == 999 && !s->halted) {
        stop(s, INT64_C(1000000000) * MS);
    }
}

/* All that is under way comes to its end. */
static void drain(scene *s)
{
    if (!s->halted) {
        stop(s, INT64_C(1000000000) * MS);
    }
    for (int i = 0; i < 4 * BLOCKS; i++) {
        (void)finish(s, i % 2 == 0);
        (void)desk_report(s->desk, s->now_ns);
        if (s->syncing) {
            finish_sync(s, 0);
        }
        step(s);
    }
}

static void test_every_tile_once(void **state)
{
    (void)state;
    int64_t reported = 0;
    int64_t halted = 0;
    int64_t idle_steps = 0;
    for (unsigned run = 0; run < RUNS; run++) {
        scene *s = make_scene(run % 2 == 0 ? 0 : 1e-2);
        unsigned seed = run + 1;
        for (int i = 0; i < EVENTS; i++) {
            do_something(s, &seed);
        }
        halted += s->halted;
        drain(s);
        assert_int_equal(count_places(s, OUTSIDE) + count_places(s, REPORTED), TILES);
        assert_int_equal(s->told, s->reported);
        assert_int_equal(s->leaves, 1);
        assert_false(s->dropped);
        reported += s->reported;
        idle_steps += s->idle_steps;
        leave(s);
    }
    assert_true(reported > 100 * RUNS && idle_steps > RUNS);
    assert_in_range(halted, RUNS / 20, RUNS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asks_once),
        cmocka_unit_test(test_says_when_workers_wait),
        cmocka_unit_test(test_news_and_reports),
        cmocka_unit_test(test_sync_pauses),
        cmocka_unit_test(test_giving_back),
        cmocka_unit_test(test_long_blocks_are_cut),
        cmocka_unit_test(test_undone_goes_back),
        cmocka_unit_test(test_leaving),
        cmocka_unit_test(test_leaving_what_is_of_no_use),
        cmocka_unit_test(test_disk_after_a_stop),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_signals_are_told_once),
        cmocka_unit_test(test_every_tile_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
