/* SPDX-License-Identifier: BSD-3-Clause */
/* The hosts of a run. */
#include "launch/hosts.h"

#include "base/array.h"
#include "base/number.h"
#include "launch/words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char name_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

/* More hosts than that are a slip, as in n[1-99999999]. */
enum { MOST_HOSTS = 1 << 20, MOST_NAME_BYTES = 255 };

void hosts_free(hosts *h)
{
    for (int i = 0; i < h->count; i++) {
        free(h->row[i].name);
    }
    free(h->row);
    memset(h, 0, sizeof *h);
}

static weft_status check_name(const char *name, error *e)
{
    if (strlen(name) > MOST_NAME_BYTES) {
        return error_set(e, WEFT_ERR_USAGE, "'%.40s…' is too long for a name of a host", name);
    }
    if (name[0] == '-') {
        return error_set(e, WEFT_ERR_USAGE,
                         "'%s' is no name of a host: it begins with '-', as options do", name);
    }
    if (name[0] == '\0' || name[strspn(name, name_characters)] != '\0') {
        return error_set(e, WEFT_ERR_USAGE, "'%s' is no name of a host", name);
    }
    return WEFT_OK;
}

weft_status hosts_add(hosts *h, const char *name, const char *cores, error *e)
{
    hosts_row added = {.name = NULL};
    const weft_status status = check_name(name, e);
    if (status != WEFT_OK) {
        return status;
    }
    if (cores != NULL && !number_read_count(cores, 1, &added.cores)) {
        return error_set(e, WEFT_ERR_USAGE,
                         "cores of host %s: '%s' is not a whole number of at least 1", name, cores);
    }
    if (!ARRAY_RESERVE(h->row, h->room, h->count + 1)) {
        return error_memory(e, "the names of hosts");
    }
    added.name = words_text("%s", name);
    h->row[h->count++] = added;
    return WEFT_OK;
}

weft_status hosts_read_list(hosts *h, const char *list, error *e)
{
    while (*list != '\0') {
        const size_t length = strcspn(list, ",");
        char *name = words_text("%.*s", (int)length, list);
        char *colon = strchr(name, ':');
        if (colon != NULL) {
            *colon = '\0';
        }
        const bool has_cores = colon != NULL && colon[1] != '\0';
        const weft_status status = hosts_add(h, name, has_cores ? colon + 1 : NULL, e);
        free(name);
        if (status != WEFT_OK) {
            return status;
        }
        list += length + (list[length] == ',');
    }
    return WEFT_OK;
}

weft_status hosts_read_line(hosts *h, const char *line, error *e)
{
    words parts = {.count = 0};
    words_split(&parts, line);
    weft_status status = WEFT_OK;
    if (parts.count > 0 && parts.word[0][0] != '#') {
        const char *cores = NULL;
        for (int i = 1; i < parts.count && cores == NULL; i++) {
            cores = strncmp(parts.word[i], "slots=", 6) == 0 ? parts.word[i] + 6 : NULL;
        }
        status = hosts_add(h, parts.word[0], cores, e);
    }
    words_free(&parts);
    return status;
}

static weft_status expand(hosts *h, const char *before, const char *pattern, error *e);

/* A part of such a list as "1-3" or "07", of `length` characters; returns how many digits its
 * numbers have, 0 if it is no such part. */
static int read_range(const char *part, size_t length, uint64_t *first, uint64_t *last)
{
    const char *at = part;
    if (!number_take(&at, first)) {
        return 0;
    }
    const int digits = at - part <= 9 ? (int)(at - part) : 0;
    *last = *first;
    if (*at == '-') {
        at++;
        (void)number_take(&at, last);
    }
    const bool whole = at == part + length && at[-1] != '-';
    return whole && *last >= *first && *last - *first < MOST_HOSTS ? digits : 0;
}

/* Each number of "1-3,07]" between `before` and what is behind the bracket. */
static weft_status expand_numbers(hosts *h, const char *before, const char *list,
                                  const char *behind, error *e)
{
    const char *at = list;
    do {
        const size_t length = strcspn(at, ",]");
        uint64_t first = 0;
        uint64_t last = 0;
        const int digits = read_range(at, length, &first, &last);
        if (digits == 0) {
            return error_set(e, WEFT_ERR_USAGE, "'%.*s' is no list of numbers of hosts",
                             (int)(behind - list - 1), list);
        }
        for (uint64_t i = first; i <= last; i++) {
            char *longer = words_text("%s%0*" PRIu64, before, digits, i);
            const weft_status status = expand(h, longer, behind, e);
            free(longer);
            if (status != WEFT_OK) {
                return status;
            }
        }
        at += length + 1;
    } while (at < behind);
    return WEFT_OK;
}

/* Adds the hosts of one pattern, "rack[1-2]n[01-16]", behind what is expanded so far. */
static weft_status expand(hosts *h, const char *before, const char *pattern, error *e)
{
    const char *open = strchr(pattern, '[');
    const char *close = open == NULL ? NULL : strchr(open, ']');
    if (h->count >= MOST_HOSTS) {
        return error_set(e, WEFT_ERR_USAGE, "more than %d hosts are named", MOST_HOSTS);
    }
    /* Also bounds how deep this goes: each bracket makes the name longer. */
    if (strlen(before) > MOST_NAME_BYTES) {
        return check_name(before, e);
    }
    char *name =
        words_text("%s%.*s", before,
                   (int)(close == NULL ? strlen(pattern) : (size_t)(open - pattern)), pattern);
    const weft_status status = close == NULL ? hosts_add(h, name, NULL, e)
                                             : expand_numbers(h, name, open + 1, close + 1, e);
    free(name);
    return status;
}

/* Reads "16(x2),8"; returns how many numbers that are, -1 if it is no such list, and stores those
 * that there is room for. */
static int read_numbers(const char *list, int number[], int room)
{
    int count = 0;
    while (*list != '\0') {
        uint64_t value = 0;
        uint64_t times = 1;
        if (!number_take(&list, &value) || value < 1 || value > 9999999) {
            return -1;
        }
        if (strncmp(list, "(x", 2) == 0) {
            list += 2;
            if (!number_take(&list, &times) || times < 1 || times > MOST_HOSTS || *list++ != ')') {
                return -1;
            }
        }
        for (uint64_t i = 0; i < times; i++, count++) {
            if (count < room) {
                number[count] = (int)value;
            }
        }
        if ((*list != ',' && *list != '\0') || count > MOST_HOSTS) {
            return -1;
        }
        list += *list == ',';
    }
    return count;
}

/* Sets a number of each host, its slots or its cores; false if the list has more or fewer. */
static bool set_numbers(hosts *h, const char *list, bool slots)
{
    int *number = calloc((size_t)h->count + 1, sizeof *number);
    const bool fits =
        number != NULL && list != NULL && read_numbers(list, number, h->count) == h->count;
    for (int i = 0; fits && i < h->count; i++) {
        *(slots ? &h->row[i].slots : &h->row[i].cores) = number[i];
    }
    free(number);
    return fits;
}

weft_status hosts_read_slurm(hosts *h, const char *nodes, const char *cores, error *e)
{
    while (*nodes != '\0') {
        size_t length = 0;
        for (bool inside = false; nodes[length] != '\0' && (inside || nodes[length] != ',');
             length++) {
            inside = nodes[length] == '[' || (inside && nodes[length] != ']');
        }
        char *pattern = words_text("%.*s", (int)length, nodes);
        const weft_status status = expand(h, "", pattern, e);
        free(pattern);
        if (status != WEFT_OK) {
            return status;
        }
        nodes += length + (nodes[length] == ',');
    }
    (void)set_numbers(h, cores, false);
    return WEFT_OK;
}

void hosts_share(hosts *h, int ranks)
{
    const int count = h->count;
    for (int i = 0; i < count; i++) {
        h->row[i].slots = ranks / count + (i < ranks % count);
    }
    while (h->count > 0 && h->row[h->count - 1].slots == 0) {
        free(h->row[--h->count].name);
    }
}

bool hosts_share_as_slurm(hosts *h, const char *tasks)
{
    return set_numbers(h, tasks, true);
}

void hosts_to_front(hosts *h, int index)
{
    const hosts_row first = h->row[index];
    memmove(h->row + 1, h->row, (size_t)index * sizeof *h->row);
    h->row[0] = first;
}

int hosts_find(const hosts *h, const char *here)
{
    const size_t length = strcspn(here, ".");
    for (int i = 0; i < h->count; i++) {
        const char *name = h->row[i].name;
        if (strcmp(name, "localhost") == 0 ||
            (strcspn(name, ".") == length && strncmp(name, here, length) == 0)) {
            return i;
        }
    }
    return -1;
}

int hosts_least_share(const hosts *h)
{
    int least = 0;
    for (int i = 0; i < h->count; i++) {
        const int cores = h->row[i].cores;
        const int slots = h->row[i].slots;
        if (cores == 0) {
            return 0;
        }
        const int share = cores >= slots ? cores / slots : 1;
        least = i == 0 || share < least ? share : least;
    }
    return least;
}

bool hosts_are_filled(const hosts *h, int workers)
{
    for (int i = 0; i < h->count; i++) {
        const int64_t cores = h->row[i].cores;
        const int64_t wanted = (int64_t)workers * h->row[i].slots;
        if (wanted > cores || 2 * wanted <= cores) {
            return false;
        }
    }
    return true;
}
