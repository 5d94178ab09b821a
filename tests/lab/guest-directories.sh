#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A guest of little memory reads its whole file system again and again.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host, memory = 32M)
END
for _ in 1 2 3 4; do
	must vbet exec h -- sh -c 'find / -xdev | wc -l; ls -R /usr | wc -l'
done
must vbet exec h -- true
