/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What the command line asks for. The processes that the program starts get the same one, and so
 * come to the same plan.
 */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

/** The options. Lists are names with commas; NULL: what is usual. */
typedef struct request {
    int argc;
    char **argv;
    const char *only;
    const char *workloads;
    const char *techniques;
    const char *json;
    const char *image;
    const char *folder;
    int repeat;
    double scale;
    int ranks;     /**< 0: as many as there are cores for */
    int slow_rank; /**< -1: the last */
    int seed;
    int workers; /**< per process, where a measurement does not say otherwise */
    int child;   /**< the measurement to do in this process; -1: it starts the others */
    const char *pipe;
} request;

/** Reads the command line. -1 to go on, or else the exit status. */
int request_read(request *wish, int argc, char **argv);

/** Whether a list holds a name. */
bool request_names(const char *list, const char *name);

#endif
