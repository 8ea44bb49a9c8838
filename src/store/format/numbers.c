/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reduction was described with, as its attributes in a result say. */
#include "store/format/numbers.h"

#include "store/format/apart.h"
#include "store/format/quiet.h"
#include "store/format/schema.h"

#include <hdf5.h>
#include <stdbool.h>
#include <string.h>

typedef struct request {
    const char *path;
    const char *attribute;
    char dataset[SCHEMA_PATH_BYTES];
    int64_t count;
} request;

typedef struct answer {
    bool good;
    double number[NUMBERS_MOST + 1];
} answer;

/* Whether the attribute is what weft writes. */
static bool read_attribute(hid_t attribute, int64_t count, double numbers[])
{
    const hid_t space = H5Aget_space(attribute);
    const hid_t type = H5Aget_type(attribute);
    const bool good = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                      H5Sget_simple_extent_npoints(space) == (hssize_t)count &&
                      schema_find_element(type) == WEFT_FLOAT64 &&
                      H5Aread(attribute, H5T_NATIVE_DOUBLE, numbers) >= 0;
    quiet_close(type);
    quiet_close(space);
    return good;
}

static void read_apart(void *answered, void *context)
{
    const request *wanted = context;
    answer *a = answered;
    quiet q;
    quiet_begin(&q);
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    (void)H5Pset_file_locking(access, false, true);
#endif
    const hid_t file = H5Fopen(wanted->path, H5F_ACC_RDONLY, access);
    const hid_t attribute = file < 0 ? H5I_INVALID_HID
                                     : H5Aopen_by_name(file, wanted->dataset, wanted->attribute,
                                                       H5P_DEFAULT, H5P_DEFAULT);
    a->good = attribute >= 0 && read_attribute(attribute, wanted->count, a->number);
    quiet_close(attribute);
    if (file >= 0) {
        (void)H5Fclose(file);
    }
    quiet_close(access);
    quiet_end(&q);
}

weft_status numbers_read(const char *path, const char *map, const char *reduction,
                         const char *attribute, int64_t count, double numbers[], error *e)
{
    char what[APART_TEXT_BYTES];
    answer a = {.good = false};
    request wanted = {.path = path, .attribute = attribute, .count = count};
    schema_result_path(wanted.dataset, map, reduction);
    if (count < 1 || count > NUMBERS_MOST + 1 ||
        apart_call(read_apart, &wanted, &a, sizeof a, what) != APART_ANSWERED || !a.good) {
        return error_set(e, WEFT_ERR_NOT_FOUND, "%s does not say the %s of %s", path, attribute,
                         wanted.dataset);
    }
    memcpy(numbers, a.number, (size_t)count * sizeof numbers[0]);
    return WEFT_OK;
}
