/* SPDX-License-Identifier: BSD-3-Clause */
/* Looks at the HDF5 objects of a file that may be damaged, or another program's. */
#include "store/format/inspect.h"

#include "base/error.h"
#include "store/format/quiet.h"
#include "store/format/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is wrong with the file that is being read: found deep down, told at the top. The first one
 * counts. */
static _Thread_local struct {
    char text[ERROR_TEXT_BYTES / 2];
    bool repacked; /* all is there, but in a layout that weft does not write */
} flaw;

void inspect_begin(void)
{
    flaw.text[0] = '\0';
    flaw.repacked = false;
}

const char *inspect_flaw(bool *repacked)
{
    *repacked = flaw.repacked;
    return flaw.text;
}

bool inspect_fail(const char *format, ...)
{
    if (flaw.text[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(flaw.text, sizeof flaw.text, format, arguments);
        va_end(arguments);
    }
    return false;
}

const char *inspect_path(hid_t object)
{
    static _Thread_local char path[256];
    const ssize_t length = H5Iget_name(object, path, sizeof path);
    return length > 0 ? path : "?";
}

bool inspect_values(hid_t object, const char *name, hid_t type, int most, int *count, void *values)
{
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0) {
        return inspect_fail("%s has no attribute '%s'", inspect_path(object), name);
    }
    const hid_t dataspace = H5Aget_space(attribute);
    const hid_t stored = H5Aget_type(attribute);
    const hssize_t found = dataspace < 0 ? -1 : H5Sget_simple_extent_npoints(dataspace);
    const bool good = found >= 1 && found <= most && stored >= 0 &&
                      H5Tget_class(stored) == H5Tget_class(type) &&
                      H5Tis_variable_str(stored) == H5Tis_variable_str(type) &&
                      H5Aread(attribute, type, values) >= 0;
    *count = (int)found;
    quiet_close(stored);
    quiet_close(dataspace);
    quiet_close(attribute);
    return good || inspect_fail("%s: the attribute '%s' is not what weft writes",
                                inspect_path(object), name);
}

bool inspect_attribute(hid_t object, const char *name, hid_t type, void *value)
{
    int count = 0;
    return inspect_values(object, name, type, 1, &count, value);
}

bool inspect_text(hid_t object, const char *name, char *text, size_t bytes)
{
    const hid_t type = schema_text_type();
    char *value = NULL;
    bool good = inspect_attribute(object, name, type, &value);
    if (good && (value == NULL || strnlen(value, bytes) == bytes)) {
        good = inspect_fail("%s: the attribute '%s' is not a text of weft", inspect_path(object),
                            name);
    }
    if (good) {
        (void)snprintf(text, bytes, "%s", value);
    }
    if (value != NULL) {
        (void)H5free_memory(value);
    }
    quiet_close(type);
    return good;
}

bool inspect_text_if_any(hid_t object, const char *name, char *text, size_t bytes)
{
    text[0] = '\0';
    return H5Aexists(object, name) == 0 || inspect_text(object, name, text, bytes);
}

int inspect_shape(hid_t dataset, hsize_t shape[2 * WEFT_MAX_DIMS])
{
    const hid_t dataspace = H5Dget_space(dataset);
    int ndims = dataspace < 0 ? -1 : H5Sget_simple_extent_ndims(dataspace);
    if (ndims > 2 * WEFT_MAX_DIMS ||
        (ndims >= 0 && H5Sget_simple_extent_dims(dataspace, shape, NULL) < 0)) {
        ndims = -1;
    }
    quiet_close(dataspace);
    return ndims;
}

/* How the values of a dataset lie in the file, if not in one piece; NULL: they do. */
static const char *odd_layout(hid_t dataset)
{
    static const char *const odd[H5D_NLAYOUTS] = {[H5D_CHUNKED] = "in HDF5 chunks",
                                                  [H5D_COMPACT] = "in its header",
                                                  [H5D_VIRTUAL] = "in other datasets"};
    const hid_t properties = H5Dget_create_plist(dataset);
    const H5D_layout_t layout = properties < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(properties);
    const bool outside = layout == H5D_CONTIGUOUS && H5Pget_external_count(properties) != 0;
    quiet_close(properties);
    return outside ? "in other files" : layout < 0 || layout >= H5D_NLAYOUTS ? NULL : odd[layout];
}

bool inspect_offset(hid_t dataset, int64_t bytes, metadata_layout *layout, int64_t *offset)
{
    if (bytes == 0) {
        *offset = -1;
        return true;
    }
    const char *odd = odd_layout(dataset);
    if (odd != NULL) {
        flaw.repacked = flaw.text[0] == '\0';
        return inspect_fail("%s lies %s, and not in one piece", inspect_path(dataset), odd);
    }
    const haddr_t address = H5Dget_offset(dataset);
    if (address == HADDR_UNDEF || address > (haddr_t)(INT64_MAX - bytes)) {
        return inspect_fail("%s has no place in the file", inspect_path(dataset));
    }
    *offset = (int64_t)address;
    if (*offset + bytes > layout->file_bytes) {
        layout->file_bytes = *offset + bytes;
    }
    return true;
}

bool inspect_is_inside(hid_t file, const char *path)
{
    char part[256];
    bool inside = true;
    for (const char *slash = strchr(path + 1, '/'); inside && path != NULL;
         slash = slash == NULL ? NULL : strchr(slash + 1, '/')) {
        H5L_info_t info;
        const size_t length = slash == NULL ? strlen(path) : (size_t)(slash - path);
        (void)snprintf(part, sizeof part, "%.*s", (int)length, path);
        inside = H5Lget_info(file, part, &info, H5P_DEFAULT) >= 0 && info.type == H5L_TYPE_HARD;
        path = slash == NULL ? NULL : path;
    }
    return inside || inspect_fail("%s is not there, or a link", part);
}

static bool is_same_column(hid_t type, hid_t row, unsigned column)
{
    char *theirs = H5Tget_member_name(type, column);
    char *ours = H5Tget_member_name(row, column);
    const hid_t their_type = H5Tget_member_type(type, column);
    const hid_t our_type = H5Tget_member_type(row, column);
    const bool same = theirs != NULL && ours != NULL && strcmp(theirs, ours) == 0 &&
                      H5Tget_member_offset(type, column) == H5Tget_member_offset(row, column) &&
                      H5Tget_size(their_type) == H5Tget_size(our_type);
    quiet_close(our_type);
    quiet_close(their_type);
    (void)H5free_memory(ours);
    (void)H5free_memory(theirs);
    return same;
}

static bool has_columns(hid_t type, hid_t row)
{
    if (H5Tget_size(type) != H5Tget_size(row) || H5Tget_class(type) != H5Tget_class(row)) {
        return false;
    }
    const int columns = H5Tget_class(row) == H5T_COMPOUND ? H5Tget_nmembers(row) : 0;
    bool same = columns == 0 || H5Tget_nmembers(type) == columns;
    for (int i = 0; i < columns && same; i++) {
        same = is_same_column(type, row, (unsigned)i);
    }
    return same;
}

bool inspect_table(hid_t file, const char *path, hid_t row, int64_t most, metadata_layout *layout,
                   int64_t *offset, int64_t *rows)
{
    const size_t row_bytes = H5Tget_size(row);
    const hid_t dataset =
        inspect_is_inside(file, path) ? H5Dopen2(file, path, H5P_DEFAULT) : H5I_INVALID_HID;
    if (dataset < 0) {
        quiet_close(row);
        return inspect_fail("%s is no dataset", path);
    }
    hsize_t shape[2 * WEFT_MAX_DIMS];
    const hid_t type = H5Dget_type(dataset);
    bool good = inspect_shape(dataset, shape) == 1 && has_columns(type, row) &&
                shape[0] <= (hsize_t)INT64_MAX / row_bytes;
    if (good) {
        *rows = (int64_t)shape[0];
        good = inspect_offset(dataset, *rows * (int64_t)row_bytes, layout, offset);
    }
    quiet_close(type);
    quiet_close(row);
    quiet_close(dataset);
    if (good && *rows > most) {
        return inspect_fail("%s has too many rows", path);
    }
    return good || inspect_fail("%s is not a table of this version of weft", path);
}
