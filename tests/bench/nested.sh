#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same lab on the host, in a guest of the host, and in a guest of that guest: start, round trips, TCP.
# shellcheck source=tests/bench/lib.sh disable=SC2154
. "${0%/*}/lib.sh"

secs=${VBET_BENCH_SECONDS:-3}
cat >pair.vbet <<'END'
a = attach(alloc(host), alloc(NIC, address = 10.0.0.1/24))
b = attach(alloc(host), alloc(NIC, address = 10.0.0.2/24))
link(alloc(switch), a, b)
END
echo 'm = alloc(host, vbet = on, memory = 768M)' >first.vbet
echo 'm = alloc(host, vbet = on, memory = 400M)' >second.vbet

# on LEVEL VBET'S-WORDS...
on() {
	case $1 in
	1) timeout -k 5 120 vbet "${@:2}" ;;
	2) timeout -k 5 120 vbet exec -n first m -- vbet "${@:2}" ;;
	3) timeout -k 5 120 vbet exec -n first m -- vbet exec -n second m -- vbet "${@:2}" ;;
	esac
}

measure vbet up -q first.vbet || exit 1
for file in pair second; do measure vbet cp -n first "$file.vbet" m:/root/ || exit 1; done
on 2 up -q /root/second.vbet || exit 1
on 2 cp -n second /root/pair.vbet m:/root/ || exit 1

declare -A up virtual rtt tcp
for ((i = 0; i < RUNS; i++)); do
	for level in 1 2 3; do
		file=/root/pair.vbet
		[ "$level" -gt 1 ] || file=pair.vbet
		virtual[$level]+=" $(on "$level" up --clock virtual "$file" 2>&1 | sed -n 's/^ready after \([0-9.]*\) s.*/\1/p')"
		on "$level" down -n pair >/dev/null
		up[$level]+=" $(on "$level" up "$file" 2>&1 | sed -n 's/^ready after \([0-9.]*\) s.*/\1/p')"
		rtt[$level]+=" $(on "$level" exec -n pair a -- ping -q -c 20 -i 0.05 10.0.0.2 | sed -n 's|^rtt [^=]*= [^/]*/\([^/]*\)/.*|\1|p')"
		# Two levels down, TCP at full speed can keep a guest's kernel from anything but its timer.
		[ "$level" -lt 3 ] || { on 3 down -n pair >/dev/null; continue; }
		on "$level" exec -n pair a -- iperf3 -s -D
		sleep 0.5
		tcp[$level]+=" $(on "$level" exec -n pair b -- iperf3 -J -t "$secs" -c 10.0.0.1 | iperf_gbits)"
		on "$level" down -n pair >/dev/null
	done
done

# show WHAT UNIT VALUES-OF-1 VALUES-OF-2 VALUES-OF-3
show() {
	local numbers first level at=('' 'on the host' 'in a guest' 'in a guest of a guest')
	for level in 1 2 3; do
		local value
		[ -n "${*:level + 2:1}" ] || continue
		read -ra numbers <<<"${*:level + 2:1}"
		value=$(median "${numbers[@]}")
		figure "$1 ${at[level]}" "$value" "$2"
		[ "$level" -gt 1 ] && figure "  times that on the host" "$value / $first" x || first=$value
	done
}
show "two hosts and a switch, up until ready" s "${up[1]}" "${up[2]}" "${up[3]}"
show "the same with the virtual clock" s "${virtual[1]}" "${virtual[2]}" "${virtual[3]}"
show "a round trip" ms "${rtt[1]}" "${rtt[2]}" "${rtt[3]}"
show "TCP" Gbit/s "${tcp[1]}" "${tcp[2]}" ""
