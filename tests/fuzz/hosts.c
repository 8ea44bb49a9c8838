/* SPDX-License-Identifier: BSD-3-Clause */
/* libFuzzer target: lists of hosts, as people, host files and Slurm write them, in arbitrary bytes.
 * What is taken is names of hosts and nothing else, and ranks are shared out over all of them. */
#include "launch/hosts.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 256, MOST_RANKS = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_hosts(hosts *h, weft_status status, const error *e)
{
    demand((status != WEFT_OK) == (e->text[0] != '\0'));
    for (int i = 0; i < h->count; i++) {
        const char *name = h->row[i].name;
        demand(name[0] != '\0' && name[0] != '-' && strpbrk(name, " ;'\"$\n\t[],") == NULL);
        demand(h->row[i].cores >= 0 && h->row[i].cores <= 9999999);
    }
}

static void check_shares(hosts *h, const char *tasks, int ranks)
{
    if (h->count == 0) {
        return;
    }
    const int here = hosts_find(h, h->row[h->count - 1].name);
    demand(here >= 0);
    hosts_to_front(h, here);
    if (!hosts_share_as_slurm(h, tasks)) {
        int shared = 0;
        hosts_share(h, ranks);
        for (int i = 0; i < h->count; i++) {
            demand(h->row[i].slots > 0);
            shared += h->row[i].slots;
        }
        demand(shared == ranks);
    }
    demand(hosts_least_share(h) >= 0);
    (void)hosts_are_filled(h, INT_MAX);
}

static void check_one(int way, const char *text, const char *cores, int ranks)
{
    error e = {.status = WEFT_OK};
    hosts h = {.count = 0};
    const weft_status status = way == 0   ? hosts_read_list(&h, text, &e)
                               : way == 1 ? hosts_read_line(&h, text, &e)
                                          : hosts_read_slurm(&h, text, cores, &e);
    check_hosts(&h, status, &e);
    if (status == WEFT_OK) {
        check_shares(&h, cores, ranks);
    }
    hosts_free(&h);
}

/* A number of ranks, a text, and cores or tasks behind a zero. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[MOST_BYTES + 1] = "";
    size = size < MOST_BYTES ? size : MOST_BYTES;
    if (size < 1) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    const size_t length = strlen(text);
    const char *cores = length < size - 1 ? text + length + 1 : NULL;
    for (int way = 0; way < 3; way++) {
        check_one(way, text, cores, 1 + data[0] % MOST_RANKS);
    }
    return 0;
}
