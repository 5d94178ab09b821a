#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
# Where personality() and clone3() are refused, as in containers, guests start all the same, confined, and what is lost is said.
. "${0%/*}/lib.sh"

cc -O1 -o filtered "$ROOT/tests/lab/filtered.c" || skip "no compiler"
cat >t.vbet <<'END'
a = alloc(host)
b = alloc(host)
link(a, b)
address(NIC(a, 1), 10.0.0.1/24)
address(NIC(b, 1), 10.0.0.2/24)
END
# run_lab CALL...: a lab where these are refused.
run_lab() {
	must ./filtered "$@" -- vbet up t.vbet
	said=$OUT
	must vbet exec a -- ping -c1 -W5 b
	must vbet exec a -- sh -c 'head -c 8000000 /dev/zero >/tmp/x'
	assert_eq full "$(status_of '.nodes[0].jail' | sed 's/level=\([a-z]*\).*/\1/')" "how well a guest is confined"
	must vbet down
	nothing_left || fail "something is left after $*"
}
# It is said once, for a lab.
notes() { grep -c 'note: personality.. is refused here' <<<"$said"; }
for _ in 1 2 3; do
	run_lab personality
	assert_eq 1 "$(notes)" "lines about what is lost"
done
run_lab clone3
assert_eq 0 "$(notes)" "lines about what is lost"
run_lab personality clone3
must ./filtered personality clone3 -- vbet up --clock virtual t.vbet
out_has 'a run need not repeat'
must vbet exec a -- ping -c1 -W5 b
must vbet down

# Where the time stamp counter cannot be hidden, this is said where a lab in virtual time starts, by its clock, and in its manifest; a run
# that was hidden from it is another one here.
cc -O1 -static -o look "$ROOT/tests/lab/look.c" || skip "no static C library"
# counter: whose counter a program in guest a reads. That of virtual time counts nanoseconds from the start of the lab.
counter() {
	must vbet cp look a:/root/look
	must vbet exec a -- /root/look
	awk '$1 == "tsc" { print $2 + 0 < 1e11 ? "virtual" : "host"; exit }' <<<"$OUT"
}
must vbet up --clock virtual --record hidden t.vbet
said=$OUT
seen=$(counter)
assert_eq "tsc $seen" "$(grep '^tsc' "$RUN/t/manifest")" "what the manifest says of the counter"
[ "$seen" = host ] || {
	! grep 'time stamp counter' <<<"$said" || fail "a counter that is hidden is said to show"
	must vbet clock
	out_has_not 'time stamp counter'
}
must vbet down
must ./filtered tsc -- vbet up --clock virtual t.vbet
out_has "warning: guests can read this machine's time stamp counter"
must vbet clock
out_has "^guests can read this machine's time stamp counter"
assert_eq host "$(counter)" "the counter in a guest"
assert_eq "tsc host" "$(grep '^tsc' "$RUN/t/manifest")" "what the manifest says of the counter"
must vbet down
[ "$seen" = host ] || {
	must ./filtered tsc -- vbet replay hidden
	out_has 'the time stamp counter in guests was the virtual one, here it is the host one'
	must vbet down
}
# It is nothing of the real clock.
must ./filtered tsc -- vbet up t.vbet
out_has_not 'time stamp counter'
must_fail grep '^tsc' "$RUN/t/manifest"
must vbet down

# Of several ways to confine the best one says why not: others fail for want of rights that it would have.
must_fail ./filtered pivot_root -- vbet up t.vbet
out_has 'cannot be confined .*pivot_root: Operation not permitted'
must_fail ./filtered clone clone3 -- vbet up t.vbet
out_has 'cannot be confined .*user namespaces \(CLONE_NEWUSER\): Operation not permitted'
must ./filtered personality clone clone3 -- vbet up --insecure t.vbet
must vbet exec a -- ping -c1 -W5 b
must vbet down
nothing_left || fail "something is left"
