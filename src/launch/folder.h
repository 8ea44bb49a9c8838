/* SPDX-License-Identifier: BSD-3-Clause */
/* A run's folder, which holds the markers, and whose it is: a file in it names the launcher's
 * process among all of a cluster, and the launcher holds a lock on that file. */
#ifndef LAUNCH_FOLDER_H
#define LAUNCH_FOLDER_H

#include "base/error.h"

typedef struct folder {
    char *path;
    char *done; /* the done file's path in it */
    int lock;   /* the owner file, locked */
} folder;

/* Makes one in `parent`. */
weft_status folder_make(folder *f, const char *parent, error *e);

/* Removes it. */
void folder_remove(folder *f);

/* Removes the folders in `parent` of launchers that are surely dead and were of this machine, of
 * this boot of it and of this namespace of process ids, and ends what is left of their runs here:
 * after the loss of a host mpirun outlives the signal that it gets when its launcher is killed. */
void folder_remove_stale(const char *parent);

#endif
