/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * An option of a program's own, beside those that every program built on weft has.
 */
#ifndef WEFT_OPTION_H
#define WEFT_OPTION_H

#include <weft/macros.h>

WEFT_BEGIN_DECLS

/** The type of an option's value, and so of what weft_option::value points to. */
typedef enum weft_option_type {
    WEFT_OPTION_FLAG,   /**< no argument; `bool`, set to true */
    WEFT_OPTION_INT64,  /**< a whole number, also as 1e6, or with k, M or G behind it; `int64_t` */
    WEFT_OPTION_DOUBLE, /**< a finite number, with a point in every locale; `double` */
    WEFT_OPTION_STRING  /**< text; `const char *`, which lives as long as argv does */
} weft_option_type;

/** One option of a program, `--name ARGUMENT` or `--name=ARGUMENT`. */
typedef struct weft_option {
    const char *name;      /**< without the dashes */
    const char *argument;  /**< what the help text calls the argument; NULL for a flag */
    weft_option_type type; /**< how the argument is read */
    void *value;           /**< where it is stored; what lies there before is the default */
    const char *help;      /**< one line for `--help` */
} weft_option;

WEFT_END_DECLS

#endif
