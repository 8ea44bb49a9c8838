/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a thread's stack. */
#define _GNU_SOURCE 1
#include "host/stack.h"

#include <linux/auxvec.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <ucontext.h>

/* Room for the handler on the alternate stack, besides what the system saves there. */
enum { ROOM_BYTES = 32768 };

/* A function whose variables do not fit touches them near the stack pointer, which may then be far
 * beyond the end; one of many small ones touches what lies next to the end. */
enum { NEAR_BYTES = 65536 };

typedef struct bounds {
    uintptr_t low; /* 0: not watched */
    uintptr_t high;
    uintptr_t guard; /* no access below it */
} bounds;

static _Thread_local bounds mine;
static _Thread_local void *alternate;

static struct sigaction before;
static void (*tell)(int64_t bytes);

/* Before the kernel may have made a mess of the thread. */
static bounds own_bounds(void)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t bytes = 0;
    size_t guard = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
        return (bounds){.low = 0};
    }
    (void)pthread_attr_getstack(&attributes, &low, &bytes);
    (void)pthread_attr_getguardsize(&attributes, &guard);
    (void)pthread_attr_destroy(&attributes);
    return (bounds){.low = (uintptr_t)low, .high = (uintptr_t)low + bytes, .guard = guard};
}

int64_t stack_bytes(void)
{
    const bounds b = own_bounds();
    return (int64_t)(b.high - b.low);
}

static uintptr_t stack_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.sp;
#else
    (void)context;
    return 0;
#endif
}

static bool is_overflow(uintptr_t address, uintptr_t pointer)
{
    const bool at_end =
        address < mine.low + NEAR_BYTES && address + mine.guard + NEAR_BYTES >= mine.low;
    const bool beyond = pointer != 0 && pointer < mine.low && address + NEAR_BYTES >= pointer &&
                        address <= pointer + NEAR_BYTES;
    return mine.low != 0 && (at_end || beyond);
}

/* Whatever it was, the same instruction meets the same fault again when this returns, and then the
 * signal is the program's or the system's. One that another process has sent is sent again. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    if (info->si_code > 0 && is_overflow((uintptr_t)info->si_addr, stack_pointer(context))) {
        tell((int64_t)(mine.high - mine.low));
    }
    (void)sigaction(number, &before, NULL);
    if (info->si_code <= 0) {
        (void)raise(number);
    }
}

void stack_watch(void (*overflow)(int64_t bytes))
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    (void)sigemptyset(&action.sa_mask);
    tell = overflow;
    (void)sigaction(SIGSEGV, &action, &before);
}

void stack_unwatch(void)
{
    struct sigaction now;
    /* The program may have set one of its own meanwhile. */
    if (sigaction(SIGSEGV, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
        now.sa_sigaction == on_fault) {
        (void)sigaction(SIGSEGV, &before, NULL);
    }
}

void stack_enter(void)
{
    stack_t now;
    mine = own_bounds();
    if (sigaltstack(NULL, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) {
        return;
    }
    const size_t bytes = (size_t)getauxval(AT_MINSIGSTKSZ) + ROOM_BYTES;
    alternate = malloc(bytes);
    const stack_t other = {.ss_sp = alternate, .ss_size = bytes};
    if (alternate == NULL || sigaltstack(&other, NULL) != 0) {
        mine.low = 0;
    }
}

void stack_leave(void)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    mine.low = 0;
    if (alternate != NULL) {
        (void)sigaltstack(&none, NULL);
        free(alternate);
        alternate = NULL;
    }
}
