/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the launcher's command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch/message.h"
#include "launch/request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int read_words(request *r, words *w, const char *line)
{
    words_split(w, line);
    words_add(w, "%s", "end");
    free(w->word[--w->count]);
    w->word[w->count] = NULL;
    return request_read(r, w->word);
}

static void test_all(void **state)
{
    (void)state;
    request r;
    words w = {.count = 0};
    assert_int_equal(read_words(&r, &w,
                                "-n 4 --threads=8 --hosts a,b --rsh ssh --done-dir /d --grace 1 "
                                "--mca pml ob1 --mpirun-options --report --stdin --dry-run --log "
                                "debug -- ./pi -n 3"),
                     REQUEST_GO_ON);
    assert_int_equal(r.ranks, 4);
    assert_int_equal(r.workers, 8);
    assert_int_equal(r.grace_s, 1);
    assert_string_equal(r.host_list, "a,b");
    assert_string_equal(r.remote_shell, "ssh");
    assert_string_equal(r.done_folder, "/d");
    assert_int_equal(r.options.count, 4);
    assert_true(r.takes_stdin && r.dry_run && log_wants(LOG_DEBUG));
    assert_string_equal(r.program[0], "./pi");
    assert_string_equal(r.program[2], "3");
    words_free(&r.options);
    words_free(&w);
}

static void test_defaults(void **state)
{
    (void)state;
    request r;
    words w = {.count = 0};
    assert_int_equal(read_words(&r, &w, "pi --stdin"), REQUEST_GO_ON);
    assert_int_equal(r.ranks + r.workers, 0);
    assert_int_equal(r.grace_s, 4);
    assert_false(r.takes_stdin || r.dry_run);
    assert_string_equal(r.program[1], "--stdin");
    words_free(&w);
}

static void test_wrong_usage(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "--",
                                        "--none true",
                                        "-n",
                                        "-n 0 true",
                                        "-t many true",
                                        "--mca a",
                                        "--mca=a b true",
                                        "--dry-run=1 true",
                                        "--hosts a --hostfile b true",
                                        "--done-dir= true",
                                        "--log loud true",
                                        "-x true"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        request r;
        words w = {.count = 0};
        assert_int_equal(read_words(&r, &w, wrong[i]), 2);
        words_free(&r.options);
        words_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_wrong_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
