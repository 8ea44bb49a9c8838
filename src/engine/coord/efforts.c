/* SPDX-License-Identifier: BSD-3-Clause */
/* What the workers of all ranks have spent on a run and are at, as ranks have said last. */
#include "engine/coord/efforts.h"

#include <stdlib.h>

/* What is known of a rank. */
typedef struct member {
    rank_effort effort; /* as it has said last */
    int64_t pending;    /* tiles that it has computed, and not reported yet */
    bool lost;
    bool drained; /* after a stop: its workers have nothing more to compute */
} member;

struct efforts {
    int ranks;
    const int *workers;
    int64_t begun_ns;
    member *member;
    int64_t pending;       /* of all ranks */
    bool drained;          /* all ranks are that are not lost */
    int64_t disk_since_ns; /* what is not recorded is pending, or never will be; 0: it is not so */
};

weft_status efforts_create(int ranks, const int workers[], efforts **out, error *e)
{
    efforts *f = calloc(1, sizeof *f);
    member *members = calloc((size_t)ranks, sizeof *members);
    if (f == NULL || members == NULL) {
        free(members);
        free(f);
        return error_memory(e, "the record of %d ranks", ranks);
    }
    f->ranks = ranks;
    f->workers = workers;
    f->member = members;
    *out = f;
    return WEFT_OK;
}

void efforts_destroy(efforts *f)
{
    if (f != NULL) {
        free(f->member);
        free(f);
    }
}

void efforts_begin(efforts *f, int64_t now_ns)
{
    f->begun_ns = now_ns;
}

/* So many more tiles of a rank are pending, or fewer. */
static void add_pending(efforts *f, member *m, int64_t tiles)
{
    const int64_t more = tiles < -m->pending ? -m->pending : tiles;
    m->pending += more;
    f->pending += more;
}

static bool all_drained(const efforts *f)
{
    for (int rank = 0; rank < f->ranks; rank++) {
        if (!f->member[rank].drained && !f->member[rank].lost) {
            return false;
        }
    }
    return true;
}

void efforts_hear(efforts *f, int rank, const void *message, int64_t undone, int64_t now_ns)
{
    const message_kind kind = *(const message_kind *)message;
    member *m = &f->member[rank];
    f->drained = f->drained && (m->drained || !m->lost);
    m->lost = false;
    if (kind == MESSAGE_ALIVE) {
        m->effort = ((const message_alive *)message)->effort;
    } else if (kind == MESSAGE_REPORT) {
        m->effort = ((const message_report *)message)->effort;
        add_pending(f, m, -((const message_report *)message)->tiles);
    } else if (kind == MESSAGE_NEWS) {
        add_pending(f, m, ((const message_news *)message)->news.computed.tiles);
    } else if (kind == MESSAGE_LEFT) {
        m->drained = true;
        f->drained = all_drained(f);
    }
    if (f->pending < undone && !f->drained) {
        f->disk_since_ns = 0;
    } else if (f->disk_since_ns == 0) {
        f->disk_since_ns = now_ns;
    }
}

void efforts_lose(efforts *f, int rank)
{
    add_pending(f, &f->member[rank], -f->member[rank].pending);
    f->member[rank].lost = true;
    f->drained = all_drained(f);
}

static states bring_up_to(const efforts *f, int rank, int64_t now_ns)
{
    states s = f->member[rank].effort.states;
    states_extend(&s, f->workers[rank], now_ns - f->begun_ns, f->member[rank].lost);
    if (f->disk_since_ns != 0) {
        states_end_work(&s, now_ns - f->disk_since_ns);
    }
    return s;
}

efforts_sum efforts_sum_up(const efforts *f, int64_t now_ns)
{
    efforts_sum sum = {.busy_s = 0};
    for (int rank = 0; rank < f->ranks; rank++) {
        const rank_effort *each = &f->member[rank].effort;
        const states s = bring_up_to(f, rank, now_ns);
        const double worst_s = 1e-9 * (double)each->worst_ns;
        sum.busy_s += 1e-9 * (double)each->busy_ns;
        sum.cpu_s += 1e-9 * (double)each->cpu_ns;
        sum.wait_s += 1e-9 * (double)each->wait_ns;
        sum.worst_s = worst_s > sum.worst_s ? worst_s : sum.worst_s;
        for (int i = 0; i < WEFT_STATES; i++) {
            sum.state_s[i] += 1e-9 * (double)s.ns[i];
            sum.workers[i] += s.workers[i];
        }
    }
    return sum;
}
