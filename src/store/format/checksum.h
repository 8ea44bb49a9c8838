/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums: XXH3-64 over a tile's bytes, field after field. */
#ifndef STORE_FORMAT_CHECKSUM_H
#define STORE_FORMAT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Over the concatenation of several runs of bytes. */
uint64_t checksum_runs(int runs, const void *const bytes[], const size_t counts[]);

/* The same where the processor has AVX2, which checksum_runs() finds out. */
uint64_t checksum_runs_avx2(int runs, const void *const bytes[], const size_t counts[]);

#endif
