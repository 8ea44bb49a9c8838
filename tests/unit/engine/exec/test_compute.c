/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests blocks: who touches their memory first, and that nothing is left of their last use. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/exec/compute.h"
#include "host/usage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GRAIN = 16, ROOM = 8192, TILES = 20000 };

/* A job of one field, and what its blocks need. */
typedef struct scene {
    job *job;
    run_options options;
    flow flow;
    block *block;
} scene;

/* An item's value is its number. */
static int number_kernel(const weft_span *span, void *context)
{
    (void)context;
    int64_t *value = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        value[i] = weft_span_first(span) + i;
    }
    return 0;
}

/* Memory can be short. */
static bool short_of_memory;

void *__real_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

void *__wrap_realloc(void *memory, size_t bytes)
{
    return short_of_memory ? NULL : __real_realloc(memory, bytes);
}

/* Every third item fails, and is said to do so twice, the last one first. */
static int fail_thirds(const weft_span *span, void *context)
{
    (void)context;
    (void)number_kernel(span, NULL);
    for (int times = 0; times < 2; times++) {
        for (int64_t i = weft_span_count(span) - 1; i >= 0; i--) {
            if ((weft_span_first(span) + i) % 3 == 0) {
                weft_span_fail(span, weft_span_first(span) + i, 5, "a third");
            }
        }
    }
    return 0;
}

static int set_up(void **state)
{
    error e = {.status = WEFT_OK};
    scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    assert_int_equal(job_create("numbers", 1, (const int64_t[]){GRAIN * TILES}, &s->job, &e),
                     WEFT_OK);
    assert_int_equal(job_add_field(s->job, "number", WEFT_INT64, 0, NULL, NULL, NULL, &e), WEFT_OK);
    assert_int_equal(job_settle(s->job, 0, GRAIN, &e), WEFT_OK);
    s->options.pure = true;
    assert_int_equal(pool_create(&s->flow.reports, &e), WEFT_OK);
    assert_int_equal(pool_create(&s->flow.buffers, &e), WEFT_OK);
    s->flow = (flow){.options = &s->options,
                     .reports = s->flow.reports,
                     .buffers = s->flow.buffers,
                     .job = s->job,
                     .kernel = number_kernel,
                     .span_tiles = INT64_MAX,
                     .rank = 3};
    assert_int_equal(block_create(&s->flow, ROOM, &s->block, &e), WEFT_OK);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    scene *s = *state;
    block_destroy(s->block);
    pool_destroy(s->flow.buffers);
    pool_destroy(s->flow.reports);
    job_destroy(s->job);
    free(s);
    return 0;
}

/* Pages of a large piece of memory that somebody has touched, but for its first and last ones: the
 * heap keeps its books there. */
static int touched_pages(const void *memory, size_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)memory / page + 2) * page;
    const uintptr_t end = (((uintptr_t)memory + bytes) / page - 1) * page;
    unsigned char pages[(size_t)ROOM * GRAIN * sizeof(int64_t) / 4096];
    assert_in_range((end - first) / page, 1, sizeof pages);
    assert_int_equal(mincore((void *)first, end - first, pages), 0);
    int touched = 0;
    for (size_t i = 0; i < (end - first) / page; i++) {
        touched += pages[i] & 1;
    }
    return touched;
}

/* The allocator of a sanitizer may touch what it gives. */
static bool allocator_touches(void)
{
    const size_t bytes = (size_t)ROOM * sizeof(tile_record);
    void *memory = malloc(bytes);
    assert_non_null(memory);
    const bool touches = touched_pages(memory, bytes) > 0;
    free(memory);
    return touches;
}

static void test_workers_touch_first(void **state)
{
    scene *s = *state;
    if (allocator_touches()) {
        skip();
    }
    block *b = s->block;
    const size_t records_bytes = (size_t)ROOM * sizeof *b->records;
    const size_t bytes = (size_t)ROOM * GRAIN * sizeof(int64_t);
    block_begin(b, (interval){.tiles = ROOM});
    assert_true(block_equip(b));
    assert_int_equal(touched_pages(b->bytes, bytes), 0);
    assert_int_equal(touched_pages(b->records, records_bytes), 0);
    (void)block_compute(b, 0, ROOM / 2, ROOM / 2, clock_now_ns());
    assert_in_range(touched_pages(b->bytes, bytes), 1, bytes / 4096 / 2);
    assert_in_range(touched_pages(b->records, records_bytes), 1, records_bytes / 4096 / 2);
}

/* Tiles are done where they have been computed since the block was begun, and nowhere else. */
static void check_done(const block *b, int64_t first, int64_t tiles)
{
    for (int64_t i = 0; i < b->tiles; i++) {
        assert_int_equal(b->done[i], i >= first && i < first + tiles);
    }
    const int64_t *value = (const int64_t *)(const void *)b->bytes;
    for (int64_t i = first * GRAIN; i < (first + tiles) * GRAIN; i++) {
        assert_int_equal(value[i], b->first * GRAIN + i);
    }
}

static void test_nothing_is_left_of_the_last_use(void **state)
{
    scene *s = *state;
    block *b = s->block;
    static const struct {
        int64_t first;
        int64_t tiles;
        int64_t computed_first;
        int64_t computed;
    } uses[] = {{0, ROOM, 0, ROOM},   {ROOM, 10, 2, 5}, {5, ROOM, 700, 1000}, {77, 1, 0, 1},
                {100, ROOM, 0, ROOM}, {3, 1, 0, 0},     {9, 12, 0, 12}};
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        block_begin(b, (interval){.first = uses[i].first, .tiles = uses[i].tiles});
        check_done(b, 0, 0);
        if (uses[i].computed > 0) {
            (void)block_compute(b, 0, uses[i].computed_first, uses[i].computed, clock_now_ns());
        }
        check_done(b, uses[i].computed_first, uses[i].computed);
    }
}

/* A report has a record of each tile that was left in the block, an empty one where a tile is not
 * computed, and then the rows of failures; also where these take more than there is room for. */
static void test_reports(void **state)
{
    enum { KEPT = 90, NOT_COMPUTED = 61 };
    scene *s = *state;
    block *b = s->block;
    for (int round = 0; round < 2; round++) {
        s->flow.kernel = round == 0 ? number_kernel : fail_thirds;
        assert_true(block_equip(b));
        memset(b->records, 0x55, pool_room(b->report) - sizeof *b->report);
        block_begin(b, (interval){.first = 7, .tiles = 100});
        (void)block_compute(b, 0, 0, NOT_COMPUTED, clock_now_ns());
        (void)block_compute(b, 0, NOT_COMPUTED + 1, KEPT - NOT_COMPUTED - 1, clock_now_ns());
        b->kept = KEPT;
        assert_int_equal(b->news.computed.tiles, KEPT - 1);
        assert_true(b->news.computed.seconds >= b->news.longest_s && b->news.longest_s > 0);
        parcel *p = block_pack(b);
        assert_non_null(p);
        assert_null(b->report);
        assert_int_equal(p->report.kind, MESSAGE_REPORT);
        assert_int_equal(p->report.first, 7);
        assert_int_equal(p->report.tiles, KEPT);
        assert_int_equal(p->report.failures, round == 0 ? 0 : 475);
        assert_int_equal(p->bytes, sizeof p->report + KEPT * sizeof(tile_record) +
                                       (size_t)p->report.failures * sizeof(failure_row));
        const tile_record *record = (const tile_record *)(&p->report + 1);
        for (int64_t i = 0; i < KEPT; i++) {
            assert_true(tile_record_sound(&record[i], 7 + i));
            assert_int_equal(tile_record_done(&record[i]), i != NOT_COMPUTED);
        }
        const failure_row *row = (const failure_row *)(record + KEPT);
        for (int32_t i = 0; i < p->report.failures; i++) {
            assert_int_equal(row[i].item % 3, 0);
            assert_int_equal(row[i].code, 5);
        }
        pool_give(p);
    }
}

/* A rank that may be presumed dead does not write what others may have by now, where that counts:
 * there is no store here, which a write would need. */
static void test_the_perhaps_dead_do_not_write(void **state)
{
    scene *s = *state;
    s->options.pure = false;
    atomic_store(&s->flow.mine_until_ns, clock_now_ns() - 1);
    block_begin(s->block, (interval){.tiles = 4});
    (void)block_compute(s->block, 0, 0, 4, clock_now_ns());
    assert_true(s->block->done[3]);
    block_write(s->block);
    assert_int_equal(s->block->error.status, WEFT_OK);
    for (int i = 0; i < 4; i++) {
        assert_false(s->block->done[i]);
    }
}

/* Of many blocks on offer only those that are computed have buffers, and the one that was written
 * last is the first to be used again. */
static void test_buffers_are_few(void **state)
{
    scene *s = *state;
    error e = {.status = WEFT_OK};
    block *other = NULL;
    assert_int_equal(block_create(&s->flow, ROOM, &other, &e), WEFT_OK);
    assert_null(s->block->bytes);
    assert_null(s->block->report);
    block_begin(s->block, (interval){.tiles = 4});
    block_begin(other, (interval){.first = 4, .tiles = 4});
    assert_true(block_equip(s->block));
    const unsigned char *bytes = s->block->bytes;
    const parcel *report = s->block->report;
    assert_int_equal((uintptr_t)bytes % 4096, 0);
    block_write(s->block);
    assert_null(s->block->bytes);
    pool_give(block_pack(s->block));
    (void)block_compute(other, 0, 0, 4, clock_now_ns());
    check_done(other, 0, 4);
    assert_ptr_equal(other->bytes, bytes);
    assert_ptr_equal(other->report, report);
    block_destroy(other);
}

static void test_no_memory_for_a_buffer(void **state)
{
    scene *s = *state;
    /* So much is not asked of the heap: that of a sanitizer would end the process. */
    s->block->buffer_bytes = INT64_MAX;
    block_begin(s->block, (interval){.tiles = 4});
    (void)block_compute(s->block, 0, 0, 4, clock_now_ns());
    assert_int_equal(s->block->error.status, WEFT_ERR_MEMORY);
    assert_false(s->block->done[0]);
    block_write(s->block);
    assert_int_equal(s->block->error.status, WEFT_ERR_MEMORY);
}

/* Of the tiles first … of the block all are done, and every third item has failed. */
static void check_thirds(const block *b, int64_t first, int64_t tiles)
{
    const int64_t *value = (const int64_t *)(const void *)b->bytes;
    for (int64_t tile = first; tile < first + tiles; tile++) {
        const int64_t item = (b->first + tile) * GRAIN;
        int64_t failed = 0;
        for (int64_t i = item; i < item + GRAIN; i++) {
            const int64_t found = value[i - b->first * GRAIN];
            assert_true(found == (i % 3 == 0 ? INT64_MIN : i));
            failed += i % 3 == 0;
        }
        assert_int_equal(b->records[tile].state, TILE_DONE_WITH_FAILURES);
        assert_int_equal(b->records[tile].failed, failed);
    }
}

/* What there is to say of a failure may be lost for want of memory, but not the failure. */
static void test_failures_without_memory(void **state)
{
    scene *s = *state;
    block *b = s->block;
    s->flow.kernel = fail_thirds;
    for (int round = 0; round < 2; round++) {
        short_of_memory = round == 0;
        block_begin(b, (interval){.first = 7, .tiles = 100});
        (void)block_compute(b, 0, 0, 60, clock_now_ns());
        (void)block_compute(b, 0, 60, 40, clock_now_ns());
        short_of_memory = false;
        check_thirds(b, 0, 100);
        assert_int_equal(b->failure_count, round == 0 ? 0 : 533);
    }
    /* Nothing of them is left for the next use. */
    s->flow.kernel = number_kernel;
    block_begin(b, (interval){.first = 7, .tiles = 100});
    (void)block_compute(b, 0, 0, 100, clock_now_ns());
    for (int i = 0; i < 100; i++) {
        assert_int_equal(b->records[i].state, TILE_DONE);
    }
}

static int64_t cost_ns(block *b, weft_kernel_fn kernel)
{
    b->flow->kernel = kernel;
    block_begin(b, (interval){.tiles = ROOM});
    const int64_t start_ns = usage_cpu_ns();
    (void)block_compute(b, 0, 0, ROOM, clock_now_ns());
    return usage_cpu_ns() - start_ns;
}

/* A span of 131072 items: looking each failure up among all others would take minutes. */
static void test_failures_cost_what_items_cost(void **state)
{
    scene *s = *state;
    const int64_t good_ns = cost_ns(s->block, number_kernel);
    const int64_t bad_ns = cost_ns(s->block, fail_thirds);
    check_thirds(s->block, 0, ROOM);
    assert_true(bad_ns < 100 * good_ns + 100000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_workers_touch_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_left_of_the_last_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_perhaps_dead_do_not_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_buffers_are_few, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_for_a_buffer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures_without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures_cost_what_items_cost, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
