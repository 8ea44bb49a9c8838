/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * Attributes of the public functions.
 */
#ifndef WEFT_MACROS_H
#define WEFT_MACROS_H

/** Marks a function that the library exports. */
#define WEFT_API __attribute__((visibility("default")))

/** Marks a function whose result must be looked at. */
#define WEFT_NODISCARD __attribute__((warn_unused_result))

/** Lets the compiler check a printf-style format. */
#define WEFT_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))

#ifdef __cplusplus
/** Opens the C declarations of a header. */
#define WEFT_BEGIN_DECLS extern "C" {
/** Closes the C declarations of a header. */
#define WEFT_END_DECLS }
#else
/** Opens the C declarations of a header. */
#define WEFT_BEGIN_DECLS
/** Closes the C declarations of a header. */
#define WEFT_END_DECLS
#endif

#endif
