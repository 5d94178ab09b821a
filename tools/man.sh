#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# man.sh VBET VERSION: prints vbet(1), made of what `vbet help` says.
set -eu
vbet=$1 version=$2

# roff takes lines that begin with a dot or a quote, and backslashes and minus signs, for its own.
quote() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\\([.']\\)/\\\\\\&\\1/"; }

cat <<END
.TH VBET 1 "" "vbet $version" "vbet"
.SH NAME
vbet \\- networks of real Linux kernels, without privileges
.SH SYNOPSIS
.B vbet
.I COMMAND
[options] ...
.SH DESCRIPTION
.B vbet
turns a short script into a running internet. Every router, host and firewall is a Linux kernel of its own (User\\-Mode Linux), an
ordinary process of an ordinary user; the cables, hubs and switches between them are emulated.
The language of scripts is described in
.IR /usr/share/doc/vbet/language.md .
.SH COMMANDS
END
"$vbet" help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' | while read -r command; do
	[ "$command" != help ] || continue
	printf '.SS %s\n.nf\n' "$command"
	"$vbet" help "$command" | quote
	printf '.fi\n'
done
cat <<'END'
.SH EXIT STATUS
0: done; 1: an expectation or a ping did not hold; 2: wrong usage or a wrong script; 3: the system refused, or a node is down;
4: a time limit passed.
.SH SEE ALSO
.BR vhub (1),
.BR vswitch (1),
.BR vnet\-mux (1),
.BR trellis (1),
.BR trellisd (1)
END
