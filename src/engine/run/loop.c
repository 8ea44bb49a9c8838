/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of a rank's run: messages go to its agent, and on rank 0 to the coordinator, which never
 * see each other; in between the team computes. */
#include "engine/run/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/exec/compute.h"
#include "engine/exec/isolation.h"
#include "engine/exec/lull.h"
#include "engine/rank/agent.h"
#include "host/outcome_file.h"
#include "host/usage.h"
#include "host/watchdog.h"
#include "sched/message.h"
#include "sched/pace.h"
#include "team/lane.h"

#include <stdlib.h>
#include <unistd.h>

/* The lowest ranks, this many, report that the coordinator is dead: the first of them may be dead,
 * too. */
enum { RANKS_THAT_TELL = 4 };

/* The last words of a process that leaves something behind. */
enum { LEAVING_S = 2 };

/* Where nobody says how long a rank may wait for its disk, since the coordinator is dead. */
static const int64_t orphan_disk_ns = INT64_C(10000000000);

/* Messages are read for at most this long at a time. */
static const int64_t read_ns = INT64_C(20000000);

struct loop {
    loop_setup setup;
    agent *agent;      /* NULL: it could not be made */
    int64_t active_ns; /* when there was last anything to do */
    int64_t until_ns;  /* it runs for now */
    int64_t cpu_ns;    /* that the driver had taken at the last look, … */
    int64_t rest_ns;   /* … and how long it has meant to rest since */
    bool over;
    message_end end; /* the coordinator's last word; its kind says whether there has been one */
};

static void take_message(loop *l, const void *bytes)
{
    if (*(const message_kind *)bytes == MESSAGE_END) {
        l->end = *(const message_end *)bytes;
    }
    if (l->agent != NULL) {
        agent_receive(l->agent, bytes, clock_now_ns());
    }
}

/* That a rank is there is nothing to act upon. */
static bool is_news(message_kind kind)
{
    return kind != MESSAGE_ALIVE && kind != MESSAGE_BEAT;
}

/* Reads messages, on rank 0 also those for the coordinator; but while ever more of them arrive,
 * this rank has to say now and then that it is there. True if there was any news. */
static bool read_mail(loop *l)
{
    bool any = false;
    bool arrived = true;
    const int64_t until_ns = clock_now_ns() + read_ns;
    while (arrived && clock_now_ns() < until_ns) {
        int source = 0;
        const void *bytes = NULL;
        size_t count = 0;
        error e = {.status = WEFT_OK};
        if (mail_receive(l->setup.mail, &arrived, &source, &bytes, &count, &e) != WEFT_OK) {
            /* MPI may complain of a rank that has died; who is silent for it is noticed. */
            log_print(LOG_DEBUG, "%s", e.text);
            if (e.status == WEFT_ERR_MEMORY) {
                coordinator_link_fail(l->setup.link, &e);
            }
            break;
        }
        if (!arrived) {
            break;
        }
        const message_kind kind = *(const message_kind *)bytes;
        any = any || is_news(kind);
        coordinator_link_hear(l->setup.link);
        if (kind >= MESSAGE_GRANT) {
            take_message(l, bytes);
        } else if (l->setup.coordinator != NULL) {
            coordinator_receive(l->setup.coordinator, source, bytes, count);
        }
    }
    return any;
}

static bool has_ended(const loop *l)
{
    return l->end.kind == MESSAGE_END;
}

/* How long the driver has worked and meant to rest since the last look. */
static int64_t take_own_time(loop *l)
{
    const int64_t cpu_ns = usage_cpu_ns();
    const int64_t own_ns = cpu_ns - l->cpu_ns + l->rest_ns;
    l->cpu_ns = cpu_ns;
    l->rest_ns = 0;
    return own_ns;
}

/* The coordinator's silence ends the run for this rank. */
static void listen_to_coordinator(loop *l, int64_t now_ns)
{
    error why = {.status = WEFT_OK};
    const bool here = l->setup.coordinator != NULL;
    if (has_ended(l) || here ||
        !coordinator_link_lost(l->setup.link, now_ns, take_own_time(l), &why)) {
        return;
    }
    if (comm_rank(l->setup.comm) < RANKS_THAT_TELL) {
        log_print(LOG_WARNING, "%s", why.text);
    }
    const message_end end = {
        .kind = MESSAGE_END, .broken = true, .error = why, .disk_ns = orphan_disk_ns};
    take_message(l, &end);
}

/* Listens and speaks; true if there was any news. */
static bool converse(loop *l)
{
    const bool any = read_mail(l);
    listen_to_coordinator(l, clock_now_ns());
    coordinator_link_beat(l->setup.link, clock_now_ns());
    if (l->setup.coordinator != NULL) {
        coordinator_step(l->setup.coordinator, lane_comes_first(l->setup.lane), clock_now_ns());
    }
    return any;
}

/* The rest of the program does not come about, so that even a complete run is not all there was to
 * do. */
static weft_status status_of_leaving(const loop *l)
{
    const weft_status status = l->end.error.status;
    return error_is_failure(status) ? status : WEFT_STOPPED;
}

/* A kernel, or the disk, has not returned in time, and threads cannot be ended one by one: the
 * process goes, as it would be killed a moment later. Everything reported is in the run record. The
 * files beside the result are on the same disk, perhaps. */
static void leave_behind(loop *l, const char *what)
{
    const weft_status status = status_of_leaving(l);
    const int exit_status = weft_status_exit(status);
    const bool first = l->setup.coordinator != NULL;
    watchdog_set(LEAVING_S, exit_status, "");
    comm_flush(l->setup.comm, INT64_C(200000000));
    coordinator_destroy(l->setup.coordinator);
    if (first) {
        store_leave(l->setup.flow->store);
    }
    if (first && error_is_failure(status)) {
        log_print(LOG_ERROR, "error: %s", l->end.error.text);
    }
    if (what != NULL) {
        log_print(LOG_WARNING,
                  "%s on rank %d: the process ends, and with it the rest of the program; run the "
                  "same command again",
                  what, comm_rank(l->setup.comm));
    }
    if (first || l->end.broken) {
        outcome_file_mark_status(first ? "" : OUTCOME_ALONE, "", exit_status);
    }
    _exit(exit_status);
}

/* Everything but rest; *active says whether there was anything to do. False when all is over. */
static bool do_duties(loop *l, bool *active)
{
    desk_state state = DESK_WORKS;
    *active = agent_collect(l->agent, clock_now_ns());
    do {
        *active = converse(l) || *active;
        const bool writing = l->setup.coordinator != NULL && !store_flushed(l->setup.flow->store);
        state = agent_step(l->agent, writing, clock_now_ns());
    } while (state == DESK_WORKS && mail_is_own(l->setup.mail));
    mail_advance(l->setup.mail);
    if (state == DESK_GIVES_UP) {
        const bool said = l->end.error.status == status_of_leaving(l);
        leave_behind(l, said ? NULL : "others have done its items, but a kernel has not returned");
    }
    if (state == DESK_LEAVES_DISK) {
        leave_behind(l, "what was written last is not recorded: the disk has not answered");
    }
    return state != DESK_IS_DONE;
}

static bool attend(loop *l, bool *active)
{
    const int seat = l->setup.workers > 0 ? l->setup.workers : 1;
    lull_break(l->setup.flow->lull, seat);
    const bool go_on = do_duties(l, active);
    lull_keep(l->setup.flow->lull, seat);
    return go_on;
}

/* What is on its way still needs this rank, whoever rings. */
static company find_company(const loop *l, bool sends)
{
    const bool rings = comm_rings(l->setup.comm) && !sends;
    return comm_size(l->setup.comm) == 1 ? COMPANY_NONE : rings ? COMPANY_RINGS : COMPANY_SILENT;
}

static urgency find_urgency(const loop *l, bool sends, int64_t now_ns)
{
    urgency u = agent_urgency(l->agent, now_ns);
    u = sends && u == URGENCY_NONE ? URGENCY_ANSWER : u;
    if (l->setup.coordinator != NULL) {
        const urgency others = coordinator_urgency(l->setup.coordinator);
        u = u > others ? u : others;
    }
    return u;
}

/* False once it is time to pause. */
static bool rest(loop *l, bool active)
{
    const int64_t now_ns = clock_now_ns();
    l->active_ns = active ? now_ns : l->active_ns;
    const int64_t left_ns = l->until_ns - now_ns;
    const bool sends = mail_sends(l->setup.mail);
    const int64_t longest_ns = pace_rest(find_urgency(l, sends, now_ns), now_ns - l->active_ns,
                                         find_company(l, sends), now_ns - l->setup.flow->origin_ns);
    const int64_t rest_ns = longest_ns < left_ns ? longest_ns : left_ns > 0 ? left_ns : 0;
    l->rest_ns += rest_ns;
    if (lane_rest(l->setup.lane, rest_ns)) {
        l->active_ns = clock_now_ns();
    }
    return left_ns > 0;
}

static bool step(void *context)
{
    loop *l = context;
    bool active = false;
    l->over = !attend(l, &active);
    return !l->over && rest(l, active);
}

/* The same from within a span, while its thread waits for a child. */
static void attend_meanwhile(void *context)
{
    loop *l = context;
    bool active = false;
    l->rest_ns = INT64_MAX / 2; /* it waits for the child, and not for a core */
    (void)attend(l, &active);
}

static int64_t compute_hook(void *context, void *data, int worker, int64_t first, int64_t tiles,
                            int64_t start_ns)
{
    (void)context;
    return block_compute(data, worker, first, tiles, start_ns);
}

static bool prepare_hook(void *context, int worker)
{
    return isolation_prepare(((const loop *)context)->setup.flow->isolation, worker);
}

static void write_hook(void *context, void *data)
{
    (void)context;
    block_write(data);
}

static weft_status prepare(loop *l, error *e)
{
    const loop_setup *setup = &l->setup;
    if (setup->coordinator != NULL) {
        store_set_wake(setup->flow->store, lane_wake, setup->lane);
    }
    setup->flow->attend = setup->workers == 0 ? attend_meanwhile : NULL;
    setup->flow->agent = l;
    const agent_setup agent_of = {.flow = setup->flow,
                                  .lane = setup->lane,
                                  .link = setup->link,
                                  .ranks = comm_size(setup->comm),
                                  .workers = setup->workers,
                                  .pulse = setup->pulse};
    return agent_create(&agent_of, &l->agent, e);
}

/* Without an agent nothing is computed here; the others learn of it, and the run ends. */
static void await_end(loop *l)
{
    while (!has_ended(l) && clock_now_ns() < l->until_ns) {
        (void)converse(l);
        mail_advance(l->setup.mail);
        l->rest_ns += PACE_ANSWER_NS;
        clock_sleep_ns(PACE_ANSWER_NS);
    }
    l->over = has_ended(l);
}

weft_status loop_create(loop **out, error *e)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? WEFT_OK : error_memory(e, "a run");
}

void loop_destroy(loop *l)
{
    free(l);
}

void loop_begin(loop *l, const loop_setup *setup)
{
    static const lane_hooks hooks = {
        .agent = step, .span = compute_hook, .prepare = prepare_hook, .block = write_hook};
    error e = {.status = WEFT_OK};
    *l = (loop){.setup = *setup, .active_ns = clock_now_ns()};
    if (prepare(l, &e) == WEFT_OK) {
        coordinator_link_tell(setup->link, agent_effort, l->agent);
        lane_begin(setup->lane, &hooks, l, pace_span_limit(setup->flow->span_tiles), setup->caller,
                   comm_bell(setup->comm));
    } else {
        coordinator_link_fail(setup->link, &e);
    }
}

bool loop_run(loop *l, int64_t until_ns)
{
    l->until_ns = until_ns;
    l->cpu_ns = usage_cpu_ns();
    if (l->over) {
        return true;
    }
    if (l->agent == NULL) {
        await_end(l);
        return l->over;
    }
    if (l->setup.workers > 0) {
        host_shorten_slice();
    }
    lane_run(l->setup.lane);
    host_restore_slice();
    return l->over;
}

weft_status loop_end(loop *l, error *why)
{
    if (l->agent != NULL) {
        lane_end(l->setup.lane);
    }
    if (l->end.broken) {
        comm_break(l->setup.comm);
    }
    *why = l->end.error;
    if (l->end.cancelled && why->status == WEFT_STOPPED) {
        (void)error_set(why, WEFT_CANCELLED, "map '%s' was cancelled: %s", l->setup.flow->job->name,
                        l->end.error.text);
    }
    agent_destroy(l->agent);
    if (l->setup.coordinator != NULL) {
        store_set_wake(l->setup.flow->store, NULL, NULL);
    }
    return why->status;
}
