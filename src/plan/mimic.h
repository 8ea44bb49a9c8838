/* SPDX-License-Identifier: BSD-3-Clause */
/* A rank as a simulation sees it: the decisions of its agent (agent.c), without threads, messages
 * or files. What it decides with is the agent's own: granted.h, pace.h. */
#ifndef PLAN_MIMIC_H
#define PLAN_MIMIC_H

#include "base/error.h"
#include "plan/crew.h"
#include "sched/message.h"
#include "space/job.h"

#include <stdbool.h>
#include <stdint.h>

/* A message on its way, between a rank and the coordinator; only what its kind needs is set. */
typedef struct letter {
    struct letter *next; /* for whoever holds it */
    message_kind kind;
    int rank;          /* that is not the coordinator */
    int64_t want;      /* MESSAGE_ASK */
    news news;         /* MESSAGE_NEWS */
    int64_t left;      /* MESSAGE_RETURN */
    crew_block *block; /* MESSAGE_REPORT; owned */
    int intervals;     /* MESSAGE_GRANT; one of MESSAGE_RETURN */
    interval interval[];
} letter;

/* NULL: out of memory. */
letter *letter_create(message_kind kind, int rank, int intervals);

/* With all behind it; NULL is allowed. */
void letter_destroy(letter *l);

typedef struct mimic mimic;

typedef struct mimic_setup {
    int rank;
    int ranks;
    int workers;
    int64_t call_tiles; /* one call of the kernel gets at most so many */
    bool syncs;
    double sync_pause_ns; /* from the end of a sync to the next */
    const job *job;
    double (*tile_ns)(const void *context, int64_t tile);
    const void *context;
} mimic_setup;

/* What it has others do. */
typedef struct mimic_hooks {
    void *context;
    void (*send)(void *context, letter *l);                /* to the coordinator */
    void (*wake)(void *context, int rank, int worker);     /* there is something to compute */
    void (*sync)(void *context, int rank);                 /* mimic_synced() once it is on disk */
    void (*write)(void *context, int rank, crew_block *b); /* mimic_written() once it is */
} mimic_hooks;

weft_status mimic_create(const mimic_setup *setup, mimic **out, error *e);

/* NULL is allowed. */
void mimic_destroy(mimic *m);

crew *mimic_crew(mimic *m);

/* A message that the agent will find. */
void mimic_deliver(mimic *m, letter *l);

/* A block is in the file, or on disk what was given to the sync. */
void mimic_written(mimic *m, crew_block *b);
void mimic_synced(mimic *m, double now_ns);

/* What the agent does when it looks up. False: out of memory. */
bool mimic_step(mimic *m, double now_ns, const mimic_hooks *hooks);

/* When the agent looks up first, from a time on, if nobody wakes it. */
double mimic_next_look(const mimic *m, double from_ns);

/* Whether it would find something to do; not before *when_ns, which may lie in the past. */
bool mimic_has_to_look(const mimic *m, double *when_ns);

/* Somebody else's work has kept the agent until now: it rests anew. */
void mimic_stay_awake(mimic *m, double now_ns);

#endif
