/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * How two sides are compared: in turn, several times, by the median of their ratios.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/weft.h>

/** What disturbs a measurement. */
typedef enum trouble {
    TROUBLE_NONE,
    TROUBLE_SPIN, /**< something else computes on the cores of one rank */
    TROUBLE_STOP  /**< one rank is stopped for half of the time */
} trouble;

/** What a measurement has at hand. */
typedef struct bench {
    weft_session *session;
    int rank;
    int ranks;
    int workers; /**< of weft in each rank, and threads of the other side */
    int cores;   /**< that the machine has for all of them */
    int repeat;
    double scale;           /**< of the sizes; 1 is what the goals are meant for */
    bool sync;              /**< both sides force their results to disk */
    int pipe;               /**< where rows go, on rank 0 */
    const char *workload;   /**< for measurements that can do several */
    const char *techniques; /**< those to compare, with commas; NULL: all */
    trouble trouble;
    int slow_rank;                     /**< the one in trouble */
    const struct disturber *disturber; /**< who makes it; NULL: nobody */
    uint64_t seed;                     /**< of the order in which sides are measured */
} bench;

/** What a goal is set for. */
typedef enum goal_kind {
    GOAL_NONE,        /**< a row to learn from */
    GOAL_WEFT_MOST,   /**< weft's own value, at most */
    GOAL_RATIO_MOST,  /**< the ratio, at most */
    GOAL_RATIO_LEAST, /**< the ratio, at least */
    GOAL_BOTH_MOST    /**< the ratio, and that to the best technique, at most */
} goal_kind;

/** A line of the table. Goes through a pipe as it is, so it holds no pointers. */
typedef struct row {
    char what[48];
    char unit[8];
    double weft;  /**< median */
    double other; /**< median; NaN if there is no other side */
    double ratio; /**< median of weft's value over the other's, pair by pair; NaN as above */
    double least; /**< the least and the most ratio, or without another side, value */
    double most;
    goal_kind kind;
    double goal;
    int ranks;
    int workers;        /**< per rank */
    char workload[24];  /**< or "" */
    char technique[16]; /**< or "" */
    double to_best;     /**< ratio to the best technique on that workload, or NaN */
    double imbalance;   /**< how long the first idle rank waits for the last, as a share of the
                           makespan, or NaN */
    double efficiency;  /**< of weft and of the other side: what one thread needs without weft,
                           over what the workers need together, or NaN */
    double other_efficiency;
} row;

/** One side, once: gives its value in the row's unit. Errors go into the session. */
typedef weft_status (*side_fn)(const bench *b, void *context, double *value);

/** A side and what it is called with. */
typedef struct measure_side {
    side_fn run;
    void *context;
} measure_side;

/**
 * Measures and sends the row on. On all ranks, as the rest of these.
 *
 * @param line  what, unit, kind and goal are set; the rest is filled in
 * @param weft  one side
 * @param other the other side, or NULL
 */
weft_status measure(const bench *b, row *line, side_fn weft, side_fn other, void *context);

/** The same for several sides, of which weft's is the first: a row for each of the others. What is
 * measured is multiplied by the factor, which gives the row's unit. */
weft_status measure_several(const bench *b, row *lines, const measure_side *sides, int count,
                            double factor);

/** Measures the sides in turn, `repeat` times: values[side · repeat + repetition], to be freed in
 * any case. */
weft_status measure_turns(const bench *b, const measure_side *sides, int count, double **values);

/** A side in a session of its own, since isolation and the technique are chosen where a session
 * begins; with a command-line option, or NULL. What the error's text is of. */
weft_status measure_apart(const bench *b, char *option, const char *what, const measure_side *s,
                          double *value);

/** Fills the rest of a row in from what was measured, and sends it on. */
weft_status measure_send(const bench *b, row *line, const double *weft, const double *other);

/** Sends a row on as it is. */
weft_status measure_send_row(const bench *b, const row *line);

/** The median of the ratios of two sides, pair by pair; least and most may be NULL. NaN if memory
 * runs out. */
double measure_ratio(const double *side, const double *other, int count, double *least,
                     double *most);

/** A row with its four fixed members. */
row measure_row(const char *what, const char *unit, goal_kind kind, double goal);

/** Names a row: what, the ranks and workers, and against what. */
void measure_name(const bench *b, row *line, const char *what, const char *against);

/** The middle one of some values; NaN if memory runs out. */
double measure_median(const double *values, int count);

/** Waits until the disk is done with what was measured before; measure() does so before each side.
 */
void measure_settle(const bench *b);

/** WEFT_OK if all ranks bring that. */
weft_status measure_agree(const bench *b, weft_status status);

/** Memory for some elements, all zero, on every rank or on none: then NULL, and WEFT_ERR_MEMORY is
 * in the session. */
void *measure_array(const bench *b, size_t count, size_t bytes);

/** Seconds on a clock that only goes forward. */
double measure_now(void);

/** Says that memory ran out. */
weft_status measure_no_memory(const bench *b);

/** Says what a system call's failure was, from errno. */
weft_status measure_system_error(const bench *b, const char *what);

/** The measurements. */
weft_status span_measure(const bench *b);
weft_status mandelbrot_measure(const bench *b);
weft_status coast_measure(const bench *b);
weft_status write_measure(const bench *b);
weft_status isolate_measure(const bench *b);
weft_status start_measure(const bench *b);
weft_status metg_measure(const bench *b);
weft_status handout_measure(const bench *b);
weft_status techniques_measure(const bench *b);
weft_status scaling_measure(const bench *b);

#endif
