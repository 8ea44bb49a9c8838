/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What is computed, the same function for weft and for what is written by hand, and what a run is
 * told on its command line.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/type.h>

/** The most fields that a work has. */
#define WORK_FIELDS 3

/** What a run is told, as NAME=VALUE. */
typedef struct settings {
    const char *action; /**< do=: what the program does */
    const char *work;   /**< work=: fill, mandelbrot, coast, or a distribution of costs */
    int64_t items;      /**< items=: of fill, and of a distribution */
    int64_t bytes;      /**< bytes=: of an item of fill, a multiple of 8 */
    int64_t piece;      /**< piece=: items that are handed out at once by hand; 0: the work's own */
    int64_t rows;       /**< rows=: of mandelbrot and coast */
    int64_t maps;       /**< maps=: one after the other, of which the last is timed */
    int64_t stop;       /**< stop=: the first item that is not computed; -1: none */
    int64_t limit;      /**< limit=: of a span, in items; 0: none */
    int64_t spread;     /**< spread=: of the exponents of numbers that are added up */
    int64_t threads;    /**< threads=: in each rank, by hand */
    double steps;       /**< steps=: of arithmetic in an item of a distribution, on average */
    double step_ns;     /**< step-ns=: how long one takes */
    double seconds;     /**< seconds=: how long something lasts */
} settings;

typedef struct work_field {
    const char *name;
    weft_type type;
    int64_t elements; /**< per item */
    int64_t bytes;    /**< per item */
} work_field;

typedef struct work work;
struct work {
    int64_t rows, columns;
    int64_t items;
    int64_t piece;
    int fields;
    work_field field[WORK_FIELDS];
    void (*compute)(const work *w, int64_t first, int64_t count, void *const results[]);
    double steps;
    const void *context;
};

/** Reads a command line; says what is wrong with it and returns false. */
bool settings_read(settings *s, int argc, char **argv);

/** Prepares a work; says what is wrong and returns false. Its memory goes with the process. */
bool work_open(work *w, const settings *s);

/** Arithmetic of a length that no compiler can shorten. */
double work_spin(int64_t start, int64_t steps);

#endif
