/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests the file as it is made: what is read back is the same job, and its datasets lie where
 * DESIGN.md says. */
#include "store/sample.h"

#include "store/format/metadata.h"

#include "store/format/schema.h"

#include <hdf5.h>

static metadata_layout made;

static void test_same_job_comes_back(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    static const int64_t grains[] = {0, 1, 7, 35};
    for (size_t i = 0; i < sizeof grains / sizeof grains[0]; i++) {
        job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, grains[i]);
        const char *path = sample_path("same.h5");
        metadata m;
        static const char *const needs[] = {"one", "another", "one", "not/one", ""};
        for (size_t need = 0; need < i + 2; need++) {
            job_add_need(j, needs[need]);
        }
        assert_int_equal(j->needs, 2);
        assert_int_equal(metadata_create(path, 1, &j, false, &made, &e), WEFT_OK);
        assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
        assert_int_equal(job_compare(j, m.job[0], path, &e), WEFT_OK);
        assert_int_equal(m.job[0]->needs, 2);
        assert_string_equal(m.job[0]->need[0], "one");
        assert_string_equal(m.job[0]->need[1], "another");
        assert_memory_equal(&made, m.layout, sizeof made);
        assert_int_equal(m.job[0]->items.count, SAMPLE_ITEMS);
        assert_true(m.job[0]->seed == UINT64_C(0xFEDCBA9876543210));
        assert_int_equal(m.job[0]->item_bytes, j->item_bytes);
        for (int f = 0; f < j->fields; f++) {
            assert_string_equal(m.job[0]->field[f].units, j->field[f].units);
            assert_string_equal(m.job[0]->field[f].long_name, j->field[f].long_name);
            assert_memory_equal(m.job[0]->field[f].fill, j->field[f].fill, TYPE_MAX_BYTES);
        }
        for (int d = 0; d < 2; d++) {
            assert_string_equal(m.job[0]->dimension[d].name, j->dimension[d].name);
            assert_string_equal(m.job[0]->dimension[d].units, j->dimension[d].units);
            assert_true(m.job[0]->dimension[d].checksum == j->dimension[d].checksum);
            assert_null(m.job[0]->dimension[d].values);
        }
        for (int p = 0; p < j->parameters; p++) {
            assert_string_equal(m.job[0]->parameter[p].name, j->parameter[p].name);
            assert_string_equal(m.job[0]->parameter[p].text, j->parameter[p].text);
        }
        metadata_release(&m);
        assert_int_equal(unlink(path), 0);
        job_destroy(j);
    }
}

static void test_nothing_else_is_left(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 1);
    assert_int_equal(metadata_create(sample_path("only.h5"), 1, &j, false, &made, &e), WEFT_OK);
    assert_true(sample_exists(sample_path("only.h5")));
    assert_false(sample_exists(sample_path("only.h5.new")));
    assert_int_equal(metadata_create(sample_path("none/only.h5"), 1, &j, false, &made, &e),
                     WEFT_ERR_SYSTEM);
    assert_non_null(strstr(e.text, "none/only.h5"));
    job_destroy(j);
}

typedef struct extent {
    int64_t first;
    int64_t end;
} extent;

static void check_place(hid_t file, const char *name, int64_t bytes, bool any_large, extent *place)
{
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    assert_true(dataset >= 0);
    const hid_t properties = H5Dget_create_plist(dataset);
    H5D_alloc_time_t alloc = H5D_ALLOC_TIME_LATE;
    H5D_fill_time_t fill = H5D_FILL_TIME_ALLOC;
    assert_int_equal(H5Pget_layout(properties), H5D_CONTIGUOUS);
    assert_true(H5Pget_alloc_time(properties, &alloc) >= 0);
    assert_true(H5Pget_fill_time(properties, &fill) >= 0);
    assert_int_equal(alloc, H5D_ALLOC_TIME_EARLY);
    assert_int_equal(fill, H5D_FILL_TIME_NEVER);
    assert_int_equal(H5Dget_storage_size(dataset), bytes);
    const haddr_t offset = H5Dget_offset(dataset);
    assert_true(offset != HADDR_UNDEF);
    if (bytes >= 65536 && !any_large) {
        assert_int_equal(offset % 4096, 0);
    } else if (bytes >= 1 << 20) {
        assert_int_equal(offset % (1 << 20), 0);
    }
    *place = (extent){.first = (int64_t)offset, .end = (int64_t)offset + bytes};
    (void)H5Pclose(properties);
    (void)H5Dclose(dataset);
}

/* As netCDF writes one, and as HDF5's high-level library finds it. */
static void check_scale(hid_t file, const char *path, const char *name, int users)
{
    char text[96] = "";
    const hid_t type = schema_fixed_text_type(sizeof text);
    const hid_t class = H5Aopen_by_name(file, path, "CLASS", H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Aread(class, type, text) >= 0);
    assert_string_equal(text, "DIMENSION_SCALE");
    const hid_t named = H5Aopen_by_name(file, path, "NAME", H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Aread(named, type, text) >= 0);
    assert_string_equal(text, name);
    const hid_t list = H5Aopen_by_name(file, path, "REFERENCE_LIST", H5P_DEFAULT, H5P_DEFAULT);
    const hid_t shape = H5Aget_space(list);
    assert_int_equal(H5Sget_simple_extent_npoints(shape), users);
    (void)H5Sclose(shape);
    (void)H5Aclose(list);
    (void)H5Aclose(named);
    (void)H5Aclose(class);
    (void)H5Tclose(type);
}

/* Each field has a scale for each of its dimensions. */
static void check_scales(hid_t file, const job *j)
{
    check_scale(file, "/sample/row", "row", j->fields);
    check_scale(file, "/sample/column",
                "This is a netCDF dimension but not a netCDF variable.         7", j->fields);
    for (int i = 0; i < j->fields; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "/sample/%s", j->field[i].name);
        const hid_t list = H5Aopen_by_name(file, path, "DIMENSION_LIST", H5P_DEFAULT, H5P_DEFAULT);
        const hid_t shape = H5Aget_space(list);
        assert_int_equal(H5Sget_simple_extent_npoints(shape), 2 + j->field[i].shape.ndims);
        (void)H5Sclose(shape);
        (void)H5Aclose(list);
        for (int d = 0; d < j->field[i].shape.ndims; d++) {
            char name[96];
            (void)snprintf(path, sizeof path, "/sample/%s_dim_%d", j->field[i].name, d);
            (void)snprintf(name, sizeof name,
                           "This is a netCDF dimension but not a netCDF variable.%10d",
                           (int)j->field[i].shape.shape[d]);
            check_scale(file, path, name, 1);
        }
    }
}

static void check_text(hid_t file, const char *object, const char *name, const char *expected)
{
    const hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    const hid_t type = schema_text_type();
    char *value = NULL;
    assert_true(H5Aread(attribute, type, &value) >= 0);
    assert_string_equal(value, expected);
    (void)H5free_memory(value);
    (void)H5Tclose(type);
    (void)H5Aclose(attribute);
}

/* What a script in another language finds. */
static void check_objects(const char *path, const job *j, const metadata_layout *layout)
{
    extent places[WEFT_MAX_FIELDS + 5];
    int count = 0;
    bool any_large = false;
    for (int i = 0; i < j->fields; i++) {
        any_large = any_large || job_field_bytes(j, i, j->items.count) >= 1 << 20;
    }
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    for (int i = 0; i < j->fields; i++) {
        char name[128];
        (void)snprintf(name, sizeof name, "/sample/%s", j->field[i].name);
        check_place(file, name, job_field_bytes(j, i, j->items.count), any_large, &places[count++]);
        assert_int_equal(places[count - 1].first, layout->field_offset[i]);
        check_text(file, name, "units", j->field[i].units);
        check_text(file, name, "long_name", j->field[i].long_name);
        assert_true(H5Aexists_by_name(file, name, "_FillValue", H5P_DEFAULT) > 0);
    }
    double values[128];
    const hid_t rows = H5Dopen2(file, "/sample/row", H5P_DEFAULT);
    assert_true(H5Dread(rows, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    assert_memory_equal(values, sample_coordinates(), (size_t)j->items.shape[0] * sizeof values[0]);
    (void)H5Dclose(rows);
    check_place(file, "/sample/row", j->items.shape[0] * 8, any_large, &places[count++]);
    assert_int_equal(places[count - 1].first, layout->coordinate_offset[0]);
    assert_int_equal(layout->coordinate_offset[1], -1);
    check_text(file, "/sample/row", "units", "degrees_north");
    check_text(file, "/sample/row", "standard_name", "latitude");
    check_text(file, "/sample/row", "axis", "Y");
    check_text(file, "/sample/column", "units", "µm");
    if (j->items.shape[1] == 7) {
        check_scales(file, j);
    }
    check_place(file, "/weft/sample/tiles", j->tiles.tiles * 64, any_large, &places[count++]);
    assert_int_equal(places[count - 1].first, layout->tiles_offset);
    check_place(file, "/weft/sample/leases", j->tiles.tiles, any_large, &places[count++]);
    assert_int_equal(places[count - 1].first, layout->leases_offset);
    check_place(file, "/weft/sample/failures", layout->failure_rows * 128, any_large,
                &places[count++]);
    check_place(file, "/weft/runs", layout->run_rows * 512, any_large, &places[count++]);
    for (int i = 0; i < count; i++) {
        assert_true(places[i].end <= layout->file_bytes);
        for (int k = 0; k < i; k++) {
            assert_true(places[i].end <= places[k].first || places[k].end <= places[i].first);
        }
    }
    check_text(file, "/weft/sample/job", "source", "a b\nc µ");
    static const char *const attributes[] = {"count", "shape", "grain", "seed", "steps", "width"};
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        assert_true(H5Aexists_by_name(file, "/weft/sample/job", attributes[i], H5P_DEFAULT) > 0);
    }
    assert_true(H5Aexists_by_name(file, "/", "weft_format", H5P_DEFAULT) > 0);
    assert_true(H5Aexists_by_name(file, "/", "weft_version", H5P_DEFAULT) > 0);
    assert_true(H5Aexists_by_name(file, "/", "created", H5P_DEFAULT) > 0);
    (void)H5Fclose(file);
}

static void test_layout(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    static const int64_t columns[] = {1, 7, 500, 3000};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        job *j = sample_job(5, columns[i], 3);
        const char *path = sample_path("layout.h5");
        metadata m;
        struct stat file;
        assert_int_equal(metadata_create(path, 1, &j, false, &made, &e), WEFT_OK);
        assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
        assert_int_equal(stat(path, &file), 0);
        assert_true(file.st_size >= m.layout[0].file_bytes);
        assert_true(m.layout[0].inode == (uint64_t)file.st_ino);
        check_objects(path, j, m.layout);
        metadata_release(&m);
        assert_int_equal(unlink(path), 0);
        job_destroy(j);
    }
}

/* Leases for other tiles are damage, and so is a file without any. */
static void test_leases_fit(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(5, 7, 3);
    metadata m;
    const char *path = sample_path("leases.h5");
    const hsize_t tiles = (hsize_t)j->tiles.tiles;
    assert_int_equal(metadata_create(path, 1, &j, false, &made, &e), WEFT_OK);
    for (hsize_t extra = 0; extra < 3; extra++) {
        const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(file >= 0);
        assert_true(extra == 1 || H5Ldelete(file, "/weft/sample/leases", H5P_DEFAULT) >= 0);
        if (extra > 0) {
            const hid_t shape = H5Screate_simple(1, (hsize_t[]){tiles + extra - 1}, NULL);
            const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
            (void)H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
            const hid_t dataset = H5Dcreate2(file, "/weft/sample/leases", H5T_NATIVE_UINT8, shape,
                                             H5P_DEFAULT, properties, H5P_DEFAULT);
            assert_true(dataset >= 0);
            (void)H5Dclose(dataset);
            (void)H5Pclose(properties);
            (void)H5Sclose(shape);
        }
        (void)H5Fclose(file);
        assert_int_equal(metadata_read(path, &m, &e), extra == 1 ? WEFT_OK : WEFT_ERR_CORRUPT);
        if (extra == 1) {
            assert_int_equal(job_compare(j, m.job[0], path, &e), WEFT_OK);
            metadata_release(&m);
        }
    }
    job_destroy(j);
}

static void test_no_items(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = sample_job(0, 7, 0);
    metadata m;
    assert_int_equal(metadata_create(sample_path("zero.h5"), 1, &j, false, &made, &e), WEFT_OK);
    assert_int_equal(metadata_read(sample_path("zero.h5"), &m, &e), WEFT_OK);
    assert_int_equal(job_compare(j, m.job[0], "zero.h5", &e), WEFT_OK);
    assert_int_equal(m.job[0]->items.count, 0);
    assert_int_equal(m.job[0]->items.shape[1], 7);
    assert_int_equal(m.layout[0].field_offset[0], -1);
    assert_memory_equal(&made, m.layout, sizeof made);
    metadata_release(&m);
    job_destroy(j);
}

/* As many as there may be: of dimensions, fields, parameters, needed maps, letters. */
static void test_as_much_as_there_may_be(void **state)
{
    (void)state;
    error e = {.status = WEFT_OK};
    job *j = NULL;
    const int64_t twos[WEFT_MAX_DIMS] = {2, 2, 2, 2, 2, 2, 2, 2};
    char name[WEFT_NAME_BYTES];
    char text[JOB_VALUE_BYTES];
    memset(name, 'n', sizeof name);
    memset(text, 't', sizeof text);
    name[sizeof name - 1] = '\0';
    text[sizeof text - 1] = '\0';
    assert_int_equal(job_create(name, WEFT_MAX_DIMS, twos, &j, &e), WEFT_OK);
    for (int i = 0; i < WEFT_MAX_FIELDS; i++) {
        (void)snprintf(name + sizeof name - 4, 4, "%03d", i);
        assert_int_equal(job_add_field(j, name, WEFT_INT8, WEFT_MAX_DIMS, twos, NULL, text, &e),
                         WEFT_OK);
    }
    for (int i = 0; i < WEFT_MAX_PARAMETERS; i++) {
        (void)snprintf(name + sizeof name - 4, 4, "%03d", i);
        sample_parameter(j, JOB_STRING, name, 0, 0, text);
    }
    for (int i = 0; i <= WEFT_MAX_MAPS; i++) {
        (void)snprintf(name + sizeof name - 4, 4, "%03d", i);
        job_add_need(j, name);
    }
    assert_int_equal(job_settle(j, UINT64_MAX, 1, &e), WEFT_OK);
    metadata m;
    assert_int_equal(metadata_create(sample_path("most.h5"), 1, &j, false, &made, &e), WEFT_OK);
    assert_int_equal(metadata_read(sample_path("most.h5"), &m, &e), WEFT_OK);
    assert_int_equal(job_compare(j, m.job[0], "most.h5", &e), WEFT_OK);
    assert_int_equal(m.job[0]->fields, WEFT_MAX_FIELDS);
    assert_int_equal(m.job[0]->parameters, WEFT_MAX_PARAMETERS);
    assert_string_equal(m.job[0]->parameter[255].text, text);
    assert_int_equal(m.job[0]->needs, WEFT_MAX_MAPS);
    assert_memory_equal(m.job[0]->need, j->need, sizeof j->need);
    metadata_release(&m);
    job_destroy(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_job_comes_back),
        cmocka_unit_test(test_nothing_else_is_left),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_leases_fit),
        cmocka_unit_test(test_no_items),
        cmocka_unit_test(test_as_much_as_there_may_be),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
