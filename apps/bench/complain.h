/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What the program has to complain of.
 */
#ifndef BENCH_COMPLAIN_H
#define BENCH_COMPLAIN_H

#include <weft/macros.h>

/** One line on stderr, fit for a terminal wherever the words in it come from. */
void complain(const char *format, ...) WEFT_PRINTF(1, 2);

#endif
