#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# manual.sh PREFIX: the manual pages installed there have all options and commands, and groff does not
# complain of them; bash completes what there is. The programs are in $PATH.
set -euo pipefail

prefix=$1
failures=0

fail() {
    echo "manual: $*" >&2
    failures=$((failures + 1))
}

# A page as text, without the hyphens that groff may put in.
text_of() {
    if command -v groff >/dev/null; then
        groff -man -Tascii -P-cbou -rHY=0 -wall "$1" 2>&1
    else
        sed 's/\\-/-/g' "$1"
    fi
}

# check_page PAGE COMMAND...: all options that the command's help has.
check_page() {
    local page=$prefix/share/man/$1 option text complaints=
    [[ -f $page ]] || { fail "there is no $1"; return; }
    text=$(text_of "$page")
    ! command -v groff >/dev/null || complaints=$(groff -man -Tascii -z -wall "$page" 2>&1)
    [[ -z $complaints ]] || fail "groff on $1: $complaints"
    while read -r option; do
        grep -qE -- "(^|[ ,])$option( |,|\$)" <<<"$text" || fail "$1 lacks $option"
    done < <("${@:2}" | sed -nE 's/^  (-[a-z], )?(--[a-z-]+).*/\2/p')
}

check_pages() {
    local command
    check_page man1/weft.1 weft --help
    while read -r command; do
        check_page "man1/weft-$command.1" weft "$command" --help
        grep -q "weft.-$command(1)" "$prefix/share/man/man1/weft.1" ||
            fail "weft.1 does not lead to weft-$command.1"
    done < <(weft --help | sed -nE '/^commands/,/^$/s/^  ([a-z]+) .*/\1/p' | grep -vE '^(help|version)$')
    check_page man7/weft-options.7 weft help options
    # Those of every program, as a program says them.
    # shellcheck disable=SC2016  # a dollar of sed's
    check_page man7/weft-options.7 sed -n '/^Options of weft:/,$p' <(mandelbrot --help)
}

# completes TO WORD...: what bash makes of the words, the last of which has only begun.
completes() {
    COMP_WORDS=("${@:2}")
    COMP_CWORD=$(($# - 2))
    COMPREPLY=()
    _weft_complete
    [[ ${COMPREPLY[*]} == "$1" ]] || fail "'${*:2}' becomes '${COMPREPLY[*]}', and not '$1'"
}

check_completion() {
    # shellcheck source=/dev/null
    source "$prefix/share/bash-completion/completions/weft"
    complete -p weft weft-run mandelbrot >/dev/null || fail "there is no completion"
    cd "$prefix"
    completes "status" weft sta
    completes "--map --json --watch --help" weft status --
    completes "include" weft status inc
    completes "--image" weft plan --im
    completes "options" weft help opt
    completes "--ranks" weft-run --ra
    completes "include" weft-run --hostfile inc
    completes "include" weft-run -n 2 weft-bench inc
    completes "include" weft-run -- weft-bench inc
    completes "--max-iter" mandelbrot --max
    completes "--progress" mandelbrot --prog
    completes "auto always never" mandelbrot --progress ""
    completes "always" mandelbrot --progress = al
    completes "mfsc" mandelbrot --schedule mf
    completes "include" mandelbrot --out inc
    completes "" mandelbrot --threads ""
}

check_pages
check_completion
[[ $failures -eq 0 ]]
