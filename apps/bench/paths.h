/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * A Monte Carlo whose items leave nothing but what they add to reductions, as apps/montecarlo.
 */
#ifndef BENCH_PATHS_H
#define BENCH_PATHS_H

#include "montecarlo/asian.h"
#include "work.h"

#include <weft/weft.h>

/** The option whose paths are drawn; rows= is how many dates it has. */
static inline asian paths_option(const settings *s)
{
    return (asian){.spot = 100,
                   .strike = 100,
                   .rate = 0.09,
                   .volatility = 0.2,
                   .maturity = 1,
                   .dates = s->rows};
}

/**
 * Draws items= paths with weft.
 *
 * @param session the session
 * @param s       the settings
 * @param mean    out: what a path pays
 * @return how it went
 */
weft_status paths_run(weft_session *session, const settings *s, double *mean);

#endif
