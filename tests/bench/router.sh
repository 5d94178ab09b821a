#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# From "up" to ready: rings of FRR routers (zebra, ospfd, staticd), beside the same daemons out of the same tree
# in network namespaces, which have no kernel of their own. VBET_BENCH_ROUTERS: other numbers than 20 and 100.
#
# The peer does what a launcher of containers does: a namespace and a mount namespace for each router, its
# links as veth pairs, its configuration, then the daemons, each of which goes into the background when it is ready; all
# routers side by side. It needs root; vbet does not.
# shellcheck source=tests/bench/lib.sh disable=SC2154,SC2034
. "${0%/*}/lib.sh"
LIMIT=300
tree=$ROOT/build/rootfs/debian

# lab_of N: the script.
lab_of() {
	cat <<-END
	r = ring($1, router, delay = 2ms)
	for i in 1..$1 {
		config(r[i], ospfd, <<X)
	router ospf
	 network 10.0.0.0/8 area 0
	X
	}
	END
}

# The same as commands for a shell of root: the namespaces vbr1 to vbrN, up to their last daemon's start.
namespaces_up() {
	local n=$1 i next
	for ((i = 1; i <= n; i++)); do echo "ip netns add vbr$i && ip -n vbr$i link set lo up"; done
	for ((i = 1; i <= n; i++)); do
		next=$((i % n + 1))
		echo "ip link add e1 netns vbr$i type veth peer name e0 netns vbr$next"
		echo "ip -n vbr$i addr add 10.0.$i.1/24 dev e1; ip -n vbr$i link set e1 up"
		echo "ip -n vbr$next addr add 10.0.$i.2/24 dev e0; ip -n vbr$next link set e0 up"
	done
	for ((i = 1; i <= n; i++)); do echo "ip netns exec vbr$i unshare -m sh $PWD/one.sh & all=\"\$all \$!\""; done
	# shellcheck disable=SC2016 # for the other shell
	echo 'for p in $all; do wait $p || exit 1; done'
}
cat >one.sh <<END
set -e
for d in run etc/frr var/log var/tmp tmp; do mount -t tmpfs tmpfs $tree/\$d; done
mount --bind /dev $tree/dev
mount -t proc proc $tree/proc
mkdir -m 755 $tree/run/frr
printf 'router ospf\n network 10.0.0.0/8 area 0\n' >$tree/etc/frr/ospfd.conf
chown -R 110:110 $tree/run/frr $tree/etc/frr
exec chroot $tree sh -c '/usr/lib/frr/zebra -d && /usr/lib/frr/ospfd -d && /usr/lib/frr/staticd -d'
END
# CPU time of the daemons alone, in ns: without what made their namespaces and the kernel that they share. Each uses
# less than a tick or two.
daemons_ns() {
	local i
	for ((i = 1; i <= $1; i++)); do "${as_root[@]}" ip netns pids "vbr$i"; done |
		sed 's|.*|/proc/&/schedstat|' | xargs cat 2>/dev/null | awk '{ n += $1 } END { print n + 0 }'
}
# The daemons leave their namespaces as they found them: with the last of them a namespace is gone.
namespaces_down() {
	local i
	for ((i = 1; i <= $1; i++)); do
		ip netns list | grep -q "^vbr$i\b" || continue
		ip netns pids "vbr$i" 2>/dev/null | "${as_root[@]}" xargs -r kill -KILL
		"${as_root[@]}" ip netns del "vbr$i"
	done
}
most=0
most_down() { namespaces_down "$most"; }
at_end+=(most_down)

for n in ${VBET_BENCH_ROUTERS:-20 100}; do
	most=$n
	lab_of "$n" >ring.vbet
	namespaces_up "$n" >peer.sh
	ours=() cpu=() peers=() others=() others_cpu=() peers_cpu=()
	for ((i = 0; i < RUNS; i++)); do
		if [ -n "$BESIDE" ]; then
			measure "${beside[@]}" up -q -t 280s ring.vbet || exit 1
			others+=("$TOOK")
			others_cpu+=("$(ticks_of "$(tree_of "$(server_pid "${beside[@]}")")")")
			measure "${beside[@]}" down || exit 1
		fi
		measure vbet up -q -t 280s ring.vbet || exit 1
		ours+=("$TOOK")
		cpu+=("$(ticks_of "$(tree_of "$(server_pid)")")")
		measure vbet down || exit 1
		if can_be_root; then
			measure "${as_root[@]}" sh peer.sh && peers+=("$TOOK")
			peers_cpu+=("$(daemons_ns "$n")")
			namespaces_down "$n"
		fi
	done
	figure "$n FRR routers in a ring: up until ready" "$(median "${ours[@]}")" s
	figure "  CPU of each by then" "$(median "${cpu[@]}") * 1000 / $(getconf CLK_TCK) / $n" ms
	if [ -n "$BESIDE" ]; then
		figure_beside "  up until ready" "$(median "${ours[@]}")" "$(median "${others[@]}")"
		figure_beside "  CPU of each by then" "$(median "${cpu[@]}")" "$(median "${others_cpu[@]}")"
	fi
	if [ ${#peers[@]} -gt 0 ]; then
		figure "  the same daemons in $n namespaces" "$(median "${peers[@]}")" s
		figure "  CPU of each one's daemons by then" "$(median "${peers_cpu[@]}") / 1e6 / $n" ms
		figure "  ratio: vbet / namespaces" "$(median "${ours[@]}") / $(median "${peers[@]}")" x
	else
		note "the same daemons in namespaces: skipped, it needs root"
	fi
done
