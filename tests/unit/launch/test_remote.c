/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the remote shell's words: those that end a run's processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launch/remote.h"

#include <stdlib.h>

static void assert_words(const char *shell, const char *const expected[])
{
    words w = {.count = 0};
    int count = 0;
    (void)setenv(REMOTE_VARIABLE, shell, 1);
    remote_end_words(&w, "n1", "/a b/status");
    while (expected[count] != NULL) {
        assert_true(count < w.count);
        assert_string_equal(w.word[count], expected[count]);
        count++;
    }
    assert_int_equal(w.count, count);
    words_free(&w);
}

#define LINE(q)                                             \
    "kill -9 $(grep -lsF " q "WEFT_DONE_FILE=/a b/status" q \
    " /proc/[0-9]*/environ | cut -d/ -f3) 2>/dev/null; true"

static void test_shells(void **state)
{
    (void)state;
    static const char line[] = "/bin/sh -c '" LINE("'\\''") "'";
    static const char *const by_default[] = {"ssh", "-x", "n1", line, NULL};
    static const char *const other[] = {"/x/rsh", "-o", "1", "n1", line, NULL};
    static const char *const srun[] = {
        "/x/srun", "--quiet", "--nodelist=n1",
        "/bin/sh", "-c",      "unset SLURM_PROCID PMI_RANK PMI_SIZE; " LINE("'"),
        NULL};
    assert_words("", by_default);
    assert_words("/x/rsh  -o 1", other);
    assert_words("/x/srun --quiet", srun);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
