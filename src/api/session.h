/* SPDX-License-Identifier: BSD-3-Clause */
/* The session's inside, for the public functions on maps. */
#ifndef API_SESSION_H
#define API_SESSION_H

#include "api/options.h"
#include "base/error.h"
#include "comm/comm.h"
#include "engine/flow/run_options.h"
#include "engine/layout/placement.h"

#include <stdbool.h>
#include <weft/map.h>
#include <weft/session.h>

/* A file of the session, by its whole name, and the maps that there were when the first of them was
 * started: with these it is made, or has been found. */
typedef struct session_file {
    struct session_file *next;
    run_file file; /* of who drives a run */
    int starts;    /* of its maps, how many are under way */
    int maps;
    char (*name)[WEFT_NAME_BYTES];
    struct job **job; /* NULL: destroyed; needed until the file is made */
    char path[];
} session_file;

struct weft_session {
    comm *comm;        /* for runs, and for the main thread while none is under way */
    comm *second_comm; /* for a run beside another one; NULL: there is none */
    comm *main_comm;   /* for the main thread, once it has started a map, … */
    bool started;      /* … which it has */
    struct service *service;
    const weft_program *program;
    options options; /* rank 0's */
    char *texts;     /* in it */
    placement placement;
    weft_map *maps; /* that are not destroyed, in the order in which they were described */
    session_file *files;
    int64_t runs;
    int64_t turns;              /* maps from the first one on that was started */
    char name[WEFT_NAME_BYTES]; /* of the program */
    char command[256];
    error error;
    error failed; /* the session could not be opened, or has no memory for a map: all that follows
                     fails, and this is what it ends with */
};

/* How long collective calls wait: for ranks that come from the same call before … */
void session_expect_all(const weft_session *s, comm *c);

/* … and for such as may first have something of their own to do. */
void session_allow_absence(const weft_session *s, comm *c);

#endif
