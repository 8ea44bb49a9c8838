/* SPDX-License-Identifier: BSD-3-Clause */
/* The build of a piece of code: what tells one compilation of a program from another. */
#ifndef BASE_BUILD_H
#define BASE_BUILD_H

#include <stdint.h>

enum { BUILD_TEXT_BYTES = 72 };

/* Of the executable or library that has the address: its build id (ELF's note, which the linker
 * makes of all that it links), or a hash of its file; of the program, if no file has the address.
 * "" if neither can be had. */
void build_of(uintptr_t address, char text[BUILD_TEXT_BYTES]);

#endif
