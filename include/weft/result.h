/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Reading a result: while its job runs, after a kill, when it is complete.
 *
 * These calls need no session and no MPI; every process may make them by itself.
 *
 * @code
 * weft_result *result;
 * weft_status status = weft_result_open("coast.h5", &result);
 * if (status == WEFT_OK) {
 *     const int field = weft_result_find_field(result, "distance");
 *     if (field >= 0 && weft_result_item_done(result, item)) {
 *         status = weft_result_read(result, field, item, 1, &distance);
 *     }
 * }
 * if (status != WEFT_OK) {
 *     fprintf(stderr, "%s\n", weft_result_error_text(result));
 * }
 * weft_result_close(result);
 * @endcode
 */
#ifndef WEFT_RESULT_H
#define WEFT_RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/macros.h>
#include <weft/reduce.h>
#include <weft/state.h>
#include <weft/status.h>
#include <weft/type.h>

WEFT_BEGIN_DECLS

/** A result file, open for reading. */
typedef struct weft_result weft_result;

/** What a result is of: one of its maps. */
typedef struct weft_result_info {
    int maps;                      /**< how many maps the file holds */
    char name[WEFT_NAME_BYTES];    /**< the map's name */
    char version[WEFT_NAME_BYTES]; /**< the version of weft that made the file */
    char created[WEFT_NAME_BYTES]; /**< when, ISO 8601, UTC */
    int ndims;                     /**< dimensions of the item space */
    int64_t shape[WEFT_MAX_DIMS];  /**< their extents */
    int64_t count;                 /**< items in all */
    int64_t grain;                 /**< items per tile */
    int64_t tiles;                 /**< tiles in all */
    uint64_t seed;                 /**< the job's seed */
    int fields;                    /**< how many fields there are */
    int reductions;                /**< and how many reductions */
    int needs;                     /**< how many maps of the file it needs, see weft_map_needs() */
} weft_result_info;

/** One field of a result. */
typedef struct weft_field_info {
    char name[WEFT_NAME_BYTES];   /**< the field's name */
    weft_type type;               /**< the type of its elements */
    int ndims;                    /**< dimensions of its value at one item */
    int64_t shape[WEFT_MAX_DIMS]; /**< their extents */
    int64_t item_bytes;           /**< bytes per item */
    char units[256];              /**< the unit */
    char long_name[256];          /**< what it is, in a few words */
    unsigned char fill[16];       /**< what a failed item holds: an element of the type */
} weft_field_info;

/** One dimension of the item space. */
typedef struct weft_dimension_info {
    char name[WEFT_NAME_BYTES]; /**< its name, or "" */
    char units[256];            /**< its unit, or "" where it has no name */
    int64_t count;              /**< how many items it has */
    bool coordinates;           /**< whether they have coordinates */
} weft_dimension_info;

/** One reduction of a result. */
typedef struct weft_reduction_info {
    char name[WEFT_NAME_BYTES];   /**< the reduction's name */
    weft_reduction_kind kind;     /**< WEFT_REDUCE_OWN: the program's own */
    char what[256];               /**< what it does, as text, and of which field */
    weft_type type;               /**< the type of its value's elements */
    int ndims;                    /**< dimensions of its value; 0: a scalar */
    int64_t shape[WEFT_MAX_DIMS]; /**< their extents */
    int64_t value_bytes;          /**< bytes of its value */
    int64_t numbers;              /**< how many edges, or probabilities, it was described with */
} weft_reduction_info;

/** How far a result is. */
typedef struct weft_result_progress {
    int64_t items_done;        /**< items whose tile is done, failed ones included */
    int64_t items_failed;      /**< items that hold fill values since their kernel failed */
    int64_t tiles_done;        /**< tiles done, those with failed items included */
    int64_t tiles_leased;      /**< tiles, not done, that ranks have been given; 0 unless running */
    int64_t tiles_blocked;     /**< tiles, not done, that wait for a map that this one needs; 0
                                    unless a run has the file */
    int64_t tiles_quarantined; /**< tiles, done, with items that have ended their process twice */
    int64_t tiles_bad;         /**< tile records that are torn or damaged; they count as not done */
    double busy_s;             /**< seconds that workers spent computing what is done */
    bool in_use;               /**< whether a run has the file now, be it at this map or not */
    bool running;              /**< whether it is at this map */
    char user[256];            /**< which one: host, pid, time; or "" */
    int runs;                  /**< rows of the map in the table of runs */
    int64_t failures;          /**< rows in the table of failures */
} weft_result_progress;

/** How a run has ended: X(enumerator, text), the text being what the file says. */
#define WEFT_OUTCOME_MAP(X)                      \
    X(WEFT_OUTCOME_UNKNOWN, "unknown")           \
    X(WEFT_OUTCOME_RUNNING, "running")           \
    X(WEFT_OUTCOME_COMPLETE, "complete")         \
    X(WEFT_OUTCOME_FAILED_ITEMS, "failed items") \
    X(WEFT_OUTCOME_STOPPED, "stopped")           \
    X(WEFT_OUTCOME_ERROR, "error")               \
    X(WEFT_OUTCOME_KILLED, "killed")

/** How a run has ended, or that it has not. */
typedef enum weft_outcome {
#define WEFT_OUTCOME_ENUM(name, text) name,
    WEFT_OUTCOME_MAP(WEFT_OUTCOME_ENUM)
#undef WEFT_OUTCOME_ENUM
        WEFT_OUTCOME_COUNT /**< how many there are */
} weft_outcome;

/** One row of the table of runs. */
typedef struct weft_result_run {
    double start_s;     /**< when it began, seconds since 1970, UTC */
    double end_s;       /**< when it ended; while it runs, and after a kill, when it last wrote */
    int ranks;          /**< MPI processes */
    int workers;        /**< workers over all ranks */
    int hosts;          /**< hosts */
    int cores;          /**< cores that its ranks could use, over all hosts; 0: not known */
    int64_t items;      /**< items that it computed and wrote; while it runs, and after a kill, by
                             the tile records */
    int64_t failed;     /**< of these, how many failed */
    int64_t duplicates; /**< items computed more than once */
    double busy_s;      /**< seconds that its workers spent in the kernel */
    double cpu_s;       /**< of these, how many they had a core; 0: not known */
    double wait_s;      /**< of these, how many they waited for one that others had */
    /** seconds that its workers have spent in each state: workers · (end_s - start_s) in all, as
     * far as the row itself has been brought up to date, which is once a second */
    double state_s[WEFT_STATES];
    int workers_now[WEFT_STATES]; /**< how many are in each state; 0 if it does not run */
    int lost;                     /**< ranks that were presumed dead during the run */
    int lost_rank;                /**< the last of them; of no meaning if there was none */
    double lost_at;               /**< when that was, seconds since 1970, UTC */
    int64_t lost_items;           /**< items that they had in progress, to be computed by others */
    weft_outcome outcome;         /**< how it ended; a run that could not say so was killed */
    char host_names[96];          /**< their names, cut where they are too long */
    char command[232];            /**< the command line, cut where it is too long */
} weft_result_run;

/** One failed item. */
typedef struct weft_result_failure {
    int64_t item;   /**< the item */
    int code;       /**< what the kernel returned */
    char text[116]; /**< what it said */
} weft_result_failure;

/**
 * Opens a result for reading. It need not be complete, and may be in use. Of several maps the first
 * is chosen, see weft_result_set_map().
 *
 * Also on failure the result is set (unless memory ran out), since it holds the error's text: close
 * it in every case.
 *
 * @local Any thread, one at a time.
 * @param path   the file
 * @param result out: the result, owned by the caller
 * @retval WEFT_OK            done
 * @retval WEFT_ERR_NOT_FOUND no such file
 * @retval WEFT_ERR_FORMAT    not a result of weft, of another format, or repacked by h5repack
 * @retval WEFT_ERR_CORRUPT   truncated, damaged, or changed by another program
 * @retval WEFT_ERR_SYSTEM    it cannot be opened or read
 * @retval WEFT_ERR_MEMORY    out of memory; @p result is NULL
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_open(const char *path, weft_result **result);

/**
 * Closes a result.
 *
 * @local Any thread.
 * @param result the result, or NULL
 */
WEFT_API void weft_result_close(weft_result *result);

/**
 * The text of the last error of a call on this result.
 *
 * @local Any thread, one at a time.
 * @param result the result, or NULL
 * @return text that lives until the next call; "" if there was no error
 */
WEFT_API const char *weft_result_error_text(const weft_result *result);

/**
 * The number of a map, from 0, in the order in which the maps were described.
 *
 * @local Any thread, one at a time.
 * @param result an open result
 * @param name   the map's name
 * @return its number; -1 if there is none of that name, and weft_result_error_text() says which
 *         there are
 */
WEFT_API int weft_result_find_map(weft_result *result, const char *name);

/**
 * Chooses the map that all other calls are about; at first it is the first one. What was described
 * of another does not live any longer.
 *
 * @local Any thread, one at a time.
 * @param result an open result
 * @param map    the map's number, 0 … weft_result_info::maps - 1
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  no such map; the one chosen before still is
 * @retval WEFT_ERR_MEMORY out of memory; no other call than weft_result_close() is allowed
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_set_map(weft_result *result, int map);

/**
 * What the result is of.
 *
 * @local Any thread.
 * @param result an open result
 * @return a description that lives until weft_result_set_map() and weft_result_close()
 */
WEFT_API const weft_result_info *weft_result_describe(const weft_result *result);

/**
 * One of the maps of the file that the map needs, as its program had said when the file was made.
 *
 * @local Any thread, one at a time.
 * @param result an open result
 * @param need   its number, 0 … weft_result_info::needs - 1
 * @return its name, which lives as weft_result_describe()'s; NULL if there is no such one, and
 *         weft_result_error_text() says so
 */
WEFT_API const char *weft_result_need(weft_result *result, int need);

/**
 * One of its fields.
 *
 * @local Any thread.
 * @param result an open result
 * @param field  the field's number, from 0
 * @return a description that lives as long as the result; NULL if there is no such field, and
 *         weft_result_error_text() says so
 */
WEFT_API const weft_field_info *weft_result_field(weft_result *result, int field);

/**
 * The number of a field.
 *
 * @local Any thread.
 * @param result an open result
 * @param name   the field's name
 * @return its number; -1 if there is none of that name, and weft_result_error_text() says which
 *         there are
 */
WEFT_API int weft_result_find_field(weft_result *result, const char *name);

/**
 * One of the dimensions of the item space, see weft_map_set_dimension().
 *
 * @local Any thread.
 * @param result    an open result
 * @param dimension the dimension's number, from 0
 * @param about     out: what it is
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE no such dimension
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_get_dimension(weft_result *result, int dimension,
                                                              weft_dimension_info *about);

/**
 * Reads the coordinates of a run of items along a dimension; their indices, if it has none.
 *
 * @local Any thread, one at a time.
 * @param result    an open result
 * @param dimension the dimension's number
 * @param first     the first item along it
 * @param count     how many items
 * @param values    out: the coordinates
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  no such dimension, or items out of range
 * @retval WEFT_ERR_SYSTEM the file cannot be read
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_read_coordinates(weft_result *result, int dimension,
                                                                 int64_t first, int64_t count,
                                                                 double values[]);

/**
 * Reads a field's values at a run of items. What is not done yet reads as anything.
 *
 * @local Any thread, one at a time.
 * @param result an open result
 * @param field  the field's number
 * @param first  the first item
 * @param count  how many items
 * @param values out: count · (elements per item) elements of the field's type, item by item
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  no such field, or items out of range
 * @retval WEFT_ERR_SYSTEM the file cannot be read
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_read(weft_result *result, int field, int64_t first,
                                                     int64_t count, void *values);

/**
 * Whether the item is done: then its values are in the file for good, be it that they are fill
 * values since the item has failed. Asks the file at each call, so that it may be used while a run
 * is going on; weft_result_get_done() tells of many items as they were at one moment.
 *
 * @local Any thread, one at a time.
 * @param result an open result
 * @param item   the item
 * @return true if it is done; false also if there is no such item, or the file cannot be read, and
 *         weft_result_error_text() says so
 */
WEFT_API bool weft_result_item_done(weft_result *result, int64_t item);

/**
 * One of its reductions.
 *
 * @local Any thread.
 * @param result    an open result
 * @param reduction the reduction's number, from 0
 * @return a description that lives as weft_result_describe()'s; NULL if there is no such reduction,
 *         and weft_result_error_text() says so
 */
WEFT_API const weft_reduction_info *weft_result_reduction(weft_result *result, int reduction);

/**
 * The number of a reduction.
 *
 * @local Any thread.
 * @param result an open result
 * @param name   the reduction's name
 * @return its number; -1 if there is none of that name, and weft_result_error_text() says which
 *         there are
 */
WEFT_API int weft_result_find_reduction(weft_result *result, const char *name);

/**
 * Reads the value of a reduction, which is there once its map is complete.
 *
 * @code
 * weft_moments_value price;
 * const int reduction = weft_result_find_reduction(result, "price");
 * if (reduction >= 0 && weft_result_reduction(result, reduction)->kind == WEFT_REDUCE_MOMENTS &&
 *     weft_result_get_value(result, reduction, &price) == WEFT_OK) {
 *     printf("%g +- %g\n", price.mean, price.error);
 * }
 * @endcode
 *
 * @local Any thread, one at a time.
 * @param result    an open result
 * @param reduction the reduction's number
 * @param value     out: weft_reduction_info::value_bytes bytes
 * @retval WEFT_OK            done
 * @retval WEFT_ERR_NOT_FOUND it has no value yet
 * @retval WEFT_ERR_USAGE     no such reduction
 * @retval WEFT_ERR_CORRUPT   the value differs from its checksum; the map's next run makes it anew
 * @retval WEFT_ERR_SYSTEM    the file cannot be read
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_get_value(weft_result *result, int reduction,
                                                          void *value);

/**
 * Reads what a reduction was described with: the edges of a histogram, one more than it has bins;
 * the probabilities of quantiles, as many as its value has elements.
 *
 * @local Any thread, one at a time.
 * @param result    an open result
 * @param reduction the reduction's number
 * @param numbers   out: weft_reduction_info::numbers doubles
 * @retval WEFT_OK            done
 * @retval WEFT_ERR_NOT_FOUND the file does not have them: it takes up to 8001 edges, or 8000
 *                            probabilities
 * @retval WEFT_ERR_USAGE     no such reduction
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_get_numbers(weft_result *result, int reduction,
                                                            double numbers[]);

/**
 * Reads the tile records anew and says how far the job is.
 *
 * @local Any thread, one at a time.
 * @param result   an open result
 * @param progress out: how far it is
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_MEMORY out of memory
 * @retval WEFT_ERR_SYSTEM the file cannot be read
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_get_progress(weft_result *result,
                                                             weft_result_progress *progress);

/**
 * Whether an item was done when weft_result_get_progress() was last called, and how many there are
 * from there on of which the same is true. Unlike weft_result_item_done() it reads nothing, and
 * goes with the counts and the table of failures of that moment: what reads a whole field of a run
 * that is going on gets one picture, in which no item is done whose failure it does not know.
 *
 * @local Any thread, one at a time.
 * @param result an open result
 * @param first  the item
 * @param done   out: whether it was; an item that has failed is done, and holds fill values
 * @param count  out: how many items there are, at least 1
 * @retval WEFT_OK        done
 * @retval WEFT_ERR_USAGE no such item
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_get_done(weft_result *result, int64_t first,
                                                         bool *done, int64_t *count);

/**
 * Reads a row of the table of runs, of those of the map.
 *
 * @local Any thread, one at a time.
 * @param result an open result
 * @param row    0 … weft_result_progress::runs - 1
 * @param run    out: the row
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  no such row
 * @retval WEFT_ERR_SYSTEM the file cannot be read
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_get_run(weft_result *result, int row,
                                                        weft_result_run *run);

/**
 * The text of an outcome, such as "failed items".
 *
 * @local Any thread.
 * @param outcome any value
 * @return a static string, never NULL
 */
WEFT_API const char *weft_outcome_text(weft_outcome outcome);

/**
 * Reads a row of the table of failures, which is in the order of the items.
 *
 * @local Any thread, one at a time.
 * @param result  an open result
 * @param row     0 … weft_result_progress::failures - 1
 * @param failure out: the row
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  no such row
 * @retval WEFT_ERR_SYSTEM the file cannot be read
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_get_failure(weft_result *result, int64_t row,
                                                            weft_result_failure *failure);

/**
 * Called by weft_result_verify() for each tile that is not what its record says.
 *
 * @param tile    the tile
 * @param first   its first item
 * @param count   how many items it has
 * @param what    what is wrong with it, in a few words
 * @param context as given to weft_result_verify()
 */
typedef void (*weft_verify_fn)(int64_t tile, int64_t first, int64_t count, const char *what,
                               void *context);

/**
 * Recomputes the checksum of every tile that is done, from the bytes on disk. A tile whose bytes
 * cannot be read counts as one that disagrees, and the others are verified all the same. Then come
 * the coordinates of the dimensions.
 *
 * @local Any thread, one at a time.
 * @param result   an open result
 * @param on_bad   called for each tile that disagrees, and for each damaged tile record; or NULL
 * @param context  handed to @p on_bad
 * @param verified out: how many tiles agree
 * @param bad      out: how many do not
 * @retval WEFT_OK          every tile that is done agrees, every record is sound, and so are all
 *                          coordinates
 * @retval WEFT_ERR_CORRUPT some do not; weft_result_error_text() tells of the coordinates, too
 * @retval WEFT_ERR_SYSTEM  the file's tables cannot be read
 * @retval WEFT_ERR_MEMORY  out of memory
 */
WEFT_API WEFT_NODISCARD weft_status weft_result_verify(weft_result *result, weft_verify_fn on_bad,
                                                       void *context, int64_t *verified,
                                                       int64_t *bad);

WEFT_END_DECLS

#endif
