#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: plain
# What a lab writes elsewhere (--record, --keep) is its own: a fork of it, or one that is restored under another name, writes
# nothing there, and has a record of its own. Under its own name it goes on there from the moment of the snapshot, whatever
# was done since.
. "${0%/*}/lib.sh"

cat >t.vbet <<'END_SCRIPT'
a = alloc(host) b = alloc(host)
link(a, b, delay = 1ms)
END_SCRIPT

ping_in() { must vbet exec --step -n "$1" a -- ping -c "$2" -i 0.1 b; }
# commands_of RECORD: what was done in that run.
commands_of() { grep -o 'ping -c [0-9]*' "$1" | tr -dc '0-9\n' | tr '\n' ' '; }
has_commands() { [ "$(commands_of "$1")" = "$2" ] || fail "$1: $(commands_of "$1"), not $2"; }

echo "a fork has a record of its own"
must vbet up --clock virtual --record "$HOME/rec" -n one t.vbet
must vbet clock -n one pause
ping_in one 1
must vbet fork -n two one
ping_in two 2
ping_in one 3
ping_in two 4
has_commands rec/inputs "1 3 "
has_commands "$RUN/two/inputs" "1 2 4 "
must vbet save -n one early
ping_in one 5
must vbet save -n one late
must vbet down -n two

echo "under another name, too"
must vbet restore -n three early
ping_in three 6
ping_in one 7
has_commands rec/inputs "1 3 5 7 "
has_commands "$RUN/three/inputs" "1 3 6 "
must vbet down -n three
must vbet down -n one

echo "under its own name the record goes on where it was said, from that moment"
must vbet restore early
ping_in one 8
has_commands rec/inputs "1 3 8 "
must vbet down -n one
must vbet restore late
ping_in one 9
has_commands rec/inputs "1 3 5 9 "
must vbet down -n one

echo "or in the run directory, if that is no more"
mv rec gone
must vbet restore late
ping_in one 1
has_commands "$RUN/one/inputs" "1 3 5 1 "
must vbet down -n one
mv gone rec

echo "a lab without its record can be forked all the same"
must vbet up --clock virtual --record "$HOME/lost" -n one t.vbet
must vbet clock -n one pause
rm -r lost
must vbet fork -n two one
ping_in two 1
must_status 3 vbet replay -n again two
must vbet down -n two
must vbet down -n one

echo "what was recorded can be repeated"
must vbet replay -n again rec
must vbet down -n again

# The pattern of its packets tells whose they are.
echo "captures are those of one lab"
cat >k.vbet <<'END_SCRIPT'
a = alloc(host) b = alloc(host)
link(a, b)
expect within 100s exec(a, "test -e /root/done")
END_SCRIPT
vbet test --clock real --keep "$HOME/kept" k.vbet >said 2>&1 &
test=$!
ready_lab() { vbet ls | awk '/ready/ { print $1 }'; }
is_up() { [ -n "$(ready_lab)" ]; }
wait_until 60 is_up
lab=$(ready_lab)
must vbet exec -n "$lab" a -- ping -c 3 -p 6f776e65 -i 0.2 b
must vbet fork -n other "$lab"
must vbet exec -n other a -- ping -c 20 -p 6f74686572 -i 0.01 b
must vbet down -n other
must vbet exec -n "$lab" a -- touch /root/done
wait $test || fail "the test: $(cat said)"
cat kept/cables/*.pcapng >all
grep -q owneowne all || fail "the lab's own packets are not in its captures"
! grep -q otherother all || fail "the fork's are"
