#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The file system is shared and read-only below, private above: what one node writes no other sees.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
must in_node host1 'echo mine >/etc/motd; rm /etc/services; echo x >/usr/bin/new; chmod +x /usr/bin/new'
assert_eq mine "$(in_node host1 'cat /etc/motd')" "the file where it was written"
must_fail in_node host2 'grep mine /etc/motd'
must in_node host2 'test -e /etc/services && ! test -e /usr/bin/new'
must_fail in_node host1 'test -e /etc/services'
tree=${VBET_LIB:-$ROOT/build}/rootfs/debian
[ ! -e "$tree/usr/bin/new" ] && [ -e "$tree/etc/services" ] || fail "a node has changed the tree"
