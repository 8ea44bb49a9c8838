#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# make.sh WEFT DIR: manual pages of the program WEFT, of its commands, and of the options that every
# program built on weft has, in DIR/man1 and DIR/man7. Each holds what --help says.
set -euo pipefail

weft=$1
dir=$2
here=$(dirname "${BASH_SOURCE[0]}")
version=$("$weft" --version | sed 's/^weft //')

# name and summary of each command, a line each
listed() {
    "$weft" --help | sed -nE '/^commands/,/^$/s/^  ([a-z]+)  +(.*)/\1 \2/p'
}

# Those that have a help text of their own.
commands() {
    local name summary
    while read -r name summary; do
        [[ $("$weft" "$name" --help 2>/dev/null) != "usage: weft $name "* ]] ||
            echo "$name $summary"
    done < <(listed)
}

# page NAME SECTION ABOUT USAGE: of the help text on standard input.
page() {
    awk -v page="$1" -v section="$2" -v version="$version" -v about="$3" -v usage="$4" \
        -v others="$others" -f "$here/page.awk" >"$dir/man$2/$1.$2"
}

rm -rf "$dir"
mkdir -p "$dir/man1" "$dir/man7"
mapfile -t commands < <(commands)
others="weft(1)"
for command in "${commands[@]}"; do
    others+=", weft-${command%% *}(1)"
done
others+=", weft-options(7)"

about=$("$weft" --help | sed -n '3s/\.$//p')
"$weft" --help | page weft 1 "${about,}" ""
for command in "${commands[@]}"; do
    "$weft" "${command%% *}" --help | page "weft-${command%% *}" 1 "${command#* }" ""
done
"$weft" help options |
    page weft-options 7 "options of every program built on weft" "PROGRAM [OPTION...]"
