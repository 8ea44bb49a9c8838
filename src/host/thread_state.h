/* SPDX-License-Identifier: BSD-3-Clause */
/* What belongs to a thread and not to the process, and can change what a kernel computes: how its
 * floating-point arithmetic rounds, its locale, its signal mask, and by whose rights it opens
 * files. A thread inherits these when it is created, and OpenMP's may have been created long ago.
 */
#ifndef HOST_THREAD_STATE_H
#define HOST_THREAD_STATE_H

#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* The control bits of floating-point arithmetic: rounding, denormals, precision, traps. Flags that
 * tell of past exceptions are not among them. */
typedef struct float_mode {
    uint64_t vector; /* x86: MXCSR; Arm: FPCR; elsewhere the rounding mode alone */
    uint64_t stack;  /* x86: the x87 control word */
} float_mode;

typedef struct thread_state {
    float_mode mode;
    locale_t locale; /* LC_GLOBAL_LOCALE if the thread has none of its own */
    sigset_t signals;
    int user; /* of file accesses; Linux keeps these per thread */
    int group;
} thread_state;

/* Reads the calling thread's mode; a few nanoseconds. fegetenv() would do everywhere, but takes ten
 * times as long, and this is asked for around every call of a kernel. */
static inline float_mode float_mode_get(void)
{
#if defined(__x86_64__)
    enum { MXCSR_CONTROL = 0xffc0 };
    uint32_t vector = 0;
    uint16_t stack = 0;
    __asm__ volatile("stmxcsr %0" : "=m"(vector));
    __asm__ volatile("fnstcw %0" : "=m"(stack));
    return (float_mode){.vector = vector & MXCSR_CONTROL, .stack = stack};
#elif defined(__aarch64__)
    uint64_t vector = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(vector));
    return (float_mode){.vector = vector};
#else
    return (float_mode){.vector = (uint64_t)fegetround()};
#endif
}

/* Sets it; flags are cleared. */
void float_mode_set(float_mode mode);

static inline bool float_mode_same(float_mode a, float_mode b)
{
    return a.vector == b.vector && a.stack == b.stack;
}

void thread_state_get(thread_state *s);

/* What cannot be set stays as it is. */
void thread_state_set(const thread_state *s);

#endif
