#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# lab: slow
#
# docs/tutorial.md as a reader does it: saves its scripts, runs its commands in order, and finds every line of output
# that the page shows (numbers apart) in what they print.
#
#   ```vbet               the script whose first line is "# NAME: ..." is saved as NAME
#       $ COMMAND         run; it must succeed, unless "(exit status N)" stands below its output
#       PROMPT> LINE      typed into the console that the command before has opened
#       TEXT              must be in the output; "..." in it stands for anything
. "${0%/*}/lib.sh"

page=$ROOT/docs/tutorial.md
[ -r "$page" ] || fail "no $page"
command='' typed='' expected='' status=0 commands=0 scripts=0 shown=0

# Text with every number as "N": times, process numbers and counters differ between runs. Our labs are elsewhere, too.
plain() { sed -E "s:^(.*)$RUN/:\\1/run/user/1000/vbet/:" | sed -E 's/[0-9]+(\.[0-9]+)*/N/g; s/[[:space:]]+/ /g; s/^ //; s/ $//'; }

# One line of the page, as a pattern for grep: "..." is anything.
# shellcheck disable=SC2016 # patterns
pattern_of() { plain <<<"$1" | sed -E 's/[][\.*^$(){}?+|/]/\\&/g; s/(\\\.){3}/.*/g; s/^/^/; s/$/$/'; }

run_command() {
	[ -n "$command" ] || return 0
	local out line got
	commands=$((commands + 1))
	say "\$ $command"
	case $command in
	*'<'*) out=$(bash -c "$command" 2>&1) ;;
	*) out=$(bash -c "$command" 2>&1 <<<"$typed") ;;
	esac
	got=$?
	say "$out"
	[ "$got" = "$status" ] || fail "the page says exit status $status, not $got: $command"
	out=$(plain <<<"$out")
	while IFS= read -r line; do
		case $line in '' | ...) continue ;; esac
		shown=$((shown + 1))
		grep -qE -e "$(pattern_of "$line")" <<<"$out" || fail "the page shows '$line' of: $command"
	done <<<"$expected"
	command='' typed='' expected='' status=0
}

take_line() { # LINE, without its indentation
	case $1 in
	'$ '*) run_command && command=${1#\$ } ;;
	'(exit status '*) status=${1//[^0-9]/} ;;
	[a-z]*'> '*)
		# Nothing that a command prints looks like a prompt: one word at the beginning, and "> ".
		if [[ $1 =~ ^[a-z0-9]+\>\ (.*) ]]; then typed+=${BASH_REMATCH[1]}$'\n'; else expected+=$1$'\n'; fi
		;;
	*) [ -z "$command" ] || expected+=$1$'\n' ;;
	esac
}

take() { # LINE
	if [ "$file" = new ]; then
		[[ $1 =~ ^\#\ ([a-z]+\.vbet): ]] || fail "a script does not begin with its name: $1"
		file=${BASH_REMATCH[1]}
		scripts=$((scripts + 1))
		: >"$file"
	fi
	if [ -n "$file" ]; then
		printf '%s\n' "$1" >>"$file"
	elif [[ $1 == '    '* ]]; then
		take_line "${1#    }"
	else
		run_command
	fi
}

file=''
while IFS= read -r line; do
	case $line in
	'```vbet') run_command && file=new ;;
	'```') file='' ;;
	*) take "$line" ;;
	esac
done <"$page"
run_command
say "$scripts scripts, $commands commands, $shown lines of output"
if [ "$scripts" -lt 3 ] || [ "$commands" -lt 30 ] || [ "$shown" -lt 40 ]; then fail "the page was not read"; fi
nothing_left || fail "something is left"
