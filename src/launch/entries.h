/* SPDX-License-Identifier: BSD-3-Clause */
/* The entries of a folder. */
#ifndef LAUNCH_ENTRIES_H
#define LAUNCH_ENTRIES_H

/* Calls `visit` for each entry, "." and ".." too, of the folder `name` in the folder `at`, such as
 * AT_FDCWD; `folder` is its descriptor. A link is not followed; what cannot be read has none. */
void entries_visit(int at, const char *name,
                   void (*visit)(int folder, const char *entry, void *context), void *context);

#endif
