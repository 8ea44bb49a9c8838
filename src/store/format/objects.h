/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes the HDF5 objects of a result. */
#ifndef STORE_FORMAT_OBJECTS_H
#define STORE_FORMAT_OBJECTS_H

#include "space/job.h"
#include "store/format/metadata.h"

#include <hdf5.h>
#include <stdbool.h>

/* Adds all that there will ever be to a new file, with tables of as many rows as the layouts say,
 * and says in the layouts where it lies. False: HDF5 has failed. */
bool objects_add(hid_t file, int maps, job *const jobs[], metadata_layout layouts[]);

#endif
