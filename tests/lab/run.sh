#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh [-v] [NAME...]: runs the lab tests (tests/lab/NAME.sh, tests/faults/NAME.sh; all of them without a name), several at
# once, and prints a line for each. As root, they run as the user vbet-test, made if missing, and those
# that say so a second time as root: vbet is for ordinary users, and must work for root too.
#
# VBET_TEST_SAN=address,undefined tests the programs of that build ("make SAN=address,undefined check-lab");
# a report of the sanitizers is a failure, whatever the tests say. What was freed is not kept for long, or all would seem to
# grow.
#
# Lines in a test that are read here:
#   # lab: slow       started first, and given more time
#   # lab: alone      not while others run: it measures time or counts
#   # lab: also root  runs as the user and as root
#   # lab: only root  needs root (two users, installation)
#   # lab: plain      not with sanitizers: such programs have no snapshots, do not run in guests or with a library that
#                     is loaded before theirs, and need more memory than a limit that is tested allows
set -u

here=$(cd "${0%/*}" && pwd)
root=$(cd "$here/../.." && pwd)
user=vbet-test
jobs=${VBET_TEST_JOBS:-3}
verbose=
[ "${1:-}" != -v ] || { verbose=1; shift; }

work=$(mktemp -d /tmp/vbet-test.XXXXXX) || exit 3
chmod 755 "$work"
declare -A label_of=() began_of=()
passed=0 failed=0 skipped=0

finish() {
	trap '' INT TERM
	local pid
	for pid in "${!label_of[@]}"; do
		kill "$pid" 2>/dev/null
	done
	wait
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# A copy of what was built: it stays as it is while somebody builds, and every user can read it.
make_copy() {
	local lib=$work/lib
	mkdir -p "$work/bin" "$lib/rootfs" "$work/src/tests" "$work/log"
	chmod 1777 "$work/log"
	cp "$root/vbet" "$work/bin/" || return 1
	ln -s vbet "$work/bin/vbet-extcap"
	cp "$root"/build/{vsubstrate,vbet-init,vbet-launch,vbet-outside} "$lib/" || return 1
	if [ -n "${VBET_TEST_SAN:-}" ]; then
		cp "$root/build/${VBET_TEST_SAN//,/-}/vbet" "$work/bin/" || return 1
		cp "$root/build/${VBET_TEST_SAN//,/-}/vsubstrate" "$lib/" || return 1
	fi
	cp "$root"/build/{vnet-mux,trellisd,trellis,vhub,vswitch} "$work/bin/" || return 1
	cp -L "$root/build/linux" "$lib/linux" || return 1
	# Hard links cost nothing; they need the same disk and the same owner.
	cp -al "$(readlink -f "$root/build/rootfs/debian")" "$lib/rootfs/debian" 2>/dev/null || {
		rm -rf "$lib/rootfs/debian"
		cp -a "$(readlink -f "$root/build/rootfs/debian")" "$lib/rootfs/debian" || return 1
	}
	cp -a "$root/rootfs" "$lib/rootfs/build"
	cp -a "$root/VERSION" "$root/docs" "$root/examples" "$root/share" "$work/src/"
	mkdir "$work/src/lib"
	cp -a "$root/lib/time_travel.h" "$work/src/lib/" # for freezing.h
	cp -a "$here" "$here/../faults" "$here/../support" "$here/../topotests" "$work/src/tests/"
	mkdir "$work/src/tests/golden"
	cp -a "$root/tests/golden/import" "$work/src/tests/golden/"
	chmod -R a+rX "$work/src" "$work/bin"
	find "$lib" -maxdepth 1 -type f -exec chmod a+rx {} +
}

# room_of NAME: where that test is, below tests; nothing if there is none.
room_of() {
	local room
	for room in lab faults; do
		[ ! -f "$here/../$room/$1.sh" ] || echo "$room"
	done
}
says() { grep -q "^# lab: .*$2" "$here/../$(room_of "$1")/$1.sh"; }

# start NAME USER LABEL: in the background.
start() {
	local name=$1 as=$2 label=$3 limit=200
	local -a drop=()
	[ "$as" = "$(id -un)" ] || drop=(setpriv --reuid="$as" --regid="$as" --init-groups)
	! says "$name" slow || limit=$((600 + ${VBET_SOAK_SECONDS:-0} + (${VBET_REPEAT:-0} + ${VBET_SNAPSHOTS:-0}) * 300 + ${VBET_FAULT_SECONDS:-0} + ${VBET_P2P_NODES:-0} * 10))
	timeout -k 10 "$limit" "${drop[@]}" env -i PATH="$work/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
		LANG=C.UTF-8 TERM=xterm B="$work/lib" VBET_LIB="$work/lib" VBET_ROOT="$work/src" VBET_SOURCE="$root" \
		VBET_TEST_USER="$user" ${VBET_SOAK_SECONDS:+VBET_SOAK_SECONDS="$VBET_SOAK_SECONDS"} \
		${VBET_REPEAT:+VBET_REPEAT="$VBET_REPEAT"} ${VBET_FAULT_SECONDS:+VBET_FAULT_SECONDS="$VBET_FAULT_SECONDS"} \
		${VBET_FAULT_SEED:+VBET_FAULT_SEED="$VBET_FAULT_SEED"} ${VBET_EXAMPLES:+VBET_EXAMPLES="$VBET_EXAMPLES"} \
		${VBET_SNAPSHOTS:+VBET_SNAPSHOTS="$VBET_SNAPSHOTS"} ${VBET_SNAPSHOT_SEED:+VBET_SNAPSHOT_SEED="$VBET_SNAPSHOT_SEED"} \
		${VBET_SCRIPTS:+VBET_SCRIPTS="$VBET_SCRIPTS"} ${VBET_MOMENTS:+VBET_MOMENTS="$VBET_MOMENTS"} \
		${VBET_P2P_NODES:+VBET_P2P_NODES="$VBET_P2P_NODES"} ASAN_OPTIONS="log_path=$work/log/san:exitcode=99:quarantine_size_mb=8" \
		UBSAN_OPTIONS="log_path=$work/log/san:print_stacktrace=1" bash "$work/src/tests/$(room_of "$name")/$name.sh" >"$work/log/$label" 2>&1 </dev/null &
	label_of[$!]=$label
	began_of[$!]=$EPOCHREALTIME
}

# Waits for one test to end and reports it.
reap() {
	local pid status label time reason
	wait -n -p pid
	status=$?
	[ -n "${pid:-}" ] || return
	label=${label_of[$pid]}
	time=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - ${began_of[$pid]} }")
	unset "label_of[$pid]" "began_of[$pid]"
	case $status in
	0)
		printf 'ok %s (%s s)\n' "$label" "$time"
		passed=$((passed + 1))
		[ -z "$verbose" ] || sed 's/^/    /' "$work/log/$label"
		;;
	77)
		reason=$(tail -n 1 "$work/log/$label")
		printf 'skipped %s: %s\n' "$label" "$reason"
		skipped=$((skipped + 1))
		;;
	*)
		{
			printf 'FAILED %s (%s s)\n' "$label" "$time"
			[ "$status" -ne 124 ] || echo "    it took too long"
			tail -n 60 "$work/log/$label" | sed 's/^/    /'
		} | tee -a "$work/failed"
		failed=$((failed + 1))
		;;
	esac
}

drain() {
	while [ ${#label_of[@]} -gt 0 ]; do
		reap
	done
}

# run_all NAME...: slow ones first, then the others, then one by one those that want to be alone.
run_all() {
	local phase name entry
	for phase in slow normal alone; do
		[ $phase != alone ] || drain
		for name in "$@"; do
			if says "$name" alone; then
				[ $phase = alone ] || continue
			elif says "$name" slow; then
				[ $phase = slow ] || continue
			else
				[ $phase = normal ] || continue
			fi
			for entry in $(users_of "$name"); do
				while [ ${#label_of[@]} -ge "$([ $phase = alone ] && echo 1 || echo "$jobs")" ]; do
					reap
				done
				if [ "$entry" = root ] && [ "$(users_of "$name")" != root ]; then
					start "$name" root "$name-as-root"
				else
					start "$name" "$entry" "$name"
				fi
			done
		done
	done
	drain
}

# left_out NAME: it cannot pass with sanitizers, and this is a run with them.
left_out() { [ -n "${VBET_TEST_SAN:-}" ] && says "$1" plain; }

# Who runs a test: the ordinary user, root, or both.
users_of() {
	if [ "$(id -u)" -ne 0 ]; then
		id -un
	elif says "$1" 'only root'; then
		echo root
	elif says "$1" 'also root'; then
		echo "$user root"
	else
		echo "$user"
	fi
}

names=()
for name in "$@"; do
	name=${name##*/}
	name=${name%.sh}
	[ -n "$(room_of "$name")" ] || {
		echo "run.sh: no test '$name'" >&2
		exit 2
	}
	names+=("$name")
done
if [ ${#names[@]} -eq 0 ]; then
	for f in "$here"/*.sh "$here"/../faults/*.sh; do
		f=${f##*/}
		case $f in lib.sh | run.sh) ;; *) names+=("${f%.sh}") ;; esac
	done
fi
if [ "$(id -u)" -eq 0 ] && ! id "$user" >/dev/null 2>&1; then
	echo "run.sh: making the user $user" >&2
	useradd -m "$user" || exit 3
fi
make_copy || {
	echo "run.sh: not built yet: run 'make' first" >&2
	exit 3
}
possible=()
for name in "${names[@]}"; do
	if left_out "$name"; then
		echo "skipped $name: not with sanitizers"
		skipped=$((skipped + 1))
	else
		possible+=("$name")
	fi
done
run_all "${possible[@]}"
for f in "$work"/log/san.*; do
	[ -e "$f" ] || continue
	{
		echo "FAILED sanitizer: ${f##*/}"
		head -n 40 "$f" | sed 's/^/    /'
	} | tee -a "$work/failed"
	failed=$((failed + 1))
done
# Again at the end: of a long output people, and CI, look at the last lines.
[ "$failed" -eq 0 ] || { echo && cat "$work/failed"; }
printf '%d passed, %d failed%s\n' "$passed" "$failed" "$([ $skipped -eq 0 ] || echo ", $skipped skipped")"
[ "$failed" -eq 0 ]
