#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# exec passes on the exit status of the command, as a shell does with signals.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
must vbet exec h -- true
must_status 1 vbet exec h -- false
must_status 42 vbet exec h -- sh -c 'exit 42'
must_status 255 vbet exec h -- sh -c 'exit 255'
must_status 137 vbet exec h -- sh -c 'kill -KILL $$'
must_status 143 vbet exec h -- sh -c 'kill -TERM $$'
# What cannot be started has no status: that is the environment's failure (3), and says what.
must_status 3 vbet exec h -- no-such-command
out_has '^vbet: no-such-command: No such file or directory$'
must_status 3 vbet exec h -- /etc/passwd
out_has '^vbet: run /etc/passwd: Permission denied$'
