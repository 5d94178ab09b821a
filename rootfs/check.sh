#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# check.sh TREE [added]: does every tool that the tree's profiles promise exist and run, and has every program its
# libraries? "added": only the programs that the tree does not share with another. Takes seconds and changes nothing.
#
# The tools run with the tree as their root where the host allows that (root, or user namespaces); where it does not, with
# the tree's own loader and libraries, which proves nearly as much.
set -euo pipefail
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
. "$here/profile.sh"

[[ $# == 1 || ( $# == 2 && $2 == added ) ]] || { echo "usage: $0 TREE [added]" >&2; exit 2; }
tree=$(cd "$1" && pwd -P)
[[ -r $tree/usr/share/vbet/profiles ]] || { echo "rootfs: $1 is not a tree" >&2; exit 1; }
profiles=$(tr '\n' ' ' <"$tree/usr/share/vbet/profiles")
export ADDED=${2:-}
if [[ -n $ADDED ]]; then profiles=; fi

# Runs in the tree with PATH as guests have it. Exit statuses of a usage message are fine; those of a tool that is
# missing, cannot be loaded or crashes are not.
# shellcheck disable=SC2016
inside='
	PATH=/usr/local/bin:/usr/sbin:/usr/bin:/usr/lib/frr; export PATH; bad=0
	while read -r line; do
		out=$(timeout 10 sh -c "$line" 2>&1 </dev/null); status=$?
		if [ $status -ge 124 ] || { [ $status -ne 0 ] && echo "$out" | grep -q "error while loading\|: not found\$"; }; then
			echo "rootfs: \"$line\" fails ($status): $out" | head -n 3; bad=1
		fi
	done
	for file in /usr/bin/* /usr/sbin/* /usr/lib/frr/* /usr/lib/frr/modules/*; do
		[ -f "$file" ] && { [ -z "$ADDED" ] || [ "$(stat -c %h "$file")" = 1 ]; } &&
			head -c 4 "$file" | grep -q ELF && printf "%s\n" "$file"
	done | xargs -r ldd 2>&1 | awk '"'"'/^\// { file = $1 } /not found/ { print "rootfs: " file " lacks " $1; bad = 1 } END { exit bad }'"'"' || bad=1
	exit $bad'

# A private /dev with what programs open, and the tree itself read-only, so that a check cannot leave traces.
# shellcheck disable=SC2016
enter='
	mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && mount -t tmpfs tmpfs "$1/dev" && mount -t tmpfs tmpfs "$1/tmp" &&
	mount -t tmpfs tmpfs "$1/run" && mount -t tmpfs tmpfs "$1/var/log" &&
	for dev in null zero urandom; do : >"$1/dev/$dev" && mount --bind "/dev/$dev" "$1/dev/$dev" || exit; done'

checks() { lines check "$profiles"; }
# in_tree TOOL: the file a guest would run, as a path of the host; absolute links lead out of the tree and are followed here.
in_tree()
{
	local file=$1 target hops=0
	if [[ $file != /* ]]; then
		for dir in usr/sbin usr/bin; do
			if [[ -L $tree/$dir/$1 || -e $tree/$dir/$1 ]]; then file=/$dir/$1; break; fi
		done
	fi
	while target=$(readlink "$tree$file") && ((hops++ < 8)); do
		if [[ $target == /* ]]; then file=$target; else file=$(dirname "$file")/$target; fi
	done
	[[ -f $tree$file ]] && printf '%s\n' "$tree$file"
}
fallback()
{
	local loader lib line file bad=0
	loader=$(compgen -G "$tree/lib64/ld-linux*" || compgen -G "$tree/lib/ld-linux*") || { echo "rootfs: no loader in $tree"; return 1; }
	lib=$(find "$tree/usr/lib" -maxdepth 2 -name 'libc.so.*' -printf '%h')
	while read -r line; do
		file=$(in_tree "${line%% *}") || { echo "rootfs: ${line%% *} is missing"; bad=1; continue; }
		"$loader" --library-path "$lib:$lib/frr" --list "$file" >/dev/null ||
			{ echo "rootfs: ${line%% *} lacks a library"; bad=1; }
	done
	return $bad
}

if [[ $(id -u) == 0 ]]; then own=(unshare -m); else own=(unshare -r -m); fi
if "${own[@]}" sh -c "$enter" sh "$tree" 2>/dev/null; then
	# shellcheck disable=SC2016
	checks | "${own[@]}" sh -c "$enter"' && exec chroot "$1" /bin/sh -c "$2"' sh "$tree" "$inside"
else
	checks | fallback
fi
