/* SPDX-License-Identifier: BSD-3-Clause */
/* The layer comm among ranks: messages of any size arrive whole and in order, at most one send to a
 * rank is in flight, nothing is lost for want of memory, agreement takes the lowest rank's text,
 * and a run hears nothing of the one before it, nor of one beside it. */
#include "verdict.h"

#include "base/clock.h"
#include "comm/internals.h"
#include "comm/mail.h"

#include <pthread.h>

enum { SIZES = 9, LARGEST = 3000000 };

static const size_t sizes[SIZES] = {0, 1, 7, 64, 4000, 4096, 70000, 1 << 20, LARGEST};

static pool *pieces;
static mail *box;

static void begin_run(comm *c)
{
    error e = {.status = WEFT_OK};
    mail_destroy(box);
    CHECK(mail_create(c, pieces, &box, &e) == WEFT_OK);
}

/* Sends in flight, by their requests, to see that there are never two to a rank, unless it is known
 * to be on this host. */
static bool near;
static pthread_mutex_t sends_mutex = PTHREAD_MUTEX_INITIALIZER;
enum { MOST_SENDS = 64 };
static struct {
    MPI_Request *request;
    int rank;
} sends[MOST_SENDS];

static int find_send(const MPI_Request *request)
{
    int i = 0;
    while (i < MOST_SENDS && sends[i].request != request) {
        i++;
    }
    return i;
}

int MPI_Isend(const void *bytes, int count, MPI_Datatype type, int rank, int tag,
              MPI_Comm communicator, MPI_Request *request)
{
    (void)pthread_mutex_lock(&sends_mutex);
    for (int i = 0; i < MOST_SENDS; i++) {
        CHECK(near || sends[i].request == NULL || sends[i].rank != rank);
    }
    const int slot = find_send(NULL);
    if (CHECK(slot < MOST_SENDS)) {
        sends[slot].request = request;
        sends[slot].rank = rank;
    }
    (void)pthread_mutex_unlock(&sends_mutex);
    return PMPI_Isend(bytes, count, type, rank, tag, communicator, request);
}

int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status)
{
    (void)pthread_mutex_lock(&sends_mutex);
    const int slot = find_send(request);
    const int code = PMPI_Test(request, flag, status);
    if (slot < MOST_SENDS && *flag) {
        sends[slot].request = NULL;
    }
    (void)pthread_mutex_unlock(&sends_mutex);
    return code;
}

/* How often memory is refused to messages that arrive. */
static int refusals;
void *__real_realloc(void *bytes, size_t count); /* NOLINT: the linker's name, see --wrap */
void *__wrap_realloc(void *bytes, size_t count); /* NOLINT */

void *__wrap_realloc(void *bytes, size_t count) /* NOLINT */
{
    if (refusals > 0) {
        refusals--;
        return NULL;
    }
    return __real_realloc(bytes, count);
}

static unsigned char byte_of(int from, int to, int number, size_t place)
{
    return (unsigned char)((size_t)(from * 7 + to * 31 + number * 101) + place * 13 + place / 251);
}

static void post_all(unsigned char *bytes)
{
    for (int number = 0; number < SIZES; number++) {
        for (int to = 0; to < verdict_ranks; to++) {
            error e = {.status = WEFT_OK};
            const size_t count = sizes[number % SIZES];
            for (size_t i = 0; i < count; i++) {
                bytes[i] = byte_of(verdict_rank, to, number, i);
            }
            if (to != verdict_rank) {
                CHECK(mail_send(box, to, MAIL_PLAIN, bytes, count, &e) == WEFT_OK);
            }
            /* The message is a copy. */
            memset(bytes, 0xEE, count);
        }
    }
}

/* Whenever nothing is there yet, memory is refused so many times. */
static void receive_all(int refused)
{
    int next[64] = {0};
    int missing = (verdict_ranks - 1) * SIZES;
    const int64_t until = clock_now_ns() + INT64_C(600000000000);
    while (missing > 0 && clock_now_ns() < until) {
        error e = {.status = WEFT_OK};
        bool arrived = false;
        int source = -1;
        const void *bytes = NULL;
        size_t count = 0;
        const weft_status status = mail_receive(box, &arrived, &source, &bytes, &count, &e);
        if (!CHECK(status == WEFT_OK || (refused > 0 && status == WEFT_ERR_MEMORY))) {
            return;
        }
        if (!arrived) {
            refusals = refused > 0 && missing % 5 == 0 && status == WEFT_OK ? refused : refusals;
            clock_sleep_ns(50000);
            continue;
        }
        missing--;
        if (!CHECK(source >= 0 && source < verdict_ranks && source != verdict_rank)) {
            continue;
        }
        const int number = next[source]++;
        CHECK(count == sizes[number % SIZES]);
        bool same = true;
        for (size_t i = 0; i < count; i++) {
            same = same &&
                   ((const unsigned char *)bytes)[i] == byte_of(source, verdict_rank, number, i);
        }
        CHECK(same);
    }
    CHECK(missing == 0);
    refusals = 0;
    error e = {.status = WEFT_OK};
    bool arrived = true;
    int source = -1;
    const void *bytes = NULL;
    size_t count = 0;
    CHECK(mail_receive(box, &arrived, &source, &bytes, &count, &e) == WEFT_OK);
    CHECK(!arrived);
}

/* Takes what comes within a moment, up to so many numbers. */
static int receive_numbers(int most, int64_t moment_ns, int numbers[])
{
    int got = 0;
    const int64_t until = clock_now_ns() + moment_ns;
    while (got < most && clock_now_ns() < until) {
        error e = {.status = WEFT_OK};
        bool arrived = false;
        int source = -1;
        const void *bytes = NULL;
        size_t count = 0;
        CHECK(mail_receive(box, &arrived, &source, &bytes, &count, &e) == WEFT_OK);
        if (arrived) {
            memcpy(&numbers[got++], bytes, sizeof numbers[0]);
        } else {
            clock_sleep_ns(50000);
        }
    }
    return got;
}

static void post_number(int number, unsigned char *bytes, size_t count)
{
    error e = {.status = WEFT_OK};
    memset(bytes, 0, count);
    memcpy(bytes, &number, sizeof number);
    CHECK(mail_send(box, 1, MAIL_PLAIN, bytes, count, &e) == WEFT_OK);
}

/* Rank 0 holds what is for rank 1, and later drops it. */
static void hold_and_drop(comm *c, unsigned char *bytes)
{
    const int64_t long_ns = INT64_C(600000000000);
    error e = {.status = WEFT_OK};
    int numbers[8];
    if (verdict_ranks == 1) {
        return;
    }
    if (verdict_rank == 0) {
        mail_hold(box, 1, true);
        post_number(1, bytes, sizeof(int));
        post_number(2, bytes, sizeof(int));
        CHECK(mail_waiting(box, 1) == 2);
        comm_flush(c, long_ns); /* does not wait for what is held */
        const int probe = 0;
        CHECK(mail_probe(box, 1, &probe, sizeof probe, &e) == WEFT_OK);
    }
    if (verdict_rank == 1) {
        CHECK(receive_numbers(1, long_ns, numbers) == 1 && numbers[0] == 0);
        CHECK(receive_numbers(1, 20000000, numbers) == 0);
    }
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
    if (verdict_rank == 0) {
        mail_hold(box, 1, false);
        comm_flush(c, long_ns);
    }
    if (verdict_rank == 1) {
        CHECK(receive_numbers(2, long_ns, numbers) == 2 && numbers[0] == 1 && numbers[1] == 2);
    }
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
    if (verdict_rank == 0) {
        post_number(3, bytes, LARGEST); /* not complete before it is received */
        post_number(4, bytes, sizeof(int));
        CHECK(mail_waiting(box, 1) == 2);
        mail_drop(box, 1);
        comm_flush(c, long_ns); /* nor for what is in flight to a rank that is given up */
        CHECK(mail_waiting(box, 1) == 1);
        post_number(5, bytes, sizeof(int));
    }
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
    if (verdict_rank == 1) {
        CHECK(receive_numbers(1, long_ns, numbers) == 1 && numbers[0] == 3);
    }
    if (verdict_rank == 0) {
        comm_flush(c, long_ns);
    } else if (verdict_rank == 1) {
        CHECK(receive_numbers(1, long_ns, numbers) == 1 && numbers[0] == 5);
    }
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
}

/* What is bulk waits for the rest; and where ranks know that they are on one host, a message
 * passes one that is in flight. */
static void send_in_order(comm *c, unsigned char *bytes)
{
    const int64_t long_ns = INT64_C(600000000000);
    error e = {.status = WEFT_OK};
    int numbers[8];
    begin_run(c);
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
    CHECK(receive_numbers(1, INT64_C(100000000), numbers) == 0); /* of earlier runs is left */
    CHECK(comm_meet(c, &e) == WEFT_OK);
    near = true;
    if (verdict_ranks == 1) {
        return;
    }
    if (verdict_rank == 0) {
        const int bulk = 1;
        CHECK(mail_send(box, 1, MAIL_BULK, &bulk, sizeof bulk, &e) == WEFT_OK);
        CHECK(mail_sends(box) && mail_waiting(box, 1) == 1);
        post_number(2, bytes, sizeof(int));
        mail_advance(box);
        CHECK(!mail_sends(box));
        comm_flush(c, long_ns);
        post_number(3, bytes, LARGEST);
        post_number(4, bytes, sizeof(int));
        CHECK(mail_waiting(box, 1) <= 1);
        comm_flush(c, long_ns);
    } else if (verdict_rank == 1) {
        CHECK(receive_numbers(4, long_ns, numbers) == 4);
        CHECK(numbers[0] == 2 && numbers[1] == 1 && numbers[2] == 3 && numbers[3] == 4);
    }
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
}

/* Ranks whose accounts differ name what does, and those that make different calls diverge. */
static void agree_on_accounts(comm *c)
{
    char text[128];
    const bool last = verdict_rank == verdict_ranks - 1;
    for (int round = 0; round < 2; round++) {
        error e = {.status = WEFT_OK};
        account a = {.text = NULL};
        account_add(&a, "weft's version", "%s", last && round == 1 ? "2" : "1");
        const bool differ = verdict_ranks > 1 && round == 1;
        CHECK(comm_agree_on(c, "call()", &a, WEFT_OK, &e) == (differ ? WEFT_ERR_USAGE : WEFT_OK));
        (void)snprintf(text, sizeof text, "weft's version is 1 on rank 0 and 2 on rank %d",
                       verdict_ranks - 1);
        CHECK(!differ || strstr(e.text, text) != NULL);
        account_clear(&a);
        CHECK(!comm_diverged(c));
    }
    error e = {.status = WEFT_OK};
    const weft_status diverged = comm_agree_on(c, last ? "b()" : "a()", NULL, WEFT_OK, &e);
    (void)snprintf(text, sizeof text, "rank 0 has called a() and rank %d b()", verdict_ranks - 1);
    CHECK(comm_diverged(c) == (verdict_ranks > 1));
    CHECK(verdict_ranks == 1 || strstr(e.text, text) != NULL);
    error again = {.status = WEFT_OK};
    CHECK(comm_agree(c, WEFT_OK, &again) == diverged && e.status == diverged);
}

/* For every set of ranks with an error: all get the lowest one's. */
static void agree_on_all(comm *c)
{
    for (int set = 0; set < 1 << verdict_ranks; set++) {
        error e = {.status = WEFT_OK};
        int lowest = -1;
        weft_status own = WEFT_OK;
        for (int rank = verdict_ranks - 1; rank >= 0; rank--) {
            lowest = set >> rank & 1 ? rank : lowest;
        }
        if (set >> verdict_rank & 1) {
            own = error_set(&e, verdict_rank % 2 == 0 ? WEFT_ERR_USAGE : WEFT_ERR_SYSTEM,
                            "rank %d says", verdict_rank);
        }
        const weft_status status = comm_agree(c, own, &e);
        char text[64] = "";
        weft_status expected = WEFT_OK;
        if (lowest >= 0) {
            (void)snprintf(text, sizeof text, "rank %d says", lowest);
            expected = lowest % 2 == 0 ? WEFT_ERR_USAGE : WEFT_ERR_SYSTEM;
        }
        CHECK(status == expected);
        CHECK(e.status == expected);
        CHECK(strcmp(e.text, text) == 0);
    }
}

static void spread(comm *c, unsigned char *bytes)
{
    for (int root = 0; root < verdict_ranks; root++) {
        for (int s = 0; s < SIZES; s++) {
            error e = {.status = WEFT_OK};
            bool same = true;
            for (size_t i = 0; i < sizes[s] && verdict_rank == root; i++) {
                bytes[i] = byte_of(root, s, 0, i);
            }
            CHECK(comm_broadcast(c, root, bytes, sizes[s], &e) == WEFT_OK);
            for (size_t i = 0; i < sizes[s]; i++) {
                same = same && bytes[i] == byte_of(root, s, 0, i);
            }
            CHECK(same);
            memset(bytes, 0, sizes[s]);
        }
    }
    int mine[2] = {verdict_rank, 10 * verdict_rank};
    int all[2 * 64];
    error e = {.status = WEFT_OK};
    CHECK(comm_gather(c, mine, sizeof mine, all, &e) == WEFT_OK);
    for (int rank = 0; rank < verdict_ranks; rank++) {
        CHECK(all[2 * rank] == rank && all[2 * rank + 1] == 10 * rank);
    }
}

/* What was posted in an earlier run and not received there never turns up in a later one. */
static void begin_runs(comm *c)
{
    for (int run = 0; run < 5; run++) {
        begin_run(c);
        error e = {.status = WEFT_OK};
        CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
        for (int to = 0; to < verdict_ranks; to++) {
            /* The second one is left to the next run. */
            for (int k = 0; k < 2 && to != verdict_rank; k++) {
                const int told[2] = {run, k};
                CHECK(mail_send(box, to, MAIL_PLAIN, told, sizeof told, &e) == WEFT_OK);
            }
        }
        const int64_t until = clock_now_ns() + INT64_C(600000000000);
        for (int missing = verdict_ranks - 1; missing > 0 && clock_now_ns() < until;) {
            bool arrived = false;
            int source = -1;
            const void *bytes = NULL;
            size_t count = 0;
            CHECK(mail_receive(box, &arrived, &source, &bytes, &count, &e) == WEFT_OK);
            if (arrived) {
                int told[2];
                CHECK(count == sizeof told);
                memcpy(told, bytes, sizeof told);
                CHECK(told[0] == run);
                missing -= told[1] == 0;
            }
        }
    }
}

/* Two runs at a time, each on a communicator and a thread of its own. */
enum { ROUNDS = 40 };

typedef struct side {
    comm *comm;
    mail *mail;
    int place;
    bool good;
} side;

/* Every rank gets one number from each other one, and a long message now and then. */
static bool exchange(side *s, int round, int *bytes)
{
    const size_t count = (round % 8 == s->place ? 200000 : 1) * sizeof *bytes;
    const int64_t until = clock_now_ns() + INT64_C(600000000000);
    error e = {.status = WEFT_OK};
    bool good = true;
    bytes[0] = 1000 * round + s->place;
    for (int to = 0; to < verdict_ranks; to++) {
        good = good && mail_send(s->mail, to, MAIL_PLAIN, bytes, count, &e) == WEFT_OK;
    }
    for (int missing = verdict_ranks; missing > 0 && clock_now_ns() < until;) {
        bool arrived = false;
        int source = -1;
        const void *told = NULL;
        size_t length = 0;
        good = good && mail_receive(s->mail, &arrived, &source, &told, &length, &e) == WEFT_OK;
        missing -= arrived;
        good = good && (!arrived || (length == count && *(const int *)told == bytes[0]));
        good = good && (missing == 0 || clock_now_ns() < until);
    }
    return good;
}

static void *run_side(void *context)
{
    side *s = context;
    error e = {.status = WEFT_OK};
    pool *own = NULL;
    int *bytes = calloc(200000, sizeof *bytes);
    s->good = bytes != NULL && pool_create(&own, &e) == WEFT_OK;
    for (int round = 0; round < ROUNDS && s->good; round++) {
        s->good = mail_create(s->comm, own, &s->mail, &e) == WEFT_OK &&
                  comm_agree(s->comm, WEFT_OK, &e) == WEFT_OK;
        /* What one holds is nothing to the other. */
        mail_hold(s->mail, (verdict_rank + 1) % verdict_ranks, s->place == 1);
        mail_hold(s->mail, (verdict_rank + 1) % verdict_ranks, false);
        s->good = s->good && exchange(s, round, bytes);
        comm_flush(s->comm, INT64_C(600000000000));
        s->good = comm_agree(s->comm, s->good ? WEFT_OK : WEFT_ERR_INTERNAL, &e) == WEFT_OK;
        mail_destroy(s->mail);
    }
    pool_destroy(own);
    free(bytes);
    return NULL;
}

static void run_two(comm *c)
{
    error e = {.status = WEFT_OK};
    pthread_t thread;
    side sides[2] = {{.comm = c}, {.place = 1}};
    CHECK(comm_branch(c, &sides[1].comm, &e) == WEFT_OK);
    CHECK(pthread_create(&thread, NULL, run_side, &sides[1]) == 0);
    (void)run_side(&sides[0]);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(sides[0].good && sides[1].good);
    comm_close(sides[1].comm);
}

/* A message that is to ring wakes its receiver, others do not; and while nothing has come, MPI is
 * not asked. */
static void ring(comm *c)
{
    error e = {.status = WEFT_OK};
    const int next = (verdict_rank + 1) % verdict_ranks;
    const int before = (verdict_rank + verdict_ranks - 1) % verdict_ranks;
    begin_run(c);
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
    CHECK(comm_rings(c) && !bell_wait(comm_bell(c), 1000000));
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
    CHECK(mail_send(box, next, MAIL_PLAIN, "a", 1, &e) == WEFT_OK);
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
    CHECK(!comm_rings(c) && !bell_wait(comm_bell(c), 1000000));
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
    CHECK(mail_send(box, next, MAIL_RINGS, "b", 1, &e) == WEFT_OK);
    CHECK(bell_wait(comm_bell(c), INT64_C(3600000000000)));
    for (const char *expected = "ab"; *expected != 0; expected++) {
        bool arrived = false;
        int source = -1;
        size_t count = 0;
        const void *bytes = NULL;
        CHECK(mail_receive(box, &arrived, &source, &bytes, &count, &e) == WEFT_OK);
        CHECK(arrived && source == before && count == 1);
        CHECK(bytes != NULL && *(const char *)bytes == *expected);
    }
    CHECK(comm_rings(c));
    CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
}

int main(int argc, char **argv)
{
    verdict_level = MPI_THREAD_MULTIPLE;
    verdict_begin(&argc, &argv);
    comm *c = NULL;
    error e = {.status = WEFT_OK};
    unsigned char *bytes = malloc(LARGEST);
    (void)snprintf(verdict_case, sizeof verdict_case, "opening");
    CHECK(bytes != NULL);
    CHECK(pool_create(&pieces, &e) == WEFT_OK);
    CHECK(comm_open(&argc, &argv, true, &c, &e) == WEFT_OK);
    if (!verdict_failed()) {
        CHECK(comm_rank(c) == verdict_rank && comm_size(c) == verdict_ranks);
        (void)snprintf(verdict_case, sizeof verdict_case, "agreement");
        agree_on_all(c);
        (void)snprintf(verdict_case, sizeof verdict_case, "broadcast and gathering");
        spread(c, bytes);
        (void)snprintf(verdict_case, sizeof verdict_case, "messages");
        begin_run(c);
        CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
        post_all(bytes);
        receive_all(0);
        comm_flush(c, INT64_C(600000000000));
        (void)snprintf(verdict_case, sizeof verdict_case, "messages in parts, and no memory");
        sendqueue *usual = c->queue;
        outbox *usual_box = c->outbox;
        CHECK(sendqueue_create(c->size, 300000, &c->queue, &e) == WEFT_OK);
        CHECK(outbox_open(c->queue, &c->outbox, &e) == WEFT_OK);
        begin_run(c);
        CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
        post_all(bytes);
        receive_all(3);
        comm_flush(c, INT64_C(600000000000));
        (void)snprintf(verdict_case, sizeof verdict_case, "held and dropped messages");
        outbox_close(c->outbox);
        sendqueue_destroy(c->queue);
        c->queue = usual;
        c->outbox = usual_box;
        CHECK(comm_agree(c, WEFT_OK, &e) == WEFT_OK);
        hold_and_drop(c, bytes);
        (void)snprintf(verdict_case, sizeof verdict_case, "messages of earlier runs");
        begin_runs(c);
        (void)snprintf(verdict_case, sizeof verdict_case, "messages in order");
        send_in_order(c, bytes);
        (void)snprintf(verdict_case, sizeof verdict_case, "two runs at a time");
        run_two(c);
        (void)snprintf(verdict_case, sizeof verdict_case, "bells");
        if (verdict_ranks > 1) {
            ring(c);
        }
        (void)snprintf(verdict_case, sizeof verdict_case, "accounts");
        agree_on_accounts(c);
    }
    mail_destroy(box);
    comm_close(c);
    pool_destroy(pieces);
    free(bytes);
    return verdict_end();
}
