#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A second person in the same terminal: sees what is shown, and what was shown last; types if it may; ends with
# the terminal, which goes on without it.
. "${0%/*}/lib.sh"

lab_up "$EXAMPLES/hello.vbet"
must_status 2 vbet console host1 --share
out_has 'nobody has a terminal open in host1'
must_status 2 vbet console --watch

# screen_of SESSION: what it shows. Sessions run the same tmux server.
screen_of() { tmux_ capture-pane -p -J -t "$1"; }
shows() { screen_of "$1" | grep -qE -e "$2"; }
join() { tmux_ new-session -d -s "$1" -x 100 -y 30 "vbet console host1 $2; echo \"[$1 \$?]\"; exec sleep 1000"; }

term_start 100 30 "vbet console host1"
tmux_ rename-session student
wait_until 20 shows student 'host1[:#].*'
tmux_ send-keys -t student -l 'echo ea""rlier'
tmux_ send-keys -t student Enter
wait_until 10 shows student '^earlier'

join teacher --share
wait_until 10 shows teacher '^earlier'
tmux_ send-keys -t teacher -l 'echo from the tea""cher'
tmux_ send-keys -t teacher Enter
wait_until 10 shows student '^from the teacher'
wait_until 10 shows teacher '^from the teacher'

join guest --watch
wait_until 10 shows guest '^from the teacher'
tmux_ send-keys -t guest -l 'echo from the gu""est'
tmux_ send-keys -t guest Enter
tmux_ send-keys -t student -l 'echo from the stu""dent'
tmux_ send-keys -t student Enter
for who in student teacher guest; do
	wait_until 10 shows $who '^from the student'
	shows $who '^from the guest' && fail "who watches has typed"
done

# Leaving does not end it; who opened it does.
tmux_ send-keys -t teacher 'C-]'
wait_until 10 shows teacher '^\[teacher 0\]'
tmux_ send-keys -t student -l 'echo still he""re'
tmux_ send-keys -t student Enter
wait_until 10 shows guest '^still here'
tmux_ send-keys -t student -l 'exit'
tmux_ send-keys -t student Enter
wait_until 10 shows student '^\[status 0\]'
wait_until 10 shows guest '^\[guest 0\]'
