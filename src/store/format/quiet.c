/* SPDX-License-Identifier: BSD-3-Clause */
/* HDF5's error stack: kept from printing itself, and put into our errors instead. */
#include "store/format/quiet.h"

#include "base/number.h"
#include "base/terminal.h"
#include "store/format/apart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* HDF5 passes errno on in its texts only. */
static herr_t find_number(unsigned n, const H5E_error2_t *entry, void *data)
{
    int *number = data;
    const char *there = entry->desc == NULL ? NULL : strstr(entry->desc, "errno = ");
    (void)n;
    if (there != NULL && *number == 0) {
        uint64_t value = 0;
        there += strlen("errno = ");
        (void)number_take(&there, &value);
        *number = (int)value;
    }
    return 0;
}

static herr_t note_failure(hid_t stack, void *data)
{
    quiet *q = data;
    return H5Ewalk2(stack, H5E_WALK_UPWARD, find_number, &q->number);
}

void quiet_begin(quiet *q)
{
    apart_hold();
    *q = (quiet){.function = NULL};
#ifndef H5_NO_DEPRECATED_SYMBOLS
    unsigned is_v2 = 1;
    (void)H5Eauto_is_v2(H5E_DEFAULT, &is_v2);
    q->is_v1 = is_v2 == 0;
    if (q->is_v1) {
        (void)H5Eget_auto1(&q->function_v1, &q->data);
    }
#endif
    if (!q->is_v1) {
        (void)H5Eget_auto2(H5E_DEFAULT, &q->function, &q->data);
    }
    (void)H5Eset_auto2(H5E_DEFAULT, note_failure, q);
}

void quiet_end(const quiet *q)
{
    (void)H5Eclear2(H5E_DEFAULT);
    (void)H5Eset_auto2(H5E_DEFAULT, q->function, q->data);
#ifndef H5_NO_DEPRECATED_SYMBOLS
    if (q->is_v1) {
        (void)H5Eset_auto1(q->function_v1, q->data);
    }
#endif
    apart_release();
}

void quiet_close(hid_t object)
{
    if (object >= 0) {
        (void)H5Idec_ref(object);
    }
}

/* Upwards from the place where it went wrong: the first entry has the reason. */
static herr_t keep_reason(unsigned n, const H5E_error2_t *entry, void *data)
{
    char *reason = data;
    if (n == 0 && entry->desc != NULL) {
        (void)snprintf(reason, 256, "%s", entry->desc);
    }
    return 0;
}

weft_status quiet_error(error *e, weft_status status, const char *format, ...)
{
    char reason[256] = "";
    (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_reason, reason);
    va_list arguments;
    va_start(arguments, format);
    (void)error_set_list(e, status, format, arguments);
    va_end(arguments);
    if (reason[0] != '\0') {
        number_append(e->text, sizeof e->text, " (HDF5: %s)", reason);
        terminal_clean(e->text);
    }
    return status;
}
