/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads what the HDF5 metadata of a result says of one of its maps. */
#ifndef STORE_FORMAT_STORED_MAP_H
#define STORE_FORMAT_STORED_MAP_H

#include "space/job.h"
#include "store/format/metadata.h"

#include <hdf5.h>
#include <stdbool.h>

/* Reads a map's description, settled, and where its bytes lie. The job is to be destroyed also
 * where that fails, and the flaw is noted, see store/format/inspect.h. */
bool stored_map_read(hid_t file, const char *name, job **out, metadata_layout *layout);

#endif
