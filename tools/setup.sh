#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# setup.sh [GROUP...]: install the Debian packages that are missing, saying which. With sudo if we are
# not root. Does nothing, at once, if nothing is missing. Groups: build (default), run, check, bench, deb.
set -eu

build="gcc make libc6-dev bison flex bc xz-utils patch perl pkg-config libreadline-dev libpcap-dev
libslirp-dev libjson-c-dev libmd-dev libyaml-dev libexpat1-dev libseccomp-dev libzstd-dev libxxhash-dev check libsubunit-dev musl-tools util-linux tar"
check="jq graphviz python3 clang clang-format clang-tidy cppcheck shellcheck libclang-rt-14-dev llvm tshark tmux user-mode-linux iproute2 procps passwd"
bench="mininet bridge-utils ethtool iperf3 iputils-ping uml-utilities vde2 openvswitch-switch iproute2"

run="user-mode-linux"
deb="debhelper dpkg-dev fakeroot lintian debootstrap zstd git"

want=
for group in "${@:-build}"; do
	case $group in
	build) want="$want $build" ;;
	run) want="$want $run" ;;
	check) want="$want $check" ;;
	bench) want="$want $bench" ;;
	deb) want="$want $deb" ;;
	*)
		echo "setup: no group '$group' (build, run, check, bench, deb)" >&2
		exit 2
		;;
	esac
done

missing=
for p in $want; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "setup: as root, run: apt-get install$missing" >&2
		exit 3
	}
	sudo="sudo"
fi
echo "setup: installing$missing" >&2
# shellcheck disable=SC2086 # words on purpose
{
	$sudo apt-get -q update >/dev/null
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing >/dev/null
} || {
	echo "setup: apt-get failed; see above" >&2
	exit 3
}
