/* SPDX-License-Identifier: BSD-3-Clause */
/* Disk space for a result, reserved where the file system can, so that a full disk is an error
 * before anything is computed.
 *
 * Thread: rank 0's driver. */
#ifndef STORE_IO_RESERVE_H
#define STORE_IO_RESERVE_H

#include "base/error.h"

#include <stdint.h>

/* Whether there is room for a new file of that many bytes, as far as that is known when it has its
 * first ones: a file system may take all that is left before it finds that this is not enough, from
 * everybody else, too. */
weft_status reserve_check(int fd, const char *path, int64_t bytes, error *e);

/* Gives a new file, for which reserve_check() has found room, its length and its space. Where space
 * cannot be reserved, fails if the file cannot have any, and warns if the disk does not seem to
 * have enough. */
weft_status reserve_new(int fd, const char *path, int64_t bytes, error *e);

/* Reserves the space of a whole file, also where it has holes, as copies have. */
weft_status reserve_all(int fd, const char *path, error *e);

#endif
