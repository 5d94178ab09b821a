#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What system calls, switches, signals, faults and new processes cost in a guest, beside the host they run on.
# shellcheck source=tests/bench/lib.sh disable=SC2154
. "${0%/*}/lib.sh"

cc -O1 -static -pthread -D_GNU_SOURCE -o guest_calls "$ROOT/tests/bench/guest_calls.c" || exit 1
cc -O1 -D_GNU_SOURCE -o host_stops "$ROOT/tests/bench/host_stops.c" || exit 1
echo 'int main(void) { return 0; }' | cc -O1 -static -x c -o static - || exit 1
echo 'a = alloc(host, memory = 128M)' >one.vbet
measure vbet up -q one.vbet || exit 1
measure vbet cp guest_calls a:/root/guest_calls || exit 1
measure vbet cp static a:/root/static || exit 1
if [ -n "$BESIDE" ]; then
	measure "${beside[@]}" up -q one.vbet || exit 1
	measure "${beside[@]}" cp guest_calls a:/root/guest_calls || exit 1
	measure "${beside[@]}" cp static a:/root/static || exit 1
fi

# In turn; of each, the run that was disturbed least counts.
best() { sort -t $'\t' -k1,1 -k2,2g "$@" | awk -F '\t' '!seen[$1]++ { print $1 "\t" $2 }'; }
for ((i = 0; i < RUNS; i++)); do
	./guest_calls /bin/true ./static >"host.$i" || exit 1
	timeout 300 vbet exec a -- /root/guest_calls /bin/true /root/static >"ours.$i" || exit 1
	[ -z "$BESIDE" ] || timeout 300 "${beside[@]}" exec a -- /root/guest_calls /bin/true /root/static >"beside.$i" || exit 1
done
best host.* >host
best ours.* >ours
[ -z "$BESIDE" ] || best beside.* >beside

while IFS=$'\t' read -r what us; do
	host=$(awk -F '\t' -v w="$what" '$1 == w { print $2 }' host)
	figure "$what" "$us" us
	figure "  times the host's" "$us / $host" x
	[ -z "$BESIDE" ] || figure_beside "  $what" "$us" "$(awk -F '\t' -v w="$what" '$1 == w { print $2 }' beside)"
done <ours
# What a system call of a guest cannot be cheaper than: two switches of the host's.
./host_stops >stops || exit 1
while IFS=$'\t' read -r what us; do figure "on the host: $what" "$us" us; done <stops
