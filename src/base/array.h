/* SPDX-License-Identifier: BSD-3-Clause */
/* Arrays that grow. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes an array large enough for `count` elements, and with some to spare if it has to grow:
 * `array` is a pointer to its first element, NULL at first, and `room`, an int64_t, how many it is
 * large enough for. False if there is no memory for that; then both are as they were. */
#define ARRAY_RESERVE(array, room, count) array_reserve(&(array), &(room), (count), sizeof *(array))

bool array_reserve(void *array, int64_t *room, int64_t count, size_t bytes);

#endif
