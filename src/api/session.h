/* SPDX-License-Identifier: BSD-3-Clause */
/* The session's inside, for the public functions on maps. */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "api/options.h"
#include "base/error.h"
#include "comm/comm.h"
#include "engine/layout/placement.h"

#include <stdbool.h>
#include <weft/map.h>
#include <weft/session.h>

/* A file of the session, by its whole name, which has been made or found with the maps that there
 * were. */
typedef struct session_file {
    struct session_file *next;
    run_file file;
    int maps;
    char (*name)[WEFT_NAME_BYTES];
    char path[];
} session_file;

struct weft_session {
    comm *comm;
    const weft_program *program;
    options options; /* rank 0's */
    char *texts;     /* in it */
    placement placement;
    weft_map *maps; /* that are not destroyed, in the order in which they were described */
    session_file *files;
    int64_t runs;
    char name[WEFT_NAME_BYTES]; /* of the program */
    char command[256];
    error error;
};

/* How long collective calls wait: for ranks that come from the same call before … */
void session_expect_all(weft_session *s);

/* … and for such as may first have something of their own to do. */
void session_allow_absence(weft_session *s);

#endif
