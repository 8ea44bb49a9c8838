/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The map: an item space, the fields that hold its results, and the run that computes them.
 */
#ifndef WEFT_MAP_H
#define WEFT_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/macros.h>
#include <weft/reduce.h>
#include <weft/session.h>
#include <weft/span.h>
#include <weft/state.h>
#include <weft/status.h>
#include <weft/type.h>

WEFT_BEGIN_DECLS

/** Which items are computed in a process of their own; see weft_kernel_fn. */
typedef enum weft_isolation {
    WEFT_WHEN_SUSPECT, /**< those that may have killed a process, and what the options say */
    WEFT_ALWAYS,       /**< all, as under `--isolate` */
    WEFT_NEVER         /**< none, whatever the options say */
} weft_isolation;

/** Seconds: without a limit. */
#define WEFT_FOREVER 1e300

/** A job: a name, a shape, fields, parameters. Every rank describes the same one. */
typedef struct weft_map weft_map;

/**
 * Describes a job. Nothing happens before weft_map_run() or weft_map_start().
 *
 * This and the calls that say more of the map (weft_map_set_…(), weft_map_add_…(),
 * weft_map_reduce_field(), weft_map_needs()) tell at once what is wrong, and need not be asked: the
 * map keeps the first error, and weft_map_run() returns it on all ranks, for every map that is to
 * be in the same file; so do weft_map_start(), weft_map_get(), weft_map_read() and, if nothing else
 * is wrong, weft_finish(). A map that has failed so is of no more use than to be destroyed.
 *
 * Its result is in the file given by `--out`, or by weft_program.default_out, or else in NAME.h5;
 * if what is given ends with `/`, in NAME.h5 in that folder, which has to exist. Maps whose file is
 * the same one share it: all those that are described when the first of them is started. That makes
 * the file, with all that it will ever hold: a map described later needs one of its own, see
 * weft_map_set_out().
 *
 * @local Main thread. All ranks make the same calls.
 * @param session an open session
 * @param name    the map's name: letters, digits, `_`, `-`, `.`, and neither `weft` nor `runs`; it
 *                enters the job's identity
 * @param ndims   how many dimensions the item space has, 1 to WEFT_MAX_DIMS
 * @param shape   their extents, each at least 0, in row-major order; their product fits in int64_t
 * @param map     out: the map, which weft_map_destroy() frees, or else weft_finish(); also if it is
 *                refused, but NULL without a session, or memory for it
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, number of dimensions or extent; a version of the program that
 *                         is too long
 * @retval WEFT_ERR_MEMORY out of memory, which weft_finish() returns, too
 * @return the status of weft_init() if that has failed
 */
WEFT_API weft_status weft_map_create(weft_session *session, const char *name, int ndims,
                                     const int64_t shape[], weft_map **map);

/**
 * Frees a map before weft_finish() does. One that is under way is cancelled and waited for, and a
 * warning says so; so is the beginning of a map under way that is to make a file for both.
 *
 * @local Main thread. If the map is under way, on all ranks.
 * @param map the map, or NULL
 */
WEFT_API void weft_map_destroy(weft_map *map);

/**
 * Says in which file the map's results are, in place of what weft_map_create() says.
 *
 * @local Main thread. All ranks make the same calls.
 * @param map  the map
 * @param path the file, or a folder with a `/` at its end; copied
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  an empty path, or the map has a file already
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API weft_status weft_map_set_out(weft_map *map, const char *path);

/**
 * Labels a dimension of the map's shape: its name, its unit and the coordinates of its items, which
 * are the dataset `/<map>/<name>`, a dimension scale of all fields. xarray and netCDF then know the
 * axes of what is in the file:
 *
 *     weft_map_set_dimension(map, 0, "strike", "EUR", strikes);
 *     xarray.open_dataset("option.h5", group="surface").value.sel(strike=100, method="nearest")
 *
 * Name and coordinates enter the job's identity: a file made with others is refused. Coordinates
 * are compared bit by bit. Such in `degrees_north` or `degrees_east` are latitudes and longitudes,
 * and have the standard name of the CF conventions.
 *
 * @local Main thread. All ranks make the same calls.
 * @param map       the map
 * @param dimension the dimension, 0 to its number of dimensions - 1; each once
 * @param name      the dimension's name, as the map's; no field's, reduction's or other dimension's
 * @param units     the unit, as text, at most 255 bytes; NULL for "1". A file that is there keeps
 *                  its own, and a warning says so where another is given here
 * @param values    as many coordinates as the map's shape has items along the dimension, finite
 *                  numbers; copied. NULL: the dimension has a name, but no coordinates
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  no such dimension, or it has a name already; a bad name, or one that is
 *                         used; a unit that is too long; a coordinate that is NaN or infinite; the
 *                         map has a file already
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API weft_status weft_map_set_dimension(weft_map *map, int dimension, const char *name,
                                            const char *units, const double values[]);

/**
 * Adds a field: the dataset `/<map>/<name>`, of the map's shape followed by the field's.
 *
 * A failed item holds the field's fill value: NaN, or the lowest value of an integer type; another
 * one is set with weft_map_set_fill(). xarray reads every item that holds it as missing: set
 * another for a field of unsigned integers in which 0 is a value.
 *
 * @local Main thread.
 * @param map       the map
 * @param name      the field's name, as the map's
 * @param type      the type of its elements
 * @param ndims     how many dimensions its value at one item has; 0 for a scalar
 * @param shape     their extents, each at least 1; NULL for a scalar
 * @param units     the unit, as text ("km", "1"); NULL for "1". A file that is there keeps its own,
 *                  and a warning says so where another is given here
 * @param long_name what it is, in a few words; NULL for the name; kept in the same way
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, a name used twice, a bad shape, or too many fields; the map
 *                         has a file already
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API weft_status weft_map_add_field(weft_map *map, const char *name, weft_type type, int ndims,
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
 * @retval WEFT_ERR_USAGE no such field, or the map has a file already
 */
WEFT_API weft_status weft_map_set_fill(weft_map *map, const char *field, const void *fill);

/**
 * Adds a reduction: the dataset `/<map>/<name>` will hold its value. The kernel adds to its
 * accumulators, see weft_span_accumulator(). A map may have reductions and no field: then nothing
 * is kept per item.
 *
 * There is an accumulator per tile, in the file and under the tile's checksum, and once all tiles
 * are done rank 0 folds them in the order of tiles, with two of them and a megabyte in memory at a
 * time. So the value does not depend on ranks, workers or interruptions; that of WEFT_SUM,
 * WEFT_INT64_SUM, WEFT_EXTREMES, histograms and quantiles does not depend on the grain either.
 * Items that have failed are left out; weft_result_get_progress() tells how many.
 *
 * @local Main thread. All ranks make the same calls.
 * @param map       the map
 * @param name      the reduction's name, as the map's, and no field's
 * @param reduction what it does; copied
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, a name used twice, a bad description, or too many fields and
 *                         reductions; the map has a file already
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API weft_status weft_map_add_reduction(weft_map *map, const char *name,
                                            weft_reduction reduction);

/**
 * As weft_map_add_reduction(), but what is reduced are the values of a field, all elements of all
 * items that have not failed. The workers do it as soon as a tile is computed.
 *
 * Elements are reduced as doubles, but for WEFT_INT64_SUM, which takes integers;
 * weft_covariance_of() takes a field with as many elements per item as there are variables.
 *
 * @local Main thread. All ranks make the same calls.
 * @param map       the map
 * @param field     the name of a field that has been added
 * @param reduction what it does; copied; not weft_reducer_of()
 * @param name      the reduction's name, as the map's, and no field's
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  as weft_map_add_reduction(); no such field, or one of another type or
 * shape than the reduction takes
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API weft_status weft_map_reduce_field(weft_map *map, const char *field,
                                           weft_reduction reduction, const char *name);

/**
 * The value of a reduction, once weft_map_run() or weft_map_wait() has returned
 * WEFT_OK or WEFT_ITEMS_FAILED.
 *
 * @local Main thread.
 * @param map   the map
 * @param name  the reduction's name
 * @param value out: weft_reduction_value_bytes() of its description, such as a weft_moments_value
 * @retval WEFT_OK            done
 * @retval WEFT_ERR_NOT_FOUND no reduction of that name
 * @retval WEFT_ERR_USAGE     the map has not been run, or is NULL
 * @retval WEFT_ERR_MPI       ranks were lost, so that rank 0 could not tell this one
 * @return else what the map has come to, if that is neither WEFT_OK nor WEFT_ITEMS_FAILED
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_get(weft_map *map, const char *name, void *value);

/**
 * Reads values of a field back from the file, once weft_map_run() or weft_map_wait() has
 * returned WEFT_OK or WEFT_ITEMS_FAILED: any items, whichever rank has computed them, and in
 * whichever run. What has failed holds the field's fill value.
 *
 * @code
 * double height[360];                     // a row of a map of 180 x 360 items
 * status = weft_map_run(map, compute, NULL);
 * if (!status) status = weft_map_read(map, "height", 90 * 360, 360, height);
 * @endcode
 *
 * @local Main thread.
 * @param map    the map
 * @param field  the field's name
 * @param first  the first item, in row-major order
 * @param count  how many items; 0: nothing is read
 * @param values out: count · (elements per item) elements of the field's type, item by item
 * @retval WEFT_OK            done
 * @retval WEFT_ERR_NOT_FOUND no field of that name
 * @retval WEFT_ERR_USAGE     items that the map does not have; the map has not been run, or is NULL
 * @retval WEFT_ERR_OTHER_JOB the path leads to another file by now
 * @retval WEFT_ERR_MPI       ranks of other hosts were lost, and without `--sync` what they have
 *                            written may not be in the file yet
 * @retval WEFT_ERR_SYSTEM    the file cannot be read
 * @retval WEFT_ERR_CORRUPT   it ends too early
 * @retval WEFT_ERR_MEMORY    out of memory
 * @return else what the map has come to, if that is neither WEFT_OK nor WEFT_ITEMS_FAILED
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_read(weft_map *map, const char *field, int64_t first,
                                                  int64_t count, void *values);

/**
 * Adds a parameter that enters the job's identity: a file made with another value is refused.
 *
 * @local Main thread.
 * @param map   the map
 * @param name  the parameter's name, as the map's; not `count`, `shape`, `grain` or
 *              `seed`
 * @param value its value
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, a name used twice, or too many parameters; the map has a file
 *                         already
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API weft_status weft_map_add_int64(weft_map *map, const char *name, int64_t value);

/**
 * As weft_map_add_int64(), for a number.
 *
 * @local Main thread.
 * @param map   the map
 * @param name  the parameter's name, as for weft_map_add_int64()
 * @param value its value; compared bit by bit
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, a name used twice, or too many parameters; the map has a file
 *                         already
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API weft_status weft_map_add_double(weft_map *map, const char *name, double value);

/**
 * As weft_map_add_int64(), for text.
 *
 * @local Main thread.
 * @param map   the map
 * @param name  the parameter's name, as for weft_map_add_int64()
 * @param value its value, at most 1023 bytes; copied
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a bad name, a name used twice, a text too long, or too many parameters;
 *                         the map has a file already
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API weft_status weft_map_add_string(weft_map *map, const char *name, const char *value);

/**
 * Proposes a grain (items per tile) for when `--grain` is not given.
 *
 * @local Main thread.
 * @param map   the map
 * @param grain items per tile, at least 1; 0: automatic, from the count and the size of a record
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE a negative grain, or the map is under way
 */
WEFT_API weft_status weft_map_set_grain(weft_map *map, int64_t grain);

/**
 * Limits how many items the kernel is given in one call. A span is made of whole tiles, so that one
 * tile is the least.
 *
 * @local Main thread.
 * @param map   the map
 * @param items the largest number of items; 0: no limit
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE a negative number, or the map is under way
 */
WEFT_API weft_status weft_map_set_span_limit(weft_map *map, int64_t items);

/**
 * Says that the kernel has side effects, so that items must not be computed twice without need:
 * a chunk is then handed out again only when its rank is presumed dead (`--dead-after`), and such
 * a rank has to leave should it return. A rank that has not heard of rank 0 for most of that time
 * does not write what it computes meanwhile: these items are computed again. Nor is a span repeated
 * whose process has died in a child: all its items are in quarantine at once. Where that is to be
 * feared, since a process has died before, each item is a span of its own.
 *
 * @local Main thread.
 * @param map  the map
 * @param pure false if the kernel has side effects; true is the default. A run that is under way is
 *             not changed by it
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
 * @retval WEFT_ERR_USAGE not one of these, or the map is under way
 */
WEFT_API weft_status weft_map_set_isolation(weft_map *map, weft_isolation isolation);

/**
 * Computes every item that the result does not hold yet: weft_map_start() and weft_map_wait(), but
 * that the calling thread does the work of the service thread where no map has been started before.
 *
 * The result's file is made if it does not exist, and resumed if it holds the same maps, on any
 * layout; a map that is complete is passed in a moment. Signals stop the run in good order, see
 * weft_init(); a second SIGINT ends the process at once. Nothing that was marked done is lost in
 * either case. After a signal no other map of the session begins.
 *
 * It does not return, but ends the process with the exit status that weft_finish() would have
 * given, where a kernel does not return: after a stop, an error or the loss of rank 0 for as long
 * as cluster/OPERATION.md says, or at the end on a rank whose items others have computed meanwhile
 * (status 75, since the rest of the program is not done). Threads cannot be ended one by one. All
 * that was reported is recorded then; the program's own buffers are not flushed and atexit() is not
 * heeded.
 * The same holds for a disk that does not respond once the run is to end, and for a file that is
 * not made or read at the time limit, or 5 s after a signal (status 75).
 *
 * Rank 0 makes the file with HDF5 before anything is computed: no other thread of its process may
 * be in HDF5 meanwhile, unless that is built to be thread-safe.
 *
 * @collective Over all processes of the job. Main thread only. All ranks return the same status.
 * @param map     the map; it, and those that share its file, must have a field or a reduction
 * @param kernel  computes a span
 * @param context handed to the kernel; shared by all workers of the rank
 * @retval WEFT_OK             every item is in the result
 * @retval WEFT_ITEMS_FAILED   the same, but some items failed and hold fill values
 * @retval WEFT_STOPPED        told to stop; run the same command again to continue
 * @retval WEFT_ERR_USAGE      no field and no reduction, a grain that does not fit, an integer sum
 *                             that is beyond int64_t, or a path where no file can be;
 *                             a map that was described after another one of its file had been run,
 *                             or two maps of one name in a file; it is under way already;
 *                             or the kernel has asked for a field that the map does not have, or
 *                             said of an item that is not of its span that it failed; or ranks
 *                             differ in what they have said of the map, in their program, or in
 *                             which map they run: no file is touched, and after different calls
 *                             only weft_finish() is left; or @p map is NULL
 * @retval WEFT_ERR_OTHER_JOB  the file is another job's, or has other maps; it has not been touched
 * @retval WEFT_ERR_FORMAT     the file, or one beside it that is in the way, is not of weft, or the
 *                             file has been repacked; it has not been touched
 * @retval WEFT_ERR_CORRUPT    the file is truncated or damaged; it has not been touched
 * @retval WEFT_ERR_BUSY       another run is writing to the file
 * @retval WEFT_ERR_NO_SPACE   the file system cannot hold the result
 * @retval WEFT_ERR_SYSTEM     another system call failed
 * @retval WEFT_ERR_HDF5       HDF5 failed
 * @retval WEFT_ERR_MPI        MPI failed
 * @retval WEFT_ERR_MEMORY     out of memory
 * @return else the first error in the description of a map of the file, see weft_map_create()
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_run(weft_map *map, weft_kernel_fn kernel,
                                                 void *context);

/**
 * As weft_map_run(), with a function that computes the value of one item in place of a kernel:
 *
 * @code
 * static double payoff(int64_t path, weft_random *random, void *context);
 *
 * weft_map_create(session, "paths", 1, &paths, &map);
 * weft_map_add_reduction(map, "price", WEFT_MOMENTS);
 * status = weft_map_run_each(map, payoff, NULL);
 * @endcode
 *
 * The values are those of the map's field, or go to its reductions, in the order of the items. A
 * field of integers takes them without their fractions; an item whose value is beyond its type has
 * failed. A kernel is for more than one value per item, and for what can be shared by several.
 *
 * @collective Over all processes of the job. Main thread only. All ranks return the same status.
 * @param map      the map: it has one field, of one value per item, or reductions alone, which are
 *                 neither WEFT_INT64_SUM, nor a covariance of more than one variable, nor the
 *                 caller's own
 * @param function computes an item
 * @param context  handed to the function; shared by all workers of the rank
 * @retval WEFT_ERR_USAGE the map is another one; or as weft_map_run(), and what else that returns
 * @return as weft_map_run()
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_run_each(weft_map *map, weft_item_fn function,
                                                      void *context);

/**
 * As weft_map_start(), with a function as for weft_map_run_each().
 *
 * @local Main thread. As weft_map_start().
 * @param map      as for weft_map_run_each()
 * @param function computes an item
 * @param context  handed to the function; shared by all workers of the rank
 * @retval WEFT_ERR_USAGE the map is not one for weft_map_run_each(); or as weft_map_start()
 * @return as weft_map_start()
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_start_each(weft_map *map, weft_item_fn function,
                                                        void *context);

/**
 * Starts a map, and returns at once: its items are computed while the program goes on, which may
 * compute, open OpenMP regions and call MPI on communicators of its own meanwhile.
 *
 * Service threads in each rank make every MPI call of weft's then. Ranks need not start a map at
 * the same time: it begins when all of them have, and what is wrong with it, a difference between
 * ranks for one, is told by weft_map_wait(). The file is made, or looked at, then. Workers compute
 * as the calling thread would at this moment: floating-point environment, locale, rights.
 *
 * Maps are computed, and come to their end, in the order of their start. The tail of a map and the
 * head of the next overlap: this one begins once that one has begun to compute, and workers that
 * have nothing to do for the earlier map compute for the later one; two maps are computed at a
 * time. A later map that is complete first is done when those before it are. One begins only when
 * those before it are done where it needs one of them (weft_map_needs()), where its file is still
 * to be made or holds no other map, and where a rank of the job has no workers.
 *
 * Where the service thread cannot work, since the program has started MPI with less than
 * MPI_THREAD_MULTIPLE or since there are no workers (`--threads 0`), a map is computed only while
 * the program is in weft_map_wait(), weft_map_test() or weft_finish(); a line in the log says so,
 * once. A rank that is in none of them for `--dead-after` is presumed dead until it is again.
 *
 * A map that fails, or is stopped by a signal, the time limit or the loss of a rank, ends those
 * that were started behind it, or will be before the program has learned of it (weft_map_wait(),
 * weft_map_test()): they do not begin, their status is the same, and its text names the map that
 * has failed. Those that have begun by then go on, unless they are stopped for the same reason. One
 * that was cancelled, or has failed items, ends no other.
 *
 * Until the program has learned of the map's end @p context, the map, and the maps that share its
 * file must not be changed, a lock that a kernel waits for in a child must not be held, and exit()
 * ends the process with status 1. On rank 0 no other thread may be in HDF5 while the first map of a
 * file begins, unless HDF5 is built to be thread-safe. The service thread watches over the disk
 * with SIGALRM: a program with maps under way does without alarm() and setitimer(ITIMER_REAL).
 *
 * @local Main thread. All ranks start the same maps, in the same order, and the first of them at
 * the same place among their collective calls.
 * @param map     as for weft_map_run()
 * @param kernel  computes a span
 * @param context handed to the kernel; shared by all workers of the rank
 * @retval WEFT_OK         the map is under way
 * @retval WEFT_ERR_USAGE  it is NULL, or was under way already; or what a rank can see for itself:
 * no kernel, no field and no reduction, an error in a description, a map that was described too
 * late, two maps of one name in a file. Apart from the first two the map counts as started, so that
 * other ranks learn of it, and weft_map_wait() says the same
 * @retval WEFT_ERR_SYSTEM the service thread could not be created; the map is not under way
 * @retval WEFT_ERR_MEMORY out of memory; the map counts as started
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_start(weft_map *map, weft_kernel_fn kernel,
                                                   void *context);

/**
 * Says that a map uses what an earlier one has come to: its items are computed once that is
 * complete, and not at all if that is not, be it cancelled; the map's status is then the same, and
 * its text names the earlier map. That one has to be run, or started, before this one is. A map
 * whose kernel uses what another one's leaves in memory needs that map as well.
 *
 * What is said before their file is made is kept in it for `weft status`, if both maps share the
 * file; it is no part of the map's identity, and what the program says decides.
 *
 * @local Main thread. All ranks make the same calls.
 * @param map     the map
 * @param earlier a map of the same session
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  @p earlier is of another session, or needs @p map itself, perhaps by way
 * of others; or @p map is under way
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API weft_status weft_map_needs(weft_map *map, weft_map *earlier);

/**
 * Whether a map that was started is done, so that weft_map_wait() would return at once.
 *
 * Never blocks, but where there is no service thread (see weft_map_start()) does a little of the
 * work: it waits there until all ranks have come to begin, and computes a span with `--threads 0`.
 * A rank that waits there to begin a map does not come to weft_agree(), nor to a weft_map_run()
 * that is weft_map_start() elsewhere, and one that waits in these does not come to begin: both wait
 * for ever. So without a service thread a program waits for what it has started before such calls.
 *
 * @local Main thread.
 * @param map the map
 * @return true if the map is done, or was never started
 */
WEFT_API bool weft_map_test(weft_map *map);

/**
 * Waits until a map that was started is done. It may be called again, and returns the same.
 *
 * Where there is no service thread (see weft_map_start()) the calling thread computes meanwhile;
 * the limit is looked at after each of its spans then, and does not end the wait for ranks that
 * have not come to begin.
 *
 * It does not return in the cases that weft_map_run() lists: then the service thread ends the
 * process, wherever the program is.
 *
 * @local Main thread.
 * @param map     the map
 * @param seconds for how long at most, 0 or more; WEFT_FOREVER: as long as it takes
 * @retval WEFT_TIMEOUT   it is not done yet, and goes on
 * @retval WEFT_ERR_USAGE it was not started, or @p seconds is negative or no number; or, as all
 * that follows, what the map has come to
 * @return what the map has come to, as weft_map_run() would have returned it, the same on all
 * ranks; WEFT_CANCELLED if it was cancelled before all items were computed
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_wait(weft_map *map, double seconds);

/**
 * Stops a map in good order, on all ranks if one of them says so. Returns at once: the map is done
 * when weft_map_wait() says so, with WEFT_CANCELLED, or with WEFT_OK or WEFT_ITEMS_FAILED if all
 * items were computed by then. One that has not begun yet does not begin. What was recorded stays:
 * a map that is started again goes on. Maps that were started behind it go on. Calls of the kernel
 * that are in progress are waited for, see weft_span_stopping().
 *
 * @local Main thread.
 * @param map the map
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE the map was never started, or the program has learned of its end
 */
WEFT_API WEFT_NODISCARD weft_status weft_map_cancel(weft_map *map);

/** How far a map is. */
typedef struct weft_progress {
    int64_t items;         /**< of the map */
    int64_t items_done;    /**< recorded in the result; over all ranks, as what follows */
    int64_t items_failed;  /**< of these */
    int64_t tiles;         /**< of the map: runs of items that are recorded together */
    int64_t tiles_blocked; /**< that wait for another map */
    int64_t tiles_ready;   /**< that nobody has */
    int64_t tiles_leased;  /**< that ranks have been given */
    int64_t tiles_done;    /**< the four sum up to `tiles` */
    /** of all ranks, how many are in which state; all 0 unless the map is being computed */
    int workers[WEFT_STATES];
} weft_progress;

/**
 * How far a map is: of a moment ago on rank 0; on other ranks by what rank 0 has said last, which
 * is several times within `--dead-after`. What workers are at is what their ranks have said with
 * their last beat (`--heartbeat`). All 0, but for items, before it was started; of a map that was
 * cancelled, what is done stays so.
 *
 * @local Main thread.
 * @param map      the map
 * @param progress out: how far it is
 */
WEFT_API void weft_map_progress(weft_map *map, weft_progress *progress);

/**
 * The path of the result.
 *
 * @local Main thread.
 * @param map the map
 * @return a path that lives as long as the map
 */
WEFT_API const char *weft_map_path(const weft_map *map);

WEFT_END_DECLS

#endif
