/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions that read a complete map: values of reductions, and of fields. */
#include "api/map.h"
#include "engine/run/fold.h"

#include <inttypes.h>
#include <string.h>

/* There is something to read in what is complete. Else the error is what the map has come to, or
 * that it has not been run. */
static weft_status check_complete(const weft_map *map, const char *what, const char *name)
{
    error *e = &map->session->error;
    if (map->complete) {
        return WEFT_OK;
    }
    if (map->start.known) {
        *e = map->start.error;
        return map->start.status;
    }
    return error_set(e, WEFT_ERR_USAGE,
                     "%s '%s' of map '%s' cannot be read before weft_map_run() has computed all of "
                     "the map",
                     what, name, map->job->name);
}

/* Whether the map is one that can be asked at all. */
static weft_status check_asked(const weft_map *map)
{
    if (map == NULL) {
        return WEFT_ERR_USAGE;
    }
    map->session->error = map->fault;
    return map->fault.status;
}

weft_status weft_map_get(weft_map *map, const char *name, void *value)
{
    weft_status status = check_asked(map);
    if (status != WEFT_OK) {
        return status;
    }
    error *e = &map->session->error;
    const job *j = map->job;
    const int number = name == NULL ? -1 : job_find_reduction(j, name);
    if (number < 0) {
        const bool field = name != NULL && job_find_field(j, name) >= 0;
        return error_set(e, WEFT_ERR_NOT_FOUND, "map '%s' has no reduction '%s'%s", j->name,
                         name == NULL ? "" : name, field ? ", but a field of that name" : "");
    }
    status = check_complete(map, "reduction", name);
    if (status != WEFT_OK) {
        return status;
    }
    if (!map->valued) {
        return error_set(e, WEFT_ERR_MPI,
                         "reduction '%s' of map '%s': ranks were lost at the end of the map, so "
                         "that this rank was not told; the same command, run again, goes on with "
                         "the value",
                         name, j->name);
    }
    memcpy(value, map->values + fold_place(j, number), (size_t)job_value_bytes(j, number));
    return WEFT_OK;
}

/* Whether a field can be read at these items; its number. */
static weft_status check_reading(const weft_map *map, const char *field, int64_t first,
                                 int64_t count, int *number)
{
    error *e = &map->session->error;
    const job *j = map->job;
    const char *name = field == NULL ? "" : field;
    *number = job_find_field(j, name);
    if (*number < 0) {
        return error_set(e, WEFT_ERR_NOT_FOUND, "map '%s' has no field '%s'%s", j->name, name,
                         job_find_reduction(j, name) >= 0
                             ? ", but a reduction of that name, which weft_map_get() is for"
                             : "");
    }
    if (first < 0 || count < 0 || first > j->items.count || count > j->items.count - first) {
        return error_set(e, WEFT_ERR_USAGE,
                         "field '%s' of map '%s': %" PRId64 " items from %" PRId64
                         " on were asked for; the map has %" PRId64,
                         name, j->name, count, first, j->items.count);
    }
    const weft_status status = check_complete(map, "field", name);
    if (status == WEFT_OK && !map->readable) {
        return error_set(e, WEFT_ERR_MPI,
                         "field '%s' of map '%s': ranks were lost, and without --sync what they "
                         "have written may not have arrived in %s; run the same command again",
                         name, j->name, map->path);
    }
    return status;
}

weft_status weft_map_read(weft_map *map, const char *field, int64_t first, int64_t count,
                          void *values)
{
    int number = -1;
    weft_status status = check_asked(map);
    if (status == WEFT_OK) {
        status = check_reading(map, field, first, count, &number);
    }
    if (status == WEFT_OK && map->reader == NULL) {
        status = reader_open(map->file, map->job, &map->layout, &map->reader, &map->session->error);
    }
    return status != WEFT_OK || count == 0
               ? status
               : reader_read(map->reader, number, first, count, values, &map->session->error);
}
