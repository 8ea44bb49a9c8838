/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors: a status with the text that goes with it. */
#include "base/error.h"

#include "base/number.h"
#include "base/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void error_clear(error *e)
{
    e->status = WEFT_OK;
    e->text[0] = '\0';
}

bool error_is_failure(weft_status status)
{
    const int exit_status = weft_status_exit(status);
    return exit_status == 1 || exit_status == 2;
}

weft_status error_set_list(error *e, weft_status status, const char *format, va_list arguments)
{
    e->status = status;
    (void)number_print_list(e->text, sizeof e->text, format, arguments);
    terminal_clean(e->text);
    return status;
}

weft_status error_set(error *e, weft_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)error_set_list(e, status, format, arguments);
    va_end(arguments);
    return status;
}

weft_status error_memory(error *e, const char *format, ...)
{
    char what[ERROR_TEXT_BYTES / 2];
    va_list arguments;
    va_start(arguments, format);
    (void)number_print_list(what, sizeof what, format, arguments);
    va_end(arguments);
    return error_set(e, WEFT_ERR_MEMORY, "out of memory for %s", what);
}

weft_status error_system(error *e, int number, const char *format, ...)
{
    const weft_status status =
        number == ENOSPC || number == EDQUOT ? WEFT_ERR_NO_SPACE : WEFT_ERR_SYSTEM;
    va_list arguments;
    va_start(arguments, format);
    (void)error_set_list(e, status, format, arguments);
    va_end(arguments);
    char reason[128] = "unknown error";
    (void)strerror_r(number, reason, sizeof reason);
    number_append(e->text, sizeof e->text, ": %s", reason);
    return status;
}
