#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# check.sh WORK: ThreadSanitizer with clang's OpenMP and its Archer tool must report a planted race,
# and nothing in the same program without it. Otherwise a clean run of the tests says nothing.
set -euo pipefail

work=$1
source=$(dirname "${BASH_SOURCE[0]}")/planted_race.c
export ARCHER_OPTIONS=verbose=1
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 ${TSAN_OPTIONS:-}"
export KMP_BLOCKTIME=0

fail() {
    cat "$work/log"
    echo "tsan: $*" >&2
    exit 1
}

build() {
    clang -g -O1 -fsanitize=thread -fopenmp "${@:2}" "$source" -o "$work/$1"
}

mkdir -p "$work"
build race -DPLANT
build race_free

if "$work/race" >"$work/log" 2>&1; then
    fail "the planted race was not reported"
fi
grep -q "data race" "$work/log" || fail "the planted race was not reported"
"$work/race_free" >"$work/log" 2>&1 || fail "a program without a race failed"
grep -q "^Archer detected OpenMP application" "$work/log" || fail "Archer is not loaded"
if grep -q "data race" "$work/log"; then
    fail "a race was reported where there is none"
fi
echo "tsan: Archer is loaded, the planted race is reported, and nothing else"
