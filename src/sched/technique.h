/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The scheduling techniques of level 1: how many tiles the coordinator hands to the rank that asks.
 * weft/schedule.h says what each of them does.
 */
#ifndef SCHED_TECHNIQUE_H
#define SCHED_TECHNIQUE_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/schedule.h>

/**
 * Every technique: X(enumerator, name, function, text, source). A new one is a line here, its
 * function in the chunk_*.c of its family, and a paragraph in weft/schedule.h.
 */
#define TECHNIQUE_MAP(X)                                                                           \
    X(TECHNIQUE_AUTO, "auto", chunk_auto, "learns as it goes, chunks of at most a second", "weft") \
    X(TECHNIQUE_STATIC, "static", chunk_static, "one equal chunk per rank, N/P",                   \
      "the block schedule of OpenMP and HPF")                                                      \
    X(TECHNIQUE_SS, "ss", chunk_ss, "self-scheduling, one tile at a time", "Tang & Yew 1986")      \
    X(TECHNIQUE_FSC, "fsc", chunk_fsc, "fixed size, from overhead and deviation",                  \
      "Kruskal & Weiss 1985")                                                                      \
    X(TECHNIQUE_MFSC, "mfsc", chunk_mfsc, "fixed size, about as many chunks as fac2",              \
      "Banicescu, Ciorba & Srivastava 2013")                                                       \
    X(TECHNIQUE_GSS, "gss", chunk_gss, "guided self-scheduling, R/P",                              \
      "Polychronopoulos & Kuck 1987")                                                              \
    X(TECHNIQUE_TSS, "tss", chunk_tss, "trapezoid, from N/2P down by equal steps",                 \
      "Tzen & Ni 1993; n rounded up, unlike DLS4LB")                                               \
    X(TECHNIQUE_FAC, "fac", chunk_fac, "factoring by measured deviation",                          \
      "Hummel, Schonberg & Flynn 1992")                                                            \
    X(TECHNIQUE_FAC2, "fac2", chunk_fac2, "factoring, P equal chunks of R/2P",                     \
      "Hummel, Schonberg & Flynn 1992")                                                            \
    X(TECHNIQUE_WF, "wf", chunk_wf, "factoring, weighted by workers",                              \
      "Hummel, Schmidt, Uma & Wein 1996")                                                          \
    X(TECHNIQUE_AWF_B, "awf-b", chunk_awf_batch, "weights measured, set per batch",                \
      "Cariño & Banicescu 2008")                                                                   \
    X(TECHNIQUE_AWF_C, "awf-c", chunk_awf_chunk, "weights measured, set per chunk",                \
      "Cariño & Banicescu 2008")                                                                   \
    X(TECHNIQUE_AWF_D, "awf-d", chunk_awf_batch, "awf-b, overhead included",                       \
      "Cariño & Banicescu 2008")                                                                   \
    X(TECHNIQUE_AWF_E, "awf-e", chunk_awf_chunk, "awf-c, overhead included",                       \
      "Cariño & Banicescu 2008")                                                                   \
    X(TECHNIQUE_AF, "af", chunk_af, "factoring by each rank's mean and deviation",                 \
      "Banicescu & Liu 2000; as LB4OMP, not DLS4LB")                                               \
    X(TECHNIQUE_TAP, "tap", chunk_tap, "tapering, R/P less 1.3 deviations", "Lucco 1992")          \
    X(TECHNIQUE_TFSS, "tfss", chunk_tfss, "trapezoid by batches of equal chunks",                  \
      "Chronopoulos et al. 2001")                                                                  \
    X(TECHNIQUE_FISS, "fiss", chunk_fiss, "chunks grow by equal steps", "Philip & Das 1997")       \
    X(TECHNIQUE_VISS, "viss", chunk_viss, "chunks grow by steps that halve", "Philip & Das 1997")  \
    X(TECHNIQUE_PLS, "pls", chunk_pls, "half in equal chunks, then gss",                           \
      "Shih, Yang & Tseng 2007")                                                                   \
    X(TECHNIQUE_RND, "rnd", chunk_rnd, "random up to N/2P, from the seed",                         \
      "a baseline, as in LB4OMP")

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

/** All names for a message: "auto, static, ss, …". */
const char *technique_names(void);

/**
 * All that a technique may look at when a rank asks. Times are in seconds. A rank's time per tile
 * is that of its whole team: with four workers a quarter of what a tile takes a worker. What has
 * not been measured yet is 0; what cannot be (negative, infinite, not a number) counts as not
 * measured.
 */
typedef struct outlook {
    int64_t total;           /**< N: tiles at the start */
    int64_t remaining;       /**< R: tiles not handed out yet, at least 1 */
    int64_t ranks;           /**< P, at least 1 */
    int64_t step;            /**< i: chunks handed out so far */
    int64_t batch_remaining; /**< R at the start of the present batch of P chunks */
    int64_t want;            /**< tiles that the asking rank can use now; 0: not known */
    double mean;             /**< µ: a rank's time per tile, over all ranks and all tiles so far */
    double deviation;        /**< σ of it */
    double recent;           /**< µ of the tiles computed last, over all ranks: the cost's drift */
    double overhead;         /**< h: what a hand-out costs */
    double weight;           /**< w_p of the asking rank, from its number of workers; Σ w = P */
    double adapted_weight;   /**< w_p of the asking rank, as measured for awf-*; Σ w = P */
    double rank_mean;        /**< µ_p of the asking rank's last report */
    double rank_deviation;   /**< σ_p of it */
    double rank_recent; /**< µ_p of its tiles computed last; few of them, or none, are eked out
                             with the mean of all ranks */
    double spread;      /**< E = Σ_q σ_q² / µ_q over the ranks measured so far, scaled to P */
    double rate;        /**< Σ_q 1 / µ_q: tiles per second of all ranks, those not measured
                             yet taken as the mean of the others */
    double time_left;   /**< until the time limit; 0: there is none */
    uint64_t seed;      /**< for rnd */
} outlook;

/** The chunk that a technique gives: 1 … o->remaining tiles. A pure function. */
int64_t technique_chunk(technique t, const outlook *o);

#endif
