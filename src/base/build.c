/* SPDX-License-Identifier: BSD-3-Clause */
/* The build of a piece of code: what tells one compilation of a program from another. */
#define _GNU_SOURCE 1
#include "base/build.h"

#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NOTE_ALIGNMENT = 4, BUFFER_BYTES = 1 << 16 };

/* An ELF file in memory. */
typedef struct object {
    uintptr_t address; /* that it is to have; 0: the program is meant */
    char path[4096];
    unsigned char id[(BUILD_TEXT_BYTES - 1) / 2];
    size_t id_bytes;
    bool found;
} object;

static size_t padded(size_t bytes)
{
    return (bytes + NOTE_ALIGNMENT - 1) / NOTE_ALIGNMENT * NOTE_ALIGNMENT;
}

/* Looks for the build id in a segment of notes. */
static void read_notes(object *o, const unsigned char *at, size_t bytes)
{
    while (bytes >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, at, sizeof note);
        const size_t name = sizeof note;
        const size_t text = name + padded(note.n_namesz);
        const size_t end = text + padded(note.n_descsz);
        if (end > bytes || end < text) {
            return;
        }
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof "GNU" &&
            memcmp(at + name, "GNU", sizeof "GNU") == 0) {
            o->id_bytes = note.n_descsz < sizeof o->id ? note.n_descsz : sizeof o->id;
            memcpy(o->id, at + text, o->id_bytes);
            return;
        }
        at += end;
        bytes -= end;
    }
}

static bool has_address(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const uintptr_t first = (uintptr_t)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        if (info->dlpi_phdr[i].p_type == PT_LOAD && address >= first &&
            address - first < info->dlpi_phdr[i].p_memsz) {
            return true;
        }
    }
    return false;
}

/* The first object is the program, whose name is empty. */
static int look_at_object(struct dl_phdr_info *info, size_t bytes, void *context)
{
    object *o = context;
    (void)bytes;
    if (o->address != 0 && !has_address(info, o->address)) {
        return 0;
    }
    (void)snprintf(o->path, sizeof o->path, "%s",
                   info->dlpi_name[0] == '\0' ? "/proc/self/exe" : info->dlpi_name);
    for (int i = 0; i < info->dlpi_phnum && o->id_bytes == 0; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE) {
            const uintptr_t at = (uintptr_t)(info->dlpi_addr + segment->p_vaddr);
            /* NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives addresses as numbers. */
            read_notes(o, (const unsigned char *)at, segment->p_memsz);
        }
    }
    o->found = true;
    return 1;
}

/* FNV-1a; false if the file cannot be read. */
static bool hash_file(const char *path, uint64_t *hash)
{
    unsigned char buffer[BUFFER_BYTES];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;
    *hash = UINT64_C(0xcbf29ce484222325);
    while (fd >= 0 && (got = read(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            *hash = (*hash ^ buffer[i]) * UINT64_C(0x100000001b3);
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return got == 0;
}

void build_of(uintptr_t address, char text[BUILD_TEXT_BYTES])
{
    object o = {.address = address};
    uint64_t hash = 0;
    text[0] = '\0';
    (void)dl_iterate_phdr(look_at_object, &o);
    if (!o.found) {
        o.address = 0;
        (void)dl_iterate_phdr(look_at_object, &o);
    }
    for (size_t i = 0; i < o.id_bytes; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", o.id[i]);
    }
    if (o.id_bytes == 0 && o.found && hash_file(o.path, &hash)) {
        (void)snprintf(text, BUILD_TEXT_BYTES, "hash-%016" PRIx64, hash);
    }
}
