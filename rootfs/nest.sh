#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# nest.sh TREE OUT VBET PART... -- [PACKAGE...]: the tree OUT, which is TREE with these packages and with vbet in it: the program
# VBET, the PARTs of its installation, and TREE once more as the file system of its guests. Does nothing if OUT is there. Files
# that are in several trees are one file on disk.
#
# Environment and exit status: as for packages.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Libraries that vbet is linked with, as far as no program of TREE needs them.
libraries=(libexpat1 libjson-c5 libmd0 libpcap0.8 libreadline8 libseccomp2 libslirp0 libyaml-0-2)

[[ $# -ge 5 ]] || { echo "usage: $0 TREE OUT VBET PART... -- [PACKAGE...]" >&2; exit 2; }
tree=$1 out=$2
shift 2
parts=()
while [[ ${1:---} != -- ]]; do
	parts+=("$1")
	shift
done
shift
[[ ! -d $out ]] || exit 0

# What TREE has need not be asked for: mostly nothing is left, and no network is needed.
has() { cut -d' ' -f1 "$tree/usr/share/vbet/packages" | sort; }
names=$(printf '%s\n' "${libraries[@]}" "$@" | sed '/^$/d' | sort -u | comm -23 - <(has))
with=$tree
if [[ -n $names ]]; then
	with=$(dirname "$out")/vbet-$(sha256sum <<<"$names" | cut -c1-16)-packages
	mapfile -t names <<<"$names"
	"$here/packages.sh" "$tree" "$with" "${names[@]}"
fi

new=$out.$$
trap '[[ ! -e $new ]] || { chmod -R u+w "$new"; rm -rf "$new"; }' EXIT
# Hard links cost nothing; they need the same disk and the same owner. Of another user's tree one copy is enough.
copy() { cp -al "$1/." "$2/" 2>/dev/null || cp -a --no-preserve=ownership --reflink=auto "$1/." "$2/"; }
lib=$new/usr/lib/vbet
mkdir -p "$lib/rootfs/debian"
copy "$tree" "$lib/rootfs/debian"
[[ $with != "$tree" ]] || with=$lib/rootfs/debian
copy "$with" "$new"
find "$new" -type d ! -perm -u+w -exec chmod u+w {} +
install -m 755 "${parts[0]}" "$new/usr/bin/vbet"
echo "a guest with vbet has this" >"$new/usr/share/vbet/nested"
install -m 755 "${parts[@]:1}" "$lib"
mv -T "$new" "$out" 2>/dev/null || [[ -d $out ]]
