#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# each.sh PROGRAM... [-- ARGUMENT...]: runs each of them with the arguments, whatever becomes of the others. What those
# that failed printed comes once more at the end, where it is seen.
set -o pipefail
programs=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	programs+=("$1")
	shift
done
shift
kept=$(mktemp -d) || exit
trap 'rm -rf "$kept"' EXIT

for program in "${programs[@]}"; do
	echo "== $program"
	"$program" "$@" 2>&1 | tee "$kept/one" || {
		echo "FAILED $program"
		sed 's/^/    /' "$kept/one"
	} >>"$kept/failed"
done
[ ! -e "$kept/failed" ] || {
	echo
	cat "$kept/failed"
	exit 1
}
