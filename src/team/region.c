/* SPDX-License-Identifier: BSD-3-Clause */
/* The threads of a team: one OpenMP region for as long as the team lives, opened by a thread of its
 * own. */
#include "team/region.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/thread.h"
#include "host/exits.h"
#include "host/host.h"

#include <execinfo.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct region {
    int threads;
    void (*work)(void *context, int number);
    void *context;
    region_icv opened; /* as which the region was opened */
    pthread_t opener;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int given; /* by OpenMP; 0: the region is not open yet */
    bool ended;
};

/* What the region has given this thread for regions of its own. */
static _Thread_local int inner_threads;

int region_most_threads(void)
{
    return omp_get_thread_limit();
}

void region_icv_get(region_icv *icv)
{
    omp_sched_t schedule;
    omp_get_schedule(&schedule, &icv->chunk);
    icv->schedule = (int)schedule;
    icv->threads = omp_get_max_threads();
    icv->levels = omp_get_max_active_levels();
}

static void set_icv(const region_icv *icv)
{
    omp_set_schedule((omp_sched_t)icv->schedule, icv->chunk);
    omp_set_num_threads(icv->threads);
    omp_set_max_active_levels(icv->levels);
}

/* OMP_NUM_THREADS may be a list, by which what the region gives is not what its opener has. */
void region_icv_set(const region *r, const region_icv *icv)
{
    region_icv set = *icv;
    if (icv->threads == r->opened.threads) {
        set.threads = inner_threads;
    }
    /* A region of one thread does not count as active, and one within it could have many. */
    set.levels -= r->threads == 1 && set.levels > 0;
    set_icv(&set);
}

/* As large as OpenMP makes the stacks of the others; 0: of no particular size. */
static size_t stack_bytes(void)
{
    static const char units[] = "BKMG";
    const char *text = getenv("OMP_STACKSIZE");
    uint64_t size = 0;
    text = text != NULL ? text : getenv("GOMP_STACKSIZE");
    if (text == NULL) {
        return 0;
    }
    text += strspn(text, " ");
    if (!number_take(&text, &size)) {
        return 0;
    }
    text += strspn(text, " ");
    const char unit = (char)(*text >= 'a' ? *text - 'a' + 'A' : *text);
    const char *at = unit != '\0' ? strchr(units, unit) : NULL;
    const int shift = at != NULL ? 10 * (int)(at - units) : 10;
    return size <= SIZE_MAX >> shift ? (size_t)size << shift : 0;
}

static void tell(region *r, int given, bool ended)
{
    (void)pthread_mutex_lock(&r->mutex);
    r->given = given;
    r->ended = ended;
    (void)pthread_cond_broadcast(&r->changed);
    (void)pthread_mutex_unlock(&r->mutex);
}

static void *run_region(void *context)
{
    region *r = context;
    int given = 0;
    thread_set_other(true);
    host_restore_slice(); /* the workers are to have what an agent has not */
    set_icv(&r->opened);
    omp_set_dynamic(0);
    if (r->opened.levels < 1) { /* OMP_MAX_ACTIVE_LEVELS=0 is for regions within this one */
        omp_set_max_active_levels(1);
    }
    exits_enter(EXITS_IN_OPENMP);
#pragma omp parallel num_threads(r->threads) default(none) shared(r, given)
    {
        const int me = omp_get_thread_num();
        thread_set_other(true);
        exits_enter(EXITS_ELSEWHERE);
        inner_threads = omp_get_max_threads();
        region_icv_set(r, &r->opened);
        if (me == 0) {
            given = omp_get_num_threads();
            tell(r, given, false);
        }
        if (omp_get_num_threads() == r->threads) {
            r->work(r->context, me);
        }
        thread_set_other(false);
    }
    tell(r, given, true);
    return NULL;
}

static int start_opener(region *r)
{
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    const size_t bytes = stack_bytes();
    if (bytes > 0) {
        /* What the system does not take, OpenMP does not get either. */
        (void)pthread_attr_setstacksize(&attributes, bytes);
    }
    const int number = pthread_create(&r->opener, &attributes, run_region, r);
    (void)pthread_attr_destroy(&attributes);
    return number;
}

static void release(region *r)
{
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->mutex);
    free(r);
}

static int await_opening(region *r)
{
    (void)pthread_mutex_lock(&r->mutex);
    while (r->given == 0) {
        (void)pthread_cond_wait(&r->changed, &r->mutex);
    }
    const int given = r->given;
    (void)pthread_mutex_unlock(&r->mutex);
    return given;
}

weft_status region_open(int threads, const region_icv *icv, void (*work)(void *context, int number),
                        void *context, region **out, error *e)
{
    region *r = calloc(1, sizeof *r);
    pthread_condattr_t attributes;
    if (r == NULL) {
        return error_memory(e, "the state of %d workers", threads);
    }
    r->threads = threads;
    r->work = work;
    r->context = context;
    r->opened = *icv;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&r->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&r->mutex, NULL);
    const int number = start_opener(r);
    if (number != 0) {
        char host[HOST_NAME_BYTES];
        host_name(host);
        release(r);
        return error_set(
            e, WEFT_ERR_SYSTEM,
            "the workers' threads cannot be created on host %s (%s): " ERROR_MORE_THREADS
            ", or give fewer --threads",
            host, strerror(number));
    }
    const int given = await_opening(r);
    /* Some OpenMP threads end by pthread_exit(), for which glibc loads a library, and ends the
     * process where it cannot, for want of memory say. This loads it now. */
    void *here = NULL;
    (void)backtrace(&here, 1);
    if (given != threads) {
        (void)pthread_join(r->opener, NULL);
        release(r);
        return error_set(e, WEFT_ERR_SYSTEM,
                         "OpenMP gave %d threads instead of %d; raise OMP_THREAD_LIMIT, or give "
                         "fewer --threads",
                         given, threads);
    }
    *out = r;
    return WEFT_OK;
}

bool region_close(region *r, int64_t limit_ns)
{
    const int64_t until_ns = clock_now_ns() + limit_ns;
    const struct timespec until = {.tv_sec = until_ns / 1000000000,
                                   .tv_nsec = until_ns % 1000000000};
    int late = 0;
    (void)pthread_mutex_lock(&r->mutex);
    while (!r->ended && late == 0) {
        late = pthread_cond_timedwait(&r->changed, &r->mutex, &until);
    }
    const bool ended = r->ended;
    (void)pthread_mutex_unlock(&r->mutex);
    if (!ended) {
        (void)pthread_detach(r->opener);
        return false;
    }
    (void)pthread_join(r->opener, NULL);
    release(r);
    return true;
}

int region_inner_threads(void)
{
    return omp_get_active_level() < omp_get_max_active_levels() ? omp_get_max_threads() : 1;
}

void region_set_inner_threads(int threads)
{
    omp_set_num_threads(threads);
}
