/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * A random stream as a generator of the GNU Scientific Library, so that all of its distributions
 * run off an item's own stream.
 *
 * Not part of weft/weft.h: a program that includes this one links GSL itself.
 *
 * GSL's own way with errors is to end the process: a bad argument, or an integral that does not
 * converge, would cost the rank and not the item. A program that calls GSL in a kernel turns that
 * off in main(), before weft_map_run(), and looks at the status that GSL's functions return:
 *
 * @code
 * gsl_set_error_handler_off();
 * …
 * int code = gsl_integration_qag(…);
 * if (code != GSL_SUCCESS) {
 *     weft_span_fail(span, item, code, gsl_strerror(code));
 * }
 * @endcode
 *
 * The handler is the whole program's, so this header leaves it alone.
 *
 * @code
 * weft_random random = weft_span_random(span, item, 0);
 * gsl_rng rng = weft_gsl_rng(&random);
 * double value = gsl_ran_gamma(&rng, 2.0, 1.0);
 * @endcode
 */
#ifndef WEFT_GSL_H
#define WEFT_GSL_H

#include <gsl/gsl_rng.h>
#include <limits.h>
#include <weft/macros.h>
#include <weft/random.h>

WEFT_BEGIN_DECLS

/**
 * gsl_rng_type::set: goes to the start of the same item's stream under another seed.
 *
 * @local Any thread, one at a time for one stream.
 * @param state the weft_random
 * @param seed  the seed that takes the place of the job's
 */
static inline void weft_gsl_set(void *state, unsigned long int seed)
{
    weft_random *random = (weft_random *)state;
    weft_random_init(random, seed, random->key[1], random->counter[1]);
}

/**
 * gsl_rng_type::get: weft_random_u64(), or its upper bits where an `unsigned long` has fewer.
 *
 * @local Any thread, one at a time for one stream.
 * @param state the weft_random; moves on by one number
 * @return uniform over all values
 */
static inline unsigned long int weft_gsl_get(void *state)
{
    return (unsigned long int)(weft_random_u64((weft_random *)state) >>
                               (64 - CHAR_BIT * sizeof(unsigned long int)));
}

/**
 * gsl_rng_type::get_double: weft_random_double().
 *
 * @local Any thread, one at a time for one stream.
 * @param state the weft_random; moves on by one number
 * @return uniform in [0, 1)
 */
static inline double weft_gsl_get_double(void *state)
{
    return weft_random_double((weft_random *)state);
}

/**
 * The type of the generators that weft_gsl_rng() makes.
 *
 * Each source file that calls it gets a type of its own, so gsl_rng_memcpy() works within one
 * file only; to fork a stream, copy the weft_random.
 *
 * @local Any thread.
 * @return a static description
 */
static inline const gsl_rng_type *weft_gsl_type(void)
{
    static const gsl_rng_type type = {"weft-philox4x64-10", ULONG_MAX,    0,
                                      sizeof(weft_random),  weft_gsl_set, weft_gsl_get,
                                      weft_gsl_get_double};
    return &type;
}

/**
 * A generator that draws from a stream. It is a value with nothing to free, as cheap as a pointer:
 * make one for every item. Never hand it to gsl_rng_free().
 *
 * @local Any thread.
 * @param random the stream, which the generator moves on; must live as long as the generator
 * @return the generator; give its address to GSL
 */
static inline gsl_rng weft_gsl_rng(weft_random *random)
{
    gsl_rng rng = {weft_gsl_type(), random};
    return rng;
}

WEFT_END_DECLS

#endif
