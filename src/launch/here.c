/* SPDX-License-Identifier: BSD-3-Clause */
/* This host, among others. */
#include "launch/here.h"

#include "base/number.h"
#include "host/host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

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

static bool are_equal(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a->sa_family != b->sa_family) {
        return false;
    }
    if (a->sa_family == AF_INET) {
        return memcmp(&((const struct sockaddr_in *)(const void *)a)->sin_addr,
                      &((const struct sockaddr_in *)(const void *)b)->sin_addr,
                      sizeof(struct in_addr)) == 0;
    }
    return a->sa_family == AF_INET6 &&
           memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr,
                  sizeof(struct in6_addr)) == 0;
}

/* Some systems give a host's own name an address, such as 127.0.1.1, that no interface has. */
static bool is_loopback(const struct sockaddr *a)
{
    return a->sa_family == AF_INET &&
           ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr) >> 24 == 127;
}

static bool has_address(const struct ifaddrs *mine, const struct addrinfo *of)
{
    if (is_loopback(of->ai_addr)) {
        return true;
    }
    for (; mine != NULL; mine = mine->ifa_next) {
        if (mine->ifa_addr != NULL && are_equal(mine->ifa_addr, of->ai_addr)) {
            return true;
        }
    }
    return false;
}

static int find_by_address(const hosts *h)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct ifaddrs *mine = NULL;
    int found = -1;
    if (getifaddrs(&mine) != 0) {
        return -1;
    }
    for (int i = 0; i < h->count && found < 0; i++) {
        struct addrinfo *of = NULL;
        if (getaddrinfo(h->row[i].name, NULL, &wanted, &of) == 0) {
            found = has_address(mine, of) ? i : -1;
            freeaddrinfo(of);
        }
    }
    freeifaddrs(mine);
    return found;
}

int here_find(const hosts *h)
{
    char name[HOST_NAME_BYTES];
    host_name(name);
    const int found = hosts_find(h, name);
    return found >= 0 ? found : find_by_address(h);
}
