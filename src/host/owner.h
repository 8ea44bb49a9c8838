/* SPDX-License-Identifier: BSD-3-Clause */
/* The line in a file that names the process whose it is: a lock file, or a run's folder. */
#ifndef HOST_OWNER_H
#define HOST_OWNER_H

#include "base/clock.h"
#include "host/host.h"

#include <stdbool.h>
#include <stddef.h>

enum { OWNER_BYTES = 256 };

typedef struct owner {
    char host[HOST_NAME_BYTES];
    host_process process; /* its boot is "" in a line of an early version */
    clock_text since;
} owner;

typedef enum owner_line {
    OWNER_NONE,   /* the file is empty: it is about to be written */
    OWNER_NAMED,  /* it holds what weft writes, and nothing else */
    OWNER_FOREIGN /* weft did not write the file, or it is no plain file with a single name */
} owner_line;

/* Whatever it is not, the owner is set, to a process that cannot be seen from here. */
owner_line owner_read(int fd, owner *o);

/* Replaces the line by one that names this process; false if it cannot be written. */
bool owner_write(int fd);

/* Whether the process exists, as far as can be said from here: for one on another host or in
 * another namespace, by the seconds for which it has not touched its file. */
bool owner_lives(const owner *o, double age_s);

/* "pid 12 on host a since …" */
void owner_describe(const owner *o, char *text, size_t bytes);

#endif
