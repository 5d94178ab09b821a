#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: plain
# What this machine cannot do is said before anything starts, and by its name: a long run directory, few descriptors, an endless file.
. "${0%/*}/lib.sh"

cat >t.vbet <<'END'
sw = alloc(switch)
for i in 1..4 { link(alloc(host), sw) }
END
# Not the names of the script.
long=$XDG_RUNTIME_DIR/$(printf 'x%.0s' {1..60})
mkdir "$long"
must_status 3 env XDG_RUNTIME_DIR="$long" vbet up t.vbet
out_has 'set XDG_RUNTIME_DIR to a directory whose name has at most [0-9]+ letters'
out_has_not "the name '"

# 4 guests with a NIC: 64 in one process. Where one may not have them, there are more.
begin=$EPOCHSECONDS
must_status 3 bash -c 'ulimit -n 60; exec vbet up --substrate-processes 1 t.vbet'
out_has 'needs 64 descriptors in one process, and may have 60'
must_status 3 bash -c 'ulimit -n 33; exec vbet up t.vbet'
out_has 'needs [0-9]+ descriptors in one process, and may have 33'
[ $((EPOCHSECONDS - begin)) -lt 10 ] || fail "it took $((EPOCHSECONDS - begin)) s"
for limit in 64 60; do
	must bash -c "ulimit -n $limit; exec vbet up t.vbet"
	must vbet pingall
	must vbet status
	if [ $limit = 60 ]; then out_has 'substrate\.2'; else out_has_not 'substrate\.2'; fi
	must vbet down
done

# By the virtual clock there is one process, which needs more.
must_status 3 bash -c 'ulimit -n 70; exec vbet up --clock virtual t.vbet'
out_has 'needs 80 descriptors in one process, and may have 70: raise the hard limit \(ulimit -Hn\)$'
must bash -c 'ulimit -n 80; exec vbet up --clock virtual t.vbet'
must vbet down

# What is counted is what there is: eight for a guest with one NIC, and none is left of one that is started anew.
must vbet up t.vbet
descriptors() { find "/proc/$(status_of .substrate_pid)/fd" -mindepth 1 | wc -l; }
all=$(descriptors)
[ "$all" -le $((8 + 4 * 8)) ] || fail "vsubstrate has $all descriptors for 4 guests"
for _ in 1 2 3 4 5; do must vbet restart host1; done
must vbet pingall
assert_eq "$all" "$(descriptors)" "descriptors after a guest was started anew"
must vbet down

# A part that is there, and that one may not read, is not one that was not built.
mkdir parts parts/closed
ln -s closed/linux parts/linux
touch parts/closed/linux
chmod 0 parts/closed
must_status 3 env VBET_LIB="$PWD/parts" vbet up t.vbet
out_has "you may not read $PWD/parts/linux, which is closed/linux"
chmod 700 parts/closed
chmod 0 parts/closed/linux
must_status 3 env VBET_LIB="$PWD/parts" vbet up t.vbet
out_has "you may not read $PWD/parts/linux"
# shellcheck disable=SC2016 # for the other shell
must_status 2 bash -c 'ulimit -v 4000000; timeout 30 vbet check /dev/zero'
out_has '/dev/zero has 256 MB or more'
nothing_left || fail "something is left"
