#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet graph against what is kept: tests/golden/graph/X.dot is how examples/X.vbet is drawn. Graphviz takes it, for every
# format; without Graphviz the message names its package, and a wrong name the formats. With --update kept files are new.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}
vbet=$PWD/vbet
[[ $build == build ]] || vbet=$PWD/$build/vbet
[[ -x $vbet ]] || { echo "graph: no $vbet: run 'make programs'"; exit 1; }
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
tests=0 failures=0
fail() { echo "FAIL graph/$*"; failures=$((failures + 1)); }

for kept in tests/golden/graph/*.dot; do
	tests=$((tests + 1))
	script=examples/$(basename "$kept" .dot).vbet
	"$vbet" graph "$script" >"$out/dot" 2>"$out/err" || fail "$script: $(head -1 "$out/err")"
	[[ ${1:-} != --update ]] || cp "$out/dot" "$kept"
	diff -u "$kept" "$out/dot" || fail "$kept"
	"$vbet" graph "$script" -o "$out/x.dot" && cmp -s "$out/dot" "$out/x.dot" || fail "$script: -o x.dot"
	command -v dot >/dev/null || continue
	for kind in svg png pdf; do
		"$vbet" graph "$script" -o "$out/x.$kind" 2>"$out/err" && [[ -s $out/x.$kind && ! -s $out/err ]] ||
			fail "$script: -o x.$kind: $(cat "$out/err")"
	done
	grep -q '<svg' "$out/x.svg" || fail "$script: no picture"
done
tests=$((tests + 2))
mkdir "$out/bin"
ln -s /bin/sh "$out/bin/sh"
PATH=$out/bin "$vbet" graph examples/hello.vbet -o "$out/none.svg" 2>&1 | grep -q 'package graphviz' || fail 'without Graphviz'
"$vbet" graph examples/hello.vbet -o "$out/x.jpg" 2>&1 | grep -q 'X.svg' || fail 'a format that is not known'
echo "graph: $tests cases, $failures failures"
[[ $failures == 0 ]]
