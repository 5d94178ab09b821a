# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What every lab test begins with:
#
#   . "${0%/*}/lib.sh"
#
# A test is a program: exit status 0 is good, 77 means skipped (the last line says why), anything else
# is a failure. It gets a run directory of its own, so that it meets no other lab, works in a scratch
# directory, and whatever it leaves running is ended. "vbet" is the program under test (run.sh sets PATH).
set -u

ROOT=${VBET_ROOT:-$(cd "${0%/*}/../.." && pwd)} # examples and tests are there
[ -n "${VBET_ROOT:-}" ] || PATH=$ROOT:$PATH
EXAMPLES=$ROOT/examples

# Short: a socket's path has 107 bytes.
XDG_RUNTIME_DIR=$(mktemp -d /tmp/vt.XXXXXX) || exit 1
HOME=$XDG_RUNTIME_DIR/home
export XDG_RUNTIME_DIR HOME ROOT EXAMPLES PATH
unset XDG_STATE_HOME
mkdir "$HOME" && cd "$HOME" || exit 1

RUN=$XDG_RUNTIME_DIR/vbet # where the labs are
trap finish EXIT
trap 'exit 130' INT TERM

finish() {
	local status=$?
	trap - EXIT INT TERM
	unburn
	[ -S "$XDG_RUNTIME_DIR/tmux" ] && tmux_ kill-server 2>/dev/null
	vbet down -a >/dev/null 2>&1
	vbet clean >/dev/null 2>&1
	lab_pids | xargs -r kill -KILL 2>/dev/null
	cd / && rm -rf "$XDG_RUNTIME_DIR"
	exit "$status"
}

# burn [N]: as much work as the machine can do (or N processes of it) beside the test, until unburn or its end.
burning=()
burn() {
	local i
	for ((i = ${1:-$(nproc)}; i > 0; i--)); do
		(while :; do :; done) &
		burning+=($!)
	done
}
unburn() {
	[ ${#burning[@]} -gt 0 ] || return 0
	kill "${burning[@]}" 2>/dev/null
	wait "${burning[@]}" 2>/dev/null
	burning=()
}

say() { printf '%s\n' "$*" >&2; }
fail() {
	say "FAILED at line ${BASH_LINENO[${#BASH_LINENO[@]} - 2]}: $*"
	console_tails
	exit 1
}
skip() {
	say "$*"
	exit 77
}

# The last words of every node and of the server: what one wants to know of a failure in a log.
console_tails() {
	local f
	for f in "$RUN"/*/n/*/console.log "$RUN"/*/server.log "$RUN"/*/substrate.log; do
		[ -s "$f" ] || continue
		say "--- ${f#"$RUN"/}"
		tail -n 12 "$f" >&2
	done
}

# must COMMAND...: it succeeds. Its output is shown if it does not, and is in $OUT.
must() { must_status 0 "$@"; }
# must_fail COMMAND...: it fails, whatever its status.
must_fail() {
	OUT=$("$@" 2>&1 </dev/null) && {
		say "$OUT"
		fail "succeeded: $*"
	}
	return 0
}
must_status() {
	local want=$1 got
	shift
	OUT=$("$@" 2>&1 </dev/null)
	got=$?
	[ "$got" = "$want" ] && return 0
	say "$OUT"
	fail "status $got instead of $want: $*"
}
# What the last must, must_fail or must_status printed.
out_has() {
	grep -qE -e "$1" <<<"$OUT" && return 0
	say "$OUT"
	fail "no '$1' in the output above"
}
out_has_not() {
	grep -qE -e "$1" <<<"$OUT" || return 0
	say "$OUT"
	fail "'$1' is in the output above"
}
assert_eq() { # WANT GOT [WHAT]
	[ "$1" = "$2" ] || fail "${3:-value} is '$2' instead of '$1'"
}

# wait_until SECONDS COMMAND...: tries until it succeeds. The only way in which tests let time pass.
wait_until() {
	local limit=$1 begin=$EPOCHREALTIME
	shift
	until OUT=$("$@" 2>&1 </dev/null); do
		if awk "BEGIN { exit !($EPOCHREALTIME - $begin > $limit) }"; then
			say "$OUT"
			fail "not within $limit s: $*"
		fi
		sleep 0.1
	done
}

# lab_up FILE [OPTION...]: a lab from a file, or from standard input if FILE is "-" (then it is lab "t").
lab_up() {
	local file=$1
	shift
	if [ "$file" = - ]; then
		cat >"$HOME/t.vbet"
		file=$HOME/t.vbet
	fi
	must vbet up "$file" "$@"
}
# in_node NODE SHELL-COMMAND: runs it there; status and output are the command's.
in_node() {
	vbet exec "$1" -- sh -c "$2" </dev/null
}
# type_in LINE...: into the console of the lab.
type_in() {
	printf '%s\n' "$@" | vbet console
}
# fork_storm NODE: as many processes in it as it can have, for good. Shells give up when they cannot fork.
fork_storm() {
	in_node "$1" 'exec python3 -c "
import os, time
while True:
    try:
        if os.fork() == 0:
            time.sleep(1000)
    except OSError as e:
        print(\"fork:\", e, flush=True)
        time.sleep(0.1)"'
}
# status_of FILTER: one value of "vbet status --json".
status_of() {
	vbet status --json | jq -r "$1"
}
node_state() { status_of ".nodes[] | select(.name == \"$1\") | .state"; }
node_pid() { status_of ".nodes[] | select(.name == \"$1\") | .pid"; }
is_state() { [ "$(node_state "$1")" = "$2" ]; }
# has_carrier NODE NIC / no_carrier NODE NIC: what the guest itself sees.
has_carrier() { [ "$(in_node "$1" "cat /sys/class/net/$2/carrier")" = 1 ]; }
no_carrier() { [ "$(in_node "$1" "cat /sys/class/net/$2/carrier")" = 0 ]; }

# The processes of the labs of this test. A guest has neither arguments nor an environment that tell
# whose it is, but its log is open; the server has our run directory in its environment.
lab_processes() { # a line "PID NAME" each
	local p pid comm
	local -a texts=() descriptors=()
	local -A names=()
	for p in /proc/[0-9]*; do
		read -r comm 2>/dev/null <"$p/comm" || continue
		case $comm in
		vbet | vbet-* | vsubstrate | linux* | vnet-mux | trellisd | trellis) ;;
		*) continue ;;
		esac
		names[${p#/proc/}]=$comm
		texts+=("$p/environ" "$p/cmdline")
		descriptors+=("$p/fd")
	done
	[ ${#texts[@]} -gt 0 ] || return 0
	# All at once: a program for each of them takes long where a fork does.
	{
		grep -lsaF -e "$XDG_RUNTIME_DIR" "${texts[@]}"
		find "${descriptors[@]}" -lname "$XDG_RUNTIME_DIR/*" 2>/dev/null
	} | cut -d/ -f3 | sort -un | while read -r pid; do echo "$pid ${names[$pid]}"; done
}
lab_pids() { lab_processes | cut -d' ' -f1; }
no_processes() {
	local found pids
	found=$(lab_processes)
	[ -z "$found" ] && return 0
	# Their names, too, as some may end before ps looks.
	echo "$found"
	pids=$(cut -d' ' -f1 <<<"$found")
	ps -o pid,ppid,stat,etime,args -p "${pids//$'\n'/,}"
	return 1
}
# What is there since this test began, but for what a living vbet explore of another test has locked.
shared_memory() {
	local d
	find /dev/shm -mindepth 1 -maxdepth 1 -user "$(id -un)" -newer "$HOME" 2>/dev/null | while read -r d; do
		[ -e "$d/lock" ] && grep -q ":$(stat -c %i "$d/lock") " /proc/locks || echo "$d"
	done
}
# Nothing of a lab is left: processes, run directory, mounts, sockets, shared memory.
nothing_left() {
	no_processes || return 1
	[ -z "$(ls -A "$RUN" 2>/dev/null)" ] || { find "$RUN"; return 1; }
	! grep -F "$XDG_RUNTIME_DIR" /proc/mounts || return 1
	! grep -F "$RUN" /proc/net/unix || return 1
	! shared_memory | grep . || return 1
}

# save_or_skip NAME: saves the lab; skips the test where its guests' kernel cannot be kept.
save_or_skip() {
	vbet save "$1" 2>no || ! grep 'cannot be kept' no || skip "the guests' kernel has no snapshots"
}

# unbroken FILE N: what a ping printed, without -q: at least N answers, each once, and of those up to the last one none is missing.
# The last ones may have been on their way when it ended: it does not wait for long.
unbroken() {
	local text n
	text=$(cat "$1")
	n=$(grep -c 'icmp_seq=' <<<"$text")
	[ "$n" -ge "$2" ] || fail "only $n answers: $(tail -n 3 <<<"$text")"
	assert_eq "$(seq "$n")" "$(sed -n 's/.*icmp_seq=\([0-9]*\) .*/\1/p' <<<"$text")" "answers"
}

# A terminal: tmux, with a server of its own.
tmux_() { TMUX='' tmux -S "$XDG_RUNTIME_DIR/tmux" -f /dev/null "$@"; }
# term_start COLUMNS ROWS COMMAND: runs it in a terminal. The exit status ends up on the screen.
term_start() {
	tmux_ new-session -d -x "$1" -y "$2" "$3; echo \"[status \$?]\"; exec sleep 1000" ||
		fail "no terminal"
	tmux_ set-option -g status off
	# Without the status line the window is one row higher.
	tmux_ resize-window -x "$1" -y "$2"
}
# term_end: the terminal goes away.
term_end() {
	local pid
	pid=$(tmux_ display-message -p '#{pid}')
	tmux_ kill-server
	while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
	rm -f "$XDG_RUNTIME_DIR/tmux"
}
term_keys() { tmux_ send-keys "$@"; }
term_type() { tmux_ send-keys -l "$1" && tmux_ send-keys Enter; }
term_screen() { tmux_ capture-pane -p -J -S -200; }
term_shows() { term_screen | grep -qE -e "$1"; }
# term_wait PATTERN [SECONDS]: until the screen shows it.
term_wait() {
	local begin=$SECONDS
	until term_shows "$1"; do
		if [ $((SECONDS - begin)) -gt "${2:-20}" ]; then
			term_screen | sed 's/^/| /' >&2
			fail "the screen does not show '$1'"
		fi
		sleep 0.1
	done
}

# For tests of what dies under a lab: pair.vbet, and long.vbet, a test of it that has the most of an hour to go.
write_long_lab() {
	cat >pair.vbet <<-'END'
		a = alloc(host) b = alloc(host)
		c = link(a, b, delay = 5ms)
	END
	cat >long.vbet <<-'END'
		include "pair.vbet"
		at 4s cut(c)
		at 4000s mend(c)
		expect at 2s ping(a, b)
		expect within 3000s of 4s ping(a, b)
	END
}
# ends PID STATUS WHAT: a command in the background ends by itself, soon, with this status.
ends() {
	local pid=$1 want=$2 what=$3 i
	for ((i = 0; i < 300; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	if kill -0 "$pid" 2>/dev/null; then
		kill -KILL "$pid"
		fail "$what does not end"
	fi
	wait "$pid"
	assert_eq "$want" $? "status of $what"
}
