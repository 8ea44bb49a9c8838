/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what a person sees of a run: which lines, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/stderr_lines.h"
#include "engine/coord/progress.h"

#include <string.h>

static const int64_t second_ns = INT64_C(1000000000);

static progress begin(progress_mode mode, const run_options *base)
{
    static run_options options;
    progress p;
    options = *base;
    options.progress = mode;
    progress_begin(&p, &options, "height", 1000, 100);
    return p;
}

static const run_options plain = {.path = "r.h5"};

/* In a log a line comes every half a minute, and not with --progress never. */
static void test_sparse_lines(void **state)
{
    (void)state;
    progress p = begin(PROGRESS_AUTO, &plain);
    p.live = false;
    p.next_ns = p.start_ns + 30 * second_ns;
    catch_lines();
    progress_update(&p, 200, 0, p.start_ns + 29 * second_ns);
    progress_update(&p, 550, 3, p.start_ns + 30 * second_ns);
    progress_update(&p, 560, 3, p.start_ns + 59 * second_ns);
    const char *said = show_lines();
    assert_non_null(strstr(said, "55.0 %, 550 of 1000 items, 3 failed, 15 items/s, 30 s left"));
    assert_null(strstr(said, "560"));
    assert_null(strstr(said, "200 of"));
    p = begin(PROGRESS_NEVER, &plain);
    catch_lines();
    progress_update(&p, 550, 3, p.start_ns + 300 * second_ns);
    assert_string_equal(show_lines(), "");
}

/* The closing line tells what there is to tell, and how to go on. */
static void test_the_closing_line(void **state)
{
    (void)state;
    progress p = begin(PROGRESS_NEVER, &plain);
    progress_summary summary = {
        .status = WEFT_OK,
        .done = 1000,
        .workers = 4,
        .busy_s = 30,
        .worst_s = 9,
        .state_s = {[WEFT_COMPUTING] = 30, [WEFT_WAITING_FOR_WORK] = 9.9, [WEFT_ELSEWHERE] = 0.1}};
    catch_lines();
    progress_end(&p, &summary, p.start_ns + 10 * second_ns);
    const char *said = show_lines();
    assert_non_null(strstr(said, "complete: 1000 of 1000 items done, 900 now in 10 s"));
    assert_non_null(
        strstr(said, "; workers: 75 % computing, 25 % waiting for work; imbalance 20 %\n"));
    assert_non_null(strstr(said, "result: r.h5"));
    assert_null(strstr(said, "failed"));
    assert_null(strstr(said, "waiting for a core"));
    assert_null(strstr(said, "run the same command again"));
    summary = (progress_summary){.status = WEFT_STOPPED,
                                 .done = 500,
                                 .failed = 7,
                                 .duplicates = 3,
                                 .lost = 1,
                                 .lost_items = 12,
                                 .workers = 4,
                                 .busy_s = 30,
                                 .worst_s = 9,
                                 .wait_s = 15};
    catch_lines();
    progress_end(&p, &summary, p.start_ns + 10 * second_ns);
    said = show_lines();
    assert_non_null(strstr(said, "stopped: 500 of 1000 items done, 400 now"));
    assert_non_null(strstr(said, ", 7 failed, 3 computed twice, 1 rank lost with 12 items"));
    assert_non_null(strstr(said, "50 % of the computing time was waiting for a core"));
    assert_non_null(strstr(said, "weft status r.h5"));
    assert_non_null(strstr(said, "run the same command again to continue"));
    summary.cancelled = true;
    catch_lines();
    progress_end(&p, &summary, p.start_ns + 10 * second_ns);
    said = show_lines();
    assert_non_null(strstr(said, "cancelled: 500 of 1000 items done, 400 now"));
    assert_null(strstr(said, "run the same command again"));
    assert_null(strstr(said, "height"));
    p = begin(PROGRESS_NEVER, &(run_options){.path = "r.h5", .maps = 2});
    catch_lines();
    progress_end(&p, &summary, p.start_ns + 10 * second_ns);
    assert_non_null(strstr(show_lines(), "map 'height': cancelled: 500 of 1000 items done"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sparse_lines),
        cmocka_unit_test(test_the_closing_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
