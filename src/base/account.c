/* SPDX-License-Identifier: BSD-3-Clause */
/* Accounts: named values, and what differs between two of them. */
#include "base/account.h"

#include "base/array.h"
#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(account *a, size_t bytes)
{
    if (!ARRAY_RESERVE(a->text, a->room, (int64_t)(a->used + bytes))) {
        a->incomplete = true;
        return false;
    }
    return true;
}

void account_add(account *a, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    const int length = number_print_list(NULL, 0, format, arguments);
    const size_t name_bytes = strlen(name) + 1;
    if (length < 0) {
        a->incomplete = true;
    } else if (make_room(a, name_bytes + (size_t)length + 1)) {
        memcpy(a->text + a->used, name, name_bytes);
        (void)number_print_list(a->text + a->used + name_bytes, (size_t)length + 1, format, again);
        a->used += name_bytes + (size_t)length + 1;
    }
    va_end(again);
    va_end(arguments);
}

void account_append(account *a, const account *more)
{
    a->incomplete = a->incomplete || more->incomplete;
    if (more->used > 0 && make_room(a, more->used)) {
        memcpy(a->text + a->used, more->text, more->used);
        a->used += more->used;
    }
}

void account_clear(account *a)
{
    free(a->text);
    *a = (account){.text = NULL};
}

/* FNV-1a, with a last mix for the high bits of short texts. */
uint64_t account_digest(const account *a)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < a->used; i++) {
        digest = (digest ^ (unsigned char)a->text[i]) * UINT64_C(0x100000001b3);
    }
    return digest ^ digest >> 32;
}

static const char *begin_of(const account *a)
{
    return a->text == NULL ? "" : a->text;
}

/* The text after the one at `at`. */
static const char *next_text(const char *at)
{
    return at + strlen(at) + 1;
}

/* The value of a name; NULL if there is none. */
static const char *find_value(const account *a, const char *name)
{
    const char *end = begin_of(a) + a->used;
    for (const char *at = begin_of(a); at < end;) {
        const char *value = next_text(at);
        if (strcmp(at, name) == 0) {
            return value;
        }
        at = next_text(value);
    }
    return NULL;
}

static void put(char *to, size_t room, const char *text)
{
    if ((size_t)snprintf(to, room, "%s", text) >= room) {
        memcpy(to + room - 4, "...", 4);
    }
}

static bool describe(account_difference *d, const char *name, const char *first, const char *second)
{
    put(d->name, sizeof d->name, name);
    put(d->first, sizeof d->first, first);
    put(d->second, sizeof d->second, second);
    return true;
}

/* The first value that the first account has, and the second has not, or not the same. */
static bool find_value_of_one(const account *first, const account *second, account_difference *d)
{
    const char *end = begin_of(first) + first->used;
    for (const char *at = begin_of(first); at < end;) {
        const char *value = next_text(at);
        const char *other = find_value(second, at);
        if (other == NULL || strcmp(value, other) != 0) {
            return describe(d, at, value, other == NULL ? "absent" : other);
        }
        at = next_text(value);
    }
    return false;
}

bool account_find_difference(const account *first, const account *second, account_difference *d)
{
    account_difference turned;
    return find_value_of_one(first, second, d) ||
           (find_value_of_one(second, first, &turned) &&
            describe(d, turned.name, turned.second, turned.first));
}

bool account_compare(const account *first, const account *second, account_difference *d)
{
    if (first->used == second->used &&
        memcmp(begin_of(first), begin_of(second), first->used) == 0) {
        return false;
    }
    if (account_find_difference(first, second, d)) {
        return true;
    }
    /* The same values in another order. */
    const char *a = begin_of(first);
    const char *b = begin_of(second);
    while (strcmp(a, b) == 0) {
        a = next_text(next_text(a));
        b = next_text(next_text(b));
    }
    return describe(d, "the order", a, b);
}
