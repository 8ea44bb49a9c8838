/* SPDX-License-Identifier: BSD-3-Clause */
/* What the launcher is asked for: its command line. */
#ifndef LAUNCH_REQUEST_H
#define LAUNCH_REQUEST_H

#include "launch/words.h"

enum { REQUEST_GO_ON = -1 };

typedef struct request {
    int ranks;   /* 0: not said */
    int workers; /* per rank; 0: not said */
    const char *host_list;
    const char *host_file;
    const char *remote_shell;
    const char *done_folder;
    int grace_s;
    words options; /* of mpirun's */
    bool takes_stdin;
    bool dry_run;
    char **program; /* and its arguments */
} request;

/* Reads the words behind `run`, and sets the level of messages. Returns REQUEST_GO_ON, or the exit
 * status if the help text was asked for, or something was wrong and has been said. */
int request_read(request *r, char *arguments[]);

const char *request_help(void);

#endif
