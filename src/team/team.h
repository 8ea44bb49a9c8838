/* SPDX-License-Identifier: BSD-3-Clause */
/* The team of a rank: its workers, who live for the session, and the lanes in which runs have them
 * compute; where there is nothing to compute they sleep.
 *
 * Thread: the main thread, but for team_lane(), which is for any. */
#ifndef TEAM_TEAM_H
#define TEAM_TEAM_H

#include "base/error.h"
#include "host/host.h"

typedef struct team team;
typedef struct lane lane;

/* So many runs may be under way at a time. */
enum { TEAM_LANES = 2 };

/* A team of `workers` workers; 0: the agent's own thread alone. At most `blocks` blocks are on
 * offer or in work at a time in a lane. Worker i stays on the cores pin[i], as far as the system
 * allows it; NULL: where it is. The agent goes where it likes, so that it need not wait for a
 * worker to pause; nor is a main thread pinned that computes without workers. */
weft_status team_create(int workers, int blocks, const host_cores pin[], team **out, error *e);

/* Ends the workers, of which one that does not return from the kernel is not waited for for ever.
 * NULL is allowed. */
void team_destroy(team *t);

/* A lane, from 0. */
lane *team_lane(team *t, int number);

#endif
