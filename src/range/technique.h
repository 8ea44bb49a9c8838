/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The scheduling techniques of level 1: how many tiles the coordinator hands to the rank that asks.
 *
 * N tiles in all, P ranks, R tiles remaining, i chunks handed out so far. A batch is P successive
 * chunks, b = ⌊i/P⌋ the number of the present one, and R_b what remained at its start. µ and σ are
 * mean and deviation of a tile's time, h is what a hand-out costs. Whatever a formula gives, the
 * chunk is at least 1 and at most R. What is not measured yet is named in each paragraph, with what
 * stands in for it. DLS4LB and LB4OMP are the two libraries whose formulas were compared.
 *
 * **auto**: the default; it needs no choice. Let T = R·µ/P be the seconds that all ranks together
 * still have before them, with the µ of late, so that a drift of the cost is followed. The asking
 * rank gets as many tiles as it is expected to finish in c seconds. A chunk's time is uncertain by
 * about σ√k; c is the largest for which the chunk, even if two such deviations longer than
 * expected, takes no more than T/3 (so chunks shrink towards the end, and more so where tiles
 * differ much), no more than a second (a kill loses little, a straggler holds little) and no more
 * than a quarter of the time to the limit. If that makes chunks so short that answering P ranks
 * would take more than 2 % of the coordinator's time, c = 50·P·h instead; but T/3 and the time
 * limit go before. A rank whose speed is not known yet counts as fast as its number of workers
 * says; as long as nothing is known, chunks are of 1 to 4 tiles.
 *
 * **static**: ⌈N/P⌉. The block schedule of OpenMP and HPF.
 *
 * **ss**: 1. Self-scheduling, P. Tang and P.-C. Yew, ICPP 1986.
 *
 * **fsc**: ⌈(√2·N·h / (σ·P·√ln P))^⅔⌉, at most ⌈N/P⌉, and that for P = 1, where ln P is 0.
 * Fixed-size chunking, C. P. Kruskal and A. Weiss, IEEE TSE 11, 1985. As mfsc until σ and h are
 * measured; it then changes with them.
 *
 * **mfsc**: ⌊0.55 + T·ln 2 / ln T⌋ with T = ⌈N/P⌉; 1 for T = 1. About as many chunks as fac2 makes,
 * with nothing to measure: I. Banicescu, F. M. Ciorba and S. Srivastava, 2013; as in DLS4LB.
 *
 * **gss**: ⌈R/P⌉. Guided self-scheduling, C. D. Polychronopoulos and D. J. Kuck, IEEE TC 36, 1987.
 *
 * **tss**: f − iδ with f = ⌈N/2P⌉, n = ⌈2N/(f+1)⌉, δ = ⌊(f−1)/(n−1)⌋. Trapezoid self-scheduling,
 * T. H. Tzen and L. M. Ni, IEEE TPDS 4, 1993. DLS4LB rounds n down, divides integers, and so may
 * end in very many single tiles; here the n chunks always cover N.
 *
 * **fac**: ⌈R_b/(x·P)⌉ with v = P·σ / (2µ√R_b); x = 1 + v² + v√(v²+2) in the first batch and
 * 2 + v² + v√(v²+4) in the others. Factoring, S. F. Hummel, E. Schonberg and L. E. Flynn, CACM 35,
 * 1992; as in LB4OMP. All chunks of a batch use the µ and σ known at its start. As fac2 in batches
 * that start before µ and σ are measured, so always in the first.
 *
 * **fac2**: ⌈R_b/2P⌉. Factoring that halves what is left, from the same article. DLS4LB calls it
 * FAC.
 *
 * **wf**: ⌊w·⌈R_b/2P⌉⌋, w the rank's share of all workers times P. Weighted factoring, S. F.
 * Hummel, J. Schmidt, R. N. Uma and J. Wein, SPAA 1996; rounded as in DLS4LB.
 *
 * **awf-b**: ⌊w·⌈R_b/2P⌉ + 0.55⌋ with the weight w of the rank as measured: π = Σ j·t_j / Σ j·n_j
 * over its reports j = 1, 2, …, each of n_j tiles in t_j seconds; w = P·(1/π) / Σ_q (1/π_q).
 * Adaptive weighted factoring by batches, R. L. Cariño and I. Banicescu, J. Supercomputing 44,
 * 2008; as in DLS4LB. Weights are those known at the start of the batch; a rank not measured by
 * then has w = 1.
 *
 * **awf-c**: the same at every chunk: weights as known now, and R instead of R_b.
 *
 * **awf-d**, **awf-e**: as awf-b and awf-c, with t_j from report to report, so that the overhead of
 * the hand-out is counted as well.
 *
 * **af**: ⌊(E + 2TR − √(E² + 4ETR)) / 2µ_p + 0.55⌋, E = Σ_q σ_q²/µ_q, T = 1 / Σ_q (1/µ_q), with µ_q
 * and σ_q of each rank's last report. Adaptive factoring, I. Banicescu and Z. Liu, HPC 2000; E as
 * in LB4OMP. DLS4LB sums σ/µ, which is not a time and cannot be added to TR. As fac2 for a rank
 * that has not been measured; ranks not measured count in E and T as the mean of the others.
 *
 * **tap**: ⌈t + v²/2 − v√(2t + v²/4)⌉ with t = R/P and v = 1.3·σ/µ. Tapering, S. Lucco, PLDI 1992;
 * as in LB4OMP. ⌈R/P⌉ until µ and σ are measured; 1 where t ≤ v², as the formula turns negative
 * there.
 *
 * **tfss**: the mean of the P tss chunks of a batch, f − bPδ − ⌊δ(P−1)/2⌋. Trapezoid factoring,
 * A. T. Chronopoulos, R. Andonie, M. Benche and D. Grosu, Cluster 2001; as in LB4OMP.
 *
 * **fiss**: ⌊N/(XP)⌋ + b·⌊2N(1−B/X) / (PB(B−1))⌋, B = P − 1 stages, at least 2 so that B − 1 is not
 * 0, X = B + 2. Fixed increase, T. Philip and C. R. Das, PDCS 1997; as in LB4OMP. Chunks grow.
 *
 * **viss**: ⌊k·(1 − 2^−(b+1)) / ½⌋ with k = ⌈N/P²⌉. Variable increase, from the same article; as in
 * LB4OMP with X = P. Chunks grow, up to 2k.
 *
 * **pls**: ⌈N/2P⌉ for the first P chunks, then ⌈R/P⌉. Performance-based loop scheduling, W.-C.
 * Shih, C.-T. Yang and S.-S. Tseng, J. Supercomputing 41, 2007; as in LB4OMP with a static half.
 *
 * **rnd**: uniform in 1 … ⌈N/2P⌉, from the run's seed and i alone, so that a run can be repeated. A
 * baseline of LB4OMP.
 */
#ifndef RANGE_TECHNIQUE_H
#define RANGE_TECHNIQUE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Every technique: X(enumerator, name, function, text, source). A new one is a line here, its
 * function in the chunk_*.c of its family, and a paragraph above.
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
