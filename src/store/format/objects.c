/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes the HDF5 objects of a result. */
#include "store/format/objects.h"

#include "base/clock.h"
#include "store/format/attribute.h"
#include "store/format/quiet.h"
#include "store/format/scale.h"
#include "store/format/schema.h"

#include <stdio.h>
#include <string.h>
#include <weft/reduce.h>
#include <weft/version.h>

static bool add_parameter(hid_t object, const job_parameter *parameter)
{
    switch (parameter->type) {
    case JOB_INT64:
        return attribute_add(object, parameter->name, H5T_NATIVE_INT64, &parameter->int64);
    case JOB_DOUBLE:
        return attribute_add(object, parameter->name, H5T_NATIVE_DOUBLE, &parameter->number);
    case JOB_STRING:
        return attribute_add_text(object, parameter->name, parameter->text);
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

/* The scales that are being made: of the map's dimensions, and of those that a value has. */
typedef struct axes {
    scale map[WEFT_MAX_DIMS];
    scale own[WEFT_MAX_DIMS];
} axes;

/* The path of a dimension that nobody has named: "dim_0", or "<owner>_dim_0", with a tail where
 * somebody has taken that for something else. */
static void name_bare(const job *j, const char *owner, int number, char path[SCHEMA_PATH_BYTES])
{
    char name[WEFT_NAME_BYTES + 16];
    size_t used = (size_t)snprintf(name, sizeof name, "%s%sdim_%d", owner,
                                   owner[0] == '\0' ? "" : "_", number);
    while (used + 1 < sizeof name &&
           (job_find_field(j, name) >= 0 || job_find_reduction(j, name) >= 0 ||
            job_find_dimension(j, name) >= 0)) {
        name[used++] = '_';
        name[used] = '\0';
    }
    schema_result_path(path, j->name, name);
}

/* What the CF conventions call that which is measured in such a unit; NULL: weft does not know. */
static const char *standard_name(const char *units, const char **axis)
{
    static const char *const known[][3] = {{"degrees_north", "latitude", "Y"},
                                           {"degree_north", "latitude", "Y"},
                                           {"degrees_east", "longitude", "X"},
                                           {"degree_east", "longitude", "X"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(units, known[i][0]) == 0) {
            *axis = known[i][2];
            return known[i][1];
        }
    }
    return NULL;
}

/* The coordinates themselves are written once the file has its disk space. */
static bool add_coordinates(hid_t file, const job *j, int number, metadata_layout *layout, scale *s)
{
    const job_dimension *d = &j->dimension[number];
    const hsize_t length = (hsize_t)j->items.shape[number];
    const char *axis = NULL;
    const char *standard = standard_name(d->units, &axis);
    char path[SCHEMA_PATH_BYTES];
    schema_result_path(path, j->name, d->name);
    const hid_t dataset = make_dataset(file, path, schema_element(WEFT_FLOAT64), 1, &length, NULL);
    const bool good =
        dataset >= 0 && attribute_add_text(dataset, "units", d->units) &&
        (standard == NULL || (attribute_add_text(dataset, "standard_name", standard) &&
                              attribute_add_text(dataset, "axis", axis))) &&
        find_place(dataset, job_coordinate_bytes(j, number), &layout->file_bytes,
                   &layout->coordinate_offset[number]) &&
        scale_mark(file, path, d->name, s);
    quiet_close(dataset);
    return good;
}

static bool add_dimension(hid_t file, const job *j, int number, metadata_layout *layout, scale *s)
{
    const job_dimension *d = &j->dimension[number];
    char path[SCHEMA_PATH_BYTES];
    layout->coordinate_offset[number] = -1;
    if (d->checksum != 0) {
        return add_coordinates(file, j, number, layout, s);
    }
    if (d->name[0] == '\0') {
        name_bare(j, "", number, path);
    } else {
        schema_result_path(path, j->name, d->name);
    }
    return scale_make_bare(file, path, (hsize_t)j->items.shape[number],
                           d->name[0] == '\0' ? NULL : d->units, s);
}

static bool add_dimensions(hid_t file, const job *j, metadata_layout *layout, axes *a)
{
    bool good = true;
    for (int i = 0; i < j->items.ndims && good; i++) {
        good = add_dimension(file, j, i, layout, &a->map[i]);
    }
    return good;
}

/* Attaches scales to a result: those of the map's first dimensions, and new ones for its own. */
static bool attach_axes(hid_t file, const job *j, const char *name, int of_map, const space *own,
                        axes *a)
{
    scale *scales[2 * WEFT_MAX_DIMS];
    char path[SCHEMA_PATH_BYTES];
    bool good = true;
    for (int i = 0; i < of_map; i++) {
        scales[i] = &a->map[i];
    }
    for (int i = 0; i < own->ndims && good; i++) {
        scales[of_map + i] = &a->own[i];
        name_bare(j, name, i, path);
        good = scale_make_bare(file, path, (hsize_t)own->shape[i], NULL, &a->own[i]);
    }
    schema_result_path(path, j->name, name);
    good = good && scale_attach(file, path, of_map + own->ndims, scales);
    for (int i = 0; i < own->ndims && good; i++) {
        good = scale_finish(file, &a->own[i]);
    }
    return good;
}

static bool finish_dimensions(hid_t file, const job *j, const axes *a)
{
    bool good = true;
    for (int i = 0; i < j->items.ndims && good; i++) {
        good = scale_finish(file, &a->map[i]);
    }
    return good;
}

static bool add_field(hid_t file, const job *j, int number, metadata_layout *layout, axes *a)
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
    const bool good = dataset >= 0 && attribute_add_text(dataset, "units", field->units) &&
                      attribute_add_text(dataset, "long_name", field->long_name) &&
                      attribute_add(dataset, "_FillValue", type, field->fill) &&
                      find_place(dataset, job_field_bytes(j, number, j->items.count),
                                 &layout->file_bytes, &layout->field_offset[number]);
    quiet_close(dataset);
    return good && attach_axes(file, j, field->name, j->items.ndims, &field->shape, a);
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
    quiet_close(dataset);
    quiet_close(type);
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
    quiet_close(dataset);
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
    return attribute_add_list(dataset, edges ? "edges" : "probabilities", H5T_NATIVE_DOUBLE,
                              (hsize_t)(edges ? r->count + 1 : r->count), r->number);
}

/* Where the value of a reduction will be. */
static bool add_value(hid_t file, const job *j, int number, metadata_layout *layout, axes *a)
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
    const bool good = dataset >= 0 && attribute_add_text(dataset, SCHEMA_REDUCTION, r->how) &&
                      add_numbers(dataset, r->work) &&
                      find_place(dataset, job_value_bytes(j, number), &layout->file_bytes,
                                 &layout->value_offset[number]);
    quiet_close(dataset);
    return good && attach_axes(file, j, r->name, 0, &r->shape, a);
}

static bool add_root_attributes(hid_t file, const job *j)
{
    const int format = SCHEMA_FORMAT;
    return attribute_add(file, "weft_format", H5T_NATIVE_INT, &format) &&
           attribute_add_text(file, "weft_version", WEFT_VERSION) &&
           attribute_add_text(file, "program", j->program) &&
           (j->version[0] == '\0' || attribute_add_text(file, "version", j->version)) &&
           attribute_add_text(file, "build", j->build) &&
           attribute_add_text(file, "created", clock_date(clock_wall_s()).text);
}

/* A group that remembers in which order its members came: that of maps and fields matters. As long
 * as they are not many it takes no more room than their names. */
static bool add_group(hid_t file, const char *path)
{
    enum { MOST_COMPACT = 32 };
    const hid_t properties = H5Pcreate(H5P_GROUP_CREATE);
    hid_t group = H5I_INVALID_HID;
    if (H5Pset_link_phase_change(properties, MOST_COMPACT, MOST_COMPACT - 2) >= 0 &&
        H5Pset_link_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >=
            0) {
        group = H5Gcreate2(file, path, H5P_DEFAULT, properties, H5P_DEFAULT);
    }
    (void)H5Pclose(properties);
    quiet_close(group);
    return group >= 0;
}

/* Which dimensions have labels, in their order, where any has. */
static bool add_labels(hid_t map, const job *j)
{
    char names[WEFT_MAX_DIMS][WEFT_NAME_BYTES] = {{0}};
    uint64_t sums[WEFT_MAX_DIMS] = {0};
    const hsize_t ndims = (hsize_t)j->items.ndims;
    bool any = false;
    for (int i = 0; i < j->items.ndims; i++) {
        memcpy(names[i], j->dimension[i].name, sizeof names[i]);
        sums[i] = j->dimension[i].checksum;
        any = any || names[i][0] != '\0';
    }
    if (!any) {
        return true;
    }
    const hid_t type = schema_fixed_text_type(WEFT_NAME_BYTES);
    const bool good = attribute_add_list(map, SCHEMA_DIMENSIONS, type, ndims, names) &&
                      attribute_add_list(map, SCHEMA_COORDINATES, H5T_NATIVE_UINT64, ndims, sums);
    quiet_close(type);
    return good;
}

static bool add_needs(hid_t map, const job *j)
{
    if (j->needs == 0) {
        return true;
    }
    const hid_t type = schema_fixed_text_type(WEFT_NAME_BYTES);
    const bool good = attribute_add_list(map, SCHEMA_NEEDS, type, (hsize_t)j->needs, j->need);
    quiet_close(type);
    return good;
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
    bool good = attribute_add(map, "count", H5T_NATIVE_INT64, &j->items.count) &&
                attribute_add_list(map, "shape", H5T_NATIVE_INT64, ndims, j->items.shape) &&
                attribute_add(map, "grain", H5T_NATIVE_INT64, &j->tiles.grain) &&
                attribute_add(map, "seed", H5T_NATIVE_UINT64, &j->seed) && add_labels(map, j) &&
                add_needs(map, j);
    for (int i = 0; good && i < j->parameters; i++) {
        good = add_parameter(map, &j->parameter[i]);
    }
    (void)H5Gclose(map);
    return good;
}

static bool add_reductions(hid_t file, const job *j, metadata_layout *l, axes *a)
{
    char path[SCHEMA_PATH_BYTES];
    schema_table_path(path, j->name, SCHEMA_VALUES);
    bool good = add_table(file, path, H5Tcopy(H5T_NATIVE_UINT64), j->reductions, &l->file_bytes,
                          &l->values_offset);
    schema_accumulators_path(path, j->name, NULL);
    good = good && add_group(file, path);
    for (int i = 0; good && i < j->reductions; i++) {
        good = add_accumulators(file, j, i, l) && add_value(file, j, i, l, a);
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
    axes a;
    good = good && add_group(file, group) && add_dimensions(file, j, l, &a);
    for (int i = 0; good && i < j->fields; i++) {
        good = add_field(file, j, i, l, &a);
    }
    if (good && j->reductions > 0) {
        good = add_reductions(file, j, l, &a);
    }
    return good && finish_dimensions(file, j, &a);
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
