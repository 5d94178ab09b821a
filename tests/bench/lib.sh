# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034
#
# What every benchmark begins with:  . "${0%/*}/lib.sh"
#
# It gets a run directory of its own, where it works; whatever it leaves running is ended.
set -u

ROOT=$(cd "${0%/*}/../.." && pwd)
PATH=$ROOT:$PATH:/usr/sbin:/sbin
RUNS=${VBET_BENCH_RUNS:-3}

XDG_RUNTIME_DIR=$(mktemp -d "${VBET_BENCH_DIR:-/tmp}/vb.XXXXXX") || exit 1
export XDG_RUNTIME_DIR PATH
unset XDG_STATE_HOME
cd "$XDG_RUNTIME_DIR" || exit 1

# VBET_BENCH_BESIDE=DIR: another build of vbet, all of it made there (`make all` and its programs of
# tests/bench), measured in turn with this one where a benchmark can. It has a run directory of its own.
BESIDE=${VBET_BENCH_BESIDE:-}
beside=(env "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR/o" "$BESIDE/vbet")
if [ -n "$BESIDE" ]; then
	[[ $BESIDE == /* && -x $BESIDE/vbet ]] && mkdir "$XDG_RUNTIME_DIR/o" || {
		echo "VBET_BENCH_BESIDE: no vbet in '$BESIDE', which is an absolute path" >&2
		rm -rf "$XDG_RUNTIME_DIR"
		exit 1
	}
fi

# What other commands than vbet's have left to undo: pids of process groups, names of namespaces.
groups=()
namespaces=()
at_end=()

trap finish EXIT
trap 'exit 130' INT TERM
finish() {
	local status=$? g n
	trap - EXIT INT TERM
	for g in "${groups[@]}"; do kill -KILL -- "-$g"; done 2>/dev/null
	for n in "${namespaces[@]}"; do "${as_root[@]}" ip netns del "$n"; done 2>/dev/null
	for g in "${at_end[@]}"; do $g; done
	timeout 60 vbet down -a >/dev/null 2>&1
	[ -z "$BESIDE" ] || timeout 60 "${beside[@]}" down -a >/dev/null 2>&1
	timeout 20 vbet clean >/dev/null 2>&1
	cd / && rm -rf "$XDG_RUNTIME_DIR"
	exit "$status"
}

# "${as_root[@]}" COMMAND...: for peers that need it; vbet never does.
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
can_be_root() { "${as_root[@]}" true 2>/dev/null; }

# figure_beside TEXT OURS OTHERS: medians of both, as a ratio. For each of them less is better.
figure_beside() { figure "$1: this build / the one beside it" "$2 / $3" x; }

# measure COMMAND...: its output to stderr if it fails; the time it takes, in seconds, in $TOOK.
measure() {
	local begin=$EPOCHREALTIME out
	out=$(timeout -k 5 "${LIMIT:-120}" "$@" 2>&1 </dev/null) || {
		printf '%s\n' "$out" | tail -n 20 >&2
		echo "failed: $*" >&2
		return 1
	}
	TOOK=$(calc "$EPOCHREALTIME - $begin")
}

calc() { awk "BEGIN { printf \"%.6g\", $1 }"; }
median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# figure TEXT VALUE UNIT [<= BUDGET | >= BUDGET]: one line of the result.
figure() {
	local verdict=
	if [ $# -gt 3 ]; then
		if awk "BEGIN { exit !($2 $4 $5) }"; then verdict="PASS ($4 $5)"; else verdict="over budget ($4 $5)"; fi
	fi
	printf '   %-58s %10s %-10s %s\n' "$1" "$(awk "BEGIN { v = $2; f = v >= 100 || v == int(v) ? \"%.0f\" : v >= 1 ? \"%.2f\" : \"%.3f\"; printf(f, v) }")" "$3" "$verdict"
}
note() { printf '   %s\n' "$*"; }

# iperf_gbits: the receiver's rate in the JSON of iperf3 on standard input, in Gbit/s.
iperf_gbits() {
	tr -d '\r' | awk '/"sum_received":/ { in_it = 1 } in_it && /"bits_per_second":/ { gsub(/[^0-9.e+]/, "", $2); printf "%.4f\n", $2 / 1e9; exit }'
}

# tree_of PID: it and all that came from it.
tree_of() {
	local -a queue=("$1")
	local p c
	while [ ${#queue[@]} -gt 0 ]; do
		p=${queue[0]}
		queue=("${queue[@]:1}")
		echo "$p"
		for c in $(cat "/proc/$p/task"/*/children 2>/dev/null); do queue+=("$c"); done
	done
}
# ticks_of PIDS: CPU time that they, and their children that have ended, have used, in clock ticks.
ticks_of() {
	local p total=0 stat
	for p in $1; do
		read -r stat 2>/dev/null <"/proc/$p/stat" || continue
		# shellcheck disable=SC2086 # words on purpose
		set -- ${stat##*) }
		total=$((total + ${12} + ${13} + ${14} + ${15}))
	done
	echo "$total"
}
available_kb() { awk '/^MemAvailable:/ { print $2 }' /proc/meminfo; }
# server_pid [VBET...]
server_pid() { "${@:-vbet}" status --json | sed -n 's/.*"server_pid":\([0-9]*\).*/\1/p'; }
# status_values KEY [VBET...]: all numbers of that name in the state of the lab.
status_values() {
	local key=$1
	shift
	"${@:-vbet}" status --json | grep -o "\"$key\":[0-9]*" | cut -d: -f2
}
