#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# exec on a terminal gives the command a terminal, and passes its status on; the terminal is as before.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
term_start 80 24 'before=$(stty -g); vbet exec h -- sh -c "tty; stty size; echo TERM=\$TERM; exit 5"; echo "exit $?"; test "$(stty -g)" = "$before" && echo "terminal as before"'
term_wait '^/dev/pts/0'
term_wait '^24 80'
term_wait '^TERM=(tmux|screen)'
term_wait '^exit 5'
term_wait '^terminal as before'
