/* SPDX-License-Identifier: BSD-3-Clause */
/* When a session's run has to be over. */
#include "api/deadline.h"

#include "base/clock.h"
#include "base/log.h"
#include "host/slurm.h"

#include <inttypes.h>
#include <math.h>

/* How long squeue may take. */
static const int64_t answer_ns = INT64_C(5000000000);

/* The share of a Slurm job's time that is left for what comes after the run: mpirun, which takes
 * some seconds to end with a status other than 0, and the rest of the batch script. */
static const double rest_share = 0.035;
static const double rest_s = 10;

static int64_t ask_slurm(void)
{
    int64_t job = 0;
    if (slurm_environment_is_old(&job)) {
        log_print(LOG_WARNING,
                  "SLURM_JOB_ID is of another job than %" PRId64 ", which this process belongs to: "
                  "the time limit is not known; give --time-limit, or 0 for none",
                  job);
        return 0;
    }
    error e = {.status = WEFT_OK};
    int64_t end_s = 0;
    if (slurm_job_end(answer_ns, &end_s, &e) != WEFT_OK) {
        log_print(LOG_WARNING, "%s; give --time-limit, or 0 for none", e.text);
    }
    if (end_s == 0) {
        return 0;
    }
    const int64_t now_ns = clock_now_ns();
    const double left_s = (double)end_s - clock_wall_s();
    if (left_s <= 0) {
        /* A limit that has passed would stop each run before it has done anything, for ever. */
        log_print(LOG_WARNING,
                  "the Slurm job of this environment (SLURM_JOB_ID) should have ended "
                  "before now: its time limit is ignored; give --time-limit to set one");
        return 0;
    }
    log_print(LOG_INFO, "the Slurm job ends in %s", clock_duration(left_s).text);
    return now_ns + (int64_t)(1e9 * (left_s - fmin(rest_share * left_s, rest_s)));
}

int64_t deadline_find(const options *c, int64_t start_ns)
{
    if (c->time_limit_s > 0) {
        return start_ns + (int64_t)(1e9 * c->time_limit_s);
    }
    return c->time_limit_s < 0 ? ask_slurm() : 0;
}
