/* SPDX-License-Identifier: BSD-3-Clause */
/* Which thread of a rank a function runs on, for assertions; src/README.md has the table. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <stdbool.h>

/* The calling thread is, or is no longer, one that weft has started beside the main thread. */
void thread_set_other(bool other);

/* Whether no thread that weft has started calls this. */
bool thread_is_main(void);

#endif
