/* SPDX-License-Identifier: BSD-3-Clause */
/* Dimension scales, as HDF5's own high-level library makes them. */
#include "store/format/scale.h"

#include "store/format/attribute.h"
#include "store/format/quiet.h"

#include <stddef.h>
#include <stdio.h>

static bool find(hid_t file, const char *path, hobj_ref_t *object)
{
    return H5Rcreate(object, file, path, H5R_OBJECT, H5I_INVALID_HID) >= 0;
}

static bool mark(hid_t dataset, const char *name)
{
    return attribute_add_fixed_text(dataset, SCHEMA_SCALE, "DIMENSION_SCALE") &&
           attribute_add_fixed_text(dataset, "NAME", name);
}

/* What there is of it so far. */
static bool begin(hid_t file, const char *path, scale *s)
{
    s->users = 0;
    (void)snprintf(s->path, sizeof s->path, "%s", path);
    return find(file, path, &s->dataset);
}

bool scale_mark(hid_t file, const char *path, const char *name, scale *s)
{
    const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    const bool good = dataset >= 0 && mark(dataset, name) && begin(file, path, s);
    quiet_close(dataset);
    return good;
}

/* The type and the words are netCDF's. Nothing is written, and so nothing allocated. */
bool scale_make_bare(hid_t file, const char *path, hsize_t length, const char *units, scale *s)
{
    char name[96];
    const hid_t extent = H5Screate_simple(1, &length, NULL);
    const hid_t dataset =
        H5Dcreate2(file, path, H5T_IEEE_F32BE, extent, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    (void)snprintf(name, sizeof name, "This is a netCDF dimension but not a netCDF variable.%10llu",
                   (unsigned long long)length);
    const bool good = dataset >= 0 && mark(dataset, name) &&
                      (units == NULL || attribute_add_text(dataset, "units", units)) &&
                      begin(file, path, s);
    quiet_close(dataset);
    quiet_close(extent);
    return good;
}

bool scale_attach(hid_t file, const char *path, int ndims, scale *const scales[])
{
    hvl_t lists[2 * WEFT_MAX_DIMS];
    scale_user user = {.dataset = 0};
    if (ndims == 0) {
        return true;
    }
    for (int i = 0; i < ndims; i++) {
        lists[i] = (hvl_t){.len = 1, .p = &scales[i]->dataset};
    }
    const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    const hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
    const bool good = dataset >= 0 && type >= 0 && find(file, path, &user.dataset) &&
                      attribute_add_list(dataset, "DIMENSION_LIST", type, (hsize_t)ndims, lists);
    for (int i = 0; i < ndims && good; i++) {
        user.dimension = (unsigned)i;
        scales[i]->user[scales[i]->users++] = user;
    }
    quiet_close(type);
    quiet_close(dataset);
    return good;
}

bool scale_finish(hid_t file, const scale *s)
{
    if (s->users == 0) {
        return true;
    }
    const hid_t dataset = H5Dopen2(file, s->path, H5P_DEFAULT);
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(scale_user));
    const bool good =
        dataset >= 0 && type >= 0 &&
        H5Tinsert(type, "dataset", offsetof(scale_user, dataset), H5T_STD_REF_OBJ) >= 0 &&
        H5Tinsert(type, "dimension", offsetof(scale_user, dimension), H5T_NATIVE_INT) >= 0 &&
        attribute_add_list(dataset, "REFERENCE_LIST", type, (hsize_t)s->users, s->user);
    quiet_close(type);
    quiet_close(dataset);
    return good;
}
