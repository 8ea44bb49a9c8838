/* SPDX-License-Identifier: BSD-3-Clause */
/* This host, among others. */
#define _GNU_SOURCE 1
#include "launch/here.h"

#include "base/number.h"
#include "host/host.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The first hardware thread of a core; the thread itself if that is not known. */
static int first_of_core(int thread)
{
    char text[16];
    const char *at = text;
    uint64_t first = HOST_MOST_CORES;
    (void)host_read_file(text, sizeof text,
                         "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", thread);
    (void)number_take(&at, &first);
    return first < HOST_MOST_CORES ? (int)first : thread;
}

int here_cores(void)
{
    host_cores usable;
    host_cores cores;
    memset(&cores, 0, sizeof cores);
    host_get_cores(&usable);
    for (int i = 0; i < HOST_MOST_CORES; i++) {
        if (host_has_core(&usable, i)) {
            host_add_core(&cores, first_of_core(i));
        }
    }
    const int count = host_count_cores(&cores);
    return count > 0 ? count : 1;
}

/* Whether it is an address of this host: no other can be bound. Some systems give a host's own name
 * an address, such as 127.0.1.1, that no interface has. */
static bool is_mine(const struct addrinfo *of)
{
    const int fd = socket(of->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool mine = fd >= 0 && bind(fd, of->ai_addr, of->ai_addrlen) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return mine;
}

static int find_by_address(const hosts *h)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    int found = -1;
    for (int i = 0; i < h->count && found < 0; i++) {
        struct addrinfo *of = NULL;
        if (getaddrinfo(h->row[i].name, NULL, &wanted, &of) == 0) {
            found = is_mine(of) ? i : -1;
            freeaddrinfo(of);
        }
    }
    return found;
}

int here_find(const hosts *h)
{
    char name[HOST_NAME_BYTES];
    host_name(name);
    const int found = hosts_find(h, name);
    return found >= 0 ? found : find_by_address(h);
}
