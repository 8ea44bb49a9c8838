/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that forces a store's data to disk, so that the agent never waits for the disk. */
#include "store/syncer.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

struct syncer {
    store *store;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t asked;
    bool busy;
    bool ending;
    double seconds;
    error error;
};

static void *run_thread(void *argument)
{
    syncer *y = argument;
    (void)pthread_mutex_lock(&y->mutex);
    while (true) {
        while (!y->busy && !y->ending) {
            (void)pthread_cond_wait(&y->asked, &y->mutex);
        }
        if (!y->busy) {
            break;
        }
        (void)pthread_mutex_unlock(&y->mutex);
        error e = {.status = WEFT_OK};
        const int64_t start = clock_now_ns();
        const weft_status status = store_sync(y->store, &e);
        const double seconds = 1e-9 * (double)(clock_now_ns() - start);
        (void)pthread_mutex_lock(&y->mutex);
        y->busy = false;
        y->seconds = seconds;
        if (status != WEFT_OK && y->error.status == WEFT_OK) {
            y->error = e;
        }
    }
    (void)pthread_mutex_unlock(&y->mutex);
    return NULL;
}

weft_status syncer_create(store *s, syncer **out, error *e)
{
    syncer *y = calloc(1, sizeof *y);
    if (y == NULL) {
        return error_set(e, WEFT_ERR_MEMORY, "out of memory for the syncing thread");
    }
    y->store = s;
    (void)pthread_mutex_init(&y->mutex, NULL);
    (void)pthread_cond_init(&y->asked, NULL);
    const int number = pthread_create(&y->thread, NULL, run_thread, y);
    if (number != 0) {
        (void)pthread_cond_destroy(&y->asked);
        (void)pthread_mutex_destroy(&y->mutex);
        free(y);
        return error_system(e, number, "cannot start the syncing thread");
    }
    *out = y;
    return WEFT_OK;
}

void syncer_destroy(syncer *y)
{
    if (y == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&y->mutex);
    y->ending = true;
    (void)pthread_cond_signal(&y->asked);
    (void)pthread_mutex_unlock(&y->mutex);
    (void)pthread_join(y->thread, NULL);
    (void)pthread_cond_destroy(&y->asked);
    (void)pthread_mutex_destroy(&y->mutex);
    free(y);
}

void syncer_ask(syncer *y)
{
    (void)pthread_mutex_lock(&y->mutex);
    y->busy = true;
    (void)pthread_cond_signal(&y->asked);
    (void)pthread_mutex_unlock(&y->mutex);
}

bool syncer_busy(syncer *y)
{
    (void)pthread_mutex_lock(&y->mutex);
    const bool busy = y->busy;
    (void)pthread_mutex_unlock(&y->mutex);
    return busy;
}

double syncer_seconds(syncer *y)
{
    (void)pthread_mutex_lock(&y->mutex);
    const double seconds = y->seconds;
    (void)pthread_mutex_unlock(&y->mutex);
    return seconds;
}

weft_status syncer_status(syncer *y, error *e)
{
    (void)pthread_mutex_lock(&y->mutex);
    const weft_status status = y->error.status;
    if (status != WEFT_OK) {
        *e = y->error;
    }
    (void)pthread_mutex_unlock(&y->mutex);
    return status;
}
