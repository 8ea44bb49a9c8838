/* SPDX-License-Identifier: BSD-3-Clause */
/* A user's program with names of its own that weft uses inside, too. */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

/* Should weft call one of these, it would end here. */
#define OWN(name)    \
    void name(void); \
    void name(void)  \
    {                \
        puts(#name); \
        exit(9);     \
    }
OWN(log_print)
OWN(host_name)
OWN(error_set)
OWN(error_clear)
OWN(option_parse)
OWN(clock_now_ns)
OWN(signals_begin)
OWN(comm_open)
OWN(store_open)
OWN(team_create)
OWN(run_begin)

static int nothing(const weft_span *span, void *context)
{
    (void)context;
    double *x = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        x[i] = 0;
    }
    return 0;
}

int main(int argc, char **argv)
{
    weft_session *session = NULL;
    weft_map *map = NULL;
    weft_status status = weft_init(&argc, &argv, NULL, &session);
    if (status == WEFT_OK) {
        status = weft_map_create(session, "names", 1, (int64_t[]){10}, &map);
    }
    if (status == WEFT_OK) {
        status = weft_map_add_field(map, "x", WEFT_FLOAT64, 0, NULL, NULL, NULL);
    }
    if (status == WEFT_OK) {
        status = weft_map_run(map, nothing, NULL);
    }
    weft_map_destroy(map);
    return weft_finish(session, status);
}
