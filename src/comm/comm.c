/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages between ranks. Sole owner of MPI. */
#include "comm/internals.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/thread.h"
#include "host/launcher.h"
#include "host/siblings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_PAUSE_NS = 200000, PART_BYTES = 1 << 30 };

/* How many ranks of a host say that one has died: the first of them may be the dead one. */
enum { RANKS_THAT_TELL = 2 };

/* Where a rank may die alone, MPI's start would wait for it, and so would the first collective
 * calls until the ranks of a machine watch each other. */
static void watch_siblings(void)
{
    const char *place = getenv("OMPI_COMM_WORLD_LOCAL_RANK");
    const char *size = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    int number = 0;
    int started = 0;
    const bool tells =
        place != NULL && number_read_count(place, 0, &number) && number < RANKS_THAT_TELL;
    if (size == NULL || !number_read_count(size, 1, &started)) {
        started = 0;
    }
    if (comm_recovers()) {
        siblings_watch(started, weft_status_exit(WEFT_STOPPED),
                       tells ? "weft: WARNING: a rank has died while MPI was starting, which ends "
                               "the job; run the same command again\n"
                             : "");
    }
}

static weft_status start_mpi(comm *c, int *argc, char ***argv, bool initialised, error *e)
{
    int provided = MPI_THREAD_SINGLE;
    int code = MPI_SUCCESS;
    if (!initialised) {
        /* Ranks that share cores must not spin in MPI's own waits. The user's setting wins. */
        (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
        watch_siblings();
        code = MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided);
        c->started_mpi = code == MPI_SUCCESS;
    } else {
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
    c->multiple = provided >= MPI_THREAD_MULTIPLE;
    return WEFT_OK;
}

/* Where the ranks are. */
static weft_status get_to_know(comm *c, const mailboxes_peer all[], error *e)
{
    host_process *of = malloc((size_t)c->size * sizeof *of);
    if (of == NULL) {
        return error_memory(e, "the processes of %d ranks", c->size);
    }
    for (int rank = 0; rank < c->size; rank++) {
        of[rank] = all[rank].process;
        if (host_process_near(&of[rank], &all[c->rank].process)) {
            sendqueue_set_near(c->queue, rank);
        }
    }
    const weft_status status = neighbours_create(of, c->size, c->rank, &c->neighbours, e);
    free(of);
    return status;
}

weft_status comm_meet(comm *c, error *e)
{
    mailboxes_peer *all = malloc((size_t)c->size * sizeof *all);
    mailboxes_peer mine = {.place = {.descriptor = -1}};
    host_this_process(&mine.process);
    if (all == NULL) {
        return error_memory(e, "the processes of %d ranks", c->size);
    }
    if (c->trunk == NULL && c->size > 1) {
        c->mailboxes = mailboxes_create(c->size, &mine.place);
        c->taken = 0;
    }
    /* On the trunk it is known who dies meanwhile. */
    weft_status status = comm_gather(c->trunk != NULL ? c->trunk : c, &mine, sizeof mine, all, e);
    siblings_forget();
    if (status == WEFT_OK && c->trunk == NULL) {
        c->mailboxes = mailboxes_join(c->mailboxes, all, c->rank);
    }
    status = status == WEFT_OK ? get_to_know(c, all, e) : status;
    free(all);
    return status;
}

/* Takes a duplicate of a communicator; `code` is what making it returned. */
static weft_status join(comm *c, int code, MPI_Comm duplicate, error *e)
{
    if (code == MPI_SUCCESS) {
        c->communicator = duplicate;
        code = MPI_Comm_set_errhandler(c->communicator, MPI_ERRORS_RETURN);
    }
    if (code == MPI_SUCCESS) {
        code = MPI_Comm_rank(c->communicator, &c->rank);
    }
    if (code == MPI_SUCCESS) {
        code = MPI_Comm_size(c->communicator, &c->size);
    }
    return code == MPI_SUCCESS ? WEFT_OK : comm_fail(e, code, "MPI_Comm_dup");
}

/* All processes of the job. */
static weft_status join_all(comm *c, error *e)
{
    MPI_Comm duplicate = MPI_COMM_NULL;
    const int code = MPI_Comm_dup(MPI_COMM_WORLD, &duplicate);
    return join(c, code, duplicate, e);
}

/* The same ranks. MPI may write where it is to put the duplicate long after a wait has failed. */
static weft_status join_trunk(comm *c, error *e)
{
    static MPI_Comm duplicate;
    const weft_status status = comm_duplicate(c->trunk, &duplicate, e);
    return status == WEFT_OK ? join(c, MPI_SUCCESS, duplicate, e) : status;
}

weft_status comm_open(int *argc, char ***argv, bool mpi, comm **out, error *e)
{
    int initialised = 0;
    int finalised = 0;
    comm *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return error_memory(e, "the communicator");
    }
    *c = (comm){
        .communicator = MPI_COMM_NULL, .multiple = true, .size = 1, .found = MPI_MESSAGE_NULL};
    (void)MPI_Initialized(&initialised);
    (void)MPI_Finalized(&finalised);
    const bool asked = mpi || launcher_is_there();
    weft_status status = WEFT_OK;
    if (finalised && asked) {
        status = error_set(e, WEFT_ERR_MPI,
                           "MPI has been ended in this process, by MPI_Finalize() or with an "
                           "earlier session, and cannot be started again; a program with several "
                           "sessions calls MPI_Init_thread() and MPI_Finalize() itself");
    } else if (!finalised && (initialised || asked)) {
        status = start_mpi(c, argc, argv, initialised, e);
        status = status == WEFT_OK ? join_all(c, e) : status;
    }
    if (status == WEFT_OK) {
        status = sendqueue_create(c->size, PART_BYTES, &c->queue, e);
    }
    if (status == WEFT_OK) {
        status = outbox_open(c->queue, &c->outbox, e);
    }
    if (status != WEFT_OK) {
        comm_close(c);
        return status;
    }
    *out = c;
    return WEFT_OK;
}

weft_status comm_branch(comm *trunk, comm **out, error *e)
{
    outbox *box = NULL;
    weft_status status = outbox_open(trunk->queue, &box, e);
    comm *c = calloc(1, sizeof *c);
    if (c == NULL) {
        status = error_memory(e, "a communicator");
    }
    status = comm_agree(trunk, status, e);
    if (status != WEFT_OK || c == NULL) {
        outbox_close(box);
        free(c);
        return status;
    }
    *c = (comm){.communicator = MPI_COMM_NULL,
                .trunk = trunk,
                .number = ++trunk->branches,
                .next_branch = trunk->next_branch,
                .multiple = trunk->multiple,
                .size = 1,
                .queue = trunk->queue,
                .outbox = box,
                .mailboxes = trunk->mailboxes,
                .found = MPI_MESSAGE_NULL};
    trunk->next_branch = c;
    if (trunk->size > 1) {
        status = join_trunk(c, e);
        status = status == WEFT_OK ? comm_meet(c, e) : status;
    }
    if (status != WEFT_OK) {
        comm_close(c);
        return status;
    }
    *out = c;
    return WEFT_OK;
}

/* A branch. */
static void unlist(const comm *c)
{
    comm *before = c->trunk;
    while (before->next_branch != c) {
        before = before->next_branch;
    }
    before->next_branch = c->next_branch;
}

void comm_close(comm *c)
{
    if (c == NULL) {
        return;
    }
    siblings_forget();
    if (c->queue != NULL) {
        comm_flush(c, INT64_C(1000000000));
    }
    outbox_close(c->outbox);
    if (c->communicator != MPI_COMM_NULL && !comm_broken(c) && !c->abandoned) {
        (void)MPI_Comm_free(&c->communicator);
    }
    if (c->started_mpi && !c->broken) {
        (void)MPI_Finalize();
    }
    neighbours_destroy(c->neighbours);
    if (c->trunk == NULL) {
        mailboxes_destroy(c->mailboxes);
        sendqueue_destroy(c->queue);
    } else {
        unlist(c);
    }
    comm_forget_parts(c);
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
    comm *trunk = c->trunk != NULL ? c->trunk : c;
    trunk->broken = true;
}

bool comm_broken(const comm *c)
{
    return c->broken || (c->trunk != NULL && c->trunk->broken);
}

void comm_leave(comm *branch, const error *why)
{
    branch->why = *why;
    for (comm *each = branch->trunk; each != NULL; each = each->next_branch) {
        each->leaves = true;
    }
}

address comm_address(const comm *c, int rank, int tag, bool rings)
{
    return (address){.communicator = c->communicator,
                     .rank = rank,
                     .tag = tag,
                     .mailbox = mailboxes_of(c->mailboxes, rank, c->number),
                     .rings = rings};
}

bell *comm_bell(comm *c)
{
    mailbox *own = mailboxes_of(c->mailboxes, c->rank, c->number);
    return own != NULL ? &own->bell : &c->bell;
}

bool comm_may_have_mail(const comm *c)
{
    const mailbox *own = mailboxes_of(c->mailboxes, c->rank, c->number);
    return own == NULL || !mailboxes_are_complete(c->mailboxes) ||
           atomic_load_explicit(&own->sent, memory_order_acquire) != c->taken;
}

bool comm_rings(const comm *c)
{
    return !comm_may_have_mail(c);
}

bool comm_multiple(const comm *c)
{
    return c->multiple;
}

void comm_begin_run(comm *c)
{
    c->run = c->run < MOST_RUNS ? c->run + 1 : 0;
    comm_forget_parts(c);
}

void comm_flush(comm *c, int64_t limit_ns)
{
    assert(thread_drives());
    const int64_t until = clock_now_ns() + limit_ns;
    sendqueue_advance(c->queue, true);
    while (!sendqueue_idle(c->queue) && clock_now_ns() < until) {
        clock_sleep_ns(FLUSH_PAUSE_NS);
        sendqueue_advance(c->queue, true);
    }
}
