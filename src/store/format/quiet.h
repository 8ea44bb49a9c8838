/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5's error stack: kept from printing itself, and put into our errors instead. */
#ifndef STORE_FORMAT_QUIET_H
#define STORE_FORMAT_QUIET_H

#include "base/error.h"

#include <hdf5.h>
#include <stdbool.h>

typedef struct quiet {
    H5E_auto2_t function; /* what HDF5 did with its errors before */
#ifndef H5_NO_DEPRECATED_SYMBOLS
    H5E_auto1_t function_v1; /* or this, which has other arguments */
#endif
    bool is_v1;
    void *data;
    int number; /* errno of the first system call that has failed within HDF5 since, or 0 */
} quiet;

/* Silences HDF5 until quiet_end() gives the caller's setting back. It must stay where it is. One
 * thread at a time: others wait, also those that would fork a process which uses HDF5. */
void quiet_begin(quiet *q);

void quiet_end(const quiet *q);

/* Closes an object, unless it is a file's: H5I_INVALID_HID is allowed, and leaves no error behind.
 */
void quiet_close(hid_t object);

/* Sets an error, with HDF5's innermost reason behind it in brackets. */
weft_status quiet_error(error *e, weft_status status, const char *format, ...) WEFT_PRINTF(3, 4);

#endif
