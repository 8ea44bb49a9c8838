/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns the loop as an expert writes it by hand: no framework, no resume, no balance over nodes. */
#include "expert.h"

#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static size_t item_bytes(const loop_field *field)
{
    return (size_t)field->elements * weft_type_bytes(field->type);
}

static hid_t memory_type(weft_type type)
{
    if (type == WEFT_FLOAT64) {
        return H5T_NATIVE_DOUBLE;
    }
    return type == WEFT_UINT32 ? H5T_NATIVE_UINT32 : H5T_NATIVE_UINT8;
}

static bool write_field(hid_t file, const loop *l, const loop_field *field, const void *data)
{
    const hsize_t shape[] = {(hsize_t)l->rows, (hsize_t)l->columns, (hsize_t)field->elements};
    const hid_t type = memory_type(field->type);
    const hid_t extent = H5Screate_simple(field->elements > 1 ? 3 : 2, shape, NULL);
    const hid_t dataset =
        H5Dcreate2(file, field->name, type, extent, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const bool good =
        dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
    if (dataset >= 0) {
        (void)H5Dclose(dataset);
    }
    (void)H5Sclose(extent);
    return good;
}

static bool write_file(const loop *l, const char *path, void *const data[LOOP_FIELDS])
{
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    bool good = file >= 0;
    for (int i = 0; i < l->fields && good; i++) {
        good = write_field(file, l, &l->field[i], data[i]);
    }
    return file >= 0 && H5Fclose(file) >= 0 && good;
}

static bool sync_file(const char *path)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

size_t expert_bytes(const loop *l, int field)
{
    return (size_t)(l->rows * l->columns) * item_bytes(&l->field[field]);
}

bool expert_allocate(const loop *l, bool zeroed, void *data[LOOP_FIELDS])
{
    bool good = true;
    for (int i = 0; i < l->fields; i++) {
        const size_t bytes = expert_bytes(l, i);
        data[i] = zeroed ? calloc(bytes, 1) : malloc(bytes);
        good = good && data[i] != NULL;
    }
    return good;
}

void expert_free(const loop *l, void *data[LOOP_FIELDS])
{
    for (int i = 0; i < l->fields; i++) {
        free(data[i]);
    }
}

void expert_compute(const loop *l, int64_t first, void *const data[LOOP_FIELDS])
{
    const int64_t left = l->rows * l->columns - first;
    void *results[LOOP_FIELDS];
    for (int i = 0; i < l->fields; i++) {
        results[i] = (char *)data[i] + (size_t)first * item_bytes(&l->field[i]);
    }
    l->compute(l->context, first, l->chunk < left ? l->chunk : left, results);
}

weft_status expert_write(const bench *b, const loop *l, const char *path,
                         void *const data[LOOP_FIELDS])
{
    if (!write_file(l, path, data)) {
        return weft_error(b->session, WEFT_ERR_HDF5, "cannot write %s", path);
    }
    return b->sync && !sync_file(path) ? measure_system_error(b, path) : WEFT_OK;
}

static void compute(const bench *b, const loop *l, void *const data[LOOP_FIELDS])
{
    const int64_t count = l->rows * l->columns;
    const int64_t chunk = l->chunk;
#pragma omp parallel for schedule(dynamic) num_threads(b->workers) default(none) \
    shared(l, data, count, chunk)
    for (int64_t first = 0; first < count; first += chunk) {
        expert_compute(l, first, data);
    }
}

weft_status expert_run(const bench *b, void *context, double *seconds)
{
    const loop *l = context;
    char path[64];
    void *data[LOOP_FIELDS] = {NULL};
    weft_status status = WEFT_OK;
    (void)snprintf(path, sizeof path, "%s-expert.h5", l->name);
    const double start = measure_now();
    if (!expert_allocate(l, false, data)) {
        status = measure_no_memory(b);
        goto done;
    }
    compute(b, l, data);
    status = expert_write(b, l, path, data);
    *seconds = measure_now() - start;
    (void)unlink(path);
done:
    expert_free(l, data);
    return status;
}
