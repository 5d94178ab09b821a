#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow, alone
# Every example, in virtual time, is the same run each time, on an idle machine and on a busy one: the
# captures of all cables, the consoles, the record and what was found, byte by byte. VBET_REPEAT is how often
# ("make check-repeat": 20), VBET_EXAMPLES which ones.
. "${0%/*}/lib.sh"

runs=${VBET_REPEAT:-2}
# Those that take long have their own tests; here they run when somebody asks for more repetitions, or for them.
long=' dhcp-relay eigrp p2p '

# What happens in an example that says nothing of times itself, and a claim about the end of it.
scenario() {
	case $1 in
	hello)
		echo 'at 3s exec(host1, "ping -c5 -i 0.3 host2 & ping -c5 -i 0.4 host3")'
		echo 'expect at 2s ping(host1, host2) expect at 10s ping(host3, host1)'
		;;
	distributed-firewall)
		echo 'expect at 4s ping(client[1], server) expect at 4s not ping(client[2], server)'
		echo 'expect at 8s exec(client[2], "curl -sm5 http://192.168.0.250/ | grep page")'
		echo 'expect within 10s of 9s exec(client[5], "curl -sm5 http://192.168.0.250/ | grep page")'
		;;
	ospf-flapping)
		echo 'expect within 60s of 2s route(r2, 192.168.0.0/24, 192.168.1.1)'
		echo 'at 90s cut(r1, r2) at 120s mend(r1, r2)'
		echo 'expect within 20s of 90s route(r2, 192.168.0.0/24, 192.168.2.2)'
		echo 'expect within 60s of 120s route(r2, 192.168.0.0/24, 192.168.1.1)'
		;;
	*)
		vbet check --dump=graph "$EXAMPLES/$1.vbet" >graph || fail "cannot read $1"
		awk '/alloc\((host|router|firewall|server)/ && NF { name[n++] = $1 }
		     END { for (i = 0; i < n && i < 6; i++)
			     printf "at %ds exec(node(\"%s\"), \"ping -c3 -W1 %s\")\n", 2 + i, name[i], name[(i + 1) % n]
			   printf "expect at 20s exec(node(\"%s\"), \"true\")\n", name[0] }' graph
		;;
	esac
}

cp -r "$EXAMPLES" labs && cd labs || exit 1
for example in ${VBET_EXAMPLES:-*.vbet}; do
	example=${example%.vbet}
	file=$example.vbet
	script=$file
	[ -n "${VBET_REPEAT:-}${VBET_EXAMPLES:-}" ] || [[ $long != *" $example "* ]] || continue
	# Where time does not stand still there is only the real clock.
	! grep -qE 'alloc\((internet|outside|endsystem)' "$file" || continue
	if ! grep -q '^expect' "$file"; then
		{ printf 'include "%s"\n' "$file" && scenario "$example"; } >"with-$file"
		script=with-$file
	fi
	for ((run = 1; run <= runs; run++)); do
		[ $((run % 2)) -eq 1 ] || burn
		must vbet test -q "$script" --clock virtual --seed 11 --keep "$example.$run"
		unburn
		out_has_not '^FAIL'
		[ $run -gt 1 ] || continue
		diff -rq "$example.1" "$example.$run" >&2 || {
			vbet diff "$example.1" "$example.$run" >&2
			fail "run $run of $example is another one than the first"
		}
		rm -r "$example.$run"
	done
	say "$example: $runs times the same, $(cat "$example.1"/cables/* | wc -c) bytes of captures, $(tail -n 1 "$example.1/report")"
	[ "$(find "$example.1/cables" -size +1k | wc -l)" -ge 1 ] || fail "nothing was seen of $example"
done
nothing_left || fail "something is left"
