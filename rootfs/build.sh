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
umask 022
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin          # ldconfig is there, and not in an ordinary user's path

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
. "$here/profile.sh"

die() { progress_end; printf 'rootfs: %s\n' "$*" >&2; exit 1; }

# One line that changes on a terminal, otherwise a plain line now and then.
progress_last=-10
progress()
{
	if [[ -t 2 ]]; then
		printf '\r\033[Krootfs: %s' "$*" >&2
	elif ((SECONDS - progress_last >= 10)); then
		printf 'rootfs: %s\n' "$*" >&2
		progress_last=$SECONDS
	fi
}
progress_end() { if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi; progress_last=-10; }

# --- what to build ---

[[ $# == 2 ]] || { echo "usage: $0 TREE LINK" >&2; exit 2; }
tree=$1 link=$2
[[ $tree =~ ^[a-z0-9][a-z0-9-]*$ ]] || die "'$tree' is not a tree name"
profiles=$(tree_profiles "$tree") || die "no tree '$tree' in $here/trees"
for profile in $profiles; do
	[[ -f $here/profiles/$profile ]] || die "tree '$tree' wants the profile '$profile', which is not in $here/profiles"
done
if [[ -e $link && ! -L $link ]]; then die "$link exists and is not a symbolic link"; fi

for tool in apt-get dpkg-deb dpkg flock sha256sum tar ldconfig; do
	command -v "$tool" >/dev/null || die "'$tool' is missing: trees are built from Debian or Ubuntu packages with apt and dpkg"
done

# shellcheck source=/dev/null
suite=${VBET_ROOTFS_SUITE:-$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")}
[[ -n $suite ]] || die "this host does not name its release: set VBET_ROOTFS_SUITE"
arch=$(dpkg --print-architecture)
sources=${VBET_ROOTFS_SOURCES:-}
[[ -z $sources || -r $sources ]] || die "cannot read $sources"

[[ -n ${VBET_CACHE:-${XDG_CACHE_HOME:-${HOME:-}}} ]] || die "set HOME, or VBET_CACHE"
cache=${VBET_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/vbet}/rootfs
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)

# The key covers all that is read below, so an edited profile is another tree.
key=$({
	printf '%s\n' "$suite" "$arch" "$profiles"
	cd "$here"
	if [[ -n $sources ]]; then cat "$sources"; fi
	plain build.sh profile.sh
	for profile in $profiles; do
		plain "profiles/$profile"
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

# --- one build at a time ---

exec 9>"$cache/.lock"
if ! flock -n 9; then
	echo "rootfs: another build is running, waiting for it" >&2
	flock 9
	if [[ -d $out ]]; then publish; exit 0; fi
fi

remove() { if [[ -e $1 ]]; then chmod -R u+rwX "$1"; rm -rf "$1"; fi; }
for old in "$cache"/.tmp.*; do remove "$old"; done

log=$cache/.log
: >"$log"
new=$cache/.tmp.$key
mkdir "$new"
cleanup()
{
	local status=$?
	if ((status != 0)); then
		progress_end
		if [[ -s $log ]]; then
			echo "rootfs: from $log:" >&2
			{ grep -Em 5 '^(E|W|Err):' "$log" || true; echo ...; tail -n 10 "$log"; } | sed 's/^/    /' >&2
		fi
		echo "rootfs: tree '$tree' was not built; what was downloaded is kept" >&2
	fi
	remove "$new"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
start=$SECONDS

# --- apt, beside the host's ---

# Package lists and packages stay here: an interrupted download goes on, an edited profile downloads only the difference.
apt=$cache/.apt-$suite-$arch
mkdir -p "$apt"/{lists/partial,archives/partial,log}
rm -rf "$apt/sources"
mkdir "$apt/sources"

# The host's own sources, whole files at a time because keys and options hang on them. Of several, only those that
# carry this release: nothing of a third party's repository is wanted here, nor its failures.
if [[ -n $sources ]]; then
	cp "$sources" "$apt/sources/"
else
	host=()
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		if [[ -r $file ]]; then host+=("$file"); fi
	done
	((${#host[@]} > 0)) || die "this host has no apt sources: name a sources file in VBET_ROOTFS_SOURCES"
	mapfile -t named < <(grep -El "^[^#]*[[:space:]]$suite(-updates|-security|/updates)?([[:space:]]|\$)" "${host[@]}" || true)
	if ((${#named[@]} == 0)); then
		[[ -z ${VBET_ROOTFS_SUITE:-} ]] || die "none of this host's apt sources is for '$suite': name one in VBET_ROOTFS_SOURCES"
		named=("${host[@]}")            # they say "stable", perhaps
	fi
	cp "${named[@]}" "$apt/sources/"
	# The name decides how apt reads a file, and this one is of no known kind.
	if [[ -e $apt/sources/sources.list ]]; then mv "$apt/sources/sources.list" "$apt/sources/main.list"; fi
fi

# Packages that profiles do without are declared installed: apt then leaves them and what only they need alone.
for package in $(words without "$profiles"); do
	printf 'Package: %s\nStatus: install ok installed\nArchitecture: %s\nVersion: 99:0\nMulti-Arch: foreign\n' "$package" "$arch"
	printf 'Maintainer: nobody <nobody@localhost>\nDescription: not wanted\n\n'
done >"$apt/status"

# Proxies, keys and the like come from the host's configuration; its hooks must not.
cat >"$apt/apt.conf" <<EOF
Dir::State "$apt"; Dir::State::lists "$apt/lists"; Dir::State::status "$apt/status";
Dir::Cache "$apt"; Dir::Cache::archives "$apt/archives"; Dir::Log "$apt/log";
Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "$apt/sources"; Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::preferences "/dev/null";
APT::Sandbox::User ""; APT::Install-Recommends "false"; APT::Install-Suggests "false";
APT::Architecture "$arch"; Acquire::Languages "none"; Acquire::Retries "3";
Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
APT::Get::Show-User-Simulation-Note "false";
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
EOF
apt_get() { apt-get -c "$apt/apt.conf" -q -y "$@"; }

# Percentages as apt reports them on descriptor 8; what it says for people goes to the log.
apt_progress()
{
	local what=$1 kind percent
	shift
	{ apt_get -o APT::Status-Fd=8 "$@" 8>&1 >>"$log" 2>&1 </dev/null; } |
		while IFS=: read -r kind _ percent _; do
			if [[ $kind == dlstatus ]]; then progress "$what ${percent%%.*}%"; fi
		done
}

progress "reading the package lists of $suite"
apt_progress "reading the package lists of $suite" update -o APT::Update::Error-Mode=any ||
	{ progress_end; echo "rootfs: not all package lists could be refreshed; going on with what is there" >&2; }

mapfile -t wanted < <(packages "$profiles")
apt_get -s install "${wanted[@]}" >"$apt/plan" 2>>"$log" ||
	{ cat "$apt/plan" >>"$log"; die "apt cannot find all packages, or they do not fit together"; }
# Inst NAME (VERSION ORIGIN [ARCH])
sed -En 's/^Inst ([^ ]+) \(([^ ]+) .*\[([^] ]+)\]\).*/\1 \2 \3/p' "$apt/plan" | sort >"$apt/packages"
count=$(wc -l <"$apt/packages")
((count > 0)) || die "apt found nothing to install"
apt_progress "downloading $count packages" --download-only install "${wanted[@]}"

# --- the tree ---

# A merged /usr must be there before the first package is, for the old packages that still ship /bin.
mkdir -p "$new"/usr/{bin,sbin,lib,lib64}
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$new/$dir"; done

exclude "$profiles" >"$apt/exclude"
unpacked=0
while read -r package version package_arch; do
	progress "installing $count packages: $((unpacked += 1)) $package"
	deb=$apt/archives/${package}_${version//:/%3a}_$package_arch.deb
	# Ownership and set-id bits go: the tree belongs to one user, and must not lend that user's rights to others.
	if ! dpkg-deb --fsys-tarfile "$deb" 2>>"$log" | tar -x -C "$new" --no-same-owner --no-same-permissions \
		--keep-directory-symlink --anchored --exclude-from="$apt/exclude" 2>>"$log"; then
		rm -f "$deb"            # should it be damaged, the next attempt fetches it again
		die "cannot unpack $package $version"
	fi
done <"$apt/packages"

progress "finishing"
words dir "$profiles" | while IFS= read -r dir; do mkdir -p "$new$dir"; done
for profile in $profiles; do
	if [[ -d $here/files/$profile ]]; then cp -R "$here/files/$profile/." "$new/"; fi
done
lines link "$profiles" | while read -r path target; do
	mkdir -p "$new$(dirname "$path")"
	if [[ -d $new$path && ! -L $new$path ]]; then rmdir "$new$path"; fi
	ln -sfn "$target" "$new$path"
done

cp "$new/usr/share/base-passwd/passwd.master" "$new/etc/passwd"
cp "$new/usr/share/base-passwd/group.master" "$new/etc/group"
lines group "$profiles" | while read -r name id; do echo "$name:x:$id:"; done >>"$new/etc/group"
lines user "$profiles" | while read -r name id home shell groups; do
	echo "$name:x:$id:$id::$home:$shell" >>"$new/etc/passwd"
	echo "$name:x:$id:" >>"$new/etc/group"
	for group in $groups; do sed -i "s/^\($group:[^:]*:[^:]*:\)\$/\1$name/; t; s/^\($group:.*[^:]\)\$/\1,$name/" "$new/etc/group"; done
done
sed -i 's/^\([^:]*\):[^:]*:/\1:x:/' "$new/etc/passwd"
sed 's/:.*/:*:19723:0:99999:7:::/' "$new/etc/passwd" >"$new/etc/shadow"     # nobody has a password
sed 's/:.*/:*::/' "$new/etc/group" >"$new/etc/gshadow"

mkdir -p "$new/usr/share/vbet"
cp "$apt/packages" "$new/usr/share/vbet/packages"
echo "$profiles" | tr ' ' '\n' >"$new/usr/share/vbet/profiles"
# Trees with the same id are the same; the key alone does not say which versions the packages had.
{ echo "$key"; cat "$apt/packages"; } | sha256sum | cut -c1-16 >"$new/usr/share/vbet/id"

ldconfig -r "$new" 2>>"$log"
rm -rf "$new/var/cache/ldconfig"

chmod -R u+rwX,go+rX,go-w,ug-s,-t "$new"
odd=$(find "$new" ! -type f ! -type d ! -type l | head -n 3)
[[ -z $odd ]] || die "not a file, directory or link: $odd"

progress "checking"
"$here/check.sh" "$new" >>"$log" 2>&1 || die "the tree does not pass its check"

find "$new" -print0 | xargs -0 touch -h -d "@$(lines epoch base)"
mv "$new" "$out"
publish
progress_end
echo "rootfs: tree '$tree': $count packages, $(du -sm "$out" | cut -f1) MB, built in $((SECONDS - start)) s" >&2
