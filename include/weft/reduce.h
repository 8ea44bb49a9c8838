/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Reductions: many values become a few numbers, with the same bits however the values are shared
 * out.
 *
 * A reduction is described by a weft_reduction: WEFT_SUM, WEFT_INT64_SUM, WEFT_MOMENTS,
 * WEFT_EXTREMES, or what weft_covariance_of(), weft_histogram_of(), weft_quantiles_of() and
 * weft_reducer_of() return. An accumulator is memory of a fixed size, weft_reduction_bytes(),
 * aligned to 8 bytes, without pointers: it may be copied, sent, and written to a file.
 *
 * @code
 * weft_reduction exact = WEFT_SUM;
 * weft_sum *sum = malloc((size_t)weft_reduction_bytes(&exact));
 * double total;
 * weft_reduction_init(&exact, sum);
 * weft_sum_add_array(sum, n, x);
 * weft_reduction_finish(&exact, sum, &total);
 * @endcode
 *
 * The value of WEFT_SUM, WEFT_INT64_SUM, WEFT_EXTREMES, histograms and quantiles is the same for
 * any order of additions and merges. That of moments and covariances depends on the order in the
 * last digits, but not on the processor. NaN as a value has always the same bits.
 */
#ifndef WEFT_REDUCE_H
#define WEFT_REDUCE_H

#include <stdint.h>
#include <weft/macros.h>
#include <weft/status.h>
#include <weft/type.h>

WEFT_BEGIN_DECLS

/** The largest accumulator, and the largest value, in bytes. */
#define WEFT_MAX_ACCUMULATOR_BYTES (INT64_C(1) << 26)

/** The largest number of variables of a covariance. */
#define WEFT_MAX_VARIABLES 256

/** The largest number of probabilities of a reduction to quantiles. */
#define WEFT_MAX_PROBABILITIES 1024

/** Every kind of reduction: X(enumerator, name). */
#define WEFT_REDUCTION_MAP(X)             \
    X(WEFT_REDUCE_SUM, sum)               \
    X(WEFT_REDUCE_INT64_SUM, int64_sum)   \
    X(WEFT_REDUCE_MOMENTS, moments)       \
    X(WEFT_REDUCE_COVARIANCE, covariance) \
    X(WEFT_REDUCE_EXTREMES, extremes)     \
    X(WEFT_REDUCE_HISTOGRAM, histogram)   \
    X(WEFT_REDUCE_QUANTILES, quantiles)   \
    X(WEFT_REDUCE_OWN, own)

/** The kind of a reduction. */
typedef enum weft_reduction_kind {
#define WEFT_REDUCTION_ENUM(enumerator, name) enumerator,
    WEFT_REDUCTION_MAP(WEFT_REDUCTION_ENUM)
#undef WEFT_REDUCTION_ENUM
        WEFT_REDUCE_KINDS /**< how many kinds there are */
} weft_reduction_kind;

/** Makes an empty accumulator. */
typedef void (*weft_reducer_init_fn)(void *accumulator, void *context);

/** Adds to an accumulator what another one holds, which comes behind it. */
typedef void (*weft_reducer_merge_fn)(void *accumulator, const void *next, void *context);

/** Makes the value of an accumulator. */
typedef void (*weft_reducer_finish_fn)(const void *accumulator, void *value, void *context);

/**
 * A reduction of the caller's own. Its accumulator is plain memory without pointers, all bytes of
 * which are defined. Merges come in a fixed order, so that merge need not be commutative; it has to
 * be associative where the value is to be the same for every grain.
 */
typedef struct weft_reducer {
    int64_t bytes;                 /**< of the accumulator, 1 to WEFT_MAX_ACCUMULATOR_BYTES */
    weft_reducer_init_fn init;     /**< NULL: all bytes are 0 */
    weft_reducer_merge_fn merge;   /**< required */
    weft_reducer_finish_fn finish; /**< NULL: the accumulator is the value */
    weft_type type;                /**< of the value's elements */
    int ndims;                     /**< of the value; 0: a scalar */
    const int64_t *shape;          /**< of the value, each at least 1; NULL for a scalar */
    void *context;                 /**< handed to the functions */
} weft_reducer;

/** The description of a reduction. Made by the functions below; it borrows the caller's arrays. */
typedef struct weft_reduction {
    weft_reduction_kind kind;    /**< which one */
    int64_t count;               /**< variables, bins, or probabilities */
    const double *number;        /**< edges, or probabilities */
    double accuracy;             /**< of quantiles: the relative error */
    double low;                  /**< of quantiles: the least magnitude … */
    double high;                 /**< … and the largest */
    const weft_reducer *reducer; /**< the caller's own */
} weft_reduction;

/**
 * The description of a reduction that has no parameters.
 *
 * @local Any thread.
 * @param kind which one
 * @return its description
 */
WEFT_API weft_reduction weft_reduction_of(weft_reduction_kind kind);

/**
 * The exact sum of doubles, as the nearest double; ties to even. Value: a double.
 *
 * It is that of Python's `math.fsum` for every order of the numbers. Infinities and NaN as by IEEE
 * 754: NaN for a NaN among the numbers, or for infinities of both signs. No partial sum overflows,
 * where fsum raises an error; the value is an infinity if the exact sum rounds to one. A sum of
 * zeros is +0. Accumulator: weft_sum.
 */
#define WEFT_SUM weft_reduction_of(WEFT_REDUCE_SUM)

/**
 * The sum of integers, 128 bits inside. Value: an int64_t. If the sum is beyond int64_t, the value
 * is the nearest there is, and weft_reduction_finish() fails. Accumulator: weft_int64_sum.
 */
#define WEFT_INT64_SUM weft_reduction_of(WEFT_REDUCE_INT64_SUM)

/**
 * Count, mean, standard error, variance, skewness, kurtosis. Value: a weft_moments_value, which is
 * six doubles. Accumulator: weft_moments.
 */
#define WEFT_MOMENTS weft_reduction_of(WEFT_REDUCE_MOMENTS)

/**
 * The least and the largest value, and which items they are of; of several, the lowest item. NaNs
 * are counted, and otherwise left out. Value: a weft_extremes_value, which is six doubles.
 * Accumulator: weft_extremes.
 */
#define WEFT_EXTREMES weft_reduction_of(WEFT_REDUCE_EXTREMES)

/**
 * Means and covariances of k variables. Value: 1 + k + k² doubles: the count; the mean of variable
 * i at 1 + i; at 1 + k + i·k + j the covariance Σ(xᵢ - mean)(xⱼ - mean) / (count - 1), NaN for
 * fewer than two. A value that is not finite makes NaN of all that it enters. Accumulator:
 * weft_covariance.
 *
 * @local Any thread.
 * @param variables k, from 1 to WEFT_MAX_VARIABLES
 * @return the description
 */
WEFT_API weft_reduction weft_covariance_of(int64_t variables);

/**
 * How many values are in each of n bins, as `numpy.histogram()`: bin i holds edge[i] <= x <
 * edge[i + 1], and the last one its upper edge, too. Value: n + 3 int64_t: the bins; those below
 * the first edge; those above the last; NaNs. Accumulator: weft_histogram.
 *
 * @local Any thread.
 * @param bins n, at least 1
 * @param edge n + 1 numbers that increase; may be infinite, but not NaN
 * @return the description; it borrows the edges
 */
WEFT_API weft_reduction weft_histogram_of(int64_t bins, const double edge[]);

/**
 * Quantiles with a relative error. Of n values in increasing order, the quantile of probability p
 * is the one with index ⌊p·(n - 1)⌋ (NumPy's method "lower"), counted from 0; what is returned
 * differs from it by at most `accuracy` times its magnitude. What is below `low` in magnitude may
 * count as 0, and what is beyond `high` as an infinity. NaNs are left out. Value: a double per
 * probability; NaN if there are no values. Accumulator: weft_quantiles, of about 8·log2(high / low)
 * / accuracy bytes.
 *
 * As in DDSketch (Masson, Rim, Lee, 2019), values are counted in bins as wide as the error allows;
 * a bin is found from the bits of the number, without a logarithm.
 *
 * @local Any thread.
 * @param accuracy    the relative error, from 0.0005 to 0.5
 * @param low         above 0, and not below the least normal double
 * @param high        above low, and finite
 * @param count       how many probabilities there are, 1 to WEFT_MAX_PROBABILITIES
 * @param probability each from 0 to 1
 * @return the description; it borrows the probabilities
 */
WEFT_API weft_reduction weft_quantiles_of(double accuracy, double low, double high, int64_t count,
                                          const double probability[]);

/**
 * A reduction of the caller's own.
 *
 * @local Any thread.
 * @param reducer what it is made of
 * @return the description; it borrows the reducer
 */
WEFT_API weft_reduction weft_reducer_of(const weft_reducer *reducer);

/** The accumulator of WEFT_SUM. */
typedef struct weft_sum weft_sum;
/** The accumulator of WEFT_INT64_SUM. */
typedef struct weft_int64_sum weft_int64_sum;
/** The accumulator of WEFT_MOMENTS. */
typedef struct weft_moments weft_moments;
/** The accumulator of WEFT_EXTREMES. */
typedef struct weft_extremes weft_extremes;
/** The accumulator of weft_covariance_of(). */
typedef struct weft_covariance weft_covariance;
/** The accumulator of weft_histogram_of(). */
typedef struct weft_histogram weft_histogram;
/** The accumulator of weft_quantiles_of(). */
typedef struct weft_quantiles weft_quantiles;

/** The value of WEFT_MOMENTS. An infinity among the values makes the mean infinite, a NaN or
 * infinities of both signs make it NaN; all but the count and the mean are NaN then. */
typedef struct weft_moments_value {
    double count;    /**< how many values there were, n */
    double mean;     /**< NaN if there were none */
    double error;    /**< of the mean: √(variance / n) */
    double variance; /**< Σ(x - mean)² / (n - 1); NaN for fewer than two */
    double skewness; /**< m₃ / m₂^(3/2) with mₖ = Σ(x - mean)ᵏ / n; NaN if m₂ is 0 */
    double kurtosis; /**< m₄ / m₂² - 3; NaN if m₂ is 0 */
} weft_moments_value;

/** The value of WEFT_EXTREMES. Items are exact below 2⁵³. */
typedef struct weft_extremes_value {
    double minimum;      /**< NaN if there were no values but NaN */
    double minimum_item; /**< -1 then */
    double maximum;      /**< NaN if there were no values but NaN */
    double maximum_item; /**< -1 then */
    double count;        /**< how many values there were, without NaN … */
    double nan;          /**< … and how many NaNs */
} weft_extremes_value;

/**
 * Adds a number.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param sum the accumulator
 * @param x   any double
 */
WEFT_API void weft_sum_add(weft_sum *sum, double x);

/**
 * Adds many numbers; much faster than one by one.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param sum the accumulator
 * @param n   how many, at least 0
 * @param x   the numbers
 */
WEFT_API void weft_sum_add_array(weft_sum *sum, int64_t n, const double x[]);

/**
 * Adds an integer.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param sum the accumulator
 * @param x   any integer
 */
WEFT_API void weft_int64_sum_add(weft_int64_sum *sum, int64_t x);

/**
 * Adds a value.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param moments the accumulator
 * @param x       any double
 */
WEFT_API void weft_moments_add(weft_moments *moments, double x);

/**
 * Adds many values, with the same bits as one by one in this order, and faster.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param moments the accumulator
 * @param n       how many, at least 0
 * @param x       the values
 */
WEFT_API void weft_moments_add_array(weft_moments *moments, int64_t n, const double x[]);

/**
 * Adds a value of each variable.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param covariance the accumulator
 * @param x          as many doubles as there are variables
 */
WEFT_API void weft_covariance_add(weft_covariance *covariance, const double x[]);

/**
 * Adds a value.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param extremes the accumulator
 * @param x        any double
 * @param item     the item that it is of, at least 0
 */
WEFT_API void weft_extremes_add(weft_extremes *extremes, double x, int64_t item);

/**
 * Counts a value.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param histogram the accumulator
 * @param x         any double
 */
WEFT_API void weft_histogram_add(weft_histogram *histogram, double x);

/**
 * Counts a value.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param quantiles the accumulator
 * @param x         any double
 */
WEFT_API void weft_quantiles_add(weft_quantiles *quantiles, double x);

/**
 * The size of an accumulator.
 *
 * @local Any thread.
 * @param reduction a description
 * @return bytes; 0 if the description is wrong
 */
WEFT_API int64_t weft_reduction_bytes(const weft_reduction *reduction);

/**
 * The size of the value.
 *
 * @local Any thread.
 * @param reduction a description
 * @return bytes; 0 if the description is wrong
 */
WEFT_API int64_t weft_reduction_value_bytes(const weft_reduction *reduction);

/**
 * Makes an empty accumulator.
 *
 * @local Any thread.
 * @param reduction   a description
 * @param accumulator out: weft_reduction_bytes(), aligned to 8; all of them are set
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE the description is wrong
 */
WEFT_API WEFT_NODISCARD weft_status weft_reduction_init(const weft_reduction *reduction,
                                                        void *accumulator);

/**
 * Adds to an accumulator what another one of the same description holds.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param reduction   a description
 * @param accumulator what comes first
 * @param next        what comes behind it; is not changed
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE the description is wrong
 */
WEFT_API WEFT_NODISCARD weft_status weft_reduction_merge(const weft_reduction *reduction,
                                                         void *accumulator, const void *next);

/**
 * The value of what was added so far.
 *
 * @local Any thread, one at a time for one accumulator.
 * @param reduction   a description
 * @param accumulator the accumulator; is not changed
 * @param value       out: weft_reduction_value_bytes()
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE the description is wrong; or an integer sum is beyond int64_t: the value
 * is INT64_MIN or INT64_MAX
 */
WEFT_API WEFT_NODISCARD weft_status weft_reduction_finish(const weft_reduction *reduction,
                                                          const void *accumulator, void *value);

WEFT_END_DECLS

#endif
