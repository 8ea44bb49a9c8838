/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between ranks. Sole owner of MPI; every call is the main thread's. */
#include "comm/comm.h"

#include "base/clock.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_PAUSE_NS = 200000 };

/* A message on its way: MPI reads the bytes until the request is complete. */
typedef struct posted {
    struct posted *next;
    MPI_Request request;
    unsigned char bytes[];
} posted;

struct comm {
    MPI_Comm communicator; /* our own duplicate */
    bool started_mpi;
    int rank;
    int size;
    int run; /* the tag of this run's messages */
    posted *posts;
    unsigned char *received;
    size_t received_room;
};

static weft_status fail(error *e, int code, const char *what)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    (void)MPI_Error_string(code, text, &length);
    return error_set(e, WEFT_ERR_MPI, "MPI: %s failed: %s", what, text);
}

static weft_status start_mpi(int *argc, char ***argv, bool *started, error *e)
{
    int initialised = 0;
    int provided = MPI_THREAD_SINGLE;
    int code = MPI_Initialized(&initialised);
    if (code == MPI_SUCCESS && !initialised) {
        /* Ranks that share cores must not spin in MPI's own waits. The user's setting wins. */
        (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
        code = MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
        *started = code == MPI_SUCCESS;
    } else if (code == MPI_SUCCESS) {
        code = MPI_Query_thread(&provided);
    }
    if (code != MPI_SUCCESS) {
        return fail(e, code, "starting");
    }
    if (provided < MPI_THREAD_FUNNELED) {
        return error_set(e, WEFT_ERR_MPI,
                         "MPI was started without threads; start it with MPI_Init_thread and "
                         "MPI_THREAD_FUNNELED, or leave it to weft");
    }
    return WEFT_OK;
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
        status = fail(e, code, "MPI_Comm_dup");
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
    if (c->communicator != MPI_COMM_NULL) {
        (void)MPI_Comm_free(&c->communicator);
    }
    if (c->started_mpi) {
        (void)MPI_Finalize();
    }
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

weft_status comm_broadcast(comm *c, int root, void *bytes, size_t count, error *e)
{
    if (count > INT_MAX) {
        return error_set(e, WEFT_ERR_INTERNAL, "a broadcast of %zu bytes", count);
    }
    const int code = MPI_Bcast(bytes, (int)count, MPI_BYTE, root, c->communicator);
    return code == MPI_SUCCESS ? WEFT_OK : fail(e, code, "MPI_Bcast");
}

weft_status comm_gather(comm *c, const void *mine, size_t count, void *all, error *e)
{
    if (count > INT_MAX) {
        return error_set(e, WEFT_ERR_INTERNAL, "a gathering of %zu bytes", count);
    }
    const int code =
        MPI_Allgather(mine, (int)count, MPI_BYTE, all, (int)count, MPI_BYTE, c->communicator);
    return code == MPI_SUCCESS ? WEFT_OK : fail(e, code, "MPI_Allgather");
}

weft_status comm_agree(comm *c, error *e)
{
    /* The lowest rank with an error; the number of ranks if there is none. */
    int mine = e->status == WEFT_OK ? c->size : c->rank;
    int lowest = mine;
    const int code = MPI_Allreduce(&mine, &lowest, 1, MPI_INT, MPI_MIN, c->communicator);
    if (code != MPI_SUCCESS) {
        return fail(e, code, "MPI_Allreduce");
    }
    if (lowest == c->size) {
        return WEFT_OK;
    }
    const weft_status status = comm_broadcast(c, lowest, e, sizeof *e, e);
    return status == WEFT_OK ? e->status : status;
}

void comm_begin_run(comm *c)
{
    /* MPI promises tags up to 32767. */
    c->run = c->run < 32767 ? c->run + 1 : 0;
}

/* Frees what has been sent. */
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

weft_status comm_post(comm *c, int rank, const void *bytes, size_t count, error *e)
{
    posted *post = count > INT_MAX ? NULL : malloc(sizeof *post + count);
    if (post == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for a message of %zu bytes", count);
    }
    memcpy(post->bytes, bytes, count);
    const int code =
        MPI_Isend(post->bytes, (int)count, MPI_BYTE, rank, c->run, c->communicator, &post->request);
    if (code != MPI_SUCCESS) {
        free(post);
        return fail(e, code, "MPI_Isend");
    }
    post->next = c->posts;
    c->posts = post;
    return WEFT_OK;
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
    if (!*arrived) {
        return code == MPI_SUCCESS ? WEFT_OK : fail(e, code, "MPI_Improbe");
    }
    (void)MPI_Get_count(from, MPI_BYTE, length);
    const weft_status status = make_room(c, *length, e);
    if (status != WEFT_OK) {
        return status;
    }
    code = MPI_Mrecv(c->received, *length, MPI_BYTE, &message, from);
    return code == MPI_SUCCESS ? WEFT_OK : fail(e, code, "MPI_Mrecv");
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
