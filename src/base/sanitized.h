/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a sanitizer watches over this build: one that has memory, or threads, of its own.
 *
 * Thread: any. */
#ifndef BASE_SANITIZED_H
#define BASE_SANITIZED_H

#if defined(__SANITIZE_THREAD__)
#define SANITIZED_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZED_THREADS 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(SANITIZED_THREADS)
#define SANITIZED_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED_MEMORY 1
#endif
#endif

#ifndef SANITIZED_THREADS
#define SANITIZED_THREADS 0
#endif
#ifndef SANITIZED_MEMORY
#define SANITIZED_MEMORY 0
#endif

#endif
