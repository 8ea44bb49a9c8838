/* SPDX-License-Identifier: BSD-3-Clause */
/* A trial whether a team's threads can be created. */
#include "team/trial.h"

#include "host/host.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Stays until all are there. */
static void *stay(void *gate)
{
    (void)pthread_mutex_lock(gate);
    (void)pthread_mutex_unlock(gate);
    return NULL;
}

/* How many threads can be created, up to `threads`; why no more. */
static int create_threads(pthread_t *thread, int threads, int *number)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    int created = 0;
    (void)pthread_mutex_lock(&gate);
    while (created < threads && *number == 0) {
        *number = pthread_create(&thread[created], NULL, stay, &gate);
        created += *number == 0;
    }
    (void)pthread_mutex_unlock(&gate);
    for (int i = 0; i < created; i++) {
        (void)pthread_join(thread[i], NULL);
    }
    (void)pthread_mutex_destroy(&gate);
    return created;
}

weft_status trial_threads(int threads, error *e)
{
    static int tried = 0;
    if (threads <= tried) {
        return WEFT_OK;
    }
    pthread_t *thread = calloc((size_t)threads, sizeof *thread);
    if (thread == NULL) {
        return error_memory(e, "the state of %d threads", threads);
    }
    int number = 0;
    const int created = create_threads(thread, threads, &number);
    free(thread);
    if (created < threads) {
        char host[HOST_NAME_BYTES];
        host_name(host);
        return error_set(e, WEFT_ERR_SYSTEM,
                         "no more than %d of the workers' %d threads can be created on host %s "
                         "(%s): " ERROR_MORE_THREADS ", or give fewer --threads",
                         created, threads, host, strerror(number));
    }
    tried = threads;
    return WEFT_OK;
}
