/* SPDX-License-Identifier: BSD-3-Clause */
/* Logarithm and exponential made of + - * / alone, so that every processor gives the same bits:
 * those of libm depend on the instructions that it finds. */
#ifndef RANDOM_ELEMENTARY_H
#define RANDOM_ELEMENTARY_H

/* ln(1 + x) for -1 < x <= 0, with an error below one unit in the last place. It is rounded as by
 * the method of fdlibm (Sun Microsystems, 1993), since that is what NumPy's numbers come from where
 * libm uses nothing else. */
double elementary_log1p(double x);

/* eˣ for -700 < x <= 0, with an error below one unit in the last place. */
double elementary_exp(double x);

#endif
