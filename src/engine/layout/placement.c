/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the ranks are: hosts, cores, workers, and a warning if they are in each other's way. */
#include "engine/layout/placement.h"

#include "base/log.h"
#include "base/number.h"
#include "engine/layout/seat.h"
#include "host/cgroup.h"
#include "sched/pace.h"
#include "team/cores.h"
#include "team/region.h"
#include "team/team.h"
#include "team/trial.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What became of a rank's workers. */
typedef struct outcome {
    int binding; /* cores_binding */
    int nodes;   /* NUMA nodes over which they are spread */
    int threads; /* for each of all nodes that the rank may use, and … */
    int cores;   /* … the cores there are for them */
} outcome;

/* All that the others are to know of this rank; and what is sent only where cores are ragged. */
typedef struct places {
    seat *seat;
    host_cores *cores; /* NULL: no seat is ragged */
    host_cores mine;
    seating *seating;
} places;

/* OMP_NUM_THREADS may be a list, one number per nested level. */
static int workers_from_environment(void)
{
    const char *text = getenv("OMP_NUM_THREADS");
    uint64_t number = 0;
    if (text != NULL) {
        text += strspn(text, " ");
        (void)number_take(&text, &number);
    }
    return number <= 65536 ? (int)number : 0;
}

static int per_node(int count, const core_groups *c)
{
    return (count + cores_nodes(c) - 1) / cores_nodes(c);
}

/* Pins the workers of this rank where that can only help: no core is left over to which the system
 * could move one that somebody else's process is in the way of. Where cores are left over, they
 * still keep to a NUMA node. Bindings of the launcher and of the user stay as they are. */
static outcome pin_workers(const places *here, int rank, host_cores **pins)
{
    const seat *s = &here->seat[rank];
    const seat_share *share = &here->seating->share[rank];
    outcome o = {.binding = CORES_FREE};
    if (share->workers == 0 || !share->equal || share->threads > s->cores || cores_user_decides()) {
        return o;
    }
    if (s->cores == 1) {
        o.binding = CORES_OWN; /* by the launcher */
        return o;
    }
    core_groups *c = cores_look(&here->mine);
    host_cores *pin = calloc((size_t)share->workers, sizeof *pin);
    if (c == NULL || pin == NULL) {
        log_print(LOG_DEBUG, "no worker is pinned: how the cores are grouped is not known");
    } else {
        const cores_binding binding =
            cores_assign(c, share->threads, share->first, share->workers, pin, &o.nodes);
        o.binding = (int)binding;
        o.threads = per_node(share->threads, c);
        o.cores = per_node(cores_count(c), c);
        if (binding != CORES_FREE) {
            *pins = pin;
            pin = NULL;
        }
    }
    free(pin);
    cores_destroy(c);
    return o;
}

/* A rank bound to fewer cores than it has workers: the classic trap. Open MPI 4 and 5 bind each of
 * one or two ranks to a single core. */
static void warn_of_binding(const places *all, int ranks)
{
    int i = 0;
    while (i < ranks && all->seating->share[i].workers <= all->seat[i].cores) {
        i++;
    }
    if (i == ranks) {
        return;
    }
    const seat *s = &all->seat[i];
    const int workers = all->seating->share[i].workers;
    if (s->cores < s->online) {
        log_print(LOG_WARNING,
                  "rank %d on host %s has %d workers on %d core%s, which they share: start with "
                  "mpirun --map-by slot:PE=%d, or --bind-to none",
                  i, s->host, workers, s->cores, number_plural(s->cores), workers);
    } else {
        log_print(
            LOG_WARNING,
            "rank %d has %d workers, but host %s has only %d core%s: fewer --threads would be "
            "as fast",
            i, workers, s->host, s->cores, number_plural(s->cores));
    }
}

/* Ranks that each have cores enough, but the same ones. */
static void warn_of_sharing(const places *all, int ranks)
{
    for (int i = 0; i < ranks; i++) {
        const seat_share *share = &all->seating->share[i];
        const int cores = all->seat[i].cores;
        if (seat_threads(share->workers) <= cores && share->threads > cores) {
            log_print(
                LOG_WARNING,
                "host %s: %d ranks with %d workers in all share %d core%s; fewer --threads or "
                "fewer ranks would be as fast",
                all->seat[i].host, share->ranks, share->threads, cores, number_plural(cores));
            return;
        }
    }
}

/* More threads than the time that their group may use. */
static void warn_of_quota(const places *all, int ranks)
{
    for (int i = 0; i < ranks; i++) {
        const seat *s = &all->seat[i];
        const seat_share *share = &all->seating->share[i];
        const int enough = s->quota_cores > 0 ? seat_quota_workers(s->quota_cores) : INT_MAX;
        if (share->quota_threads > enough) {
            const int each = enough / share->quota_ranks;
            char advice[48] = "fewer ranks";
            if (each > 0) {
                (void)snprintf(advice, sizeof advice, "--threads %d", each);
            }
            log_print(
                LOG_WARNING,
                "host %s: %d rank%s with %d workers in all have a CPU quota of %.3g cores "
                "(cgroup), beyond which they are stopped again and again: %s would be as fast",
                s->host, share->quota_ranks, number_plural(share->quota_ranks),
                share->quota_threads, s->quota_cores, advice);
            return;
        }
    }
}

/* OpenMP binds the threads of each rank from the first of its places on: where ranks have the same
 * places, to the same cores. */
static void warn_of_places(const places *all, int ranks)
{
    for (int i = 0; i < ranks; i++) {
        const seat_share *share = &all->seating->share[i];
        if (all->seat[i].placed && share->ranks > 1 && share->workers > 0) {
            log_print(LOG_WARNING,
                      "host %s: OMP_PROC_BIND or OMP_PLACES keeps the workers of each of %d ranks "
                      "on the same cores, while others may be idle: unset them, and weft pins its "
                      "workers itself, or start with mpirun --map-by slot:PE=%d",
                      all->seat[i].host, share->ranks, share->workers);
            return;
        }
    }
}

/* Workers that are not all near the same memory. */
static void warn_of_nodes(const places *all, const outcome *outcomes, int ranks)
{
    for (int i = 0; i < ranks; i++) {
        const outcome *o = &outcomes[i];
        if (o->nodes > 1) {
            log_print(LOG_WARNING,
                      "rank %d on host %s has %d workers on %d NUMA nodes; a rank per node is "
                      "usually faster: mpirun --map-by ppr:1:numa:PE=%d, with --threads %d",
                      i, all->seat[i].host, all->seating->share[i].workers, o->nodes,
                      o->threads < o->cores ? o->threads : o->cores, o->threads);
            return;
        }
    }
}

/* What has been done for all ranks alike. */
static const char *binding_text(const outcome *outcomes, int ranks)
{
    for (int i = 1; i < ranks; i++) {
        if (outcomes[i].binding != outcomes[0].binding) {
            return "";
        }
    }
    switch ((cores_binding)outcomes[0].binding) {
    case CORES_OWN:
        return ", pinned";
    case CORES_NODE:
        return ", each worker on one NUMA node";
    case CORES_FREE:
        break;
    }
    return "";
}

/* What has decided the number of workers, where that is neither the user nor the cores: of the rank
 * with the fewest. */
static void format_reason(const seat *s, seat_reason reason, char *text, size_t bytes)
{
    switch (reason) {
    case SEAT_NAMED:
        (void)snprintf(text, bytes, " (OMP_NUM_THREADS)");
        break;
    case SEAT_QUOTA:
        (void)number_print(text, bytes, " (cgroup quota %.3g core%s)", s->quota_cores,
                           s->quota_cores == 1 ? "" : "s");
        break;
    case SEAT_LIMIT:
        (void)snprintf(text, bytes, " (OMP_THREAD_LIMIT)");
        break;
    case SEAT_ASKED:
    case SEAT_CORES:
        text[0] = '\0';
        break;
    }
}

static void print_layout(const places *all, const outcome *outcomes, const placement *p)
{
    const seat_share *share = all->seating->share;
    int least = 0;
    int most = 0;
    int least_cores = all->seat[0].cores;
    int most_cores = least_cores;
    for (int i = 1; i < p->ranks; i++) {
        const int cores = all->seat[i].cores;
        least = share[i].workers < share[least].workers ? i : least;
        most = share[i].workers > share[most].workers ? i : most;
        least_cores = cores < least_cores ? cores : least_cores;
        most_cores = cores > most_cores ? cores : most_cores;
    }
    char workers[32];
    char cores[32];
    char reason[64];
    (void)snprintf(workers, sizeof workers,
                   share[least].workers == share[most].workers ? "%d" : "%d-%d",
                   share[least].workers, share[most].workers);
    (void)snprintf(cores, sizeof cores, least_cores == most_cores ? "%d" : "%d-%d", least_cores,
                   most_cores);
    format_reason(&all->seat[least], share[least].reason, reason, sizeof reason);
    log_print(LOG_INFO, "%d rank%s x %s worker%s%s on %d host%s, %s core%s per rank%s", p->ranks,
              number_plural(p->ranks), workers, number_plural(share[most].workers), reason,
              p->hosts, number_plural(p->hosts), cores, number_plural(most_cores),
              binding_text(outcomes, p->ranks));
}

static void count_up(const places *all, placement *p)
{
    const seating *s = all->seating;
    p->hosts = s->hosts;
    p->idle_main_threads = true;
    for (int i = 0; i < p->ranks; i++) {
        p->total_workers += seat_threads(s->share[i].workers);
        p->idle_main_threads = p->idle_main_threads && s->share[i].workers > 0;
    }
    for (int i = 0; i < s->hosts; i++) {
        p->cores += s->host_cores[i];
        number_append(p->host_names, sizeof p->host_names, "%s%s", i == 0 ? "" : " ",
                      all->seat[s->first[i]].host);
    }
}

/* Rank 0 names the hosts when something happens to a rank. */
static weft_status list_ranks(const places *all, placement *p, error *e)
{
    p->host = calloc((size_t)p->ranks, sizeof *p->host);
    p->threads = calloc((size_t)p->ranks, sizeof *p->threads);
    if (p->host == NULL || p->threads == NULL) {
        return error_memory(e, "the hosts of %d ranks", p->ranks);
    }
    for (int i = 0; i < p->ranks; i++) {
        memcpy(p->host[i].name, all->seat[i].host, sizeof p->host[i].name);
        p->threads[i] = seat_threads(all->seating->share[i].workers);
    }
    return WEFT_OK;
}

static void take_seat(seat *s, host_cores *cores)
{
    cgroup_quota q;
    memset(s, 0, sizeof *s);
    host_name(s->host);
    cores_get_allowed(cores);
    seat_set_cores(s, cores);
    cgroup_find_quota("/proc/self/cgroup", "/sys/fs/cgroup", &q);
    s->quota_cores = q.cores;
    s->quota_group = q.group;
    s->online = host_online_cores();
    s->named = workers_from_environment();
    s->most = region_most_threads();
    s->placed = cores_openmp_binds();
}

/* Every rank learns of all seats. */
static weft_status gather_places(comm *c, places *all, error *e)
{
    const int ranks = comm_size(c);
    bool ragged = false;
    seat mine;
    take_seat(&mine, &all->mine);
    all->seat = calloc((size_t)ranks, sizeof *all->seat);
    weft_status status = comm_agree(
        c, all->seat == NULL ? error_memory(e, "the places of %d ranks", ranks) : WEFT_OK, e);
    if (status == WEFT_OK) {
        status = comm_gather(c, &mine, sizeof mine, all->seat, e);
    }
    for (int i = 0; i < ranks && status == WEFT_OK && all->seat != NULL; i++) {
        ragged = ragged || all->seat[i].runs == SEAT_RAGGED;
    }
    if (status != WEFT_OK || !ragged) {
        return status;
    }
    all->cores = calloc((size_t)ranks, sizeof *all->cores);
    status = comm_agree(
        c, all->cores == NULL ? error_memory(e, "the cores of %d ranks", ranks) : WEFT_OK, e);
    return status == WEFT_OK ? comm_gather(c, &all->mine, sizeof all->mine, all->cores, e) : status;
}

/* More workers than OpenMP would start; the same on all ranks. */
static weft_status check_limit(const places *all, int ranks, error *e)
{
    for (int i = 0; i < ranks; i++) {
        const int workers = all->seating->share[i].workers;
        const int most = all->seat[i].most;
        if (workers > most) {
            return error_set(e, WEFT_ERR_USAGE,
                             "--threads: %d worker%s on rank %d, where OMP_THREAD_LIMIT allows %d; "
                             "give --threads %d, or raise the limit to %d",
                             workers, number_plural(workers), i, most, most, workers);
        }
    }
    return WEFT_OK;
}

/* All ranks learn who sits where, and agree on what follows. */
static weft_status settle_places(comm *c, int64_t asked, places *all, placement *p, error *e)
{
    const int ranks = comm_size(c);
    weft_status status = gather_places(c, all, e);
    if (status != WEFT_OK) {
        return status;
    }
    status = seating_create(all->seat, all->cores, ranks, asked, &all->seating, e);
    if (status == WEFT_OK) {
        status = check_limit(all, ranks, e);
    }
    if (comm_rank(c) == 0 && status == WEFT_OK) {
        status = list_ranks(all, p, e);
    }
    if (status == WEFT_OK) {
        status = trial_threads(all->seating->share[comm_rank(c)].workers, e);
    }
    return comm_agree(c, status, e);
}

/* Rank 0 says where all are, and what is wrong with that. */
static void announce(const places *all, const outcome *outcomes, const placement *p)
{
    print_layout(all, outcomes, p);
    warn_of_binding(all, p->ranks);
    warn_of_sharing(all, p->ranks);
    warn_of_quota(all, p->ranks);
    warn_of_places(all, p->ranks);
    warn_of_nodes(all, outcomes, p->ranks);
}

weft_status placement_settle(comm *c, int64_t asked, placement *p, error *e)
{
    const int rank = comm_rank(c);
    placement settled = {.ranks = comm_size(c)};
    places all = {.seat = NULL};
    host_cores *pins = NULL;
    outcome *outcomes = calloc((size_t)settled.ranks, sizeof *outcomes);
    weft_status status = comm_agree(
        c, outcomes == NULL ? error_memory(e, "the places of %d ranks", settled.ranks) : WEFT_OK,
        e);
    if (status == WEFT_OK) {
        status = settle_places(c, asked, &all, &settled, e);
    }
    if (status == WEFT_OK) {
        settled.workers = all.seating->share[rank].workers;
        count_up(&all, &settled);
        const outcome mine = pin_workers(&all, rank, &pins);
        status = comm_gather(c, &mine, sizeof mine, outcomes, e);
    }
    if (status == WEFT_OK && rank == 0) {
        announce(&all, outcomes, &settled);
    }
    if (status == WEFT_OK) {
        status = team_create(settled.workers, pace_blocks(settled.workers), pins, &settled.team, e);
    }
    free(pins);
    if (status == WEFT_OK) {
        *p = settled;
    } else {
        placement_clear(&settled);
    }
    seating_destroy(all.seating);
    free(all.cores);
    free(all.seat);
    free(outcomes);
    return status;
}

void placement_clear(placement *p)
{
    free(p->host);
    free(p->threads);
    team_destroy(p->team);
    p->host = NULL;
    p->threads = NULL;
    p->team = NULL;
}
