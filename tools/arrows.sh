#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# arrows.sh: fails on an include that points the wrong way between rooms (CONTRIBUTING.md, "The house").
# arrows.sh --list: how many includes there are between which rooms.
# arrows.sh --dot: the same as a graph for dot(1); "make house" draws it
set -eu
cd "$(dirname "$0")/.."

# A room for each line, and the rooms that it may include. It may name only rooms above it, so that no arrow runs up
# and none in a circle. Every room may include lib; a file is in the innermost room that holds it.
rooms='
lib
imprint
substrate/rate
substrate/core:    substrate/rate
substrate/cable:   substrate/core
substrate/clock:   substrate/core substrate/cable
substrate/virtio:  substrate/core substrate/clock
substrate/nic:     substrate/core substrate/cable substrate/clock substrate/virtio
substrate/disk:    substrate/core substrate/clock substrate/virtio
substrate/device:  substrate/core substrate/cable substrate/nic
substrate/trunk:   substrate/core substrate/cable
substrate/overlay: substrate/rate substrate/core substrate/cable
substrate/control: substrate/core substrate/cable substrate/clock substrate/virtio substrate/nic substrate/disk substrate/device substrate/trunk substrate/overlay
vhub:              substrate/device
vswitch:           substrate/core substrate/device
vsubstrate:        imprint substrate/core substrate/virtio substrate/control vhub vswitch
topo
vbet-server/import: topo
vbet-server/export: topo
vbet-server/store: topo vbet-server/import
vbet-server/shelf: vbet-server/store
vbet-server/plan:  topo vbet-server/store
vbet-server/lab:   topo vbet-server/store vbet-server/plan
vbet-server/server: imprint topo vbet-server/store vbet-server/plan vbet-server/lab
vbet-server/suite: topo vbet-server/store vbet-server/lab
vbet-server/explore: topo
vbet-server/command: topo vbet-server/explore vbet-server/import vbet-server/export vbet-server/store vbet-server/shelf vbet-server/plan vbet-server/lab vbet-server/server vbet-server/suite
vbet-server:       vbet-server/command
vnet
vnet/mux:          vnet
vnet/trellis:      vnet
vkernel
outside
'
tops=$(printf '%s\n' "$rooms" | sed -n 's,^\([a-z-]*\).*,\1,p' | sort -u)

printf '%s\n' "$rooms" | awk -F '[: ]+' 'NF {
	for (i = 2; i <= NF; i++)
		if ($i != "" && !($i in above)) {
			print "arrows.sh: " $1 " names " $i ", which is not above it" >"/dev/stderr"
			exit 1
		}
	above[$1]
}'

# Lines "ROOM TARGET-ROOM OK FILE TARGET", one for each include that leaves its room.
list_arrows() {
	# shellcheck disable=SC2086 # our file names have no spaces
	find $tops -name '*.[chy]' -exec grep -H '^#include "[^"]*/' {} + | sort | awk -v table="$rooms" '
	function room_of(path) {
		while (sub(/\/[^\/]*$/, "", path))
			if (path in known)
				return path
		return ""
	}
	BEGIN {
		n = split(table, line, "\n")
		for (i = 1; i <= n; i++) {
			m = split(line[i], word, /[: ]+/)
			if (!m)
				continue
			known[word[1]]
			ok[word[1], word[1]] = ok[word[1], "lib"] = 1
			for (k = 2; k <= m; k++)
				ok[word[1], word[k]] = 1
		}
	}
	{
		split($0, part, /:#include "|"/)
		from = room_of(part[1])
		to = room_of(part[2])
		if (from != to && to != "")
			print from, to, ok[from, to] + 0, part[1], part[2]
	}'
}

check() {
	bad=0
	wrong=$(list_arrows | awk '!$3 { print $4 ": " $1 " must not include " $5 " of " $2 }')
	if [ -n "$wrong" ]; then
		printf '%s\n' "$wrong" >&2
		bad=1
	fi
	if [ "$(grep -rl 'readline/readline.h' --include='*.c' vbet-server)" != vbet-server/command/console.c ]; then
		echo "only vbet-server/command/console.c may include readline" >&2
		bad=1
	fi
	exit $bad
}

count() {
	list_arrows | awk '{ n[$1 " -> " $2 ($3 ? "" : "   (wrong)")]++ } END { for (a in n) printf "%4d %s\n", n[a], a }' |
		sort -k 2
}

# Rooms within a room in a box; lib, which all stand on, is left out, and wrong arrows are red.
draw() {
	echo 'digraph house {'
	echo '	graph [rankdir=TB, nodesep=0.25, ranksep=0.5, fontname="sans-serif", concentrate=true]'
	echo '	node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"]'
	echo '	edge [fontname="sans-serif", fontsize=9, color=gray40]'
	for top in $tops; do
		inner=$(printf '%s\n' "$rooms" | sed -n "s|^\($top/[a-z]*\).*|\1|p")
		[ -n "$inner" ] || continue
		printf '	subgraph "cluster_%s" {\n\t\tlabel="%s"; style="rounded,filled"; fillcolor=gray95; color=gray70\n' "$top" "$top"
		for room in $inner; do
			printf '\t\t"%s" [label="%s"]\n' "$room" "${room#"$top"/}"
		done
		echo '	}'
	done
	list_arrows | awk '$2 != "lib" { n[$1 "\" -> \"" $2]++; wrong[$1 "\" -> \"" $2] = !$3 }
		END { for (a in n) printf "\t\"%s\" [label=%d%s]\n", a, n[a], wrong[a] ? ", color=red, penwidth=2" : "" }' | sort
	echo '}'
}

case ${1:-} in
'') check ;;
--list) count ;;
--dot) draw ;;
*) sed -n 's/^# \(arrows.sh.*\)/\1/p' "$0"; exit 2 ;;
esac
