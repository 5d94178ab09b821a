#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, plain
# vbet up --warm: a lab that is restored from an earlier boot is, in virtual time, the one that boots, byte by byte; by the
# real clock the time of day is now and random numbers are its own. Whatever differs, or is damaged, boots.
. "${0%/*}/lib.sh"

cat >f.vbet <<'END_OF_LAB'
h1 = alloc(host) h2 = alloc(host)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC))
link(h1, NIC(r1, 1), delay = 1ms, loss = 20%) link(h2, NIC(r1, 2), delay = 2ms)
write(h1, "/root/greeting", file("greeting"))
default_route(h1, 10.0.0.2) default_route(h2, 10.0.1.2)
expect within 20s ping(h1, h2, count = 1)
at 20s cut(h2, r1)
expect at 22s not ping(h1, h2)
END_OF_LAB
echo hello >greeting
vbet check f.vbet || fail "the script"
kept=$HOME/.cache/vbet/warm/names
n_kept() { find "$kept" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }
# compressed: what was kept is as small as it gets; nobody writes there any more.
compressed() {
	local i
	for ((i = 0; i < 600; i++)); do
		[ -z "$(find "$kept" -name server)" ] && flock -n "${kept%/*}/lock" true && return
		sleep 0.1
	done
	fail "still not compressed"
}

# In virtual time: captures of all cables, consoles, record, report, and what is in the tables.
test_lab() { must vbet test -q --clock virtual --seed 11 "$@" f.vbet; }
test_lab --cold --keep cold
assert_eq 0 "$(n_kept)" "boots that are kept"
vbet test --clock virtual --seed 11 --warm --keep first f.vbet >/dev/null 2>said || fail "$(cat said)"
grep 'not kept' said && skip "the guests' kernel has no snapshots"
assert_eq 1 "$(n_kept)" "boots that are kept"
for again in second third; do
	vbet test --clock virtual --seed 11 --keep $again f.vbet >/dev/null 2>said || fail "$(cat said)"
	grep -q 'restored from a boot of' said || fail "it was not restored: $(cat said)"
	compressed
done
for again in first second third; do
	diff -r cold $again >&2 || fail "$again is another run"
done
[ "$(cat cold/cables/* | wc -c)" -gt 2000 ] || fail "nothing was captured"

# A record that begins with a lab that was restored is one like any other.
must vbet replay second --until 4s
out_has_not 'not as in the record'
must vbet exec --step h1 -- cat /root/greeting
assert_eq hello "$OUT"
must vbet down

# restored WANT COMMAND...: whether it was, by what it says.
restored() {
	local want=$1 out
	shift
	out=$("$@" 2>&1) || fail "$out"
	grep -q 'restored from a boot of' <<<"$out"
	assert_eq "$want" $? "not restored ($*): $out: status"
	must vbet down
}
up=(vbet up --clock virtual --seed 11)
restored 1 "${up[@]}" f.vbet
restored 1 "${up[@]}" --warm f.vbet
restored 0 "${up[@]}" f.vbet
restored 1 "${up[@]}" --guests-at-once 4 f.vbet
restored 1 "${up[@]}" --cold f.vbet
restored 1 vbet up --clock virtual --seed 12 f.vbet
restored 1 "${up[@]}" --spin charge f.vbet
restored 1 "${up[@]}" -n other f.vbet
restored 1 env VBET_WARM=off "${up[@]}" f.vbet
echo changed >greeting
restored 1 "${up[@]}" f.vbet
echo hello >greeting
restored 0 "${up[@]}" f.vbet
sed -i 's/loss = 20%/loss = 21%/' f.vbet
restored 1 "${up[@]}" f.vbet
sed -i 's/loss = 21%/loss = 20%/' f.vbet

# Damage: it boots, and is not tried again.
compressed
for f in "${kept%/*}"/packs/*.pack; do
	size=$(stat -c %s "$f")
	dd if=/dev/urandom of="$f" bs=1 seek=$((size / 2)) count=100 conv=notrunc 2>/dev/null || fail "damage"
done
n=$(n_kept)
restored 1 "${up[@]}" f.vbet
[ "$(n_kept)" -lt "$n" ] || fail "what is damaged is kept"
vbet clean --warm || fail "vbet clean --warm"
assert_eq 0 "$(n_kept)" "boots that are kept"
[ "$(du -sk "${kept%/*}" | cut -f1)" -lt 100 ] || fail "something is left"

# By itself: the second boot is kept if that is worth it, and no more than there is room for.
restored 1 env VBET_WARM=100M "${up[@]}" f.vbet
assert_eq 0 "$(n_kept)" "boots that are kept"

# By the real clock.
must vbet up --warm f.vbet
must vbet down
for i in 1 2; do
	restored=$(vbet up f.vbet 2>&1) || fail "$restored"
	grep -q 'restored from a boot of' <<<"$restored" || fail "it was not restored: $restored"
	must vbet exec h1 -- date +%s
	[ $(($(date +%s) - OUT)) -le 5 ] && [ $((OUT - $(date +%s))) -le 5 ] || fail "the time of day is $OUT"
	must vbet exec h1 -- cat /proc/sys/kernel/random/uuid
	[ "$OUT" != "${drawn:-}" ] || fail "two labs have drawn the same: $OUT"
	drawn=$OUT
	wait_until 20 vbet exec h1 -- ping -c1 -W1 h2
	must vbet down
done
nothing_left || fail "something is left"
