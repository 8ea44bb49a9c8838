/* SPDX-License-Identifier: BSD-3-Clause */
/* Owns weft's side of a loop. */
#include "expert.h"

#include "ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* When a worker ended its last span; alone on its cache lines. */
typedef struct ending {
    double at;
    char apart[120];
} ending;

typedef struct work {
    const loop *l;
    ending *endings;
} work;

static int kernel(const weft_span *span, void *context)
{
    const work *w = context;
    const loop *l = w->l;
    void *results[LOOP_FIELDS];
    for (int i = 0; i < l->fields; i++) {
        results[i] = weft_span_result(span, i);
    }
    l->compute(l->context, weft_span_first(span), weft_span_count(span), results);
    w->endings[weft_span_worker(span)].at = measure_now();
    return 0;
}

static weft_status describe(weft_session *session, const loop *l, weft_map **map)
{
    const int64_t shape[] = {l->rows, l->columns};
    weft_status status = weft_map_create(session, l->name, 2, shape, map);
    for (int i = 0; i < l->fields && status == WEFT_OK; i++) {
        const loop_field *field = &l->field[i];
        status = weft_map_add_field(*map, field->name, field->type, field->elements > 1,
                                    &field->elements, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_set_grain(*map, l->grain);
    }
    return status;
}

static double imbalance(const ending *endings, int workers, double begin, double seconds)
{
    double last = begin;
    for (int i = 0; i < workers; i++) {
        last = endings[i].at > last ? endings[i].at : last;
    }
    return (ranks_most(last - begin) - ranks_least(last - begin)) / seconds;
}

weft_status run_loop(const bench *b, void *context, double *seconds)
{
    weft_session *session = b->session;
    loop *l = context;
    const int workers = weft_session_workers(session) > 0 ? weft_session_workers(session) : 1;
    weft_map *map = NULL;
    work w = {.l = l, .endings = calloc((size_t)workers, sizeof *w.endings)};
    weft_status status = w.endings != NULL
                             ? WEFT_OK
                             : weft_error(session, WEFT_ERR_MEMORY, "out of memory for a run");
    status = weft_agree(session, status);
    if (status == WEFT_OK && w.endings != NULL) {
        const double begin = ranks_begin();
        status = describe(session, l, &map);
        if (status == WEFT_OK) {
            status = weft_map_run(map, kernel, &w);
        }
        *seconds = ranks_seconds(begin);
        l->imbalance = imbalance(w.endings, workers, begin, *seconds);
        if (map != NULL && weft_session_rank(session) == 0) {
            (void)unlink(weft_map_path(map));
        }
    }
    weft_map_destroy(map);
    free(w.endings);
    return status;
}
