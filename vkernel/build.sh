#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# build.sh LINK: build the guest kernel and make LINK a symbolic link to it.
#
# Needs no privileges. The kernel is built once per (source version, configuration,
# patches, this script, compiler) in ${VBET_CACHE:-~/.cache/vbet}/kernel/KEY and found again at
# once. An interrupted build continues where it stopped; two builds at a time wait for each other.
#
# VBET_JOBS         compilers to run side by side (default: one per CPU)
# VBET_KEEP_SOURCE  if not empty, keep the source tree and the package after a build
set -u
LC_ALL=C
export LC_ALL
unset MAKEFLAGS MFLAGS MAKELEVEL KCFLAGS KAFLAGS KCPPFLAGS CROSS_COMPILE ARCH SUBARCH CC HOSTCC LD O LLVM TMOUT

say() { printf 'kernel: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ $# -eq 1 ] || { echo "usage: build.sh LINK" >&2; exit 2; }
link=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1

package='' version='' sha256=''
# shellcheck disable=SC1091
. "$here/version"
if [ -n "${VBET_CACHE:-}" ]; then cache=$VBET_CACHE
else cache=${XDG_CACHE_HOME:-${HOME:?neither VBET_CACHE, XDG_CACHE_HOME nor HOME is set}/.cache}/vbet
fi
cache=$cache/kernel

command -v gcc >/dev/null || die "no gcc: install the packages listed in README.md"
inputs=$({ gcc -v 2>&1 | tail -n 1; cat -- "$0" "$here/config" "$here"/patches/*.patch; } | sha256sum)
key_for() { printf '%s %s\n' "$1" "$inputs" | sha256sum | cut -c 1-16; }

# Make $link point to the kernel in directory $1, in one step.
finish() {
	d=$(dirname -- "$link")
	if ! { mkdir -p -- "$d" && ln -sfn -- "$1/linux" "$link.$$" && mv -fT -- "$link.$$" "$link"; }; then
		die "cannot make the link $link"
	fi
	say "$1/linux"
	exit 0
}

# A build of another version than the pinned one is remembered under the pinned key.
key=$(key_for "$version")
[ -x "$cache/$key/linux" ] && finish "$cache/$key"
if [ -r "$cache/$key/instead" ]; then
	other=$(key_for "$(cat "$cache/$key/instead")")
	[ -x "$cache/$other/linux" ] && finish "$cache/$other"
fi

# --- from here on it takes minutes ---

for tool in make flex bison bc xz tar patch perl dpkg-deb flock; do
	command -v $tool >/dev/null || die "no $tool: install the packages listed in README.md"
done

mkdir -p -- "$cache" || die "cannot make the cache directory $cache"
cache=$(cd -- "$cache" && pwd)
exec 9>"$cache/lock" || die "cannot write to $cache"
if ! flock -n 9; then
	say "another build is running: waiting for it"
	flock 9 || die "cannot lock $cache/lock"
	[ -x "$cache/$key/linux" ] && finish "$cache/$key"
fi
trap 'say "interrupted: run again to continue"; exit 130' INT HUP TERM

# --- the source: $tarball, of version $got ---

tarball='' deb='' got=''

# Look for a downloaded package of version $1 (with checksum $2, if given).
have_deb() {
	deb=$cache/${package}_$1_all.deb
	[ -f "$deb" ] || return 1
	[ "$(dpkg-deb -f "$deb" Version 2>/dev/null)" = "$1" ] || { rm -f -- "$deb"; return 1; }
	if [ -n "${2:-}" ] && ! echo "$2  $deb" | sha256sum --quiet -c - >/dev/null 2>&1; then
		say "$deb does not have the pinned checksum: discarded"
		rm -f -- "$deb"
		return 1
	fi
	got=$1
}

# apt checks what it fetches against the archive's signature, and continues a partial file.
fetch_deb() {
	mkdir -p -- "$cache/download" || return 1
	say "downloading $package $1 (150 MB)"
	(cd -- "$cache/download" &&
		apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package=$1" >apt.log 2>&1) || return 1
	mv -f -- "$cache/download/${package}_$1_all.deb" "$cache/" 2>/dev/null
}

installed=$(dpkg-query -W -f '${Status} ${Version}' "$package" 2>/dev/null)
case $installed in
"install ok installed "*) installed=${installed##* } ;;
*) installed='' ;;
esac
[ -r "/usr/src/$package.tar.xz" ] || installed=''

if [ "$installed" = "$version" ]; then
	tarball=/usr/src/$package.tar.xz got=$version
elif have_deb "$version" "$sha256"; then
	:
elif fetch_deb "$version" && have_deb "$version" "$sha256"; then
	:
else
	# Debian keeps only recent versions: take its present one, and say so.
	newer=$(apt-cache policy "$package" 2>/dev/null | awk '$1 == "Candidate:" { print $2; exit }')
	if [ -n "$newer" ] && [ "$newer" != "(none)" ] && [ "$newer" != "$version" ] &&
	   { have_deb "$newer" || { fetch_deb "$newer" && have_deb "$newer"; }; }; then
		:
	elif [ -n "$installed" ]; then
		tarball=/usr/src/$package.tar.xz got=$installed
	else
		[ -s "$cache/download/apt.log" ] && tail -n 5 "$cache/download/apt.log" >&2
		die "no source: '$package' can be neither downloaded (apt-get update may help) nor found in /usr/src"
	fi
	say "$package $version is not available: building $got instead (see vkernel/version)"
	mkdir -p -- "$cache/$key"
	echo "$got" >"$cache/$key/instead"
	key=$(key_for "$got")
	[ -x "$cache/$key/linux" ] && finish "$cache/$key"
fi

dir=$cache/$key src=$cache/$key/src log=$cache/$key/build.log
mkdir -p -- "$dir" || die "cannot make $dir"

fail() {
	[ -s "$log" ] && tail -n 30 "$log" >&2
	die "$* (log: $log)"
}

# --- unpack and patch, under a temporary name ---

# Documentation, device trees and the like are half of the files and none of them is needed.
unpack() {
	xz -dcT0 | tar x --strip-components=1 -C "$1" --wildcards --exclude='*/Documentation/*/*' \
		--exclude='*/arch/*/boot/dts' --exclude='*/arch/[a-tv-w]*.[chS]' \
		--exclude='*/drivers/gpu/*.[ch]' --exclude='*/drivers/media/*.[ch]' \
		--exclude='*/drivers/staging/*.[ch]' --exclude='*/sound/*.[ch]' --exclude='*/tools/testing/*'
}

if [ ! -d "$src" ]; then
	say "unpacking $package $got"
	rm -rf -- "$src.part"
	mkdir -- "$src.part" || die "cannot make $src.part"
	: >"$log"
	if [ -n "$tarball" ]; then unpack "$src.part" <"$tarball"
	else dpkg-deb --fsys-tarfile "$deb" | tar xO "./usr/src/$package.tar.xz" | unpack "$src.part"
	fi >>"$log" 2>&1
	[ -f "$src.part/Makefile" ] || fail "cannot unpack the source"
	for p in "$here"/patches/*.patch; do
		[ -e "$p" ] || continue
		patch -d "$src.part" -p1 --no-backup-if-mismatch -N <"$p" >>"$log" 2>&1 ||
			fail "patches/${p##*/} does not apply"
	done
	mv -- "$src.part" "$src" || die "cannot make $src"
fi

# --- configure; then every line of our configuration must have taken ---

# The same input gives the same kernel, whoever builds it wherever.
export KBUILD_BUILD_USER=vbet KBUILD_BUILD_HOST=vbet KBUILD_BUILD_VERSION=1
export KBUILD_BUILD_TIMESTAMP="$got" SOURCE_DATE_EPOCH=0
[ -f "$src/configured" ] || {
	KCONFIG_ALLCONFIG=$here/config make -s -C "$src" ARCH=um allnoconfig >>"$log" 2>&1 ||
		fail "configuring failed"
	awk '
	FNR == NR {
		if (/^CONFIG_/) { i = index($0, "="); has[substr($0, 1, i - 1)] = substr($0, i + 1) }
		next
	}
	/^CONFIG_/ { i = index($0, "="); s = substr($0, 1, i - 1); v = substr($0, i + 1) }
	/^# CONFIG_.* is not set$/ { s = $2; v = "n" }
	s == "" { next }
	{ h = (s in has) ? has[s] : "n"; if (h != v) { print s " is " h ", not " v; bad = 1 }; s = "" }
	END { exit bad }' "$src/.config" "$here/config" >"$dir/untaken" || {
		cat -- "$dir/untaken" >&2
		die "these lines of vkernel/config did not take (a dependency is missing, or the symbol is gone)"
	}
	rm -f -- "$dir/untaken"
	: >"$src/configured"
}

# --- compile ---

total=2110	# about; only for the display
jobs=${VBET_JOBS:-$(nproc 2>/dev/null || echo 1)}
start=$(date +%s)
nice make -C "$src" ARCH=um -j "$jobs" linux >>"$log" 2>&1 &
make_pid=$!
trap 'kill $make_pid 2>/dev/null; wait $make_pid; say "interrupted: run again to continue"; exit 130' INT HUP TERM
tick=0
while kill -0 $make_pid 2>/dev/null; do
	if [ -t 2 ] || [ $((tick % 10)) -eq 0 ]; then
		n=$(grep -c '^  [A-Z]' "$log")
		line="compiling: $n of about $total files, $(($(date +%s) - start)) s"
		if [ -t 2 ]; then printf '\rkernel: %s ' "$line" >&2
		else say "$line"
		fi
	fi
	tick=$((tick + 1))
	sleep 1
done
[ -t 2 ] && echo >&2
wait $make_pid || fail "compiling failed"
trap 'say "interrupted: run again to continue"; exit 130' INT HUP TERM

strip -o "$dir/linux.part" "$src/linux" >>"$log" 2>&1 || fail "strip failed"
"$dir/linux.part" --version >/dev/null 2>&1 || fail "the new kernel does not start"
cp -- "$src/.config" "$dir/config"
echo "$package $got" >"$dir/source"
mv -f -- "$dir/linux.part" "$dir/linux" || die "cannot make $dir/linux"

if [ -z "${VBET_KEEP_SOURCE:-}" ]; then
	# nobody else builds: we hold the lock
	rm -rf -- "$cache"/*/src "$cache"/*/src.part "$cache/download"
	[ -n "$deb" ] && rm -f -- "$deb"
fi
say "built in $(($(date +%s) - start)) s from $package $got"
finish "$dir"
