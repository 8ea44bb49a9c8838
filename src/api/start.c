/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions by which maps are run, started, waited for and cancelled. */
#include "api/start.h"

#include "api/drive.h"
#include "api/files.h"
#include "api/needs.h"
#include "api/prepare.h"
#include "base/clock.h"
#include "base/log.h"
#include "host/exits.h"

#include <stdio.h>
#include <string.h>

/* A wait that is longer has no limit. */
static const double most_wait_s = 1e9;

bool start_is_under_way(const weft_map *map)
{
    return map->start.task.work != NULL && !map->start.known;
}

weft_status start_check_idle(const weft_map *map)
{
    if (map == NULL) {
        return WEFT_ERR_USAGE;
    }
    error_clear(&map->session->error);
    return !start_is_under_way(map)
               ? WEFT_OK
               : error_set(&map->session->error, WEFT_ERR_USAGE,
                           "map '%s' is under way: say how it is computed before it is started, or "
                           "after weft_map_wait()",
                           map->job->name);
}

/* The program learns that a map is done. */
static void learn(weft_map *map)
{
    weft_session *s = map->session;
    start *w = &map->start;
    if (w->known || service_state(s->service, &w->task) != TASK_DONE) {
        return;
    }
    w->known = true;
    exits_unwatch();
    map->complete = drive_is_good(w->status);
    run_destroy(w->run);
    w->run = NULL;
    prepare_clear(w);
    if (w->file != NULL) {
        files_leave(s, w->file);
    }
    w->file = NULL;
}

static weft_status report(const weft_map *map)
{
    error *e = &map->session->error;
    if (map->start.status != WEFT_OK) {
        *e = map->start.error;
    } else {
        error_clear(e);
    }
    return map->start.status;
}

static weft_status check_not_under_way(const weft_map *map)
{
    if (map == NULL) {
        return WEFT_ERR_USAGE;
    }
    error_clear(&map->session->error);
    return !start_is_under_way(map)
               ? WEFT_OK
               : error_set(&map->session->error, WEFT_ERR_USAGE,
                           "map '%s' has been started, and is under way: wait for it with "
                           "weft_map_wait() before it is started again",
                           map->job->name);
}

/* What the program gives a map to be computed with: a kernel, or a function of an item. */
typedef struct computation {
    weft_kernel_fn kernel;
    weft_item_fn function;
    void *context;
} computation;

/* Everything but to begin. */
static void set_up(weft_map *map, const char *call, const computation *how)
{
    start *w = &map->start;
    *w = (start){.kernel = how->kernel, .context = how->context, .code = (uintptr_t)how->kernel};
    if (how->function != NULL) {
        w->item = (each_item){.function = how->function, .context = how->context};
        w->kernel = each_kernel;
        w->context = &w->item;
        w->code = (uintptr_t)how->function;
    }
    drive_set_up(map);
    lane_note_caller(&w->caller);
    exits_watch();
    map->complete = false;
    reader_close(map->reader);
    map->reader = NULL;
    w->status = prepare(map, call);
    if (w->status != WEFT_OK) {
        w->error = map->session->error;
    }
    atomic_store(&w->tally.tiles, map->tiles);
    atomic_store(&w->tally.undone, map->tiles);
}

/* Another rank may be in another call, as weft_agree(), on the main thread's communicator: then all
 * of them learn of it there, and who drives the map does, too. Every other error is the map's. */
static void meet_callers(weft_session *s, const char *call)
{
    error ignored = {.status = WEFT_OK};
    session_allow_absence(s, s->main_comm);
    if (comm_agree_on(s->main_comm, call, NULL, WEFT_OK, &ignored) != WEFT_OK) {
        log_print(LOG_DEBUG, "%s", ignored.text);
    }
}

/* Once a map has been started there are two communicators: for maps, whoever drives them, and for
 * the main thread's own calls, of which this is one. Without a service thread the main thread comes
 * to it when the maps before this one are done. */
static void compute_in_turn(weft_map *map)
{
    weft_session *s = map->session;
    start *w = &map->start;
    error ignored = {.status = WEFT_OK};
    char call[WEFT_NAME_BYTES + 32];
    const bool served =
        service_in_background(s->service) && service_start(s->service, &ignored) == WEFT_OK;
    w->elsewhere = served;
    if (served) {
        service_give(s->service, &w->task);
    }
    for (const weft_map *each = s->maps; each != NULL && !served; each = each->next) {
        if (each != map && start_is_under_way(each)) {
            (void)service_wait(s->service, &each->start.task, TASK_DONE, INT64_MAX);
        }
    }
    (void)snprintf(call, sizeof call, "weft_map_run() of map '%s'", map->job->name);
    meet_callers(s, call);
    if (served) {
        (void)service_wait(s->service, &w->task, TASK_DONE, INT64_MAX);
    } else {
        service_do(s->service, &w->task);
    }
}

static weft_status run_map(weft_map *map, const computation *how)
{
    const weft_status status = check_not_under_way(map);
    if (status != WEFT_OK) {
        return status;
    }
    set_up(map, "weft_map_run() of map", how);
    if (map->session->started) {
        compute_in_turn(map);
    } else {
        service_do(map->session->service, &map->start.task);
    }
    learn(map);
    return report(map);
}

weft_status weft_map_run(weft_map *map, weft_kernel_fn kernel, void *context)
{
    return run_map(map, &(computation){.kernel = kernel, .context = context});
}

weft_status weft_map_run_each(weft_map *map, weft_item_fn function, void *context)
{
    return run_map(map, &(computation){.function = function, .context = context});
}

/* Nobody is to wonder why nothing happens. */
static void tell_of_first_start(weft_session *s)
{
    if (!s->started && !service_in_background(s->service) && comm_rank(s->comm) == 0) {
        log_print(LOG_INFO,
                  "maps that are started are computed only while the program is in "
                  "weft_map_wait(), weft_map_test() or weft_finish(), since %s",
                  comm_multiple(s->comm) ? "there are no workers (--threads 0)"
                                         : "MPI was started with less than MPI_THREAD_MULTIPLE");
    }
    s->started = true;
}

static weft_status start_map(weft_map *map, const computation *how)
{
    weft_status status = check_not_under_way(map);
    if (status != WEFT_OK) {
        return status;
    }
    weft_session *s = map->session;
    tell_of_first_start(s);
    status = service_start(s->service, &s->error);
    if (status != WEFT_OK) {
        s->turns++;
        return status;
    }
    set_up(map, "weft_map_start() of map", how);
    map->start.elsewhere = service_in_background(s->service);
    status = map->start.status;
    service_give(s->service, &map->start.task);
    return status;
}

weft_status weft_map_start(weft_map *map, weft_kernel_fn kernel, void *context)
{
    return start_map(map, &(computation){.kernel = kernel, .context = context});
}

weft_status weft_map_start_each(weft_map *map, weft_item_fn function, void *context)
{
    return start_map(map, &(computation){.function = function, .context = context});
}

static weft_status check_started(const weft_map *map, const char *call)
{
    if (map == NULL) {
        return WEFT_ERR_USAGE;
    }
    error_clear(&map->session->error);
    return map->start.task.work != NULL
               ? WEFT_OK
               : error_set(
                     &map->session->error, WEFT_ERR_USAGE,
                     "%s of map '%s', which has not been started: call weft_map_start() first",
                     call, map->job->name);
}

bool weft_map_test(weft_map *map)
{
    if (map == NULL || !start_is_under_way(map)) {
        return true;
    }
    const bool over =
        service_wait(map->session->service, &map->start.task, TASK_DONE, clock_now_ns());
    learn(map);
    return over;
}

weft_status weft_map_wait(weft_map *map, double seconds)
{
    const weft_status status = check_started(map, "weft_map_wait()");
    if (status != WEFT_OK) {
        return status;
    }
    error *e = &map->session->error;
    if (!(seconds >= 0)) {
        return error_set(
            e, WEFT_ERR_USAGE,
            "weft_map_wait() of map '%s' for %g s; it takes 0 or more, or WEFT_FOREVER",
            map->job->name, seconds);
    }
    const int64_t until_ns =
        seconds > most_wait_s ? INT64_MAX : clock_now_ns() + (int64_t)(1e9 * seconds);
    if (!map->start.known &&
        !service_wait(map->session->service, &map->start.task, TASK_DONE, until_ns)) {
        return error_set(e, WEFT_TIMEOUT, "map '%s' is not done after %g s; it goes on",
                         map->job->name, seconds);
    }
    learn(map);
    return report(map);
}

weft_status weft_map_cancel(weft_map *map)
{
    weft_status status = check_started(map, "weft_map_cancel()");
    if (status == WEFT_OK && map->start.known) {
        status = error_set(&map->session->error, WEFT_ERR_USAGE,
                           "weft_map_cancel() of map '%s', which is done: there is nothing left to "
                           "cancel",
                           map->job->name);
    }
    if (status == WEFT_OK) {
        atomic_store(&map->start.cancelled, true);
    }
    return status;
}

/* Whether it has not begun, and a map that it needs is not done. */
static bool is_blocked(const weft_map *map)
{
    service *s = map->session->service;
    bool blocked = false;
    for (const need *n = map->needs; n != NULL; n = n->next) {
        blocked = blocked || (n->earlier != NULL && start_is_under_way(n->earlier) &&
                              service_state(s, &n->earlier->start.task) != TASK_DONE);
    }
    return blocked && start_is_under_way(map) && service_state(s, &map->start.task) < TASK_BEGUN;
}

void weft_map_progress(weft_map *map, weft_progress *progress)
{
    memset(progress, 0, sizeof *progress);
    if (map == NULL) {
        return;
    }
    const start *w = &map->start;
    const int64_t tiles = atomic_load(&w->tally.tiles);
    const int64_t said = atomic_load(&w->tally.undone);
    const int64_t undone = said < tiles ? said : tiles;
    const int64_t leased = atomic_load(&w->tally.leased);
    const bool begun =
        start_is_under_way(map) && service_state(map->session->service, &w->task) == TASK_BEGUN;
    progress->items = map->job->items.count;
    progress->items_done = atomic_load(&w->tally.items);
    progress->items_failed = atomic_load(&w->tally.failed);
    progress->tiles = tiles;
    progress->tiles_leased = leased < undone ? leased : undone;
    progress->tiles_blocked = is_blocked(map) ? undone : 0;
    progress->tiles_ready = undone - progress->tiles_leased - progress->tiles_blocked;
    progress->tiles_done = tiles - undone;
    for (int i = 0; i < WEFT_STATES && begun; i++) {
        progress->workers[i] = atomic_load(&w->tally.workers[i]);
    }
}

static void finish_start(weft_map *map)
{
    (void)service_wait(map->session->service, &map->start.task, TASK_DONE, INT64_MAX);
    learn(map);
}

void start_abandon(weft_map *map)
{
    weft_session *s = map->session;
    if (start_is_under_way(map)) {
        if (service_state(s->service, &map->start.task) != TASK_DONE) {
            log_print(LOG_WARNING,
                      "map '%s' is destroyed while it is under way: it is cancelled, and waited "
                      "for",
                      map->job->name);
            atomic_store(&map->start.cancelled, true);
        }
        finish_start(map);
    }
    session_file *f = files_find(s, map->file);
    for (weft_map *each = s->maps; each != NULL && f != NULL; each = each->next) {
        if (start_is_under_way(each) && each->start.file == f && !f->file.made) {
            (void)service_wait(s->service, &each->start.task, TASK_BEGUN, INT64_MAX);
        }
    }
    if (f != NULL) {
        files_remove(f, map);
    }
}

void start_clear(weft_map *map)
{
    service_exclude(map->session->service, needs_forget, map);
    prepare_clear(&map->start);
    needs_clear(map);
}

weft_status start_end_all(weft_session *s, bool cancel)
{
    weft_status worst = WEFT_OK;
    for (weft_map *map = s->maps; map != NULL && cancel; map = map->next) {
        if (start_is_under_way(map)) {
            atomic_store(&map->start.cancelled, true);
        }
    }
    for (weft_map *map = s->maps; map != NULL; map = map->next) {
        if (start_is_under_way(map)) {
            finish_start(map);
            if (worst == WEFT_OK ||
                (worst == WEFT_ITEMS_FAILED && !drive_is_good(map->start.status))) {
                worst = report(map);
            }
        }
    }
    return worst;
}
