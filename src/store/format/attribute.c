/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes attributes of HDF5 objects that are being made. */
#include "store/format/attribute.h"

#include "store/format/quiet.h"
#include "store/format/schema.h"

#include <string.h>

/* Takes the dataspace over. */
static bool add(hid_t object, const char *name, hid_t type, hid_t extent, const void *values)
{
    const hid_t attribute = H5Acreate2(object, name, type, extent, H5P_DEFAULT, H5P_DEFAULT);
    const bool good = attribute >= 0 && H5Awrite(attribute, type, values) >= 0;
    quiet_close(attribute);
    quiet_close(extent);
    return good;
}

bool attribute_add_list(hid_t object, const char *name, hid_t type, hsize_t count,
                        const void *values)
{
    return add(object, name, type, H5Screate_simple(1, &count, NULL), values);
}

bool attribute_add(hid_t object, const char *name, hid_t type, const void *value)
{
    return add(object, name, type, H5Screate(H5S_SCALAR), value);
}

bool attribute_add_text(hid_t object, const char *name, const char *text)
{
    const hid_t type = schema_text_type();
    const bool good = attribute_add(object, name, type, &text);
    quiet_close(type);
    return good;
}

bool attribute_add_fixed_text(hid_t object, const char *name, const char *text)
{
    const hid_t type = schema_fixed_text_type(strlen(text) + 1);
    const bool good = attribute_add(object, name, type, text);
    quiet_close(type);
    return good;
}
