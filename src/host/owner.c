/* SPDX-License-Identifier: BSD-3-Clause */
/* The line in a file that names the process whose it is: a lock file, or a run's folder. */
#include "host/owner.h"

#include "base/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The holder touches its file every few seconds. */
enum { STALE_S = 60 };

static const char unknown_boot[] = "-";

static void format(const owner *o, char text[OWNER_BYTES])
{
    const host_process *p = &o->process;
    (void)snprintf(text, OWNER_BYTES, "host %s pid %" PRId64 " started %" PRIu64 " since %s",
                   o->host, p->pid, p->start, o->since.text);
    if (p->boot[0] != '\0') {
        number_append(text, OWNER_BYTES, " in %s %" PRIu64, p->boot, p->space);
    }
    number_append(text, OWNER_BYTES, "\n");
}

static bool parse(const char *text, owner *o)
{
    host_process *p = &o->process;
    /* The caller compares the text with what format() makes of these: no number has overflowed. */
    /* NOLINTNEXTLINE(cert-err34-c) */
    const int found = sscanf(text,
                             "host %63s pid %" SCNd64 " started %" SCNu64 " since %31s in %39s "
                             "%" SCNu64,
                             o->host, &p->pid, &p->start, o->since.text, p->boot, &p->space);
    if (found == 4) {
        p->boot[0] = '\0';
    }
    return found == 4 || found == 6;
}

owner_line owner_read(int fd, owner *o)
{
    struct stat file;
    char text[OWNER_BYTES + 1];
    char again[OWNER_BYTES];
    memset(o, 0, sizeof *o);
    /* A second name may be one under which another program knows the file. */
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_nlink > 1) {
        return OWNER_FOREIGN;
    }
    const ssize_t length = pread(fd, text, OWNER_BYTES, 0);
    if (length == 0) {
        return OWNER_NONE;
    }
    if (length < 0 || length == OWNER_BYTES) {
        return OWNER_FOREIGN;
    }
    text[length] = '\0';
    const bool named = parse(text, o);
    format(o, again);
    const bool whole = named && strlen(again) == (size_t)length && strcmp(text, again) == 0;
    if (!whole) {
        memset(o, 0, sizeof *o);
    }
    return whole ? OWNER_NAMED : OWNER_FOREIGN;
}

bool owner_write(int fd)
{
    owner me;
    char text[OWNER_BYTES];
    host_name(me.host);
    host_this_process(&me.process);
    me.since = clock_date(clock_wall_s());
    if (me.process.boot[0] == '\0') {
        memcpy(me.process.boot, unknown_boot, sizeof unknown_boot);
    }
    format(&me, text);
    const size_t length = strlen(text);
    struct stat file;
    /* A file that has been emptied is written to disk when it is closed (ext4), and waited for. */
    const bool empty = fstat(fd, &file) == 0 && (file.st_size == 0 || ftruncate(fd, 0) == 0);
    return empty && pwrite(fd, text, length, 0) == (ssize_t)length;
}

bool owner_lives(const owner *o, double age_s)
{
    host_process me;
    host_this_process(&me);
    return host_process_near(&me, &o->process) ? host_process_lives(&o->process) : age_s < STALE_S;
}

void owner_describe(const owner *o, char *text, size_t bytes)
{
    (void)snprintf(text, bytes, "pid %" PRId64 " on host %s since %s", o->process.pid, o->host,
                   o->since.text);
}
