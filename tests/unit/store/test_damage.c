/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is not a whole result: files of other kinds, truncated ones, changed ones, flipped
 * bytes. Each gives an error and stays as it is; none ends the process, also where HDF5 stumbles.
 */
#include "store/sample_result.h"

#include "store/format/schema.h"

#include <hdf5.h>
#include <weft/result.h>

/* Opens a file for reading and for a run; both refuse it and leave it alone. */
static void check_refused(const char *path, weft_status expected, const char *text)
{
    error e = {.status = WEFT_OK};
    size_t count = 0;
    unsigned char *before = sample_read(path, &count);
    weft_result *r = NULL;
    assert_int_equal(weft_result_open(path, &r), expected);
    assert_non_null(strstr(weft_result_error_text(r), path));
    assert_non_null(strstr(weft_result_error_text(r), text));
    weft_result_close(r);
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    store *s = NULL;
    assert_int_equal(open_alone(path, j, (store_policy){.fresh = false}, &s, &e), expected);
    assert_null(s);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, text));
    assert_true(sample_same(path, before, count));
    job_destroy(j);
    free(before);
}

static void test_no_hdf5_files(void **state)
{
    (void)state;
    const char *path = sample_path("strange.h5");
    char page[5000];
    memset(page, 0, sizeof page);
    static const char signature[] = "\211HDF\r\n\032\n";
    sample_write(path, "", 0);
    check_refused(path, WEFT_ERR_FORMAT, "not an HDF5 file");
    sample_write(path, "x", 1);
    check_refused(path, WEFT_ERR_FORMAT, "not an HDF5 file");
    sample_write(path, "these are\nmy notes\n", 19);
    check_refused(path, WEFT_ERR_FORMAT, "not an HDF5 file");
    sample_write(path, page, sizeof page);
    check_refused(path, WEFT_ERR_FORMAT, "not an HDF5 file");
    sample_write(path, signature, 7);
    check_refused(path, WEFT_ERR_FORMAT, "not an HDF5 file");
    sample_write(path, signature, 8);
    check_refused(path, WEFT_ERR_CORRUPT, "truncated or damaged");
    memcpy(page, signature, 8);
    sample_write(path, page, sizeof page);
    check_refused(path, WEFT_ERR_CORRUPT, "truncated or damaged");
}

enum { MANY = 6000 };

/* One number, or many where one is expected. */
static void put_attribute(hid_t object, const char *name, int count, int value)
{
    const hsize_t extent = (hsize_t)count;
    const hid_t scalar = count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &extent, NULL);
    int values[MANY];
    for (int i = 0; i < count; i++) {
        values[i] = value;
    }
    const hid_t attribute =
        H5Acreate2(object, name, H5T_NATIVE_INT, scalar, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, H5T_NATIVE_INT, values) >= 0);
    (void)H5Aclose(attribute);
    (void)H5Sclose(scalar);
}

/* An HDF5 file of somebody else; with some things that look like ours. */
static void make_foreign(const char *path, int stage)
{
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    const hid_t group = H5Gcreate2(file, "/results", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (stage >= 1) {
        put_attribute(file, "weft_format", stage == 4 ? MANY : 1, stage == 1 ? 1 : 2);
    }
    if (stage >= 3) {
        const hid_t weft = H5Gcreate2(file, "/weft", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        const hid_t map = H5Gcreate2(file, "/weft/map", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        put_attribute(map, "grain", 1, 1);
        (void)H5Gclose(map);
        (void)H5Gclose(weft);
    }
    (void)H5Gclose(group);
    (void)H5Fclose(file);
}

static void test_other_hdf5_files(void **state)
{
    (void)state;
    const char *path = sample_path("foreign.h5");
    make_foreign(path, 0);
    check_refused(path, WEFT_ERR_FORMAT, "not a result of weft");
    make_foreign(path, 1);
    check_refused(path, WEFT_ERR_FORMAT, "of format 1");
    make_foreign(path, 2);
    check_refused(path, WEFT_ERR_FORMAT, "not a result of weft");
    make_foreign(path, 3);
    check_refused(path, WEFT_ERR_CORRUPT, "damaged");
    make_foreign(path, 4);
    check_refused(path, WEFT_ERR_FORMAT, "not a result of weft");
}

static void test_truncated_at_any_length(void **state)
{
    (void)state;
    const char *whole = sample_path("whole.h5");
    const char *path = sample_path("short.h5");
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    metadata m;
    error e = {.status = WEFT_OK};
    sample_make_file(whole, j);
    size_t count = 0;
    unsigned char *bytes = sample_read(whole, &count);
    assert_int_equal(metadata_read(whole, &m, &e), WEFT_OK);
    const size_t needed = (size_t)m.layout[0].file_bytes;
    metadata_release(&m);
    sample_write(path, bytes, count);
    /* From long to short; closely spaced where the metadata lies. */
    for (size_t length = needed - 1;;) {
        assert_int_equal(truncate(path, (off_t)length), 0);
        weft_result *r = NULL;
        const weft_status status = weft_result_open(path, &r);
        assert_int_equal(status, length < 8 ? WEFT_ERR_FORMAT : WEFT_ERR_CORRUPT);
        assert_non_null(strstr(weft_result_error_text(r), path));
        weft_result_close(r);
        store *s = NULL;
        assert_int_equal(open_alone(path, j, (store_policy){.fresh = false}, &s, &e), status);
        struct stat now;
        assert_int_equal(stat(path, &now), 0);
        assert_int_equal(now.st_size, length);
        if (length == 0) {
            break;
        }
        const size_t step = length > 40000 ? length / 8 : length > 300 ? 211 : 1;
        length -= step;
    }
    free(bytes);
    job_destroy(j);
}

/* A dataset's place, as HDF5 has it in the file: where it begins, and how long it is. */
typedef struct stretch {
    int64_t offset;
    int64_t bytes;
} stretch;

static void move_dataset(unsigned char *bytes, size_t count, stretch old, int64_t offset)
{
    int found = 0;
    for (size_t at = 0; at + sizeof old <= count; at++) {
        if (memcmp(bytes + at, &old, sizeof old) == 0) {
            memcpy(bytes + at, &offset, sizeof offset);
            found++;
        }
    }
    assert_int_equal(found, 1);
}

/* A run would write results over records, or over HDF5's own bytes. */
static void test_datasets_over_each_other(void **state)
{
    (void)state;
    const char *path = sample_path("shared.h5");
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    metadata m;
    error e = {.status = WEFT_OK};
    sample_make_file(path, j);
    size_t count = 0;
    unsigned char *bytes = sample_read(path, &count);
    assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
    const metadata_layout l = m.layout[0];
    metadata_release(&m);
    const stretch tiles = {l.tiles_offset, j->tiles.tiles * (int64_t)sizeof(tile_record)};
    const stretch failures = {l.failures_offset, l.failure_rows * (int64_t)sizeof(failure_row)};
    const stretch runs = {l.runs_offset, l.run_rows * (int64_t)sizeof(run_row)};
    const struct {
        stretch place;
        int64_t other;
        const char *says;
    } cases[] = {
        {failures, runs.offset, SCHEMA_FAILURES},
        {failures, runs.offset + 128, SCHEMA_FAILURES},
        {runs, tiles.offset + tiles.bytes - 1, SCHEMA_TILES},
        {failures, 0, SCHEMA_FAILURES},
        {runs, l.field_offset[1], "/sample"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        move_dataset(bytes, count, cases[i].place, cases[i].other);
        sample_write(path, bytes, count);
        check_refused(path, WEFT_ERR_CORRUPT, cases[i].says);
        check_refused(path, WEFT_ERR_CORRUPT, "lie over each other");
        free(bytes);
        (void)unlink(path);
        sample_make_file(path, j);
        bytes = sample_read(path, &count);
    }
    free(bytes);
    job_destroy(j);
}

/* All that can be read of a file; 0 if it is whole. What matters more: it does not crash. */
static int use_file(const char *path)
{
    weft_result *r = NULL;
    weft_result_progress progress;
    int64_t verified = 0;
    int64_t bad = 0;
    int refusals = weft_result_open(path, &r) != WEFT_OK;
    assert_true(refusals == 0 || (strstr(weft_result_error_text(r), path) != NULL &&
                                  strchr(weft_result_error_text(r), '\n') == NULL));
    if (refusals == 0) {
        unsigned char bytes[4096];
        refusals += weft_result_get_progress(r, &progress) != WEFT_OK;
        for (int i = 0; weft_result_field(r, i) != NULL; i++) {
            if (weft_result_field(r, i)->item_bytes <= (int64_t)sizeof bytes) {
                refusals += weft_result_read(r, i, 0, 1, bytes) != WEFT_OK;
            }
        }
        refusals += weft_result_verify(r, NULL, NULL, &verified, &bad) != WEFT_OK;
    }
    weft_result_close(r);
    return refusals;
}

typedef struct flips {
    size_t place[4];
    unsigned char value[4];
    int count;
} flips;

static void put_flips(const char *path, const unsigned char *bytes, const flips *f, bool back)
{
    const int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    for (int i = 0; i < f->count; i++) {
        const unsigned char byte = back ? bytes[f->place[i]] : f->value[i];
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)f->place[i]), 1);
    }
    assert_int_equal(close(fd), 0);
}

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* The bytes of HDF5's own, as far as they are in use, or near to those that are. */
typedef struct places {
    size_t *place;
    size_t count;
} places;

static void leave_out(unsigned char *wanted, size_t bytes, int64_t offset, int64_t length)
{
    if (offset >= 0 && (size_t)(offset + length) <= bytes) {
        memset(wanted + offset, 0, (size_t)length);
    }
}

static places find_places(const char *path, const unsigned char *bytes, size_t count)
{
    enum { NEAR = 64 };
    metadata m;
    error e = {.status = WEFT_OK};
    assert_int_equal(metadata_read(path, &m, &e), WEFT_OK);
    const metadata_layout *l = m.layout;
    unsigned char *wanted = calloc(count, 1);
    places p = {.place = malloc(count * sizeof *p.place)};
    assert_true(wanted != NULL && p.place != NULL);
    for (size_t i = 0; i < count; i++) {
        const size_t from = i < NEAR ? 0 : i - NEAR;
        if (bytes[i] != 0) {
            memset(wanted + from, 1, (i + NEAR < count ? i + NEAR : count) - from);
        }
    }
    for (int i = 0; i < m.job[0]->fields; i++) {
        leave_out(wanted, count, l->field_offset[i], job_field_bytes(m.job[0], i, SAMPLE_ITEMS));
    }
    leave_out(wanted, count, l->tiles_offset, m.job[0]->tiles.tiles * (int64_t)sizeof(tile_record));
    leave_out(wanted, count, l->failures_offset, l->failure_rows * (int64_t)sizeof(failure_row));
    leave_out(wanted, count, l->runs_offset, l->run_rows * (int64_t)sizeof(run_row));
    for (size_t i = 0; i < count; i++) {
        if (wanted[i] != 0) {
            p.place[p.count++] = i;
        }
    }
    free(wanted);
    metadata_release(&m);
    return p;
}

static flips draw_flips(uint32_t *seed, const unsigned char *bytes, const places *p)
{
    flips f = {.count = 1 + (int)(draw(seed) % 4 == 0) * 3};
    for (int i = 0; i < f.count; i++) {
        f.place[i] = p->place[draw(seed) % p->count];
        const unsigned char old = bytes[f.place[i]];
        switch (draw(seed) % 4) {
        case 0:
            f.value[i] = old ^ (unsigned char)(1u << draw(seed) % 8);
            break;
        case 1:
            f.value[i] = 0xFF;
            break;
        case 2:
            f.value[i] = 0;
            break;
        default:
            f.value[i] = (unsigned char)draw(seed);
            break;
        }
    }
    return f;
}

static int64_t number_from(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoll(text, NULL, 10);
}

/* HDF5 crashes on some, hangs on others: that is an error like any other, and this process, which
 * does no such thing, goes on. For longer: WEFT_TEST_DAMAGE_ROUNDS, WEFT_TEST_DAMAGE_SEED. */
static void test_random_damage(void **state)
{
    (void)state;
    const int64_t rounds = number_from("WEFT_TEST_DAMAGE_ROUNDS", 300);
    const int64_t from = number_from("WEFT_TEST_DAMAGE_SEED", 1);
    const char *path = sample_path("damaged.h5");
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    sample_make_file(path, j);
    job_destroy(j);
    size_t count = 0;
    int refused = 0;
    unsigned char *bytes = sample_read(path, &count);
    const places p = find_places(path, bytes, count);
    for (int64_t round = from; round < from + rounds; round++) {
        uint32_t seed = (uint32_t)round * 7919u + 1u;
        const flips f = draw_flips(&seed, bytes, &p);
        put_flips(path, bytes, &f, false);
        refused += use_file(path) != 0;
        put_flips(path, bytes, &f, true);
    }
    assert_int_equal(use_file(path), 0);
    assert_true(refused > 0);
    free(p.place);
    free(bytes);
}

/* Bytes on which HDF5 1.10.8 crashes: the size of a parameter's name. */
static void test_one_byte(void **state)
{
    (void)state;
    const char *path = sample_path("byte.h5");
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    sample_make_file(path, j);
    size_t count = 0;
    unsigned char *bytes = sample_read(path, &count);
    size_t at = 0;
    while (memcmp(bytes + at, "source", sizeof "source") != 0) {
        at++;
    }
    /* Before the name are the version, flags, three sizes, and the character set. */
    for (size_t before = 1; before <= 9; before++) {
        for (int bit = 0; bit < 8; bit++) {
            const flips f = {.count = 1,
                             .place = {at - before},
                             .value = {(unsigned char)(bytes[at - before] ^ 1u << bit)}};
            put_flips(path, bytes, &f, false);
            (void)use_file(path);
            put_flips(path, bytes, &f, true);
        }
    }
    assert_int_equal(use_file(path), 0);
    free(bytes);
    job_destroy(j);
}

typedef void (*change_fn)(hid_t file);

static void replace_attribute(hid_t file, const char *path, const char *name, hid_t type,
                              const void *value)
{
    const hid_t object = H5Oopen(file, path, H5P_DEFAULT);
    const hid_t scalar = H5Screate(H5S_SCALAR);
    (void)H5Adelete(object, name);
    const hid_t attribute = H5Acreate2(object, name, type, scalar, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, type, value) >= 0);
    (void)H5Aclose(attribute);
    (void)H5Sclose(scalar);
    (void)H5Oclose(object);
}

static void set_text(hid_t file, const char *path, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    assert_true(H5Tset_size(type, H5T_VARIABLE) >= 0);
    replace_attribute(file, path, name, type, &text);
    (void)H5Tclose(type);
}

static void make_count_wrong(hid_t file)
{
    const int64_t count = SAMPLE_ITEMS + 1;
    replace_attribute(file, "/weft/sample/job", "count", H5T_NATIVE_INT64, &count);
}

static void make_count_real(hid_t file)
{
    const double count = SAMPLE_ITEMS;
    replace_attribute(file, "/weft/sample/job", "count", H5T_NATIVE_DOUBLE, &count);
}

static void make_needs_a_number(hid_t file)
{
    const int64_t number = 1;
    replace_attribute(file, "/weft/sample/job", SCHEMA_NEEDS, H5T_NATIVE_INT64, &number);
}

static void make_needs_a_text(hid_t file)
{
    set_text(file, "/weft/sample/job", SCHEMA_NEEDS, "another");
}

static void make_format_real(hid_t file)
{
    const double format = 1;
    replace_attribute(file, "/", "weft_format", H5T_NATIVE_DOUBLE, &format);
}

static void make_version_long(hid_t file)
{
    enum { LONG = 60000 };
    char *text = malloc(LONG);
    memset(text, 'x', LONG - 1);
    text[LONG - 1] = '\0';
    set_text(file, "/", "weft_version", text);
    free(text);
}

static void remove_units(hid_t file)
{
    const hid_t field = H5Dopen2(file, "/sample/field-11", H5P_DEFAULT);
    assert_true(H5Adelete(field, "units") >= 0);
    (void)H5Dclose(field);
}

static void link_softly(hid_t file)
{
    assert_true(H5Lmove(file, "/weft/sample/tiles", file, "/tiles", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_soft("/tiles", file, "/weft/sample/tiles", H5P_DEFAULT, H5P_DEFAULT) >=
                0);
}

static void link_group_softly(hid_t file)
{
    assert_true(H5Lmove(file, "/weft", file, "/elsewhere", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_soft("/elsewhere", file, "/weft", H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

static void link_to_another_file(hid_t file)
{
    assert_true(H5Ldelete(file, "/sample/field-3", H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_external("other.h5", "/sample/field-3", file, "/sample/field-3",
                                   H5P_DEFAULT, H5P_DEFAULT) >= 0);
}

/* Puts another table in a table's place, with the same rows. */
static void replace_table(hid_t file, const char *path, hsize_t extent, hid_t properties)
{
    const hid_t old = H5Dopen2(file, path, H5P_DEFAULT);
    const hid_t type = H5Dget_type(old);
    const hid_t rows = H5Screate_simple(1, &extent, NULL);
    (void)H5Dclose(old);
    assert_true(H5Ldelete(file, path, H5P_DEFAULT) >= 0);
    const hid_t dataset = H5Dcreate2(file, path, type, rows, H5P_DEFAULT, properties, H5P_DEFAULT);
    assert_true(dataset >= 0);
    (void)H5Dclose(dataset);
    (void)H5Pclose(properties);
    (void)H5Sclose(rows);
    (void)H5Tclose(type);
}

/* The row of another version: as long, and with the same columns, but elsewhere. */
static void move_columns(hid_t file)
{
    const hid_t old = H5Dopen2(file, SCHEMA_RUNS, H5P_DEFAULT);
    const hid_t type = H5Dget_type(old);
    const size_t bytes = H5Tget_size(type);
    const hid_t other = H5Tcreate(H5T_COMPOUND, bytes);
    size_t at = 0;
    (void)H5Dclose(old);
    for (int i = H5Tget_nmembers(type) - 1; i >= 0; i--) {
        char *name = H5Tget_member_name(type, (unsigned)i);
        const hid_t column = H5Tget_member_type(type, (unsigned)i);
        assert_true(H5Tinsert(other, name, at, column) >= 0);
        at += H5Tget_size(column);
        (void)H5Tclose(column);
        (void)H5free_memory(name);
    }
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY) >= 0);
    assert_true(H5Ldelete(file, SCHEMA_RUNS, H5P_DEFAULT) >= 0);
    const hid_t rows = H5Screate_simple(1, (const hsize_t[]){1024}, NULL);
    const hid_t dataset =
        H5Dcreate2(file, SCHEMA_RUNS, other, rows, H5P_DEFAULT, properties, H5P_DEFAULT);
    assert_true(dataset >= 0);
    (void)H5Dclose(dataset);
    (void)H5Sclose(rows);
    (void)H5Pclose(properties);
    (void)H5Tclose(other);
    (void)H5Tclose(type);
}

static void put_in_chunks(hid_t file)
{
    const hsize_t extent = 1024;
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_chunk(properties, 1, &extent) >= 0);
    replace_table(file, SCHEMA_RUNS, extent, properties);
}

/* A file of holes could have more rows than there is memory. */
static void make_table_long(hid_t file, const char *path)
{
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    assert_true(H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY) >= 0);
    assert_true(H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER) >= 0);
    replace_table(file, path, (1 << 17) + 1, properties);
}

static void make_runs_long(hid_t file)
{
    make_table_long(file, SCHEMA_RUNS);
}

static void make_failures_long(hid_t file)
{
    make_table_long(file, "/weft/sample/failures");
}

/* What another program has made of a result is not called damage alone, and is named. */
static void test_changed_by_others(void **state)
{
    (void)state;
    static const struct {
        change_fn change;
        weft_status status;
        const char *says;
    } cases[] = {
        {make_count_wrong, WEFT_ERR_CORRUPT, "/weft/sample/job"},
        {make_count_real, WEFT_ERR_CORRUPT, "'count'"},
        {make_needs_a_number, WEFT_ERR_CORRUPT, "'needed maps' is not what weft writes"},
        {make_needs_a_text, WEFT_ERR_CORRUPT, "'needed maps' is not what weft writes"},
        {make_format_real, WEFT_ERR_FORMAT, "not a result of weft"},
        {make_version_long, WEFT_ERR_CORRUPT, "'weft_version'"},
        {remove_units, WEFT_ERR_CORRUPT, "/sample/field-11 has no attribute 'units'"},
        {link_softly, WEFT_ERR_CORRUPT, "/weft/sample/tiles is not there, or a link"},
        {link_group_softly, WEFT_ERR_FORMAT, "not a result of weft"},
        {link_to_another_file, WEFT_ERR_CORRUPT, "/sample/field-3 is no dataset, or a link"},
        {put_in_chunks, WEFT_ERR_FORMAT, "repacked: /weft/runs lies in HDF5 chunks"},
        {move_columns, WEFT_ERR_CORRUPT, "/weft/runs is not a table of this version of weft"},
        {make_runs_long, WEFT_ERR_CORRUPT, "/weft/runs has too many rows"},
        {make_failures_long, WEFT_ERR_CORRUPT, "/weft/sample/failures has too many rows"},
    };
    const char *path = sample_path("changed.h5");
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    sample_make_file(sample_path("other.h5"), j);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)unlink(path);
        sample_make_file(path, j);
        const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(file >= 0);
        cases[i].change(file);
        assert_true(H5Fclose(file) >= 0);
        check_refused(path, cases[i].status, cases[i].says);
    }
    job_destroy(j);
}

/* Looking never writes. */
static void test_results_read_only(void **state)
{
    (void)state;
    const char *path = sample_path("readonly.h5");
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    sample_make_file(path, j);
    size_t count = 0;
    unsigned char *before = sample_read(path, &count);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(use_file(path), 0);
    assert_true(sample_same(path, before, count));
    free(before);
    job_destroy(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_hdf5_files),
        cmocka_unit_test(test_other_hdf5_files),
        cmocka_unit_test(test_truncated_at_any_length),
        cmocka_unit_test(test_datasets_over_each_other),
        cmocka_unit_test(test_random_damage),
        cmocka_unit_test(test_one_byte),
        cmocka_unit_test(test_changed_by_others),
        cmocka_unit_test(test_results_read_only),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
