/* SPDX-License-Identifier: BSD-3-Clause */
/* A child: a process of a worker that calls the kernel in the worker's place, so that what goes
 * wrong there costs a child and not a rank.
 *
 * Both share a cell for what they say to each other, and behind it the areas for results. Every
 * area lies between pages that nobody may touch: a kernel that runs over the edge is killed there,
 * before it reaches the cell. Nothing that the child says is trusted to be in range. */
#define _GNU_SOURCE 1
#include "engine/exec/child.h"

#include "base/clock.h"
#include "engine/exec/stillness.h"
#include "host/cgroup.h"
#include "host/host.h"
#include "host/signals.h"
#include "host/stack.h"
#include "host/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* While it waits for an answer, a worker looks after its child this often: soon after short items,
 * but not so soon that those of a millisecond, which are usual, would be disturbed. */
enum { LOOK_FIRST_NS = 3000000, LOOK_LAST_NS = 20000000 };

/* A fork that takes longer does not happen. */
static const int64_t fork_ns = INT64_C(10000000000);

/* How long worker and child stay on a core before they may look for another: processes that others
 * start may have come there. */
static const int64_t stay_ns = INT64_C(100000000);

/* A child that has been killed should be gone by then, unless it hangs in the operating system. */
static const int64_t reap_ns = INT64_C(2000000000);
enum { REAP_PAUSE_NS = 100000 };

/* How old the number of memory kills "before" may be. */
static const int64_t kills_ns = INT64_C(1000000000);

/* Failures that are handed over at once. */
enum { CELL_ROWS = 32 };

typedef struct cell {
    sem_t request;
    sem_t reply;
    atomic_bool told;
    _Atomic int64_t begun_ns; /* when it took the request up; 0: it has not */
    _Atomic int64_t at;       /* the first item of those that it is computing */
    int64_t first;
    int64_t count;     /* 0: asks for rows … */
    int64_t rows_from; /* … from here on */
    host_cores cores;  /* where the child is to be */
    int code;
    int64_t stack_bytes; /* of the stack over whose end the kernel has run; 0: it has not */
    int64_t cpu_ns;      /* that the child has had of a core for it */
    int64_t failures;    /* all of them; those from rows_from on are in the rows, as many as fit */
    failure_row row[CELL_ROWS];
} cell;

struct child {
    child_setup setup;
    pid_t parent;
    cell *cell; /* the mapping begins here */
    size_t bytes;
    int64_t start[WEFT_MAX_FIELDS]; /* areas, from the cell on */
    pid_t pid;                      /* 0: none */
    int64_t forked;                 /* how often there was a new one … */
    int64_t asked;                  /* … and was given items */
    host_cores cores;               /* that the worker may use */
    int64_t move_ns;                /* when they may look for another one */
    int64_t kills;                  /* memory kills, as they were … */
    int64_t kills_at_ns;            /* … then */
};

static int64_t whole_pages(int64_t bytes)
{
    const int64_t page = sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

/* Address space for the cell and the areas, an untouchable page behind each; memory comes when it
 * is written to. */
static weft_status map_cell(child *c, int areas, const int64_t area_bytes[], error *e)
{
    const int64_t guard = whole_pages(1);
    int64_t bytes = whole_pages(sizeof(cell)) + guard;
    for (int i = 0; i < areas; i++) {
        c->start[i] = bytes;
        bytes += whole_pages(area_bytes[i]) + guard;
    }
    const int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    /* cppcheck-suppress invalidFunctionArg ; no file belongs to anonymous memory */
    unsigned char *memory = mmap(NULL, (size_t)bytes, PROT_NONE, flags, -1, 0);
    bool made = memory != MAP_FAILED;
    if (made) {
        c->bytes = (size_t)bytes;
        c->cell = (cell *)(void *)memory;
        made = mprotect(memory, sizeof(cell), PROT_READ | PROT_WRITE) == 0;
    }
    for (int i = 0; i < areas && made; i++) {
        made = area_bytes[i] == 0 ||
               mprotect(memory + c->start[i], (size_t)area_bytes[i], PROT_READ | PROT_WRITE) == 0;
    }
    if (!made) {
        return error_memory(e, "the results of a child: %lld bytes", (long long)bytes);
    }
    return WEFT_OK;
}

weft_status child_create(const child_setup *setup, child **out, error *e)
{
    child *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return error_memory(e, "the state of a child");
    }
    c->setup = *setup;
    c->parent = getpid();
    host_get_cores(&c->cores);
    const weft_status status = map_cell(c, setup->areas, setup->area_bytes, e);
    if (status != WEFT_OK) {
        child_destroy(c);
        return status;
    }
    c->setup.area_bytes = NULL; /* the caller's */
    /* Other workers' children have no business there. */
    (void)madvise(c->cell, c->bytes, MADV_DONTFORK);
    *out = c;
    return WEFT_OK;
}

/* Waits until the child is gone; its status, or -1 if that is not known. */
static int reap(child *c)
{
    const int64_t until = clock_now_ns() + reap_ns;
    int status = -1;
    pid_t reaped = 0;
    while (reaped == 0 && clock_now_ns() < until) {
        reaped = waitpid(c->pid, &status, WNOHANG);
        if (reaped == 0) {
            clock_sleep_ns(REAP_PAUSE_NS);
        }
    }
    c->pid = 0;
    return reaped > 0 ? status : -1;
}

static int end_child(child *c)
{
    (void)kill(c->pid, SIGKILL);
    return reap(c);
}

void child_destroy(child *c)
{
    if (c != NULL) {
        if (c->pid > 0) {
            (void)end_child(c);
        }
        if (c->cell != NULL) {
            (void)munmap(c->cell, c->bytes);
        }
        free(c);
    }
}

/* The child's own side, from here … */

/* The rank decides when to stop, and says so in the cell. What kills shall kill, without the words
 * that MPI has for it. */
static void settle_signals(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = SIG_DFL};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++) {
        (void)sigaction(deadly[i], &action, NULL);
    }
    signals_leave_to_parent();
}

/* Where memory runs out, a child shall go before a rank. */
static void offer_itself(void)
{
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "1000", 4) != 4) {
            /* Then the system chooses as it likes. */
        }
        (void)close(fd);
    }
}

/* A kernel has called exit(): what the rank would do at its end, MPI above all, is not the child's.
 */
static void leave(int status, void *unused)
{
    (void)unused;
    _exit(status);
}

static void hand_over(cell *to, const span_failures *failures)
{
    to->failures = failures->count;
    for (int64_t i = 0;
         failures->rows != NULL && i < CELL_ROWS && to->rows_from + i < failures->count; i++) {
        to->row[i] = failures->rows[to->rows_from + i];
    }
}

/* Goes where the worker is, or wants to be. */
static void follow(const cell *mine, host_cores *now)
{
    if (memcmp(now, &mine->cores, sizeof *now) != 0) {
        *now = mine->cores;
        (void)host_bind_thread(now);
    }
}

_Noreturn static void serve(const child *c)
{
    cell *mine = c->cell;
    span_failures failures = {.rows = NULL};
    host_cores here = c->cores;
    for (;;) {
        while (sem_wait(&mine->request) != 0) {
        }
        atomic_store(&mine->begun_ns, clock_now_ns());
        follow(mine, &here);
        if (mine->count > 0) {
            const child_hooks *hooks = &c->setup.hooks;
            const int64_t start_ns = usage_cpu_ns();
            failures.count = 0;
            mine->code =
                hooks->compute(hooks->context, (unsigned char *)mine, c->start, &mine->told,
                               &mine->at, mine->first, mine->count, &failures);
            /* What the kernel has printed is not to wait for an end that never comes. */
            (void)fflush(NULL);
            mine->cpu_ns = usage_cpu_ns() - start_ns;
        }
        hand_over(mine, &failures);
        (void)sem_post(&mine->reply);
    }
}

static cell *told_of_overflow;

static void note_overflow(int64_t bytes)
{
    told_of_overflow->stack_bytes = bytes;
}

static void live(void *context)
{
    const child *c = context;
    /* The signal comes when the thread that forked ends. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != c->parent) {
        _exit(0);
    }
    settle_signals();
    told_of_overflow = c->cell;
    stack_watch(note_overflow);
    stack_enter();
    if (c->setup.caller != NULL) {
        thread_state_set(c->setup.caller);
    }
    (void)host_bind_thread(&c->cores);
    (void)on_exit(leave, NULL);
    offer_itself();
    c->setup.hooks.begin(c->setup.hooks.context);
    serve(c);
}

/* … to here. */

/* Forks a child; an errno if that fails. */
static int start_child(child *c)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    (void)sem_init(&c->cell->request, 1, 0);
    (void)sem_init(&c->cell->reply, 1, 0);
    c->cell->stack_bytes = 0;
    c->kills = cgroup_memory_kills();
    c->kills_at_ns = clock_now_ns();
    (void)pthread_mutex_lock(&one_at_a_time);
    (void)madvise(c->cell, c->bytes, MADV_DOFORK);
    const pid_t pid = forker_fork(c->setup.forker, live, c, fork_ns);
    (void)madvise(c->cell, c->bytes, MADV_DONTFORK);
    (void)pthread_mutex_unlock(&one_at_a_time);
    c->pid = pid > 0 ? pid : 0;
    c->forked += pid > 0;
    return pid > 0 ? 0 : -pid;
}

/* How a child has died that nobody here has killed. */
static child_answer explain(const child *c, int status)
{
    if (status == -1) {
        return (child_answer){.end = CHILD_LOST};
    }
    if (!WIFSIGNALED(status)) {
        return (child_answer){.end = CHILD_EXITED, .number = WEXITSTATUS(status)};
    }
    const bool starved = WTERMSIG(status) == SIGKILL && cgroup_memory_kills() > c->kills;
    return (child_answer){.end = starved ? CHILD_STARVED : CHILD_SIGNALLED,
                          .number = WTERMSIG(status),
                          .stack_bytes = c->cell->stack_bytes};
}

/* Waits for a reply until until_ns at most; false if there is none by then. */
static bool await_reply(child *c, int64_t until_ns)
{
    const struct timespec until = {.tv_sec = until_ns / 1000000000,
                                   .tv_nsec = until_ns % 1000000000};
    return sem_clockwait(&c->cell->reply, CLOCK_MONOTONIC, &until) == 0;
}

/* What is seen of a child that has not answered yet. */
typedef struct watch {
    stillness still;
    int64_t at;       /* the item where it was … */
    int64_t since_ns; /* … when that was seen first; 0: from the beginning */
} watch;

/* Whether the child has had its time for the items that it is at. */
static bool is_late(const child *c, watch *seen, int64_t limit_ns, int64_t now_ns)
{
    const int64_t begun_ns = atomic_load(&c->cell->begun_ns);
    const int64_t at = atomic_load(&c->cell->at);
    if (at != seen->at) {
        seen->at = at;
        seen->since_ns = now_ns;
    }
    const int64_t since_ns = seen->since_ns != 0 ? seen->since_ns : begun_ns;
    return limit_ns > 0 && begun_ns != 0 && now_ns - since_ns >= limit_ns;
}

/* The child has gone: how. */
static child_answer bury(child *c, pid_t gone, int status)
{
    c->pid = 0;
    /* It may have answered before. */
    if (sem_trywait(&c->cell->reply) == 0) {
        return (child_answer){.end = CHILD_DONE, .number = c->cell->code};
    }
    return explain(c, gone > 0 ? status : -1);
}

/* Looks after a child that has not answered yet; false if there is nothing more to wait for. */
static bool look_after(child *c, const child_wait *wait, watch *seen, child_answer *answer)
{
    const int64_t now_ns = clock_now_ns();
    const bool begun = atomic_load(&c->cell->begun_ns) != 0;
    int status = -1;
    const pid_t gone = waitpid(c->pid, &status, WNOHANG);
    if (gone != 0) {
        *answer = bury(c, gone, status);
        return false;
    }
    const child_wish wish = wait->look(wait->context);
    if (is_late(c, seen, wait->limit_ns, now_ns)) {
        /* The items are not to blame where a thread of the rank would have had to wake the child.
         */
        const child_end end = stillness_now(c->pid, true) ? CHILD_STUCK : CHILD_LATE;
        *answer = (child_answer){.end = end, .number = end == CHILD_STUCK};
    } else if (wish == CHILD_LEAVE) {
        *answer = (child_answer){.end = CHILD_LEFT};
    } else if (stillness_look(&seen->still, c->pid, begun, wait->stuck_ns, now_ns)) {
        *answer = (child_answer){.end = CHILD_STUCK, .number = begun};
    } else {
        atomic_store(&c->cell->told, wish == CHILD_STOP);
        return true;
    }
    (void)end_child(c);
    return false;
}

/* Has the request in the cell answered. */
static child_answer ask(child *c, const child_wait *wait)
{
    child_answer answer = {.end = CHILD_LOST};
    watch seen = {.at = atomic_load(&c->cell->at)};
    int64_t pause_ns = LOOK_FIRST_NS;
    if (c->pid == 0) {
        /* It has died after its last answer. */
        return answer;
    }
    atomic_store(&c->cell->begun_ns, 0);
    (void)sem_post(&c->cell->request);
    while (!await_reply(c, clock_now_ns() + pause_ns)) {
        if (!look_after(c, wait, &seen, &answer)) {
            return answer;
        }
        pause_ns = 2 * pause_ns < LOOK_LAST_NS ? 2 * pause_ns : LOOK_LAST_NS;
    }
    return (child_answer){.end = CHILD_DONE, .number = c->cell->code};
}

/* Takes over the rows in the cell. */
static void take_rows(const cell *from, int64_t rows, int64_t first, int64_t count,
                      span_failures *failures)
{
    for (int64_t i = 0; i < rows; i++) {
        failure_row row = from->row[i];
        row.text[sizeof row.text - 1] = '\0';
        if (row.item >= first && row.item - first < count) {
            span_fail(failures, row.item, row.code, row.text);
        }
    }
}

/* Makes sure that there is a child: fork()'s errno if that fails. */
static int revive(child *c)
{
    int status = -1;
    if (c->pid > 0 && waitpid(c->pid, &status, WNOHANG) != 0) {
        c->pid = 0;
    }
    if (c->pid == 0) {
        return start_child(c);
    }
    if (clock_now_ns() - c->kills_at_ns > kills_ns) {
        c->kills = cgroup_memory_kills();
        c->kills_at_ns = clock_now_ns();
    }
    return 0;
}

bool child_begin(child *c)
{
    const int64_t forked = c->forked;
    return revive(c) == 0 && c->forked > forked;
}

/* Worker and child take turns, and on one core that costs next to nothing; but the system would
 * wake each of them on a core that is idle, which can take long, above all on virtual machines. Now
 * and then both may go wherever there is room. True if the worker is bound to a core until the
 * answer is there. */
static bool share_core(child *c)
{
    const int64_t now_ns = clock_now_ns();
    const int core = host_this_core();
    host_cores one = {.mask = {0}};
    c->cell->cores = c->cores;
    if (core < 0 || c->setup.threads || host_count_cores(&c->cores) < 2 || now_ns > c->move_ns) {
        c->move_ns = now_ns + stay_ns;
        return false;
    }
    host_add_core(&one, core);
    if (!host_bind_thread(&one)) {
        return false;
    }
    c->cell->cores = one;
    return true;
}

child_answer child_compute(child *c, int64_t first, int64_t count, const child_wait *wait,
                           span_failures *failures)
{
    const int number = revive(c);
    if (number == ETIMEDOUT) {
        return (child_answer){.end = CHILD_STUCK, .number = 0};
    }
    if (number != 0) {
        return (child_answer){.end = CHILD_REFUSED, .number = number};
    }
    cell *shared = c->cell;
    const bool bound = share_core(c);
    c->asked++;
    atomic_store(&shared->told, false);
    atomic_store(&shared->at, first);
    shared->first = first;
    shared->count = count;
    shared->rows_from = 0;
    child_answer answer = ask(c, wait);
    const int64_t at = atomic_load(&shared->at);
    if (bound) {
        (void)host_bind_thread(&c->cores);
    }
    if (answer.end != CHILD_DONE) {
        answer.at = at;
        return answer;
    }
    usage_charge(shared->cpu_ns);
    /* Rows that did not fit into the cell are asked for: an empty request each. */
    const int64_t total = shared->failures < count ? shared->failures : count;
    for (int64_t from = 0; from < total && answer.end == CHILD_DONE; from += CELL_ROWS) {
        if (from > 0) {
            shared->count = 0;
            shared->rows_from = from;
            answer = ask(c, wait);
        }
        take_rows(shared, total - from < CELL_ROWS ? total - from : CELL_ROWS, first, count,
                  failures);
    }
    answer.at = at;
    return answer;
}

unsigned char *child_area(const child *c, int i)
{
    return (unsigned char *)c->cell + c->start[i];
}

child_effort child_count(const child *c)
{
    child_effort effort = {.forked = 0};
    if (c != NULL) {
        effort = (child_effort){.forked = c->forked, .asked = c->asked};
    }
    return effort;
}
