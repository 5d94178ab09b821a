#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# packages = [...]: nodes with programs that the others have not; built once, then without a network; what is wrong is said.
# lab: slow
# lab: also root
. "${0%/*}/lib.sh"

# What is downloaded stays for the next run; the trees are built anew.
VBET_CACHE=$(getent passwd "$(id -un)" | cut -d: -f6)/.cache/vbet-test
export VBET_CACHE
mkdir -p "$VBET_CACHE" || skip "no directory for the cache"
rm -rf "$VBET_CACHE/rootfs/sets"
tree=$VBET_LIB/rootfs/debian

cat >lab.vbet <<'END'
packages = ["inetutils-ftp"]
a = alloc(host)
b = alloc(host, packages = ["nginx", "nsd"])
c = alloc(host)
link(a, b)
link(b, c)
exec(b, "nginx")
expect within 10s exec(a, "curl -s http://10.0.0.2/ | grep -i 'welcome to nginx'")
expect exec(a, "ftp --version | grep inetutils")
expect exec(b, "ftp --version && getent passwd nsd && nsd -v")
expect not exec(c, "test -e /usr/sbin/nginx")
expect exec(c, "getent passwd tcpdump && ping -c1 127.0.0.1")
END

# check builds nothing and needs no network.
must env http_proxy=http://127.0.0.1:9 vbet check lab.vbet
[ ! -e "$VBET_CACHE/rootfs/sets" ] || fail "check has built trees"
must vbet check --dump=graph lab.vbet
out_has '^b = .*packages = \["inetutils-ftp", "nginx", "nsd"\]'
must vbet check --dump=plan lab.vbet
assert_eq 2 "$(grep -o 'root=[^ ]*rootfs/sets/[^ ]*' <<<"$OUT" | sort -u | wc -l)" "trees"

# The first time they are downloaded.
OUT=$(vbet packages lab.vbet 2>&1 </dev/null) || {
	grep -q 'cannot be reached' <<<"$OUT" && skip "the package sources cannot be reached"
	say "$OUT"
	fail "packages are not built"
}
out_has 'packages inetutils-ftp nginx nsd: [0-9]+ packages, [0-9]+ MB'
sets=("$VBET_CACHE"/rootfs/sets/*/*)
assert_eq 2 ${#sets[@]} "trees"

# From then on there is no network, no apt, no time.
export http_proxy=http://127.0.0.1:9
must vbet packages lab.vbet
assert_eq '' "$OUT" "what a second build says"
must vbet test -q lab.vbet
out_has '5 held, 0 did not'

# The usual tree is what it was; where the user owns it, equal files are one.
[ ! -e "$tree/usr/sbin/nginx" ] || fail "the usual tree has changed"
grep -q nginx "${sets[0]}/usr/share/vbet/packages" "${sets[1]}/usr/share/vbet/packages" || fail "no list of packages"
grep -q '^tcpdump:' "${sets[0]}/etc/passwd" || fail "no accounts"
[ "$(id -u)" -ne 0 ] || [ "${sets[0]}/usr/bin/curl" -ef "${sets[1]}/usr/bin/curl" ] || fail "files are not shared"

# A running lab: a node with packages can be added when its tree is there, and only then.
must vbet up lab.vbet
printf '%s\n' 'd = alloc(host, packages = ["nginx", "nsd"])' 'd2 = alloc(host, packages = ["strace"])' status |
	vbet console >out 2>&1
grep -q "vbet packages inetutils-ftp strace" out || { cat out >&2; fail "no word on what to build"; }
grep -qE '^ *d +host' out || { cat out >&2; fail "no node with packages that are there"; }
must vbet down

# Errors: the nearest name; not in the cache and no network; no names of packages.
cat >wrong.vbet <<'END'
a = alloc(host, packages = ["ngnix"])
END
must_status 2 vbet up wrong.vbet
out_has "no package 'ngnix'; did you mean \"nginx\"\?"
cat >new.vbet <<'END'
a = alloc(host, packages = ["bwm-ng"])
END
rm -f "$VBET_CACHE"/rootfs/.apt-*/archives/bwm-ng_*
must_status 3 vbet up new.vbet
out_has 'packages bwm-ng: not in the cache, and the package sources of .* cannot be reached'
printf 'a = alloc(host, packages = ["Nginx!"])\nb = alloc(host, root = ".", packages = ["nginx"])\n' >bad.vbet
must_status 2 vbet check bad.vbet
out_has 'names of Debian packages'
nothing_left || fail "something is left"
