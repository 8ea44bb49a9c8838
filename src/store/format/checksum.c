/* SPDX-License-Identifier: BSD-3-Clause */
/* Checksums: XXH3-64 over a tile's bytes, field after field. */
#include "store/format/checksum.h"

#include "store/format/xxh3.h"

uint64_t checksum_runs(int runs, const void *const bytes[], const size_t counts[])
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        return checksum_runs_avx2(runs, bytes, counts);
    }
#endif
    return xxh3_runs(runs, bytes, counts);
}
