/* SPDX-License-Identifier: BSD-3-Clause */
/* libFuzzer target: a lock file of arbitrary bytes. One that names an owner is what weft writes,
 * and what is said of any fits in its place. */
#define _GNU_SOURCE 1
#include "host/owner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_BYTES = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* The line that names such an owner. */
static void write_line(const owner *o, char *line, size_t bytes)
{
    const host_process *p = &o->process;
    const int length = snprintf(line, bytes, "host %s pid %" PRId64 " started %" PRIu64 " since %s",
                                o->host, p->pid, p->start, o->since.text);
    if (p->boot[0] != '\0') {
        (void)snprintf(line + length, bytes - (size_t)length, " in %s %" PRIu64, p->boot, p->space);
    }
    (void)strcat(line, "\n");
}

static void check(const char *data, size_t size)
{
    owner o;
    char text[2 * OWNER_BYTES] = "";
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    const owner_line line = owner_read(fd, &o);
    demand((line == OWNER_NONE) == (size == 0));
    if (line == OWNER_NAMED) {
        write_line(&o, text, sizeof text);
        demand(strlen(text) == size && memcmp(text, data, size) == 0);
    }
    (void)owner_lives(&o, 0);
    (void)owner_lives(&o, 1e9);
    owner_describe(&o, text, sizeof text);
    demand(strnlen(text, sizeof text) < OWNER_BYTES);
    (void)close(fd);
}

/* Any bytes, and a line of weft's with some of its words replaced, each by what ends with a zero.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { WORDS = 6 };
    static const char *const parts[WORDS][2] = {{"host ", "a"},     {" pid ", "12"},
                                                {" started ", "3"}, {" since ", "2026-01-01"},
                                                {" in ", "b"},      {" ", "4"}};
    char bytes[MOST_BYTES + 1] = "";
    char line[2 * MOST_BYTES] = "";
    size = size < MOST_BYTES ? size : MOST_BYTES;
    memcpy(bytes, data, size);
    check(bytes, size);
    size_t at = 0;
    for (int i = 0; i < WORDS; i++) {
        const char *word = at < size ? bytes + at : "";
        (void)strcat(strcat(line, parts[i][0]), word[0] != '\0' ? word : parts[i][1]);
        at += strlen(word) + 1;
    }
    (void)strcat(line, "\n");
    check(line, strlen(line));
    return 0;
}
