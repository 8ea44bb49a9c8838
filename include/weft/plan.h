/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Predicting how long a job takes on other ranks and workers, from the tile times in its file.
 *
 * A prediction is a simulation: tiles take as long as they took, and who computes which is decided
 * by the code that decides it in a run. The file may be of a finished job, of one that was stopped,
 * or of one that runs now; nothing is written or locked.
 *
 * These calls need no session and no MPI; every process may make them by itself.
 */
#ifndef WEFT_PLAN_H
#define WEFT_PLAN_H

#include <stdint.h>
#include <weft/macros.h>
#include <weft/map.h>
#include <weft/status.h>

WEFT_BEGIN_DECLS

/** What is known of a job from its file, to predict from. */
typedef struct weft_plan weft_plan;

/** What predictions rest on. */
typedef struct weft_plan_info {
    char name[WEFT_NAME_BYTES]; /**< the map's name */
    int64_t count;              /**< items, of the file or as set by weft_plan_set_items() */
    int64_t grain;              /**< items per tile */
    int64_t tiles;              /**< tiles in all */
    int64_t measured;           /**< tiles of the file that have been computed */
    int64_t missing;            /**< tiles of the file that have not */
    double work_s;    /**< seconds that a worker needs for all tiles, on a core of its own */
    double longest_s; /**< seconds that the longest of them takes */
    int ranks;        /**< of the last run in the file */
    int workers;      /**< workers per rank of that run */
    int cores;        /**< cores that its ranks could use; 0: not known */
    double cpu_share; /**< share of a tile's time in which it needs a core: 1 if it only
                           computes, less if it waits; 1 also if it is not known */
    double spread;    /**< standard deviation of the workers' speeds, relative */
    int runs;         /**< complete runs that simulations were compared with */
    double cost_s;    /**< seconds added to a simulation for what it leaves out */
    double factor;    /**< what it is multiplied by for the same reason */
    double misfit;    /**< relative error that is left in these runs; where there are none,
                           what is assumed */
} weft_plan_info;

/** What runs the job. */
typedef struct weft_layout {
    int ranks;            /**< MPI processes, at least 1 */
    int workers;          /**< per rank, at least 1 */
    const char *schedule; /**< the technique, see weft_schedule_name(); NULL: auto */
    double cores;         /**< that all workers share; 0: each has one of its own */
    double latency_s;     /**< of a message between ranks, one way; 0: what is usual */
} weft_layout;

/** What keeps a layout from being faster. */
typedef enum weft_limit {
    WEFT_LIMIT_NONE,        /**< nothing: nine tenths of the workers' time are used, or more */
    WEFT_LIMIT_CORES,       /**< workers share cores */
    WEFT_LIMIT_TILE,        /**< the longest tile takes half of the time, or more */
    WEFT_LIMIT_TILES,       /**< there are fewer than four tiles per worker */
    WEFT_LIMIT_COORDINATOR, /**< rank 0 cannot hand out tiles fast enough */
    WEFT_LIMIT_FIXED,       /**< what each run costs, however many workers it has */
    WEFT_LIMIT_TAIL         /**< workers are idle at the end, for other reasons */
} weft_limit;

/** A prediction. Times are in seconds. */
typedef struct weft_prediction {
    double makespan_s;       /**< for all items, from the first message to the last */
    double makespan_low_s;   /**< the interval around it, see weft_plan_predict() … */
    double makespan_high_s;  /**< … and its upper end */
    double remaining_s;      /**< for the items that are not done; all of them if their number was
                                  set */
    double remaining_low_s;  /**< the interval around it … */
    double remaining_high_s; /**< … and its upper end */
    double efficiency;       /**< share of the workers' time that the work takes */
    double coordinator;      /**< share of the time that the coordinator is at work */
    int64_t chunks;          /**< chunks handed out */
    int64_t duplicates;      /**< tiles computed twice, since a rank was idle and another late */
    int replicates;          /**< simulations that the interval rests on */
    weft_limit limit;        /**< what keeps it from being faster */
} weft_prediction;

/**
 * Reads the times of all tiles and runs of a map in a result.
 *
 * Also on failure the plan is set (unless memory ran out), since it holds the error's text: close
 * it in every case.
 *
 * @local Any thread, one at a time.
 * @param path the file
 * @param map  the map's name; NULL: the file's only one
 * @param plan out: the plan, owned by the caller
 * @retval WEFT_OK            done
 * @retval WEFT_ERR_USAGE     no tile has been computed yet, or the job has no items; no such map,
 *                            or none is named and there are several
 * @retval WEFT_ERR_NOT_FOUND no such file
 * @retval WEFT_ERR_FORMAT    not a result of weft, of another format, or repacked by h5repack
 * @retval WEFT_ERR_CORRUPT   truncated or damaged
 * @retval WEFT_ERR_SYSTEM    it cannot be opened or read
 * @retval WEFT_ERR_MEMORY    out of memory; @p plan may be NULL
 */
WEFT_API WEFT_NODISCARD weft_status weft_plan_open(const char *path, const char *map,
                                                   weft_plan **plan);

/**
 * Closes a plan.
 *
 * @local Any thread.
 * @param plan the plan, or NULL
 */
WEFT_API void weft_plan_close(weft_plan *plan);

/**
 * The text of the last error of a call on this plan.
 *
 * @local Any thread, one at a time.
 * @param plan the plan, or NULL
 * @return text that lives until the next call; "" if there was no error
 */
WEFT_API const char *weft_plan_error_text(const weft_plan *plan);

/**
 * What predictions rest on.
 *
 * @local Any thread.
 * @param plan an open plan
 * @return a description that lives as long as the plan
 */
WEFT_API const weft_plan_info *weft_plan_describe(const weft_plan *plan);

/**
 * Plans for another number of items: the file's items over and over, in tiles of the same grain, or
 * of a multiple of it where there would be more than 2²⁰.
 *
 * @local Any thread, one at a time.
 * @param plan  an open plan
 * @param items how many, at least 1
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  less than 1
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API WEFT_NODISCARD weft_status weft_plan_set_items(weft_plan *plan, int64_t items);

/**
 * Predicts how long the job takes on a layout.
 *
 * Tiles that were computed take what they took, less what workers of their run waited for cores
 * that others had: workers of the same run, if it had more of them than cores, or other programs.
 * (Where the system does not tell how long that was, only the former is known, if the workers
 * together had all of the cores' time.) Tiles that were not computed are drawn from those around
 * them.
 *
 * The prediction is the median of several simulations, corrected by what complete runs in the file
 * took longer, or shorter, than their own simulations. Simulations differ in what is drawn for
 * tiles that were not computed, and in the speeds of the workers, which scatter as those of the
 * measured runs did. The interval goes from the 5th to the 95th percentile of them; and it reaches
 * to where the correction would lead if it was all of it a factor, and by the runs' misfit beyond.
 * It says nothing of a machine that is faster, slower or busier than the one in the file.
 *
 * @local Any thread, one at a time.
 * @param plan       an open plan
 * @param layout     what runs the job
 * @param prediction out: the prediction
 * @retval WEFT_OK         done
 * @retval WEFT_ERR_USAGE  a layout that cannot be, an unknown technique
 * @retval WEFT_ERR_MEMORY out of memory
 */
WEFT_API WEFT_NODISCARD weft_status weft_plan_predict(weft_plan *plan, const weft_layout *layout,
                                                      weft_prediction *prediction);

/**
 * Adds up the predictions for maps that run one after the other, each with its own start and end,
 * all of them on the same layout.
 *
 * Of a map that is complete nothing remains. The interval is the sum of the maps' intervals, as if
 * all predictions erred the same way, which those for one machine mostly do. The limit is that of
 * the map, among those that have one, in which the workers lose most time; there is none where 90 %
 * of their time is used.
 *
 * @local Any thread.
 * @param parts the predictions
 * @param count how many, at least 1
 * @param sum   out: their sum; none of the parts
 */
WEFT_API void weft_prediction_sum(const weft_prediction *parts, int count, weft_prediction *sum);

/**
 * What a limit is, in a few words.
 *
 * @local Any thread.
 * @param limit any value
 * @return a static string, never NULL
 */
WEFT_API const char *weft_limit_text(weft_limit limit);

WEFT_END_DECLS

#endif
