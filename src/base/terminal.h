/* SPDX-License-Identifier: BSD-3-Clause */
/* Text from elsewhere, as a path, a file or a kernel, made fit for a terminal. */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdarg.h>
#include <weft/macros.h>

/* Replaces by question marks, in place, what a terminal could act on, what changes the order of
 * what it shows, line ends, and what is not UTF-8. All other letters stay. */
void terminal_clean(char *text);

/* A line of a program on stderr, with `before` in front: in one piece, so that lines of several
 * processes do not mix, and fit for a terminal whatever is in it. Allocates. */
void terminal_print_list(const char *before, const char *format, va_list arguments)
    WEFT_PRINTF(2, 0);

#endif
