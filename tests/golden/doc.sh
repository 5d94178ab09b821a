#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the examples of docs/language.md. A ```vbet block must make a graph, and what the graph prints must
# make the same graph. A ```vbet-error block, up to its line "--", must fail with exactly the messages
# that follow ("SCRIPT" stands for the file's name).
set -u
cd "$(dirname "$0")/../.." || exit 1
dump=${B:-build}/tests/golden/topo-dump
page=docs/language.md
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
blocks=0 failures=0

fail() { echo "FAIL $page:$1: $2"; failures=$((failures + 1)); }

check_good() # LINE
{
	"$dump" graph "$out/script.vbet" >"$out/graph" 2>"$out/err" || { fail "$1" "the example is wrong"; cat "$out/err"; return; }
	"$dump" twice "$out/script.vbet" 2>"$out/err" || { fail "$1" "printed and parsed again"; cat "$out/err"; }
}

check_bad() # LINE
{
	sed '/^--$/,$d' "$out/script.vbet" >"$out/bad.vbet"
	sed '1,/^--$/d' "$out/script.vbet" >"$out/want"
	if "$dump" graph "$out/bad.vbet" >"$out/graph" 2>"$out/err"; then fail "$1" "the example should be wrong"; return; fi
	sed -n "s:^$out/bad.vbet\::@:p" "$out/err" | sed "s:$out/bad.vbet:SCRIPT:g; s/^@//" >"$out/have"
	diff -u --label "the page" --label "what it prints" "$out/want" "$out/have" || fail "$1" "other messages"
}

number=0 kind=
while IFS= read -r line; do
	number=$((number + 1))
	case $line in
	'```vbet' | '```vbet-error') kind=${line#\`\`\`} start=$number; : >"$out/script.vbet" ;;
	'```')
		case $kind in
		vbet) blocks=$((blocks + 1)); check_good "$start" ;;
		vbet-error) blocks=$((blocks + 1)); check_bad "$start" ;;
		esac
		kind= ;;
	*) [[ -z $kind ]] || printf '%s\n' "$line" >>"$out/script.vbet" ;;
	esac
done <"$page"
echo "doc: $blocks examples, $failures failures"
[[ $failures == 0 && $blocks -gt 20 ]]
