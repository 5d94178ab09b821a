#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# exec --user runs as a user of the node, with its home and groups; an unknown one is an error.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
must vbet exec h -- id -u
assert_eq 0 "$OUT" uid
must vbet exec --user daemon h -- id -un
assert_eq daemon "$OUT" user
must_fail vbet exec --user daemon h -- touch /root/x
must_fail vbet exec --user nobody-there h -- true
out_has 'nobody-there'

# Users can be made, and get passwords, as startup scripts of labs do.
must in_node h 'useradd -m alice && echo alice:secret | chpasswd && getent shadow alice && su alice -c id'
out_has '^alice:\$6\$'
out_has '(alice)'
