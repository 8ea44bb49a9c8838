/* SPDX-License-Identifier: BSD-3-Clause */
/* A complete map that a rank reads back.
 *
 * Thread: one at a time. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "base/error.h"
#include "space/job.h"
#include "store/format/metadata.h"

typedef struct reader reader;

/* Opens the file anew, after every rank has written: over NFS only what is opened then is up to
 * date. An error if the path leads to another file by now. The job must live as long as the reader.
 */
weft_status reader_open(const char *path, const job *j, const metadata_layout *layout, reader **out,
                        error *e);

/* Reads rows of a column, see store_write(). */
weft_status reader_read(const reader *r, int column, int64_t first, int64_t rows, void *bytes,
                        error *e);

/* NULL is allowed. */
void reader_close(reader *r);

#endif
