#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A console that never stops neither stops who writes to it, nor fills the disk; its end is kept, and how much is lost is said. Escapes
# in it are shown as text.
# lab: slow
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
log=$RUN/t/n/h/console.log
# 120 MB, more than a guest's memory and 64 MB; then a last word. In the background: it may take a while.
must in_node h '(head -c 120000000 /dev/zero | tr "\0" "x" | fold -w 79; echo the last word) >/dev/console 2>/tmp/err &'
ends() { tail -c 100 "$log" | grep -q 'the last word'; }
wait_until 200 ends
[ "$(stat -c %s "$log")" -gt 120000000 ] || fail "the log has $(stat -c %s "$log") octets"
# It is given back within a tenth of a second or so.
is_small() { [ "$(du -k "$log" | cut -f1)" -lt 11000 ]; }
wait_until 20 is_small
vbet log h >out 2>err || fail "status $?"
[ "$(wc -c <out)" -le 8388608 ] || fail "the log shows $(wc -c <out) octets"
[ "$(wc -c <out)" -gt 8300000 ] || fail "the log shows $(wc -c <out) octets"
grep -qE '^vbet: [0-9]+ octets of the log are lost here' err || fail "$(cat err)"
tail -n 2 out | grep -q 'the last word' || fail "the end: $(tail -n 2 out)"
must vbet exec h -- true

must in_node h 'printf "\033]0;gotcha\007\033[2Jred\rgreen\n" >/dev/console'
shown() { vbet log h | tail -n 3 | grep -qF '\x1b]0;gotcha\x07\x1b[2Jred\x0dgreen'; }
wait_until 20 shown
vbet log --raw h 2>/dev/null | tail -n 3 | grep -q $'\033]0;gotcha' || fail "--raw has no escapes"
must vbet down
nothing_left || fail "something is left"
