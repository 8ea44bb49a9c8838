/* SPDX-License-Identifier: BSD-3-Clause */
/* Text from elsewhere, as a path, a file or a kernel, made fit for a terminal. */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

/* Replaces by question marks, in place, what a terminal could act on, what changes the order of
 * what it shows, line ends, and what is not UTF-8. All other letters stay. */
void terminal_clean(char *text);

#endif
