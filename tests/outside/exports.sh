#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# exports.sh LIBRARY INCLUDE: the shared library exports exactly the functions that the headers in
# the folder INCLUDE mark with WEFT_API.
set -euo pipefail

exported=$(nm -D --defined-only "$1" | awk '{ print $3 }' | LC_ALL=C sort -u)
# A declaration may run over two lines; its name is the word before the first parenthesis.
declared=$(perl -0777 -ne 'print "$1\n" while /^WEFT_API\b[^;(]*?\b(weft_\w+)\s*\(/mg' \
    "$2"/*.h | LC_ALL=C sort -u)

[[ -n $declared ]] || {
    echo "exports: no WEFT_API function found in $2" >&2
    exit 1
}
if ! diff <(echo "$declared") <(echo "$exported"); then
    echo "exports: < is declared and not exported, > is exported and not declared" >&2
    exit 1
fi
echo "exports: $(wc -l <<<"$exported") functions, all declared"
