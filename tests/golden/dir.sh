#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Labs that are directories against what is kept: tests/golden/dir/X is the graph X.graph, or only the messages X.err.
# The directory, its script and each of its tests name the same lab. With --update the kept files are written anew.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}
vbet=$PWD/vbet
[[ $build == build ]] || vbet=$PWD/$build/vbet
[[ -x $vbet ]] || { echo "dir: no $vbet: run 'make programs'"; exit 1; }
cd tests/golden/dir || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
update=$([[ ${1:-} == --update ]] && echo 1)
tests=0 failures=0

fail() { echo "FAIL dir/$*"; failures=$((failures + 1)); }
compare() # KEPT NEW
{
	[[ -z $update ]] || cp "$2" "$1"
	diff -u --label "$1" --label "what it prints now" "$1" "$2" || fail "$1"
}
graph() { "$vbet" check --dump=graph "$1"; }

for dir in */; do
	dir=${dir%/}
	tests=$((tests + 1))
	if graph "$dir" >"$out/graph" 2>"$out/err"; then
		compare "$dir.graph" "$out/graph"
		graph "$dir/lab.vbet" 2>&1 | cmp -s - "$out/graph" || fail "$dir/lab.vbet is another lab"
		(cd "$dir" && graph lab.vbet 2>&1 | cmp -s - "$out/graph") || fail "lab.vbet in $dir is another lab"
		(cd "$dir" && graph . 2>&1 | cmp -s - "$out/graph") || fail "$dir as . is another lab"
	else
		compare "$dir.err" "$out/err"
	fi
	for test in "$dir"/tests/*.vbet; do
		[[ -e $test ]] || continue
		tests=$((tests + 1))
		kept=$dir.$(basename "$test" .vbet)
		graph "$test" >"$out/test" 2>"$out/err" || { compare "$kept.err" "$out/err"; continue; }
		grep -v '^expect\|^$' "$out/test" | cmp -s - <(grep -v '^$' "$out/graph") || fail "$test is another lab"
		(cd "$dir/tests" && graph "${test##*/}" 2>&1 | cmp -s - "$out/test") || fail "$test is another lab in its directory"
		grep -q '^expect' "$out/test" || fail "$test expects nothing"
	done
done
for kept in *.graph *.err; do
	[[ -e ${kept%%.*} ]] || fail "$kept belongs to no lab"
done
echo "dir: $tests labs, $failures failures"
[[ $failures == 0 && $tests -gt 2 ]]
