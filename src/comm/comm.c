/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between ranks. Sole owner of MPI; every call is the main thread's. */
#include "comm/internals.h"

#include "base/clock.h"
#include "base/siblings.h"

#include <limits.h>
#if defined(OPEN_MPI)
#include <mpi-ext.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_PAUSE_NS = 200000 };

/* So many ranks of a host say that one has died: the first of them may be the one. */
enum { RANKS_THAT_TELL = 2 };

/* A message on its way: MPI reads the bytes until the request is complete. */
typedef struct posted {
    struct posted *next;
    MPI_Request request;
    int rank;
    unsigned char bytes[];
} posted;

weft_status comm_fail(error *e, int code, const char *what)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    (void)MPI_Error_string(code, text, &length);
    return error_set(e, WEFT_ERR_MPI, "MPI: %s failed: %s", what, text);
}

/* Where a rank may die alone, MPI's start would wait for it. */
static void watch_siblings(void)
{
    const char *place = getenv("OMPI_COMM_WORLD_LOCAL_RANK");
    const bool tells = place != NULL && strtol(place, NULL, 10) < RANKS_THAT_TELL;
    if (comm_recovers()) {
        siblings_watch(weft_status_exit(WEFT_STOPPED),
                       tells ? "weft: WARNING: a rank has died while MPI was starting, which ends "
                               "the job; run the same command again\n"
                             : "");
    }
}

static weft_status start_mpi(int *argc, char ***argv, bool *started, error *e)
{
    int initialised = 0;
    int provided = MPI_THREAD_SINGLE;
    int code = MPI_Initialized(&initialised);
    if (code == MPI_SUCCESS && !initialised) {
        /* Ranks that share cores must not spin in MPI's own waits. The user's setting wins. */
        (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
        watch_siblings();
        code = MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
        siblings_forget();
        *started = code == MPI_SUCCESS;
    } else if (code == MPI_SUCCESS) {
        code = MPI_Query_thread(&provided);
    }
    if (code != MPI_SUCCESS) {
        return comm_fail(e, code, "starting");
    }
    if (provided < MPI_THREAD_FUNNELED) {
        return error_set(e, WEFT_ERR_MPI,
                         "MPI was started without threads; start it with MPI_Init_thread and "
                         "MPI_THREAD_FUNNELED, or leave it to weft");
    }
    return WEFT_OK;
}

/* Learns where all ranks' processes are. */
static weft_status meet_neighbours(comm *c, error *e)
{
    host_process *all = malloc((size_t)c->size * sizeof *all);
    host_process mine;
    host_this_process(&mine);
    if (all == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the processes of %d ranks",
                         c->size);
    }
    weft_status status = comm_gather(c, &mine, sizeof mine, all, e);
    if (status == WEFT_OK) {
        status = neighbours_create(all, c->size, c->rank, &c->neighbours, e);
    }
    free(all);
    return status;
}

weft_status comm_open(int *argc, char ***argv, comm **out, error *e)
{
    comm *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for MPI");
    }
    c->communicator = MPI_COMM_NULL;
    weft_status status = start_mpi(argc, argv, &c->started_mpi, e);
    if (status != WEFT_OK) {
        goto done;
    }
    int code = MPI_Comm_dup(MPI_COMM_WORLD, &c->communicator);
    if (code == MPI_SUCCESS) {
        code = MPI_Comm_set_errhandler(c->communicator, MPI_ERRORS_RETURN);
    }
    if (code == MPI_SUCCESS) {
        code = MPI_Comm_rank(c->communicator, &c->rank);
    }
    if (code == MPI_SUCCESS) {
        code = MPI_Comm_size(c->communicator, &c->size);
    }
    if (code != MPI_SUCCESS) {
        status = comm_fail(e, code, "MPI_Comm_dup");
    } else {
        status = meet_neighbours(c, e);
    }
done:
    if (status != WEFT_OK) {
        comm_close(c);
        return status;
    }
    *out = c;
    return WEFT_OK;
}

void comm_close(comm *c)
{
    if (c == NULL) {
        return;
    }
    comm_flush(c, INT64_C(1000000000));
    if (c->communicator != MPI_COMM_NULL && !c->broken) {
        (void)MPI_Comm_free(&c->communicator);
    }
    if (c->started_mpi && !c->broken) {
        (void)MPI_Finalize();
    }
    neighbours_destroy(c->neighbours);
    free(c->received);
    free(c);
}

int comm_rank(const comm *c)
{
    return c->rank;
}

int comm_size(const comm *c)
{
    return c->size;
}

void comm_set_patience(comm *c, int64_t limit_ns)
{
    c->patience_ns = limit_ns;
}

bool comm_recovers(void)
{
    /* Open MPI 4: mpirun --enable-recovery; Open MPI 5: mpirun --with-ft ulfm. */
    static const char *const names[] = {"OMPI_MCA_orte_enable_recovery", "OMPI_MCA_mpi_ft_enable"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0)) {
            return true;
        }
    }
    return false;
}

void comm_break(comm *c)
{
    c->broken = true;
}

bool comm_broken(const comm *c)
{
    return c->broken;
}

void comm_begin_run(comm *c)
{
    c->run = c->run < MOST_RUNS ? c->run + 1 : 0;
}

#if defined(OMPI_HAVE_MPI_EXT_FTMPI)
/* Somebody has died, and this rank's call fails for that alone: its own affairs are in order. */
bool comm_is_death(int code)
{
    int class = MPI_SUCCESS;
    (void)MPI_Error_class(code, &class);
    return class == MPIX_ERR_PROC_FAILED || class == MPIX_ERR_PROC_FAILED_PENDING;
}

/* A receive from any source is refused until one has taken note of the dead. */
static void take_note(comm *c)
{
    (void)MPIX_Comm_failure_ack(c->communicator);
}

/* The group of the dead only grows, at its end. */
static int next_dead_of_mpi(comm *c)
{
    MPI_Group dead = MPI_GROUP_EMPTY;
    MPI_Group all = MPI_GROUP_EMPTY;
    int count = 0;
    int rank = -1;
    if (MPIX_Comm_get_failed(c->communicator, &dead) != MPI_SUCCESS) {
        return -1;
    }
    (void)MPI_Group_size(dead, &count);
    if (count > c->dead && MPI_Comm_group(c->communicator, &all) == MPI_SUCCESS) {
        (void)MPI_Group_translate_ranks(dead, 1, &c->dead, all, &rank);
        (void)MPI_Group_free(&all);
        c->dead++;
    }
    if (dead != MPI_GROUP_EMPTY) {
        (void)MPI_Group_free(&dead);
    }
    return rank;
}
#else
bool comm_is_death(int code)
{
    (void)code;
    return false;
}

static void take_note(comm *c)
{
    (void)c;
}

static int next_dead_of_mpi(comm *c)
{
    (void)c;
    return -1;
}
#endif

int comm_next_dead(comm *c)
{
    const int dead = next_dead_of_mpi(c);
    return dead >= 0 ? dead : neighbours_next_dead(c->neighbours, clock_now_ns());
}

/* Frees what has been sent. What could not be sent is as good as lost on its way: whoever misses it
 * notices that by the silence. */
static void reap(comm *c)
{
    posted **link = &c->posts;
    while (*link != NULL) {
        posted *post = *link;
        int sent = 0;
        if (MPI_Test(&post->request, &sent, MPI_STATUS_IGNORE) != MPI_SUCCESS || sent) {
            *link = post->next;
            free(post);
        } else {
            link = &post->next;
        }
    }
}

void comm_drop(comm *c, int rank)
{
    posted **link = &c->posts;
    while (*link != NULL) {
        posted *post = *link;
        if (post->rank == rank) {
            *link = post->next;
            post->next = c->dropped;
            c->dropped = post;
        } else {
            link = &post->next;
        }
    }
}

weft_status comm_post_tagged(comm *c, int rank, int tag, const void *bytes, size_t count, error *e)
{
    posted *post = count > INT_MAX ? NULL : malloc(sizeof *post + count);
    if (post == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for a message of %zu bytes", count);
    }
    memcpy(post->bytes, bytes, count);
    const int code =
        MPI_Isend(post->bytes, (int)count, MPI_BYTE, rank, tag, c->communicator, &post->request);
    if (code != MPI_SUCCESS) {
        free(post);
        return comm_is_death(code) ? WEFT_OK : comm_fail(e, code, "MPI_Isend");
    }
    post->rank = rank;
    post->next = c->posts;
    c->posts = post;
    return WEFT_OK;
}

weft_status comm_post(comm *c, int rank, const void *bytes, size_t count, error *e)
{
    return comm_post_tagged(c, rank, c->run, bytes, count, e);
}

/* Room for a message of that many bytes. */
static weft_status make_room(comm *c, int length, error *e)
{
    if (c->received != NULL && (size_t)length <= c->received_room) {
        return WEFT_OK;
    }
    unsigned char *larger = realloc(c->received, (size_t)length + 1);
    if (larger == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for a message of %d bytes", length);
    }
    c->received = larger;
    c->received_room = (size_t)length;
    return WEFT_OK;
}

/* One message, of whichever run; *arrived is false if there is none. */
static weft_status receive_any(comm *c, bool *arrived, MPI_Status *from, int *length, error *e)
{
    int found = 0;
    MPI_Message message = MPI_MESSAGE_NULL;
    int code = MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, c->communicator, &found, &message, from);
    *arrived = code == MPI_SUCCESS && found != 0;
    if (comm_is_death(code)) {
        take_note(c);
        return WEFT_OK;
    }
    if (!*arrived) {
        return code == MPI_SUCCESS ? WEFT_OK : comm_fail(e, code, "MPI_Improbe");
    }
    (void)MPI_Get_count(from, MPI_BYTE, length);
    const weft_status status = make_room(c, *length, e);
    if (status != WEFT_OK) {
        return status;
    }
    code = MPI_Mrecv(c->received, *length, MPI_BYTE, &message, from);
    return code == MPI_SUCCESS ? WEFT_OK : comm_fail(e, code, "MPI_Mrecv");
}

weft_status comm_receive(comm *c, bool *arrived, int *source, const void **bytes, size_t *count,
                         error *e)
{
    *arrived = false;
    if (c->size == 1) {
        return WEFT_OK;
    }
    reap(c);
    MPI_Status from = {.MPI_TAG = c->run};
    int length = 0;
    do {
        const weft_status status = receive_any(c, arrived, &from, &length, e);
        if (status != WEFT_OK) {
            return status;
        }
    } while (*arrived && from.MPI_TAG != c->run);
    *source = from.MPI_SOURCE;
    *bytes = c->received;
    *count = (size_t)length;
    return WEFT_OK;
}

void comm_flush(comm *c, int64_t limit_ns)
{
    const int64_t until = clock_now_ns() + limit_ns;
    reap(c);
    while (c->posts != NULL && clock_now_ns() < until) {
        clock_sleep_ns(FLUSH_PAUSE_NS);
        reap(c);
    }
}
