/* SPDX-License-Identifier: BSD-3-Clause */
/* The task of a map that has been started: its run, and what its failure does to those behind it.
 */
#include "api/drive.h"

#include "api/needs.h"
#include "api/start.h"
#include "base/build.h"
#include "base/log.h"
#include "host/signals.h"

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

/* What has happened is in the way of this map. */
static weft_status refuse(weft_map *map, const char *what)
{
    return error_set(&map->start.error, WEFT_STOPPED,
                     "%s before map '%s' had begun; run the same command again to continue with it",
                     what, map->job->name);
}

/* In which the driver of a map speaks to those of the other ranks. */
static comm *comm_of(const weft_map *map)
{
    const weft_session *s = map->session;
    return map->start.driver == 0 ? s->comm : s->second_comm;
}

/* What this rank has to say against the beginning of a run. */
static weft_status object(weft_map *map)
{
    start *w = &map->start;
    if (w->refusal.status != WEFT_OK) {
        w->error = w->refusal;
        return w->error.status;
    }
    if (comm_broken(comm_of(map))) {
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
    comm *c = comm_of(map);
    weft_status status = object(map);
    if (!comm_broken(c)) {
        static const account nothing = {.text = NULL};
        const bool compared = w->comparisons > 0;
        session_allow_absence(s, c);
        status = comm_agree_on(c, compared ? w->compared[0].call : "the start of a map",
                               compared ? &w->compared[0].account : &nothing, status, &w->error);
        for (int i = 1; i < w->comparisons && status == WEFT_OK; i++) {
            status =
                comm_agree_on(c, w->compared[i].call, &w->compared[i].account, WEFT_OK, &w->error);
        }
    }
    if (status == WEFT_STOPPED && comm_rank(c) == 0) {
        log_print(w->refusal.status == WEFT_OK ? LOG_WARNING : LOG_INFO, "%s", w->error.text);
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
        const run_setup setup = {.comm = comm_of(map),
                                 .placement = &s->placement,
                                 .job = map->job,
                                 .options = &w->options,
                                 .kernel = w->kernel,
                                 .context = w->context,
                                 .lane = team_lane(s->placement.team, w->driver),
                                 .caller = &w->caller};
        session_expect_all(s, comm_of(map));
        build_of(w->code, map->job->build);
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

bool drive_is_good(weft_status status)
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
    for (const weft_map *each = map->session->maps; each != NULL; each = each->next) {
        if (start_is_under_way(each) && each->start.failed) {
            set_earlier(map, each->job->name, &each->start.error);
        }
    }
    for (const need *n = map->needs; n != NULL; n = n->next) {
        const weft_map *earlier = n->earlier;
        if (earlier == NULL || !start_is_under_way(earlier)) {
            continue;
        }
        if (earlier->start.task.state < TASK_OVER) {
            map->start.pending++;
        } else if (!drive_is_good(earlier->start.status)) {
            set_earlier(map, earlier->job->name, &earlier->start.error);
        }
    }
}

/* A file that is still to be made, or read, takes HDF5, in which a kernel of the map before may
 * be. One that has several maps is open by then. */
static bool beside(void *context)
{
    const weft_map *map = context;
    const session_file *f = map->start.file;
    return map->start.pending == 0 && f != NULL && f->maps > 1 && f->file.made;
}

/* From here on no failure of another one keeps it from beginning. */
static void taken(void *context, int number)
{
    start *w = &((weft_map *)context)->start;
    w->driver = number;
    w->refusal = w->earlier;
}

/* Those behind a map that has failed, or was stopped but not by the program itself, do not begin;
 * nor do those that need it, whatever was in its way. */
static void done(void *context, task *behind)
{
    weft_map *map = context;
    start *w = &map->start;
    const bool good = drive_is_good(w->status);
    const bool cancelled = w->status == WEFT_CANCELLED && !comm_broken(comm_of(map));
    w->failed = !good && !cancelled && w->refusal.status == WEFT_OK;
    if (!good) {
        w->error.status = w->status;
    }
    for (; behind != NULL; behind = behind->next) {
        weft_map *other = behind->context;
        const bool needs = needs_have(other, map);
        other->start.pending -= needs;
        if (w->failed || (needs && !good)) {
            set_earlier(other, map->job->name, &w->error);
        }
    }
}

void drive_set_up(weft_map *map)
{
    weft_session *s = map->session;
    task *t = &map->start.task;
    const int64_t turn = s->started ? s->turns++ : 0;
    /* All ranks speak of a map in the same communicator, that of its number. */
    t->number = comm_size(s->comm) > 1 ? (int)(turn % TEAM_LANES) : -1;
    t->work = work;
    t->given = given;
    t->beside = beside;
    t->taken = taken;
    t->done = done;
    t->context = map;
}
