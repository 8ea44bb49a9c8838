/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole reads and writes at an offset: interrupted and short ones are continued; and what an NFS
 * client keeps in memory, which is not up to date where other hosts write, and may be written back
 * with what this one writes.
 *
 * Thread: any. */
#ifndef STORE_IO_BYTES_H
#define STORE_IO_BYTES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

weft_status bytes_write(int fd, const char *path, const void *bytes, size_t count, int64_t offset,
                        error *e);

/* Opens a file for reading as it is now, whatever others have written. What is read over NFS is
 * not kept in memory. */
weft_status bytes_open(const char *path, int *fd, error *e);

/* Before a file is written to: lets go of what an NFS client has kept of it. */
void bytes_forget(int fd);

/* A file that ends too early is an error. */
weft_status bytes_read(int fd, const char *path, void *bytes, size_t count, int64_t offset,
                       error *e);

#endif
