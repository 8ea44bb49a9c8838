/* SPDX-License-Identifier: BSD-3-Clause */
/* What a failed file-system call means to a user: which host, which file, why, and what to do.
 *
 * Thread: any. */
#ifndef STORE_IO_FAULT_H
#define STORE_IO_FAULT_H

#include "base/error.h"

/* As error_system(), with the host before it, and behind it what is known of that file's disk and
 * what to do. The format says what was tried, and names the file. */
weft_status fault_set(error *e, int number, const char *path, const char *format, ...)
    WEFT_PRINTF(4, 5);

/* The same for a disk that had `free_bytes` bytes free before: the failed call may have taken them.
 */
weft_status fault_set_full(error *e, int number, double free_bytes, const char *format, ...)
    WEFT_PRINTF(4, 5);

#endif
