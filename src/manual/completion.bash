# SPDX-License-Identifier: BSD-3-Clause
#
# Completion for bash: of weft, weft-run, and programs built on weft. What there is to complete they
# say themselves, with --help. For a program of your own:
#
#   complete -o filenames -F _weft_complete ./pi

# Help texts that have been asked for: a program starts MPI for it.
declare -gA _weft_helps

# _weft_ask WORD...: sets $_weft_help to what these words say for --help.
_weft_ask() {
    local words="$*"
    [[ -n ${_weft_helps[$words]-} ]] ||
        _weft_helps[$words]=$("${1/#\~/$HOME}" "${@:2}" --help 2>/dev/null </dev/null)
    _weft_help=${_weft_helps[$words]}
}

# The options in $_weft_help, and behind each, if it takes one, its argument.
_weft_options() {
    sed -nE 's/^  (-[a-z], )?(--[a-z][a-z-]*)([ =](\[?[A-Z"][^ ]*))?.*/\2 \4/p' <<<"$_weft_help"
}

# Sets $_weft_argument to what $_weft_help calls the argument of an option, "" if it takes none.
_weft_argument_of() {
    _weft_argument=$(sed -nE "s/^  (-[a-z], )?($1|$1, --[a-z-]+) ([A-Z\"][^ ]*).*/\3/p" <<<"$_weft_help")
    _weft_argument=${_weft_argument%%$'\n'*}
}

# What an option's argument may be: words that its help lists, techniques, or a file.
_weft_values() {
    local cur=$2 words
    words=$(sed -nE "s/^  $1 [A-Z]+ +([a-z]+(, [a-z]+)+)( \(.*)?$/\1/p" <<<"$_weft_help")
    if [[ $1 == --schedule ]]; then
        words=$(sed -nE '/^Techniques/,$s/^  ([a-z0-9-]+) .*/\1/p' <<<"$_weft_help")
    fi
    if [[ -n $words ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${words//,/ }" -- "$cur")
    elif [[ $_weft_argument == *FILE* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    elif [[ $_weft_argument == *DIR* ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
    elif [[ $_weft_argument == COMMAND ]]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
    fi
}

# _weft_word OPTION-BEFORE CUR: an option, or the argument of the one before, by $_weft_help; else
# false.
_weft_word() {
    _weft_argument=
    [[ $1 != -* ]] || _weft_argument_of "$1"
    if [[ -n $_weft_argument ]]; then
        _weft_values "$1" "$2"
    elif [[ $2 == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_weft_options | cut -d' ' -f1)" -- "$2")
    else
        return 1
    fi
}

# The index of the program among the words of weft-run, from the word $1 on; that of the last word
# if it is not there yet.
_weft_program_at() {
    local at=$1
    while [[ $at -lt $COMP_CWORD && ${COMP_WORDS[at]} == -* ]]; do
        _weft_argument_of "${COMP_WORDS[at]}"
        [[ -z $_weft_argument ]] || at=$((at + 1))
        at=$((at + 1))
        [[ ${COMP_WORDS[at - 1]} != -- ]] || break
    done
    _weft_at=$at
}

# Behind `weft run` or weft-run, the words from $1 on: its options, the program, and the program's
# arguments, of which only files are known.
_weft_run() {
    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    _weft_program_at "$1"
    if [[ $_weft_at -lt $COMP_CWORD ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    else
        _weft_word "$before" "$cur" || mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
    fi
}

_weft_command() {
    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} names
    _weft_ask "${COMP_WORDS[0]}"
    names=$(sed -nE '/^commands/,/^$/s/^  ([a-z]+)  +.*/\1/p' <<<"$_weft_help")
    if [[ $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$names --help --version" -- "$cur")
    elif [[ ${COMP_WORDS[1]} == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$names options" -- "$cur")
    elif [[ " ${names//$'\n'/ } " == *" ${COMP_WORDS[1]} "* ]]; then
        _weft_ask "${COMP_WORDS[0]}" "${COMP_WORDS[1]}"
        if [[ ${COMP_WORDS[1]} == run ]]; then
            _weft_run 2
        else
            _weft_word "$before" "$cur" || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
    fi
}

# Where = parts words, as in --out=FILE, the option is the word before it.
_weft_complete() {
    local _weft_help='' _weft_argument='' _weft_at=0
    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if [[ $cur == = ]]; then
        cur=
    elif [[ $before == = && $COMP_CWORD -ge 2 ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case ${COMP_WORDS[0]##*/} in
    weft) _weft_command ;;
    weft-run)
        _weft_ask "${COMP_WORDS[0]}"
        _weft_run 1
        ;;
    *)
        _weft_ask "${COMP_WORDS[0]}"
        _weft_word "$before" "$cur" || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        ;;
    esac
}

complete -o filenames -F _weft_complete weft weft-run weft-bench coast mandelbrot
