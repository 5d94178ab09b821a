#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Warnings are printed once, on standard error, by check, up and test; they stop nothing, unless that is wanted.
. "${0%/*}/lib.sh"

cat >odd.vbet <<'END'
a = attach(alloc(host, label = "Zürich 2"), alloc(NIC, address = 10.0.0.1/24))
b = attach(alloc(host), alloc(NIC, address = 10.0.1.2/24))
link(a, b)
expect at 0s not ping(a, 10.0.1.2)
END
for command in "check" "up -q" "test -q"; do
	# shellcheck disable=SC2086 # words
	vbet $command -n odd odd.vbet >out 2>err || fail "$command"
	assert_eq 1 "$(grep -c 'odd.vbet:2:25: warning: .* \[two-networks\]$' err)" "warnings of $command"
	! grep -q ' warning: ' out || fail "$command prints warnings to its standard output"
	[ "$command" != check ] || assert_eq 'odd.vbet: lab odd, 2 nodes, 1 cable: 1 warning' "$(cat out)" "what check prints"
	if [ "$command" = "up -q" ]; then
		must vbet status
		out_has '^a  *host .*"Zürich 2"'
		must vbet status -j
		out_has '"label": *"Zürich 2"'
		must vbet down
	fi
	# shellcheck disable=SC2086
	must_status 2 vbet $command -Werror odd.vbet
	nothing_left || fail "$command -Werror started something"
	# shellcheck disable=SC2086
	vbet $command -n odd -Wno-two-networks -Werror odd.vbet 2>err || fail "$command -Wno-two-networks"
	! grep -q warning err || fail "$command -Wno-two-networks warns"
	[ "$command" != "up -q" ] || must vbet down
done
must_status 2 vbet check -W nonsense odd.vbet
