/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The scheduling techniques, which `--schedule` chooses by name: how many tiles a rank is handed
 * when it asks for work.
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
 * differ much), no more than a second (a kill loses little, a straggler holds little), no more than
 * a quarter of the time to the limit, and no more than the rank asks for, which keeps it busy until
 * it can ask again: about 60 ms, longer with more than a thousand ranks. If that makes chunks so
 * short that answering P ranks would take more than 2 % of the coordinator's time, c = 50·P·h
 * instead; but T/3 and the time limit go before. A rank whose speed is not known yet counts as fast
 * as its number of workers says; as long as nothing is known, chunks are of 1 to 4 tiles.
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
 *
 * Whatever the technique, a rank that asks gets several chunks at once if one is done before the
 * next could be there; and when all has been handed out, a rank with nothing left takes over half
 * of what the one with most has not begun.
 */
#ifndef WEFT_SCHEDULE_H
#define WEFT_SCHEDULE_H

#include <weft/macros.h>

WEFT_BEGIN_DECLS

/**
 * The techniques by their names.
 *
 * @local Any thread.
 * @param number 0 for the first, and so on
 * @return a static string; NULL if there is no technique of that number
 */
WEFT_API const char *weft_schedule_name(int number);

/**
 * What a technique does and where it comes from.
 *
 * @local Any thread.
 * @param number 0 for the first, and so on
 * @return one line, a static string; NULL if there is no technique of that number
 */
WEFT_API const char *weft_schedule_text(int number);

WEFT_END_DECLS

#endif
