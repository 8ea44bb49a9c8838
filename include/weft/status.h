/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * What a call returns, and what a program ends with.
 */
#ifndef WEFT_STATUS_H
#define WEFT_STATUS_H

#include <weft/macros.h>

WEFT_BEGIN_DECLS

/**
 * Every status: X(name, value, exit status of a program that ends with it, text).
 *
 * The exit statuses are part of the contract with batch scripts: 0 complete, 1 internal or system
 * error, 2 wrong usage or a file of another job, 3 complete but some items failed, 75 stopped early
 * in good order (run the same command again to continue).
 */
#define WEFT_STATUS_MAP(X)                                                   \
    X(WEFT_OK, 0, 0, "success")                                              \
    X(WEFT_ERR_USAGE, -1, 2, "wrong usage")                                  \
    X(WEFT_ERR_MEMORY, -2, 1, "out of memory")                               \
    X(WEFT_ERR_SYSTEM, -3, 1, "a system call failed")                        \
    X(WEFT_ERR_NO_SPACE, -4, 1, "no space left for the result")              \
    X(WEFT_ERR_MPI, -5, 1, "an MPI call failed")                             \
    X(WEFT_ERR_HDF5, -6, 1, "an HDF5 call failed")                           \
    X(WEFT_ERR_FORMAT, -7, 2, "not a result of weft")                        \
    X(WEFT_ERR_OTHER_JOB, -8, 2, "the result belongs to another job")        \
    X(WEFT_ERR_BUSY, -9, 2, "the result is in use by another run")           \
    X(WEFT_ERR_NOT_FOUND, -10, 2, "no such file, field or parameter")        \
    X(WEFT_ERR_CORRUPT, -11, 1, "the result is damaged")                     \
    X(WEFT_ERR_INTERNAL, -12, 1, "an error in weft itself")                  \
    X(WEFT_ITEMS_FAILED, -13, 3, "complete, but some items failed")          \
    X(WEFT_STOPPED, -14, 75,                                                 \
      "stopped early in good order; run the same command again to continue") \
    X(WEFT_HELP_SHOWN, -15, 0, "the help text was printed")                  \
    X(WEFT_TIMEOUT, -16, 75, "not done in the time given; it goes on")       \
    X(WEFT_CANCELLED, -17, 75, "cancelled by the program; goes on where it is started again")

/** The status of a call: WEFT_OK is 0, everything else is negative. */
typedef enum weft_status {
#define WEFT_STATUS_ENUM(name, value, exit_status, text) name = (value),
    WEFT_STATUS_MAP(WEFT_STATUS_ENUM)
#undef WEFT_STATUS_ENUM
} weft_status;

/**
 * The name of a status, such as "WEFT_ERR_USAGE".
 *
 * @local Any thread.
 * @param status any value
 * @return a static string, never NULL; "WEFT_?" for a value that is not a status
 */
WEFT_API const char *weft_status_name(weft_status status);

/**
 * What a status means, in a few words.
 *
 * @local Any thread.
 * @param status any value
 * @return a static string, never NULL
 */
WEFT_API const char *weft_status_text(weft_status status);

/**
 * The exit status that a program ends with: 0, 1, 2, 3 or 75.
 *
 * @local Any thread.
 * @param status any value; what is not a status gives 1
 * @return the exit status
 */
WEFT_API int weft_status_exit(weft_status status);

WEFT_END_DECLS

#endif
