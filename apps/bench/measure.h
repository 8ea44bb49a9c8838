/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * How two sides are compared: in turn, several times, by the median of their ratios.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <weft/weft.h>

/** How the measurements are done. */
typedef struct plan_sizes {
    int workers; /**< where a measurement does not say otherwise */
    int repeat;
    double scale; /**< of the sizes; 1 is what the goals are meant for */
} plan_sizes;

/** What a measurement has at hand. */
typedef struct bench {
    weft_session *session;
    int workers; /**< of weft, and threads of the other side */
    int repeat;
    double scale; /**< of the sizes; 1 is what the goals are meant for */
    bool sync;    /**< both sides force their results to disk */
    int pipe;     /**< where rows go */
} bench;

/** What a goal is set for. */
typedef enum goal_kind {
    GOAL_WEFT_MOST,  /**< weft's own value, at most */
    GOAL_RATIO_MOST, /**< the ratio, at most */
    GOAL_RATIO_LEAST /**< the ratio, at least */
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
} row;

/** One side, once: gives its value in the row's unit. Errors go into the session. */
typedef weft_status (*side_fn)(const bench *b, void *context, double *value);

/**
 * Measures and sends the row on.
 *
 * @param line  what, unit, kind and goal are set; the rest is filled in
 * @param weft  one side
 * @param other the other side, or NULL
 */
weft_status measure(const bench *b, row *line, side_fn weft, side_fn other, void *context);

/** Fills the rest of a row in from what was measured, and sends it on. */
weft_status measure_send(const bench *b, row *line, const double *weft, const double *other);

/** A row with its four fixed members. */
row measure_row(const char *what, const char *unit, goal_kind kind, double goal);

/** Waits until the disk is done with what was measured before; measure() does so before each side.
 */
void measure_settle(void);

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
weft_status start_measure(const bench *b);

#endif
