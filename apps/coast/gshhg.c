/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the GSHHG file format, and the use of HDF5 in this program. */
#include "gshhg.h"

#include <errno.h>
#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Coordinates are 16 bits wide, and the last number of a bin is the first of the next. */
#define BIN_UNITS 65535

/* The finest file has 11 million points; far more can only be damage. */
#define MAX_LENGTH (1 << 28)

/* The file while it is being read. */
typedef struct reader {
    hid_t file;
    const char *path;
    char *error;
} reader;

/* What the file says of its lines, in the order of the file. */
typedef struct raw {
    int64_t bins, lines, points;
    int32_t *lines_in_bin; /* by bin, row after row from the north pole */
    int32_t *first_point;  /* by line */
    int32_t *embedded;     /* by line: points << 9 | level << 6 | exit << 3 | entry */
    int32_t *dx, *dy;      /* by point, from the bin's south-west corner */
} raw;

static weft_status damaged(const reader *in, const char *what)
{
    snprintf(in->error, GSHHG_ERROR_BYTES,
             "%s: %s; the file is damaged or is not GSHHG's, so install its package again",
             in->path, what);
    return WEFT_ERR_HDF5;
}

static weft_status no_memory(const reader *in)
{
    snprintf(in->error, GSHHG_ERROR_BYTES, "out of memory while reading %s", in->path);
    return WEFT_ERR_MEMORY;
}

static int64_t length_of(hid_t dataset)
{
    hsize_t length = 0;
    hid_t space = H5Dget_space(dataset);
    bool vector = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                  H5Sget_simple_extent_dims(space, &length, NULL) == 1;
    if (space >= 0) {
        H5Sclose(space);
    }
    return vector && length > 0 && length <= MAX_LENGTH ? (int64_t)length : -1;
}

/* Reads a dataset of whole numbers. Those of 16 bits are unsigned, though the file calls them
 * signed: HDF5's own conversion would turn the upper half into zeros. */
static weft_status read_vector(const reader *in, const char *name, bool sixteen_bits,
                               int64_t *length, int32_t **values)
{
    weft_status status = damaged(in, name);
    int32_t *out = NULL;
    hid_t dataset = H5Dopen2(in->file, name, H5P_DEFAULT);
    int64_t count = dataset < 0 ? -1 : length_of(dataset);
    if (count < 0) {
        goto done;
    }
    out = malloc((size_t)count * sizeof *out);
    if (out == NULL) {
        status = no_memory(in);
        goto done;
    }
    if (H5Dread(dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0) {
        goto done;
    }
    for (int64_t i = 0; sixteen_bits && i < count; i++) {
        out[i] &= 0xffff;
    }
    *length = count;
    *values = out;
    out = NULL;
    status = WEFT_OK;
done:
    if (dataset >= 0) {
        H5Dclose(dataset);
    }
    free(out);
    return status;
}

static weft_status read_number(const reader *in, const char *name, int32_t *value)
{
    int64_t length;
    int32_t *values;
    weft_status status = read_vector(in, name, false, &length, &values);
    if (status != WEFT_OK) {
        return status;
    }
    *value = values[0];
    free(values);
    return WEFT_OK;
}

/* The version serves to tell results apart; a file without one is taken all the same. */
static void read_version(const reader *in, char *version, size_t size)
{
    snprintf(version, size, "unknown");
    hid_t attribute = H5Aopen(in->file, "version", H5P_DEFAULT);
    if (attribute < 0) {
        return;
    }
    hid_t type = H5Aget_type(attribute);
    char text[256] = "";
    if (type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
        H5Tget_size(type) < sizeof text && H5Aread(attribute, type, text) >= 0 && text[0]) {
        snprintf(version, size, "%.*s", (int)size - 1, text);
    }
    if (type >= 0) {
        H5Tclose(type);
    }
    H5Aclose(attribute);
}

static weft_status read_grid(const reader *in, gshhg *data)
{
    weft_status status = read_number(in, "Bin_size_in_minutes", &data->bin_minutes);
    if (status == WEFT_OK) {
        status = read_number(in, "N_bins_in_360_longitude_range", &data->columns);
    }
    if (status == WEFT_OK) {
        status = read_number(in, "N_bins_in_180_degree_latitude_range", &data->rows);
    }
    if (status != WEFT_OK) {
        return status;
    }
    if (data->bin_minutes < 60 || data->columns < 1 || data->rows < 1 ||
        (int64_t)data->bin_minutes * data->columns != INT64_C(360) * 60 ||
        (int64_t)data->bin_minutes * data->rows != INT64_C(180) * 60) {
        return damaged(in, "its bins do not cover the globe");
    }
    return WEFT_OK;
}

static void raw_free(raw *lists)
{
    free(lists->lines_in_bin);
    free(lists->first_point);
    free(lists->embedded);
    free(lists->dx);
    free(lists->dy);
}

static weft_status read_raw(const reader *in, raw *lists)
{
    int64_t again = 0;
    weft_status status =
        read_vector(in, "N_segments_in_a_bin", true, &lists->bins, &lists->lines_in_bin);
    if (status == WEFT_OK) {
        status = read_vector(in, "Id_of_first_point_in_a_segment", false, &lists->lines,
                             &lists->first_point);
    }
    if (status == WEFT_OK) {
        status = read_vector(in, "Embedded_npts_levels_exit_entry_for_a_segment", false, &again,
                             &lists->embedded);
    }
    if (status == WEFT_OK && again != lists->lines) {
        status = damaged(in, "its lists of lines are of different lengths");
    }
    if (status == WEFT_OK) {
        status = read_vector(in, "Relative_longitude_from_SW_corner_of_bin", true, &lists->points,
                             &lists->dx);
    }
    if (status == WEFT_OK) {
        status =
            read_vector(in, "Relative_latitude_from_SW_corner_of_bin", true, &again, &lists->dy);
    }
    if (status == WEFT_OK && again != lists->points) {
        status = damaged(in, "its lists of points are of different lengths");
    }
    return status;
}

/* Checks every line against the lists, so that nothing later reads beyond them. */
static weft_status check_raw(const reader *in, const gshhg *data, const raw *lists)
{
    int64_t sum = 0;
    for (int64_t bin = 0; bin < lists->bins; bin++) {
        sum += lists->lines_in_bin[bin];
    }
    if (lists->bins != (int64_t)data->columns * data->rows || sum != lists->lines) {
        return damaged(in, "its bins do not hold the lines that there are");
    }
    for (int64_t i = 0; i < lists->lines; i++) {
        int64_t first = lists->first_point[i], embedded = lists->embedded[i];
        if (first < 0 || embedded < 0 || (embedded >> 9) < 2 ||
            first + (embedded >> 9) > lists->points) {
            return damaged(in, "a line lies outside the points that there are");
        }
    }
    return WEFT_OK;
}

/* Gives every line its place on the globe. Points that no line uses stay at zero. */
static void assemble(const raw *lists, gshhg *data)
{
    int64_t line = 0;
    for (int64_t bin = 0; bin < lists->bins; bin++) {
        int32_t west = (int32_t)(bin % data->columns) * BIN_UNITS;
        int32_t south = (data->rows - 1 - (int32_t)(bin / data->columns)) * BIN_UNITS;
        for (int64_t end = line + lists->lines_in_bin[bin]; line < end; line++) {
            int32_t first = lists->first_point[line], count = lists->embedded[line] >> 9;
            data->lines[line] = (gshhg_line){first, count, (lists->embedded[line] >> 6) & 7};
            for (int32_t i = first; i < first + count; i++) {
                data->x[i] = west + lists->dx[i];
                data->y[i] = south + lists->dy[i];
            }
        }
    }
}

static weft_status read_open(const reader *in, gshhg *data)
{
    raw lists = {0};
    read_version(in, data->version, sizeof data->version);
    weft_status status = read_grid(in, data);
    if (status == WEFT_OK) {
        status = read_raw(in, &lists);
    }
    if (status == WEFT_OK) {
        status = check_raw(in, data, &lists);
    }
    if (status != WEFT_OK) {
        goto done;
    }
    data->point_count = lists.points;
    data->line_count = lists.lines;
    data->x = calloc((size_t)lists.points, sizeof *data->x);
    data->y = calloc((size_t)lists.points, sizeof *data->y);
    data->lines = malloc((size_t)lists.lines * sizeof *data->lines);
    if (data->x != NULL && data->y != NULL && data->lines != NULL) {
        assemble(&lists, data);
    } else {
        status = no_memory(in);
    }
done:
    raw_free(&lists);
    return status;
}

static const char *package_of(char resolution)
{
    switch (resolution) {
    case 'i':
        return "gmt-gshhg";
    case 'h':
        return "gmt-gshhg-high";
    case 'f':
        return "gmt-gshhg-full";
    default:
        return "gmt-gshhg-low";
    }
}

static weft_status read_path(const reader *in, char resolution, gshhg *data)
{
    if (access(in->path, R_OK) != 0) {
        snprintf(in->error, GSHHG_ERROR_BYTES,
                 "cannot read the shorelines %s: %s; install Debian's package %s, or name the "
                 "folder with --data",
                 in->path, strerror(errno), package_of(resolution));
        return WEFT_ERR_NOT_FOUND;
    }
    /* HDF5 prints its errors on its own unless it is told not to. */
    H5E_auto2_t printer;
    void *printer_data;
    H5Eget_auto2(H5E_DEFAULT, &printer, &printer_data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    reader open = *in;
    open.file = H5Fopen(in->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    weft_status status;
    if (open.file >= 0) {
        status = read_open(&open, data);
        H5Fclose(open.file);
    } else {
        status = damaged(in, "HDF5 cannot open it");
    }
    H5Eset_auto2(H5E_DEFAULT, printer, printer_data);
    return status;
}

weft_status gshhg_read(const char *folder, const char *resolution, gshhg **data,
                       char error[GSHHG_ERROR_BYTES])
{
    if (strlen(resolution) != 1 || strchr("clihf", resolution[0]) == NULL) {
        snprintf(error, GSHHG_ERROR_BYTES,
                 "--resolution must be c, l, i, h or f (crude, low, intermediate, high, full), "
                 "not \"%s\"",
                 resolution);
        return WEFT_ERR_USAGE;
    }
    weft_status status = WEFT_ERR_MEMORY;
    size_t length = strlen(folder) + sizeof "/binned_GSHHS_x.nc";
    char *path = malloc(length);
    gshhg *out = calloc(1, sizeof *out);
    if (path != NULL && out != NULL) {
        snprintf(path, length, "%s/binned_GSHHS_%s.nc", folder, resolution);
        const reader in = {.path = path, .error = error};
        status = read_path(&in, resolution[0], out);
    } else {
        snprintf(error, GSHHG_ERROR_BYTES, "out of memory");
    }
    if (status == WEFT_OK) {
        *data = out;
        out = NULL;
    }
    gshhg_free(out);
    free(path);
    return status;
}

void gshhg_free(gshhg *data)
{
    if (data == NULL) {
        return;
    }
    free(data->x);
    free(data->y);
    free(data->lines);
    free(data);
}

double gshhg_degrees(const gshhg *data, double length)
{
    return length * data->bin_minutes / (60.0 * BIN_UNITS);
}

int64_t gshhg_level_points(const gshhg *data, int32_t level)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < data->line_count; i++) {
        if (data->lines[i].level == level) {
            sum += data->lines[i].count;
        }
    }
    return sum;
}
