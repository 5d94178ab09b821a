#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Labs of two users do not meet: neither sees, touches or cleans those of the other.
# lab: only root
. "${0%/*}/lib.sh"

[ "$(id -u)" = 0 ] || skip "needs root, to be two users"
user=${VBET_TEST_USER:?}
theirs=$(mktemp -d /tmp/vt.XXXXXX)
chown "$user" "$theirs"
as_user() { setpriv --reuid="$user" --regid="$user" --init-groups env XDG_RUNTIME_DIR="$theirs" HOME="$theirs" "$@"; }

lab_up "$EXAMPLES/hello.vbet"
must as_user vbet up "$EXAMPLES/hello.vbet"
must vbet pingall
must as_user vbet pingall
# In the other's place he finds nothing to use.
must_fail as_user env XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" vbet status
must_fail as_user ls "$RUN"
must as_user vbet clean
must as_user vbet down
must_fail as_user vbet status
must vbet pingall

# Without XDG_RUNTIME_DIR it is a directory of the user in /tmp.
lab=in-tmp-$$
must as_user env -u XDG_RUNTIME_DIR vbet up -n "$lab" "$EXAMPLES/hello.vbet"
must as_user env -u XDG_RUNTIME_DIR vbet status -n "$lab"
out_has "in /tmp/vbet-$(id -u "$user")/$lab"
must as_user env -u XDG_RUNTIME_DIR vbet down -n "$lab"
rm -rf "$theirs"
