#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# size.sh FILE...: functions of more than 60 lines, from brace to brace, and files of more than 600,
# a line for each; the exit status is 1 if there is one. What does not fit a screen has two jobs.
exec awk -v most_of_function=60 -v most_of_file=600 '
FNR == 1 { begin = 0 }
/^[A-Za-z].*\(/ { name = $0; sub(/^START_TEST\(/, "", name); sub(/[()].*/, "", name); sub(/.*[ *]/, "", name) }
/^\{/ { begin = FNR }
/^\}/ && begin {
	if (FNR - begin + 1 > most_of_function) {
		printf "%s:%d: %s() has %d lines\n", FILENAME, begin, name, FNR - begin + 1
		found = 1
	}
	begin = 0
}
FNR == most_of_file + 1 { printf "%s: has more than %d lines\n", FILENAME, most_of_file; found = 1 }
END { exit found }' "$@"
