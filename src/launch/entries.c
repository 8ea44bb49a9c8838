/* SPDX-License-Identifier: BSD-3-Clause */
/* The entries of a folder. */
#define _GNU_SOURCE 1
#include "launch/entries.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

void entries_visit(int at, const char *name,
                   void (*visit)(int folder, const char *entry, void *context), void *context)
{
    const int folder = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = folder < 0 ? NULL : fdopendir(folder);
    const struct dirent *entry = NULL;
    if (entries == NULL) {
        if (folder >= 0) {
            (void)close(folder);
        }
        return;
    }
    /* cppcheck-suppress readdirCalled ; each stream has one reader */
    while ((entry = readdir(entries)) != NULL) {
        visit(folder, entry->d_name, context);
    }
    (void)closedir(entries);
}
