/* SPDX-License-Identifier: BSD-3-Clause */
/* The mpirun line for Open MPI 4.1 and 5. No file or system call is involved. */
#ifndef LAUNCH_OPENMPI_H
#define LAUNCH_OPENMPI_H

#include "launch/hosts.h"
#include "launch/words.h"

typedef struct openmpi_run {
    int version; /* of Open MPI: 4 or 5 */
    const hosts *hosts;
    int ranks;
    int workers;      /* per rank; 0: each rank finds out by itself */
    bool binds;       /* ranks to `workers` cores each */
    bool in_slurm;    /* the hosts are those of a Slurm job */
    bool as_root;     /* mpirun is to be told that this is meant */
    bool talks;       /* mpirun says what it does */
    const char *self; /* the path of the program `weft` */
    const char *done; /* the path of the done file */
    words options;    /* further ones of mpirun's */
    char *const *environment;
    char *const *program; /* and its arguments */
} openmpi_run;

/* Reads what `mpirun --version` prints: the version, 4 or 5. What weft cannot run under is an
 * error. */
weft_status openmpi_read_version(const char *text, int *version, error *e);

void openmpi_line(const openmpi_run *run, words *line);

/* Whether a variable of the environment, NAME=VALUE, says of which rank of an older job this
 * process is: such an mpirun would take itself for a part of that job. */
bool openmpi_is_identity(const char *variable);

#endif
