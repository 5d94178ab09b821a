# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Reads "trees" and "profiles/*"; sourced by build.sh, packages.sh and check.sh, which set $here.
# A line of a profile is the name of a package, or "word: arguments"; "#" begins a comment.

: "${here:?}"

plain() { sed -E 's/(^|[[:space:]])#.*//; s/[[:space:]]+$//; /^$/d' "$@"; }

# tree_profiles TREE: its profiles, "base" first; fails if there is no such tree.
tree_profiles()
{
	local found
	found=$(plain "$here/trees" | sed -n "s/^$1:[[:space:]]*/base /p")
	[[ -n $found ]] && printf '%s\n' "$found"
}

# lines WORD PROFILES: the arguments of every "WORD:" line.      words WORD PROFILES: the same, one word a line.
lines()
{
	local profile
	for profile in $2; do plain "$here/profiles/$profile" | sed -n "s/^$1:[[:space:]]*//p"; done
}
words() { lines "$@" | tr -s '[:space:]' '\n'; }
# all WORD PROFILES: these lines, whole.
all() { lines "$@" | sed "s/^/$1: /"; }

# packages PROFILES: the names of all packages asked for.
packages()
{
	local profile
	for profile in $1; do plain "$here/profiles/$profile" | grep -v ':' || true; done | sort -u
}

# exclude PROFILES WORDS: what is not unpacked, as patterns for tar.
exclude()
{
	local word
	for word in $2; do words "$word" "$1" | sed 's:^:./:'; done
}
