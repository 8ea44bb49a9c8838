/* SPDX-License-Identifier: BSD-3-Clause */
/* What the markers in a run's folder say. */
#define _GNU_SOURCE 1
#include "launch/outcome.h"

#include "base/number.h"
#include "host/host.h"
#include "host/outcome_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_STATUS = 255 };

typedef struct reader {
    int folder;
    const hosts *hosts;
    evidence *e;
    bool *rank_ended;
    bool *host_left;
    int ranks;
} reader;

/* What is behind a beginning; NULL if the name begins otherwise. */
static const char *behind(const char *name, const char *beginning)
{
    const size_t length = strlen(beginning);
    return strncmp(name, beginning, length) == 0 ? name + length : NULL;
}

static mark read_mark(int folder, const char *name)
{
    mark m = {.there = true, .status = -1};
    char text[16];
    const int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    const ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[length > 0 ? length : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    int status = -1;
    if (number_read_count(text, 0, &status) && status <= MOST_STATUS) {
        m.status = status;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return m;
}

static void note_lowest(int rank, int status, int *lowest, int *lowest_status)
{
    if (*lowest < 0 || rank < *lowest) {
        *lowest = rank;
        *lowest_status = status;
    }
}

static void see_rank(reader *r, const char *name, const char *number)
{
    int rank = 0;
    if (!number_read_count(number, 0, &rank)) {
        return;
    }
    const mark m = read_mark(r->folder, name);
    if (rank == 0) {
        r->e->rank_0 = m;
    }
    if (rank < r->ranks) {
        r->rank_ended[rank] = true;
    }
    if (verdict_was_stopped(m.status)) {
        note_lowest(rank, m.status, &r->e->killed_rank, &r->e->killed_status);
    } else if (m.status > 0) {
        note_lowest(rank, m.status, &r->e->failed_rank, &r->e->failed_status);
    }
}

/* For mpirun hosts have no domain. */
static void see_host(reader *r, const char *name)
{
    for (int i = 0; i < r->hosts->count; i++) {
        const char *full = r->hosts->row[i].name;
        const size_t length = strcspn(full, ".");
        if (strcmp(full, name) == 0 ||
            (strlen(name) == length && strncmp(full, name, length) == 0)) {
            r->host_left[i] = true;
        }
    }
}

static void see(int folder, const char *name, void *context)
{
    reader *r = context;
    const char *suffix = behind(name, OUTCOME_FILE);
    const char *of = NULL;
    if (suffix == NULL) {
        return;
    }
    r->folder = folder;
    if (suffix[0] == '\0') {
        r->e->word = read_mark(r->folder, name);
    } else if (strcmp(suffix, OUTCOME_ALONE) == 0) {
        r->e->alone = read_mark(r->folder, name);
    } else if (strcmp(suffix, OUTCOME_BEGUN) == 0) {
        r->e->begun = true;
    } else if ((of = behind(suffix, OUTCOME_RANK)) != NULL) {
        see_rank(r, name, of);
    } else if ((of = behind(suffix, OUTCOME_LEFT)) != NULL) {
        see_host(r, of);
    } else if ((of = behind(suffix, OUTCOME_LOST)) != NULL) {
        see_host(r, of);
        r->e->host_lost = true;
    }
}

static void see_who_is_left(const reader *r)
{
    bool left = false;
    int rank = 0;
    for (int i = 0; i < r->hosts->count; i++) {
        for (int slot = 0; slot < r->hosts->row[i].slots; slot++, rank++) {
            left = left || (!r->rank_ended[rank] && !r->host_left[i]);
        }
    }
    r->e->rank_0_gone = r->e->rank_0.there || r->host_left[0];
    r->e->nobody_left = !left;
}

/* Reading the folder makes a network file system look again; asking for a file might not. */
void outcome_read(const char *folder, const hosts *h, evidence *e)
{
    reader r = {.hosts = h, .e = e};
    for (int i = 0; i < h->count; i++) {
        r.ranks += h->row[i].slots;
    }
    r.rank_ended = calloc((size_t)r.ranks + 1, sizeof(bool));
    r.host_left = calloc((size_t)h->count + 1, sizeof(bool));
    if (r.rank_ended != NULL && r.host_left != NULL) {
        host_visit_folder(AT_FDCWD, folder, see, &r);
        see_who_is_left(&r);
    }
    free(r.rank_ended);
    free(r.host_left);
}

const char *outcome_daemon_of(const char *entry)
{
    return behind(entry, OUTCOME_FILE OUTCOME_DAEMON);
}
