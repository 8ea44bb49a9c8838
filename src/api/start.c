/* SPDX-License-Identifier: BSD-3-Clause */
/* The public functions by which maps are run, started, waited for and cancelled. */
#include "api/start.h"

#include "api/map.h"
#include "api/needs.h"
#include "base/build.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/run/fold.h"
#include "host/exits.h"
#include "host/signals.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A wait that is longer has no limit. */
static const double most_wait_s = 1e9;

/* The maps of a file: those of the session that is there, or the one that is run, of a file that is
 * known already. */
typedef struct members {
    int count;
    weft_map *map[WEFT_MAX_MAPS];
} members;

static session_file *find_file(const weft_session *s, const char *file)
{
    session_file *f = s->files;
    while (f != NULL && strcmp(f->path, file) != 0) {
        f = f->next;
    }
    return f;
}

/* A file that is made, or about to be, cannot hold another map. */
static weft_status check_member(const weft_map *map, const session_file *f)
{
    bool is_member = false;
    for (int i = 0; i < f->maps; i++) {
        if (f->job[i] == NULL && f->starts > 0 && !f->file.made) {
            return error_set(&map->session->error, WEFT_ERR_USAGE,
                             "map '%s' of %s was destroyed before the file was made with it: "
                             "wait for the maps that are under way, and start again",
                             f->name[i], map->path);
        }
        is_member = is_member || strcmp(f->name[i], map->job->name) == 0;
    }
    return is_member
               ? WEFT_OK
               : error_set(&map->session->error, WEFT_ERR_USAGE,
                           "map '%s' was described after map '%s' had been started, and %s is made "
                           "by then with all its maps: describe map '%s' before the first of them "
                           "is started, or give it a file of its own with weft_map_set_out()",
                           map->job->name, f->name[0], map->path, map->job->name);
}

static weft_status add_member(members *m, weft_map *map)
{
    error *e = &map->session->error;
    for (int i = 0; i < m->count; i++) {
        if (strcmp(m->map[i]->job->name, map->job->name) == 0) {
            return error_set(e, WEFT_ERR_USAGE,
                             "two maps are named '%s', and both are to be in %s: give one of them "
                             "another name, or a file of its own with weft_map_set_out()",
                             map->job->name, map->path);
        }
    }
    if (m->count == WEFT_MAX_MAPS) {
        return error_set(e, WEFT_ERR_USAGE,
                         "%s would hold more than %d maps: give map '%s' a file of its own with "
                         "weft_map_set_out()",
                         map->path, WEFT_MAX_MAPS, map->job->name);
    }
    m->map[m->count++] = map;
    return WEFT_OK;
}

/* Who shares a file with this map. */
static weft_status find_members(weft_map *map, members *m)
{
    const session_file *f = find_file(map->session, map->file);
    weft_status status = WEFT_OK;
    m->count = 0;
    if (f != NULL) {
        status = check_member(map, f);
        return status == WEFT_OK ? add_member(m, map) : status;
    }
    for (weft_map *each = map->session->maps; each != NULL && status == WEFT_OK;
         each = each->next) {
        if (strcmp(each->file, map->file) == 0) {
            status = add_member(m, each);
        }
    }
    return status;
}

/* All that ranks have to know the same of a map before its file is made. */
static void compare(const weft_map *map, const char *what, const members *m, comparison *c)
{
    account *a = &c->account;
    (void)snprintf(c->call, sizeof c->call, "%s '%s'", what, map->job->name);
    account_add(a, "the result's path", "'%s'", map->path);
    account_add(a, "the number of maps in the result", "%d", m->count);
    account_add(a, "the map's grain", "%" PRId64, map->grain);
    account_add(a, "the map's span limit", "%" PRId64, map->span_limit);
    account_add(a, "the kernel", "%s", map->pure ? "pure" : "not pure");
    account_add(a, "the map's isolation", "%d", (int)map->isolation);
    for (const need *n = map->needs; n != NULL; n = n->next) {
        char name[WEFT_NAME_BYTES + 32];
        (void)snprintf(name, sizeof name, "the need of map '%s'",
                       n->earlier == NULL ? "" : n->earlier->job->name);
        account_add(a, name, "there");
    }
    job_describe(map->job, a);
}

/* All ranks are to run the same map, and to know the same of those that are in the file with it. */
static weft_status compare_members(weft_map *map, const char *call, const members *m)
{
    start *w = &map->start;
    w->compared = calloc((size_t)m->count + 1, sizeof *w->compared);
    if (w->compared == NULL) {
        return error_memory(&map->session->error, "the maps of %s", map->path);
    }
    compare(map, call, m, &w->compared[w->comparisons++]);
    for (int i = 0; i < m->count; i++) {
        if (m->map[i] != map) {
            compare(m->map[i], "the description of map", m, &w->compared[w->comparisons++]);
        }
    }
    return WEFT_OK;
}

/* Whether the driver may be looking at the map's job already, for another map of its file. */
static bool is_known(const weft_map *map)
{
    const session_file *f = find_file(map->session, map->file);
    bool known = false;
    for (int i = 0; f != NULL && i < f->maps; i++) {
        known = known || f->job[i] == map->job;
    }
    return known;
}

/* The same on all ranks, as the maps are. */
static weft_status settle(weft_session *s, const members *m)
{
    const run_options *said = &s->options.run;
    weft_status status = WEFT_OK;
    for (int i = 0; i < m->count && status == WEFT_OK; i++) {
        weft_map *map = m->map[i];
        if (is_known(map)) {
            continue;
        }
        status = job_settle(map->job, (uint64_t)said->seed,
                            said->grain > 0 ? said->grain : map->grain, &s->error);
        map->tiles = map->job->tiles.tiles;
    }
    return status;
}

static void free_file(session_file *f)
{
    if (f != NULL) {
        free(f->job);
        free(f->name);
        free(f);
    }
}

static session_file *create_file(const char *path, const members *m)
{
    session_file *f = calloc(1, sizeof *f + strlen(path) + 1);
    if (f != NULL) {
        f->name = calloc((size_t)m->count + 1, sizeof *f->name);
        f->job = calloc((size_t)m->count + 1, sizeof(void *));
    }
    if (f == NULL || f->name == NULL || f->job == NULL) {
        free_file(f);
        return NULL;
    }
    memcpy(f->path, path, strlen(path) + 1);
    for (int i = 0; i < m->count; i++) {
        memcpy(f->name[i], m->map[i]->job->name, sizeof f->name[i]);
        f->job[i] = m->map[i]->job;
    }
    f->maps = m->count;
    return f;
}

/* The session's note of a file, a new one where it has none yet. */
static weft_status note_file(weft_map *map, const members *m)
{
    weft_session *s = map->session;
    session_file *f = find_file(s, map->file);
    if (f == NULL) {
        f = create_file(map->file, m);
        if (f == NULL) {
            return error_memory(&s->error, "the maps of %s", map->file);
        }
        f->next = s->files;
        s->files = f;
        for (int i = 0; i < m->count; i++) {
            m->map[i]->fixed = true;
        }
    }
    for (int i = 0; i < f->maps; i++) {
        if (f->job[i] != map->job && strcmp(f->name[i], map->job->name) == 0) {
            f->job[i] = map->job;
        }
    }
    f->starts++;
    map->start.file = f;
    return WEFT_OK;
}

/* A file that could not be opened is as if nobody had asked for it. */
static void forget_file(weft_session *s, session_file *f)
{
    session_file **link = &s->files;
    while (*link != f) {
        link = &(*link)->next;
    }
    *link = f->next;
    for (weft_map *map = s->maps; map != NULL; map = map->next) {
        map->fixed = map->fixed && strcmp(map->file, f->path) != 0;
    }
    free_file(f);
}

/* What the options say of children, and the map does not allow. */
static void warn_of_isolation(const weft_map *map)
{
    const run_options *how = &map->start.options;
    if (how->never_apart && comm_rank(map->session->comm) == 0 &&
        (map->session->options.run.isolate || how->item_timeout_s > 0)) {
        log_print(LOG_WARNING,
                  "map '%s' is never computed in children: %s has no effect, and an item that "
                  "crashes or hangs holds up the rank",
                  map->job->name,
                  map->session->options.run.isolate ? "--isolate" : "--item-timeout");
    }
}

/* For the values of its reductions. */
static weft_status make_room(weft_map *map)
{
    const size_t bytes = (size_t)fold_place(map->job, map->job->reductions);
    if (map->values == NULL && bytes > 0) {
        map->values = calloc(1, bytes);
    }
    return map->values == NULL && bytes > 0
               ? error_memory(&map->session->error, "the values of map '%s'", map->job->name)
               : WEFT_OK;
}

static void choose_options(weft_map *map)
{
    weft_session *s = map->session;
    start *w = &map->start;
    w->options = s->options.run;
    w->options.later = s->runs++ > 0;
    w->options.path = map->path;
    w->options.values = map->values;
    w->options.valued = &map->valued;
    w->options.layout = &map->layout;
    w->options.readable = &map->readable;
    w->options.span_limit = map->span_limit;
    w->options.pure = map->pure;
    w->options.isolate =
        w->options.isolate || w->options.item_timeout_s > 0 || map->isolation == WEFT_ALWAYS;
    w->options.never_apart = map->isolation == WEFT_NEVER;
    w->options.cancelled = &w->cancelled;
    w->options.tally = &w->tally;
    if (w->file != NULL) {
        w->options.maps = w->file->maps;
        w->options.jobs = w->file->job;
        w->options.file = &w->file->file;
    }
}

bool start_is_under_way(const weft_map *map)
{
    return map->start.task.work != NULL && !map->start.known;
}

weft_status start_check_idle(const weft_map *map)
{
    error_clear(&map->session->error);
    return !start_is_under_way(map)
               ? WEFT_OK
               : error_set(&map->session->error, WEFT_ERR_USAGE,
                           "map '%s' is under way: say how it is computed before it is started, or "
                           "after weft_map_wait()",
                           map->job->name);
}

/* What this rank has to say against a start, or all that the run will need. */
static weft_status prepare(weft_map *map, const char *call)
{
    weft_session *s = map->session;
    start *w = &map->start;
    members m = {.count = 0};
    weft_status status = w->kernel != NULL ? find_members(map, &m)
                                           : error_set(&s->error, WEFT_ERR_USAGE,
                                                       "map '%s' has no kernel", map->job->name);
    for (int i = 0; i < m.count; i++) {
        if (!is_known(m.map[i])) {
            build_of((uintptr_t)w->kernel, m.map[i]->job->build);
        }
    }
    status = status == WEFT_OK ? needs_check(map) : status;
    const weft_status compared = compare_members(map, call, &m);
    status = status == WEFT_OK ? compared : status;
    status = status == WEFT_OK ? settle(s, &m) : status;
    status = status == WEFT_OK ? make_room(map) : status;
    status = status == WEFT_OK ? run_create(&w->run, &s->error) : status;
    status = status == WEFT_OK ? note_file(map, &m) : status;
    choose_options(map);
    return status;
}

/* What has happened is in the way of this map. */
static weft_status refuse(weft_map *map, const char *what)
{
    return error_set(&map->start.error, WEFT_STOPPED,
                     "%s before map '%s' had begun; run the same command again to continue with it",
                     what, map->job->name);
}

/* What this rank has to say against the beginning of a run. */
static weft_status object(weft_map *map)
{
    start *w = &map->start;
    if (w->earlier.status != WEFT_OK) {
        w->error = w->earlier;
        return w->error.status;
    }
    if (comm_broken(map->session->comm)) {
        return refuse(map, "a rank died");
    }
    if (w->status != WEFT_OK) {
        return w->status;
    }
    if (signals_seen() != 0) {
        return refuse(map, signals_name(signals_seen()));
    }
    return atomic_load(&w->cancelled)
               ? error_set(&w->error, WEFT_CANCELLED, "map '%s' was cancelled before it had begun",
                           map->job->name)
               : WEFT_OK;
}

/* Whether the ranks can begin, and all of them are to: a signal may have been sent to one alone. */
static weft_status agree_to_run(weft_map *map)
{
    weft_session *s = map->session;
    start *w = &map->start;
    weft_status status = object(map);
    if (!comm_broken(s->comm)) {
        static const account nothing = {.text = NULL};
        const bool compared = w->comparisons > 0;
        session_allow_absence(s, s->comm);
        status = comm_agree_on(s->comm, compared ? w->compared[0].call : "the start of a map",
                               compared ? &w->compared[0].account : &nothing, status, &w->error);
        for (int i = 1; i < w->comparisons && status == WEFT_OK; i++) {
            status = comm_agree_on(s->comm, w->compared[i].call, &w->compared[i].account, WEFT_OK,
                                   &w->error);
        }
    }
    if (status == WEFT_STOPPED && comm_rank(s->comm) == 0) {
        log_print(w->earlier.status == WEFT_OK ? LOG_WARNING : LOG_INFO, "%s", w->error.text);
    }
    return status;
}

static weft_status begin(weft_map *map)
{
    weft_session *s = map->session;
    start *w = &map->start;
    if (w->elsewhere) {
        thread_state_set(&w->caller.state);
    }
    const weft_status status = agree_to_run(map);
    if (status == WEFT_OK) {
        const run_setup setup = {.comm = s->comm,
                                 .placement = &s->placement,
                                 .job = map->job,
                                 .options = &w->options,
                                 .kernel = w->kernel,
                                 .context = w->context,
                                 .caller = &w->caller};
        session_expect_all(s, s->comm);
        build_of((uintptr_t)w->kernel, map->job->build);
        warn_of_isolation(map);
        run_begin(w->run, &setup);
    }
    w->begun = true;
    service_tell_begun(s->service, &w->task);
    return status;
}

/* Does some of a map's run: whether it is over. */
static bool work(void *context, int64_t until_ns)
{
    weft_map *map = context;
    start *w = &map->start;
    if (!w->begun) {
        w->status = begin(map);
    }
    if (w->status == WEFT_OK) {
        if (!run_continue(w->run, until_ns)) {
            return false;
        }
        w->status = run_end(w->run, &w->error);
    }
    return true;
}

static bool is_good(weft_status status)
{
    return status == WEFT_OK || status == WEFT_ITEMS_FAILED;
}

/* What a map that is started behind one that has failed comes to. */
static void set_earlier(weft_map *map, const char *failed, const error *why)
{
    error *e = &map->start.earlier;
    if (e->status == WEFT_OK) {
        (void)error_set(e, why->status, "map '%s' has not begun, since map '%s' before it %s: %s",
                        map->job->name, failed,
                        error_is_failure(why->status) ? "failed" : "was stopped", why->text);
    }
}

static void given(void *context)
{
    weft_map *map = context;
    const weft_session *s = map->session;
    if (s->failure.map != NULL) {
        set_earlier(map, s->failure.map->job->name, &s->failure.error);
    }
    for (const need *n = map->needs; n != NULL; n = n->next) {
        const weft_map *earlier = n->earlier;
        if (earlier != NULL && start_is_under_way(earlier) &&
            earlier->start.task.state == TASK_DONE && !is_good(earlier->start.status)) {
            set_earlier(map, earlier->job->name, &earlier->start.error);
        }
    }
}

/* Those behind a map that has failed, or was stopped but not by the program itself, do not begin;
 * nor do those that need it, whatever was in its way. */
static void done(void *context, task *behind)
{
    weft_map *map = context;
    weft_session *s = map->session;
    start *w = &map->start;
    if (is_good(w->status)) {
        return;
    }
    const bool cancelled = w->status == WEFT_CANCELLED && !comm_broken(s->comm);
    const bool first = !cancelled && w->earlier.status == WEFT_OK;
    w->error.status = w->status;
    if (first && s->failure.map == NULL) {
        s->failure.map = map;
        s->failure.error = w->error;
    }
    for (; behind != NULL; behind = behind->next) {
        if (first || needs_have(behind->context, map)) {
            set_earlier(behind->context, map->job->name, &w->error);
        }
    }
}

static void forget_failure(void *context)
{
    const weft_map *map = context;
    if (map->session->failure.map == map) {
        map->session->failure.map = NULL;
    }
}

static void clear_comparisons(start *w)
{
    for (int i = 0; i < w->comparisons; i++) {
        account_clear(&w->compared[i].account);
    }
    free(w->compared);
    w->compared = NULL;
    w->comparisons = 0;
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
    map->complete = is_good(w->status);
    service_exclude(s->service, forget_failure, map);
    run_destroy(w->run);
    w->run = NULL;
    clear_comparisons(w);
    if (w->file != NULL && --w->file->starts == 0 && !w->file->file.made) {
        forget_file(s, w->file);
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
    error_clear(&map->session->error);
    return !start_is_under_way(map)
               ? WEFT_OK
               : error_set(&map->session->error, WEFT_ERR_USAGE,
                           "map '%s' has been started, and is under way: wait for it with "
                           "weft_map_wait() before it is started again",
                           map->job->name);
}

/* Everything but to begin. */
static void set_up(weft_map *map, const char *call, weft_kernel_fn kernel, void *context)
{
    start *w = &map->start;
    *w = (start){.kernel = kernel, .context = context};
    w->task.work = work;
    w->task.given = given;
    w->task.done = done;
    w->task.context = map;
    team_note_caller(&w->caller);
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

weft_status weft_map_run(weft_map *map, weft_kernel_fn kernel, void *context)
{
    weft_session *s = map->session;
    const weft_status status = check_not_under_way(map);
    if (status != WEFT_OK) {
        return status;
    }
    set_up(map, "weft_map_run() of map", kernel, context);
    if (service_idle(s->service)) {
        service_do(s->service, &map->start.task);
    } else {
        map->start.elsewhere = service_in_background(s->service);
        service_give(s->service, &map->start.task);
        (void)service_wait(s->service, &map->start.task, TASK_DONE, INT64_MAX);
    }
    learn(map);
    return report(map);
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

weft_status weft_map_start(weft_map *map, weft_kernel_fn kernel, void *context)
{
    weft_session *s = map->session;
    weft_status status = check_not_under_way(map);
    if (status != WEFT_OK) {
        return status;
    }
    tell_of_first_start(s);
    status = service_start(s->service, &s->error);
    if (status != WEFT_OK) {
        return status;
    }
    set_up(map, "weft_map_start() of map", kernel, context);
    map->start.elsewhere = service_in_background(s->service);
    status = map->start.status;
    service_give(s->service, &map->start.task);
    return status;
}

static weft_status check_started(const weft_map *map, const char *call)
{
    error_clear(&map->session->error);
    return map->start.task.work != NULL
               ? WEFT_OK
               : error_set(&map->session->error, WEFT_ERR_USAGE,
                           "%s of map '%s', which has not been started", call, map->job->name);
}

bool weft_map_test(weft_map *map)
{
    if (!start_is_under_way(map)) {
        return true;
    }
    const bool over =
        service_wait(map->session->service, &map->start.task, TASK_DONE, clock_now_ns());
    learn(map);
    return over;
}

weft_status weft_map_wait(weft_map *map, double seconds)
{
    error *e = &map->session->error;
    const weft_status status = check_started(map, "weft_map_wait()");
    if (status != WEFT_OK) {
        return status;
    }
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
                           "weft_map_cancel() of map '%s', which is done", map->job->name);
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
    return blocked && start_is_under_way(map) && service_state(s, &map->start.task) == TASK_GIVEN;
}

void weft_map_progress(weft_map *map, weft_progress *progress)
{
    const start *w = &map->start;
    const placement *p = &map->session->placement;
    const int64_t tiles = atomic_load(&w->tally.tiles);
    const int64_t said = atomic_load(&w->tally.undone);
    const int64_t undone = said < tiles ? said : tiles;
    const int64_t leased = atomic_load(&w->tally.leased);
    const int waiting = p->workers > 0 ? team_waiting(p->team) : 0;
    memset(progress, 0, sizeof *progress);
    progress->items = map->job->items.count;
    progress->items_done = atomic_load(&w->tally.items);
    progress->items_failed = atomic_load(&w->tally.failed);
    progress->tiles = tiles;
    progress->tiles_leased = leased < undone ? leased : undone;
    progress->tiles_blocked = is_blocked(map) ? undone : 0;
    progress->tiles_ready = undone - progress->tiles_leased - progress->tiles_blocked;
    progress->tiles_done = tiles - undone;
    progress->workers_waiting = waiting;
    progress->workers_computing = p->workers - waiting;
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
        if (!weft_map_test(map)) {
            log_print(LOG_WARNING,
                      "map '%s' is destroyed while it is under way: it is cancelled, and waited "
                      "for",
                      map->job->name);
            atomic_store(&map->start.cancelled, true);
        }
        finish_start(map);
    }
    session_file *f = find_file(s, map->file);
    for (weft_map *each = s->maps; each != NULL && f != NULL; each = each->next) {
        if (start_is_under_way(each) && each->start.file == f && !f->file.made) {
            (void)service_wait(s->service, &each->start.task, TASK_BEGUN, INT64_MAX);
        }
    }
    for (int i = 0; f != NULL && i < f->maps; i++) {
        f->job[i] = f->job[i] == map->job ? NULL : f->job[i];
    }
}

void start_clear(weft_map *map)
{
    service_exclude(map->session->service, needs_forget, map);
    clear_comparisons(&map->start);
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
            if (worst == WEFT_OK || (worst == WEFT_ITEMS_FAILED && !is_good(map->start.status))) {
                worst = report(map);
            }
        }
    }
    return worst;
}
