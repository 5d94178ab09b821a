#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# deb-check.sh: installs the package of build/deb into a fresh Debian (debootstrap), and runs the examples there as an
# ordinary user who has nothing else. Needs root.
set -eu
cd "$(dirname "$0")/.."
deb=$(ls "$PWD"/build/deb/vbet_*_amd64.deb)
root=${VBET_DEB_ROOT:-/var/tmp/vbet-deb-check}
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\?\([^ ]*\).*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)

finish() {
	[ -z "${VBET_DEB_ROOT:-}" ] || return 0
	rm -rf --one-file-system "$root"
}
trap finish EXIT

if [ ! -e "$root/etc/debian_version" ]; then
	debootstrap --variant=minbase --include=procps,mount,libexpat1,libjson-c5,libmd0,libpcap0.8,libreadline8,libseccomp2,libslirp0,libxxhash0,libyaml-0-2,libzstd1,zstd "$suite" "$root" "$mirror" >"$root.log" 2>&1 || {
		tail -n 20 "$root.log" >&2
		exit 1
	}
	rm -f "$root.log"
fi
cp "$deb" "$root/var/tmp/vbet.deb"

# A root directory of its own, by pivot_root: who was put there by chroot may have no user namespaces.
# shellcheck disable=SC2016 # for the shell inside
unshare --mount --pid --ipc --net --fork sh -euc '
	mount --bind "$1" "$1"
	cd "$1"
	mount -t proc proc proc
	mount --rbind /dev dev
	mount -t tmpfs tmpfs tmp
	mkdir -p var/tmp/outside
	pivot_root . var/tmp/outside
	umount -l /var/tmp/outside
	exec /bin/sh -eu /dev/stdin' sh "$root" <<'END'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
ip link set lo up 2>/dev/null || true
began=$(date +%s%N)
dpkg -i /var/tmp/vbet.deb >/var/tmp/install.log 2>&1 || { cat /var/tmp/install.log; exit 1; }
echo "installed in $((($(date +%s%N) - began) / 1000000)) ms"
id tester >/dev/null 2>&1 || useradd -m tester
chmod 1777 /tmp
cat >/tmp/try.sh <<'TRY'
set -eu
cd
vbet --version
cp /usr/share/doc/vbet/examples/*.vbet .
vbet up hello.vbet
vbet pingall
vbet down
for f in ospf-reroute lan figure2; do
	echo "== $f"
	vbet test "$f.vbet"
done
TRY
setpriv --reuid=tester --regid=tester --clear-groups env -i PATH=/usr/bin:/bin HOME=/home/tester LC_ALL=C.UTF-8 sh -eu /tmp/try.sh
dpkg -r vbet >/dev/null
[ ! -e /usr/lib/vbet ] || { echo "left behind:"; find /usr/lib/vbet | head; exit 1; }
echo "removed without a trace"
END
