/* SPDX-License-Identifier: BSD-3-Clause */
/* What the agent of a rank decides: when to ask for tiles, what to offer to the team and to take
 * back from it, what to give back, when results are forced to disk and reported, when to leave.
 * Messages, facts of the team and the time go in; what is to be done comes out through hooks. A
 * run, its simulation and unit tests drive the same code. */
#ifndef SCHED_DESK_H
#define SCHED_DESK_H

#include "base/error.h"
#include "sched/message.h"
#include "sched/pace.h"
#include "space/job.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct desk desk;

/* What is on offer in the team. */
typedef struct desk_team {
    int64_t stock;   /* tiles that no worker has taken */
    int64_t tile_ns; /* recent mean of a tile's time; 0 while unknown */
    bool full;       /* no block can be offered before one is collected */
    bool idle;       /* every block that was offered has been collected */
    bool waits;      /* some worker has nothing to do */
} desk_team;

/* The report of a block, with what follows it. */
typedef struct parcel {
    struct parcel *next; /* for the lists of whoever holds it */
    size_t bytes;        /* of the message */
    message_report report;
} parcel;

/* A block that the team has finished. */
typedef struct desk_block {
    interval all;
    int64_t kept; /* its tiles from here on were cut off */
    news news;    /* of those that have been computed */
    /* Whether tile all.first + i has been computed. */
    bool (*done)(const void *data, int64_t i);
    const void *data;
} desk_block;

/* What the desk has others do. */
typedef struct desk_hooks {
    desk_team (*look)(void *context);
    /* Offers a block of at most desk_room() tiles; false if there are too many blocks. */
    bool (*offer)(void *context, interval p);
    /* Cuts at most `most` tiles off the youngest block of which more than `keep` have not been
     * begun, which leaves it at least that many; false if there is no such block. */
    bool (*cut)(void *context, int64_t keep, int64_t most, interval *p);
    /* Nothing more is begun: blocks finish with the tiles that have been. */
    void (*halt)(void *context);
    /* Sends a message to the coordinator, or the report of a block; or frees a report that is of no
     * use any more. */
    void (*send)(void *context, const void *bytes, size_t count);
    void (*report)(void *context, parcel *p);
    void (*drop)(void *context, parcel *p);
    /* The rank cannot go on. */
    void (*fail)(void *context, const error *why);
    /* Begins to force to disk what is written: desk_synced() once it is there. */
    void (*sync)(void *context);
    /* Ends children that compute; true while any thread waits for one. */
    bool (*end_children)(void *context);
} desk_hooks;

typedef struct desk_setup {
    int workers;
    int ranks;
    const job *job;
    double sync_s; /* results are forced to disk at least this often, before they are reported; 0:
                      never */
    const desk_hooks *hooks; /* they live longer, and so does … */
    void *context;           /* … what they are given */
} desk_setup;

/* How the rank takes part in the run. */
typedef enum desk_state {
    DESK_WORKS,
    DESK_ENDS,       /* the run is over, and what is in progress here comes to its end */
    DESK_IS_DONE,    /* so has that */
    DESK_GIVES_UP,   /* others have done what a kernel is still at, or the run has to end at once */
    DESK_LEAVES_DISK /* the disk has not answered in time */
} desk_state;

weft_status desk_create(const desk_setup *setup, desk **out, error *e);

/* NULL is allowed. */
void desk_destroy(desk *d);

/* The largest block, in tiles. */
int64_t desk_room(const desk *d);

/* The team has finished a block, whose bytes are in the file. The desk takes the parcel, the report
 * of the block. */
void desk_finish(desk *d, const desk_block *b, parcel *p);

/* What was given to the last sync is on disk, which took `seconds`. */
void desk_synced(desk *d, double seconds);

/* After all that the team had finished: tells the coordinator, and reports what may be recorded.
 * True if there was anything. */
bool desk_report(desk *d, int64_t now_ns);

/* A message from the coordinator. */
void desk_receive(desk *d, const void *bytes, int64_t now_ns);

/* The signal that this process has got, or SIGNAL_CANCEL, which the coordinator is told once; 0:
 * none. */
void desk_signal(desk *d, int number);

/* Everything else that is due: keeps workers in work, or ends. The files are still being written to
 * if `writing`. */
desk_state desk_step(desk *d, bool writing, int64_t now_ns);

/* Whether workers wait, or the end does, so that every moment counts; or an answer is late, perhaps
 * since there is nothing left to hand out, and ranks soon give back what they have. */
urgency desk_urgency(const desk *d, int64_t now_ns);

/* Whether a step would find anything to do; not before *when_ns, which may lie in the past. */
bool desk_due(const desk *d, int64_t *when_ns);

#endif
