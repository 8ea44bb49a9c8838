/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the ranks are: hosts, cores, workers, and a warning if they are in each other's way. */
#include "engine/placement.h"

#include "base/host.h"
#include "base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What every rank tells the others. */
typedef struct seat {
    char host[HOST_NAME_BYTES];
    host_cores cores;
    int online; /* cores of the whole host */
    int workers;
} seat;

static bool same_host(const seat *a, const seat *b)
{
    return strcmp(a->host, b->host) == 0;
}

/* How many ranks, this one included, may use some of its cores. */
static int count_sharers(const seat *seats, int ranks, int rank)
{
    int sharers = 0;
    for (int i = 0; i < ranks; i++) {
        sharers += same_host(&seats[i], &seats[rank]) &&
                   host_cores_overlap(&seats[i].cores, &seats[rank].cores);
    }
    return sharers;
}

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
    const int sharers = count_sharers(seats, ranks, rank);
    const int share = host_count_cores(&seats[rank].cores) / (sharers > 0 ? sharers : 1);
    return share > 0 ? share : 1;
}

static int busy_threads(const seat *s)
{
    return s->workers > 0 ? s->workers : 1;
}

/* Whether a rank is the first of its host. */
static bool is_first(const seat *seats, int rank)
{
    for (int i = 0; i < rank; i++) {
        if (same_host(&seats[i], &seats[rank])) {
            return false;
        }
    }
    return true;
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
        int threads = 0;
        for (int k = 0; k < ranks; k++) {
            threads += same_host(&seats[i], &seats[k]) &&
                               host_cores_overlap(&seats[i].cores, &seats[k].cores)
                           ? busy_threads(&seats[k])
                           : 0;
        }
        const int cores = host_count_cores(&seats[i].cores);
        if (busy_threads(&seats[i]) <= cores && threads > cores) {
            log_print(
                LOG_WARNING,
                "host %s: %d ranks with %d workers in all share %d core%s; fewer --threads or "
                "fewer ranks would be as fast",
                seats[i].host, count_sharers(seats, ranks, i), threads, cores,
                cores == 1 ? "" : "s");
            return;
        }
    }
}

static void print_layout(const seat *seats, const placement *p)
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
    log_print(LOG_INFO, "%d rank%s x %s worker%s on %d host%s, %s core%s per rank", p->ranks,
              p->ranks == 1 ? "" : "s", workers, most == 1 ? "" : "s", p->hosts,
              p->hosts == 1 ? "" : "s", cores, most_cores == 1 ? "" : "s");
}

weft_status placement_settle(comm *c, int64_t asked, placement *p, error *e)
{
    const int rank = comm_rank(c);
    const int ranks = comm_size(c);
    seat mine;
    memset(&mine, 0, sizeof mine);
    host_name(mine.host);
    host_get_cores(&mine.cores);
    mine.online = host_online_cores();
    seat *seats = calloc((size_t)ranks, sizeof *seats);
    if (seats == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the places of %d ranks", ranks);
    }
    weft_status status = comm_gather(c, &mine, sizeof mine, seats, e);
    if (status == WEFT_OK) {
        mine.workers = choose_workers(seats, ranks, rank, asked);
        status = comm_gather(c, &mine, sizeof mine, seats, e);
    }
    if (status == WEFT_OK) {
        *p = (placement){.ranks = ranks, .workers = mine.workers};
        for (int i = 0; i < ranks; i++) {
            p->total_workers += busy_threads(&seats[i]);
            if (is_first(seats, i)) {
                p->hosts++;
                add_name(p, seats[i].host);
            }
        }
        if (rank == 0) {
            print_layout(seats, p);
            warn_of_binding(seats, ranks);
            warn_of_sharing(seats, ranks);
        }
    }
    free(seats);
    return status;
}
