/* SPDX-License-Identifier: BSD-3-Clause */
/* The place of a result: where its path leads, how an earlier file there is put aside, and whether
 * the one that is written is still there. */
#ifndef STORE_GUARD_PLACE_H
#define STORE_GUARD_PLACE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PLACE_PATH_BYTES = 4096 };

/* Where a path leads through symbolic links, be there a file at their end or not: what is made,
 * locked and renamed there is the file and not a link to it. Any other path stays as it is. One
 * that can be a folder only is refused. */
weft_status place_find(const char *given, char path[PLACE_PATH_BYTES], error *e);

/* The one name of the file that a path leads to, from the root and without links, be there a file
 * or not, as far as it can be told. False: it is too long. */
bool place_whole(const char *given, char path[PLACE_PATH_BYTES]);

/* Remembers that this session writes to the open file; forgets all of an earlier one's. As a run
 * begins: one thread at a time. */
weft_status place_remember(int fd, error *e);

void place_forget(void);

/* Whether there is a file of before this session, which --fresh puts aside. What is no plain file
 * is refused. */
weft_status place_look(const char *path, bool *earlier, error *e);

/* Moves a file to FILE.bak, or if there is one, to FILE.bak.2, FILE.bak.3, …: no earlier one is
 * replaced. Without a file nothing is to be done. */
weft_status place_clear(const char *path, error *e);

/* Opens what lies beside a result and may be anybody's: a plain file under that very name, and
 * without a wait. -1 with errno, which is EMEDIUMTYPE where it is a link, a pipe, a folder. */
int place_open(const char *path, int flags);

/* Whether there is a file that neither begins so nor is empty: then weft did not write it. So is
 * what cannot be read, or is no plain file. */
bool place_is_foreign(const char *path, const char *magic, size_t bytes);

/* Whether a path leads to that very file, still. */
bool place_is_file(const char *path, int fd);

/* Fails if an open file has been removed, moved, replaced by another or cut below its least size.
 */
weft_status place_check(int fd, const char *path, int64_t least_bytes, error *e);

#endif
