/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between ranks. Sole owner of MPI.
 *
 * Thread: one at a time for each communicator, and only where comm_multiple() says so another one
 * for another communicator.
 *
 * A process that is alone agrees with itself, and sends nothing: where nobody has asked for MPI, it
 * is never started. */
#ifndef COMM_COMM_H
#define COMM_COMM_H

#include "base/account.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct comm comm;
struct bell;

/* Starts MPI where `mpi` asks for it, or a launcher has started this process as one of its ranks,
 * unless the program has started it. MPI that has been ended is an error where it is asked for,
 * and else as if it were not there. Collective. A peer that has died must not take this rank with
 * it: to SIGPIPE signals_begin() has seen before. */
weft_status comm_open(int *argc, char ***argv, bool mpi, comm **out, error *e);

/* Learns where all ranks' processes are, so that a death on this machine is noticed. Collective. */
weft_status comm_meet(comm *c, error *e);

/* Whether MPI may be called by several threads at a time. */
bool comm_multiple(const comm *c);

/* A communicator of the same ranks for another thread: its calls, runs and messages are apart from
 * the trunk's and those of other branches, of which there may be any number. What they send goes
 * through one queue. That a rank has died, or is not coming, is known to all of them at once; a
 * wait that was given up for another reason breaks only the one on which it was. To be closed
 * before the trunk. Collective, after comm_meet(), while no other thread uses any of them. */
weft_status comm_branch(comm *trunk, comm **out, error *e);

/* Ends MPI if comm_open() started it. Collective, unless comm_broken(). NULL is allowed. */
void comm_close(comm *c);

int comm_rank(const comm *c);
int comm_size(const comm *c);

/* A collective call waits for the other ranks at most limit_ns (0, as at first: for ever), and less
 * if one is known to have died; then it fails, and the communication is broken. */
void comm_set_patience(comm *c, int64_t limit_ns);

/* Whether the launcher lets a job go on when one of its ranks dies. Else it ends them all. */
bool comm_recovers(void);

/* A rank has died, or is not coming: from here on every collective call fails at once, on the trunk
 * and all its branches, also one that waits already. */
void comm_break(comm *c);

bool comm_broken(const comm *c);

/* Collective: root's bytes go to all ranks. */
weft_status comm_broadcast(comm *c, int root, void *bytes, size_t count, error *e);

/* Collective: every rank gets all ranks' `count` bytes, in the order of ranks. */
weft_status comm_gather(comm *c, const void *mine, size_t count, void *all, error *e);

/* Collective: each rank says what its own part has come to; all get the status and the error of the
 * lowest rank that has failed. If the call itself fails, its own failure stays, or that one. */
weft_status comm_agree(comm *c, weft_status own, error *e);

/* As comm_agree(), at the beginning of a public function: all ranks have called the same one, and
 * the account, which may be NULL, is the same on all of them; else all get an error that says what
 * differs. After different calls there is no other that all ranks make: each collective call, on
 * the trunk and all its branches, fails with this error from then on, also one that waits already,
 * but comm_close() is in order. */
weft_status comm_agree_on(comm *c, const char *call, const account *a, weft_status own, error *e);

/* Whether ranks have made different calls. */
bool comm_diverged(const comm *c);

/* This rank, of which no other thread uses the trunk or its branches any more, makes its last call
 * on a branch, and then on the trunk: if it waits there for long, a rank that waits for it on any
 * other of them, since it has made another call, is given the error, and that one is broken. */
void comm_leave(comm *branch, const error *why);

/* As comm_agree() when nothing is left to do but to end: if a rank has died since, every rank keeps
 * what it has, and the communicator is broken. */
weft_status comm_agree_at_end(comm *c, weft_status own, error *e);

/* The bell of this rank on this communicator. */
struct bell *comm_bell(comm *c);

/* Whether it rings when a message comes that is sent so, from whichever rank; and all that has been
 * sent has been received. */
bool comm_rings(const comm *c);

/* Waits, asleep, until what has been sent, but for what is held or dropped, is on its way, for
 * `limit_ns` at most. */
void comm_flush(comm *c, int64_t limit_ns);

#endif
