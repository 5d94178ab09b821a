#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Two labs at once do not meet; a second one of the same name is refused, and the first runs on.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
server=$(status_of .server_pid)
must_status 3 vbet up "$EXAMPLES/hello.vbet"
out_has "lab 'hello' is running"
out_has 'vbet down -n hello'
assert_eq "$server" "$(status_of .server_pid)" "the server's pid"
must vbet pingall

must vbet up -n other "$EXAMPLES/hello.vbet"
must vbet ls
out_has '^hello +running, real clock'
out_has '^other +running, real clock'
must_status 2 vbet pingall
out_has 'hello'
out_has 'other'
must vbet pingall -n hello
must vbet exec -n other host1 -- sh -c 'echo x >/root/other'
must_fail vbet exec -n hello host1 -- test -e /root/other
must vbet down -n hello
must vbet pingall
must vbet status
out_has '^lab other,'
must vbet up "$EXAMPLES/hello.vbet"
must vbet down --all
nothing_left || fail "something is left"
