/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole reads and writes at an offset: interrupted and short ones are continued.
 *
 * Thread: any. */
#ifndef STORE_IO_BYTES_H
#define STORE_IO_BYTES_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

weft_status bytes_write(int fd, const char *path, const void *bytes, size_t count, int64_t offset,
                        error *e);

/* A file that ends too early is an error. */
weft_status bytes_read(int fd, const char *path, void *bytes, size_t count, int64_t offset,
                       error *e);

#endif
