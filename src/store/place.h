/* SPDX-License-Identifier: BSD-3-Clause */
/* The place of a result: where its path leads, and how an earlier file there is put aside. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { PLACE_PATH_BYTES = 4096 };

/* Where a path leads through symbolic links, be there a file at their end or not: what is made,
 * locked and renamed there is the file and not a link to it. Any other path stays as it is. */
weft_status place_find(const char *given, char path[PLACE_PATH_BYTES], error *e);

/* Remembers that this session writes to the open file; forgets all of an earlier one's. Main
 * thread.
 */
weft_status place_remember(int fd, error *e);

void place_forget(void);

/* Moves a file to FILE.bak, or if there is one, to FILE.bak.2, FILE.bak.3, …: no earlier one is
 * replaced. Without a file, or with one that this session has written to, nothing is to be done. */
weft_status place_clear(const char *path, error *e);

/* Makes a file that is to become a result, in place of what a run has left that was killed as it
 * did so, but of nothing else. */
weft_status place_make(const char *path, int *fd, error *e);

/* Whether there is a file that neither begins so nor is empty, nor zeros, as a power cut may leave
 * it: then it is somebody else's. So is one that cannot be read. */
bool place_is_foreign(const char *path, const char *magic, size_t bytes);

/* Whether a path leads to that very file, still. */
bool place_is_file(const char *path, int fd);

#endif
