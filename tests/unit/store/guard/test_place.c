/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the place of a result: links are followed, earlier files are kept, and a file that is taken
 * away is missed. */
#include "store/folder.h"

#include "store/guard/place.h"

static void put(const char *name, const char *text)
{
    sample_write(sample_path(name), text, strlen(text));
}

static bool holds(const char *name, const char *text)
{
    return sample_same(sample_path(name), (const unsigned char *)text, strlen(text));
}

static void test_no_backup_is_replaced(void **state)
{
    (void)state;
    static const char *const texts[] = {"first", "second", "third"};
    static const char *const names[] = {"a.h5.bak", "a.h5.bak.2", "a.h5.bak.3"};
    error e = {.status = WEFT_OK};
    for (int i = 0; i < 3; i++) {
        put("a.h5", texts[i]);
        for (int k = 0; k < 2; k++) { /* the second time there is nothing to move */
            assert_int_equal(place_clear(sample_path("a.h5"), &e), WEFT_OK);
            assert_false(sample_exists(sample_path("a.h5")));
        }
        for (int k = 0; k < 3; k++) {
            assert_int_equal(sample_exists(sample_path(names[k])), k <= i);
            assert_true(k > i || holds(names[k], texts[k]));
        }
    }
}

/* Somebody's link that leads nowhere is a name as well. */
static void test_any_name_counts(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    put("b.h5", "mine");
    assert_int_equal(symlink("nowhere", sample_path("b.h5.bak")), 0);
    assert_int_equal(place_clear(sample_path("b.h5"), &e), WEFT_OK);
    assert_true(holds("b.h5.bak.2", "mine"));
}

static void test_not_without_end(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    char name[64] = "c.h5.bak";
    put("c.h5", "mine");
    for (int i = 2; i <= 1001; i++) {
        char path[SAMPLE_PATH_BYTES + 64];
        (void)snprintf(path, sizeof path, "%s/%s", sample_folder, name);
        sample_write(path, "", 0);
        (void)snprintf(name, sizeof name, "c.h5.bak.%d", i);
    }
    assert_int_equal(place_clear(sample_path("c.h5"), &e), WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "c.h5.bak.1000"));
    assert_true(holds("c.h5", "mine"));
}

static void check_found(const char *given, const char *expected)
{
    error e = {.status = WEFT_OK};
    char path[PLACE_PATH_BYTES];
    assert_int_equal(place_find(given, path, &e), WEFT_OK);
    assert_string_equal(path, expected);
}

static void test_links(void **state)
{
    (void)state;
    char absolute[SAMPLE_PATH_BYTES + 16];
    (void)snprintf(absolute, sizeof absolute, "%s/there.h5", sample_folder);
    assert_int_equal(mkdir(sample_path("folder"), 0777), 0);
    assert_int_equal(symlink("../one.h5", sample_path("folder/two.h5")), 0);
    assert_int_equal(symlink("folder/two.h5", sample_path("three.h5")), 0);
    check_found(sample_path("three.h5"), sample_path("folder/../one.h5"));
    put("one.h5", "x");
    check_found(sample_path("three.h5"), sample_path("folder/../one.h5"));
    check_found(sample_path("one.h5"), sample_path("one.h5"));
    check_found("none.h5", "none.h5");
    assert_int_equal(symlink("/nowhere/at.h5", sample_path("far.h5")), 0);
    check_found(sample_path("far.h5"), "/nowhere/at.h5");
    assert_int_equal(unlink(sample_path("folder/two.h5")), 0);
}

static void test_no_place(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    char path[PLACE_PATH_BYTES];
    char text[PLACE_PATH_BYTES + 1];
    assert_int_equal(symlink("round.h5", sample_path("round.h5")), 0);
    assert_int_equal(place_find(sample_path("round.h5"), path, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "round.h5"));
    static const char *const folders[] = {"a/", ".", "..", "a/..", "/"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        assert_int_equal(place_find(folders[i], path, &e), WEFT_ERR_USAGE);
        assert_non_null(strstr(e.text, folders[i]));
    }
    assert_int_equal(place_find(sample_folder, path, &e), WEFT_ERR_USAGE);
    assert_non_null(strstr(e.text, "names a folder"));
    memset(text, 'x', sizeof text);
    text[PLACE_PATH_BYTES] = '\0';
    assert_int_equal(place_find(text, path, &e), WEFT_ERR_USAGE);
    text[PLACE_PATH_BYTES - 1] = '\0';
    assert_int_equal(place_find(text, path, &e), WEFT_OK);
    assert_int_equal(place_clear(text, &e), WEFT_ERR_USAGE);
    text[PLACE_PATH_BYTES - 10] = '\0';
    assert_int_equal(symlink(text, sample_path("long.h5")), 0);
    assert_int_equal(place_find(sample_path("long.h5"), path, &e), WEFT_ERR_USAGE);
}

static void test_whose_file_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        bool foreign;
    } cases[] = {{"", 0, false},          {"MAGIC", 5, false}, {"MAGIC more", 10, false},
                 {"MAG", 3, true},        {"MAGOG", 5, true},  {"magic", 5, true},
                 {"\0\0\0\0\0", 5, true}, {"x", 1, true}};
    const char *path = sample_path("w");
    assert_false(place_is_foreign(path, "MAGIC", 5));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sample_write(path, cases[i].text, cases[i].count);
        assert_int_equal(place_is_foreign(path, "MAGIC", 5), cases[i].foreign);
    }
}

enum { BYTES = 1000 };

static int make_file(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, BYTES), 0);
    return fd;
}

static weft_status watch(int fd, const char *path, const char *says)
{
    error e = {.status = WEFT_OK};
    const weft_status status = place_check(fd, path, BYTES, &e);
    if (status != WEFT_OK) {
        assert_non_null(strstr(e.text, path));
        assert_non_null(strstr(e.text, says));
    }
    return status;
}

static void test_file_that_is_taken_away(void **state)
{
    (void)state;
    const char *path = sample_path("a.h5");
    const char *other = sample_path("b.h5");
    const int fd = make_file(path);
    assert_int_equal(watch(fd, path, ""), WEFT_OK);
    assert_int_equal(ftruncate(fd, 2 * BYTES), 0);
    assert_int_equal(watch(fd, path, ""), WEFT_OK);
    assert_int_equal(ftruncate(fd, BYTES - 1), 0);
    assert_int_equal(watch(fd, path, "was cut to 999 bytes"), WEFT_ERR_CORRUPT);
    assert_int_equal(ftruncate(fd, BYTES), 0);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(watch(fd, path, "was moved"), WEFT_ERR_SYSTEM);
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(watch(fd, path, ""), WEFT_OK);
    (void)close(make_file(other));
    assert_int_equal(rename(other, path), 0);
    assert_int_equal(watch(fd, path, "another file now"), WEFT_ERR_SYSTEM);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(watch(fd, path, "was removed"), WEFT_ERR_SYSTEM);
    (void)close(fd);
    assert_int_equal(watch(fd, path, "cannot examine"), WEFT_ERR_SYSTEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_backup_is_replaced),
        cmocka_unit_test(test_any_name_counts),
        cmocka_unit_test(test_not_without_end),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_whose_file_it_is),
        cmocka_unit_test(test_file_that_is_taken_away),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
