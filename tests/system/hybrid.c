/* SPDX-License-Identifier: BSD-3-Clause */
/* hybrid: a program that uses OpenMP, processes and locks, and changes what belongs to threads, in
 * main() and in its kernel. A first map makes the workers before main() changes anything. */
#define _DEFAULT_SOURCE 1
#include <fenv.h>
#include <locale.h>
#include <omp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <weft/weft.h>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

typedef struct wish {
    int64_t count;
    const char *mode; /* of main's arithmetic */
    int64_t leave;    /* an item that leaves its thread with another rounding */
    bool region;      /* the kernel opens parallel regions */
    double nap_s;     /* an item takes so long */
    bool lock;        /* in a child, it takes a lock that is never released there */
    bool share;       /* items take turns: most of the time somebody has a lock */
    bool fall;        /* an item that is computed in a child kills it */
    bool never;       /* no item is to be computed in a child */
    pid_t home;
    locale_t locale;
    int *workers; /* the threads that have computed, of which there are MOST at most; 0: none */
} wish;

enum { MOST = 16 };

static pthread_mutex_t taken = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t noting = PTHREAD_MUTEX_INITIALIZER;

static int count_on(int64_t to)
{
    int sum = 0;
#pragma omp parallel for default(none) shared(to) reduction(+ : sum)
    for (int64_t i = 0; i < to; i++) {
        sum++;
    }
    return sum;
}

static void nap(double seconds)
{
    const struct timespec time = {.tv_sec = (time_t)seconds,
                                  .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    if (seconds > 0) {
        (void)nanosleep(&time, NULL);
    }
}

/* Notes the calling thread. */
static void note_thread(int workers[MOST])
{
    const int me = (int)syscall(SYS_gettid);
    int i = 0;
    (void)pthread_mutex_lock(&noting);
    while (i < MOST - 1 && workers[i] != 0 && workers[i] != me) {
        i++;
    }
    workers[i] = me;
    (void)pthread_mutex_unlock(&noting);
}

/* What an item does but for its values. False if it must not be here. */
static bool behave(const wish *w)
{
    const bool at_home = getpid() == w->home;
    if (at_home) {
        note_thread(w->workers);
    }
    if (w->lock && !at_home) {
        (void)pthread_mutex_lock(&taken);
    }
    if (w->share) {
        (void)pthread_mutex_lock(&shared);
    }
    nap(w->nap_s);
    if (w->share) {
        (void)pthread_mutex_unlock(&shared);
    }
    if (w->fall && !at_home) {
        abort();
    }
    return (at_home || !w->never) && (!w->region || count_on(1000) == 1000);
}

/* Where the signal mask or the locale is not main's, so is no value. */
static bool is_mains(const wish *w)
{
    sigset_t mask;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, SIGWINCH) == 1 && uselocale((locale_t)0) == w->locale;
}

static int kernel(const weft_span *span, void *context)
{
    const wish *w = context;
    double *value = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = weft_span_first(span) + i;
        volatile double one = 1;
        volatile double tiny = 1e-300;
        volatile double divisor = (double)(item + 3);
        volatile double huge = 1e10 * divisor;
        const bool good = behave(w) && (w->locale == (locale_t)0 || is_mains(w));
        value[2 * i] = good ? one / divisor : -1;
        value[2 * i + 1] = tiny / huge;
        if (item == w->leave) {
            (void)fesetround(FE_DOWNWARD);
        }
    }
    return 0;
}

static weft_status run(weft_session *session, const wish *w, const char *name)
{
    weft_map *map = NULL;
    const int64_t two = 2;
    weft_status status = weft_map_create(session, name, 1, &w->count, &map);
    if (status == WEFT_OK) {
        status = weft_map_add_field(map, "value", WEFT_FLOAT64, 1, &two, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_set_span_limit(map, 1);
    }
    if (status == WEFT_OK && w->never) {
        status = weft_map_set_isolation(map, WEFT_NEVER);
    }
    if (status == WEFT_OK) {
        status = weft_map_run(map, kernel, (void *)(uintptr_t)w);
    }
    weft_map_destroy(map);
    return status;
}

static void change(wish *w)
{
    sigset_t more;
    (void)sigemptyset(&more);
    (void)sigaddset(&more, SIGWINCH);
    (void)pthread_sigmask(SIG_BLOCK, &more, NULL);
    w->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    (void)uselocale(w->locale);
    if (strcmp(w->mode, "upward") == 0) {
        (void)fesetround(FE_UPWARD);
    }
#ifdef __SSE2__
    if (strcmp(w->mode, "flush") == 0) {
        _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
    }
#endif
}

/* OpenMP's threads have what they had, and main() too; how many do not. Of the threads only the
 * first is sure to have been there before main() changed anything. */
static int count_changed(int rounding)
{
    int changed = fegetround() != rounding;
#pragma omp parallel default(none) reduction(+ : changed) num_threads(3)
    {
        sigset_t mask;
        (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
        if (omp_get_thread_num() == 1) {
            changed += fegetround() != FE_TONEAREST || sigismember(&mask, SIGWINCH) == 1 ||
                       uselocale((locale_t)0) != LC_GLOBAL_LOCALE;
        }
    }
    return changed;
}

/* As programs do between maps; the workers sleep meanwhile. */
static bool use_threads_and_processes(void)
{
    int status = -1;
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && count_on(1000) == 1000;
}

/* The same threads have computed all maps, but for those of main(). */
static bool are_few(const wish *w, const weft_session *session)
{
    const int workers = weft_session_workers(session);
    return workers >= MOST || w->workers[workers > 0 ? workers : 1] == 0;
}

int main(int argc, char **argv)
{
    int workers[MOST] = {0};
    wish w = {.count = 100, .mode = "nearest", .leave = -1, .home = getpid(), .workers = workers};
    const weft_option options[] = {
        {"count", "N", WEFT_OPTION_INT64, &w.count, "items"},
        {"mode", "NAME", WEFT_OPTION_STRING, &w.mode, "nearest, upward or flush"},
        {"leave", "ITEM", WEFT_OPTION_INT64, &w.leave, "an item that rounds downward from then on"},
        {"region", NULL, WEFT_OPTION_FLAG, &w.region, "open parallel regions in the kernel"},
        {"nap-s", "S", WEFT_OPTION_DOUBLE, &w.nap_s, "how long an item takes"},
        {"lock", NULL, WEFT_OPTION_FLAG, &w.lock, "wait for a lock for ever, in children"},
        {"share", NULL, WEFT_OPTION_FLAG, &w.share, "hold a lock during the nap"},
        {"fall", NULL, WEFT_OPTION_FLAG, &w.fall, "die, in a child"},
        {"never", NULL, WEFT_OPTION_FLAG, &w.never, "never compute in a child"},
        {0},
    };
    const weft_program program = {.name = "hybrid", .options = options};
    weft_session *session = NULL;
    /* As a program does that reads its input in parallel; OpenMP has its threads from now on. */
    (void)omp_set_dynamic(0);
    omp_set_num_threads(3);
    if (count_on(1000) != 1000 || pthread_mutex_lock(&taken) != 0) {
        return 1;
    }
    weft_status status = weft_init(&argc, &argv, &program, &session);
    if (status == WEFT_OK) {
        status = run(session, &w, "pilot");
        change(&w);
    }
    if (status == WEFT_OK && !use_threads_and_processes()) {
        status = weft_error(session, WEFT_ERR_SYSTEM, "a process or a region has failed");
    }
    const int rounding = fegetround();
    if (status == WEFT_OK) {
        status = run(session, &w, "main");
    }
    if (status == WEFT_OK && count_changed(rounding) > 0) {
        status = weft_error(session, WEFT_ERR_SYSTEM, "threads have not got back what they had");
    }
    if (status == WEFT_OK && !are_few(&w, session)) {
        status = weft_error(session, WEFT_ERR_SYSTEM, "the second map has had workers of its own");
    }
    (void)uselocale(LC_GLOBAL_LOCALE);
    return weft_finish(session, status);
}
