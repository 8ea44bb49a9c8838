/* SPDX-License-Identifier: BSD-3-Clause */
/* Accounts: named values, such as all that two ranks must have in common, and what differs between
 * two of them. */
#ifndef BASE_ACCOUNT_H
#define BASE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weft/macros.h>

/* Zero-initialised: empty. */
typedef struct account {
    char *text; /* name, value, name, value …, each ended by a zero */
    size_t used;
    int64_t room;
    bool incomplete; /* memory ran out */
} account;

enum { ACCOUNT_NAME_BYTES = 128, ACCOUNT_VALUE_BYTES = 128 };

/* The first difference between two accounts, in words; long values are cut. */
typedef struct account_difference {
    char name[ACCOUNT_NAME_BYTES];
    char first[ACCOUNT_VALUE_BYTES];
    char second[ACCOUNT_VALUE_BYTES];
} account_difference;

/* Adds a value. Names are unique within an account. */
void account_add(account *a, const char *name, const char *format, ...) WEFT_PRINTF(3, 4);

/* Adds all of another account. */
void account_append(account *a, const account *more);

/* Frees its memory; it is empty afterwards. */
void account_clear(account *a);

/* Equal accounts have equal digests, others nearly never. */
uint64_t account_digest(const account *a);

/* Whether one has a value that the other has not, or has another one; the first such. */
bool account_find_difference(const account *first, const account *second, account_difference *d);

/* The same, or they differ in the order of their values. */
bool account_compare(const account *first, const account *second, account_difference *d);

#endif
