#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# run.sh [OPTIONS]: `make run`. Builds everything and shows the lab of demo.sh. Compiling the guests' kernel takes minutes
# the first time; till it is there, the lab is shown on Debian's kernel, in real time.
set -eu

log=build/kernel.log
debian=/usr/bin/linux.uml

[ -x build/linux ] || tools/setup.sh build run
mkdir -p build
# Kernel and tree first: what they need is fetched while the processors compile the rest. The kernel has the lowest priority.
nice -n 19 vkernel/build.sh build/linux >$log 2>&1 &
kernel=$!
tree=
trap 'kill $tree 2>/dev/null; kill $kernel 2>/dev/null && echo "run: the kernel is not complete; make goes on from here" >&2 || true' EXIT
trap 'exit 130' INT TERM

${MAKE:-make} --no-print-directory -s tree &
tree=$!
${MAKE:-make} --no-print-directory -s -j "$(nproc)" programs
wait $tree

# The first thing that the build says is where the kernel is, if there is one already.
until [ -s $log ] || ! kill -0 $kernel 2>/dev/null; do sleep 0.1; done
compiling() { ! head -n 1 $log | grep -q '/linux$' && kill -0 $kernel 2>/dev/null; }
# Debian's kernel saves floating point registers in a place of fixed size, which is too small for the tiles of AMX.
usable() { [ -x $debian ] && ! grep -qw amx_tile /proc/cpuinfo; }
if compiling; then
	if usable; then
		echo "run: vbet's kernel is still being compiled ($log): this is Debian's, in real time, meanwhile" >&2
		tools/demo.sh --clock real --kernel $debian "$@" || echo "run: that did not work out; with vbet's kernel it will" >&2
	else
		echo "run: compiling vbet's kernel ($log); Debian's cannot run on this processor meanwhile" >&2
	fi
	tail -n 1 -f --pid=$kernel $log >&2
fi
wait $kernel || {
	tail -n 30 $log >&2
	exit 1
}
trap - EXIT
tools/demo.sh --clock virtual "$@"
