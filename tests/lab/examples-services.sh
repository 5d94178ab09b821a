#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# The examples of services that the papers' slides name: a tree of names, DHCP through a relay, EIGRP.
. "${0%/*}/lib.sh"

must vbet test -j2 "$EXAMPLES/dns" "$EXAMPLES/dhcp-relay.vbet" "$EXAMPLES/eigrp.vbet"
out_has '^PASS .*/dns/lab\.vbet: 8 of 8 '
out_has '^PASS .*/dhcp-relay\.vbet: 17 of 17 '
out_has '^PASS .*/eigrp\.vbet: 9 of 9 '
nothing_left || fail "something is left"
