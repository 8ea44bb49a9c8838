/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and HDF5 types of format version 2. */
#include "store/format/schema.h"

#include "store/format/record.h"

#include <stdbool.h>
#include <stdio.h>

void schema_result_path(char path[SCHEMA_PATH_BYTES], const char *map, const char *field)
{
    (void)snprintf(path, SCHEMA_PATH_BYTES, "/%s%s%s", map, field == NULL ? "" : "/",
                   field == NULL ? "" : field);
}

void schema_table_path(char path[SCHEMA_PATH_BYTES], const char *map, const char *table)
{
    (void)snprintf(path, SCHEMA_PATH_BYTES, SCHEMA_WEFT "/%s%s%s", map, table == NULL ? "" : "/",
                   table == NULL ? "" : table);
}

void schema_accumulators_path(char path[SCHEMA_PATH_BYTES], const char *map, const char *reduction)
{
    (void)snprintf(path, SCHEMA_PATH_BYTES, SCHEMA_WEFT "/%s/" SCHEMA_ACCUMULATORS "%s%s", map,
                   reduction == NULL ? "" : "/", reduction == NULL ? "" : reduction);
}

hid_t schema_element(weft_type type)
{
    const hid_t types[] = {
        [WEFT_INT8] = H5T_NATIVE_INT8,          [WEFT_INT16] = H5T_NATIVE_INT16,
        [WEFT_INT32] = H5T_NATIVE_INT32,        [WEFT_INT64] = H5T_NATIVE_INT64,
        [WEFT_UINT8] = H5T_NATIVE_UINT8,        [WEFT_UINT16] = H5T_NATIVE_UINT16,
        [WEFT_UINT32] = H5T_NATIVE_UINT32,      [WEFT_UINT64] = H5T_NATIVE_UINT64,
        [WEFT_FLOAT32] = H5T_NATIVE_FLOAT,      [WEFT_FLOAT64] = H5T_NATIVE_DOUBLE,
        [WEFT_LONG_DOUBLE] = H5T_NATIVE_LDOUBLE};
    _Static_assert(sizeof types / sizeof types[0] == WEFT_TYPE_COUNT, "a type of HDF5 for each");
    return (unsigned)type < WEFT_TYPE_COUNT ? types[type] : H5I_INVALID_HID;
}

weft_type schema_find_element(hid_t type)
{
    for (int i = 0; i < (int)WEFT_TYPE_COUNT; i++) {
        if (H5Tequal(type, schema_element((weft_type)i)) > 0) {
            return (weft_type)i;
        }
    }
    return WEFT_TYPE_COUNT;
}

static hid_t make_text_type(size_t bytes, H5T_cset_t characters)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (H5Tset_size(type, bytes) < 0 || H5Tset_cset(type, characters) < 0) {
        (void)H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

hid_t schema_text_type(void)
{
    return make_text_type(H5T_VARIABLE, H5T_CSET_UTF8);
}

hid_t schema_fixed_text_type(size_t bytes)
{
    return make_text_type(bytes, H5T_CSET_ASCII);
}

/* One member of a compound type: of a type, or text of `text_bytes` bytes. */
typedef struct member {
    const char *name;
    size_t offset;
    hid_t type;
    size_t text_bytes;
} member;

static bool add_member(hid_t compound, const member *m)
{
    const hid_t type =
        m->text_bytes > 0 ? make_text_type(m->text_bytes, H5T_CSET_ASCII) : H5Tcopy(m->type);
    const bool good = H5Tinsert(compound, m->name, m->offset, type) >= 0;
    (void)H5Tclose(type);
    return good;
}

static hid_t make_compound(size_t bytes, const member *members, size_t count)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, bytes);
    for (size_t i = 0; i < count; i++) {
        if (!add_member(type, &members[i])) {
            (void)H5Tclose(type);
            return H5I_INVALID_HID;
        }
    }
    return type;
}

#define NUMBER(row, name, type) ((member){#name, offsetof(row, name), type, 0})
#define TEXT(row, name) \
    ((member){#name, offsetof(row, name), H5I_INVALID_HID, sizeof((row *)0)->name})
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A byte that stands for one of these names. */
static hid_t make_enumeration(int count, const char *const names[])
{
    const hid_t type = H5Tenum_create(H5T_NATIVE_UINT8);
    for (int i = 0; i < count; i++) {
        const uint8_t value = (uint8_t)i;
        if (H5Tenum_insert(type, names[i], &value) < 0) {
            (void)H5Tclose(type);
            return H5I_INVALID_HID;
        }
    }
    return type;
}

hid_t schema_tile_type(void)
{
    static const char *const names[] = {"empty", "done", "done_with_failed_items", "quarantined"};
    const hid_t state = make_enumeration(COUNT(names), names);
    const member members[] = {
        NUMBER(tile_record, state, state),
        NUMBER(tile_record, attempts, H5T_NATIVE_UINT16),
        NUMBER(tile_record, failed, H5T_NATIVE_UINT32),
        NUMBER(tile_record, rank, H5T_NATIVE_INT32),
        NUMBER(tile_record, worker, H5T_NATIVE_INT32),
        NUMBER(tile_record, run, H5T_NATIVE_INT32),
        NUMBER(tile_record, start, H5T_NATIVE_DOUBLE),
        NUMBER(tile_record, seconds, H5T_NATIVE_DOUBLE),
        NUMBER(tile_record, checksum, H5T_NATIVE_UINT64),
        NUMBER(tile_record, check, H5T_NATIVE_UINT64),
    };
    const hid_t type = make_compound(sizeof(tile_record), members, COUNT(members));
    (void)H5Tclose(state);
    return type;
}

hid_t schema_failure_type(void)
{
    const member members[] = {
        NUMBER(failure_row, item, H5T_NATIVE_INT64),
        NUMBER(failure_row, code, H5T_NATIVE_INT32),
        TEXT(failure_row, text),
    };
    return make_compound(sizeof(failure_row), members, COUNT(members));
}

hid_t schema_run_type(int maps, const char *const names[])
{
    const hid_t map = make_enumeration(maps, names);
    const member members[] = {
#define RUN_NUMBER(ctype, hdf5_type, name, member) NUMBER(run_row, name, hdf5_type),
#define RUN_TEXT(name, bytes) TEXT(run_row, name),
        RUN_COLUMNS(RUN_NUMBER, RUN_TEXT)
#undef RUN_NUMBER
#undef RUN_TEXT
            NUMBER(run_row, map, map),
    };
    const hid_t type = make_compound(sizeof(run_row), members, COUNT(members));
    (void)H5Tclose(map);
    return type;
}
