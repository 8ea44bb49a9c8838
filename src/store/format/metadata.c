/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads a result's HDF5 metadata: which maps it has, and where their bytes lie. */
#define _GNU_SOURCE 1
#include "store/format/metadata.h"

#include "store/format/apart.h"
#include "store/format/extent.h"
#include "store/format/quiet.h"
#include "store/format/record.h"
#include "store/format/schema.h"
#include "store/io/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weft/reduce.h>

/* What is wrong with the file that is being read: found deep down, told at the top. The first one
 * counts. */
static _Thread_local struct {
    char text[ERROR_TEXT_BYTES / 2];
    bool repacked; /* all is there, but in a layout that weft does not write */
} flaw;

static bool note_flaw(const char *format, ...) WEFT_PRINTF(1, 2);

/* False. */
static bool note_flaw(const char *format, ...)
{
    if (flaw.text[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(flaw.text, sizeof flaw.text, format, arguments);
        va_end(arguments);
    }
    return false;
}

/* The path of an object. */
static const char *path_of(hid_t object)
{
    static _Thread_local char path[256];
    const ssize_t length = H5Iget_name(object, path, sizeof path);
    return length > 0 ? path : "?";
}

static weft_status not_ours(const char *path, const char *what, error *e)
{
    return quiet_error(e, WEFT_ERR_FORMAT,
                       "%s is an HDF5 file, but not a result of weft: %s; it is left alone, give "
                       "another path",
                       path, what);
}

/* Reads at most `most` values into `values`, and how many; false: there is no such attribute, or
 * not of the kind that weft writes. Of a damaged or foreign file it may be an array that is larger,
 * and HDF5 would make a whole number of 1.5. */
static bool get_values(hid_t object, const char *name, hid_t type, int most, int *count,
                       void *values)
{
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0) {
        return note_flaw("%s has no attribute '%s'", path_of(object), name);
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
    return good ||
           note_flaw("%s: the attribute '%s' is not what weft writes", path_of(object), name);
}

static bool get_attribute(hid_t object, const char *name, hid_t type, void *value)
{
    int count = 0;
    return get_values(object, name, type, 1, &count, value);
}

static bool get_text(hid_t object, const char *name, char *text, size_t bytes)
{
    const hid_t type = schema_text_type();
    char *value = NULL;
    bool good = get_attribute(object, name, type, &value);
    if (good && (value == NULL || strnlen(value, bytes) == bytes)) {
        good = note_flaw("%s: the attribute '%s' is not a text of weft", path_of(object), name);
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

/* Nothing, where there is no such attribute: a program need not have a version. */
static bool get_text_if_any(hid_t object, const char *name, char *text, size_t bytes)
{
    text[0] = '\0';
    return H5Aexists(object, name) == 0 || get_text(object, name, text, bytes);
}

/* The shape of a dataset; its number of dimensions, or -1. */
static int get_shape(hid_t dataset, hsize_t shape[2 * WEFT_MAX_DIMS])
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

/* Where a contiguous dataset of that many bytes lies: true, and -1 for an empty one. */
static bool get_offset(hid_t dataset, int64_t bytes, metadata_layout *layout, int64_t *offset)
{
    if (bytes == 0) {
        *offset = -1;
        return true;
    }
    const char *odd = odd_layout(dataset);
    if (odd != NULL) {
        flaw.repacked = flaw.text[0] == '\0';
        return note_flaw("%s lies %s, and not in one piece", path_of(dataset), odd);
    }
    const haddr_t address = H5Dget_offset(dataset);
    if (address == HADDR_UNDEF || address > (haddr_t)(INT64_MAX - bytes)) {
        return note_flaw("%s has no place in the file", path_of(dataset));
    }
    *offset = (int64_t)address;
    if (*offset + bytes > layout->file_bytes) {
        layout->file_bytes = *offset + bytes;
    }
    return true;
}

/* Whether all the way to an object is by hard links. Others lead to where a file says, which may be
 * another file. */
static bool is_inside(hid_t file, const char *path)
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
    return inside || note_flaw("%s is not there, or a link", part);
}

static bool read_table(hid_t file, const char *path, size_t row_bytes, int64_t most,
                       metadata_layout *layout, int64_t *offset, int64_t *rows)
{
    const hid_t dataset =
        is_inside(file, path) ? H5Dopen2(file, path, H5P_DEFAULT) : H5I_INVALID_HID;
    if (dataset < 0) {
        return note_flaw("%s is no dataset", path);
    }
    hsize_t shape[2 * WEFT_MAX_DIMS];
    const hid_t type = H5Dget_type(dataset);
    bool good = get_shape(dataset, shape) == 1 && H5Tget_size(type) == row_bytes &&
                shape[0] <= (hsize_t)INT64_MAX / row_bytes;
    if (good) {
        *rows = (int64_t)shape[0];
        good = get_offset(dataset, *rows * (int64_t)row_bytes, layout, offset);
    }
    quiet_close(type);
    quiet_close(dataset);
    if (good && *rows > most) {
        return note_flaw("%s has too many rows", path);
    }
    return good || note_flaw("%s is not a table of weft", path);
}

/* One attribute of a map's job becomes a parameter. */
static bool read_parameter(hid_t map, const char *name, job *j)
{
    job_parameter parameter = {.type = JOB_INT64};
    error ignored = {.status = WEFT_OK};
    (void)snprintf(parameter.name, sizeof parameter.name, "%s", name);
    const hid_t attribute = H5Aopen(map, name, H5P_DEFAULT);
    const hid_t type = attribute < 0 ? H5I_INVALID_HID : H5Aget_type(attribute);
    const H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    bool good = false;
    if (kind == H5T_INTEGER) {
        good = get_attribute(map, name, H5T_NATIVE_INT64, &parameter.int64);
    } else if (kind == H5T_FLOAT) {
        parameter.type = JOB_DOUBLE;
        good = get_attribute(map, name, H5T_NATIVE_DOUBLE, &parameter.number);
    } else if (kind == H5T_STRING) {
        parameter.type = JOB_STRING;
        good = get_text(map, name, parameter.text, sizeof parameter.text);
    }
    quiet_close(type);
    quiet_close(attribute);
    return (good && job_add_parameter(j, &parameter, &ignored) == WEFT_OK) ||
           note_flaw("%s: the attribute '%s' is no parameter", path_of(map), name);
}

static herr_t visit_attribute(hid_t map, const char *name, const H5A_info_t *info, void *data)
{
    (void)info;
    if (strcmp(name, "count") == 0 || strcmp(name, "shape") == 0 || strcmp(name, "grain") == 0 ||
        strcmp(name, "seed") == 0) {
        return 0;
    }
    return read_parameter(map, name, data) ? 0 : -1;
}

/* A field's shape is the map's, followed by that of the value at one item. */
static bool split_shape(const hsize_t shape[], int ndims, const space *items, space *value)
{
    int64_t lengths[2 * WEFT_MAX_DIMS] = {0};
    if (ndims < items->ndims) {
        return false;
    }
    for (int i = 0; i < ndims; i++) {
        lengths[i] = (int64_t)shape[i];
        if (i < items->ndims && lengths[i] != items->shape[i]) {
            return false;
        }
    }
    *value = (space){.ndims = 0, .count = 1};
    return ndims == items->ndims || space_init(value, ndims - items->ndims, lengths + items->ndims);
}

/* A map that is being read. */
typedef struct reading_map {
    job *job;
    metadata_layout *layout;
} reading_map;

static bool read_field(hid_t dataset, const char *name, const reading_map *m)
{
    hsize_t shape[2 * WEFT_MAX_DIMS] = {0};
    const int ndims = get_shape(dataset, shape);
    const hid_t stored = H5Dget_type(dataset);
    const weft_type type = schema_find_element(stored);
    quiet_close(stored);
    char units[JOB_TEXT_BYTES];
    char long_name[JOB_TEXT_BYTES];
    unsigned char fill[TYPE_MAX_BYTES] = {0};
    space value;
    error ignored = {.status = WEFT_OK};
    job *j = m->job;
    if (ndims < 0 || type == WEFT_TYPE_COUNT || !split_shape(shape, ndims, &j->items, &value) ||
        !get_text(dataset, "units", units, sizeof units) ||
        !get_text(dataset, "long_name", long_name, sizeof long_name) ||
        !get_attribute(dataset, "_FillValue", schema_element(type), fill) ||
        job_add_field(j, name, type, value.ndims, value.shape, units, long_name, &ignored) !=
            WEFT_OK ||
        job_set_fill(j, name, fill, &ignored) != WEFT_OK) {
        return note_flaw("%s is not a field of weft", path_of(dataset));
    }
    const int field = j->fields - 1;
    return get_offset(dataset, job_field_bytes(j, field, j->items.count), m->layout,
                      &m->layout->field_offset[field]);
}

/* The accumulators' place is learnt once the tiles are known. */
static bool read_reduction(hid_t dataset, const char *name, const reading_map *m)
{
    hsize_t shape[2 * WEFT_MAX_DIMS] = {0};
    int64_t lengths[WEFT_MAX_DIMS] = {0};
    job_reduction r = {.field = -1, .shape = {.ndims = 0, .count = 1}};
    error ignored = {.status = WEFT_OK};
    job *j = m->job;
    const int ndims = get_shape(dataset, shape);
    const hid_t stored = H5Dget_type(dataset);
    r.type = schema_find_element(stored);
    quiet_close(stored);
    (void)snprintf(r.name, sizeof r.name, "%s", name);
    for (int i = 0; i < ndims && i < WEFT_MAX_DIMS; i++) {
        lengths[i] = (int64_t)shape[i];
    }
    if (strlen(name) >= sizeof r.name || ndims < 0 || ndims > WEFT_MAX_DIMS ||
        r.type == WEFT_TYPE_COUNT || (ndims > 0 && !space_init(&r.shape, ndims, lengths)) ||
        r.shape.count < 1 || r.shape.count > WEFT_MAX_ACCUMULATOR_BYTES ||
        !get_text(dataset, SCHEMA_REDUCTION, r.how, sizeof r.how) ||
        job_add_reduction(j, &r, &ignored) != WEFT_OK) {
        return note_flaw("%s is not a reduction of weft", path_of(dataset));
    }
    return get_offset(dataset, job_value_bytes(j, j->reductions - 1), m->layout,
                      &m->layout->value_offset[j->reductions - 1]);
}

static herr_t visit_field(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    const hid_t dataset =
        info->type == H5L_TYPE_HARD ? H5Dopen2(group, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (dataset < 0) {
        (void)note_flaw("%s/%.100s is no dataset, or a link", path_of(group), name);
        return -1;
    }
    const bool good = (H5Aexists(dataset, SCHEMA_REDUCTION) > 0 ? read_reduction
                                                                : read_field)(dataset, name, data);
    quiet_close(dataset);
    return good ? 0 : -1;
}

/* What a map's group of tables says of its job. */
static bool read_identity(hid_t file, const char *name, job **out)
{
    char path[SCHEMA_PATH_BYTES];
    schema_table_path(path, name, SCHEMA_JOB);
    const hid_t group = is_inside(file, path) ? H5Gopen2(file, path, H5P_DEFAULT) : H5I_INVALID_HID;
    if (group < 0) {
        return note_flaw("%s is no group", path);
    }
    int64_t shape[WEFT_MAX_DIMS] = {0};
    int64_t count = -1;
    int64_t grain = 0;
    uint64_t seed = 0;
    error ignored = {.status = WEFT_OK};
    int ndims = 0;
    const bool good =
        get_values(group, "shape", H5T_NATIVE_INT64, WEFT_MAX_DIMS, &ndims, shape) &&
        get_attribute(group, "count", H5T_NATIVE_INT64, &count) &&
        get_attribute(group, "grain", H5T_NATIVE_INT64, &grain) && grain >= 1 &&
        get_attribute(group, "seed", H5T_NATIVE_UINT64, &seed) &&
        job_create(name, ndims, shape, out, &ignored) == WEFT_OK && (*out)->items.count == count &&
        get_text_if_any(file, "program", (*out)->program, sizeof(*out)->program) &&
        get_text_if_any(file, "version", (*out)->version, sizeof(*out)->version) &&
        get_text_if_any(file, "build", (*out)->build, sizeof(*out)->build) &&
        H5Aiterate2(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_attribute, *out) >= 0;
    quiet_close(group);
    if (good) {
        (*out)->seed = seed;
        (*out)->tiles.grain = grain;
    }
    return good || note_flaw("what %s says does not go together", path);
}

/* How large they are; their place cannot be asked for before the job is settled. */
static bool read_accumulator_bytes(hid_t file, const job *j, job_reduction *r)
{
    char path[SCHEMA_PATH_BYTES];
    hsize_t shape[2 * WEFT_MAX_DIMS] = {0};
    schema_accumulators_path(path, j->name, r->name);
    const hid_t dataset =
        is_inside(file, path) ? H5Dopen2(file, path, H5P_DEFAULT) : H5I_INVALID_HID;
    const bool good = dataset >= 0 && get_shape(dataset, shape) == 2 && shape[1] >= 1 &&
                      shape[1] <= WEFT_MAX_ACCUMULATOR_BYTES;
    r->bytes = (int64_t)shape[1];
    quiet_close(dataset);
    return good || note_flaw("%s are not accumulators of weft", path);
}

static bool read_all_accumulators(hid_t file, job *j)
{
    bool good = true;
    for (int i = 0; i < j->reductions && good; i++) {
        good = read_accumulator_bytes(file, j, &j->reduction[i]);
    }
    return good;
}

static bool find_accumulators(hid_t file, const job *j, int number, metadata_layout *layout)
{
    char path[SCHEMA_PATH_BYTES];
    hsize_t shape[2 * WEFT_MAX_DIMS] = {0};
    const int column = j->fields + number;
    schema_accumulators_path(path, j->name, j->reduction[number].name);
    const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    const hid_t type = dataset < 0 ? H5I_INVALID_HID : H5Dget_type(dataset);
    const bool good = dataset >= 0 && get_shape(dataset, shape) == 2 &&
                      shape[0] == (hsize_t)j->tiles.tiles && H5Tget_size(type) == 1 &&
                      get_offset(dataset, job_column_bytes(j, column, 0, j->tiles.tiles), layout,
                                 &layout->field_offset[column]);
    quiet_close(type);
    quiet_close(dataset);
    return good || note_flaw("%s are not accumulators of weft", path);
}

static bool read_fields(hid_t file, reading_map *m)
{
    char path[SCHEMA_PATH_BYTES];
    error ignored = {.status = WEFT_OK};
    schema_result_path(path, m->job->name, NULL);
    const hid_t group = is_inside(file, path) ? H5Gopen2(file, path, H5P_DEFAULT) : H5I_INVALID_HID;
    if (group < 0) {
        return note_flaw("%s is no group", path);
    }
    const bool good = H5Literate(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_field, m) >= 0;
    quiet_close(group);
    return good && read_all_accumulators(file, m->job) &&
           job_settle(m->job, m->job->seed, m->job->tiles.grain, &ignored) == WEFT_OK;
}

static bool read_tables(hid_t file, const job *j, metadata_layout *layout)
{
    char path[SCHEMA_PATH_BYTES];
    int64_t tiles = 0;
    int64_t leases = 0;
    schema_table_path(path, j->name, SCHEMA_TILES);
    bool good = read_table(file, path, sizeof(tile_record), INT64_MAX, layout,
                           &layout->tiles_offset, &tiles) &&
                tiles == j->tiles.tiles;
    schema_table_path(path, j->name, SCHEMA_LEASES);
    good = good && read_table(file, path, 1, INT64_MAX, layout, &layout->leases_offset, &leases) &&
           leases == tiles;
    for (int i = 0; i < j->reductions && good; i++) {
        good = find_accumulators(file, j, i, layout);
    }
    if (good && j->reductions > 0) {
        int64_t values = 0;
        schema_table_path(path, j->name, SCHEMA_VALUES);
        good = read_table(file, path, sizeof(uint64_t), WEFT_MAX_FIELDS, layout,
                          &layout->values_offset, &values) &&
               values == j->reductions;
    }
    schema_table_path(path, j->name, SCHEMA_FAILURES);
    return good && read_table(file, path, sizeof(failure_row), METADATA_MOST_ROWS, layout,
                              &layout->failures_offset, &layout->failure_rows);
}

/* Everything of a map. */
static bool read_map(hid_t file, const char *name, metadata *m)
{
    const int number = m->maps;
    metadata_layout *layout = &m->layout[number];
    *layout = (metadata_layout){.map = -1};
    if (!read_identity(file, name, &m->job[number])) {
        job_destroy(m->job[number]);
        m->job[number] = NULL;
        return false;
    }
    m->maps++;
    reading_map reading = {.job = m->job[number], .layout = layout};
    return read_fields(file, &reading) && read_tables(file, reading.job, layout);
}

typedef struct map_visit {
    hid_t file;
    metadata *metadata;
} map_visit;

/* All groups there are a map's. */
static herr_t visit_map(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    const map_visit *visit = data;
    (void)group;
    (void)info;
    if (strcmp(name, &SCHEMA_RUNS[sizeof SCHEMA_WEFT]) == 0) {
        return 0;
    }
    if (visit->metadata->maps == WEFT_MAX_MAPS) {
        (void)note_flaw(SCHEMA_WEFT " has too many maps");
        return -1;
    }
    return read_map(visit->file, name, visit->metadata) ? 0 : -1;
}

/* The numbers of the maps in the rows of runs, as the type of these says. */
static bool number_maps(hid_t file, metadata *m)
{
    const hid_t dataset = H5Dopen2(file, SCHEMA_RUNS, H5P_DEFAULT);
    const hid_t row = dataset < 0 ? H5I_INVALID_HID : H5Dget_type(dataset);
    const int member = row < 0 ? -1 : H5Tget_member_index(row, "map");
    const hid_t names = member < 0 ? H5I_INVALID_HID : H5Tget_member_type(row, (unsigned)member);
    bool good = names >= 0 && H5Tget_class(names) == H5T_ENUM && H5Tget_size(names) == 1;
    for (int i = 0; i < m->maps && good; i++) {
        uint8_t number = 0;
        good = H5Tenum_valueof(names, m->job[i]->name, &number) >= 0 && number < m->maps;
        m->layout[i].map = number;
    }
    quiet_close(names);
    quiet_close(row);
    quiet_close(dataset);
    return good || note_flaw(SCHEMA_RUNS " does not know the maps");
}

/* All maps, and what they have in common. */
static bool read_maps(hid_t file, hid_t weft, metadata *m)
{
    metadata_layout common = {.file_bytes = 0};
    map_visit visit = {.file = file, .metadata = m};
    if (!read_table(file, SCHEMA_RUNS, sizeof(run_row), METADATA_MOST_ROWS, &common,
                    &common.runs_offset, &common.run_rows) ||
        H5Literate(weft, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_map, &visit) < 0) {
        return false;
    }
    if (m->maps == 0) {
        return note_flaw(SCHEMA_WEFT " has no map");
    }
    for (int i = 0; i < m->maps; i++) {
        const int64_t bytes = m->layout[i].file_bytes;
        common.file_bytes = bytes > common.file_bytes ? bytes : common.file_bytes;
    }
    for (int i = 0; i < m->maps; i++) {
        m->layout[i].runs_offset = common.runs_offset;
        m->layout[i].run_rows = common.run_rows;
        m->layout[i].file_bytes = common.file_bytes;
    }
    return number_maps(file, m);
}

/* Whether no two datasets share bytes, nor any with the beginning of the file, which is HDF5's: a
 * run would write one over the other. */
static bool check_extents(const metadata *m)
{
    enum { HEAD_BYTES = 48 };
    extents all = {.list = NULL};
    extents_add(&all, &(extent){.bytes = HEAD_BYTES, .name = "the beginning"});
    extents_collect(&all, m->maps, m->job, m->layout);
    extents_sort(&all);
    const extent *one = all.incomplete ? NULL : extents_find_overlap(&all);
    bool good = !all.incomplete || note_flaw("there is no memory to look at it");
    if (one != NULL) {
        char first[SCHEMA_PATH_BYTES];
        char second[SCHEMA_PATH_BYTES];
        extent_path(one, first);
        extent_path(one + 1, second);
        good = note_flaw("%s and %s lie over each other", first, second);
    }
    extents_clear(&all);
    return good;
}

/* It is a result, but not as a run leaves it. */
static weft_status tell_flaw(const char *path, error *e)
{
    if (flaw.repacked) {
        return error_set(e, WEFT_ERR_FORMAT,
                         "%s has been repacked: %s, as weft needs it; its values can be read with "
                         "HDF5, and h5repack -l CONTI -f NONE turns it back; it is left alone",
                         path, flaw.text);
    }
    return quiet_error(e, WEFT_ERR_CORRUPT,
                       "%s is damaged, or another program has changed it: %s; it is left alone",
                       path,
                       flaw.text[0] == '\0' ? "its metadata does not go together" : flaw.text);
}

static weft_status refuse_format(const char *path, int format, error *e)
{
    return error_set(e, WEFT_ERR_FORMAT,
                     "%s is of format %d, and this version of weft reads and writes format %d; it "
                     "is left alone: %s it with the version of weft that made it, or give another "
                     "--out, or --fresh to start over (the file moves to %s.bak)",
                     path, format, SCHEMA_FORMAT, format < SCHEMA_FORMAT ? "finish" : "go on with",
                     path);
}

static weft_status read_objects(hid_t file, const char *path, metadata *m, error *e)
{
    int format = 0;
    if (!get_attribute(file, "weft_format", H5T_NATIVE_INT, &format)) {
        return not_ours(path, "it has no attribute weft_format that is a whole number", e);
    }
    if (format != SCHEMA_FORMAT) {
        return refuse_format(path, format, e);
    }
    const hid_t weft =
        is_inside(file, SCHEMA_WEFT) ? H5Gopen2(file, SCHEMA_WEFT, H5P_DEFAULT) : H5I_INVALID_HID;
    if (weft < 0) {
        return not_ours(path, "it has no group " SCHEMA_WEFT, e);
    }
    const bool good = get_text(file, "weft_version", m->version, sizeof m->version) &&
                      get_text(file, "created", m->created, sizeof m->created) &&
                      read_maps(file, weft, m) && check_extents(m);
    quiet_close(weft);
    return good ? WEFT_OK : tell_flaw(path, e);
}

/* Without HDF5: is there a readable file, and how long is it? */
static weft_status examine(const char *path, struct stat *file, error *e)
{
    /* Opening a pipe without a writer would block. */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        const int number = errno;
        if (number == ENOENT) {
            return error_set(e, WEFT_ERR_NOT_FOUND, "there is no file %s", path);
        }
        return fault_set(e, number, path, "cannot open %s", path);
    }
    const int failed = fstat(fd, file);
    (void)close(fd);
    if (failed != 0 || !S_ISREG(file->st_mode)) {
        return error_set(e, WEFT_ERR_FORMAT, "%s is not a file", path);
    }
    return WEFT_OK;
}

static weft_status read_file(const char *path, const struct stat *status, metadata *m, error *e)
{
    if (H5Fis_hdf5(path) <= 0) {
        return error_set(e, WEFT_ERR_FORMAT,
                         "%s is not an HDF5 file; it is left alone, give another path", path);
    }
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 10, 7)
    /* Nobody writes through HDF5, so its own lock would only refuse readers on some file systems.
     */
    (void)H5Pset_file_locking(access, false, true);
#endif
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    quiet_close(access);
    if (file < 0) {
        return quiet_error(e, WEFT_ERR_CORRUPT,
                           "%s is truncated or damaged: HDF5 cannot open its %lld bytes", path,
                           (long long)status->st_size);
    }
    weft_status result = read_objects(file, path, m, e);
    (void)H5Fclose(file);
    if (result == WEFT_OK && status->st_size < m->layout[0].file_bytes) {
        result =
            error_set(e, WEFT_ERR_CORRUPT, "%s is truncated: it has %lld bytes and needs %" PRId64,
                      path, (long long)status->st_size, m->layout[0].file_bytes);
    }
    return result;
}

/* What the child says, in memory that is shared with it: all of it is plain bytes, and what is not
 * needed is not touched. */
typedef struct reading {
    error error;
    int maps;
    char version[WEFT_NAME_BYTES];
    char created[WEFT_NAME_BYTES];
    metadata_layout layout[WEFT_MAX_MAPS];
    job job[WEFT_MAX_MAPS];
} reading;

typedef struct request {
    const char *path;
    const struct stat *file;
    reading *answer;
} request;

static weft_status allocate(const char *path, metadata *m, error *e)
{
    m->job = calloc(WEFT_MAX_MAPS, sizeof(job *));
    m->layout = calloc(WEFT_MAX_MAPS, sizeof *m->layout);
    return m->job == NULL || m->layout == NULL ? error_memory(e, "the metadata of %s", path)
                                               : WEFT_OK;
}

static void read_apart(void *answered, void *context)
{
    request *wanted = context;
    reading *r = wanted->answer;
    metadata m = {.maps = 0};
    quiet q;
    quiet_begin(&q);
    flaw.text[0] = '\0';
    flaw.repacked = false;
    error_clear(&r->error);
    weft_status status = allocate(wanted->path, &m, &r->error);
    if (status == WEFT_OK) {
        status = read_file(wanted->path, wanted->file, &m, &r->error);
    }
    if (status != WEFT_OK && q.number != 0) {
        /* What could not be read looks like something else. */
        (void)fault_set(&r->error, q.number, wanted->path, "cannot read %s", wanted->path);
    }
    quiet_end(&q);
    r->maps = status == WEFT_OK ? m.maps : 0;
    memcpy(r->version, m.version, sizeof r->version);
    memcpy(r->created, m.created, sizeof r->created);
    for (int i = 0; i < r->maps; i++) {
        job_copy(&r->job[i], m.job[i]);
        r->layout[i] = m.layout[i];
    }
    metadata_release(&m);
    *(bool *)answered = true;
}

/* Jobs of its own with what the child has found. */
static weft_status take_over(const reading *r, const struct stat *file, const char *path,
                             metadata *m, error *e)
{
    weft_status status = allocate(path, m, e);
    memcpy(m->version, r->version, sizeof m->version);
    memcpy(m->created, r->created, sizeof m->created);
    for (int i = 0; i < r->maps && i < WEFT_MAX_MAPS && status == WEFT_OK; i++) {
        const job *theirs = &r->job[i];
        if (theirs->fields < 0 || theirs->reductions < 0 || theirs->fields > WEFT_MAX_FIELDS ||
            theirs->reductions > WEFT_MAX_FIELDS - theirs->fields || theirs->parameters < 0 ||
            theirs->parameters > WEFT_MAX_PARAMETERS) {
            return error_set(e, WEFT_ERR_CORRUPT,
                             "%s is damaged: HDF5 has made nonsense of its metadata; it is left "
                             "alone",
                             path);
        }
        status = job_create("result", 1, (int64_t[]){1}, &m->job[i], e);
        if (status == WEFT_OK) {
            job_copy(m->job[i], theirs);
            m->layout[i] = r->layout[i];
            m->layout[i].inode = (uint64_t)file->st_ino;
            m->maps++;
        }
    }
    return status;
}

/* HDF5 trusts what it reads: one flipped byte may make it crash, or ask for all memory. */
static weft_status read_safely(const char *path, const struct stat *file, reading *r, metadata *m,
                               error *e)
{
    char what[APART_TEXT_BYTES];
    bool answered = false;
    request wanted = {.path = path, .file = file, .answer = r};
    const apart_end end = apart_call(read_apart, &wanted, &answered, sizeof answered, what);
    if (end == APART_CUT_SHORT) {
        return error_set(e, WEFT_ERR_SYSTEM,
                         "%s could not be read: HDF5 %s; see that its disk answers and that there "
                         "is memory, then run the same command again",
                         path, what);
    }
    if (end == APART_FAILED) {
        return error_set(e, WEFT_ERR_CORRUPT,
                         "%s is damaged: HDF5 %s as it read its metadata; it is left alone", path,
                         what);
    }
    if (r->error.status != WEFT_OK) {
        *e = r->error;
        return r->error.status;
    }
    return take_over(r, file, path, m, e);
}

weft_status metadata_read(const char *path, metadata *m, error *e)
{
    struct stat file;
    memset(&file, 0, sizeof file);
    memset(m, 0, sizeof *m);
    weft_status status = examine(path, &file, e);
    if (status != WEFT_OK) {
        return status;
    }
    const int protection = PROT_READ | PROT_WRITE;
    const int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
    reading *r = mmap(NULL, sizeof *r, protection, flags, -1, 0);
    if (r == MAP_FAILED) {
        return error_memory(e, "the metadata of %s", path);
    }
    status = read_safely(path, &file, r, m, e);
    (void)munmap(r, sizeof *r);
    if (status != WEFT_OK) {
        metadata_release(m);
    }
    return status;
}

int metadata_find(const metadata *m, const char *name)
{
    for (int i = 0; i < m->maps; i++) {
        if (strcmp(m->job[i]->name, name) == 0) {
            return i;
        }
    }
    return -1;
}

void metadata_release(metadata *m)
{
    for (int i = 0; i < WEFT_MAX_MAPS && m->job != NULL; i++) {
        job_destroy(m->job[i]);
    }
    free(m->job);
    free(m->layout);
    *m = (metadata){.maps = 0};
}
