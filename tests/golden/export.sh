#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet export against what is kept: tests/golden/export/X.FORMAT is examples/X.vbet in that format. What vbet imports again is
# the same lab: containerlab's to the last byte of its next export, GraphML in its nodes, edges and rates. JSON is JSON, and
# XML is XML. With --update kept files are new.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}
vbet=$PWD/vbet
[[ $build == build ]] || vbet=$PWD/$build/vbet
[[ -x $vbet ]] || { echo "export: no $vbet: run 'make programs'"; exit 1; }
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
tests=0 failures=0
fail() { echo "FAIL export/$*"; failures=$((failures + 1)); }
# Interfaces of bridges are the machine's there: their numbers say nothing.
no_ports() { sed 's/-p[0-9]*"/-p"/g' "$@"; }
facts() { grep -E 'key="d[14]"|<edge' "$1"; }

for kept in tests/golden/export/*.*; do
	tests=$((tests + 1))
	format=${kept##*.}
	script=examples/$(basename "$kept" ".$format").vbet
	"$vbet" export "$script" --to "$format" >"$out/now" 2>"$out/notes" || fail "$script: $(head -1 "$out/notes")"
	[[ ${1:-} != --update ]] || cp "$out/now" "$kept"
	diff -u "$kept" "$out/now" || fail "$kept"
	mkdir -p "$out/$tests"
	case $format in
	json) python3 -m json.tool <"$out/now" >/dev/null || fail "$kept is no JSON" ;;
	containerlab)
		"$vbet" export "$script" --to containerlab -o "$out/$tests/a.clab.yml" 2>/dev/null
		"$vbet" import "$out/$tests/a.clab.yml" -o "$out/$tests/lab" >/dev/null 2>&1 || fail "$kept cannot be imported"
		"$vbet" export "$out/$tests/lab" --to containerlab 2>/dev/null |
			diff <(no_ports "$out/$tests/a.clab.yml") <(no_ports -) || fail "$kept: imported and exported again"
		;;
	graphml)
		cp "$out/now" "$out/$tests/a.graphml"
		"$vbet" import "$out/$tests/a.graphml" -o "$out/$tests/lab" >/dev/null 2>&1 || fail "$kept cannot be imported"
		"$vbet" export "$out/$tests/lab" --to graphml >"$out/$tests/b.graphml" 2>/dev/null
		diff <(facts "$out/$tests/a.graphml") <(facts "$out/$tests/b.graphml") || fail "$kept: imported and exported again"
		;;
	esac
done
tests=$((tests + 2))
"$vbet" export examples/hello.vbet --to yaml 2>&1 | grep -q 'there is containerlab, graphml' || fail 'a format that is not known'
"$vbet" export no-such-lab --to json 2>&1 | grep -q 'no file no-such-lab' || fail 'what is no file and no lab'
echo "export: $tests cases, $failures failures"
[[ $failures == 0 ]]
