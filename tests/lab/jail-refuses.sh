#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: also root
# Where no namespaces can be had, a guest is not started, unless one insists; then it is told.
. "$(dirname "$0")/jail.inc"

check() {
	local rc=0 log=$T/console.$WHO
	cat >"$T/n/j/init.conf" <<-EOF
	run "echo the end"
	run "kill -USR2 1"
	EOF
	boot "$log" "${AS[@]}" "${UNABLE[@]}" || rc=$?
	[ $rc = 3 ] || fail "$WHO: status $rc, expected 3"
	grep -q '^error .*cannot be confined' "$log.report" || fail "$WHO: $(cat "$log.report")"
	! grep -q '^the end' "$log" || fail "$WHO: it was started"
	# shellcheck disable=SC2034 # of jail.inc
	LAUNCH_WORDS=insecure=1
	boot "$log" "${AS[@]}" "${UNABLE[@]}" || fail "$WHO: status $?: $(cat "$log" "$log.report")"
	# shellcheck disable=SC2034
	LAUNCH_WORDS=
	grep -q '^jail level=none' "$log.report" || fail "$WHO: $(cat "$log.report")"
	grep -q '^the end' "$log" || fail "$WHO: $(cat "$log")"
	echo "ok: $WHO"
}
as_all check
