#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# arrows.sh: fails on an include that points the wrong way between rooms (CONTRIBUTING.md, "The house").
set -eu

allowed() {
	case $1 in
	lib) echo "lib" ;;
	topo) echo "lib topo" ;;
	vbet-server) echo "lib topo vbet-server" ;;
	vkernel) echo "lib vkernel" ;;
	outside) echo "lib outside" ;;
	substrate) echo "lib substrate" ;;
	vhub) echo "lib substrate vhub" ;;
	vswitch) echo "lib substrate vswitch" ;;
	vsubstrate) echo "lib substrate vhub vswitch vsubstrate" ;;
	vnet) echo "lib vnet" ;;
	esac
}

bad=0
for room in lib topo vbet-server vkernel outside substrate vhub vswitch vsubstrate vnet; do
	ok=$(allowed "$room")
	# shellcheck disable=SC2044 # our file names have no spaces
	for file in $(find "$room" -name '*.[chy]'); do
		for target in $(sed -n 's/^#include "\([^/"]*\)\/.*/\1/p' "$file" | sort -u); do
			case " $ok " in
			*" $target "*) ;;
			*)
				echo "$file: includes from $target/; $room may include only: $ok" >&2
				bad=1
				;;
			esac
		done
	done
done
if [ "$(grep -rl 'readline/readline.h' --include='*.c' vbet-server)" != vbet-server/command/console.c ]; then
	echo "only vbet-server/command/console.c may include readline" >&2
	bad=1
fi
exit $bad
