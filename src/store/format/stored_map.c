/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads what the HDF5 metadata of a result says of one of its maps. */
#include "store/format/stored_map.h"

#include "store/format/inspect.h"
#include "store/format/quiet.h"
#include "store/format/record.h"
#include "store/format/schema.h"

#include <stdio.h>
#include <string.h>
#include <weft/reduce.h>

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
        good = inspect_attribute(map, name, H5T_NATIVE_INT64, &parameter.int64);
    } else if (kind == H5T_FLOAT) {
        parameter.type = JOB_DOUBLE;
        good = inspect_attribute(map, name, H5T_NATIVE_DOUBLE, &parameter.number);
    } else if (kind == H5T_STRING) {
        parameter.type = JOB_STRING;
        good = inspect_text(map, name, parameter.text, sizeof parameter.text);
    }
    quiet_close(type);
    quiet_close(attribute);
    return (good && job_add_parameter(j, &parameter, &ignored) == WEFT_OK) ||
           inspect_fail("%s: the attribute '%s' is no parameter", inspect_path(map), name);
}

static herr_t visit_attribute(hid_t map, const char *name, const H5A_info_t *info, void *data)
{
    (void)info;
    static const char *const others[] = {
        "count", "shape", "grain", "seed", SCHEMA_DIMENSIONS, SCHEMA_COORDINATES, SCHEMA_NEEDS};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(name, others[i]) == 0) {
            return 0;
        }
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
    const int ndims = inspect_shape(dataset, shape);
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
        !inspect_text(dataset, "units", units, sizeof units) ||
        !inspect_text(dataset, "long_name", long_name, sizeof long_name) ||
        !inspect_attribute(dataset, "_FillValue", schema_element(type), fill) ||
        job_add_field(j, name, type, value.ndims, value.shape, units, long_name, &ignored) !=
            WEFT_OK ||
        job_set_fill(j, name, fill, &ignored) != WEFT_OK) {
        return inspect_fail("%s is not a field of weft", inspect_path(dataset));
    }
    const int field = j->fields - 1;
    return inspect_offset(dataset, job_field_bytes(j, field, j->items.count), m->layout,
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
    const int ndims = inspect_shape(dataset, shape);
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
        !inspect_text(dataset, SCHEMA_REDUCTION, r.how, sizeof r.how) ||
        job_add_reduction(j, &r, &ignored) != WEFT_OK) {
        return inspect_fail("%s is not a reduction of weft", inspect_path(dataset));
    }
    return inspect_offset(dataset, job_value_bytes(j, j->reductions - 1), m->layout,
                          &m->layout->value_offset[j->reductions - 1]);
}

static herr_t visit_field(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    const hid_t dataset =
        info->type == H5L_TYPE_HARD ? H5Dopen2(group, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (dataset < 0) {
        (void)inspect_fail("%s/%.100s is no dataset, or a link", inspect_path(group), name);
        return -1;
    }
    if (H5Aexists(dataset, SCHEMA_SCALE) > 0) {
        quiet_close(dataset);
        return 0;
    }
    const bool good = (H5Aexists(dataset, SCHEMA_REDUCTION) > 0 ? read_reduction
                                                                : read_field)(dataset, name, data);
    quiet_close(dataset);
    return good ? 0 : -1;
}

/* What the group of a job says of the map's dimensions; nothing, where none has a label. */
static bool read_labels(hid_t group, const job *j, job_dimension labels[WEFT_MAX_DIMS])
{
    char names[WEFT_MAX_DIMS][WEFT_NAME_BYTES] = {{0}};
    uint64_t sums[WEFT_MAX_DIMS] = {0};
    int count = j->items.ndims;
    if (H5Aexists(group, SCHEMA_DIMENSIONS) == 0) {
        return true;
    }
    const hid_t type = schema_fixed_text_type(WEFT_NAME_BYTES);
    bool good =
        inspect_values(group, SCHEMA_DIMENSIONS, type, WEFT_MAX_DIMS, &count, names) &&
        count == j->items.ndims &&
        inspect_values(group, SCHEMA_COORDINATES, H5T_NATIVE_UINT64, WEFT_MAX_DIMS, &count, sums) &&
        count == j->items.ndims;
    quiet_close(type);
    for (int i = 0; i < WEFT_MAX_DIMS; i++) {
        memcpy(labels[i].name, names[i], sizeof names[i]);
        labels[i].name[WEFT_NAME_BYTES - 1] = '\0';
        labels[i].checksum = sums[i];
    }
    return good || inspect_fail("%s: what it says of dimensions is not what weft writes",
                                inspect_path(group));
}

/* The first and the last of `count` coordinates. */
static bool read_ends(hid_t dataset, int64_t count, job_dimension *d)
{
    const hsize_t two = 2;
    const hsize_t places[2] = {0, (hsize_t)count - 1};
    double ends[2] = {0, 0};
    const hid_t all = H5Dget_space(dataset);
    const hid_t memory = H5Screate_simple(1, &two, NULL);
    const bool good = all >= 0 && H5Sselect_elements(all, H5S_SELECT_SET, 2, places) >= 0 &&
                      H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, all, H5P_DEFAULT, ends) >= 0;
    d->first = ends[0];
    d->last = ends[1];
    quiet_close(memory);
    quiet_close(all);
    return good || inspect_fail("%s cannot be read", inspect_path(dataset));
}

/* The coordinates of dimension `number`, which is known to have some. */
static bool read_coordinates(hid_t dataset, int number, const reading_map *m)
{
    const int64_t count = m->job->items.shape[number];
    const hid_t stored = H5Dget_type(dataset);
    const weft_type type = schema_find_element(stored);
    quiet_close(stored);
    return type == WEFT_FLOAT64 &&
           inspect_offset(dataset, job_coordinate_bytes(m->job, number), m->layout,
                          &m->layout->coordinate_offset[number]) &&
           (count == 0 || read_ends(dataset, count, &m->job->dimension[number]));
}

/* A dimension that has a name. */
static bool read_dimension(hid_t file, int number, job_dimension *d, const reading_map *m)
{
    char path[SCHEMA_PATH_BYTES];
    hsize_t shape[2 * WEFT_MAX_DIMS] = {0};
    error ignored = {.status = WEFT_OK};
    job *j = m->job;
    schema_result_path(path, j->name, d->name);
    const hid_t dataset =
        inspect_is_inside(file, path) ? H5Dopen2(file, path, H5P_DEFAULT) : H5I_INVALID_HID;
    const bool good = dataset >= 0 && inspect_shape(dataset, shape) == 1 &&
                      shape[0] == (hsize_t)j->items.shape[number] &&
                      H5Aexists(dataset, SCHEMA_SCALE) > 0 &&
                      inspect_text(dataset, "units", d->units, sizeof d->units) &&
                      job_set_dimension(j, number, d, &ignored) == WEFT_OK &&
                      (d->checksum == 0 || read_coordinates(dataset, number, m));
    quiet_close(dataset);
    return good || inspect_fail("%s is no dimension of weft", path);
}

static bool read_dimensions(hid_t file, hid_t group, const reading_map *m)
{
    job_dimension labels[WEFT_MAX_DIMS] = {{.checksum = 0}};
    bool good = read_labels(group, m->job, labels);
    for (int i = 0; i < m->job->items.ndims && good; i++) {
        m->layout->coordinate_offset[i] = -1;
        good = labels[i].name[0] == '\0' || read_dimension(file, i, &labels[i], m);
    }
    return good;
}

/* Which maps it needs; a file that was made before weft wrote that, or without any, does not say.
 */
static bool read_needs(hid_t group, job *j)
{
    char names[WEFT_MAX_MAPS][WEFT_NAME_BYTES];
    int count = 0;
    if (H5Aexists(group, SCHEMA_NEEDS) == 0) {
        return true;
    }
    const hid_t type = schema_fixed_text_type(WEFT_NAME_BYTES);
    const bool good = inspect_values(group, SCHEMA_NEEDS, type, WEFT_MAX_MAPS, &count, names);
    quiet_close(type);
    for (int i = 0; i < count && good; i++) {
        names[i][WEFT_NAME_BYTES - 1] = '\0';
        job_add_need(j, names[i]);
    }
    return good;
}

/* What a map's group of tables says of its job. */
static bool read_identity(hid_t file, const char *name, reading_map *m)
{
    job **out = &m->job;
    char path[SCHEMA_PATH_BYTES];
    schema_table_path(path, name, SCHEMA_JOB);
    const hid_t group =
        inspect_is_inside(file, path) ? H5Gopen2(file, path, H5P_DEFAULT) : H5I_INVALID_HID;
    if (group < 0) {
        return inspect_fail("%s is no group", path);
    }
    int64_t shape[WEFT_MAX_DIMS] = {0};
    int64_t count = -1;
    int64_t grain = 0;
    uint64_t seed = 0;
    error ignored = {.status = WEFT_OK};
    int ndims = 0;
    const bool good =
        inspect_values(group, "shape", H5T_NATIVE_INT64, WEFT_MAX_DIMS, &ndims, shape) &&
        inspect_attribute(group, "count", H5T_NATIVE_INT64, &count) &&
        inspect_attribute(group, "grain", H5T_NATIVE_INT64, &grain) && grain >= 1 &&
        inspect_attribute(group, "seed", H5T_NATIVE_UINT64, &seed) &&
        job_create(name, ndims, shape, out, &ignored) == WEFT_OK && (*out)->items.count == count &&
        inspect_text_if_any(file, "program", (*out)->program, sizeof(*out)->program) &&
        inspect_text_if_any(file, "version", (*out)->version, sizeof(*out)->version) &&
        inspect_text_if_any(file, "build", (*out)->build, sizeof(*out)->build) &&
        H5Aiterate2(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_attribute, *out) >= 0 &&
        read_dimensions(file, group, m) && read_needs(group, *out);
    quiet_close(group);
    if (good) {
        (*out)->seed = seed;
        (*out)->tiles.grain = grain;
    }
    return good || inspect_fail("what %s says does not go together", path);
}

/* How large they are; their place cannot be asked for before the job is settled. */
static bool read_accumulator_bytes(hid_t file, const job *j, job_reduction *r)
{
    char path[SCHEMA_PATH_BYTES];
    hsize_t shape[2 * WEFT_MAX_DIMS] = {0};
    schema_accumulators_path(path, j->name, r->name);
    const hid_t dataset =
        inspect_is_inside(file, path) ? H5Dopen2(file, path, H5P_DEFAULT) : H5I_INVALID_HID;
    const bool good = dataset >= 0 && inspect_shape(dataset, shape) == 2 && shape[1] >= 1 &&
                      shape[1] <= WEFT_MAX_ACCUMULATOR_BYTES;
    r->bytes = (int64_t)shape[1];
    quiet_close(dataset);
    return good || inspect_fail("%s are not accumulators of weft", path);
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
    const bool good = dataset >= 0 && inspect_shape(dataset, shape) == 2 &&
                      shape[0] == (hsize_t)j->tiles.tiles && H5Tget_size(type) == 1 &&
                      inspect_offset(dataset, job_column_bytes(j, column, 0, j->tiles.tiles),
                                     layout, &layout->field_offset[column]);
    quiet_close(type);
    quiet_close(dataset);
    return good || inspect_fail("%s are not accumulators of weft", path);
}

static bool read_fields(hid_t file, reading_map *m)
{
    char path[SCHEMA_PATH_BYTES];
    error ignored = {.status = WEFT_OK};
    schema_result_path(path, m->job->name, NULL);
    const hid_t group =
        inspect_is_inside(file, path) ? H5Gopen2(file, path, H5P_DEFAULT) : H5I_INVALID_HID;
    if (group < 0) {
        return inspect_fail("%s is no group", path);
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
    bool good = inspect_table(file, path, schema_tile_type(), INT64_MAX, layout,
                              &layout->tiles_offset, &tiles) &&
                tiles == j->tiles.tiles;
    schema_table_path(path, j->name, SCHEMA_LEASES);
    good = good &&
           inspect_table(file, path, H5Tcopy(H5T_NATIVE_UINT8), INT64_MAX, layout,
                         &layout->leases_offset, &leases) &&
           leases == tiles;
    for (int i = 0; i < j->reductions && good; i++) {
        good = find_accumulators(file, j, i, layout);
    }
    if (good && j->reductions > 0) {
        int64_t values = 0;
        schema_table_path(path, j->name, SCHEMA_VALUES);
        good = inspect_table(file, path, H5Tcopy(H5T_NATIVE_UINT64), WEFT_MAX_FIELDS, layout,
                             &layout->values_offset, &values) &&
               values == j->reductions;
    }
    schema_table_path(path, j->name, SCHEMA_FAILURES);
    return good && inspect_table(file, path, schema_failure_type(), METADATA_MOST_ROWS, layout,
                                 &layout->failures_offset, &layout->failure_rows);
}

bool stored_map_read(hid_t file, const char *name, job **out, metadata_layout *layout)
{
    *layout = (metadata_layout){.map = -1};
    reading_map reading = {.layout = layout};
    const bool good = read_identity(file, name, &reading) && reading.job != NULL;
    *out = reading.job;
    return good && read_fields(file, &reading) && read_tables(file, reading.job, layout);
}
