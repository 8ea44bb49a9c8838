/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what a failed file-system call is said to be. */
#include "store/folder.h"

#include "host/host.h"
#include "store/io/fault.h"

#include <errno.h>

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        int number;
        weft_status status;
        const char *says;
    } cases[] = {
        {ENOSPC, WEFT_ERR_NO_SPACE, "MB are free there"},
        {EDQUOT, WEFT_ERR_NO_SPACE, "quota"},
        {EROFS, WEFT_ERR_SYSTEM, "read-only"},
        {EIO, WEFT_ERR_SYSTEM, "dmesg"},
        {ESTALE, WEFT_ERR_SYSTEM, "server"},
        {EFBIG, WEFT_ERR_SYSTEM, "ulimit -f"},
        {EACCES, WEFT_ERR_SYSTEM, "permissions"},
        {ENXIO, WEFT_ERR_SYSTEM, "fix the cause"},
    };
    char host[HOST_NAME_BYTES];
    host_name(host);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        error e = {.status = WEFT_OK};
        assert_int_equal(fault_set(&e, cases[i].number, sample_folder, "cannot write %s", "it"),
                         cases[i].status);
        assert_int_equal(e.status, cases[i].status);
        assert_non_null(strstr(e.text, host));
        assert_non_null(strstr(e.text, "cannot write it: "));
        assert_non_null(strstr(e.text, cases[i].says));
        assert_non_null(strstr(e.text, "run the same command again"));
    }
}

/* A file that could not be made has no disk, but its folder has one. */
static void test_free_space(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    (void)fault_set(&e, ENOSPC, sample_path("none.h5"), "a");
    assert_non_null(strstr(e.text, "MB are free"));
    (void)fault_set(&e, ENOSPC, sample_path("none/none/none.h5"), "a");
    assert_null(strstr(e.text, "MB are free"));
    (void)fault_set(&e, EIO, sample_folder, "a");
    assert_null(strstr(e.text, "MB are free"));
}

/* However long the path is, the advice is there. */
static void test_long_text(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    char path[4096];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    (void)fault_set(&e, EIO, path, "cannot write %s", path);
    assert_non_null(strstr(e.text, "run the same command again"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_free_space),
        cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
