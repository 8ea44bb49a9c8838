/* SPDX-License-Identifier: BSD-3-Clause */
/* Which maps of its file a map of a result needs, and whether it waits for one of them. */
#include "store/needed.h"

#include "store/io/bytes.h"
#include "store/result.h"

enum { RECORDS_AT_ONCE = 512 };

const char *weft_result_need(weft_result *result, int need)
{
    const job *j = result_job(result);
    error_clear(result_error(result));
    if (need >= 0 && need < j->needs) {
        return j->need[need];
    }
    (void)error_set(result_error(result), WEFT_ERR_USAGE,
                    "map '%s' of %s needs no map %d; it needs %d, from 0 on", j->name,
                    result_path(result), need, j->needs);
    return NULL;
}

/* Whether all tiles of a map are done. */
static weft_status find_complete(int fd, const char *path, const job *j,
                                 const metadata_layout *layout, bool *complete, error *e)
{
    tile_record record[RECORDS_AT_ONCE];
    weft_status status = WEFT_OK;
    *complete = true;
    for (int64_t first = 0; first < j->tiles.tiles && *complete && status == WEFT_OK;
         first += RECORDS_AT_ONCE) {
        const int64_t left = j->tiles.tiles - first;
        const int64_t now = left < RECORDS_AT_ONCE ? left : RECORDS_AT_ONCE;
        status = bytes_read(fd, path, record, (size_t)now * sizeof record[0],
                            layout->tiles_offset + first * (int64_t)sizeof record[0], e);
        for (int64_t i = 0; i < now && status == WEFT_OK; i++) {
            *complete = *complete && tile_record_sound(&record[i], first + i) &&
                        tile_record_done(&record[i]);
        }
    }
    return status;
}

/* Whether the run that has the file is at a map, be it to compute failed items again. */
static bool is_at(const tables *t, const metadata_layout *layout)
{
    const int last = tables_last_run(t, layout->map);
    return last >= 0 && tables_may_run(t, last);
}

weft_status needed_wait(int fd, const char *path, const metadata *m, const tables *t, const job *j,
                        bool *waits, error *e)
{
    weft_status status = WEFT_OK;
    *waits = false;
    for (int i = 0; i < j->needs && !*waits && status == WEFT_OK; i++) {
        const int number = metadata_find(m, j->need[i]);
        if (number >= 0) {
            const metadata_layout *layout = &m->layout[number];
            bool complete = false;
            status = find_complete(fd, path, m->job[number], layout, &complete, e);
            *waits = !complete || is_at(t, layout);
        }
    }
    return status;
}
