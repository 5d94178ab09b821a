#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# check finds what is wrong before anything starts: place, line, caret, several errors per run; status 2.
. "${0%/*}/lib.sh"

for example in "$EXAMPLES"/*.vbet; do
	must vbet check "$example"
	out_has 'nothing wrong$'
done
must vbet check --dump=tree "$EXAMPLES/hello.vbet"
must vbet check --dump=graph "$EXAMPLES/hello.vbet"
out_has 'host1'
must vbet check --dump plan "$EXAMPLES/hello.vbet"
out_has '^substrate device switch1 switch$'
out_has '^guest host1: .*vbet-launch'
first=$OUT
must vbet check --dump plan "$EXAMPLES/hello.vbet"
assert_eq "$first" "$OUT" "the plan of the same script"
must_status 2 vbet check --dump=soup "$EXAMPLES/hello.vbet"

cat >bad.vbet <<'END'
h1 = alloc(hots)
h2 = attach(alloc(host), alloc(NIC))
link(h2, h3)
address(h2, 10.0.0.1/24, 10.0.0.1/24)
END
must_status 2 vbet check bad.vbet
out_has "^bad.vbet:1:12: .*'hots'; did you mean 'host'"
out_has '^    h1 = alloc\(hots\)$'
out_has '^ +\^~~~$'
out_has "^bad.vbet:3:10: .*'h3'"
out_has '^bad.vbet:4:'
echo 'x = 10.0.0.1/33' >worse.vbet
must_status 2 vbet check worse.vbet
out_has '^worse.vbet:1:5: bad prefix /33'
# "up" says the same, and starts nothing.
must_status 2 vbet up bad.vbet
out_has '^bad.vbet:1:12:'
[ ! -e "$RUN/bad" ] || fail "it made a run directory"

must_status 2 vbet check no-such-file.vbet
out_has 'no-such-file.vbet: No such file'
must_status 2 vbet check .

cat >much.vbet <<'END'
link(alloc(switch), [alloc(host, memory = 60G), alloc(host, memory = 60G), alloc(host, memory = 60G)])
END
must_status 2 vbet check much.vbet
out_has 'memory'

# A socket's path has 107 bytes.
long=$(printf 'x%.0s' {1..60})
printf '%s = alloc(host)\nlink(%s, alloc(host))\n' "$long" "$long" >long.vbet
mkdir -p "$XDG_RUNTIME_DIR/$long"
must_status 3 env XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR/$long" vbet check long.vbet
out_has "set XDG_RUNTIME_DIR"

# A directory is the lab in it, and has its name.
mkdir dir none
printf 'h = alloc(host)\nlink(h, alloc(switch))\n' >dir/lab.vbet
must vbet check dir/
out_has '^dir/: lab dir, .* nothing wrong$'
must_status 2 vbet check none
out_has 'none: no script in this directory: none/lab\.vbet'
