#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SIGKILL at any moment while a node is moved: to the process that it leaves, to the one that it goes to, to the node itself, to the
# command, or to the server. The node is here, or there (where it is lost if that process was killed), or down and it is said why; or
# the lab is gone, and nothing is left of it.
# lab: slow, plain
. "${0%/*}/../lab/lib.sh"

seed=${VBET_FAULT_SEED:-$((EPOCHSECONDS % 32768))}
RANDOM=$seed
end=$((SECONDS + ${VBET_FAULT_SECONDS:-20}))
declare -A came=()
cat >t.vbet <<'END'
s = alloc(switch) t = alloc(switch)
for i in 1..4 { h[i] = attach(alloc(host, name = "h${i}"), alloc(NIC, address = "10.0.0.${i}/24")) }
link(s, h[1], h[2]) link(t, h[3], h[4]) link(s, t)
END
victims=(from to node command server)
other() { # the process that does not carry h1 now, and the one that does
	to=$(status_of '.substrate_processes | map(select(.nodes | index("h1") | not))[0].pid')
	from=$(status_of '.substrate_processes | map(select(.nodes | index("h1")))[0].pid')
	number=$(status_of '[.substrate_processes[].nodes | index("h1")] | index(null) + 1')
}
for ((tries = 0; tries < ${#victims[@]} || SECONDS < end; tries++)); do
	victim=${victims[tries % ${#victims[@]}]}
	is_state h1 ready 2>/dev/null && ! vbet status | grep -q 'HAS ENDED' || {
		vbet down -a >/dev/null 2>&1
		vbet clean >/dev/null 2>&1
		must vbet up t.vbet --substrate-processes 2
	}
	other
	node=$(awk '$3 == "h1" { print $1 }' "$RUN/t/pids" | tail -n 1)
	server=$(ps -o ppid= -p "$to" | tr -d ' ')
	vbet move h1 --to "$number" >out 2>&1 &
	command=$!
	sleep "0.$(printf '%03d' $((RANDOM % 400)))"
	case $victim in
	from) kill -KILL "$from" ;;
	to) kill -KILL "$to" ;;
	node) kill -KILL "$node" 2>/dev/null ;;
	command) kill -KILL "$command" 2>/dev/null ;;
	server) kill -KILL "$server" ;;
	esac
	for ((i = 0; i < 300; i++)); do
		kill -0 $command 2>/dev/null || break
		sleep 0.1
	done
	kill -0 $command 2>/dev/null && fail "seed $seed, try $tries: the command does not end after $victim was killed"
	wait $command
	status=$?
	case $status in
	0 | 137) ;;
	3) [ -s out ] || fail "seed $seed, try $tries: it ended with 3 and said nothing ($victim)" ;;
	*) fail "seed $seed, try $tries: status $status ($victim): $(cat out)" ;;
	esac
	if [ $victim = server ]; then
		wait_until 20 eval '! vbet status >/dev/null 2>&1'
		how="the lab is gone"
	else
		settled() { is_state h1 ready || is_state h1 lost || is_state h1 down; }
		wait_until 20 settled
		# What the killed process did not carry goes on.
		if is_state h1 ready && [ $victim = command ]; then
			wait_until 20 in_node h1 'ping -c1 -W1 10.0.0.2'
		fi
		how=$(vbet status | grep -o '^h1 .*' | awk '{ print $3 }')
		[ $victim = from ] || [ $victim = to ] || {
			wait_until 20 in_node h2 'ping -c1 -W1 10.0.0.3'
		}
	fi
	came["$victim killed: status $status, $how"]=$((${came["$victim killed: status $status, $how"]:-0} + 1))
done
vbet down -a >/dev/null 2>&1
vbet clean >/dev/null 2>&1
wait_until 10 nothing_left
for k in "${!came[@]}"; do say "$k: ${came[$k]}"; done
