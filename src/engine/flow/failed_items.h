/* SPDX-License-Identifier: BSD-3-Clause */
/* Which items of a run of items have failed, and which of these are in quarantine: two bits each,
 * allocated before anything is computed, so that no failure is lost for want of memory.
 *
 * Thread: any, as each function says. */
#ifndef ENGINE_FLOW_FAILED_ITEMS_H
#define ENGINE_FLOW_FAILED_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct failed_items failed_items;

/* Items 0 … items - 1, none of them failed. NULL: out of memory. */
failed_items *failed_items_create(int64_t items);

/* NULL is allowed. */
void failed_items_destroy(failed_items *f);

/* Any threads may be at items of their own at the same time. False if it had failed already. */
bool failed_items_add(failed_items *f, int64_t item, bool quarantined);

/* The first failed item that is not below `item`; `end` if there is none before that. */
int64_t failed_items_next(const failed_items *f, int64_t item, int64_t end);

/* The first item that is not below `item` and has not failed; `end` if there is none before that.
 */
int64_t failed_items_next_good(const failed_items *f, int64_t item, int64_t end);

/* How many of the items first … end - 1 have failed, and whether one of them is in quarantine. */
int64_t failed_items_count(const failed_items *f, int64_t first, int64_t end, bool *quarantined);

/* Items first … end - 1 have not failed. */
void failed_items_clear(failed_items *f, int64_t first, int64_t end);

#endif
