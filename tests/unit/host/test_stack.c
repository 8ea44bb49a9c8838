/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests that an overflow of the stack is told from other faults, and that the signal takes its
 * course. */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/stack.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sanitizers would come before the system does. */
#define UNCHECKED __attribute__((no_sanitize("address", "undefined", "thread"), noinline))

enum { STACK_BYTES = 1 << 20, MUCH_BYTES = 12 << 20, BELOW_BYTES = 64 << 20, OWN_STATUS = 7 };

/* What the handler has told, where the test can see it. */
static volatile int64_t *told;

/* Of the thread that acts. There is nothing below it. */
static void *end_of_stack;

UNCHECKED static int descend(volatile int *depth)
{
    volatile char room[4096];
    room[*depth % 4096] = 1;
    (*depth)++;
    return *depth < 0 ? 0 : descend(depth) + room[0];
}

UNCHECKED static void overflow(void)
{
    volatile int depth = 0;
    (void)descend(&depth);
}

/* Far below the end of the stack. */
UNCHECKED static void take_much(void)
{
    volatile char room[MUCH_BYTES];
    room[0] = 1;
    room[MUCH_BYTES / 2] = room[0];
}

/* Next to it, while the stack pointer is still above. */
UNCHECKED static void touch_end(void)
{
    *((volatile char *)end_of_stack - 8) = 1;
}

UNCHECKED static void read_nothing(void)
{
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

static void send_signal(void)
{
    (void)raise(SIGSEGV);
}

static void note(int64_t bytes)
{
    *told = bytes;
}

static void leave(int number)
{
    (void)number;
    _exit(OWN_STATUS);
}

typedef struct doing {
    void (*act)(void);
    bool own_handler; /* the program has one */
} doing;

static void *run(void *context)
{
    const doing *d = context;
    char room[16384];
    const stack_t other = {.ss_sp = room, .ss_size = sizeof room};
    stack_enter();
    if (d->own_handler) {
        (void)sigaltstack(&other, NULL);
    }
    d->act();
    stack_leave();
    return NULL;
}

/* The status of a process in which a thread with a stack of STACK_BYTES does something. */
static int status_of(doing d)
{
    int status = 0;
    *told = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        pthread_attr_t attributes;
        struct sigaction action = {.sa_handler = d.own_handler ? leave : SIG_DFL,
                                   .sa_flags = SA_ONSTACK};
        (void)sigemptyset(&action.sa_mask);
        (void)sigaction(SIGSEGV, &action, NULL);
        stack_watch(note);
        (void)pthread_attr_init(&attributes);
        char *below = mmap(NULL, BELOW_BYTES + STACK_BYTES, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        end_of_stack = below + BELOW_BYTES;
        (void)mprotect(end_of_stack, STACK_BYTES, PROT_READ | PROT_WRITE);
        (void)pthread_attr_setstack(&attributes, end_of_stack, STACK_BYTES);
        if (pthread_create(&thread, &attributes, run, &d) == 0) {
            (void)pthread_join(thread, NULL);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_overflow(void **state)
{
    (void)state;
    static void (*const acts[])(void) = {overflow, take_much, touch_end};
    for (int i = 0; i < 3; i++) {
        int status = status_of((doing){.act = acts[i]});
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        assert_int_equal(*told, STACK_BYTES);
        status = status_of((doing){.act = acts[i], .own_handler = true});
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), OWN_STATUS);
        assert_int_equal(*told, STACK_BYTES);
    }
}

static void test_other_faults(void **state)
{
    (void)state;
    static void (*const acts[])(void) = {read_nothing, send_signal};
    for (int i = 0; i < 2; i++) {
        int status = status_of((doing){.act = acts[i]});
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        status = status_of((doing){.act = acts[i], .own_handler = true});
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), OWN_STATUS);
        assert_int_equal(*told, 0);
    }
}

/* A handler that the program sets during a run is not taken away from it. */
static void test_unwatch(void **state)
{
    (void)state;
    struct sigaction before;
    struct sigaction now;
    assert_int_equal(sigaction(SIGSEGV, NULL, &before), 0);
    stack_watch(note);
    stack_unwatch();
    assert_int_equal(sigaction(SIGSEGV, NULL, &now), 0);
    assert_ptr_equal(now.sa_sigaction, before.sa_sigaction);
    stack_watch(note);
    struct sigaction own = {.sa_handler = leave};
    (void)sigemptyset(&own.sa_mask);
    assert_int_equal(sigaction(SIGSEGV, &own, NULL), 0);
    stack_unwatch();
    assert_int_equal(sigaction(SIGSEGV, &before, &now), 0);
    assert_ptr_equal(now.sa_handler, leave);
}

static int set_up(void **state)
{
    (void)state;
    void *shared =
        mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    told = shared;
    return shared == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return munmap((void *)(uintptr_t)told, sizeof *told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_other_faults),
        cmocka_unit_test(test_unwatch),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
