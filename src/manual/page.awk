# SPDX-License-Identifier: BSD-3-Clause
#
# A manual page (stdout) of what a program says for --help (stdin).
#
#   awk -v page=weft-status -v section=1 -v version=0.1.0 -v about='how far a result is' \
#       -v usage='weft status FILE' -v others='weft(1), weft-options(7)' -f page.awk
#
# `usage` is only needed where the text does not begin with it. In the text, what stands in two
# columns, at least two spaces apart, is a list, and so are options; a line that begins with "options",
# "commands", "Exit status:" or "Signals:" begins a section.

function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    return text ~ /^[.']/ ? "\\&" text : text
}

function say(text) {
    if (text != "")
        print escaped(text)
}

function end_verbatim() {
    if (verbatim)
        print ".fi\n.RE"
    verbatim = 0
}

function begin_section(title) {
    end_verbatim()
    if (title != title_now)
        print ".SH " title
    title_now = title
    in_list = paragraph_ended = 0
}

# The page has to begin with something.
function describe() {
    if (title_now == "SYNOPSIS")
        begin_section("DESCRIPTION")
}

function item(line,   gap) {
    gap = match(substr(line, 3), /   *[^ ]/) ? RSTART + 2 : 0
    print ".TP\n.B " escaped(gap ? substr(line, 1, gap - 1) : line)
    sub(/^ */, "", line)
    if (gap) {
        line = substr($0, match($0, /^ */) + RLENGTH)
        say(substr(line, match(line, /   *[^ ]/) + RLENGTH - 1))
    }
    in_list = 1
}

BEGIN {
    printf ".\\\" made of --help\n.TH %s %s \"\" \"weft %s\" \"weft\"\n", toupper(page), section, version
    print ".SH NAME\n" escaped(page) " \\- " escaped(about)
    begin_section("SYNOPSIS")
    say(usage)
}

NR == 1 && sub(/^[Uu]sage: /, "") {
    say($0)
    next
}

/^ *$/ {
    end_verbatim()
    paragraph_ended = 1
    next
}

/^(options|commands|Exit status:|Signals:)/ {
    match($0, /^(options|commands|Exit status|Signals)/)
    begin_section(toupper(substr($0, 1, RLENGTH)))
    $0 = substr($0, RLENGTH + 1)
    sub(/^[:; ]+/, "")
    say($0)
    next
}

/^  -/ {
    if (title_now == "SYNOPSIS" || title_now == "DESCRIPTION")
        begin_section("OPTIONS")
    end_verbatim()
    sub(/^  /, "")
    item($0)
    paragraph_ended = 0
    next
}

# The first column of a list; `  ` before it or not.
/^ ? ?[^ ].*[^ ]  +[^ ]/ {
    describe()
    end_verbatim()
    sub(/^ */, "")
    item($0)
    paragraph_ended = 0
    next
}

/^ / && in_list && !paragraph_ended {
    sub(/^ */, "")
    say($0)
    next
}

/^ / {
    describe()
    if (!verbatim)
        print ".RS\n.nf"
    verbatim = 1
    sub(/^  /, "")
    say($0)
    next
}

{
    describe()
    end_verbatim()
    if (in_list || paragraph_ended)
        print ".PP"
    in_list = paragraph_ended = 0
    say($0)
}

END {
    begin_section("SEE ALSO")
    say(others)
}
