/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes the HDF5 objects of a result. */
#include "store/format/objects.h"

#include "base/clock.h"
#include "store/format/schema.h"

#include <weft/reduce.h>
#include <weft/version.h>

/* Adds an attribute of *count values, or of a single one where `count` is NULL. */
static bool add_values(hid_t object, const char *name, hid_t type, const hsize_t *count,
                       const void *values)
{
    const hid_t extent = count == NULL ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, count, NULL);
    const hid_t attribute = H5Acreate2(object, name, type, extent, H5P_DEFAULT, H5P_DEFAULT);
    const bool good = attribute >= 0 && H5Awrite(attribute, type, values) >= 0;
    if (attribute >= 0) {
        (void)H5Aclose(attribute);
    }
    (void)H5Sclose(extent);
    return good;
}

static bool add_attribute(hid_t object, const char *name, hid_t type, const void *value)
{
    return add_values(object, name, type, NULL, value);
}

static bool add_text(hid_t object, const char *name, const char *text)
{
    const hid_t type = schema_text_type();
    const bool good = add_attribute(object, name, type, &text);
    (void)H5Tclose(type);
    return good;
}

static bool add_parameter(hid_t object, const job_parameter *parameter)
{
    switch (parameter->type) {
    case JOB_INT64:
        return add_attribute(object, parameter->name, H5T_NATIVE_INT64, &parameter->int64);
    case JOB_DOUBLE:
        return add_attribute(object, parameter->name, H5T_NATIVE_DOUBLE, &parameter->number);
    case JOB_STRING:
        return add_text(object, parameter->name, parameter->text);
    }
    return false;
}

/* A contiguous dataset whose place in the file is fixed from now on. Nothing is written to it. */
static hid_t make_dataset(hid_t file, const char *path, hid_t type, int ndims,
                          const hsize_t shape[], const void *fill)
{
    const hid_t extent = ndims == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(ndims, shape, NULL);
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = H5I_INVALID_HID;
    if (H5Pset_layout(properties, H5D_CONTIGUOUS) >= 0 &&
        H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY) >= 0 &&
        H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER) >= 0 &&
        (fill == NULL || H5Pset_fill_value(properties, type, fill) >= 0)) {
        dataset = H5Dcreate2(file, path, type, extent, H5P_DEFAULT, properties, H5P_DEFAULT);
    }
    (void)H5Pclose(properties);
    (void)H5Sclose(extent);
    return dataset;
}

/* Where a dataset of that many bytes lies: -1 for an empty one. */
static bool find_place(hid_t dataset, int64_t bytes, int64_t *file_bytes, int64_t *offset)
{
    const haddr_t address = bytes == 0 ? HADDR_UNDEF : H5Dget_offset(dataset);
    *offset = address == HADDR_UNDEF ? -1 : (int64_t)address;
    if (*offset >= 0 && *offset + bytes > *file_bytes) {
        *file_bytes = *offset + bytes;
    }
    return bytes == 0 || *offset >= 0;
}

static bool add_field(hid_t file, const job *j, int number, metadata_layout *layout)
{
    const job_field *field = &j->field[number];
    char path[SCHEMA_PATH_BYTES];
    hsize_t shape[2 * WEFT_MAX_DIMS];
    const int ndims = j->items.ndims + field->shape.ndims;
    for (int i = 0; i < ndims; i++) {
        shape[i] = (hsize_t)(i < j->items.ndims ? j->items.shape[i]
                                                : field->shape.shape[i - j->items.ndims]);
    }
    schema_result_path(path, j->name, field->name);
    const hid_t type = schema_element(field->type);
    const hid_t dataset = make_dataset(file, path, type, ndims, shape, field->fill);
    const bool good = dataset >= 0 && add_text(dataset, "units", field->units) &&
                      add_text(dataset, "long_name", field->long_name) &&
                      add_attribute(dataset, "_FillValue", type, field->fill) &&
                      find_place(dataset, job_field_bytes(j, number, j->items.count),
                                 &layout->file_bytes, &layout->field_offset[number]);
    if (dataset >= 0) {
        (void)H5Dclose(dataset);
    }
    return good;
}

/* A table of rows; takes the row's type over. */
static bool add_table(hid_t file, const char *path, hid_t type, int64_t rows, int64_t *file_bytes,
                      int64_t *offset)
{
    const hsize_t shape[] = {(hsize_t)rows};
    const hid_t dataset =
        type < 0 ? H5I_INVALID_HID : make_dataset(file, path, type, 1, shape, NULL);
    const bool good =
        dataset >= 0 && find_place(dataset, rows * (int64_t)H5Tget_size(type), file_bytes, offset);
    if (dataset >= 0) {
        (void)H5Dclose(dataset);
    }
    if (type >= 0) {
        (void)H5Tclose(type);
    }
    return good;
}

/* The accumulators of a reduction, a row of bytes per tile. */
static bool add_accumulators(hid_t file, const job *j, int number, metadata_layout *layout)
{
    char path[SCHEMA_PATH_BYTES];
    const int column = j->fields + number;
    const hsize_t shape[] = {(hsize_t)j->tiles.tiles, (hsize_t)j->reduction[number].bytes};
    schema_accumulators_path(path, j->name, j->reduction[number].name);
    const hid_t dataset = make_dataset(file, path, H5T_NATIVE_UINT8, 2, shape, NULL);
    const bool good =
        dataset >= 0 && find_place(dataset, job_column_bytes(j, column, 0, j->tiles.tiles),
                                   &layout->file_bytes, &layout->field_offset[column]);
    if (dataset >= 0) {
        (void)H5Dclose(dataset);
    }
    return good;
}

/* Edges, or probabilities, as far as HDF5 takes them in an attribute. */
static bool add_numbers(hid_t dataset, const weft_reduction *r)
{
    enum { MOST_NUMBERS = 8000 };
    const bool edges = r != NULL && r->kind == WEFT_REDUCE_HISTOGRAM;
    if (r == NULL || r->number == NULL || r->count > MOST_NUMBERS) {
        return true;
    }
    const hsize_t count = (hsize_t)(edges ? r->count + 1 : r->count);
    return add_values(dataset, edges ? "edges" : "probabilities", H5T_NATIVE_DOUBLE, &count,
                      r->number);
}

/* Where the value of a reduction will be. */
static bool add_value(hid_t file, const job *j, int number, metadata_layout *layout)
{
    const job_reduction *r = &j->reduction[number];
    char path[SCHEMA_PATH_BYTES];
    hsize_t shape[WEFT_MAX_DIMS];
    for (int i = 0; i < r->shape.ndims; i++) {
        shape[i] = (hsize_t)r->shape.shape[i];
    }
    schema_result_path(path, j->name, r->name);
    const hid_t dataset =
        make_dataset(file, path, schema_element(r->type), r->shape.ndims, shape, NULL);
    const bool good = dataset >= 0 && add_text(dataset, SCHEMA_REDUCTION, r->how) &&
                      add_numbers(dataset, r->work) &&
                      find_place(dataset, job_value_bytes(j, number), &layout->file_bytes,
                                 &layout->value_offset[number]);
    if (dataset >= 0) {
        (void)H5Dclose(dataset);
    }
    return good;
}

static bool add_root_attributes(hid_t file, const job *j)
{
    const int format = SCHEMA_FORMAT;
    return add_attribute(file, "weft_format", H5T_NATIVE_INT, &format) &&
           add_text(file, "weft_version", WEFT_VERSION) && add_text(file, "program", j->program) &&
           (j->version[0] == '\0' || add_text(file, "version", j->version)) &&
           add_text(file, "build", j->build) &&
           add_text(file, "created", clock_date(clock_wall_s()).text);
}

/* A group that remembers in which order its members came: that of maps and fields matters. */
static bool add_group(hid_t file, const char *path)
{
    const hid_t properties = H5Pcreate(H5P_GROUP_CREATE);
    hid_t group = H5I_INVALID_HID;
    if (H5Pset_link_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >=
        0) {
        group = H5Gcreate2(file, path, H5P_DEFAULT, properties, H5P_DEFAULT);
    }
    (void)H5Pclose(properties);
    if (group >= 0) {
        (void)H5Gclose(group);
    }
    return group >= 0;
}

static bool add_identity(hid_t file, const job *j)
{
    char path[SCHEMA_PATH_BYTES];
    schema_table_path(path, j->name, SCHEMA_JOB);
    if (!add_group(file, path)) {
        return false;
    }
    const hsize_t ndims = (hsize_t)j->items.ndims;
    const hid_t map = H5Gopen2(file, path, H5P_DEFAULT);
    bool good = add_attribute(map, "count", H5T_NATIVE_INT64, &j->items.count) &&
                add_values(map, "shape", H5T_NATIVE_INT64, &ndims, j->items.shape) &&
                add_attribute(map, "grain", H5T_NATIVE_INT64, &j->tiles.grain) &&
                add_attribute(map, "seed", H5T_NATIVE_UINT64, &j->seed);
    for (int i = 0; good && i < j->parameters; i++) {
        good = add_parameter(map, &j->parameter[i]);
    }
    (void)H5Gclose(map);
    return good;
}

static bool add_reductions(hid_t file, const job *j, metadata_layout *l)
{
    char path[SCHEMA_PATH_BYTES];
    schema_table_path(path, j->name, SCHEMA_VALUES);
    bool good = add_table(file, path, H5Tcopy(H5T_NATIVE_UINT64), j->reductions, &l->file_bytes,
                          &l->values_offset);
    schema_accumulators_path(path, j->name, NULL);
    good = good && add_group(file, path);
    for (int i = 0; good && i < j->reductions; i++) {
        good = add_accumulators(file, j, i, l) && add_value(file, j, i, l);
    }
    return good;
}

static bool add_map(hid_t file, const job *j, metadata_layout *l)
{
    char tiles[SCHEMA_PATH_BYTES];
    char leases[SCHEMA_PATH_BYTES];
    char failures[SCHEMA_PATH_BYTES];
    char group[SCHEMA_PATH_BYTES];
    schema_table_path(tiles, j->name, SCHEMA_TILES);
    schema_table_path(leases, j->name, SCHEMA_LEASES);
    schema_table_path(failures, j->name, SCHEMA_FAILURES);
    schema_table_path(group, j->name, NULL);
    bool good = add_group(file, group) && add_identity(file, j) &&
                add_table(file, tiles, schema_tile_type(), j->tiles.tiles, &l->file_bytes,
                          &l->tiles_offset) &&
                add_table(file, leases, H5Tcopy(H5T_NATIVE_UINT8), j->tiles.tiles, &l->file_bytes,
                          &l->leases_offset) &&
                add_table(file, failures, schema_failure_type(), l->failure_rows, &l->file_bytes,
                          &l->failures_offset);
    schema_result_path(group, j->name, NULL);
    good = good && add_group(file, group);
    for (int i = 0; good && i < j->fields; i++) {
        good = add_field(file, j, i, l);
    }
    if (good && j->reductions > 0) {
        good = add_reductions(file, j, l);
    }
    return good;
}

bool objects_add(hid_t file, int maps, job *const jobs[], metadata_layout layouts[])
{
    const char *names[WEFT_MAX_MAPS];
    int64_t runs_offset = -1;
    int64_t file_bytes = 0;
    bool good = add_root_attributes(file, jobs[0]) && add_group(file, SCHEMA_WEFT);
    for (int i = 0; i < maps; i++) {
        names[i] = jobs[i]->name;
    }
    good = good && add_table(file, SCHEMA_RUNS, schema_run_type(maps, names), layouts[0].run_rows,
                             &file_bytes, &runs_offset);
    for (int i = 0; i < maps && good; i++) {
        layouts[i].file_bytes = file_bytes;
        good = add_map(file, jobs[i], &layouts[i]);
        file_bytes = layouts[i].file_bytes;
    }
    for (int i = 0; i < maps; i++) {
        layouts[i].runs_offset = runs_offset;
        layouts[i].file_bytes = file_bytes;
    }
    return good;
}
