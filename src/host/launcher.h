/* SPDX-License-Identifier: BSD-3-Clause */
/* What launchers of parallel programs say of this process in its environment. */
#ifndef HOST_LAUNCHER_H
#define HOST_LAUNCHER_H

#include <stdbool.h>

/* Whether a launcher says that this process is a rank of its job, perhaps the only one: MPI may
 * know of the others. Slurm's own variables in a batch script or an interactive shell do not say
 * that. */
bool launcher_is_there(void);

typedef struct launcher_claim {
    const char *rank_variable;
    const char *size_variable; /* NULL: the launcher tells the rank alone */
    int rank;
    int size; /* 0: not told */
} launcher_claim;

/* Whether a launcher says that this process is one of several. Not if another says that it is
 * alone, and not where variables have only been inherited: from a launcher that is gone, or through
 * an interactive shell. To be asked before MPI starts, which may set variables of its own. */
bool launcher_claims_several(launcher_claim *claim);

#endif
