#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# "make install DESTDIR=... PREFIX=..." gives a tree that works wherever it is; uninstall removes all of it.
# lab: only root
. "${0%/*}/lib.sh"

cp -al "${VBET_SOURCE:?}" src 2>/dev/null || {
	rm -rf src
	cp -a "$VBET_SOURCE" src
} || exit 1
cd src || exit 1
# As built: this test is about copying, not about what others are just changing.
must make -o all install DESTDIR="$HOME/dest" PREFIX=/opt/vbet
for f in bin/vbet bin/vnet-mux include/vnet.h lib/libvnet.a lib/vbet/linux lib/vbet/vsubstrate lib/vbet/vbet-init lib/vbet/vbet-launch lib/vbet/vbet-outside lib/vbet/rootfs/debian/etc/passwd \
	share/doc/vbet/examples/hello.vbet share/vbet/wireshark/vbet.lua; do
	[ -e "$HOME/dest/opt/vbet/$f" ] || fail "$f is not installed"
done
cd "$HOME" || exit 1
unset VBET_LIB
PATH=$HOME/dest/opt/vbet/bin:$PATH
must vbet up dest/opt/vbet/share/doc/vbet/examples/hello.vbet
must vbet pingall
# It is this copy that runs.
case $(readlink "/proc/$(status_of .substrate_pid)/exe") in
"$HOME"/dest/*) ;;
*) fail "not from the installed tree" ;;
esac
must vbet down
must make -C src uninstall DESTDIR="$HOME/dest" PREFIX=/opt/vbet
assert_eq '' "$(find dest -type f)" "files that are left"
