/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests a kernel's way to its fields: by number, by name and type, and to those that there are not,
 * or its word on items that it was not given: the run ends with an error that names them, and
 * nothing is damaged. */
#include "fixture.h"

enum { ITEMS = 64, PAIR = 2 };

/* What the kernel asks for. */
typedef struct wish {
    int number; /* -2: by name */
    const char *name;
    bool as_float;
    int returns;
    int fails; /* below 0: an item before the span; above: the one behind it */
} wish;

static int kernel(const weft_span *span, void *context)
{
    const wish *w = context;
    const int64_t count = weft_span_count(span);
    double *area = weft_span_double(span, "area");
    int64_t *pair = weft_span_int64(span, "pair");
    assert_ptr_equal(area, weft_span_result(span, 0));
    assert_ptr_equal(pair, weft_span_result(span, 1));
    for (int64_t i = 0; i < count; i++) {
        area[i] = (double)(weft_span_first(span) + i);
        pair[PAIR * i] = pair[PAIR * i + 1] = weft_span_first(span) + i;
    }
    if (w->number >= -1) {
        int64_t *other = weft_span_result(span, w->number);
        memset(other, 0xff, (size_t)count * PAIR * sizeof *other);
    } else if (w->as_float) {
        float *other = weft_span_float(span, w->name);
        memset(other, 0xff, (size_t)count * sizeof *other);
    }
    if (w->fails != 0) {
        weft_span_fail(span, weft_span_first(span) + (w->fails < 0 ? -1 : count), 9, "no");
    }
    return w->returns;
}

static weft_status run(const char *out, const char *more, wish w, char text[512])
{
    weft_session *session = fixture_session(out, 2, more);
    weft_map *map = NULL;
    assert_int_equal(weft_map_create(session, "fields", 1, (int64_t[]){ITEMS}, &map), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "area", WEFT_FLOAT64, 0, NULL, NULL, NULL), WEFT_OK);
    assert_int_equal(weft_map_add_field(map, "pair", WEFT_INT64, 1, (int64_t[]){PAIR}, NULL, NULL),
                     WEFT_OK);
    const weft_status status = weft_map_run(map, kernel, &w);
    (void)snprintf(text, 512, "%.511s", weft_error_text(session));
    weft_map_destroy(map);
    assert_int_equal(weft_finish(session, status), weft_status_exit(status));
    return status;
}

static void test_fields_that_there_are_not(void **state)
{
    (void)state;
    static const char *const hows[] = {"--isolate=0", "--isolate"};
    static const struct {
        wish wish;
        const char *text;
    } cases[] = {
        {{.number = 2},
         "the kernel asks for field 2 of map 'fields', which has 2 fields: 'area', "
         "'pair' (counted from 0)"},
        {{.number = -1}, "field -1 of map 'fields'"},
        {{.number = INT32_MAX, .returns = 7}, "field 2147483647 of map 'fields'"},
        {{.number = -2, .name = "are", .as_float = true},
         "the kernel asks for field 'are' of map 'fields', which has 2 fields: 'area', 'pair'"},
        {{.number = -2, .name = "area", .as_float = true},
         "the kernel takes field 'area' of map 'fields' for float32, but it is float64"},
        {{.number = -2, .as_float = true}, "the kernel asks for field '' of map 'fields'"},
        {{.number = -2, .fails = -1}, "of map 'fields' failed, in a span of items "},
        {{.number = -2, .fails = 1}, "weft_span_first() + i"},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        const char *out = fixture_path();
        char text[512];
        assert_int_equal(run(out, hows[i % 2], cases[i / 2].wish, text), WEFT_ERR_USAGE);
        assert_non_null(strstr(text, cases[i / 2].text));
        /* The file is good, and the kernel, once mended, goes on with it. */
        assert_int_equal(run(out, hows[i % 2], (wish){.number = -2}, text), WEFT_OK);
        assert_string_equal(text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_that_there_are_not),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
