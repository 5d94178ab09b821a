#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# TCP between two nodes through one switch, in turn: vbet's rings; vbet's copying back end (UML's vector NICs);
# the same kernel with the daemon NIC at uml_switch; two network namespaces at a Linux bridge.
# shellcheck source=tests/bench/lib.sh disable=SC2154
. "${0%/*}/lib.sh"

secs=${VBET_BENCH_SECONDS:-4}
kernel=$(readlink -f "$ROOT/build/linux")
tree=$(readlink -f "$ROOT/build/rootfs/debian")

for backend in vhost seqpacket; do
	cat >"$backend.vbet" <<END
a = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.1/24, backend = $backend))
b = attach(alloc(host, memory = 64M), alloc(NIC, address = 10.0.0.2/24, backend = $backend))
link(alloc(switch), a, b)
END
done

vbet_tcp() { # BACKEND
	measure vbet up -q "$1.vbet" || return
	vbet exec a -- iperf3 -s -D
	timeout -k 5 60 vbet exec b -- sh -c "sleep 0.5; iperf3 -J -t $secs -c 10.0.0.1" | iperf_gbits
	vbet down >/dev/null
}

# start_uml NUMBER COMMANDS: a guest of the same kernel without vbet, its console in uml.NUMBER.
start_uml() {
	local sh="mount -t proc proc /proc; mount -t devtmpfs dev /dev; mount -t tmpfs tmpfs /tmp; ip link set lo up; ip link set eth0 up; ip addr add 10.0.0.$1/24 dev eth0; $2; sleep 1000"
	env -i setsid setarch -R "$kernel" mem=64M root=none rootfstype=hostfs rootflags="$tree" ro con0=null,fd:1 \
		con=null ssl=null quiet noreboot "eth0=daemon,02:00:00:00:01:0$1,unix,$PWD/ctl" "umid=b$1" "uml_dir=$PWD/uml" \
		init=/bin/sh -- -c "\"$sh\"" >"uml.$1" 2>&1 </dev/null &
	groups+=($!)
}
uml_switch_tcp() {
	local i n=${#groups[@]}
	rm -f ctl
	setsid uml_switch -unix "$PWD/ctl" >uml_switch.log 2>&1 < <(sleep 1000) &
	groups+=($!)
	for ((i = 0; i < 50; i++)); do [ -S ctl ] && break || sleep 0.1; done
	start_uml 1 "iperf3 -s"
	start_uml 2 "sleep 1; iperf3 -J -t $secs -c 10.0.0.1"
	for ((i = 0; i < secs * 10 + 200; i++)); do
		grep -qs '"cpu_utilization_percent"' uml.2 && break
		sleep 0.1
	done
	sleep 0.3
	iperf_gbits <uml.2
	for ((i = n; i < ${#groups[@]}; i++)); do kill -KILL -- "-${groups[i]}"; wait "${groups[i]}"; done 2>/dev/null
	groups=("${groups[@]:0:n}")
}

ns=vbetb$$
make_bridge() {
	"${as_root[@]}" bash -ec "
		for n in $ns-a $ns-b $ns-s; do ip netns add \$n; ip -n \$n link set lo up; done
		ip -n $ns-s link add br0 type bridge; ip -n $ns-s link set br0 up
		for i in a b; do
			ip -n $ns-s link add p-\$i type veth peer name eth0 netns $ns-\$i
			ip -n $ns-s link set p-\$i master br0 up
			ip -n $ns-\$i link set eth0 up
		done
		ip -n $ns-a addr add 10.0.0.1/24 dev eth0
		ip -n $ns-b addr add 10.0.0.2/24 dev eth0"
}
# bridge_tcp on|off: with segments of 64 kB that nobody cuts or sums up, or with frames as on a cable.
bridge_tcp() {
	local n
	if command -v ethtool >/dev/null; then
		for n in "$ns-a" "$ns-b"; do
			"${as_root[@]}" ip netns exec "$n" ethtool -K eth0 tx "$1" tso "$1" gso "$1" gro "$1" >/dev/null 2>&1
		done
	fi
	"${as_root[@]}" ip netns exec "$ns-b" timeout -k 5 60 iperf3 -J -t "$secs" -c 10.0.0.1 | iperf_gbits
}

bridge=
if can_be_root; then
	namespaces+=("$ns-a" "$ns-b" "$ns-s")
	make_bridge && bridge=1
	"${as_root[@]}" ip netns exec "$ns-a" setsid iperf3 -s >/dev/null 2>&1 </dev/null &
	groups+=($!)
	sleep 0.5
fi

rings=() copying=() daemon=() veth=() frames=()
for ((i = 0; i < RUNS; i++)); do
	rings+=("$(vbet_tcp vhost)")
	daemon+=("$(uml_switch_tcp)")
	copying+=("$(vbet_tcp seqpacket)")
	[ -z "$bridge" ] || veth+=("$(bridge_tcp on)") frames+=("$(bridge_tcp off)")
done
fast=$(median "${rings[@]}")
figure "vbet, guest to guest through a switch" "$fast" Gbit/s
figure "vbet, vector NICs (seqpacket) through the same switch" "$(median "${copying[@]}")" Gbit/s
figure "the same kernel, daemon NICs through uml_switch" "$(median "${daemon[@]}")" Gbit/s
figure "ratio: rings / uml_switch" "$fast / $(median "${daemon[@]}")" x '>=' 10
figure "ratio: rings / vector NICs" "$fast / $(median "${copying[@]}")" x '>=' 3
if [ -n "$bridge" ]; then
	figure "two network namespaces, veth and bridge" "$(median "${veth[@]}")" Gbit/s
	figure "ratio: rings / veth and bridge" "$fast / $(median "${veth[@]}")" x '>=' 0.5
	figure "the same without offloads: frames as on a cable" "$(median "${frames[@]}")" Gbit/s
	figure "ratio: rings / veth and bridge without offloads" "$fast / $(median "${frames[@]}")" x
else
	note "veth and bridge: skipped, it needs root"
fi
