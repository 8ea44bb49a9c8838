/* SPDX-License-Identifier: BSD-3-Clause */
/* Which maps of its file a map of a result needs, and whether it waits for one of them.
 *
 * Thread: one at a time. */
#ifndef STORE_NEEDED_H
#define STORE_NEEDED_H

#include "space/job.h"
#include "store/format/metadata.h"
#include "store/format/record.h"

/* Whether a map of a file that a run has waits for one that it needs: that is not complete, or the
 * run is at it. `t` holds the rows of runs. */
weft_status needed_wait(int fd, const char *path, const metadata *m, const tables *t, const job *j,
                        bool *waits, error *e);

#endif
