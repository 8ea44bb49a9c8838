/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The kernel, and the span: the items that one call of it computes.
 *
 * A field's results are found by name and type, checked at every call:
 *
 * @code
 * double *area = weft_span_double(span, "area");
 * @endcode
 */
#ifndef WEFT_SPAN_H
#define WEFT_SPAN_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/macros.h>
#include <weft/type.h>

WEFT_BEGIN_DECLS

/**
 * Why an item is in quarantine, as its code in the table of failures: its process has died twice
 * with no other item in progress. Where that was by a signal the code is minus the signal's number,
 * such as -11 for SIGSEGV, and otherwise one of these. `--retry-failed` tries the item again, in a
 * process of its own.
 */
typedef enum weft_quarantine {
    WEFT_QUARANTINE_TIMEOUT = -1001, /**< it took longer than `--item-timeout` */
    WEFT_QUARANTINE_MEMORY = -1002,  /**< the operating system killed it for want of memory */
    WEFT_QUARANTINE_EXIT = -1003,    /**< the kernel called exit() */
    WEFT_QUARANTINE_LOST = -1004,    /**< it was gone, nobody knows why */
    WEFT_QUARANTINE_STUCK = -1005    /**< it waited for a lock or a thread that never came */
} weft_quarantine;

/** A run of items that one worker computes in one call of the kernel. */
typedef struct weft_span weft_span;

/**
 * A kernel: computes every item of a span.
 *
 * It must be pure: what it writes depends on the item, on inputs that do not change, on the map's
 * parameters and on the item's random stream only (see weft_span_random()). Several workers call it
 * at the same time, each with its own span. It must not call MPI or HDF5.
 *
 * Wherever it is called, the floating-point environment (rounding, denormals, precision, traps),
 * the signal mask, the locale of uselocale() and the ids of setfsuid() are those of the thread that
 * called weft_map_run(). Should a kernel change the floating-point environment, that lasts until it
 * returns; whatever else of these it changes, until the end of the run.
 *
 * It may also be called in a process of its own, a child of the rank: always under `--isolate` and
 * `--item-timeout`, where a process died that had its items or was to compute them next, and as
 * weft_map_set_isolation() says. It then finds all memory as it was when that process was forked,
 * sooner or later in the run. Results, failures, random numbers and weft_span_stopping() are the
 * same there; text that it prints appears, too. But what it writes to any other memory stays in
 * that process: a cache kept between spans works, a count that the program reads after the run does
 * not. OpenMP regions have as many threads there as they would have in the worker. What belongs to
 * the worker as a thread (thread-local and threadprivate variables) is as in a new thread. Threads
 * of the rank do not exist there, and a lock that one of them held at the fork is never released: a
 * child that sleeps for twice `--dead-after` seconds, waiting for nothing but such locks and
 * threads, is ended; if a second one fares no better, the rank computes the items itself, with a
 * warning (under `--item-timeout`, and where the map is not pure, they are in quarantine). An item
 * whose process has died twice, with no other item in progress, is in quarantine: it counts as
 * failed, see weft_quarantine.
 *
 * Item weft_span_first() + i has its value of a field at element i · (elements per item) of
 * weft_span_result(). The memory is not initialised; every byte of it must be written, but for
 * items given to weft_span_fail().
 *
 * @param span    what to compute, and where the results go
 * @param context as given to weft_map_run()
 * @return 0, or a code of the caller's own if something failed. If the span has more than one item,
 *         each is then computed again in a span of its own, to find those that fail (for a map that
 *         is not pure, all of the span count as failed); a failed item holds its fields' fill
 *         values and is listed in the result's table of failures
 */
typedef int (*weft_kernel_fn)(const weft_span *span, void *context);

struct weft_random;

/**
 * Computes the value of one item: what weft_map_run_each() calls, in place of a kernel. All that is
 * said of weft_kernel_fn holds for it, too.
 *
 * @param item    the item's number, in row-major order of the map's shape
 * @param random  the item's stream 0, at its start
 * @param context as given to weft_map_run_each()
 * @return the item's value
 */
typedef double (*weft_item_fn)(int64_t item, struct weft_random *random, void *context);

/**
 * The first item of a span.
 *
 * @local The worker that the kernel runs on.
 * @param span the kernel's span
 * @return the item's number, in row-major order of the map's shape
 */
WEFT_API int64_t weft_span_first(const weft_span *span);

/**
 * How many items a span has.
 *
 * @local The worker that the kernel runs on.
 * @param span the kernel's span
 * @return the number of items, at least 1
 */
WEFT_API int64_t weft_span_count(const weft_span *span);

/**
 * Where the kernel writes a field's results; weft_span_double() and its like check name and
 * type, too.
 *
 * A field that the map does not have ends the run in good order, with WEFT_ERR_USAGE: nothing of
 * that span is recorded. What is returned then is memory to write to, of no consequence, and large
 * enough for 4096 bytes per item, or the map's largest field.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's number, in the order of the weft_map_add_field() calls, from 0
 * @return weft_span_count() · (elements per item) elements of the field's type, contiguous; never
 *         NULL
 */
WEFT_API void *weft_span_result(const weft_span *span, int field);

/**
 * The accumulator of a reduction that the kernel fills, see weft_map_add_reduction(): to it go the
 * values of the span's items, in their order. The span is one tile, or a part of it, and the
 * accumulator the tile's. What is added before the kernel returns an error, or crashes, is taken
 * back; what belongs to an item given to weft_span_fail() must not be added.
 *
 * A reduction that the map does not have, or that is made of a field, ends the run as
 * weft_span_result() says.
 *
 * @local The worker that the kernel runs on.
 * @param span      the kernel's span
 * @param reduction the reduction's number, in the order of the calls of weft_map_add_reduction()
 * and weft_map_reduce_field(), from 0
 * @return the accumulator, such as a weft_moments for WEFT_MOMENTS
 */
WEFT_API void *weft_span_accumulator(const weft_span *span, int reduction);

/**
 * The indices of an item in the map's shape.
 *
 * @local The worker that the kernel runs on.
 * @param span    the kernel's span
 * @param item    an item's number
 * @param indices out: one index per dimension of the map
 */
WEFT_API void weft_span_indices(const weft_span *span, int64_t item, int64_t indices[]);

/**
 * The job's seed, as given by `--seed`; for weft_random_init().
 *
 * @local The worker that the kernel runs on.
 * @param span the kernel's span
 * @return the seed
 */
WEFT_API uint64_t weft_span_seed(const weft_span *span);

/**
 * The number of the worker that computes the span, for scratch memory of the caller's own. Results
 * must not depend on it.
 *
 * @local The worker that the kernel runs on.
 * @param span the kernel's span
 * @return from 0 to the greater of weft_session_workers() - 1 and 0
 */
WEFT_API int weft_span_worker(const weft_span *span);

/**
 * Whether the run has been told to stop. A kernel that takes long may ask now and then, and return
 * any non-zero code: what it was at is then left to the next run and does not count as failed.
 *
 * @local The worker that the kernel runs on.
 * @param span the kernel's span
 * @return true if the run is stopping
 */
WEFT_API bool weft_span_stopping(const weft_span *span);

/**
 * Says that one item of the span failed, and why. The kernel goes on with the others and returns 0.
 *
 * An item that is not of the span ends the run in good order, with WEFT_ERR_USAGE: nothing of that
 * span is recorded.
 *
 * @local The worker that the kernel runs on.
 * @param span the kernel's span
 * @param item an item of the span, weft_span_first() + i
 * @param code the caller's own code; 0 is recorded as -1
 * @param text what happened; NULL for nothing; cut at 115 bytes
 */
WEFT_API void weft_span_fail(const weft_span *span, int64_t item, int code, const char *text);

/**
 * Where the kernel writes a field's results, by the field's name: as weft_span_result(), and a name
 * or a type that is not the field's ends the run with an error in the same way.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @param type  the type that the kernel takes its elements to have
 * @return weft_span_count() · (elements per item) elements of that type, contiguous; never NULL
 */
WEFT_API void *weft_span_field(const weft_span *span, const char *field, weft_type type);

/**
 * As weft_span_field(), for a field of WEFT_FLOAT64.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline double *weft_span_double(const weft_span *span, const char *field)
{
    return (double *)weft_span_field(span, field, WEFT_FLOAT64);
}

/**
 * As weft_span_double(), for a field of WEFT_INT8.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline int8_t *weft_span_int8(const weft_span *span, const char *field)
{
    return (int8_t *)weft_span_field(span, field, WEFT_INT8);
}

/**
 * As weft_span_double(), for a field of WEFT_INT16.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline int16_t *weft_span_int16(const weft_span *span, const char *field)
{
    return (int16_t *)weft_span_field(span, field, WEFT_INT16);
}

/**
 * As weft_span_double(), for a field of WEFT_INT32.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline int32_t *weft_span_int32(const weft_span *span, const char *field)
{
    return (int32_t *)weft_span_field(span, field, WEFT_INT32);
}

/**
 * As weft_span_double(), for a field of WEFT_INT64.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline int64_t *weft_span_int64(const weft_span *span, const char *field)
{
    return (int64_t *)weft_span_field(span, field, WEFT_INT64);
}

/**
 * As weft_span_double(), for a field of WEFT_UINT8.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline uint8_t *weft_span_uint8(const weft_span *span, const char *field)
{
    return (uint8_t *)weft_span_field(span, field, WEFT_UINT8);
}

/**
 * As weft_span_double(), for a field of WEFT_UINT16.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline uint16_t *weft_span_uint16(const weft_span *span, const char *field)
{
    return (uint16_t *)weft_span_field(span, field, WEFT_UINT16);
}

/**
 * As weft_span_double(), for a field of WEFT_UINT32.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline uint32_t *weft_span_uint32(const weft_span *span, const char *field)
{
    return (uint32_t *)weft_span_field(span, field, WEFT_UINT32);
}

/**
 * As weft_span_double(), for a field of WEFT_UINT64.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline uint64_t *weft_span_uint64(const weft_span *span, const char *field)
{
    return (uint64_t *)weft_span_field(span, field, WEFT_UINT64);
}

/**
 * As weft_span_double(), for a field of WEFT_FLOAT32.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline float *weft_span_float(const weft_span *span, const char *field)
{
    return (float *)weft_span_field(span, field, WEFT_FLOAT32);
}

/**
 * As weft_span_double(), for a field of WEFT_LONG_DOUBLE.
 *
 * @local The worker that the kernel runs on.
 * @param span  the kernel's span
 * @param field the field's name
 * @return its elements
 */
static inline long double *weft_span_long_double(const weft_span *span, const char *field)
{
    return (long double *)weft_span_field(span, field, WEFT_LONG_DOUBLE);
}

WEFT_END_DECLS

#endif
