/* SPDX-License-Identifier: BSD-3-Clause */
/* A race on purpose, which ThreadSanitizer must report; without -DPLANT there is none. */
#include <stdio.h>

enum { THREADS = 2, ROUNDS = 10000 };

/* Ordered by OpenMP alone: the team's start, its barrier, its end, and an atomic or nothing. */
static long count(void)
{
    long sum = 0;
#pragma omp parallel default(none) shared(sum) num_threads(THREADS)
    {
        for (int i = 0; i < ROUNDS; i++) {
#ifndef PLANT
#pragma omp atomic
#endif
            sum++;
        }
#pragma omp barrier
#pragma omp master
        sum *= 2;
    }
    return sum;
}

int main(void)
{
    printf("%ld\n", count());
    return 0;
}
