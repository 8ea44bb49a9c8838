/* SPDX-License-Identifier: BSD-3-Clause */
/* What `weft status` says of a map in a result: read from the file, and what follows from it. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "values.h"

#include <weft/result.h>

typedef enum report_state {
    REPORT_RUNNING,
    REPORT_COMPLETE,
    REPORT_COMPLETE_WITH_FAILED_ITEMS,
    REPORT_WAITING, /* for its turn: the run is at another map */
    REPORT_INTERRUPTED,
    REPORT_NOT_BEGUN /* of this map nothing has been computed */
} report_state;

typedef struct report_run {
    weft_result_run row;
    double duration_s;
    int percent[WEFT_STATES]; /* of its workers' time; all 0: not known */
    double efficiency;        /* the share of the workers' time spent computing; NaN: not known */
} report_run;

/* All text in it has been through terminal_clean(). */
typedef struct report {
    const char *path;
    weft_result_info info;
    weft_field_info *fields;        /* info.fields of them */
    report_value *values;           /* info.reductions of them */
    char (*needs)[WEFT_NAME_BYTES]; /* info.needs of them */
    weft_result_progress progress;
    report_state state;
    int64_t tiles_ready;           /* that nobody has, and nothing holds up; 0: nobody will */
    double percent;                /* of the items; 100 only if all are done */
    double rate;                   /* items per second; NaN: not running, or not known yet */
    double remaining_s;            /* NaN likewise */
    double silence_s;              /* since the present run last wrote; NaN likewise */
    report_run *runs;              /* progress.runs of them */
    weft_result_failure *failures; /* progress.failures of them */
} report;

/* The last run; NULL if there is none. */
const report_run *report_last_run(const report *r);

/* Prints it on stdout: a table for people, the most urgent first; JSON for programs, of one map or
 * of several, of which WEFT_ERR_MEMORY is the only error, since others of writing show on stdout.
 */
void report_print_text(const report *r);
weft_status report_print_json(const report reports[], int count);

#endif
