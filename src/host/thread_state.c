/* SPDX-License-Identifier: BSD-3-Clause */
/* What belongs to a thread and not to the process, and can change what a kernel computes. */
#define _GNU_SOURCE 1
#include "host/thread_state.h"

#include <stddef.h>
#include <sys/fsuid.h>

#if defined(__x86_64__)

static void write_mode(float_mode mode)
{
    const uint32_t vector = (uint32_t)mode.vector;
    const uint16_t stack = (uint16_t)mode.stack;
    __asm__ volatile("ldmxcsr %0" : : "m"(vector));
    __asm__ volatile("fldcw %0" : : "m"(stack));
}

#elif defined(__aarch64__)

static void write_mode(float_mode mode)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(mode.vector));
}

#else

static void write_mode(float_mode mode)
{
    (void)fesetround((int)mode.vector);
}

#endif

void float_mode_set(float_mode mode)
{
    /* A flag that is raised while its trap is enabled is a trap at the next instruction. */
    (void)feclearexcept(FE_ALL_EXCEPT);
    write_mode(mode);
}

void thread_state_get(thread_state *s)
{
    s->mode = float_mode_get();
    s->locale = uselocale((locale_t)0);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &s->signals);
    /* An id that no user has is refused, and the present one returned. */
    s->user = setfsuid((uid_t)-1);
    s->group = setfsgid((gid_t)-1);
}

void thread_state_set(const thread_state *s)
{
    float_mode_set(s->mode);
    (void)uselocale(s->locale);
    (void)pthread_sigmask(SIG_SETMASK, &s->signals, NULL);
    (void)setfsgid((gid_t)s->group);
    (void)setfsuid((uid_t)s->user);
}
