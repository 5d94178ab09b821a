#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A console in virtual time: typing feels as in any terminal; and in a replay it is open as it was, with what
# was on its screen, what ran in it, and what was typed halfway.
. "${0%/*}/lib.sh"

cat >t.vbet <<'END'
clock = virtual
link(alloc(host), alloc(host))
END
node=$(vbet check --dump=graph t.vbet | awk '/host/ { print $1; exit }')
must vbet up t.vbet --record run
term_start 80 24 "vbet console $node"
term_wait 'leave with'
term_type 'cd /usr; echo $((6 * 7))'
term_wait '^42'
# Line editing, and a key that interrupts.
term_keys -l 'echo wrong' && term_keys C-u && term_type 'echo ri''ght'
term_wait '^right'
term_type 'echo a''way; sleep 1000'
term_wait '^away'
term_keys C-c
term_wait '\^C'
term_type 'stty size'
term_wait '^24 80'
# The size of the window reaches the program.
tmux_ resize-window -x 100 -y 30
sized() { term_keys -l 'stty size' && term_keys Enter && term_shows '^30 100'; }
wait_until 20 sized
# A line typed while the shell still edits would have no end for tr: the word tells when it does not.
term_type 'echo t''hen; tr a-z A-Z'
term_wait '^then'
term_type 'said before'
term_wait 'SAID BEFORE'
term_keys -l 'half a '
term_wait '^half a'
at=$(vbet clock | awk '{ print $1; exit }')
term_keys C-]
term_wait 'status 0'
must vbet down
term_end

must vbet replay run --until "${at}s"
out_has "a console of $node was open"
term_start 80 24 "vbet console $node"
term_wait 'was open in the run'
term_wait 'the clock stands at'
term_wait '^42'
term_wait '^half a'
must vbet clock run
term_type 'line'
term_wait 'HALF A LINE'
term_keys C-d
term_type 'pwd; stty size'
term_wait '^/usr'
term_wait '^24 80'
term_type 'exit'
term_wait 'status 0'
# There was one: the next is a new one.
term_end
# shellcheck disable=SC2034 # out_has reads it
OUT=$(echo 'pwd' | vbet console "$node")
out_has '^/root'
must vbet down
nothing_left || fail "something is left"
