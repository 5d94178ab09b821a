#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# "vbet console NODE" is a real terminal: size and resize, Ctrl-C, job control, Ctrl-] to leave.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
term_start 90 30 'vbet console h'
term_wait 'leave with Ctrl-\]'
term_type 'PS1="ready> "; echo shell-"$((1 + 1))"'
term_wait '^shell-2'
term_type 'stty size'
term_wait '^30 90'
tmux_ resize-window -x 101 -y 37
resized() { term_type 'stty size' && term_shows '^37 101'; }
wait_until 10 resized

runs() { in_node h 'cat /proc/[0-9]*/cmdline | tr "\0" " "' | grep -q "$1"; }
term_type 'sleep 1000; echo "status $?"'
wait_until 10 runs 'sleep 1000'
term_keys C-c
term_type 'echo "it was $?"' # bash gives up the rest of the line
term_wait '^it was 130'

term_type 'sleep 2000'
wait_until 10 runs 'sleep 2000'
term_keys C-z
term_wait 'Stopped +sleep 2000'
term_type 'bg; jobs'
term_wait 'Running +sleep 2000'
term_type 'fg'
term_wait '^sleep 2000$'
in_front() { in_node h 'ps -o stat=,args= -C sleep' | grep -q '+.*sleep 2000'; }
wait_until 20 in_front
term_keys C-c
term_type 'echo "jobs: [$(jobs)]"'
term_wait '^jobs: \[\]'

term_keys C-]
term_wait '^\[status 0\]'
# What was started there is gone with its terminal.
term_gone() { ! in_node h 'ls /proc/[0-9]*/exe -l' | grep -q bash; }
wait_until 10 term_gone
