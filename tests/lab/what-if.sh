#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, plain
# What if: what came before the moment is repeated once. What comes of it is, byte by byte, what comes of repeating it twice,
# whoever spoke to the nodes at that moment, and can be replayed.
. "${0%/*}/lib.sh"

lab_up - --clock virtual --record run <<'END'
h1 = alloc(host) h2 = alloc(host) h3 = alloc(host, disk_size = 16M)
r1 = attach(alloc(router), alloc(NIC), alloc(NIC))
c1 = link(h1, NIC(r1, 1), delay = 5ms, jitter = 1ms, loss = 3%) c2 = link(h2, NIC(r1, 2), delay = 1ms)
link(h3, alloc(switch))
default_route(h1, 10.0.0.2) default_route(h2, 10.0.1.2)
at 60s cut(c2)
at 61s mend(c2)
END
must vbet clock pause
save_or_skip ./probe
must vbet exec --step h1 -- sh -c 'nohup ping -i 0.2 h2 >/tmp/ping 2>&1 &'
must vbet exec --step h3 -- sh -c 'mkfs.ext4 -q /dev/vda && mount /dev/vda /mnt && seq 1 10000 >/mnt/before'
must vbet clock run
# A command and a console whose clients say something before and after that moment.
mkfifo in
vbet exec h1 -- sh -c 'while read -r line; do echo "$line"; date +%s.%N; done' <in >exec.out &
command=$!
exec 9>in
echo early >&9
wait_until 60 grep -q early exec.out
term_start 80 24 'vbet console h2' 9>&- # else it would keep it open
term_wait 'leave with' 120
term_type 'echo $((6 * 7)); tr a-z A-Z'
term_wait '^42' 120
term_type 'before'
term_wait 'BEFORE' 120
must vbet clock pause
must vbet clock
at=${OUT%% *}
must vbet clock run
term_type 'after'
term_wait 'AFTER' 120
echo late >&9
exec 9>&-
wait $command || fail "the command"
must vbet exec h3 -- sh -c 'umount /mnt && md5sum /dev/vda'
must vbet stop h3
wait_until 60 is_state h3 down
must vbet start h3
must vbet link h1 r1 down
must vbet link h1 r1 up
must vbet clock until 63s
must vbet exec --step h1 -- sh -c 'md5sum /tmp/ping; cat /proc/uptime /proc/interrupts /proc/net/snmp; dmesg'
must vbet down
term_end

# boots N: so often a lab has booted.
boots() { assert_eq "$1" "$(grep -c '^ready after' <<<"$OUT")" "boots"; }
must vbet up --whatif 'cut(h2, r1)' "run@${at}s" --keep one
boots 1
out_has_not 'repeated'
out_has '^cables/c2\.pcapng: frame [0-9]+, at '
# The console is there, and the nodes are. What is done now is in the record, too.
cp one/would/inputs inputs
term_start 80 24 'vbet console h2'
term_wait '^AFTER' 120
must vbet clock run
term_type 'more'
term_wait 'MORE' 120
must in_node h1 'grep -q icmp_seq /tmp/ping && ip -s link'
must vbet down
term_end
said() { grep -v ' \(clock\|end\)' "$1/inputs"; }
[ "$(said one/would | wc -l)" -gt "$(grep -vc ' clock' inputs)" ] || fail "what was done then is not in the record"
cat inputs <(tail -n 1 run/inputs) >one/would/inputs # as if it had been taken down then

# There is no place where it could be kept.
take_place() { while :; do rmdir "$RUN"/.restore-*; done 2>/dev/null; }
take_place &
place=$!
must vbet up --whatif 'cut(h2, r1)' "run@${at}s" --keep two
boots 2
out_has '^the lab as it was at that moment cannot be kept: .*; the run is repeated$'
kill $place
wait $place 2>/dev/null
must vbet down
# It was kept, and cannot be restored: the command stands until it is damaged.
vbet up --whatif 'cut(h2, r1)' "run@${at}s" --keep three >three.out 2>&1 </dev/null &
place=$!
wait_until 60 test -e "$RUN/t/control"
kill -STOP $place
is_kept() { [ -s "$(echo "$RUN"/.restore-*/s/server)" ]; }
wait_until 120 is_kept
truncate -s 1000 "$RUN"/.restore-*/s/server
kill -CONT $place
wait $place || fail "the damaged one: $(cat three.out)"
OUT=$(cat three.out)
boots 2
out_has '^what was kept cannot be restored: .*; the run is repeated$'
must vbet down
diff -r one two >&2 || fail "another result than when the run is repeated"
diff -r one three >&2 || fail "another result when what was kept is damaged"
[ "$(find one -name '*.pcapng' -size +2k | wc -l)" -ge 4 ] || fail "nothing was seen: $(ls -l one/*/cables)"

# The first is the run as it was, and the second is a run.
must vbet replay -q run --keep whole
must vbet down
must vbet diff one/was/cables whole/cables
must vbet diff one/was/nodes whole/nodes
said one/was | diff - <(said whole) >&2 || fail "the record of the run as it was"
must vbet replay -q one/would --keep again
must vbet clock
assert_eq "$(tail -n 1 run/inputs | cut -d ' ' -f 1)" "${OUT%% *}" "where it stands"
must vbet down
must vbet diff one/would/cables again/cables
must vbet diff one/would/nodes again/nodes
said one/would | diff - <(said again) >&2 || fail "the record of the other run"
# All that was done in the run, and what the statement comes to.
diff <(said one/was) <(said one/would) >lines
! grep "^<" lines >&2 || fail "not done in the other run"
assert_eq "$at statement $at link " "$(grep '^>' lines | cut -d ' ' -f 2,3 | tr '\n' ' ')" "more in the other run"

# Where the lab was ready, and behind the end of the run.
must vbet up --whatif 'cut(h2, r1)' run@1s --until 1500ms
boots 1
must vbet down
must vbet up --whatif 'cut(h2, r1)' run@63s --until 70s
boots 1
must vbet clock
out_has '^70\.0'
must vbet down
nothing_left || fail "something is left"
