#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Wrong use is status 2, with a word about what is right; help is where one looks for it.
. "${0%/*}/lib.sh"

must vbet help
for c in run up test diff down check ls status exec console cp log outside start stop restart kill plug unplug link ping pingall \
	wait clean version help; do
	out_has "^  $c "
done
list=$OUT
must vbet --help
assert_eq "$list" "$OUT" "vbet --help"
for c in $(sed -n 's/^  \([a-z]*\) .*/\1/p' <<<"$list"); do
	must vbet help "$c"
	out_has "^usage: vbet $c"
	must vbet "$c" --help
	out_has "^usage: vbet $c"
done
must vbet --version
for part in "vbet +$(cat "$ROOT/VERSION")" 'vsubstrate +[0-9]' 'kernel +[0-9].*-vbet' 'tree +[0-9a-f]{8}' 'libpcap +[0-9]' 'libslirp +[0-9]' \
	'readline +[0-9]'; do
	out_has "^$part"
done
must_status 2 vbet
must_status 2 vbet sttaus
out_has "did you mean 'status'"
must_status 2 vbet help sttaus
must_status 2 vbet up
must_status 2 vbet up a b
must_status 2 vbet status --jason
out_has 'jason'
must_status 2 vbet cp one
must_status 2 vbet up --clock sundial "$EXAMPLES/hello.vbet"
must_status 2 vbet up --jobs many "$EXAMPLES/hello.vbet"
must_status 2 vbet up --timeout soon "$EXAMPLES/hello.vbet"
# A lab's name is its directory's: it leads nowhere else.
for name in ../../evil '' 'a b' A .. "$(printf 'a%.0s' {1..33})"; do
	for c in "up $EXAMPLES/hello.vbet" status down; do
		must_status 2 vbet $c -n "$name"
		out_has 'no name of a lab'
	done
done
nothing_left || fail "something is left"
