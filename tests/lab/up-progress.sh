#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# "up" shows one line per stage on a terminal, written over while it lasts; plain lines otherwise; none
# with --quiet.
. "${0%/*}/lib.sh"

must vbet up "$EXAMPLES/hello.vbet"
assert_eq 3 "$(wc -l <<<"$OUT")" "lines of progress"
out_has_not $'[\r\x1b]'
# What a stage came to, not how it began.
out_has '^guests: 3 of 3 booted, 3 ready$'
must vbet down
must vbet up --quiet "$EXAMPLES/hello.vbet"
assert_eq '' "$OUT" "quiet progress"
must vbet down
must vbet up -J 1 -q "$EXAMPLES/hello.vbet"
must vbet pingall
must vbet down

term_start 80 24 "vbet up '$EXAMPLES/hello.vbet'"
term_wait '^\[status 0\]' 30
assert_eq 'lab hello: 4 nodes, 3 cables
guests: 3 of 3 booted, 3 ready' "$(term_screen | sed -n 1,2p)" "the lines on the terminal"
term_shows '^ready after ' || fail "no last line"
[ "$(term_screen | grep -c .)" = 4 ] || fail "more lines: $(term_screen)"
