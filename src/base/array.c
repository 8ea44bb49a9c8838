/* SPDX-License-Identifier: BSD-3-Clause */
/* Arrays that grow. */
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_ELEMENTS = 16 };

/* No array has as many bytes: a terabyte. */
static const size_t most_bytes = (size_t)1 << 40;

bool array_reserve(void *array, int64_t *room, int64_t count, size_t bytes)
{
    if (count <= *room) {
        return true;
    }
    int64_t larger = count > *room * 2 ? count : *room * 2;
    larger = larger > LEAST_ELEMENTS ? larger : LEAST_ELEMENTS;
    void *memory = NULL;
    memcpy(&memory, array, sizeof memory);
    memory = (size_t)larger < most_bytes / bytes ? realloc(memory, (size_t)larger * bytes) : NULL;
    if (memory == NULL) {
        return false;
    }
    memcpy(array, &memory, sizeof memory);
    *room = larger;
    return true;
}
