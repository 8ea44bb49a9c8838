/* SPDX-License-Identifier: BSD-3-Clause */
/* What the coordinator's decisions do: a run sends messages and writes files, a test looks on. */
#ifndef SCHED_EFFECTS_H
#define SCHED_EFFECTS_H

#include "base/error.h"
#include "sched/message.h"
#include "space/interval.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct effects {
    void *context; /* the first argument of each */

    /* A copy of the bytes goes to a rank; an error if the rank cannot be reached. */
    weft_status (*send)(void *context, int rank, const void *bytes, size_t count, error *e);

    /* From here on nothing leaves for a rank, or all that has been held back does. */
    void (*hold)(void *context, int rank, bool held);

    /* What has not left for a rank is dropped, and what is in flight to it not waited for. */
    void (*drop)(void *context, int rank);

    /* Whether anything for a rank has not arrived yet. */
    bool (*waiting)(void *context, int rank);

    /* The file is to say that these tiles are leased; *ticket stands for that and all before. */
    weft_status (*lease)(void *context, const interval granted[], int intervals, int64_t *ticket,
                         error *e);

    /* Whether the file says so, for that ticket; an error if it never will. */
    weft_status (*leased)(void *context, int64_t ticket, bool *written, error *e);

    /* Records those tiles of a report that dispatch_report() takes; `count` is its bytes. */
    weft_status (*record)(void *context, int rank, const message_report *report, size_t count,
                          error *e);

    /* A rank is presumed dead that had `tiles` tiles; one that was presumed dead is back. */
    void (*lost)(void *context, int rank, int64_t tiles, const char *why);
    void (*back)(void *context, int rank);

    /* The items of the job that are done, and of these, those that failed. */
    void (*count)(void *context, int64_t *done, int64_t *failed);

    /* The run is about to stop: for this signal, or SIGNAL_CANCEL, or, if that is 0, for its time
     * limit. */
    void (*stopping)(void *context, int signal);

    /* The run is over, for that reason: what is recorded goes to the disk … */
    weft_status (*close)(void *context, weft_status why, error *e);

    /* … and whether that has come to an end; an error if it has failed. */
    weft_status (*closed)(void *context, bool *closed, error *e);

    void (*warn)(void *context, const char *text);
} effects;

#endif
