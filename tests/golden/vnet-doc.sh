#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The program of docs/vnet.md compiles against nothing but the installed header and archive, and two of it hear each
# other over a switch.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}
out=$(mktemp -d) || exit 1
pids=()
finish() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
	wait
	rm -rf "$out"
}
trap finish EXIT
fail() {
	echo "FAIL docs/vnet.md: $1"
	exit 1
}

sed -n '/^```c$/,/^```$/p' docs/vnet.md | sed '/^```/d' >"$out/whisper.c"
mkdir "$out/include" "$out/lib" || exit 1
cp vnet/vnet.h vnet/trellis/trellis.h "$out/include/"
cp "$build/vnet/libvnet.a" "$build/vnet/trellis/libtrellis.a" "$out/lib/"
san=()
case $build in */*) name=${build#*/}; san=("-fsanitize=${name//-/,}") ;; esac
${CC:-gcc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror "${san[@]}" -I"$out/include" "$out/whisper.c" -L"$out/lib" -lvnet \
	-o "$out/whisper" || fail "the program does not compile"
printf '#include <trellis.h>\nint main(void)\n{\n\treturn trellis_open(0) != 0;\n}\n' >"$out/t.c"
${CC:-gcc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror "${san[@]}" -I"$out/include" "$out/t.c" -L"$out/lib" -ltrellis -lvnet \
	-o "$out/t" || fail "libtrellis cannot be linked with"

"$build/vswitch" --listen "$out/sw" --ready-fd 1 >"$out/ready" &
pids+=($!)
for _ in $(seq 200); do
	[ ! -s "$out/ready" ] || break
	sleep 0.05
done
for i in 1 2; do
	mkdir "$out/$i"
	printf 'node n%d\nvnet v\nnic eth0 path=%s/sw mac=02:00:00:00:00:0%d mtu=1500\n' "$i" "$out" "$i" >"$out/$i/vnet.conf"
	VNET_CONF=$out/$i/vnet.conf "$out/whisper" "this is $i" >"$out/said-$i" &
	pids+=($!)
done
for _ in $(seq 200); do
	grep -q '^00:02 says: this is 2$' "$out/said-1" && grep -q '^00:01 says: this is 1$' "$out/said-2" && exit 0
	sleep 0.05
done
fail "they do not hear each other: $(cat "$out"/said-*)"
