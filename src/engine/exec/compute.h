/* SPDX-License-Identifier: BSD-3-Clause */
/* Computes the tiles of a block span by span, and records them.
 *
 * Thread: any worker, on tiles that no other worker has taken. */
#ifndef ENGINE_EXEC_COMPUTE_H
#define ENGINE_EXEC_COMPUTE_H

#include "engine/flow/block.h"

#include <stdint.h>

/* Computes tiles of the block, counted within it, from start_ns on; returns the clock's end. If the
 * run is to stop, some are left out. Any worker. */
int64_t block_compute(block *b, int worker, int64_t first, int64_t tiles, int64_t start_ns);

#endif
