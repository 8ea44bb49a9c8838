/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests what is not a whole result: files of other kinds, truncated ones, flipped bytes. Each gives
 * an error and stays as it is; none ends the process. HDF5 itself may stumble over damaged
 * metadata, so the random damage is looked at in a process of its own. */
#define _GNU_SOURCE 1
#include "sample.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <weft/result.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum { METADATA_BYTES = 8192, LIMIT_S = 10, ENDED_BY_HDF5 = 100 };

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
    assert_int_equal(store_open(path, j, (store_policy){.fresh = false}, &s, &e), expected);
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
        put_attribute(file, "weft_format", stage == 4 ? MANY : 1, stage == 1 ? 2 : 1);
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
    check_refused(path, WEFT_ERR_FORMAT, "of format 2");
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
    const size_t needed = (size_t)m.layout.file_bytes;
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
        assert_int_equal(store_open(path, j, (store_policy){.fresh = false}, &s, &e), status);
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

/* All that can be read of a file; 0 if it is whole. What matters more: it does not crash. */
static int use_file(const char *path)
{
    weft_result *r = NULL;
    weft_result_progress progress;
    int64_t verified = 0;
    int64_t bad = 0;
    int refusals = weft_result_open(path, &r) != WEFT_OK;
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

/* In the child, where no assertion may fail. */
static bool put_flips(const char *path, const unsigned char *bytes, const flips *f, bool back)
{
    const int fd = open(path, O_WRONLY);
    bool good = fd >= 0;
    for (int i = 0; good && i < f->count; i++) {
        const unsigned char byte = back ? bytes[f->place[i]] : f->value[i];
        good = pwrite(fd, &byte, 1, (off_t)f->place[i]) == 1;
    }
    return close(fd) == 0 && good;
}

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static flips draw_flips(uint32_t *seed, const unsigned char *bytes)
{
    flips f = {.count = 1 + (int)(draw(seed) % 4 == 0) * 3};
    for (int i = 0; i < f.count; i++) {
        f.place[i] = draw(seed) % METADATA_BYTES;
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

/* Ends the child; the status says whether it was HDF5 that stumbled, or we. */
static void on_deadly_signal(int number)
{
    void *frames[64];
    const int count = backtrace(frames, 64);
    /* The first two are this function and the kernel's way into it. */
    for (int i = 2; i < count; i++) {
        Dl_info info;
        if (dladdr(frames[i], &info) != 0 && strstr(info.dli_fname, "libc.so") == NULL) {
            _exit(strstr(info.dli_fname, "libhdf5") != NULL ? ENDED_BY_HDF5 : number);
        }
    }
    _exit(number);
}

/* Instead of cmocka's handlers, which would go on with the next test here in the child. */
static void catch_deadly_signals(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGALRM};
    void *frame = NULL;
    (void)backtrace(&frame, 1); /* the first call allocates */
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
        (void)signal(deadly[i], on_deadly_signal);
    }
}

/* A child that works through damaged files from one on. What it is at is told through a pipe. */
static void run_child(const char *path, const unsigned char *bytes, int first, int rounds, int told)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    /* A damaged length may ask for any amount of memory; here it is refused. */
    const struct rlimit memory = {.rlim_cur = 1 << 30, .rlim_max = 1 << 30};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)setrlimit(RLIMIT_AS, &memory);
    catch_deadly_signals();
    for (int round = first; round < rounds; round++) {
        uint32_t seed = (uint32_t)round * 7919u + 1u;
        const flips f = draw_flips(&seed, bytes);
        if (write(told, &round, sizeof round) != sizeof round ||
            !put_flips(path, bytes, &f, false)) {
            _exit(2);
        }
        (void)alarm(LIMIT_S);
        (void)use_file(path);
        if (!put_flips(path, bytes, &f, true)) {
            _exit(3);
        }
    }
    _exit(0);
}

/* The last round that the child told of, and how it ended. */
static int follow_child(const char *path, const unsigned char *bytes, int first, int rounds,
                        int *status)
{
    int ends[2] = {-1, -1};
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        run_child(path, bytes, first, rounds, ends[1]);
    }
    assert_true(child > 0);
    (void)close(ends[1]);
    int last = first - 1;
    for (int round = 0; read(ends[0], &round, sizeof round) == sizeof round;) {
        last = round;
    }
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, status, 0), child);
    return last;
}

static void test_random_damage(void **state)
{
    (void)state;
    if (SANITIZED) {
        skip(); /* what HDF5 does wrong would be counted as ours */
    }
    const char *rounds_text = getenv("WEFT_TEST_DAMAGE_ROUNDS");
    const int rounds = rounds_text == NULL ? 800 : (int)strtol(rounds_text, NULL, 10);
    const char *path = sample_path("damaged.h5");
    job *j = sample_job(SAMPLE_ROWS, SAMPLE_COLUMNS, 4);
    sample_make_file(path, j);
    job_destroy(j);
    size_t count = 0;
    unsigned char *bytes = sample_read(path, &count);
    int crashes = 0;
    for (int first = 0; first < rounds;) {
        int status = 0;
        const int last = follow_child(path, bytes, first, rounds, &status);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            break;
        }
        if (!WIFEXITED(status) || WEXITSTATUS(status) != ENDED_BY_HDF5) {
            print_message("round %d: status 0x%x\n", last, (unsigned)status);
            crashes++;
        }
        sample_write(path, bytes, count);
        first = last + 1;
    }
    free(bytes);
    assert_int_equal(crashes, 0);
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
        cmocka_unit_test(test_no_hdf5_files),           cmocka_unit_test(test_other_hdf5_files),
        cmocka_unit_test(test_truncated_at_any_length), cmocka_unit_test(test_random_damage),
        cmocka_unit_test(test_results_read_only),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
