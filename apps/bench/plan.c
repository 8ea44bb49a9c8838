/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns what is measured. */
#include "plan.h"

#include "workload.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { RANKS_MOST = 16, NUMBERS_MOST = 8, JOBS_AT_ONCE = 64 };

static void add(plan *p, job j)
{
    job *grown = p->jobs;
    if (p->count % JOBS_AT_ONCE == 0) {
        grown = realloc(p->jobs, ((size_t)p->count + JOBS_AT_ONCE) * sizeof *grown);
    }
    if (grown == NULL) {
        p->short_of_memory = true;
        return;
    }
    p->jobs = grown;
    p->jobs[p->count++] = j;
}

static void add_once(plan *p, const request *wish, job j)
{
    (void)wish;
    add(p, j);
}

static void add_alone_and_all(plan *p, const request *wish, job j)
{
    j.workers = 1;
    add(p, j);
    j.workers = wish->workers;
    add(p, j);
}

/* With the results in a file, and with them on disk. */
static void add_loop(plan *p, const request *wish, job j)
{
    (void)wish;
    add(p, j);
    j.sync = true;
    add(p, j);
}

static void add_over_ranks(plan *p, const request *wish, job j)
{
    j.workers = 1;
    j.ranks = wish->ranks > 0 ? wish->ranks : 2;
    add(p, j);
    j.ranks = 4;
    if (wish->ranks == 0) {
        add(p, j);
    }
}

static void add_metg(plan *p, const request *wish, job j)
{
    add(p, j);
    add_over_ranks(p, wish, j);
}

/* As many ranks as there are cores for, and what is left of the cores in each. */
static void fill_cores(const request *wish, job *j)
{
    const int cores = omp_get_num_procs();
    j->ranks = wish->ranks > 0 ? wish->ranks : cores < RANKS_MOST ? cores : RANKS_MOST;
    j->ranks = j->ranks > 2 ? j->ranks : 2;
    j->workers = cores > j->ranks ? cores / j->ranks : 1;
}

/* For each of the workloads that are wished for, or of some. */
static void add_workloads(plan *p, const request *wish, const char *usual, job j)
{
    const char *const list = wish->workloads != NULL ? wish->workloads : usual;
    for (int i = 0; (j.workload = workload_name(i)) != NULL; i++) {
        if (list == NULL || request_names(list, j.workload)) {
            add(p, j);
        }
    }
}

static void add_schedule(plan *p, const request *wish, job j)
{
    fill_cores(wish, &j);
    add_workloads(p, wish, NULL, j);
}

static void add_slow(plan *p, const request *wish, job j)
{
    fill_cores(wish, &j);
    j.trouble = TROUBLE_SPIN;
    add_workloads(p, wish, "uniform", j);
    j.trouble = TROUBLE_STOP;
    add_workloads(p, wish, "uniform", j);
}

/* All numbers up to some, or, if there are too many, the powers of two among them and the last. */
static int next_number(int number, int last)
{
    const int next = last > NUMBERS_MOST ? 2 * number : number + 1;
    return number < last && next > last ? last : next;
}

static void add_scaling(plan *p, const request *wish, job j)
{
    const int cores = omp_get_num_procs();
    for (j.workers = 1; j.workers <= cores; j.workers = next_number(j.workers, cores)) {
        add_workloads(p, wish, "uniform", j);
    }
    j.workers = 1;
    for (j.ranks = 2; j.ranks <= cores; j.ranks = next_number(j.ranks, cores)) {
        add_workloads(p, wish, "uniform", j);
    }
    if (cores >= 4) {
        j.ranks = 2;
        j.workers = cores / 2;
        add_workloads(p, wish, "uniform", j);
    }
}

/* A row per name that --only takes, with the job from which its jobs are made: in one rank, with
 * all workers, where nothing else is said. */
static const struct {
    void (*add)(plan *p, const request *wish, job j);
    bool usual; /* also without being named */
    job job;
} families[] = {
    {add_alone_and_all, true, {.name = "span", .measure = span_measure, .brief = true}},
    {add_loop, true, {.name = "mandelbrot", .measure = mandelbrot_measure}},
    {add_loop, true, {.name = "coast", .measure = coast_measure}},
    {add_once, true, {.name = "write", .measure = write_measure, .brief = true}},
    {add_once, true, {.name = "start", .measure = start_measure, .sync = true}},
    {add_metg, true, {.name = "metg", .measure = metg_measure}},
    {add_over_ranks, true, {.name = "handout", .measure = handout_measure, .schedule = "ss"}},
    {add_schedule, false, {.name = "schedule", .measure = techniques_measure}},
    {add_slow, false, {.name = "slow", .measure = techniques_measure}},
    {add_scaling, false, {.name = "scaling", .measure = scaling_measure}},
    {add_alone_and_all, true, {.name = "isolate", .measure = isolate_measure}},
};

enum { FAMILIES = sizeof families / sizeof families[0] };

const char *plan_name(int number)
{
    return number < FAMILIES ? families[number].job.name : NULL;
}

plan *plan_create(const request *wish)
{
    plan *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    for (int i = 0; i < FAMILIES; i++) {
        job j = families[i].job;
        j.ranks = 1;
        j.workers = wish->workers;
        if (wish->only != NULL ? request_names(wish->only, j.name) : families[i].usual) {
            families[i].add(p, wish, j);
        }
    }
    if (p->short_of_memory) {
        plan_destroy(p);
        p = NULL;
    }
    return p;
}

void plan_destroy(plan *p)
{
    if (p != NULL) {
        free(p->jobs);
    }
    free(p);
}
