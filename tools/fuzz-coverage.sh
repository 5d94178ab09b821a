#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# fuzz-coverage.sh DIR NAME...: how many lines of its reader (tests/fuzz/readers) each fuzzer in DIR reaches with what is kept
# (tests/fuzz/corpus) and what earlier runs found here (build/fuzz/NAME). DIR: built with clang's -fprofile-instr-generate.
set -eu

dir=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

printf '%-20s %-44s %6s %6s\n' fuzzer file lines %
for name in "$@"; do
	inputs=("$PWD/build/fuzz/$name/corpus" "$PWD/build/fuzz/$name/seeds")
	mkdir -p "${inputs[@]}"
	LLVM_PROFILE_FILE=$work/$name.raw "$dir/${name}_fuzz" -runs=0 -timeout=25 "${inputs[@]}" >"$work/said" 2>&1 || {
		tail -n 20 "$work/said" >&2
		exit 1
	}
	llvm-profdata merge -o "$work/$name.data" "$work/$name.raw"
	# shellcheck disable=SC2046 # patterns of files
	printf '%s\n' $(sed -n "s/^$name //p" tests/fuzz/readers) >"$work/files"
	llvm-cov export -summary-only -instr-profile "$work/$name.data" "$dir/${name}_fuzz" |
		jq -r --rawfile files "$work/files" --arg here "$PWD/" '[.data[0].files[] |
				[(.filename | ltrimstr($here) | ltrimstr("./")), .summary.lines.count, .summary.lines.covered] |
				select(.[0] as $f | $files | split("\n") | index($f))] |
			(.[], ["all", (map(.[1]) | add), (map(.[2]) | add)]) | @tsv' |
		awk -v name="$name" -F '\t' '$2 > 0 { printf "%-20s %-44s %6d %5.1f%%\n", name, $1, $2, 100 * $3 / $2 }'
done
