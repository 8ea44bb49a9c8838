/* SPDX-License-Identifier: BSD-3-Clause */
/* /weft/<map>/leases: a byte per tile, 1 from before the tile is handed out until the run ends in
 * good order. */
#include "store/lease_table.h"

#include "base/pages.h"
#include "base/thread.h"
#include "store/io/bytes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct lease_table {
    int64_t offset;
    backlog *backlog;
    int64_t asked;
    int64_t tiles;
    unsigned char leased[]; /* per tile; as the file will be */
};

static weft_status load(lease_table *l, const char *path, int64_t tiles, error *e)
{
    int fd = -1;
    weft_status status = bytes_open(path, &fd, e);
    if (status == WEFT_OK) {
        status = bytes_read(fd, path, l->leased, (size_t)tiles, l->offset, e);
        (void)close(fd);
    }
    return status;
}

weft_status lease_table_open(int fd, const char *path, int64_t offset, bool created, int64_t tiles,
                             lease_table **out, error *e)
{
    lease_table *l = pages_create(sizeof *l + (size_t)tiles);
    if (l == NULL) {
        return error_memory(e, "the leases of %s", path);
    }
    l->offset = offset;
    l->tiles = tiles;
    weft_status status = WEFT_OK;
    if (tiles > 0 && !created) {
        status = load(l, path, tiles, e);
    }
    if (status == WEFT_OK) {
        status = backlog_create(fd, path, &l->backlog, e);
    }
    if (status != WEFT_OK) {
        lease_table_close(l);
        return status;
    }
    *out = l;
    return WEFT_OK;
}

void lease_table_close(lease_table *l)
{
    if (l != NULL) {
        backlog_destroy(l->backlog);
        pages_destroy(l, sizeof *l + (size_t)l->tiles);
    }
}

void lease_table_set_wake(lease_table *l, backlog_wake_fn wake, void *context)
{
    backlog_set_wake(l->backlog, wake, context);
}

bool lease_table_holds(const lease_table *l, int64_t tile)
{
    return l->leased[tile] != 0;
}

weft_status lease_table_set(lease_table *l, int64_t first, int64_t tiles, bool leased, error *e)
{
    assert(thread_drives());
    int64_t end = first + tiles;
    while (first < end && (l->leased[first] != 0) == leased) {
        first++;
    }
    while (first < end && (l->leased[end - 1] != 0) == leased) {
        end--;
    }
    if (first == end) {
        return WEFT_OK;
    }
    memset(l->leased + first, leased, (size_t)(end - first));
    l->asked++;
    return backlog_write(l->backlog, l->offset + first, l->leased + first, (size_t)(end - first),
                         e);
}

int64_t lease_table_asked(const lease_table *l)
{
    return l->asked;
}

bool lease_table_written(lease_table *l, int64_t asked)
{
    return backlog_done(l->backlog) >= asked;
}

bool lease_table_idle(lease_table *l)
{
    return backlog_idle(l->backlog);
}

weft_status lease_table_status(lease_table *l, error *e)
{
    return backlog_status(l->backlog, e);
}

weft_status lease_table_wait(lease_table *l, error *e)
{
    return backlog_wait(l->backlog, e);
}
