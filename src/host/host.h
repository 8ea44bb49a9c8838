/* SPDX-License-Identifier: BSD-3-Clause */
/* The host: its name, the cores this process may use, processes by pid, whether a person looks on.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weft/macros.h>

enum { HOST_NAME_BYTES = 64, HOST_MASK_WORDS = 64, HOST_MOST_CORES = 64 * HOST_MASK_WORDS };

/* Which cores: bit c of word c / 64, c being the system's number of a core, or of a hardware thread
 * where cores have several. */
typedef struct host_cores {
    uint64_t mask[HOST_MASK_WORDS];
} host_cores;

void host_name(char name[HOST_NAME_BYTES]);

/* Reads the beginning of a file as text, such as the system has below /proc and /sys; the path is a
 * format. How many bytes that are: 0, and the text is empty, if there is nothing. Any thread; no
 * memory is allocated. */
size_t host_read_file(char *text, size_t room, const char *path, ...) WEFT_PRINTF(3, 4);

/* Calls `visit` for each entry of the folder `name` in the folder `at`, such as AT_FDCWD; `folder`
 * is its descriptor. A link is not followed; what cannot be read has none. */
void host_visit_folder(int at, const char *name,
                       void (*visit)(int folder, const char *entry, void *context), void *context);

/* The cores that the calling thread may run on. */
void host_get_cores(host_cores *cores);

/* Lets the calling thread run on these cores alone; false, and all is as before, if the system does
 * not allow it. */
bool host_bind_thread(const host_cores *cores);

/* The calling thread, which runs for moments and sleeps in between, is to wake up in time, where
 * the system usually lets it sleep for 0.05 ms more, and to get a core soon after that, also where
 * another has just begun to compute there: it asks the system for shares of 0.1 ms. These are
 * Linux's from 6.12 on; elsewhere, and with other policies than the usual one, there are none. */
void host_shorten_slice(void);

/* Gives the calling thread back what a thread had that called this first: itself, or the one that
 * it was created by, and has inherited it from. */
void host_restore_slice(void);

/* The core that the calling thread is on; -1 if that is not known. */
int host_this_core(void);

bool host_has_core(const host_cores *cores, int core);

/* A core from 0 to HOST_MOST_CORES - 1. */
void host_add_core(host_cores *cores, int core);

int host_count_cores(const host_cores *cores);

/* The cores of the host, for all processes together. */
int host_online_cores(void);

/* When a process of this host was started, in clock ticks since boot; 0 if there is none. With the
 * pid it names a process for good, since pids are used again. */
uint64_t host_process_start(int64_t pid);

/* The session that a process of this host is in; 0 if there is no such process, or it has ended and
 * only its parent has not looked yet. */
int64_t host_process_session(int64_t pid);

/* The parent of a process of this host; 0 if there is none. */
int64_t host_process_parent(int64_t pid);

/* A process among all of a cluster. */
typedef struct host_process {
    char boot[40];  /* of its machine; "" if that is not known */
    uint64_t space; /* its pids are counted in, since containers have their own */
    int64_t pid;
    uint64_t start;
} host_process;

void host_this_process(host_process *p);

/* Whether two processes can see each other by pid. */
bool host_process_near(const host_process *a, const host_process *b);

/* Whether a process that is near is still there: false only if that is certain. */
bool host_process_lives(const host_process *p);

/* Whether stderr ends at a terminal; under mpirun, which takes it over a pipe, whether its does. */
bool host_on_terminal(void);

/* Of stdin, stdout and stderr, opens those that are closed, so that no other file becomes one of
 * them, and gets what is printed. To use them is an error as before. */
void host_occupy_streams(void);

#endif
