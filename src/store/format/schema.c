/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and HDF5 types of format version 1. */
#include "store/format/schema.h"

#include "store/format/record.h"

hid_t schema_element(weft_type type)
{
    switch (type) {
    case WEFT_INT8:
        return H5T_NATIVE_INT8;
    case WEFT_INT16:
        return H5T_NATIVE_INT16;
    case WEFT_INT32:
        return H5T_NATIVE_INT32;
    case WEFT_INT64:
        return H5T_NATIVE_INT64;
    case WEFT_UINT8:
        return H5T_NATIVE_UINT8;
    case WEFT_UINT16:
        return H5T_NATIVE_UINT16;
    case WEFT_UINT32:
        return H5T_NATIVE_UINT32;
    case WEFT_UINT64:
        return H5T_NATIVE_UINT64;
    case WEFT_FLOAT32:
        return H5T_NATIVE_FLOAT;
    case WEFT_FLOAT64:
        return H5T_NATIVE_DOUBLE;
    case WEFT_LONG_DOUBLE:
        return H5T_NATIVE_LDOUBLE;
    case WEFT_TYPE_COUNT:
        break;
    }
    return H5I_INVALID_HID;
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

hid_t schema_text_type(void)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0) {
        (void)H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

/* One member of a compound type. */
typedef struct member {
    const char *name;
    size_t offset;
    hid_t type;
} member;

static hid_t make_compound(size_t bytes, const member *members, size_t count)
{
    const hid_t type = H5Tcreate(H5T_COMPOUND, bytes);
    for (size_t i = 0; i < count; i++) {
        if (H5Tinsert(type, members[i].name, members[i].offset, members[i].type) < 0) {
            (void)H5Tclose(type);
            return H5I_INVALID_HID;
        }
    }
    return type;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static hid_t make_state_type(void)
{
    static const char *const names[] = {"empty", "done", "done_with_failed_items", "quarantined"};
    const hid_t type = H5Tenum_create(H5T_NATIVE_UINT8);
    for (size_t i = 0; i < COUNT(names); i++) {
        const uint8_t state = (uint8_t)i;
        if (H5Tenum_insert(type, names[i], &state) < 0) {
            (void)H5Tclose(type);
            return H5I_INVALID_HID;
        }
    }
    return type;
}

hid_t schema_tile_type(void)
{
    const hid_t state = make_state_type();
    const member members[] = {
        {"state", offsetof(tile_record, state), state},
        {"attempts", offsetof(tile_record, attempts), H5T_NATIVE_UINT16},
        {"failed", offsetof(tile_record, failed), H5T_NATIVE_UINT32},
        {"rank", offsetof(tile_record, rank), H5T_NATIVE_INT32},
        {"worker", offsetof(tile_record, worker), H5T_NATIVE_INT32},
        {"run", offsetof(tile_record, run), H5T_NATIVE_INT32},
        {"start", offsetof(tile_record, start), H5T_NATIVE_DOUBLE},
        {"seconds", offsetof(tile_record, seconds), H5T_NATIVE_DOUBLE},
        {"checksum", offsetof(tile_record, checksum), H5T_NATIVE_UINT64},
        {"check", offsetof(tile_record, check), H5T_NATIVE_UINT64},
    };
    const hid_t type = make_compound(sizeof(tile_record), members, COUNT(members));
    (void)H5Tclose(state);
    return type;
}

static hid_t make_fixed_text(size_t bytes)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    if (H5Tset_size(type, bytes) < 0) {
        (void)H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

hid_t schema_failure_type(void)
{
    const hid_t text = make_fixed_text(sizeof((failure_row *)0)->text);
    const member members[] = {
        {"item", offsetof(failure_row, item), H5T_NATIVE_INT64},
        {"code", offsetof(failure_row, code), H5T_NATIVE_INT32},
        {"text", offsetof(failure_row, text), text},
    };
    const hid_t type = make_compound(sizeof(failure_row), members, COUNT(members));
    (void)H5Tclose(text);
    return type;
}

hid_t schema_run_type(void)
{
    const hid_t outcome = make_fixed_text(sizeof((run_row *)0)->outcome);
    const hid_t host_names = make_fixed_text(sizeof((run_row *)0)->host_names);
    const hid_t command = make_fixed_text(sizeof((run_row *)0)->command);
    const member members[] = {
        {"start", offsetof(run_row, start), H5T_NATIVE_DOUBLE},
        {"end", offsetof(run_row, end), H5T_NATIVE_DOUBLE},
        {"ranks", offsetof(run_row, ranks), H5T_NATIVE_INT32},
        {"workers", offsetof(run_row, workers), H5T_NATIVE_INT32},
        {"hosts", offsetof(run_row, hosts), H5T_NATIVE_INT32},
        {"cores", offsetof(run_row, cores), H5T_NATIVE_INT32},
        {"items", offsetof(run_row, items), H5T_NATIVE_INT64},
        {"failed", offsetof(run_row, failed), H5T_NATIVE_INT64},
        {"duplicates", offsetof(run_row, duplicates), H5T_NATIVE_INT64},
        {"busy", offsetof(run_row, busy), H5T_NATIVE_DOUBLE},
        {"outcome", offsetof(run_row, outcome), outcome},
        {"host_names", offsetof(run_row, host_names), host_names},
        {"command", offsetof(run_row, command), command},
        {"cpu", offsetof(run_row, cpu), H5T_NATIVE_DOUBLE},
        {"wait", offsetof(run_row, wait), H5T_NATIVE_DOUBLE},
        {"lost", offsetof(run_row, lost), H5T_NATIVE_INT32},
        {"lost_rank", offsetof(run_row, lost_rank), H5T_NATIVE_INT32},
        {"lost_at", offsetof(run_row, lost_at), H5T_NATIVE_DOUBLE},
        {"lost_items", offsetof(run_row, lost_items), H5T_NATIVE_INT64},
    };
    const hid_t type = make_compound(sizeof(run_row), members, COUNT(members));
    (void)H5Tclose(command);
    (void)H5Tclose(host_names);
    (void)H5Tclose(outcome);
    return type;
}
