/* SPDX-License-Identifier: BSD-3-Clause */
/* sequences: a program that is told which maps it has, and which calls it makes, in which order;
 * it finds wrong whatever a call must not answer. What test_sequences.py draws and runs. */
#include "reducing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_MAPS = 5 };

typedef struct wish {
    const char *maps;  /* KIND:COUNT:GRAIN:SHIFT:NEEDS:OWN;... */
    const char *calls; /* CALL CALL ...: a letter, and the number of a map */
    const char *own;   /* what the files begin with of maps that have their own */
    reducing how;
} wish;

/* What is given to weft of a map is the same on all ranks at every call, what is known of it is
 * not. */
typedef struct act {
    char name[16];
    reducing_kind kind;
    reducing how;
    weft_map *map;
    bool need[MOST_MAPS]; /* of those before it */
    bool given;           /* it was started, and nobody has waited for its end */
    bool doubtful;        /* since then it, or what it needs, may have been cancelled */
    bool complete;
} act;

typedef struct play {
    weft_session *session;
    int maps;
    act act[MOST_MAPS];
    bool failed_items;
} play;

static weft_status wrong(const play *p, const act *a, const char *what, weft_status status)
{
    char before[512];
    (void)snprintf(before, sizeof before, "%s", weft_error_text(p->session));
    return weft_error(p->session, WEFT_ERR_SYSTEM, "%s, map %s: status %d (%s)", what, a->name,
                      (int)status, before);
}

static bool is_good(weft_status status)
{
    return status == WEFT_OK || status == WEFT_ITEMS_FAILED;
}

static weft_status read_act(play *p, const wish *w, const char *text)
{
    act *a = &p->act[p->maps];
    char kind = '\0';
    char needs[MOST_MAPS + 2];
    int64_t grain = 0;
    int own = 0;
    *a = (act){.how = w->how};
    (void)snprintf(a->name, sizeof a->name, "map-%d", p->maps);
    if (p->maps == MOST_MAPS ||
        sscanf(text, "%c:%" SCNd64 ":%" SCNd64 ":%" SCNd64 ":%6[-0-4]:%d", &kind, &a->how.count,
               &grain, &a->how.shift, needs, &own) != 6) {
        return weft_error(p->session, WEFT_ERR_USAGE, "no map: %s", text);
    }
    a->kind = kind == 'd' ? REDUCING_DRAWN : kind == 'f' ? REDUCING_FIELDS : REDUCING_PLAIN;
    weft_status status = reducing_describe(p->session, a->name, a->kind, &a->how, &a->map);
    if (status == WEFT_OK) {
        status = weft_map_set_grain(a->map, grain);
    }
    if (status == WEFT_OK && own != 0) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s%s.h5", w->own, a->name);
        status = weft_map_set_out(a->map, path);
    }
    for (const char *n = needs; *n != '\0' && status == WEFT_OK; n++) {
        if (*n >= '0' && *n < '0' + p->maps) {
            a->need[*n - '0'] = true;
            status = weft_map_needs(a->map, p->act[*n - '0'].map);
        }
    }
    p->maps++;
    return status;
}

static weft_status read_maps(play *p, const wish *w)
{
    weft_status status = WEFT_OK;
    for (const char *at = w->maps; at != NULL && status == WEFT_OK;) {
        status = read_act(p, w, at);
        at = strchr(at, ';');
        at = at == NULL ? NULL : at + 1;
    }
    return status;
}

/* The map's end is learned; what it may have come to. */
static weft_status learn(play *p, act *a, const char *call, weft_status status)
{
    a->given = false;
    a->complete = is_good(status);
    p->failed_items = p->failed_items || status == WEFT_ITEMS_FAILED;
    const bool fine = is_good(status) || (status == WEFT_CANCELLED && a->doubtful);
    a->doubtful = false;
    return fine || status == WEFT_STOPPED ? (fine ? WEFT_OK : status) : wrong(p, a, call, status);
}

static weft_status settle(play *p, act *a)
{
    return a->given ? learn(p, a, "waited for", weft_map_wait(a->map, WEFT_FOREVER)) : WEFT_OK;
}

/* Starts a map, or runs it, and first what it needs, if that is not sure to be complete. */
static weft_status start(play *p, act *a, bool run)
{
    weft_status status = run ? settle(p, a) : WEFT_OK;
    if (a->given) {
        return status;
    }
    for (int i = 0; i < MOST_MAPS && status == WEFT_OK; i++) {
        act *earlier = &p->act[i];
        if (a->need[i] && earlier->doubtful) {
            status = settle(p, earlier);
        }
        if (status == WEFT_OK && a->need[i] && !earlier->given && !earlier->complete) {
            status = start(p, earlier, false);
        }
    }
    if (status != WEFT_OK) {
        return status;
    }
    a->complete = false;
    if (run) {
        return learn(p, a, "run", weft_map_run(a->map, reducing_kernel(a->kind), &a->how));
    }
    status = weft_map_start(a->map, reducing_kernel(a->kind), &a->how);
    a->given = status == WEFT_OK;
    return status == WEFT_OK ? WEFT_OK : wrong(p, a, "started", status);
}

static void doubt(play *p, int number)
{
    p->act[number].doubtful = true;
    for (int i = number + 1; i < p->maps; i++) {
        if (p->act[i].given && p->act[i].need[number]) {
            doubt(p, i);
        }
    }
}

/* One rank alone says so, once all have come here: what they called before has not seen it. */
static weft_status cancel(play *p, int number)
{
    act *a = &p->act[number];
    const weft_status agreed = a->given ? weft_agree(p->session, WEFT_OK) : WEFT_OK;
    if (!a->given || agreed != WEFT_OK) {
        return agreed;
    }
    doubt(p, number);
    if (weft_session_rank(p->session) != number % weft_session_ranks(p->session)) {
        return WEFT_OK;
    }
    const weft_status status = weft_map_cancel(a->map);
    return status == WEFT_OK || status == WEFT_ERR_USAGE ? WEFT_OK
                                                         : wrong(p, a, "cancelled", status);
}

static weft_status look(play *p, act *a)
{
    weft_progress q;
    weft_map_progress(a->map, &q);
    const bool fine = q.items == a->how.count && q.items_done >= 0 && q.items_done <= q.items &&
                      q.tiles_blocked >= 0 && q.tiles_ready >= 0 && q.tiles_leased >= 0 &&
                      q.tiles_blocked + q.tiles_ready + q.tiles_leased + q.tiles_done == q.tiles;
    return fine ? WEFT_OK : wrong(p, a, "looked at", WEFT_OK);
}

static weft_status wait_a_little(play *p, act *a)
{
    const weft_status status = weft_map_wait(a->map, 0.003);
    const bool fine = is_good(status) || status == WEFT_STOPPED ||
                      (status == WEFT_TIMEOUT && a->given) ||
                      (status == WEFT_CANCELLED && (a->doubtful || !a->given)) ||
                      (status == WEFT_ERR_USAGE && !a->given);
    return fine ? WEFT_OK : wrong(p, a, "waited a little for", status);
}

/* Where whoever waits computes, a rank may wait in a call for others to begin a map, and they must
 * not wait for it in a collective call of their own meanwhile. */
static bool is_apart(const weft_session *session)
{
    return weft_session_workers(session) > 0 || weft_session_ranks(session) == 1;
}

static weft_status call(play *p, char what, int number)
{
    act *a = &p->act[number];
    if ((what == 'a' || what == 'c') && !is_apart(p->session)) {
        return WEFT_OK;
    }
    switch (what) {
    case 's':
        return start(p, a, false);
    case 'r':
        return start(p, a, true);
    case 'e':
        return settle(p, a);
    case 't':
        return weft_map_test(a->map) || a->given ? WEFT_OK : wrong(p, a, "tested", WEFT_OK);
    case 'w':
        return wait_a_little(p, a);
    case 'c':
        return cancel(p, number);
    case 'p':
        return look(p, a);
    case 'a':
        return weft_agree(p->session, WEFT_OK);
    default:
        (void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        return WEFT_OK;
    }
}

/* All maps are completed, and looked at. */
static weft_status conclude(play *p)
{
    weft_status status = WEFT_OK;
    for (int i = 0; i < p->maps; i++) {
        act *a = &p->act[i];
        while (status == WEFT_OK && (a->given || !a->complete)) {
            status = a->given ? settle(p, a) : start(p, a, false);
        }
    }
    for (int i = 0; i < p->maps && status == WEFT_OK; i++) {
        act *a = &p->act[i];
        status = reducing_tell(p->session, &a->how, a->map, a->name, a->kind);
        if (status == WEFT_OK) {
            status = reducing_check(p->session, &a->how, a->map, a->kind);
        }
    }
    return status;
}

static weft_status run(weft_session *session, const wish *w)
{
    play p = {.session = session};
    weft_status status = read_maps(&p, w);
    for (const char *c = w->calls; *c != '\0' && status == WEFT_OK; c++) {
        if (*c != ' ') {
            const int number = c[1] - '0';
            status = number >= 0 && number < p.maps
                         ? call(&p, *c, number)
                         : weft_error(session, WEFT_ERR_USAGE, "no call: %s", c);
            c++;
        }
    }
    status = status == WEFT_OK ? conclude(&p) : status;
    for (int i = 0; i < p.maps; i++) {
        weft_map_destroy(p.act[i].map);
    }
    return status == WEFT_OK && p.failed_items ? WEFT_ITEMS_FAILED : status;
}

int main(int argc, char **argv)
{
    wish w = {.calls = "", .own = ""};
    const weft_option options[] = {
        {"maps", "MAPS", WEFT_OPTION_STRING, &w.maps, "KIND:COUNT:GRAIN:SHIFT:NEEDS:OWN;..."},
        {"calls", "CALLS", WEFT_OPTION_STRING, &w.calls, "s0 w0 c0 ..."},
        {"own", "PREFIX", WEFT_OPTION_STRING, &w.own, "files of maps that have their own"},
        {"item-us", "US", WEFT_OPTION_INT64, &w.how.item_us, "microseconds per item"},
        {"fail", "ITEMS", WEFT_OPTION_STRING, &w.how.fail, "items that are said to fail"},
        {"told", "PREFIX", WEFT_OPTION_STRING, &w.how.told, "files that ranks write values to"},
        {0},
    };
    const weft_program program = {.name = "sequences",
                                  .summary = "Makes the calls that it is told.",
                                  .version = "1",
                                  .default_out = "sequences.h5",
                                  .options = options};
    weft_session *session = NULL;
    weft_status status = weft_init(&argc, &argv, &program, &session);
    if (status == WEFT_OK) {
        status = run(session, &w);
    }
    return weft_finish(session, status);
}
