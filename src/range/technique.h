/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The scheduling techniques of level 1: how many tiles the coordinator hands to the rank that asks.
 */
#ifndef RANGE_TECHNIQUE_H
#define RANGE_TECHNIQUE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Every technique: X(enumerator, name, function, text, source). A new one is a line here and its
 * function in technique.c.
 *
 * N tiles in all, P ranks, R tiles remaining; fac2 looks at R as it was at the start of the batch,
 * which is P chunks long.
 */
#define TECHNIQUE_MAP(X)                                                                      \
    X(TECHNIQUE_STATIC, "static", chunk_static, "one equal chunk per rank, N/P",              \
      "the block schedule of OpenMP and HPF")                                                 \
    X(TECHNIQUE_SS, "ss", chunk_ss, "self-scheduling, one tile at a time", "Tang & Yew 1986") \
    X(TECHNIQUE_GSS, "gss", chunk_gss, "guided self-scheduling, R/P",                         \
      "Polychronopoulos & Kuck 1987")                                                         \
    X(TECHNIQUE_FAC2, "fac2", chunk_fac2, "factoring, P equal chunks of R/2P",                \
      "Hummel, Schonberg & Flynn 1992")

/** The techniques, in the order of their table. */
typedef enum technique {
#define TECHNIQUE_ENUM(enumerator, name, function, text, source) enumerator,
    TECHNIQUE_MAP(TECHNIQUE_ENUM)
#undef TECHNIQUE_ENUM
        TECHNIQUE_COUNT /**< how many there are */
} technique;

/** The technique of a name. False, and @p t unchanged, if there is none. */
bool technique_find(const char *name, technique *t);

/** A technique's name, such as "gss"; "?" for a value that is not a technique. */
const char *technique_name(technique t);

/** What a technique does and where it comes from, in one line; "?" if it is not a technique. */
const char *technique_text(technique t);

/** All names for a message: "static, ss, gss, fac2". */
const char *technique_names(void);

/** The state of the hand-out over one run. Set with schedule_init(). */
typedef struct schedule {
    technique technique;
    int64_t total;           /**< N: tiles at the start */
    int64_t remaining;       /**< R: tiles not handed out yet */
    int64_t ranks;           /**< P */
    int64_t minimum;         /**< m: the smallest chunk, but for the last */
    int64_t step;            /**< i: chunks handed out so far */
    int64_t batch_remaining; /**< R at the start of the present batch of P chunks */
} schedule;

/** Starts a hand-out of total_tiles >= 0 to ranks >= 1; a minimum below 1 counts as 1. */
void schedule_init(schedule *s, technique t, int64_t total_tiles, int64_t ranks, int64_t minimum);

/** The next chunk's size in tiles, min(R, max(m, k)), and takes it off R; 0 when R is 0. */
int64_t schedule_next(schedule *s);

#endif
