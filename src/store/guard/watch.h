/* SPDX-License-Identifier: BSD-3-Clause */
/* Notices that a result is removed, moved or replaced while a run writes it. */
#ifndef STORE_GUARD_WATCH_H
#define STORE_GUARD_WATCH_H

#include "base/error.h"

#include <stdint.h>

/* Fails if an open file has been removed, moved, replaced by another or cut below its least size.
 */
weft_status watch_file(int fd, const char *path, int64_t least_bytes, error *e);

#endif
