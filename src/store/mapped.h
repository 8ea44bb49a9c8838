/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is mapped from a file, and whose file may become unusable under it. */
#ifndef STORE_MAPPED_H
#define STORE_MAPPED_H

#include <stddef.h>

/* From here on a process that touches this piece of mapped memory is not ended when the file system
 * cannot give or take the page (removed on another host, turned read-only, out of order): the
 * memory then becomes the process's own, and the file learns no more of it. One piece at a time. */
void mapped_guard(void *memory, size_t bytes);

void mapped_unguard(void);

#endif
