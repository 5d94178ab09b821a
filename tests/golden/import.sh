#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# vbet import against what is kept: tests/golden/import/X (a file, or a directory that is a lab) gives the script
# X.vbet and the notes X.notes, or only the message X.err. Every script passes vbet check, without a warning but
# those in X.warn, where it lies beside the files of the lab, and as a lab of its own (-o), where it is the same lab.
# vbet check names vbet import for every file that is no script. With --update the kept files are written anew.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}
vbet=$PWD/vbet
[[ $build == build ]] || vbet=$PWD/$build/vbet
[[ -x $vbet ]] || { echo "import: no $vbet: run 'make programs'"; exit 1; }
cd tests/golden/import || exit 1
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out" .check.*.vbet */.check.*.vbet' EXIT
update=$([[ ${1:-} == --update ]] && echo 1)
tests=0 failures=0

fail() { echo "FAIL import/$*"; failures=$((failures + 1)); }
compare() # KEPT NEW: an empty one is not kept
{
	if [[ -n $update ]]; then
		if [[ -s $2 ]]; then cp "$2" "$1"; else rm -f "$1"; fi
		return
	fi
	if [[ -e $1 ]]; then
		diff -u --label "$1" --label "what it is now" "$1" "$2" || fail "$1"
	elif [[ -s $2 ]]; then
		cat "$2"
		fail "$1 is not there"
	fi
}
# Files lie elsewhere in a lab of their own, but are the same ones of the same nodes.
graph() { "$vbet" check --dump=graph "$1" 2>>"$out/warn" | sed 's/file(".*")/file()/' | grep -v '^lab = ' | sort; }

# These are names, and no files.
names=(minimal 'single,3' 'linear,2,n=2' 'tree,2,2' 'torus,3,3' 'tree,2,0')
for lab in * "${names[@]}"; do
	case $lab in *.vbet | *.notes | *.err | *.warn) continue ;; esac
	tests=$((tests + 1))
	: >"$out/warn"
	if ! "$vbet" import "$lab" >"$out/script" 2>"$out/notes"; then
		compare "$lab.err" "$out/notes"
		continue
	fi
	compare "$lab.vbet" "$out/script"
	compare "$lab.notes" "$out/notes"
	beside=.check.$$.vbet
	[[ ! -d $lab ]] || beside=$lab/$beside
	cp "$out/script" "$beside"
	"$vbet" check "$beside" >"$out/said" 2>"$out/warn" || fail "$lab: the script is wrong: $(head -3 "$out/warn")"
	sed -i "s:^[^ ]*/*\.check\.[0-9]*\.vbet:lab.vbet:" "$out/warn"
	grep ': warning: ' "$out/warn" >"$out/warnings"
	compare "$lab.warn" "$out/warnings"
	rm -rf "$out/lab"
	"$vbet" import "$lab" -o "$out/lab" >"$out/said" 2>&1 || fail "$lab: -o: $(cat "$out/said")"
	"$vbet" check "$out/lab/lab.vbet" >"$out/said" 2>&1 || fail "$lab: -o: the script is wrong: $(head -3 "$out/said")"
	diff <(graph "$beside") <(graph "$out/lab") >"$out/diff" ||
		[[ -n ${update:-} ]] || grep -q "'log file\|start of" "$lab.notes" || { cat "$out/diff"; fail "$lab: -o: another lab"; }
	rm -f "$beside"
	if [[ -f $lab ]]; then
		"$vbet" check "$lab" 2>&1 | grep -q "vbet import $lab" || fail "$lab: vbet check does not name vbet import"
	fi
done
# Every kept file must have its lab.
for kept in *.vbet *.notes *.err *.warn; do
	[[ ! -e $kept || -e ${kept%.*} || " ${names[*]} " == *" ${kept%.*} "* ]] || fail "$kept belongs to no lab"
done
echo "import: $tests labs, $failures failures"
[[ $failures == 0 && $tests -gt 2 ]]
