/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is noted of a kernel that asks for what there is not. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/exec/misuse.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static misuse *make(void)
{
    error e = {.status = WEFT_OK};
    misuse *m = NULL;
    assert_int_equal(misuse_create(1, &m, &e), WEFT_OK);
    assert_null(misuse_seen(m));
    return m;
}

static void test_the_first_text_is_kept(void **state)
{
    (void)state;
    misuse *m = make();
    misuse_note(m, "field %d", 7);
    misuse_note(m, "field %d", 8);
    assert_int_equal(misuse_seen(m)->status, WEFT_ERR_USAGE);
    assert_string_equal(misuse_seen(m)->text, "field 7");
    misuse_destroy(m);
    assert_null(misuse_seen(NULL));
    misuse_destroy(NULL);
}

/* Between a note and its text a span that others have computed must not count. */
static void test_a_note_without_a_text_is_seen(void **state)
{
    (void)state;
    misuse *m = make();
    char *forbidden = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(forbidden, MAP_FAILED);
    const pid_t child = fork();
    if (child == 0) {
        (void)close(STDERR_FILENO);
        misuse_note(m, "%s", forbidden);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_not_equal(status, 0);
    misuse_note(m, "too late");
    const error *seen = misuse_seen(m);
    assert_non_null(seen);
    assert_int_equal(seen->status, WEFT_ERR_USAGE);
    assert_int_not_equal(seen->text[0], '\0');
    misuse_destroy(m);
    (void)munmap(forbidden, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_text_is_kept),
        cmocka_unit_test(test_a_note_without_a_text_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
