/* SPDX-License-Identifier: BSD-3-Clause */
/* caller: a program that calls MPI itself, as its first word says: "none" not at all, "says" after
 * weft_init(), which it has told so, "starts" also before. It prints what has become of MPI. */
#include <mpi.h>
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

static int kernel(const weft_span *span, void *context)
{
    (void)context;
    double *value = weft_span_double(span, "value");
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        weft_random random = weft_span_random(span, weft_span_first(span) + i, 0);
        value[i] = weft_random_double(&random);
    }
    return 0;
}

static weft_status run(weft_session *session)
{
    const int64_t count = 5000;
    weft_map *map = NULL;
    weft_status status = weft_map_create(session, "caller", 1, &count, &map);
    if (status == WEFT_OK) {
        status = weft_map_add_field(map, "value", WEFT_FLOAT64, 0, NULL, "1", "a random number");
    }
    if (status == WEFT_OK) {
        status = weft_map_run(map, kernel, NULL);
    }
    weft_map_destroy(map);
    return status;
}

static int is_started(void)
{
    int flag = 0;
    (void)MPI_Initialized(&flag);
    return flag;
}

static int is_over(void)
{
    int flag = 0;
    (void)MPI_Finalized(&flag);
    return flag;
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "none";
    const bool starts = strcmp(how, "starts") == 0;
    const weft_program program = {
        .name = "caller", .arguments = "none|says|starts", .mpi = strcmp(how, "says") == 0};
    weft_session *session = NULL;
    int provided = MPI_THREAD_SINGLE;
    int ranks = 0;
    if (starts) {
        (void)MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    }
    weft_status status = weft_init(&argc, &argv, &program, &session);
    if (status == WEFT_OK) {
        status = run(session);
    }
    const int started = is_started();
    if (started) {
        (void)MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    }
    const bool speaks = status == WEFT_OK && weft_session_rank(session) == 0;
    const int exit_status = weft_finish(session, status);
    if (speaks) {
        (void)printf("started %d, ranks %d, over %d\n", started, ranks, is_over());
    }
    if (starts) {
        (void)MPI_Finalize();
    }
    return exit_status;
}
