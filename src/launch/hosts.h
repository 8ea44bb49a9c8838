/* SPDX-License-Identifier: BSD-3-Clause */
/* The hosts of a run: lists of them as people and Slurm write them, and how ranks are shared out.
 * No file or system call is involved. */
#ifndef LAUNCH_HOSTS_H
#define LAUNCH_HOSTS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct hosts_row {
    char *name;
    int cores; /* 0: not known */
    int slots; /* ranks on it */
} hosts_row;

/* Zero-initialised: empty. */
typedef struct hosts {
    hosts_row *row;
    int count;
    int64_t room;
} hosts;

void hosts_free(hosts *h);

/* Adds a host; with `cores` as text, NULL if not known. What is no name of a host, or no number, is
 * WEFT_ERR_USAGE. */
weft_status hosts_add(hosts *h, const char *name, const char *cores, error *e);

/* "a,b:16,…", with the number of cores behind a colon. */
weft_status hosts_read_list(hosts *h, const char *list, error *e);

/* A line of a host file: "a", "a slots=16", a comment, or nothing. */
weft_status hosts_read_line(hosts *h, const char *line, error *e);

/* Slurm's way of writing hosts, "n[1-3,07],m", and cores on each, "16(x2),8"; cores that do not fit
 * the hosts, as in a step smaller than its job, are not known. */
weft_status hosts_read_slurm(hosts *h, const char *nodes, const char *cores, error *e);

/* Shares ranks out as evenly as can be; hosts without any are left out. */
void hosts_share(hosts *h, int ranks);

/* The same as Slurm says, "2(x2),1"; false if that does not fit the hosts. */
bool hosts_share_as_slurm(hosts *h, const char *tasks);

void hosts_to_front(hosts *h, int index);

/* The host that is named as this one, wherever either name ends; -1: none is. */
int hosts_find(const hosts *h, const char *here);

/* The cores for each rank: the least of any host; 0 if those of some host are not known. */
int hosts_least_share(const hosts *h);

/* Whether each host has the cores for `workers` per rank, but no second such job fits beside this
 * one: that would be bound to the same cores. */
bool hosts_are_filled(const hosts *h, int workers);

#endif
