#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Managers of substrate nodes talk over TCP between machines (network namespaces here) and over a unix socket on one:
# then VLI 0 carries greetings alone. A stream that is cut, half gone, restarted or fed with garbage is noticed, nothing
# is lost by it, and it comes back.
if [ -z "${VT_INSIDE:-}" ]; then
	unshare -Urn true 2>/dev/null || { echo "needs user namespaces" >&2; exit 77; }
	VT_INSIDE=1 exec unshare -Urn bash "$0"
fi
. "${0%/*}/lib.sh"
. "${0%/*}/substrate.inc"

# Two machines with two networks: one for the links, one for the managers.
start_machines 1 2
for n in 1 2; do
	# shellcheck disable=SC2154 # substrate.inc sets it
	must ip link add eth$n netns "${machine[1]}" type veth peer name eth$n netns "${machine[2]}"
	for i in 1 2; do
		must on $i ip addr add "10.99.$n.$i/24" dev eth$n
		must on $i ip link set eth$n up
	done
done
for i in 1 2; do must on $i ip link set lo up; done

key=00112233445566778899aabbccddeeff
start() { # MACHINE
	# shellcheck disable=SC2154 # substrate.inc sets it
	nsenter -t "${machine[$1]}" -n "$vsubstrate" --listen "$HOME/c$1" &
	program[$1]=$!
	wait_until 10 tell "c$1" now
	watch_events "c$1"
	told "c$1" <<-END
		snode s$1 key=$key
		snif s$1:1 s$1 encap=udp socket=10.99.1.$1
		slink a@s$1 s$1:1 link=a peer=10.99.1.$((3 - $1))
	END
}
program=()
start 1
start 2
# A third node beside the second, with a cable between them, and a unix socket.
told c2 <<END
snode s3 key=$key
snif s2:2 s2 mac=02:00:00:00:02:02
snif s3:1 s3 mac=02:00:00:00:03:01
cable w s2:2 s3:1 mtu=1600
slink b@s2 s2:2 link=b peer=02:00:00:00:03:01
slink b@s3 s3:1 link=b peer=02:00:00:00:02:02
capture cb s3:1 file=$HOME/b.pcapng
END
must tell c1 capture ca s1:1 "file=$HOME/a.pcapng"

# What cannot be is said at once.
must_fail tell c1 manager m s1 listen=10.99.2.1:7000
out_has 'not unix:PATH or tcp:ADDR:PORT'
must_fail tell c1 manager m s1 listen=tcp:machine2:7000
out_has 'not ADDR:PORT'
must_fail tell c1 manager m s1 peer=s2
out_has 'needs listen=, or connect= and peer='

# Who connects may come first.
must tell c1 manager m s1 peer=s2 connect=tcp:10.99.2.2:7000
tried() { [ "$(json c1 .objects.m.tries)" -ge 2 ]; }
wait_until 10 tried
must tell c2 manager m s2 listen=tcp:10.99.2.2:7000
must tell c2 manager u2 s2 "listen=unix:$HOME/u"
must tell c2 manager u3 s3 peer=s2 "connect=unix:$HOME/u"
wait_until 10 grep -q 'event manager m open s2' events-c1
wait_until 10 grep -q 'event manager m open s1' events-c2
wait_until 10 grep -q 'event manager u3 open s2' events-c2
wait_until 10 grep -q 'event manager u2 open s3' events-c2

interface() { # VSUBSTRATE NODE NAME
	told "$1" <<-END
		vif $3@$2 $2 vnet=red
		nic $3 seqpacket path=$HOME/$3
		cable cable-$3 $3@$2 $3
	END
}
lay() { # NAME: from s1 by s2 to s3, and back
	interface c1 s1 "${1}1"
	interface c2 s3 "${1}2"
	must tell c1 vlink "$1:ab" "${1}1@s1" vnet=red path=a,b "to=${1}2@s3" min=1Mbit
	must tell c2 vlink "$1:ba" "${1}2@s3" vnet=red path=b,a "to=${1}1@s1" min=1Mbit
	wait_until 10 grep -q "event vlink $1:ab up" events-c1
	wait_until 10 grep -q "event vlink $1:ba up" events-c2
	station "${1}2" echo &
	wait_until 10 heard "${1}2"
}
heard() { [ "$(json c2 ".objects[\"$1\"].up")" = true ]; }
lay x
assert_eq 5 "$(station x1 ping 5 200)" "echoes"
must tell c1 set x:ab min=2Mbit max=20Mbit
promised() { [ "$(json c2 '.objects["b@s2"].vlis[] | select(.vlink == "x:ab") | .guaranteed_bps')" = 2000000 ]; }
wait_until 10 promised

# On VLI 0 there are greetings alone, one each second: all else went over the streams.
types_on_0() { # of the capture of a link: into the file "types"; true if there are any
	tshark -X "lua_script:$ROOT/share/wireshark/vbet.lua" -r "$1.pcapng" -Y 'vbet.vli == 0' -T fields -E occurrence=l \
		-e vbet.msg.type >types 2>tshark.err
	[ -s types ]
}
if command -v tshark >/dev/null; then
	for f in a b; do
		wait_until 10 types_on_0 $f
	done
	must tell c1 remove ca
	must tell c2 remove cb
	for f in a b; do
		types_on_0 $f || fail "tshark: $(cat tshark.err)"
		# The last greetings before a stream opens may be answered by rates of nothing: there are none.
		assert_eq 1 "$(sort -u types | xargs)" "types of messages on VLI 0 ($f)"
	done
fi
[ "$(json c1 '.objects.m.streams[0].sent')" -ge 4 ] || fail "$(json c1 .objects.m)"

# The managers' network is cut: both ends notice, the links go on, and VLI 0 does what the stream did.
must on 1 ip link set eth2 down
wait_until 10 grep -q 'event manager m lost s2 "the other end is silent"' events-c1
wait_until 10 grep -q 'event manager m lost s1 "the other end is silent"' events-c2
lay y
assert_eq 5 "$(station y1 ping 5 200)" "echoes of a link set up meanwhile"
must_fail grep -E 'slink a@s1 lost|vlink x:ab down' events-c1
must on 1 ip link set eth2 up
opened() { [ "$(grep -c 'event manager m open' "events-$1")" = "$2" ]; }
wait_until 20 opened c1 2
wait_until 20 opened c2 2

# What is no message of ours ends its own connection, is counted, and harms nobody else.
dropped() { [ "$(json c2 ".objects.m.dropped[\"$1\"] // 0")" -ge "$2" ]; }
strange() { # PERL-EXPRESSION of octets
	on 1 perl -MSocket -e '
		socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
		connect($s, pack_sockaddr_in(7000, inet_aton("10.99.2.2"))) or die;
		send($s, '"$1"', MSG_NOSIGNAL);
		1 while sysread($s, my $rest, 4096);' # until it is closed
}
strange '"GET / HTTP/1.0\r\n\r\n"'
wait_until 10 dropped short 1
# A good head with a length that lies; one that nobody authenticated; a million octets of nothing.
strange 'pack("CCnNNNNNNNNNnnNN", 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 65535, 0, 0, 0) . "x" x 70'
wait_until 10 dropped short 2
strange 'pack("CCnNNNNNNNNNnnNN", 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 10, 0, 0, 0) . "x" x 10'
wait_until 10 dropped unknown-key 1
strange '"\x01" x 1000000'
wait_until 10 dropped unknown-key 2
strange '""' # says nothing: it is closed after a while
# A crowd that says nothing keeps nobody out: the stream is made anew among them.
on 1 perl -MSocket -e '
	$| = 1; my @all;
	for (1 .. 100) {
		socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
		connect($s, pack_sockaddr_in(7000, inet_aton("10.99.2.2"))) or die;
		push @all, $s;
	}
	print "here\n";
	sleep 60;' >crowd &
crowd=$!
wait_until 10 grep -q here crowd
must tell c1 remove m
must tell c1 manager m s1 peer=s2 connect=tcp:10.99.2.2:7000
wait_until 20 opened c1 3
kill $crowd
assert_eq 5 "$(station x1 ping 5 200)" "echoes afterwards"
assert_eq 3 "$(grep -c 'event manager m open' events-c1)" "streams opened"
assert_eq 1 "$(grep -c 'event manager m lost' events-c1)" "streams lost"

# The program at the far end begins anew.
kill "${program[2]}"
wait_until 10 grep -q 'event slink a@s1 lost' events-c1
wait_until 10 grep -q 'event manager m lost s2 "the connection was closed"' events-c1
start 2
must tell c2 manager m s2 listen=tcp:10.99.2.2:7000
wait_until 20 opened c1 4
wait_until 20 grep -q 'event slink a@s1 back' events-c1
must tell c1 remove m
wait_until 10 grep -q 'event manager m lost s1 "the connection was closed"' events-c2
