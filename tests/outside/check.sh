#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# check.sh BUILD WORK [CC [CFLAGS...]]: installs the build folder BUILD to a prefix under the folder
# WORK, builds the project outside of the tree with find_package and with pkg-config, and the README's
# program, and runs what comes out, the installed programs too.
set -euo pipefail

build=$(realpath "$1")
work=$2
cc=${3:-cc}
cflags=("${@:4}")
project=$(realpath "$(dirname "${BASH_SOURCE[0]}")/project")
readme=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../README.md")

step() {
    echo "outside: $*"
}

fail() {
    echo "outside: $*" >&2
    exit 1
}

# Reads to the end, other than grep -q, which would end what still writes with SIGPIPE.
contains() {
    grep "${@:1:$#-1}" -- "${*: -1}" >/dev/null
}

# The prefix has moved after the build was configured, as with a package: nothing may remember it.
install_weft() {
    step "installing to $work/prefix"
    cmake --install "$build" --prefix "$work/before" >"$work/install.log"
    mv "$work/before" "$work/prefix"
}

run_squares() {
    local squares=$1 out=$2
    "$squares" --threads 1 --out "$out" || fail "$squares ended with status $?"
    h5dump -d /results/square -s 999 -c 1 "$out" | contains 998001 || fail "$out lacks the last square"
}

with_find_package() {
    step "find_package"
    cmake -S "$project" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" \
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="${cflags[*]}" >"$work/cmake.log"
    cmake --build "$work/cmake" >>"$work/cmake.log"
    run_squares "$work/cmake/squares" "$work/cmake.h5"
}

# compile SOURCE PROGRAM: with what weft.pc says.
compile() {
    local pc flags=() static=()
    pc=$(find "$work/prefix" -name weft.pc -print -quit)
    [[ -n $pc ]] || fail "no weft.pc was installed"
    export PKG_CONFIG_PATH=${pc%/*}
    [[ -n $(find "$work/prefix" -name 'libweft.so' -print -quit) ]] || static=(--static)
    read -ra flags <<<"$(pkg-config --cflags --libs "${static[@]}" weft)"
    "$cc" "${cflags[@]}" -O2 -Wall -Werror "$1" -o "$2" "${flags[@]}"
    export LD_LIBRARY_PATH
    LD_LIBRARY_PATH=$(pkg-config --variable=libdir weft)
}

with_pkg_config() {
    step "pkg-config"
    compile "$project/squares.c" "$work/squares"
    run_squares "$work/squares" "$work/pkg-config.h5"
}

# A library shows its user what the headers promise, and no other name.
own_names() {
    local library shown=-g
    step "names of the user's own"
    library=$(find "$work/prefix" -name libweft.so -o -name libweft.a)
    [[ $library != *.so ]] || shown=-D
    if nm "$shown" --defined-only "$library" | awk 'NF == 3 { print $3 }' | contains -v '^weft_'; then
        nm "$shown" --defined-only "$library" | awk 'NF == 3 { print $3 }' | grep -v '^weft_'
        fail "$library shows more than weft_*"
    fi
    compile "$project/names.c" "$work/names"
    "$work/names" --threads 1 --out "$work/names.h5" || fail "names ended with status $?"
}

# The program that the README shows, as it is printed there; told to stop, unless it is faster.
program_of_readme() {
    local status=0
    step "the README's program"
    # shellcheck disable=SC2016  # backticks are what is looked for
    sed -n '/^```c$/,/^```$/p' "$readme" | sed '/^```/d' >"$work/pi.c"
    compile "$work/pi.c" "$work/pi"
    timeout --preserve-status -s TERM 2 "$work/pi" --out "$work/pi.h5" || status=$?
    [[ $status -eq 0 || $status -eq 75 ]] || fail "the README's program ended with status $status"
    h5dump -H "$work/pi.h5" | contains '"hits"' || fail "the README's program left no result"
}

installed_programs() {
    local program
    for program in weft weft-run weft-bench coast mandelbrot; do
        step "bin/$program"
        env -u LD_LIBRARY_PATH "$work/prefix/bin/$program" --help >"$work/$program.help" ||
            fail "bin/$program --help ended with status $?"
    done
    "$work/prefix/bin/weft" verify "$work/cmake.h5" || fail "weft verify ended with status $?"
}

rm -rf "$work"
mkdir -p "$work"
work=$(realpath "$work")
install_weft
with_find_package
with_pkg_config
own_names
program_of_readme
installed_programs
step "all well"
