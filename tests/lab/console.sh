#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The console: completion, NODE COMMAND with names replaced, statements typed live, history, status.
. "${0%/*}/lib.sh"

prompt='^hello> $'
# What is typed while a command runs in a node is that command's: so each line waits for the prompt.
at_prompt() { term_screen | sed '/^ *$/d' | tail -n 1 | grep -q '^hello> *$'; }
typed() {
	wait_until 30 at_prompt
	term_type "$1"
}
term_start 100 40 "vbet run '$EXAMPLES/hello.vbet'"
term_wait "$prompt" 30

# Completion of commands, of nodes, and of a node's NICs.
tmux_ send-keys -l 'ho'
term_keys Tab
term_wait '^hello> host$'
tmux_ send-keys -l '1 ping -c1 ho'
term_keys Tab
tmux_ send-keys -l '2'
term_wait '^hello> host1 ping -c1 host2'
term_keys Enter
term_wait 'PING 10.0.0.2 .*'
term_wait ' 0% packet loss'
wait_until 30 at_prompt
tmux_ send-keys -l 'pinga'
term_keys Tab Enter
term_wait '^6 of 6 reached'
wait_until 30 at_prompt
tmux_ send-keys -l 'unplug host3:'
term_keys Tab
term_wait '^hello> unplug host3:eth0'
term_keys Enter
typed 'link host3 switch1 show'
term_wait 'host3:eth0 down$'
typed 'plug host3:eth0'

# A pipe goes to the shell of the node.
typed 'host1 echo one two | tr a-z A-Z'
term_wait '^ONE TWO'

# The running lab grows.
typed 'h4 = attach(alloc(host), alloc(NIC))'
typed 'attach(switch1, alloc(NIC))'
typed 'link(switch1, h4)'
typed 'wait h4'
typed 'nodes'
term_wait '^h4 host ready 10.0.0.4 eth0' 30
typed 'host1 ping -c1 -W5 h4'
term_wait 'from 10.0.0.4: icmp_seq=1'
# One that is wrong is said to be, and changes nothing.
typed 'link(switch1, h5)'
term_wait "console:1:15: .*'h5'"
typed 'pingall'
term_wait '^12 of 12 reached' 30

# As in a script: blocks over several lines, actions, expectations.
typed 'attach(switch1, alloc(NIC), alloc(NIC), alloc(NIC))'
typed 'for i in 5..6 {'
term_wait '^\.\.\. $'
term_type 'h[i] = alloc(host) link(switch1, h[i])'
term_type '}'
typed 'wait h6'
typed 'nodes'
term_wait '^h6 host ready 10.0.0.6 eth0' 30
typed 'expect within 5s ping(host1, h6)'
term_wait '^held after '
typed 'cut(switch1, h6)'
typed 'links'
term_wait 'switch1:[0-9]+ -- h6:eth0 down$'
typed 'expect not ping(host1, h6)'
typed 'mend(switch1, h6)'
typed 'expect ping(h6, 10.99.0.1)'
term_wait '^error: it did not hold'
typed 'x = link(switch1, alloc(host))'
typed 'impair(x, loss = 5%)'
term_wait 'not a node: link\(\) gives the switch or hub'

# Completion by command, and a help of its own.
wait_until 30 at_prompt
tmux_ send-keys -l 'link h6 switch1 set mt'
term_keys Tab
term_wait 'link h6 switch1 set mtu=$'
term_keys C-u
tmux_ send-keys -l 'clock u'
term_keys Tab
term_wait '^hello> clock until *$'
term_keys C-u
typed 'help'
term_wait '^links +the cables'

typed 'frobnicate'
term_wait "no command or node 'frobnicate'"

typed 'exit'
term_wait '^\[status 0\]'
nothing_left || fail "something is left"
[ -s "$HOME/.vbet_history" ] || fail "no history was kept"

# History comes back in the next session.
term_end
term_start 100 40 "vbet run '$EXAMPLES/hello.vbet'"
term_wait "$prompt" 30
term_keys Up Up
term_wait '^hello> frobnicate$'
term_keys C-u
term_keys C-d
term_wait '^\[status 0\]'
