/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * All of weft's public headers, but for weft/gsl.h, which needs the GNU Scientific Library.
 */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include <weft/macros.h>
#include <weft/map.h>
#include <weft/option.h>
#include <weft/plan.h>
#include <weft/random.h>
#include <weft/reduce.h>
#include <weft/result.h>
#include <weft/schedule.h>
#include <weft/session.h>
#include <weft/span.h>
#include <weft/state.h>
#include <weft/status.h>
#include <weft/type.h>
#include <weft/version.h>

#endif
