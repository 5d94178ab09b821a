#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/reference.md against the programs: every command of "vbet help" has a row with its arguments and all of its
# options, every option a row with its argument, and nothing else is there; so are the settings, parameters,
# daemons and words of the language, as the tables of the source have them.
# shellcheck disable=SC2016 # backquotes of Markdown
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}
vbet=./vbet
[[ $build == build ]] || vbet=$build/vbet
page=docs/reference.md
failures=0 checked=0

fail() { echo "FAIL $page: $*"; failures=$((failures + 1)); }

# section TITLE: the lines below that heading, up to the next one.
section() { sed -n "/^##* $1\$/,/^##* /{/^##* /!p}" "$page"; }
# words_in_rows: what stands in backquotes in the first column of tables, one a line.
words_in_rows() { sed -n 's/\\|/!/g; s/^| *\(`[^|]*`\) *|.*/\1/p' | grep -o '`[^`]*`' | tr -d '`' | tr '!' '|'; }
# compare WHAT, from two files of sorted lines: the program's and the page's
compare()
{
	checked=$((checked + $(wc -l <"$out/want")))
	[[ -s $out/want ]] || fail "nothing found in the source: $1"
	diff -u --label "$1: the program" --label "$1: the page" <(sort -u "$out/want") <(sort -u "$out/have") || fail "$1 differ"
}
out=$(mktemp -d) || exit 1
trap 'rm -rf "$out"' EXIT
[[ -x $vbet ]] || { echo "reference: no $vbet: run 'make programs'"; exit 1; }

# ---- commands and options ----

commands=$("$vbet" help | sed -n 's/^  \([a-z-]*\) .*/\1/p')
boot=$(section Commands | tr '\n' ' ' | sed 's/.*\*\*options of a boot\*\*[^:]*: *\([^.]*\)\..*/\1/' | tr -d '`,')
for c in $commands; do
	"$vbet" help "$c" >"$out/help"
	usage=$(sed -n "1s/^usage: vbet $c \[options\] *\(.*\)/\1/p" "$out/help")
	echo "$c${usage:+ $usage}" | sed 's/ *$//' >>"$out/usages"
	# The options of its row: those of a boot are said once.
	row=$(section Commands | sed 's/\\|/!/g' | sed -n "s/^| *\`${c}[ \`].*| *\([^|]*\) *|\$/\1/p")
	[[ $row != *'the options of a boot'* ]] || row+=" $boot"
	grep -oE -- '(^|[ `])--?[a-zA-Z-]+' <<<"$row" | tr -d ' `' | sort -u >"$out/have"
	# Of an option with a letter the page gives the letter there.
	sed -n 's/^  \(-.\) --.*/\1/p; s/^     \(--[a-z-]*\).*/\1/p' "$out/help" | grep -v -e '^-h$' | sort -u >"$out/want"
	checked=$((checked + $(wc -l <"$out/want")))
	diff -u --label "$c: the program" --label "$c: the page" "$out/want" "$out/have" || fail "options of $c differ"
	sed -n 's/^  -\(.\) --\([^ ]*\) \{0,1\}\([A-Za-z|-]*\).*/-\1, --\2 \3/p; s/^     --\([^ ]*\) \{0,1\}\([A-Za-z|-]*\).*/--\1 \2/p' "$out/help" |
		sed 's/ *$//' >>"$out/options"
done
sed -n 's/\\|/!/g; /^| `[a-z]/s/^| `\([^`]*\)` |.*/\1/p' <(section Commands) | tr '!' '|' >"$out/have"
mv "$out/usages" "$out/want"
compare commands
section Commands | sed -n 's/\\|/!/g; /^| `-/s/^| \([^|]*\) |.*/\1/p' | tr -d '`' | tr '!' '|' >"$out/have"
mv "$out/options" "$out/want"
compare options

# ---- the language: what the tables of the source say ----

quoted() { grep -oE '"[^"]+"' | tr -d '"'; }
table() { sed -n "/$2/,/^};/p" "$1"; }

table topo/settings.c 'settings\[\] = {' | grep -oE '\{"[^"]+"' | quoted >"$out/want"
section 'Settings of a script' | words_in_rows >"$out/have"
compare settings

# fields WHICH: the names of the parameters that are set by .set_node or .set_nic, over all tables of built-ins.
fields() {
	cat topo/builtin_*.c | tr -s '\n\t ' ' ' | grep -oE '\{\.name = "[^"]+",[^}]*\}' | grep -F ".$1 =" | sed 's/^{\.name = "\([^"]*\)".*/\1/'
}
{
	fields set_node
	table topo/builtin_net.c 'fields\[\] = {' | grep -oE '(DEVICE|WORD|NUMBER)\("[^"]+"' | quoted
} >"$out/want"
section Nodes | words_in_rows >"$out/have"
compare 'parameters of nodes'

table lib/linkspec.c 'linkspec_key keys\[\] = {' | grep -oE '(SCHEDULED|NUMBER|SHARE|WORD|TEXT)\("[^"]+"' | quoted >"$out/want"
echo up >>"$out/want"
section Cables | words_in_rows >"$out/have"
compare 'parameters of cables'

fields set_nic >"$out/want"
section 'NICs and ports' | words_in_rows >"$out/have"
compare 'parameters of NICs'

{
	table topo/service.c 'services\[\] = {' | grep -oE '(\.name = |FRR\(|OTHER\()"[^"]+"' | quoted | grep -vx mgmtd
	echo frr
} >"$out/want"
section Daemons | sed '/^|/d' | grep -o '`[^`]*`' | tr -d '`' | grep -vx -e config -e service >"$out/have"
compare daemons

table topo/warn.c 'kinds\[\] = {' | grep -oE '= \{"[^"]+"' | quoted >"$out/want"
section Warnings | words_in_rows >"$out/have"
compare warnings

# ---- the environment: what the sources read ----

grep -rhoE 'getenv\("[A-Z_]+"\)' --include='*.c' vbet-server vnet | quoted | grep -vx VNET_INSTANCE >"$out/want"
grep -ohE '\$\{(VBET_(CACHE|JOBS|KEEP_SOURCE|ROOTFS_[A-Z]+))' vkernel/build.sh rootfs/build.sh | sed 's/..//' >>"$out/want"
echo VBET_NODE >>"$out/want"
section Environment | words_in_rows >"$out/have"
compare environment

echo "reference: $checked words, $failures failures"
[[ $failures == 0 && $checked -gt 150 ]]
