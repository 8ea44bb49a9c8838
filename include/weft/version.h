/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The version of the headers. The build reads it from here.
 */
#ifndef WEFT_VERSION_H
#define WEFT_VERSION_H

#include <weft/macros.h>

WEFT_BEGIN_DECLS

/** The version of the headers, as text. */
#define WEFT_VERSION "0.1.0"

/**
 * The version of the library.
 *
 * @local Any thread.
 * @return a static string, such as "0.1.0"
 */
WEFT_API const char *weft_version(void);

WEFT_END_DECLS

#endif
