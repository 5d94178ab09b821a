#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Debian's packaged kernel is the fallback, in real time.
. "${0%/*}/lib.sh"

[ -x /usr/bin/linux.uml ] || skip "no /usr/bin/linux.uml (package user-mode-linux)"
OUT=$(vbet up "$EXAMPLES/hello.vbet" --kernel /usr/bin/linux.uml --timeout 15s 2>&1) ||
	skip "not yet: $(grep -m1 '^vbet:' <<<"$OUT")"
must vbet pingall
must vbet exec host1 -- uname -r
must vbet down
nothing_left || fail "something is left"
