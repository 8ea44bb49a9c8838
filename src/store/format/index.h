/* SPDX-License-Identifier: BSD-3-Clause */
/* The index: the last bytes of a result, behind all that is HDF5's. It says which maps the file
 * has, where their bytes lie, and that the metadata is as weft has written it, so that a run of the
 * same maps need not ask HDF5. A file without one, or with one that is not true any more, is as
 * good. */
#ifndef STORE_FORMAT_INDEX_H
#define STORE_FORMAT_INDEX_H

#include "base/error.h"
#include "space/job.h"
#include "store/format/metadata.h"

#include <stdbool.h>
#include <stdint.h>

/* What makes a map the same one in another run, in short. */
typedef struct index_identity {
    uint64_t low;
    uint64_t high;
} index_identity;

/* Of a settled job, with what is told of its fields; false: out of memory. */
bool index_identify(const job *j, index_identity *identity);

/* Appends the index to a file that HDF5 has made and closed, and nobody has written to since. */
weft_status index_append(int fd, const char *path, int maps, job *const jobs[],
                         const metadata_layout layouts[], error *e);

/* Whether a file holds just these maps, and is what weft has made, metadata byte by byte; then the
 * layouts are set, and the build that began it. The grains are taken over, if asked for, in any
 * case. False: metadata_read() may tell why. */
bool index_read(const char *path, int maps, job *const jobs[], bool adopt_grain,
                metadata_layout layouts[], char build[BUILD_TEXT_BYTES]);

#endif
