/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the index: it says what HDF5 says, and is believed only of a file that is, metadata byte by
 * byte, what weft has made of these maps. */
#include "store/sample.h"

#include "store/format/index.h"
#include "store/format/record.h"

#include <hdf5.h>
#include <xxhash.h>

enum { MAPS = 3, TAIL_BYTES = 32 };

static metadata_layout made[MAPS];

static void name_job(job *j, const char *name)
{
    (void)snprintf(j->name, sizeof j->name, "%s", name);
}

static void make_jobs(job *jobs[MAPS])
{
    static const char *const names[MAPS] = {"first", "second", "third"};
    for (int i = 0; i < MAPS; i++) {
        jobs[i] = sample_job(5, 7 + i, 3);
        name_job(jobs[i], names[i]);
    }
}

static void free_jobs(job *jobs[MAPS])
{
    for (int i = 0; i < MAPS; i++) {
        job_destroy(jobs[i]);
    }
}

static bool reads(const char *path, int maps, job *const jobs[])
{
    metadata_layout layouts[MAPS];
    char build[BUILD_TEXT_BYTES];
    return index_read(path, maps, jobs, false, layouts, build);
}

/* Makes a file of some of these maps, and gives its bytes. */
static unsigned char *make_file(const char *path, int maps, job *const jobs[], size_t *count)
{
    error e = {.status = WEFT_OK};
    assert_int_equal(metadata_create(path, maps, jobs, false, made, &e), WEFT_OK);
    return sample_read(path, count);
}

static void test_says_what_hdf5_says(void **state)
{
    (void)state;
    const char *path = sample_path("same.h5");
    error e = {.status = WEFT_OK};
    job *jobs[MAPS];
    make_jobs(jobs);
    (void)snprintf(jobs[0]->build, sizeof jobs[0]->build, "this build");
    for (int maps = 1; maps <= MAPS; maps++) {
        size_t count = 0;
        free(make_file(path, maps, jobs, &count));
        metadata m;
        assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
        assert_int_equal(m.maps, maps);
        metadata_layout layouts[MAPS];
        char build[BUILD_TEXT_BYTES];
        assert_true(index_read(path, maps, jobs, false, layouts, build));
        assert_string_equal(build, "this build");
        for (int i = 0; i < maps; i++) {
            assert_string_equal(m.job[i]->name, jobs[i]->name);
            assert_int_equal(job_compare(jobs[i], m.job[i], path, &e), WEFT_OK);
            assert_memory_equal(&layouts[i], &m.layout[i], sizeof layouts[i]);
            assert_memory_equal(&layouts[i], &made[i], sizeof layouts[i]);
            assert_int_equal(layouts[i].map, i);
        }
        metadata_release(&m);
    }
    /* In another order they are the same. */
    job *turned[MAPS] = {jobs[2], jobs[0], jobs[1]};
    metadata_layout layouts[MAPS];
    char build[BUILD_TEXT_BYTES];
    assert_true(index_read(path, MAPS, turned, false, layouts, build));
    assert_memory_equal(&layouts[0], &made[2], sizeof layouts[0]);
    free_jobs(jobs);
}

static void test_other_maps(void **state)
{
    (void)state;
    const char *path = sample_path("other.h5");
    error e = {.status = WEFT_OK};
    job *jobs[MAPS];
    size_t count = 0;
    make_jobs(jobs);
    free(make_file(path, 2, jobs, &count));
    assert_true(reads(path, 2, jobs));
    assert_false(reads(path, 1, jobs) || reads(path, 1, jobs + 1) || reads(path, 3, jobs));
    assert_false(reads(path, 2, jobs + 1));
    assert_false(reads(sample_path("none.h5"), 2, jobs));
    assert_int_equal(job_settle(jobs[1], jobs[1]->seed + 1, 3, &e), WEFT_OK);
    assert_false(reads(path, 2, jobs));
    assert_int_equal(job_settle(jobs[1], jobs[1]->seed - 1, 4, &e), WEFT_OK);
    assert_false(reads(path, 2, jobs));
    metadata_layout layouts[MAPS];
    char build[BUILD_TEXT_BYTES];
    assert_true(index_read(path, 2, jobs, true, layouts, build));
    assert_int_equal(jobs[1]->tiles.grain, 3);
    const job_parameter first = jobs[0]->parameter[0];
    jobs[0]->parameter[0] = jobs[0]->parameter[2];
    jobs[0]->parameter[2] = first;
    assert_true(reads(path, 2, jobs));
    jobs[0]->parameter[1].number = 1e-300;
    assert_false(reads(path, 2, jobs));
    jobs[0]->parameter[1].number = -0.0;
    assert_true(reads(path, 2, jobs));
    jobs[0]->dimension[0].checksum++;
    assert_false(reads(path, 2, jobs));
    free_jobs(jobs);
}

/* Marks the bytes of all datasets. */
static unsigned char *mark_data(job *const jobs[], int maps, size_t count)
{
    unsigned char *data = calloc(count, 1);
    assert_non_null(data);
    for (int i = 0; i < maps; i++) {
        const metadata_layout *l = &made[i];
        const int64_t tiles = jobs[i]->tiles.tiles;
        memset(data + l->tiles_offset, 1, (size_t)tiles * sizeof(tile_record));
        memset(data + l->leases_offset, 1, (size_t)tiles);
        memset(data + l->failures_offset, 1, (size_t)l->failure_rows * sizeof(failure_row));
        memset(data + l->runs_offset, 1, (size_t)l->run_rows * sizeof(run_row));
        memset(data + l->coordinate_offset[0], 1, (size_t)job_coordinate_bytes(jobs[i], 0));
        for (int f = 0; f < jobs[i]->fields; f++) {
            memset(data + l->field_offset[f], 1,
                   (size_t)job_field_bytes(jobs[i], f, jobs[i]->items.count));
        }
    }
    return data;
}

/* What a run writes changes nothing, and any other byte does, unless it is nobody's. */
static void test_any_byte_of_the_metadata(void **state)
{
    (void)state;
    const char *path = sample_path("bytes.h5");
    job *jobs[MAPS];
    size_t count = 0;
    make_jobs(jobs);
    unsigned char *bytes = make_file(path, 2, jobs, &count);
    unsigned char *data = mark_data(jobs, 2, count);
    FILE *stream = fopen(path, "r+b");
    assert_non_null(stream);
    size_t noticed = 0;
    for (size_t i = 0; i < count; i += data[i] != 0 ? 61 : 3) {
        assert_int_equal(fseek(stream, (long)i, SEEK_SET), 0);
        assert_int_equal(fputc(bytes[i] ^ 0x10, stream), bytes[i] ^ 0x10);
        assert_int_equal(fflush(stream), 0);
        const bool same = reads(path, 2, jobs);
        assert_true(same || data[i] == 0);
        assert_true(!same || data[i] != 0 || bytes[i] == 0);
        noticed += !same;
        assert_int_equal(fseek(stream, (long)i, SEEK_SET), 0);
        assert_int_equal(fputc(bytes[i], stream), bytes[i]);
    }
    assert_int_equal(fclose(stream), 0);
    assert_true(noticed > 1000);
    assert_true(reads(path, 2, jobs));
    free(data);
    free(bytes);
    free_jobs(jobs);
}

static void test_another_length(void **state)
{
    (void)state;
    const char *path = sample_path("length.h5");
    job *jobs[MAPS];
    size_t count = 0;
    make_jobs(jobs);
    unsigned char *bytes = make_file(path, 1, jobs, &count);
    for (size_t less = 1; less < 2000; less += 13) {
        sample_write(path, bytes, count - less);
        assert_false(reads(path, 1, jobs));
    }
    unsigned char *more = calloc(2, count);
    assert_non_null(more);
    memcpy(more, bytes, count);
    sample_write(path, more, count + 1);
    assert_false(reads(path, 1, jobs));
    /* The whole file behind itself ends with an index, which is another place's. */
    memcpy(more + count, bytes, count);
    sample_write(path, more, 2 * count);
    assert_false(reads(path, 1, jobs));
    sample_write(path, bytes + count - TAIL_BYTES, TAIL_BYTES);
    assert_false(reads(path, 1, jobs));
    free(more);
    free(bytes);
    free_jobs(jobs);
}

/* With a check that fits, whatever numbers there are: nothing crashes, and two things never have
 * the same place. */
static void test_sealed_nonsense(void **state)
{
    (void)state;
    static const int64_t numbers[] = {-1,        0,         1,         96,        4096,
                                      INT32_MAX, INT64_MIN, INT64_MAX, 1 << 17,   (1 << 17) + 1,
                                      20000,     1 << 20,   -4096,     1000000000};
    const char *path = sample_path("sealed.h5");
    job *jobs[MAPS];
    size_t count = 0;
    make_jobs(jobs);
    unsigned char *bytes = make_file(path, 1, jobs, &count);
    int64_t length = 0;
    memcpy(&length, bytes + count - TAIL_BYTES, sizeof length);
    unsigned char *index = bytes + count - length;
    for (int64_t at = 0; at + (int64_t)sizeof length <= length - TAIL_BYTES; at += 8) {
        int64_t old = 0;
        memcpy(&old, index + at, sizeof old);
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            memcpy(index + at, &numbers[i], sizeof old);
            const uint64_t check = XXH3_64bits(index, (size_t)length - TAIL_BYTES);
            memcpy(bytes + count - 24, &check, sizeof check);
            sample_write(path, bytes, count);
            metadata_layout l;
            char build[BUILD_TEXT_BYTES];
            if (index_read(path, 1, jobs, false, &l, build)) {
                assert_true(l.tiles_offset >= 0 && l.leases_offset >= 0 && l.runs_offset >= 0);
                assert_true(l.tiles_offset + 12 * 64 <= (int64_t)count);
                assert_true(l.tiles_offset != l.runs_offset && l.tiles_offset != l.leases_offset);
                assert_true(l.failure_rows >= 1 && l.run_rows >= 1);
            }
        }
        memcpy(index + at, &old, sizeof old);
    }
    free(bytes);
    free_jobs(jobs);
}

/* Who writes to the file with HDF5 makes the index untrue, and HDF5 is asked instead. */
static void test_changed_by_hdf5(void **state)
{
    (void)state;
    const char *path = sample_path("changed.h5");
    error e = {.status = WEFT_OK};
    job *jobs[MAPS];
    size_t count = 0;
    make_jobs(jobs);
    free(make_file(path, 2, jobs, &count));
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    const hid_t group = H5Gcreate2(file, "/notes", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(group >= 0);
    assert_true(H5Gclose(group) >= 0 && H5Fclose(file) >= 0);
    assert_false(reads(path, 2, jobs));
    metadata m;
    assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
    assert_int_equal(m.maps, 2);
    assert_int_equal(m.layout[1].tiles_offset, made[1].tiles_offset);
    metadata_release(&m);
    free_jobs(jobs);
}

/* Whoever moves the groups about changes their order, and not which map a row of runs is of. */
static void test_moved_by_hdf5(void **state)
{
    (void)state;
    const char *path = sample_path("moved.h5");
    error e = {.status = WEFT_OK};
    job *jobs[MAPS];
    size_t count = 0;
    make_jobs(jobs);
    free(make_file(path, MAPS, jobs, &count));
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_true(H5Lmove(file, "/weft/first", file, "/weft/x", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lmove(file, "/weft/x", file, "/weft/first", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Fclose(file) >= 0);
    metadata m;
    assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
    assert_int_equal(m.maps, MAPS);
    assert_string_equal(m.job[MAPS - 1]->name, "first");
    for (int i = 0; i < MAPS; i++) {
        assert_int_equal(m.layout[metadata_find(&m, jobs[i]->name)].map, i);
    }
    metadata_release(&m);
    free_jobs(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_what_hdf5_says),
        cmocka_unit_test(test_other_maps),
        cmocka_unit_test(test_any_byte_of_the_metadata),
        cmocka_unit_test(test_another_length),
        cmocka_unit_test(test_sealed_nonsense),
        cmocka_unit_test(test_changed_by_hdf5),
        cmocka_unit_test(test_moved_by_hdf5),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
