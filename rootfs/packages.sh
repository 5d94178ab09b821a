#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# packages.sh TREE OUT PACKAGE...: the tree OUT, which is TREE with these packages and what they depend on. Does nothing if
# OUT is there; then no network is needed. Files that both trees have are one file on disk. As in build.sh, no installation
# script is run; what it says in plain words of accounts and alternatives is read, the rest is in "extras".
#
# Environment: as for build.sh; VBET_ROOTFS_QUIET: print errors only. Exit status: 2 if there is no such package, 1 for all else.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=rootfs/profile.sh
. "$here/profile.sh"
# shellcheck source=rootfs/common.sh
. "$here/common.sh"

[[ $# -ge 3 ]] || { echo "usage: $0 TREE OUT PACKAGE..." >&2; exit 2; }
tree=$1 out=$2
shift 2
mapfile -t wanted < <(printf '%s\n' "$@" | sort -u)
what="packages ${wanted[*]}"
for package in "${wanted[@]}"; do
	[[ $package =~ ^[a-z0-9][a-z0-9+.-]+$ ]] || { explained=1; die "'$package' is no name of a package"; }
done
[[ ! -d $out ]] || exit 0
tree=$(cd "$tree" && pwd -P) || die "no tree $tree"
[[ -r $tree/usr/share/vbet/status ]] || die "$tree was built by an older version: run 'make guest'"
need_tools
suite=$(<"$tree/usr/share/vbet/suite")
profiles=$(tr '\n' ' ' <"$tree/usr/share/vbet/profiles")
arch=$(dpkg --print-architecture)
cache_open
cache_lock
[[ ! -d $out ]] || exit 0
build_begin "set.$$"
start=$SECONDS updated=

# --- which packages ---

# What TREE's packages do without they must not ask for now: only what is added gets it.
base_status()
{
	awk -v spare="$(words spare "$profiles" | tr '\n' ' ')" '
	BEGIN { n = split(spare, names, " "); for (i = 1; i <= n; i++) is_spare[names[i]] = 1 }
	function kept(clause,    way, i, k, name)
	{
		k = split(clause, way, "|")
		for (i = 1; i <= k; i++) { name = way[i]; gsub(/^ +| *[(:].*$| +$/, "", name); if (name in is_spare) return 0 }
		return 1
	}
	/^(Pre-)?Depends: / {
		field = $1; sub(/^[^ ]+ /, ""); n = split($0, clause, ","); text = ""
		for (i = 1; i <= n; i++) if (kept(clause[i])) text = text (text == "" ? "" : ",") clause[i]
		if (text != "") print field, text
		next
	}
	{ print }' "$tree/usr/share/vbet/status"
}

# nearest NAME: the name of a package that is most like it, or nothing.
nearest()
{
	apt-cache -c "$apt/apt.conf" pkgnames | awk -v want="$1" '
	function distance(a, b, limit,    i, j, la, lb, row, diagonal, up, cost, least)
	{
		la = length(a); lb = length(b)
		for (j = 0; j <= lb; j++) row[j] = j
		for (i = 1; i <= la; i++) {
			diagonal = row[0]; row[0] = i; least = i
			for (j = 1; j <= lb; j++) {
				up = row[j]; cost = diagonal + (substr(a, i, 1) != substr(b, j, 1))
				if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1
				if (up + 1 < cost) cost = up + 1
				diagonal = up; row[j] = cost
				if (cost < least) least = cost
			}
			if (least > limit) return limit + 1
		}
		return row[lb]
	}
	BEGIN {
		n = length(want); best = 3; if (n < 5) best = 2
		for (i = 1; i < n; i++) swapped[substr(want, 1, i - 1) substr(want, i + 1, 1) substr(want, i, 1) substr(want, i + 2)] = 1
	}
	$0 in swapped { best = 1; found = $0 }
	{
		d = length($0) - n; if (d < 0) d = -d
		if (d > best) next
		d = distance(want, $0, best)
		if (d < best || (d == best && found != "" && $0 < found)) { best = d; found = $0 }
	}
	END { print found }'
}

# explain: why apt could not resolve, in our words where we have them.
explain()
{
	local name near
	name=$(sed -En "s/^E: (Unable to locate package|Couldn't find any package by .* ') ?([^ ']+).*/\2/p; s/^E: Package '([^']+)' has no installation candidate.*/\1/p" "$log" | head -n 1)
	if [[ -n $stale && -n $name && -z $(find "$apt/lists" -maxdepth 1 -name '*_Packages*' -print -quit) ]]; then
		explained=1
		die "$what: not in the cache, and the package sources of $suite cannot be reached: connect to the network once; then they are kept"
	fi
	[[ -n $name ]] || die "$what: apt cannot resolve them"
	near=$(nearest "$name")
	explained=1
	progress_end
	echo "rootfs: $suite has no package '$name'${stale:+ in the lists of last time}${near:+; did you mean \"$near\"?}" >&2
	exit 2
}

fetch()
{
	apt_resolve "${wanted[@]}" || explain
	((count == 0)) || apt_progress "downloading $count packages" --download-only install "${wanted[@]}"
}

apt_begin "$suite" "$arch"
mapfile -t absent < <(words without "$profiles" | grep -vxF "$(printf '%s\n' "${wanted[@]}")")
{ base_status; apt_pretend "${absent[@]}"; } >"$apt/status"
# Lists of today are good enough, unless the packages in them are gone already.
[[ -n $(find "$apt" -maxdepth 1 -name refreshed -mmin -1440 -print -quit) ]] || { apt_update; updated=1; }
if ! fetch; then
	[[ -n $updated ]] || apt_update
	: >"$log"
	fetch || {
		[[ -z $stale ]] || explained=1
		die "$what: ${stale:+not in the cache, and }the package sources of $suite cannot be reached: connect to the network once; then they are kept"
	}
fi
# Of equal version, but described in other words: the tree has them.
sed -En 's/^Inst ([^ ]+) \[([^]]*)\] \(([^ ]+) .*/\1 \2 \3/p' "$apt/plan" | awk '$2 == $3 { print $1 }' >"$apt/same"
awk 'FILENAME == ARGV[1] { same[$1] = 1; next } !($1 in same)' "$apt/same" "$apt/packages" >"$apt/packages.new"
mv "$apt/packages.new" "$apt/packages"
count=$(wc -l <"$apt/packages")
mkdir -p "$(dirname "$out")"
if ((count == 0)); then
	ln -sfn "$tree" "$out"
	tell "$what: all of that is in the tree"
	exit 0
fi

# --- the tree ---

# Hard links cost nothing; they need the same disk and the same owner.
progress "installing $count packages"
cp -al "$tree/." "$new/" 2>/dev/null ||
	{ remove "$new"; mkdir "$new"; cp -a --no-preserve=ownership --reflink=auto "$tree/." "$new/"; }
exclude "$profiles" exclude >"$apt/exclude"
unpack_all
find "$new" -type d ! -perm -u+w -exec chmod u+w {} +

progress "finishing"
scripts=$apt/scripts
rm -rf "$scripts"
mkdir "$scripts"
while read -r package version package_arch; do
	dpkg-deb -I "$(deb_of "$package" "$version" "$package_arch")" postinst >"$scripts/$package" 2>/dev/null || rm -f "$scripts/$package"
done <"$apt/packages"

# plain_commands NAME: lines of the scripts that call it, continued lines joined.
plain_commands()
{
	local script
	for script in "$scripts"/*; do
		[[ -f $script ]] && sed -e ':more' -e '/\\$/{N;s/\\\n//;b more' -e '}' "$script" | grep -E "^[^#]*\\b$1\\b" || true
	done
}

# Alternatives: the first program that a link is offered to, as long as nothing has its name.
plain_commands update-alternatives | awk '
	!/[$]/ { for (i = 1; i < NF - 2; i++) if ($i ~ /^--(install|slave)$/ && !seen[$(i + 1)]++) print "link:", $(i + 1), $(i + 3) }' |
	while read -r word path target; do
		if [[ ! -e $new$path && ! -L $new$path && -e $new$target ]]; then echo "$word $path $target"; fi
	done | lay_dirs_and_links

extra() { awk -v word="$1:" 'FILENAME == ARGV[1] { has[$1] = 1; next } $2 == word && ($1 in has) { $1 = ""; sub(/^ /, ""); print }' "$apt/packages" <(plain "$here/extras"); }
{ extra dir; extra link; } | lay_dirs_and_links

# Accounts: "adduser ... --system ... NAME", numbered from 200 in the order of packages; homes that the words name.
next_id=200
{
	extra group
	extra user
	plain_commands '(adduser|useradd)' | sed -nE '/--system|-r /{/[$]/d; s/[;|>&].*//; s/--?(quiet|system|group|no-create-home|disabled-[a-z]+|force-badname|allow-bad-names)\b//g; p}' |
		while read -r _ rest; do
			home=/nonexistent
			[[ ! $rest =~ --home[\ =]([^ ]+) ]] || home=${BASH_REMATCH[1]}
			name=${rest##* }
			[[ $name =~ ^[a-zA-Z_][a-zA-Z0-9_-]*$ ]] || continue
			grep -q "^$name:" "$new/etc/passwd" || { echo "user: $name $next_id $home /usr/sbin/nologin"; next_id=$((next_id + 1)); }
		done
} | awk '!seen[$2]++' | add_accounts

mv -f "$apt/packages" "$new/usr/share/vbet/.added"
{ cat "$tree/usr/share/vbet/packages" "$new/usr/share/vbet/.added"; } | awk '{ line[$1] = $0 } END { for (p in line) print line[p] }' | sort >"$new/usr/share/vbet/.packages"
{ cat "$tree/usr/share/vbet/id" "$new/usr/share/vbet/.packages"; } | sha256sum | cut -c1-16 >"$new/usr/share/vbet/.id"
printf '%s\n' "${wanted[@]}" >"$new/usr/share/vbet/.set"
for file in added packages id set; do mv -f "$new/usr/share/vbet/.$file" "$new/usr/share/vbet/$file"; done
finish_tree added
mv "$new" "$out"
tell "$what: $count packages, $(find "$out" -type f -links 1 -printf '%k\n' | awk '{ s += $1 } END { printf "%d", (s + 1023) / 1024 }') MB, built in $((SECONDS - start)) s"
