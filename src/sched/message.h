/* SPDX-License-Identifier: BSD-3-Clause */
/* What agents and the coordinator tell each other. */
#ifndef SCHED_MESSAGE_H
#define SCHED_MESSAGE_H

#include "base/error.h"
#include "base/states.h"
#include "sched/dispatch.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum message_kind {
    /* agent to coordinator */
    MESSAGE_ASK,    /* the rank can take this many tiles, or waits for them by now */
    MESSAGE_NEWS,   /* I have computed this much, and report it once it is on disk */
    MESSAGE_REPORT, /* these tiles are in the file; followed by tile records and failure rows */
    MESSAGE_SIGNAL, /* I have been told to stop */
    MESSAGE_FAIL,   /* I cannot go on */
    MESSAGE_LEFT,   /* I have drained after MESSAGE_STOP, or wait for the disk alone */
    MESSAGE_RETURN, /* the answer to MESSAGE_RECALL: I give these pieces back, or none */
    MESSAGE_ALIVE,  /* I am still here */
    MESSAGE_DEAD,   /* that rank's process has ended */
    /* coordinator to agent */
    MESSAGE_GRANT,  /* compute these pieces */
    MESSAGE_RECALL, /* another rank is idle: give back half of what you have not begun */
    MESSAGE_STOP,   /* begin nothing more, report what is done, then MESSAGE_LEFT */
    MESSAGE_END,    /* the run is over */
    MESSAGE_BEAT,   /* the coordinator is still here */
    MESSAGE_REJOIN  /* you were presumed dead, and what you had is with others: drop what you have
                       not begun, and ask anew */
} message_kind;

/* Every message begins with its kind. What depends on which tiles a rank has carries its epoch: how
 * often it has had to rejoin; what it said before is out of date. */
typedef struct message_ask {
    message_kind kind;
    int32_t epoch;
    int64_t want; /* 0: still what it has asked for */
    bool idle;    /* workers have nothing to compute, … */
    bool soon;    /* … or perhaps before a rank that rests has looked */
} message_ask;

typedef struct message_news {
    message_kind kind;
    news news;
} message_news;

/* What the workers of a rank have spent since the start of the run. */
typedef struct rank_effort {
    int64_t busy_ns;  /* in spans that are computed */
    int64_t worst_ns; /* of the busiest of them */
    int64_t cpu_ns;   /* of a core's time that they had for it */
    int64_t wait_ns;  /* and that they waited for one */
    states states;
} rank_effort;

typedef struct message_report {
    message_kind kind;
    int32_t failures;
    int64_t first;
    int64_t tiles;
    rank_effort effort;
    int64_t sync_ns; /* that it took to force results to disk, the last time */
} message_report;

/* In place of a signal's number: the program has cancelled the map. */
enum { SIGNAL_CANCEL = -1 };

typedef struct message_signal {
    message_kind kind;
    int32_t number;
} message_signal;

typedef struct message_fail {
    message_kind kind;
    error error;
} message_fail;

typedef struct message_alive {
    message_kind kind;
    int64_t clock_ns; /* the sender's */
    rank_effort effort;
} message_alive;

/* How far the run is. */
typedef struct tally {
    int64_t leased; /* tiles */
    int64_t undone; /* tiles, these included */
    int64_t items;  /* done */
    int64_t failed; /* of these */
    int32_t workers[WEFT_STATES];
} tally;

typedef struct message_beat {
    message_kind kind;
    tally tally;
    int64_t heard_ns; /* the newest clock that has come from the rank; 0: none has */
} message_beat;

typedef struct message_dead {
    message_kind kind;
    int32_t rank;
} message_dead;

typedef struct message_left {
    message_kind kind;
    bool dropped; /* a kernel had not returned in time */
    bool writing; /* not yet: what is written has still to reach the disk, and is reported then */
} message_left;

typedef struct message_grant {
    message_kind kind;
    int32_t intervals;
    interval interval[ORDER_INTERVALS];
} message_grant;

typedef struct message_return {
    message_kind kind;
    int32_t epoch;
    int32_t intervals;
    int64_t left; /* tiles that no worker has begun, after that */
    interval interval[ORDER_INTERVALS];
} message_return;

typedef struct message_stop {
    message_kind kind;
    int64_t grace_ns; /* how long a kernel in flight may take to return */
    int64_t disk_ns;  /* how long the disk may take after that */
} message_stop;

typedef struct message_end {
    message_kind kind;
    bool broken;     /* a rank is presumed dead, or has left without finishing: it is not waited for
                        in MPI, and a kernel that is still in progress, of items that others have
                        done, is not waited for either */
    bool cancelled;  /* if it has stopped: since the program has cancelled the map */
    error error;     /* why, if the run is not complete */
    int64_t disk_ns; /* for which a rank may wait for its disk; INT64_MAX: as long as it takes */
} message_end;

typedef struct message_rejoin {
    message_kind kind;
    int32_t epoch;
} message_rejoin;

/* Whether somebody waits for it, so that its receiver is to be woken. What else there is to say of
 * a report, its sender knows. */
static inline bool message_rings(const void *bytes)
{
    switch (*(const message_kind *)bytes) {
    case MESSAGE_ASK:
        return ((const message_ask *)bytes)->idle || ((const message_ask *)bytes)->soon;
    case MESSAGE_SIGNAL:
    case MESSAGE_FAIL:
    case MESSAGE_LEFT:
    case MESSAGE_RETURN:
    case MESSAGE_DEAD:
    case MESSAGE_GRANT:
    case MESSAGE_RECALL:
    case MESSAGE_STOP:
    case MESSAGE_END:
    case MESSAGE_REJOIN:
        return true;
    case MESSAGE_NEWS:
    case MESSAGE_REPORT:
    case MESSAGE_ALIVE:
    case MESSAGE_BEAT:
        break;
    }
    return false;
}

#endif
