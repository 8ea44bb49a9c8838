/* SPDX-License-Identifier: BSD-3-Clause */
/* A file of one map, opened as a run does it. */
#ifndef TEST_STORE_OPEN_H
#define TEST_STORE_OPEN_H

#include "store/store.h"

/* The file is closed with its map. */
static inline weft_status open_alone(const char *path, job *j, store_policy policy, store **out,
                                     error *e)
{
    store_file *f = NULL;
    weft_status status = store_file_open(path, 1, &j, policy, &f, e);
    if (status == WEFT_OK) {
        status = store_open(f, j, policy, out, e);
    }
    store_file_release(f);
    return status;
}

#endif
