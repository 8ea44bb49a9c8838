/* SPDX-License-Identifier: BSD-3-Clause */
/* Disk space for a result, reserved where the file system can, so that a full disk is an error
 * before anything is computed.
 *
 * Thread: rank 0's main thread. */
#ifndef STORE_IO_RESERVE_H
#define STORE_IO_RESERVE_H

#include "base/error.h"

#include <stdint.h>

/* Whether a file that is nearly empty could have `bytes` bytes; afterwards the file is as before.
 * Where space cannot be reserved, whether it could have any; a warning if the disk does not seem to
 * have enough. */
weft_status reserve_probe(int fd, const char *path, int64_t bytes, error *e);

/* Reserves the space of a whole file, also where it has holes, as copies have. */
weft_status reserve_all(int fd, const char *path, error *e);

#endif
