/* SPDX-License-Identifier: BSD-3-Clause */
/* Which thread of a rank a function runs on, for assertions; src/README.md has the table. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>

/* The calling thread is, or is no longer, one that weft has started, and which drives no run. */
void thread_set_other(bool other);

/* Whether the calling thread may be a driver, as headers call the thread that drives a run: it is
 * the program's, or the service thread. */
bool thread_drives(void);

#endif
