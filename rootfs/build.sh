#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# build.sh TREE LINK: build the guest file system TREE (see "trees") and make LINK point to it.
#
# Packages of the host's own distribution are resolved and fetched with apt (as an ordinary user, beside the host's
# package database, which is only read) and unpacked. Their installation scripts are not run: what these would
# have done and a guest needs is written in the profiles. That is why no root, no subordinate ids, no namespace and no
# chroot are needed, why it takes seconds, and why everybody gets the same bytes from the same packages.
#
# Environment: VBET_CACHE              where trees are kept (default $XDG_CACHE_HOME/vbet or ~/.cache/vbet)
#              VBET_ROOTFS_SUITE       the release to build from (default: the host's)
#              VBET_ROOTFS_SOURCES     an apt sources file to use instead of the host's (".sources" or ".list")
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=rootfs/profile.sh
. "$here/profile.sh"
# shellcheck source=rootfs/common.sh
. "$here/common.sh"

# --- what to build ---

[[ $# == 2 ]] || { echo "usage: $0 TREE LINK" >&2; exit 2; }
tree=$1 link=$2
what="tree '$tree'"
[[ $tree =~ ^[a-z0-9][a-z0-9-]*$ ]] || die "'$tree' is not a tree name"
profiles=$(tree_profiles "$tree") || die "no tree '$tree' in $here/trees"
for profile in $profiles; do
	[[ -f $here/profiles/$profile ]] || die "tree '$tree' wants the profile '$profile', which is not in $here/profiles"
done
if [[ -e $link && ! -L $link ]]; then die "$link exists and is not a symbolic link"; fi
need_tools

# shellcheck source=/dev/null
suite=${VBET_ROOTFS_SUITE:-$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")}
[[ -n $suite ]] || die "this host does not name its release: set VBET_ROOTFS_SUITE"
arch=$(dpkg --print-architecture)
sources=${VBET_ROOTFS_SOURCES:-}
[[ -z $sources || -r $sources ]] || die "cannot read $sources"
cache_open

# The key covers all that is read below, so an edited profile is another tree; and what builds sets of packages over it.
key=$({
	printf '%s\n' "$suite" "$arch" "$profiles"
	cd "$here"
	if [[ -n $sources ]]; then cat "$sources"; fi
	plain build.sh profile.sh common.sh packages.sh extras
	compiler_version
	for profile in $profiles; do
		plain "profiles/$profile"
		for program in $(words program "$profile"); do cat "programs/$program.c"; done
		if [[ -d files/$profile ]]; then
			find "files/$profile" -type f | sort | while IFS= read -r file; do printf '%s\n' "$file"; cat "$file"; done
		fi
	done
} | sha256sum | cut -c1-16)
out=$cache/$key

publish()
{
	mkdir -p "$(dirname "$link")"
	ln -sfn "$out" "$link"
}
if [[ -d $out ]]; then publish; exit 0; fi
cache_lock
if [[ -d $out ]]; then publish; exit 0; fi
build_begin "$key"
start=$SECONDS

# --- packages ---

apt_begin "$suite" "$arch"
mapfile -t absent < <(words without "$profiles"; words spare "$profiles")
apt_pretend "${absent[@]}" >"$apt/status"
apt_update
mapfile -t wanted < <(packages "$profiles")
apt_resolve "${wanted[@]}" || die "apt cannot find all packages, or they do not fit together"
((count > 0)) || die "apt found nothing to install"
apt_progress "downloading $count packages" --download-only install "${wanted[@]}"
down=$(cut -d' ' -f1-3 "$apt/packages" | while read -r p v a; do deb_of "$p" "$v" "$a"; echo; done | xargs du -cm --apparent-size | sed -n '$s/\t.*//p')

# --- the tree ---

# A merged /usr must be there before the first package is, for the old packages that still ship /bin.
mkdir -p "$new"/usr/{bin,sbin,lib,lib64}
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$new/$dir"; done

exclude "$profiles" "exclude spare-exclude" >"$apt/exclude"
unpack_all

progress "finishing"
for profile in $profiles; do
	if [[ -d $here/files/$profile ]]; then cp -R "$here/files/$profile/." "$new/"; fi
done
{ all dir "$profiles"; all link "$profiles"; } | lay_dirs_and_links
for program in $(words program "$profiles"); do
	compile_program "$here/programs/$program.c" "$new/usr/local/bin/$program" || die "cannot compile $program"
done
cp "$new/usr/share/base-passwd/passwd.master" "$new/etc/passwd"
cp "$new/usr/share/base-passwd/group.master" "$new/etc/group"
{ all group "$profiles"; all user "$profiles"; } | add_accounts
lines python "$profiles" | while read -r python dirs; do
	progress "compiling the modules of python"
	# shellcheck disable=SC2086 # a list
	compile_python "$python" $dirs || die "cannot compile the modules of python"
done

mkdir -p "$new/usr/share/vbet"
cp "$apt/packages" "$new/usr/share/vbet/packages"
status_of_all >"$new/usr/share/vbet/status"
echo "$suite" >"$new/usr/share/vbet/suite"
echo "$profiles" | tr ' ' '\n' >"$new/usr/share/vbet/profiles"
# Trees with the same id are the same; the key alone does not say which versions the packages had.
{ echo "$key"; cat "$apt/packages"; } | sha256sum | cut -c1-16 >"$new/usr/share/vbet/id"

finish_tree
mv "$new" "$out"
publish
tell "tree '$tree': $count packages, $down MB of them, $(du -sm "$out" | cut -f1) MB, built in $((SECONDS - start)) s"
