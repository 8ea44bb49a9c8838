/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what a process says of a run. */
#include "report.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double report_now(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double report_cpu(void)
{
    struct rusage ended;
    (void)getrusage(RUSAGE_CHILDREN, &ended);
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID) +
           (double)(ended.ru_utime.tv_sec + ended.ru_stime.tv_sec) +
           1e-6 * (double)(ended.ru_utime.tv_usec + ended.ru_stime.tv_usec);
}

double report_thread_cpu(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

/* The most memory so far. */
static int64_t peak_bytes(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    return 1024 * (int64_t)used.ru_maxrss;
}

void report_begin(report *r)
{
    r->peak = peak_bytes();
    r->cpu = report_cpu();
    r->begin = report_now();
}

bool report_end(const report *r, int rank, int64_t items, int64_t all, double value)
{
    const double end = report_now(), cpu = report_cpu() - r->cpu;
    char line[512], number[32] = "null";
    if (!isnan(value)) {
        (void)snprintf(number, sizeof number, "%.9g", value);
    }
    const int length = snprintf(line, sizeof line,
                                "{\"rank\": %d, \"begin\": %.9f, \"end\": %.9f, \"cpu\": %.9f, "
                                "\"peak\": %lld, \"items\": %lld, \"all\": %lld, \"value\": %s}\n",
                                rank, r->begin, end, cpu, (long long)(peak_bytes() - r->peak),
                                (long long)items, (long long)all, number);
    const int fd = open("report", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const bool good = fd >= 0 && write(fd, line, (size_t)length) == length && close(fd) == 0;
    if (!good) {
        perror("weft-bench: report");
    }
    return good;
}
