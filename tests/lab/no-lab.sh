#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Commands for a lab that is not there say so; with two labs running they ask which is meant.
. "${0%/*}/lib.sh"

for c in down status pingall wait 'exec h -- true' 'log h' 'ping a b' 'console h' 'link a b up' 'start h'; do
	# shellcheck disable=SC2086 # words
	must_fail vbet $c
	out_has 'no lab is running'
done
must vbet ls
assert_eq '' "$OUT" "the list of no labs"
must vbet ls --json
assert_eq 0 "$(jq length <<<"$OUT")" "labs in JSON"
must vbet down -a
must vbet clean
must_fail vbet status -n nobody
out_has "nobody"
