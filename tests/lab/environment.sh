#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Nothing of who runs the lab is visible in a guest: environment, user name, host name, processes, files.
. "${0%/*}/lib.sh"

export SECRET=a-secret-word-7734
lab_up - <<'END'
h = attach(alloc(host), alloc(NIC))
link(h, alloc(switch, name = "s"))
END
must_fail in_node h 'grep -rlas a-secret-word /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/cmdline'
must in_node h 'env; cat /proc/1/environ /proc/cmdline /proc/mounts; hostname; uname -a; ls / /vbet /tmp /root; dmesg'
out_has_not 'a-secret-word|vt\.|vbet-test|/home/'
assert_eq h "$(in_node h 'uname -n')" "the node's name for itself"
# The kernel's own process on the host has no environment either.
assert_eq 0 "$(wc -c <"/proc/$(pgrep -P "$(node_pid h)" | head -1)/environ")" "bytes of the kernel's environment"
must vbet status
out_has 'jail level=full'
