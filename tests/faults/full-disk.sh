#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A full disk: a small tmpfs in place of the run directory, or of a directory that results, captures, disks, records or reports
# go to, with room for a random number of kilobytes. The command does what it should, or ends with a documented status and a
# message; it never waits without end, and nothing is left behind.
# lab: slow

# Mounts of our own, for an ordinary user.
if [ -z "${VBET_FULL_DISK:-}" ]; then
	unshare -rm true 2>/dev/null || { echo "no namespace for mounts of our own" >&2; exit 77; }
	exec env VBET_FULL_DISK=1 unshare -rm "$0"
fi
. "${0%/*}/../lab/lib.sh"

seed=${VBET_FAULT_SEED:-$((EPOCHSECONDS % 32768))}
RANDOM=$seed
end=$((SECONDS + ${VBET_FAULT_SECONDS:-15}))

cat >pair.vbet <<'END'
a = alloc(host, disk_size = 1M) b = alloc(host)
link(a, b, delay = 1ms)
at 1s exec(a, "dd if=/dev/urandom of=/dev/vda bs=64k count=16; sync")
at 1s exec(b, "ping -c 20 -i 0.05 -s 1400 a; seq 1 3000 >/dev/console")
expect at 2s ping(a, b)
END
mkdir small
mkdir -p "$RUN"

captures() {
	vbet up pair.vbet || return
	vbet capture b:eth0 -c 60 --for 3s -w small/frames.pcapng &
	vbet exec a -- ping -q -c 40 -i 0.02 -s 1400 b >/dev/null
	wait $! || return
	[ "$(stat -c %s small/frames.pcapng)" -gt 80000 ] || return 99
}
copies() {
	vbet up pair.vbet || return
	vbet exec a -- dd if=/dev/zero of=/tmp/x bs=64k count=8 2>/dev/null
	vbet cp a:/tmp/x small/x || return
	[ "$(stat -c %s small/x)" = 524288 ] || return 99
}
reports() {
	vbet test --junit small/x.xml --json=small/x.json --tap=small/x.tap pair.vbet || return
	grep -q '</testsuites>' small/x.xml && tail -n 1 small/x.json | jq -e . >/dev/null && grep -q '^1\.\.' small/x.tap || return 99
}
# (99: what is there is not whole, and nobody said so.)
# Where the tmpfs is, how much more room than none it has at most (kB), and the command.
places=(
	"$RUN|600|vbet up pair.vbet"
	"$RUN|600|vbet test pair.vbet"
	"$RUN|600|vbet test --clock virtual pair.vbet"
	"small|800|vbet test --keep small/kept pair.vbet"
	"small|800|vbet test --artifacts small/artifacts -j 2 pair.vbet bad.vbet"
	"small|1200|vbet test --keep-disks small/disks pair.vbet"
	"small|100|vbet up --clock virtual --record small/record pair.vbet"
	"small|16|reports"
	"small|100|captures"
	"small|600|copies"
)
sed 's/ping(a, b)/not ping(a, b)/' pair.vbet >bad.vbet

tries=0 whole=0
declare -A ends_with=()
while [ $SECONDS -lt $end ] || [ $tries -lt 3 ]; do
	IFS='|' read -r where most command <<<"${places[(seed + tries) % ${#places[@]}]}"
	size=$((RANDOM % most))
	this="$command with $((size + 4)) kB in $where (seed $seed)"
	tries=$((tries + 1))
	mount -t tmpfs -o "mode=0700,size=$((size + 4))k" full "$where" || fail "no tmpfs"
	# shellcheck disable=SC2086 # words, or a function
	if [ "$(type -t ${command%% *})" = function ]; then
		$command >out 2>&1 </dev/null
		status=$?
	else
		timeout -k 5 120 $command >out 2>&1 </dev/null
		status=$?
	fi
	case $status in
	0) whole=$((whole + 1)) ;;
	1 | 2 | 3 | 4) [ -s out ] || fail "no message: $this" ;;
	*) say "$(cat out)"; fail "status $status: $this" ;;
	esac
	ends_with[$status]=$((${ends_with[$status]:-0} + 1))
	timeout -k 5 60 vbet down -a >out.down 2>&1
	[ $? -le 4 ] || fail "down: $(cat out.down): $this"
	vbet clean >/dev/null 2>&1
	wait_until 20 no_processes
	umount "$where" 2>/dev/null || { ls -R "$where"; fail "somebody is still there: $this"; }
	nothing_left || fail "something is left: $this"
done
say "$tries tries, $whole as if nothing were; by status: $(for s in "${!ends_with[@]}"; do printf '%s: %s  ' "$s" "${ends_with[$s]}"; done)(seed $seed)"
