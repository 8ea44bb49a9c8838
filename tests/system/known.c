/* SPDX-License-Identifier: BSD-3-Clause */
/* known: a program whose every result is known (results.py computes them again), with items that
 * take their time, fail, crash or hang as the tests want. */
#include "deadly.h"

#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <weft/weft.h>

typedef struct wish {
    int64_t count;
    int64_t flavour;
    double tilt;
    const char *label;
    double axis; /* what lies between two items, along an axis that has a name; 0: it has none */
    int64_t item_us;   /* how long each item takes */
    bool random_us;    /* that is the mean of an exponential distribution */
    const char *fail;  /* items that are said to fail … */
    bool fail_all;     /* … or all of them */
    const char *error; /* items at which the kernel returns an error */
    const char *crash; /* items at which the process dies */
    deadly deadly;     /* the same, in more ways */
    const char *slow;  /* items that take slow_s more, and do not ask whether to stop … */
    const char *civil; /* … and those that do */
    double slow_s;
    const char *gate; /* until there is this file, these items wait … */
    const char *gated;
    int64_t gate_after; /* … and all once a process has begun so many */
    const char *calls;  /* where each computed item is written down */
    int calls_fd;
    bool impure;
    bool field_twice;
    bool second_map;
    int64_t maps;
    bool chain;         /* each of them needs the one before */
    bool start;         /* all of them, before the first is waited for */
    int64_t leave_rank; /* that ends its program after the first map */
    int64_t late_rank;  /* that does something of its own first, for late_s */
    double late_s;
} wish;

/* Whether a list such as "3,17" has an item. */
static bool listed(const char *list, int64_t item)
{
    char *end = NULL;
    while (list != NULL && *list != '\0') {
        if (strtoll(list, &end, 10) == item) {
            return true;
        }
        list = *end == ',' ? end + 1 : NULL;
    }
    return false;
}

/* A pause of no time would still take 50 microseconds. */
static void pause_s(double seconds)
{
    if (seconds <= 0) {
        return;
    }
    const double whole = floor(seconds);
    struct timespec left = {.tv_sec = (time_t)whole, .tv_nsec = (long)(1e9 * (seconds - whole))};
    while (nanosleep(&left, &left) != 0) {
    }
}

/* False if the run is to stop. */
static bool pause_civilly(const weft_span *span, double seconds)
{
    for (double slept = 0; slept < seconds; slept += 0.01) {
        if (weft_span_stopping(span)) {
            return false;
        }
        pause_s(0.01);
    }
    return true;
}

/* An item waits where the test has not got there yet. False if the run is to stop. */
static bool pass_gate(const wish *w, const weft_span *span, int64_t item)
{
    static _Atomic int64_t begun;
    if (w->gate == NULL ||
        (atomic_fetch_add(&begun, 1) < w->gate_after && !listed(w->gated, item))) {
        return true;
    }
    while (access(w->gate, F_OK) != 0) {
        if (weft_span_stopping(span)) {
            return false;
        }
        pause_s(0.005);
    }
    return true;
}

/* One write of a few bytes at the end of a file stays in one piece, whoever else writes. */
static void write_down(const wish *w, int64_t item)
{
    char line[32];
    const int length = snprintf(line, sizeof line, "%lld\n", (long long)item);
    if (w->calls_fd >= 0 && write(w->calls_fd, line, (size_t)length) != length) {
        abort();
    }
}

/* Vigna's splitmix64. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static double item_s(const wish *w, const weft_span *span, int64_t item)
{
    weft_random random = weft_span_random(span, item, 1);
    const double times = w->random_us ? weft_random_exponential(&random) : 1;
    return 1e-6 * (double)w->item_us * times;
}

static int kernel(const weft_span *span, void *context)
{
    const wish *w = context;
    const int64_t first = weft_span_first(span);
    uint64_t *hash = weft_span_result(span, 0);
    double *pair = weft_span_result(span, 1);
    uint8_t *remainder = weft_span_result(span, 2);
    for (int64_t i = 0; i < weft_span_count(span); i++) {
        const int64_t item = first + i;
        write_down(w, item);
        if (!pass_gate(w, span, item)) {
            return 1;
        }
        if (listed(w->crash, item)) {
            (void)raise(SIGSEGV);
        }
        deadly_meet(&w->deadly, item);
        if (listed(w->error, item)) {
            return 7;
        }
        if (w->fail_all || listed(w->fail, item)) {
            weft_span_fail(span, item, 5, "this item fails on purpose");
            continue;
        }
        if (listed(w->slow, item)) {
            pause_s(w->slow_s);
        }
        if (listed(w->civil, item) && !pause_civilly(span, w->slow_s)) {
            return 1;
        }
        pause_s(item_s(w, span, item));
        weft_random random = weft_span_random(span, item, 0);
        hash[i] = mix((uint64_t)item ^ (uint64_t)w->flavour);
        pair[2 * i] = (double)item / 3;
        pair[2 * i + 1] = weft_random_double(&random);
        remainder[i] = (uint8_t)(item % 251);
    }
    return 0;
}

static weft_status set_axis(weft_session *session, const wish *w, weft_map *map)
{
    double *place = malloc(((size_t)w->count + 1) * sizeof *place);
    if (place == NULL) {
        return weft_error(session, WEFT_ERR_MEMORY, "no memory for an axis");
    }
    for (int64_t i = 0; i < w->count; i++) {
        place[i] = w->axis * (double)i;
    }
    const weft_status status = weft_map_set_dimension(map, 0, "place", "m", place);
    free(place);
    return status;
}

static weft_status describe(weft_session *session, const wish *w, const char *name, weft_map **map)
{
    const int64_t two = 2;
    weft_status status = weft_map_create(session, name, 1, &w->count, map);
    if (status == WEFT_OK) {
        status = w->axis == 0 ? WEFT_OK : set_axis(session, w, *map);
    }
    if (status == WEFT_OK) {
        status = weft_map_add_field(*map, "hash", WEFT_UINT64, 0, NULL, "1", "a hash of the item");
    }
    if (status == WEFT_OK) {
        status = weft_map_add_field(*map, "pair", WEFT_FLOAT64, 1, &two, "1",
                                    "a third of the item, and a random number");
    }
    if (status == WEFT_OK) {
        status = weft_map_add_field(*map, w->field_twice ? "hash" : "remainder", WEFT_UINT8, 0,
                                    NULL, "1", "the item modulo 251");
    }
    if (status == WEFT_OK) {
        status = weft_map_add_int64(*map, "flavour", w->flavour);
    }
    if (status == WEFT_OK) {
        status = weft_map_add_double(*map, "tilt", w->tilt);
    }
    if (status == WEFT_OK) {
        status = weft_map_add_string(*map, "label", w->label);
    }
    return status;
}

static weft_status run_map(weft_session *session, wish *w, const char *name)
{
    weft_map *map = NULL;
    weft_status status = describe(session, w, name, &map);
    if (status == WEFT_OK) {
        weft_map_set_pure(map, !w->impure);
        status = weft_map_run(map, kernel, w);
    }
    weft_map_destroy(map);
    return status;
}

/* The status of the first map that has not come to WEFT_OK. */
static weft_status start_maps(wish *w, weft_map *const map[], int maps)
{
    weft_status worst = WEFT_OK;
    for (int i = 0; i < maps; i++) {
        const weft_status status = weft_map_start(map[i], kernel, w);
        worst = worst == WEFT_OK ? status : worst;
    }
    for (int i = 0; i < maps; i++) {
        weft_status status = WEFT_TIMEOUT;
        while (status == WEFT_TIMEOUT) {
            status = weft_map_wait(map[i], 0.02);
        }
        worst = worst == WEFT_OK ? status : worst;
    }
    return worst;
}

/* Maps that are all described before the first of them is run: known-0, known-1 … */
static weft_status run_maps(weft_session *session, wish *w)
{
    enum { MOST_MAPS = 256 };
    static weft_map *map[MOST_MAPS];
    const int maps = w->maps < MOST_MAPS ? (int)w->maps : MOST_MAPS;
    weft_status status = WEFT_OK;
    for (int i = 0; i < maps && status == WEFT_OK; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "known-%d", i);
        status = describe(session, w, name, &map[i]);
        if (status == WEFT_OK && w->chain && i > 0) {
            status = weft_map_needs(map[i], map[i - 1]);
        }
    }
    if (status == WEFT_OK && w->start) {
        const bool leaves = weft_session_rank(session) == w->leave_rank;
        status = start_maps(w, map, leaves ? 1 : maps);
        if (status == WEFT_OK && leaves) {
            status = weft_error(session, WEFT_ERR_SYSTEM, "there is no more input");
        }
    }
    for (int i = 0; i < maps && status == WEFT_OK && !w->start; i++) {
        status = weft_map_run(map[i], kernel, w);
    }
    for (int i = 0; i < maps; i++) {
        weft_map_destroy(map[i]);
    }
    return status;
}

static weft_status run(weft_session *session, wish *w)
{
    w->calls_fd = -1;
    if (weft_session_rank(session) == w->late_rank) {
        pause_s(w->late_s);
        while (w->gate != NULL && access(w->gate, F_OK) != 0) {
            pause_s(0.005);
        }
    }
    if (w->calls != NULL) {
        w->calls_fd = open(w->calls, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (w->calls_fd < 0) {
            return weft_error(session, WEFT_ERR_SYSTEM, "cannot open %s", w->calls);
        }
    }
    weft_status status = w->maps > 0 ? run_maps(session, w) : run_map(session, w, "known");
    if ((status == WEFT_OK || status == WEFT_STOPPED) && w->second_map) {
        status = run_map(session, w, "known-again");
    }
    if (w->calls_fd >= 0) {
        (void)close(w->calls_fd);
    }
    return status;
}

int main(int argc, char **argv)
{
    wish w = {.count = 1000,
              .label = "plain",
              .slow_s = 30,
              .gate_after = INT64_MAX,
              .leave_rank = -1,
              .late_rank = -1};
    const weft_option options[] = {
        {"count", "N", WEFT_OPTION_INT64, &w.count, "items"},
        {"flavour", "N", WEFT_OPTION_INT64, &w.flavour, "a parameter"},
        {"tilt", "X", WEFT_OPTION_DOUBLE, &w.tilt, "a parameter"},
        {"label", "TEXT", WEFT_OPTION_STRING, &w.label, "a parameter"},
        {"axis", "X", WEFT_OPTION_DOUBLE, &w.axis, "the distance between two items"},
        {"item-us", "US", WEFT_OPTION_INT64, &w.item_us, "microseconds per item"},
        {"random-us", NULL, WEFT_OPTION_FLAG, &w.random_us, "exponential, --item-us on average"},
        {"fail", "ITEMS", WEFT_OPTION_STRING, &w.fail, "items that are said to fail"},
        {"fail-all", NULL, WEFT_OPTION_FLAG, &w.fail_all, "all items are said to fail"},
        {"error", "ITEMS", WEFT_OPTION_STRING, &w.error, "items at which the kernel fails"},
        {"crash", "ITEMS", WEFT_OPTION_STRING, &w.crash, "items at which the process dies"},
        {"deadly", "KIND:ITEM,...", WEFT_OPTION_STRING, &w.deadly.list, DEADLY_KINDS},
        {"deadly-where", "rank", WEFT_OPTION_STRING, &w.deadly.where, "not in a child of it"},
        {"deadly-once", "PREFIX", WEFT_OPTION_STRING, &w.deadly.once, "each item kills once"},
        {"slow", "ITEMS", WEFT_OPTION_STRING, &w.slow, "items that take long, come what may"},
        {"civil", "ITEMS", WEFT_OPTION_STRING, &w.civil, "items that take long, if they may"},
        {"slow-s", "S", WEFT_OPTION_DOUBLE, &w.slow_s, "how long that is (30)"},
        {"gate", "FILE", WEFT_OPTION_STRING, &w.gate, "what items wait for, and a late rank"},
        {"gated", "ITEMS", WEFT_OPTION_STRING, &w.gated, "items that do"},
        {"gate-after", "N", WEFT_OPTION_INT64, &w.gate_after, "all, once a process has begun N"},
        {"calls", "FILE", WEFT_OPTION_STRING, &w.calls, "gets a line per computed item"},
        {"impure", NULL, WEFT_OPTION_FLAG, &w.impure, "no item may be repeated without need"},
        {"field-twice", NULL, WEFT_OPTION_FLAG, &w.field_twice, "give two fields one name"},
        {"leave-rank", "RANK", WEFT_OPTION_INT64, &w.leave_rank, "a rank that leaves early"},
        {"late-rank", "RANK", WEFT_OPTION_INT64, &w.late_rank, "a rank that begins late"},
        {"late-s", "S", WEFT_OPTION_DOUBLE, &w.late_s, "how late"},
        {"maps", "N", WEFT_OPTION_INT64, &w.maps, "so many maps in one file"},
        {"chain", NULL, WEFT_OPTION_FLAG, &w.chain, "each of them needs the one before"},
        {"start", NULL, WEFT_OPTION_FLAG, &w.start, "they are all under way at once"},
        {"second-map", NULL, WEFT_OPTION_FLAG, &w.second_map,
         "another map after the first, also if that was stopped"},
        {0},
    };
    const weft_program program = {.name = "known",
                                  .summary = "Computes what is known.",
                                  .options = options,
                                  .version = getenv("KNOWN_VERSION")};
    weft_session *session = NULL;
    (void)setlocale(LC_ALL, ""); /* as programs with a window do, and many libraries */
    deadly_begin();
    weft_status status = weft_init(&argc, &argv, &program, &session);
    if (status == WEFT_OK) {
        status = run(session, &w);
    }
    return weft_finish(session, status);
}
