/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The map: an item space, a kernel that computes its items, and the fields that hold the results.
 */
#ifndef WEFT_MAP_H
#define WEFT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weft/macros.h>
#include <weft/session.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/** The largest number of dimensions of a map, and of a field's value at one item. */
#define WEFT_MAX_DIMS 8

/** The largest number of fields of a map. */
#define WEFT_MAX_FIELDS 64

/** The largest number of parameters of a map. */
#define WEFT_MAX_PARAMETERS 256

/** The length of a name with its final zero: of a map, a field, a parameter. */
#define WEFT_NAME_BYTES 64

/** Every type of a field's elements: X(enumerator, C type, name). */
#define WEFT_TYPE_MAP(X)               \
    X(WEFT_INT8, int8_t, "int8")       \
    X(WEFT_INT16, int16_t, "int16")    \
    X(WEFT_INT32, int32_t, "int32")    \
    X(WEFT_INT64, int64_t, "int64")    \
    X(WEFT_UINT8, uint8_t, "uint8")    \
    X(WEFT_UINT16, uint16_t, "uint16") \
    X(WEFT_UINT32, uint32_t, "uint32") \
    X(WEFT_UINT64, uint64_t, "uint64") \
    X(WEFT_FLOAT32, float, "float32")  \
    X(WEFT_FLOAT64, double, "float64") \
    X(WEFT_LONG_DOUBLE, long double, "long double")

/** The type of a field's elements. */
typedef enum weft_type {
#define WEFT_TYPE_ENUM(name, ctype, text) name,
    WEFT_TYPE_MAP(WEFT_TYPE_ENUM)
#undef WEFT_TYPE_ENUM
        WEFT_TYPE_COUNT /**< how many types there are */
} weft_type;

/**
 * Why an item is in quarantine, as its code in the table of failures: its process has died twice
 * with nothing else in hand. Where that was by a signal the code is minus the signal's number, such
 * as -11 for SIGSEGV, and otherwise one of these. `--retry-failed` tries the item again, in a
 * process of its own.
 */
typedef enum weft_quarantine {
    WEFT_QUARANTINE_TIMEOUT = -1001, /**< it took longer than `--item-timeout` */
    WEFT_QUARANTINE_MEMORY = -1002,  /**< the operating system killed it for want of memory */
    WEFT_QUARANTINE_EXIT = -1003,    /**< the kernel called exit() */
    WEFT_QUARANTINE_LOST = -1004,    /**< it was gone, nobody knows why */
    WEFT_QUARANTINE_STUCK = -1005    /**< it waited for a lock or a thread that never came */
} weft_quarantine;

/** Which items are computed in a process of their own; see weft_kernel_fn. */
typedef enum weft_isolation {
    WEFT_WHEN_SUSPECT, /**< those that may have killed a process, and what the options say */
    WEFT_ALWAYS,       /**< all, as under `--isolate` */
    WEFT_NEVER         /**< none, whatever the options say */
} weft_isolation;

/** A job: a name, a shape, fields, parameters. Every rank describes the same one. */
typedef struct weft_map weft_map;

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
 * whose process has died twice, with nothing else in hand, is in quarantine: it counts as failed,
 * see weft_quarantine.
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
 * Where the kernel writes a field's results; weft_span_double() and its like in weft/span.h check
 * name and type, too.
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
 * @local The worker that the kernel runs on.
 * @param span the kernel's span
 * @param item an item of the span
 * @param code the caller's own code; 0 is recorded as -1
 * @param text what happened; NULL for nothing; cut at 115 bytes
 */
WEFT_API void weft_span_fail(const weft_span *span, int64_t item, int code, const char *text);

/**
 * Describes a job. Nothing happens before weft_map_run().
 *
 * Its result is the file given by `--out`, or by weft_program.default_out, or NAME.h5; if what is
 * given ends with `/`, it is NAME.h5 in that folder, which has to exist. A file holds the results
 * of one map: two maps of a program need a folder, or no `--out`.
 *
 * @local Main thread. All ranks make the same calls.
 * @param session an open session
 * @param name    the job's name: letters, digits, `_`, `-`, `.`; it enters the job's identity
 * @param ndims   how many dimensions the item space has, 1 to WEFT_MAX_DIMS
 * @param shape   their extents, each at least 0, in row-major order; their product fits in int64_t
 * @param map     out: the map, owned by the caller, to be destroyed before the session is finished
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, number of dimensions or extent, or a file that is another
 *                         map's of this session; a version of the program that is too long
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_create(weft_session *session, const char *name,
                                                    int ndims, const int64_t shape[],
                                                    weft_map **map);

/**
 * Frees a map.
 *
 * @local Main thread.
 * @param map the map, or NULL
 */
WEFT_API void weft_map_destroy(weft_map *map);

/**
 * Adds a field: the dataset `/results/<name>`, of the map's shape followed by the field's.
 *
 * A failed item holds the field's fill value: NaN, or the lowest value of an integer type; another
 * one is set with weft_map_set_fill().
 *
 * @local Main thread.
 * @param map       the map
 * @param name      the field's name, as the map's
 * @param type      the type of its elements
 * @param ndims     how many dimensions its value at one item has; 0 for a scalar
 * @param shape     their extents, each at least 1; NULL for a scalar
 * @param units     the unit, as text ("km", "1"); NULL for "1"
 * @param long_name what it is, in a few words; NULL for the name
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, a name used twice, a bad shape, or too many fields
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_add_field(weft_map *map, const char *name,
                                                       weft_type type, int ndims,
                                                       const int64_t shape[], const char *units,
                                                       const char *long_name);

/**
 * Sets what a failed item holds in a field.
 *
 * @local Main thread.
 * @param map   the map
 * @param field the field's name
 * @param fill  one element of the field's type; copied
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE no such field
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_set_fill(weft_map *map, const char *field,
                                                      const void *fill);

/**
 * Adds a parameter that enters the job's identity: a file made with another value is refused.
 *
 * @local Main thread.
 * @param map   the map
 * @param name  the parameter's name, as the map's; not `count`, `shape`, `grain` or
 *              `seed`
 * @param value its value
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, a name used twice, or too many parameters
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_add_int64(weft_map *map, const char *name,
                                                       int64_t value);

/**
 * As weft_map_add_int64(), for a number.
 *
 * @local Main thread.
 * @param map   the map
 * @param name  the parameter's name, as for weft_map_add_int64()
 * @param value its value; compared bit by bit
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, a name used twice, or too many parameters
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_add_double(weft_map *map, const char *name,
                                                        double value);

/**
 * As weft_map_add_int64(), for text.
 *
 * @local Main thread.
 * @param map   the map
 * @param name  the parameter's name, as for weft_map_add_int64()
 * @param value its value, at most 1023 bytes; copied
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, a name used twice, a text too long, or too many parameters
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_add_string(weft_map *map, const char *name,
                                                        const char *value);

/**
 * Proposes a grain (items per tile) for when `--grain` is not given.
 *
 * @local Main thread.
 * @param map   the map
 * @param grain items per tile, at least 1; 0: automatic, from the count and the size of a record
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE a negative grain
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_set_grain(weft_map *map, int64_t grain);

/**
 * Limits how many items the kernel is given in one call. A span is made of whole tiles, so that one
 * tile is the least.
 *
 * @local Main thread.
 * @param map   the map
 * @param items the largest number of items; 0: no limit
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE a negative number
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_set_span_limit(weft_map *map, int64_t items);

/**
 * Says that the kernel has side effects, so that items must not be computed twice without need:
 * a chunk is then handed out again only when its rank is taken for dead (`--dead-after`), and such
 * a rank has to go should it come back. A rank that has not heard of rank 0 for most of that time
 * does not write what it computes meanwhile: these items are computed again. Nor is a span repeated
 * whose process has died in a child: all its items are in quarantine at once. Where that is to be
 * feared, since a process has died before, each item is a span of its own.
 *
 * @local Main thread.
 * @param map  the map
 * @param pure false if the kernel has side effects; true is the default
 */
WEFT_API void weft_map_set_pure(weft_map *map, bool pure);

/**
 * Says which items are computed in a process of their own, forked from the rank.
 *
 * WEFT_NEVER is for a kernel that cannot be called there, such as one that uses a GPU, or threads
 * that the program has started: what has crashed a rank is then computed in a rank again, may crash
 * it again, and is never in quarantine; `--isolate` and `--item-timeout` have no effect, and a
 * warning says so.
 *
 * @local Main thread. All ranks make the same calls.
 * @param map       the map
 * @param isolation which items; WEFT_WHEN_SUSPECT is the default
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE not one of these
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_set_isolation(weft_map *map, weft_isolation isolation);

/**
 * Computes every item that the result does not hold yet.
 *
 * The result is the file given by `--out`; it is made if it does not exist, and resumed if it holds
 * the same job, on any layout. Signals stop the run in good order, see weft_init(); a second SIGINT
 * ends the process at once. Nothing that was marked done is lost in either case. After a signal no
 * other map of the session begins.
 *
 * It does not return, but ends the process with the exit status that weft_finish() would have
 * given, where a kernel does not come back: after a stop, an error or the loss of rank 0 for as
 * long as the README says, or at the end on a rank whose items others have computed meanwhile
 * (status 75, since the rest of the program is not done). Threads cannot be ended one by one. All
 * that was reported is recorded then; of the program's own, buffers are not flushed and atexit() is
 * not heeded.
 * The same goes for a disk that does not answer once the run is to end, and for a file that is not
 * made or read at the time limit, or 5 s after a signal (status 75).
 *
 * @collective Over all processes of the job. Main thread only. All ranks return the same status.
 * @param map     the map; must have at least one field
 * @param kernel  computes a span
 * @param context handed to the kernel; shared by all workers of the rank
 * @retval WEFT_OK             every item is in the result
 * @retval WEFT_ITEMS_FAILED   the same, but some items failed and hold fill values
 * @retval WEFT_STOPPED        told to stop; run the same command again to go on
 * @retval WEFT_ERR_USAGE      no field, a grain that does not fit, or a path where no file can be;
 *                             or the kernel has asked for a field that the map does not have; or
 *                             ranks differ in what they have said of the map, in their program, or
 *                             in which map they run: no file is touched, and after different calls
 *                             only weft_finish() is left
 * @retval WEFT_ERR_OTHER_JOB  the file is another job's; it has not been touched
 * @retval WEFT_ERR_FORMAT     the file, or one beside it that is in the way, is not of weft, or the
 *                             file has been repacked; it has not been touched
 * @retval WEFT_ERR_CORRUPT    the file is truncated or damaged; it has not been touched
 * @retval WEFT_ERR_BUSY       another run is writing to the file
 * @retval WEFT_ERR_NO_SPACE   the file system cannot hold the result
 * @retval WEFT_ERR_SYSTEM     another system call failed
 * @retval WEFT_ERR_HDF5       HDF5 failed
 * @retval WEFT_ERR_MPI        MPI failed
 * @retval WEFT_ERR_MEMORY     out of memory
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_run(weft_map *map, weft_kernel_fn kernel,
                                                 void *context);

/**
 * The path of the result.
 *
 * @local Main thread.
 * @param map the map
 * @return a path that lives as long as the map
 */
WEFT_API const char *weft_map_path(const weft_map *map);

/**
 * The size of one element of a type.
 *
 * @local Any thread.
 * @param type the type
 * @return its size in bytes; 0 for what is not a type
 */
WEFT_API size_t weft_type_bytes(weft_type type);

/**
 * The name of a type, such as "float64".
 *
 * @local Any thread.
 * @param type the type
 * @return a static string, never NULL
 */
WEFT_API const char *weft_type_name(weft_type type);

WEFT_END_DECLS

#endif
