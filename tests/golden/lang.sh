#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Golden tests of the language. For each tests/golden/lang/X.vbet, what is kept beside it is compared
# with what topo-dump prints: X.tree, X.graph, X.err for a script that is wrong (exit status 2), and X.warn
# for one that has warnings (without that file it must have none). Of a good script the printed graph must also parse to the same graph. A first line "#! OPTION ..." gives
# options for topo-dump; lines "#> STATEMENT" are added as at a console.
# With --update the kept files are written anew.
set -u
cd "$(dirname "$0")/../.." || exit 1
dump=${B:-build}/tests/golden/topo-dump
dir=tests/golden/lang
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
update=$([[ ${1:-} == --update ]] && echo 1)
tests=0 failures=0

fail() { echo "FAIL $*"; failures=$((failures + 1)); }

compare() # KEPT NEW
{
	if [[ -n $update ]]; then cp "$2" "$1"; return; fi
	diff -u --label "$1" --label "what it prints now" "$1" "$2" || fail "$1"
}

for script in "$dir"/*.vbet examples/*.vbet; do
	tests=$((tests + 1))
	base=$dir/$(basename "${script%.vbet}")
	options=() lines=()
	while IFS= read -r line; do
		case $line in
		'#! '*) read -ra options <<<"${line#\#! }" ;;
		'#> '*) lines+=("${line#\#> }") ;;
		esac
	done < <(tr -d '\0' <"$script")
	"$dump" "${options[@]}" graph "$script" "${lines[@]}" >"$out/graph" 2>"$out/err"
	status=$?
	if [[ -s $out/err ]]; then
		[[ $status == 2 || ${#lines[@]} -gt 0 ]] || fail "$script: exit status $status"
		compare "$base.err" "$out/err"
	elif [[ -e $base.err ]]; then
		fail "$script: no message any more"
	fi
	if [[ $status == 0 ]]; then
		compare "$base.graph" "$out/graph"
		"$dump" "${options[@]}" twice "$script" "${lines[@]}" 2>"$out/twice" ||
			{ fail "$script: printed and parsed again"; cat "$out/twice"; }
		"$dump" "${options[@]}" warn "$script" "${lines[@]}" >"$out/warn" 2>/dev/null
		[[ ! -s $out/warn && ! -e $base.warn ]] || compare "$base.warn" "$out/warn"
	fi
	if [[ -e $base.tree ]]; then
		"$dump" tree "$script" >"$out/tree" 2>&1 || fail "$script: tree"
		compare "$base.tree" "$out/tree"
	fi
done
# Every kept file must have its script.
for kept in "$dir"/*.{err,graph,tree,warn}; do
	name=$(basename "${kept%.*}")
	[[ -e $dir/$name.vbet || -e examples/$name.vbet ]] || fail "$kept belongs to no script"
done
echo "lang: $tests scripts, $failures failures"
[[ $failures == 0 ]]
