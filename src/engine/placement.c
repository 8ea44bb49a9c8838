/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the ranks are: hosts, cores, workers, and a warning if they are in each other's way. */
#include "engine/placement.h"

#include "base/log.h"
#include "engine/seat.h"
#include "team/cores.h"

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

/* OMP_NUM_THREADS may be a list, one number per nested level. */
static int workers_from_environment(void)
{
    const char *text = getenv("OMP_NUM_THREADS");
    const long number = text == NULL ? 0 : strtol(text, NULL, 10);
    return number >= 1 && number <= 65536 ? (int)number : 0;
}

static int choose_workers(const seat *seats, int ranks, int rank, int64_t asked)
{
    if (asked >= 0) {
        return (int)asked;
    }
    const int given = workers_from_environment();
    if (given > 0) {
        return given;
    }
    const int sharers = seat_find_share(seats, ranks, rank).ranks;
    const int share = host_count_cores(&seats[rank].cores) / (sharers > 0 ? sharers : 1);
    return share > 0 ? share : 1;
}

static int per_node(int count, const core_groups *c)
{
    return (count + cores_nodes(c) - 1) / cores_nodes(c);
}

/* Pins the workers of this rank where that can only help: no core is left over to which the system
 * could move one that somebody else's process is in the way of. Where cores are left over, they
 * still keep to a NUMA node. Bindings of the launcher and of the user stay as they are. */
static outcome pin_workers(const seat *seats, int ranks, int rank, placement *p)
{
    const seat *s = &seats[rank];
    const seat_share share = seat_find_share(seats, ranks, rank);
    outcome o = {.binding = CORES_FREE};
    if (s->workers == 0 || !share.equal || share.threads > host_count_cores(&s->cores) ||
        cores_user_decides()) {
        return o;
    }
    if (host_count_cores(&s->cores) == 1) {
        o.binding = CORES_OWN; /* by the launcher */
        return o;
    }
    core_groups *c = cores_look(&s->cores);
    host_cores *pin = calloc((size_t)s->workers, sizeof *pin);
    if (c == NULL || pin == NULL) {
        log_print(LOG_DEBUG, "no worker is pinned: how the cores are grouped is not known");
    } else {
        const cores_binding binding =
            cores_assign(c, share.threads, share.first, s->workers, pin, &o.nodes);
        o.binding = (int)binding;
        o.threads = per_node(share.threads, c);
        o.cores = per_node(cores_count(c), c);
        if (binding != CORES_FREE) {
            p->pin = pin;
            pin = NULL;
        }
    }
    free(pin);
    cores_destroy(c);
    return o;
}

/* Whether a rank is the first of its host. */
static bool is_first(const seat *seats, int rank)
{
    for (int i = 0; i < rank; i++) {
        if (seat_same_host(&seats[i], &seats[rank])) {
            return false;
        }
    }
    return true;
}

/* Cores of a host that any of its ranks may use. */
static int count_host_cores(const seat *seats, int ranks, int rank)
{
    host_cores any = seats[rank].cores;
    for (int i = 0; i < ranks; i++) {
        for (int word = 0; word < HOST_MASK_WORDS && seat_same_host(&seats[i], &seats[rank]);
             word++) {
            any.mask[word] |= seats[i].cores.mask[word];
        }
    }
    return host_count_cores(&any);
}

static void add_name(placement *p, const char *name)
{
    const size_t used = strlen(p->host_names);
    (void)snprintf(p->host_names + used, sizeof p->host_names - used, "%s%s", used == 0 ? "" : " ",
                   name);
}

/* A rank bound to fewer cores than it has workers: the classic trap. Open MPI 4 and 5 bind each of
 * one or two ranks to a single core. */
static void warn_of_binding(const seat *seats, int ranks)
{
    int i = 0;
    while (i < ranks && seats[i].workers <= host_count_cores(&seats[i].cores)) {
        i++;
    }
    if (i == ranks) {
        return;
    }
    const seat *s = &seats[i];
    const int cores = host_count_cores(&s->cores);
    if (cores < s->online) {
        log_print(LOG_WARNING,
                  "rank %d on host %s has %d workers on %d core%s, which they share: start with "
                  "mpirun --map-by slot:PE=%d, or --bind-to none",
                  i, s->host, s->workers, cores, cores == 1 ? "" : "s", s->workers);
    } else {
        log_print(
            LOG_WARNING,
            "rank %d has %d workers, but host %s has only %d core%s: fewer --threads would be "
            "as fast",
            i, s->workers, s->host, cores, cores == 1 ? "" : "s");
    }
}

/* Ranks that each have cores enough, but the same ones. */
static void warn_of_sharing(const seat *seats, int ranks)
{
    for (int i = 0; i < ranks; i++) {
        const seat_share share = seat_find_share(seats, ranks, i);
        const int cores = host_count_cores(&seats[i].cores);
        if (seat_threads(&seats[i]) <= cores && share.threads > cores) {
            log_print(
                LOG_WARNING,
                "host %s: %d ranks with %d workers in all share %d core%s; fewer --threads or "
                "fewer ranks would be as fast",
                seats[i].host, share.ranks, share.threads, cores, cores == 1 ? "" : "s");
            return;
        }
    }
}

/* Workers that are not all near the same memory. */
static void warn_of_nodes(const seat *seats, const outcome *outcomes, int ranks)
{
    for (int i = 0; i < ranks; i++) {
        const outcome *o = &outcomes[i];
        if (o->nodes > 1) {
            log_print(LOG_WARNING,
                      "rank %d on host %s has %d workers on %d NUMA nodes; a rank per node is "
                      "usually faster: mpirun --map-by ppr:1:numa:PE=%d, with --threads %d",
                      i, seats[i].host, seats[i].workers, o->nodes,
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

static void print_layout(const seat *seats, const outcome *outcomes, const placement *p)
{
    int least = seats[0].workers;
    int most = seats[0].workers;
    int least_cores = host_count_cores(&seats[0].cores);
    int most_cores = least_cores;
    for (int i = 1; i < p->ranks; i++) {
        const int cores = host_count_cores(&seats[i].cores);
        least = seats[i].workers < least ? seats[i].workers : least;
        most = seats[i].workers > most ? seats[i].workers : most;
        least_cores = cores < least_cores ? cores : least_cores;
        most_cores = cores > most_cores ? cores : most_cores;
    }
    char workers[32];
    char cores[32];
    (void)snprintf(workers, sizeof workers, least == most ? "%d" : "%d-%d", least, most);
    (void)snprintf(cores, sizeof cores, least_cores == most_cores ? "%d" : "%d-%d", least_cores,
                   most_cores);
    log_print(LOG_INFO, "%d rank%s x %s worker%s on %d host%s, %s core%s per rank%s", p->ranks,
              p->ranks == 1 ? "" : "s", workers, most == 1 ? "" : "s", p->hosts,
              p->hosts == 1 ? "" : "s", cores, most_cores == 1 ? "" : "s",
              binding_text(outcomes, p->ranks));
}

static void count_up(const seat *seats, placement *p)
{
    p->idle_main_threads = true;
    for (int i = 0; i < p->ranks; i++) {
        p->total_workers += seat_threads(&seats[i]);
        p->idle_main_threads = p->idle_main_threads && seats[i].workers > 0;
        if (is_first(seats, i)) {
            p->hosts++;
            p->cores += count_host_cores(seats, p->ranks, i);
            add_name(p, seats[i].host);
        }
    }
}

static host_label *list_hosts(const seat *seats, int ranks)
{
    host_label *list = calloc((size_t)ranks, sizeof *list);
    for (int i = 0; i < ranks && list != NULL; i++) {
        memcpy(list[i].name, seats[i].host, sizeof list[i].name);
    }
    return list;
}

/* Every rank learns of all seats, the number of workers included. */
static weft_status gather_seats(comm *c, int64_t asked, seat *seats, error *e)
{
    const int rank = comm_rank(c);
    seat mine;
    memset(&mine, 0, sizeof mine);
    host_name(mine.host);
    cores_get_allowed(&mine.cores);
    mine.online = host_online_cores();
    weft_status status = comm_gather(c, &mine, sizeof mine, seats, e);
    if (status == WEFT_OK) {
        mine.workers = choose_workers(seats, comm_size(c), rank, asked);
        status = comm_gather(c, &mine, sizeof mine, seats, e);
    }
    return status;
}

weft_status placement_settle(comm *c, int64_t asked, placement *p, error *e)
{
    const int rank = comm_rank(c);
    const int ranks = comm_size(c);
    placement settled = {.ranks = ranks};
    seat *seats = calloc((size_t)ranks, sizeof *seats);
    outcome *outcomes = calloc((size_t)ranks, sizeof *outcomes);
    weft_status status = WEFT_OK;
    if (seats == NULL || outcomes == NULL) {
        status = error_set(e, WEFT_ERR_MEMORY, "out of memory for the places of %d ranks", ranks);
        goto done;
    }
    status = gather_seats(c, asked, seats, e);
    if (status != WEFT_OK) {
        goto done;
    }
    settled.host = list_hosts(seats, ranks);
    if (settled.host == NULL) {
        (void)error_set(e, WEFT_ERR_MEMORY, "out of memory for the hosts of %d ranks", ranks);
    }
    if (comm_agree(c, e) != WEFT_OK) {
        status = e->status;
        goto done;
    }
    settled.workers = seats[rank].workers;
    count_up(seats, &settled);
    const outcome mine = pin_workers(seats, ranks, rank, &settled);
    status = comm_gather(c, &mine, sizeof mine, outcomes, e);
    if (status != WEFT_OK) {
        goto done;
    }
    if (rank == 0) {
        print_layout(seats, outcomes, &settled);
        warn_of_binding(seats, ranks);
        warn_of_sharing(seats, ranks);
        warn_of_nodes(seats, outcomes, ranks);
    }
    *p = settled;
    settled.pin = NULL;
    settled.host = NULL;
done:
    placement_clear(&settled);
    free(outcomes);
    free(seats);
    return status;
}

void placement_clear(placement *p)
{
    free(p->host);
    free(p->pin);
    p->host = NULL;
    p->pin = NULL;
}
