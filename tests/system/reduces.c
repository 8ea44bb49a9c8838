/* SPDX-License-Identifier: BSD-3-Clause */
/* reduces: three maps of one result, with reductions of every kind, from fields and by the kernel,
 * and with none; writes down their values, and reads fields back. What test_reductions.py runs. */
#include "reducing.h"

#include <string.h>

typedef struct wish {
    reducing how;
    const char *wrong; /* what is to be refused */
} wish;

static void merge(void *accumulator, const void *next, void *context)
{
    (void)accumulator;
    (void)next;
    (void)context;
}

/* What there is no such thing as. */
static weft_status ask_wrongly(weft_map *drawn, weft_map *fields, const char *wrong)
{
    const weft_reducer empty = {.bytes = 0, .merge = merge};
    const weft_reducer huge = {.bytes = INT64_C(1) << 40, .merge = merge};
    const double falling[] = {1, 0};
    double value[64];
    if (strcmp(wrong, "name") == 0) {
        return weft_map_add_reduction(drawn, "a b", WEFT_SUM);
    }
    if (strcmp(wrong, "twice") == 0) {
        return weft_map_add_reduction(drawn, "sum", WEFT_SUM);
    }
    if (strcmp(wrong, "field") == 0) {
        return weft_map_add_reduction(fields, "wide", WEFT_SUM);
    }
    if (strcmp(wrong, "field-twice") == 0) {
        return weft_map_add_field(fields, "sum", WEFT_INT8, 0, NULL, NULL, NULL);
    }
    if (strcmp(wrong, "no-field") == 0) {
        return weft_map_reduce_field(fields, "none", WEFT_SUM, "x");
    }
    if (strcmp(wrong, "type") == 0) {
        return weft_map_reduce_field(fields, "wide", WEFT_INT64_SUM, "x");
    }
    if (strcmp(wrong, "empty") == 0) {
        return weft_map_add_reduction(drawn, "x", weft_reducer_of(&empty));
    }
    if (strcmp(wrong, "huge") == 0) {
        return weft_map_add_reduction(drawn, "x", weft_reducer_of(&huge));
    }
    if (strcmp(wrong, "edges") == 0) {
        return weft_map_add_reduction(drawn, "x", weft_histogram_of(1, falling));
    }
    if (strcmp(wrong, "early") == 0) {
        return weft_map_get(drawn, "sum", value);
    }
    return strcmp(wrong, "none") == 0 ? weft_map_get(drawn, "none", value) : WEFT_OK;
}

static bool goes_on(weft_status status)
{
    return status == WEFT_OK || status == WEFT_ITEMS_FAILED;
}

static const char *const names[] = {"drawn", "fields", "plain"};

/* Runs a map, and looks at what it has come to. */
static weft_status run_map(weft_session *session, wish *w, weft_map *map, reducing_kind kind)
{
    const weft_status status = weft_map_run(map, reducing_kernel(kind), &w->how);
    if (!goes_on(status)) {
        return status;
    }
    weft_status seen = reducing_tell(session, &w->how, map, names[kind], kind);
    if (seen == WEFT_OK) {
        seen = reducing_check(session, &w->how, map, kind);
    }
    return seen == WEFT_OK ? status : seen;
}

static weft_status run(weft_session *session, wish *w)
{
    weft_map *map[] = {NULL, NULL, NULL};
    weft_status status = WEFT_OK;
    weft_status worst = WEFT_OK;
    w->how.too_many = strcmp(w->wrong, "accumulator") == 0;
    for (reducing_kind kind = REDUCING_DRAWN; kind <= REDUCING_PLAIN && status == WEFT_OK; kind++) {
        status = reducing_describe(session, names[kind], kind, &w->how, &map[kind]);
    }
    if (status == WEFT_OK) {
        status = ask_wrongly(map[REDUCING_DRAWN], map[REDUCING_FIELDS], w->wrong);
    }
    for (reducing_kind kind = REDUCING_DRAWN; kind <= REDUCING_PLAIN && goes_on(status); kind++) {
        status = run_map(session, w, map[kind], kind);
        worst = worst == WEFT_OK ? status : worst;
    }
    for (reducing_kind kind = REDUCING_DRAWN; kind <= REDUCING_PLAIN; kind++) {
        weft_map_destroy(map[kind]);
    }
    return goes_on(status) ? worst : status;
}

int main(int argc, char **argv)
{
    wish w = {.how = {.count = 1000}, .wrong = ""};
    const weft_option options[] = {
        {"count", "N", WEFT_OPTION_INT64, &w.how.count, "items"},
        {"item-us", "US", WEFT_OPTION_INT64, &w.how.item_us, "microseconds per item"},
        {"error", "ITEMS", WEFT_OPTION_STRING, &w.how.error, "items at which the kernel fails"},
        {"crash", "ITEMS", WEFT_OPTION_STRING, &w.how.crash, "items at which the process dies"},
        {"fail", "ITEMS", WEFT_OPTION_STRING, &w.how.fail, "items that are said to fail"},
        {"told", "PREFIX", WEFT_OPTION_STRING, &w.how.told, "files that ranks write values to"},
        {"wrong", "WHAT", WEFT_OPTION_STRING, &w.wrong, "what is to be refused"},
        {"overflow", NULL, WEFT_OPTION_FLAG, &w.how.overflow, "integers that are too large"},
        {0},
    };
    const weft_program program = {.name = "reduces",
                                  .summary = "Reduces what is known.",
                                  .version = "1",
                                  .default_out = "reduces.h5",
                                  .options = options};
    weft_session *session = NULL;
    weft_status status = weft_init(&argc, &argv, &program, &session);
    if (status == WEFT_OK) {
        status = run(session, &w);
    }
    return weft_finish(session, status);
}
