/* SPDX-License-Identifier: BSD-3-Clause */
/* The place of a result: where its path leads, and how an earlier file there is put aside. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "base/error.h"

enum { PLACE_PATH_BYTES = 4096 };

/* Where a path leads through symbolic links, be there a file at their end or not: what is made,
 * locked and renamed there is the file and not a link to it. Any other path stays as it is. */
weft_status place_find(const char *given, char path[PLACE_PATH_BYTES], error *e);

/* Moves a file to FILE.bak, or if there is one, to FILE.bak.2, FILE.bak.3, …: no earlier one is
 * replaced. Without a file nothing is to be done. */
weft_status place_clear(const char *path, error *e);

#endif
