#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# check.sh BUILD WORK [CC [CFLAGS...]]: installs the build folder BUILD to a prefix under the folder
# WORK, builds the project outside of the tree and the installed examples with find_package and with
# pkg-config, and runs what comes out, the installed programs too.
set -euo pipefail

build=$(realpath "$1")
work=$2
cc=${3:-cc}
cflags=("${@:4}")
project=$(realpath "$(dirname "${BASH_SOURCE[0]}")/project")
top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")

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
    h5dump -d /squares/square -s 999 -c 1 "$out" | contains 998001 || fail "$out lacks the last square"
}

with_find_package() {
    step "find_package"
    cmake -S "$project" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$work/prefix" \
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="${cflags[*]}" >"$work/cmake.log"
    cmake --build "$work/cmake" >>"$work/cmake.log"
    run_squares "$work/cmake/squares" "$work/cmake.h5"
}

# What weft.pc says, in the caller's flags.
weft_flags() {
    local pc static=()
    pc=$(find "$work/prefix" -name weft.pc -print -quit)
    [[ -n $pc ]] || fail "no weft.pc was installed"
    export PKG_CONFIG_PATH=${pc%/*}
    [[ -n $(find "$work/prefix" -name 'libweft.so' -print -quit) ]] || static=(--static)
    read -ra flags <<<"$(pkg-config --cflags --libs "${static[@]}" weft)"
}

# compile SOURCE PROGRAM
compile() {
    local flags=()
    weft_flags
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

# The program that the README shows, its first lines of C, is the first example.
program_of_readme() {
    step "the README's program"
    # shellcheck disable=SC2016  # backticks are what is looked for
    diff <(awk '/^```$/ && shown { exit } shown; /^```c$/ { shown = 1 }' "$top/README.md") \
        <(sed '/SPDX/d' "$work/examples/pi.c") || fail "the README's program is not that of pi.c"
}

# run_examples FOLDER: pi is told to stop, unless it is faster.
run_examples() (
    local status=0
    cd "$1"
    timeout --preserve-status -s TERM 2 ./pi || status=$?
    [[ $status -eq 0 || $status -eq 75 ]] || fail "$1/pi ended with status $status"
    h5dump -H pi.h5 | contains '"hits"' || fail "$1/pi left no result"
    ./lyapunov --count 100 --threads 1 || fail "$1/lyapunov ended with status $?"
    h5dump -d /lyapunov/exponent -s 99 -c 1 lyapunov.h5 | contains ' 0\.6' ||
        fail "for r close to 4 the exponent is not close to ln 2"
    ./stages --threads 1 || fail "$1/stages ended with status $?"
    h5dump -d /smooth/mean -s 50000 -c 1 stages.h5 | contains ' -\?0\.' || fail "noise is not smooth"
)

# As installed, with what lies beside them.
examples() {
    local flags=()
    step "examples"
    cp -r "$work/prefix/share/doc/weft/examples" "$work/examples"
    program_of_readme
    cp -r "$work/examples" "$work/examples-cmake"
    weft_flags
    make -C "$work/examples" CC="$cc" PREFIX="$work/prefix" WEFT="${flags[*]}" \
        CFLAGS="-std=c11 -O2 -Wall -Werror ${cflags[*]}" >"$work/make.log"
    env -u LD_LIBRARY_PATH bash -c "cd $work/examples && ./lyapunov --help" >"$work/lyapunov.help" ||
        fail "an example does not find libweft"
    run_examples "$work/examples"
    cmake -S "$work/examples-cmake" -B "$work/examples-cmake" -DCMAKE_PREFIX_PATH="$work/prefix" \
        -DCMAKE_C_COMPILER="$cc" -DCMAKE_C_FLAGS="${cflags[*]}" >"$work/examples.log"
    cmake --build "$work/examples-cmake" >>"$work/examples.log"
    run_examples "$work/examples-cmake"
}

# configure_user WITHOUT [OPTION...]: where pkg-config does not know what is named in WITHOUT.
configure_user() {
    WITHOUT=$1 cmake --preset user -S "$top" -B "$work/user" -DCMAKE_C_COMPILER="$cc" \
        -DPKG_CONFIG_EXECUTABLE="$work/pkg-config" "${@:2}" >"$work/user.log" 2>&1 ||
        fail "the preset user does not do without $1: $(grep -A 5 Error "$work/user.log")"
}

# What only tests and example programs need is not asked for.
preset_user() {
    step "the preset user"
    cat >"$work/pkg-config" <<'END'
#!/bin/sh
for word in $WITHOUT; do
    case " $* " in *" $word"[\ \>]*) exit 1 ;; esac
done
exec pkg-config "$@"
END
    chmod +x "$work/pkg-config"
    configure_user "cmocka proj jansson libpng" -DWEFT_CLI=OFF
    configure_user "cmocka proj" -DWEFT_CLI=ON
}

installed_programs() {
    local program
    for program in weft weft-run weft-bench coast mandelbrot montecarlo; do
        step "bin/$program"
        env -u LD_LIBRARY_PATH "$work/prefix/bin/$program" --help >"$work/$program.help" ||
            fail "bin/$program --help ended with status $?"
    done
    env -u LD_LIBRARY_PATH "$work/prefix/bin/weft-bench" --only size --rounds 1 --dir "$work" \
        >"$work/weft-bench.rows" || fail "weft-bench ended with status $?"
    "$work/prefix/bin/weft" verify "$work/cmake.h5" || fail "weft verify ended with status $?"
}

manual() {
    step "manual pages, completion"
    PATH=$work/prefix/bin:$PATH "$(dirname "${BASH_SOURCE[0]}")/manual.sh" "$work/prefix" ||
        fail "see above"
}

rm -rf "$work"
mkdir -p "$work"
work=$(realpath "$work")
install_weft
with_find_package
with_pkg_config
own_names
examples
preset_user
installed_programs
manual
step "all well"
