#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh [NAME...]: measures, side by side with what others use for the same (tests/bench/NAME.sh; without
# a name, all of them). A line per figure: what, how much, and where there is a budget whether it is kept.
# The exit status tells whether it could be measured, not how fast it was.
#
# VBET_BENCH_RUNS (3): how often what competes is measured, in turn; medians are printed.
set -u

here=$(cd "${0%/*}" && pwd)
all=(boot router guest nested scale tcp frames outside clock fidelity isolation snapshot)

names=()
for name in "$@"; do
	name=${name##*/}
	name=${name%.sh}
	[ -f "$here/$name.sh" ] && [ "$name" != run ] && [ "$name" != lib ] || {
		echo "run.sh: no benchmark '$name'; there are: ${all[*]}" >&2
		exit 2
	}
	names+=("$name")
done
[ ${#names[@]} -gt 0 ] || names=("${all[@]}")

status=0
for name in "${names[@]}"; do
	printf '== %s\n' "$name"
	timeout -k 10 "${VBET_BENCH_LIMIT:-900}" bash "$here/$name.sh" </dev/null || {
		echo "   $name: not measured to its end (status $?)"
		status=1
	}
done
exit $status
