/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranks that are not alike are refused, with what differs, before anything is computed or a file is
 * touched; and the options of rank 0 hold for all. */
#include "known.h"

enum { ITEMS = 300 };

/* What the last rank does otherwise. */
typedef enum otherwise {
    NOTHING,
    PARAMETER,
    MORE_PARAMETERS,
    TYPE,
    FILL,
    UNIT,
    COORDINATES,
    SHAPE,
    SPAN_LIMIT,
    GRAIN,
    PURITY,
    PARAMETER_TWICE,
    BAD_NAME,
    NAME,
    NO_RUN,
    AGREEMENT,
    OWN_ERROR
} otherwise;

static char path[320];
static int64_t number;

static const weft_option options[] = {
    {"number", "N", WEFT_OPTION_INT64, &number, "a number"},
    {NULL, NULL, WEFT_OPTION_FLAG, NULL, NULL},
};
static const weft_program program = {.name = "alike", .options = options};

static bool last(void)
{
    return verdict_ranks > 1 && verdict_rank == verdict_ranks - 1;
}

static weft_status open_session(weft_session **session, const char *const words[])
{
    int argc = 0;
    char **argv = NULL;
    verdict_words(words, &argc, &argv);
    return weft_init(&argc, &argv, &program, session);
}

#define WORDS(...)                                                                              \
    ((const char *const[]){"--log", "error", "--progress", "never", "--sync", "0", __VA_ARGS__, \
                           NULL})

static weft_map *describe(weft_session *session, otherwise how)
{
    weft_map *map = NULL;
    const double fill = how == FILL ? 1 : 0;
    const int64_t count = how == SHAPE ? ITEMS + 1 : ITEMS;
    const char *unit = how == UNIT ? "km" : "m";
    const weft_type type = how == TYPE ? WEFT_INT64 : WEFT_FLOAT64;
    const char *name = how == NAME ? "second" : how == BAD_NAME ? "my map" : "first";
    CHECK((weft_map_create(session, name, 1, &count, &map) == WEFT_OK) == (how != BAD_NAME));
    CHECK(weft_map_add_field(map, "x", type, 0, NULL, unit, NULL) == WEFT_OK);
    CHECK(weft_map_set_fill(map, "x", &fill) == WEFT_OK);
    if (count == ITEMS) {
        static double step[ITEMS];
        step[ITEMS / 2] = how == COORDINATES;
        CHECK(weft_map_set_dimension(map, 0, "step", "s", step) == WEFT_OK);
    }
    CHECK(weft_map_add_int64(map, "n", how == PARAMETER ? 6 : 5) == WEFT_OK);
    CHECK(how != PARAMETER_TWICE || weft_map_add_int64(map, "n", 5) == WEFT_ERR_USAGE);
    CHECK(how != MORE_PARAMETERS || weft_map_add_int64(map, "m", 1) == WEFT_OK);
    CHECK(how != SPAN_LIMIT || weft_map_set_span_limit(map, 10) == WEFT_OK);
    CHECK(how != GRAIN || weft_map_set_grain(map, 10) == WEFT_OK);
    weft_map_set_pure(map, how != PURITY);
    return map;
}

/* The seed that a kernel sees is the result. */
static int kernel(const weft_span *span, void *context)
{
    (void)context;
    double *x = weft_span_result(span, 0);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        x[i] = (double)weft_span_seed(span);
    }
    return 0;
}

static weft_status go(weft_session *session, weft_map *map, otherwise how)
{
    if (how == NO_RUN) {
        return WEFT_OK;
    }
    if (how == AGREEMENT) {
        return weft_agree(session, WEFT_OK);
    }
    if (how == OWN_ERROR) {
        return weft_error(session, WEFT_ERR_NOT_FOUND, "no input here");
    }
    return weft_map_run(map, kernel, NULL);
}

/* All ranks end with this status; those that have run the map know why. */
static void expect(otherwise how, weft_status expected, const char *part)
{
    weft_session *session = NULL;
    (void)snprintf(verdict_case, sizeof verdict_case, "case %d", (int)how);
    const otherwise mine = last() ? how : NOTHING;
    if (!CHECK(open_session(&session, WORDS("--out", path)) == WEFT_OK)) {
        return;
    }
    weft_map *map = describe(session, mine);
    const weft_status status = go(session, map, mine);
    if (mine != NO_RUN && verdict_ranks > 1) {
        CHECK(status == expected);
        if (!CHECK(strstr(weft_error_text(session), part) != NULL)) {
            (void)fprintf(stderr, "rank %d: %s\n", verdict_rank, weft_error_text(session));
        }
    }
    weft_map_destroy(map);
    CHECK(weft_finish(session, status) == weft_status_exit(verdict_ranks > 1 ? expected : WEFT_OK));
    verdict_barrier();
    CHECK(verdict_ranks == 1 || access(path, F_OK) != 0);
}

static void refuse_other_maps(void)
{
    char text[200];
    const int other = verdict_ranks - 1;
    (void)snprintf(text, sizeof text, "parameter 'n' is 5 on rank 0 and 6 on rank %d", other);
    expect(PARAMETER, WEFT_ERR_USAGE, text);
    (void)snprintf(text, sizeof text, "parameter 'm' is absent on rank 0 and 1 on rank %d", other);
    expect(MORE_PARAMETERS, WEFT_ERR_USAGE, text);
    expect(TYPE, WEFT_ERR_USAGE, "field 'x' is float64 on rank 0 and int64 on");
    expect(FILL, WEFT_ERR_USAGE, "the fill value of field 'x' is 0, ");
    expect(COORDINATES, WEFT_ERR_USAGE, "what lies along dimension 'step' is 300 coordinates from");
    expect(UNIT, WEFT_ERR_USAGE, "the unit of field 'x' is 'm' on rank 0 and 'km'");
    expect(SHAPE, WEFT_ERR_USAGE, "the shape is (300) on rank 0 and (301)");
    expect(SPAN_LIMIT, WEFT_ERR_USAGE, "span limit is 0 on rank 0 and 10");
    expect(GRAIN, WEFT_ERR_USAGE, "grain is 0 on rank 0 and 10");
    expect(PURITY, WEFT_ERR_USAGE, "the kernel is pure on rank 0 and not pure");
    /* What the last rank was told while it described the map. */
    expect(PARAMETER_TWICE, WEFT_ERR_USAGE, "'n'");
    expect(BAD_NAME, WEFT_ERR_USAGE, "map 'my map': a name has");
    expect(NAME, WEFT_ERR_USAGE, "weft_map_run() of map 'first' and rank ");
    expect(NO_RUN, WEFT_ERR_USAGE, "weft_finish()");
    expect(AGREEMENT, WEFT_ERR_USAGE, "weft_agree()");
    expect(OWN_ERROR, WEFT_ERR_NOT_FOUND, "no input here");
}

static void refuse_other_options(void)
{
    weft_session *session = NULL;
    (void)snprintf(verdict_case, sizeof verdict_case, "an option of the program");
    const weft_status status =
        open_session(&session, WORDS("--out", path, "--number", last() ? "8" : "7"));
    CHECK(status == (verdict_ranks > 1 ? WEFT_ERR_USAGE : WEFT_OK));
    CHECK(verdict_ranks == 1 ||
          strstr(weft_error_text(session), "option --number is 7 on") != NULL);
    CHECK(weft_finish(session, status) == weft_status_exit(status));
    number = 0;
}

/* Hosts differ, and so may their ranks: who is told nothing has as many workers as rank 0. */
static void keep_own_threads(void)
{
    weft_session *session = NULL;
    (void)snprintf(verdict_case, sizeof verdict_case, "threads of its own");
    const char *const words[] = {"--log", "error", last() ? "--threads=3" : NULL, NULL};
    const char *const first[] = {"--log", "error", "--threads=2", NULL};
    CHECK(unsetenv("WEFT_THREADS") == 0);
    if (CHECK(open_session(&session, verdict_rank == 0 ? first : words) == WEFT_OK)) {
        CHECK(weft_session_workers(session) == (last() ? 3 : 2));
    }
    CHECK(weft_finish(session, WEFT_OK) == 0);
}

/* Different seeds, files and grains: rank 0's. */
static void take_options_of_rank_0(void)
{
    char other[400];
    char seed[32];
    weft_session *session = NULL;
    (void)snprintf(verdict_case, sizeof verdict_case, "options of rank 0");
    (void)snprintf(other, sizeof other, "%s.%d", path, verdict_rank);
    (void)snprintf(seed, sizeof seed, "%d", 40 + verdict_rank);
    CHECK(setenv("WEFT_SEED", seed, 1) == 0);
    if (CHECK(open_session(&session, WORDS("--out", verdict_rank == 0 ? path : other, "--grain",
                                           last() ? "7" : "3")) == WEFT_OK)) {
        weft_map *map = describe(session, NOTHING);
        CHECK(weft_map_run(map, kernel, NULL) == WEFT_OK);
        weft_map_destroy(map);
    }
    CHECK(weft_finish(session, WEFT_OK) == 0);
    CHECK(unsetenv("WEFT_SEED") == 0);
    CHECK(access(path, F_OK) == 0 && access(other, F_OK) != 0);
    verdict_barrier();
    if (verdict_rank == 0) {
        weft_result *result = NULL;
        double x[ITEMS];
        if (CHECK(weft_result_open(path, &result) == WEFT_OK &&
                  weft_result_read(result, 0, 0, ITEMS, x) == WEFT_OK)) {
            bool same = true;
            for (int i = 0; i < ITEMS; i++) {
                same = same && x[i] > 39.5 && x[i] < 40.5;
            }
            CHECK(same);
        }
        weft_result_close(result);
        CHECK(unlink(path) == 0);
    }
    verdict_barrier();
}

/* Once a map has been started each rank has two threads that make collective calls: different calls
 * are told where a rank waits in one and another rank in the other. */
static void refuse_after_a_start(otherwise how, const char *part)
{
    weft_session *session = NULL;
    weft_map *started = NULL;
    const int64_t count = 7;
    (void)snprintf(verdict_case, sizeof verdict_case, "case %d after a start", (int)how);
    const otherwise mine = last() ? how : NOTHING;
    if (!CHECK(open_session(&session, WORDS("--out", path)) == WEFT_OK)) {
        return;
    }
    CHECK(weft_map_create(session, "started", 1, &count, &started) == WEFT_OK);
    CHECK(weft_map_add_field(started, "x", WEFT_FLOAT64, 0, NULL, NULL, NULL) == WEFT_OK);
    weft_map *map = describe(session, NOTHING);
    CHECK(weft_map_start(started, kernel, NULL) == WEFT_OK);
    CHECK(weft_map_wait(started, WEFT_FOREVER) == WEFT_OK);
    const weft_status status =
        mine == NAME ? weft_map_run(started, kernel, NULL) : go(session, map, mine);
    if (mine != NO_RUN) {
        CHECK(status == WEFT_ERR_USAGE);
        if (!CHECK(strstr(weft_error_text(session), part) != NULL)) {
            (void)fprintf(stderr, "rank %d: %s\n", verdict_rank, weft_error_text(session));
        }
    }
    weft_map_destroy(map);
    weft_map_destroy(started);
    CHECK(weft_finish(session, status) == weft_status_exit(WEFT_ERR_USAGE));
    verdict_barrier();
    CHECK(verdict_rank != 0 || unlink(path) == 0);
    verdict_barrier();
}

int main(int argc, char **argv)
{
    const bool multiple = argc > 1 && strcmp(argv[1], "multiple") == 0;
    verdict_level = multiple ? MPI_THREAD_MULTIPLE : MPI_THREAD_FUNNELED;
    verdict_begin(&argc, &argv);
    (void)snprintf(path, sizeof path, "%s/alike.h5", verdict_folder);
    take_options_of_rank_0();
    keep_own_threads();
    refuse_other_options();
    refuse_other_maps();
    if (verdict_ranks > 1) {
        refuse_after_a_start(AGREEMENT, "weft_agree()");
        refuse_after_a_start(NAME, "weft_map_run() of map 'started'");
        refuse_after_a_start(NO_RUN, "weft_finish()");
    }
    return verdict_end();
}
