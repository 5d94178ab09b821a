#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a guest says to the server in its agent's name costs neither memory nor the others' time; and a long command is none of that.
# lab: slow
. "${0%/*}/lib.sh"

cc -O1 -static -o flood "$ROOT/tests/lab/agent_flood.c" || skip "no compiler"
lab_up - <<'END'
evil = alloc(host)
worse = alloc(host)
good = alloc(host)
END

# The longest that is allowed, of the shortest words.
# shellcheck disable=SC2046 # words on purpose
vbet exec good -- echo $(seq 1 12000) >said 2>&1 || fail "a long command: status $?, $(head -c 300 said)"
seq -s ' ' 1 12000 | cmp - said || fail "what a long command prints has changed"

server=$(status_of .server_pid)
peak_kb() { awk '/VmHWM/ { print $2 }' "/proc/$server/status"; }
before=$(peak_kb)

# serves: how many milliseconds another node's ten commands take.
serves() {
	local i begin=${EPOCHREALTIME/./}
	for ((i = 0; i < 10; i++)); do must vbet exec good -- true; done
	took_ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
}
# The floods take processor time, but their turn only: without turns a command never comes to its own.
serves
limit_ms=$((10000 + took_ms * 5))
must vbet cp flood evil:/root/flood
must vbet cp flood worse:/root/flood
must vbet exec evil -- sh -c '/root/flood events >/tmp/said 2>&1 &'
wait_until 20 vbet exec evil -- ps -C flood
serves
[ "$took_ms" -lt "$limit_ms" ] || fail "ten commands took $took_ms ms beside events, the limit is $limit_ms"
# A client that does not read, and a guest that does not care.
mkfifo nobody-reads
exec 5<>nobody-reads
vbet exec worse -- /root/flood data </dev/null >nobody-reads 2>/dev/null &
client=$!
serves
[ "$took_ms" -lt "$limit_ms" ] || fail "ten commands took $took_ms ms beside data, the limit is $limit_ms"
after=$(peak_kb)
[ $((after - before)) -lt 50000 ] || fail "the server has grown by $((after - before)) kB"
log_kb=$(du -k "$RUN/t/server.log" | cut -f1)
[ "$log_kb" -lt 1000 ] || fail "its log has $log_kb kB"
kill "$client"
must vbet kill evil
must vbet kill worse
must vbet exec good -- true
must vbet down
nothing_left || fail "something is left"
