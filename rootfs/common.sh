# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What build.sh and packages.sh share: the cache and its lock, progress, apt beside the host's, unpacking. Sourced by
# them; they set $what (for messages: "tree 'debian'").

: "${here:?}"
what=                   # for messages
explained=              # a message has said why it fails: the log would only hide it
stale=                  # the package lists could not be refreshed
cache='' log='' new='' apt='' count=0
umask 022
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin          # ldconfig is there, and not in an ordinary user's path

die() { progress_end; printf 'rootfs: %s\n' "$*" >&2; exit 1; }

# One line that changes on a terminal, otherwise a plain line now and then.
progress_last=-10
progress()
{
	if [[ -n ${VBET_ROOTFS_QUIET:-} ]]; then return; fi
	if [[ -t 2 ]]; then
		printf '\r\033[Krootfs: %s' "$*" >&2
	elif ((SECONDS - progress_last >= 10)); then
		printf 'rootfs: %s\n' "$*" >&2
		progress_last=$SECONDS
	fi
}
# tell TEXT: what was done, unless nobody wants to know.
tell() { progress_end; if [[ -z ${VBET_ROOTFS_QUIET:-} ]]; then printf 'rootfs: %s\n' "$*" >&2; fi; }
progress_end() { if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi; progress_last=-10; }

need_tools()
{
	local tool
	for tool in apt-get dpkg-deb dpkg flock sha256sum tar ldconfig; do
		command -v "$tool" >/dev/null || die "'$tool' is missing: trees are built from Debian or Ubuntu packages with apt and dpkg"
	done
}

# cache_open: $cache is where trees are kept.
cache_open()
{
	[[ -n ${VBET_CACHE:-${XDG_CACHE_HOME:-${HOME:-}}} ]] || die "set HOME, or VBET_CACHE"
	cache=${VBET_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/vbet}/rootfs
	mkdir -p "$cache" || die "cannot make $cache: set VBET_CACHE to a directory of yours"
	cache=$(cd "$cache" && pwd)
}

# cache_lock: one build at a time. The caller looks again whether its work is still to be done.
cache_lock()
{
	exec 9>"$cache/.lock"
	if ! flock -n 9; then
		echo "rootfs: another build is running, waiting for it" >&2
		flock 9
	fi
}

remove() { if [[ -e $1 ]]; then chmod -R u+rwX "$1"; rm -rf "$1"; fi; }

# build_begin KEY: $new is an empty directory that goes away with us, $log takes what programs say.
build_begin()
{
	local old
	for old in "$cache"/.tmp.*; do remove "$old"; done
	log=$cache/.log
	: >"$log"
	new=$cache/.tmp.$1
	mkdir "$new"
	trap build_end EXIT
	trap 'exit 130' INT TERM HUP
}
build_end()
{
	local status=$?
	if ((status != 0)); then
		progress_end
		if [[ -s $log && -z $explained ]]; then
			echo "rootfs: from $log:" >&2
			{ grep -Em 5 '^(E|W|Err):' "$log" || true; echo ...; tail -n 10 "$log"; } | sed 's/^/    /' >&2
		fi
		echo "rootfs: $what: not built; what was downloaded is kept" >&2
	fi
	remove "$new"
}

# --- apt, beside the host's ---

# Which sources: of the host's own, whole files at a time because keys and options hang on them. Of several, only those that
# carry this release: nothing of a third party's repository is wanted here, nor its failures.
apt_sources() # SUITE
{
	local suite=$1 file host=() named=()
	if [[ -n ${VBET_ROOTFS_SOURCES:-} ]]; then
		cp "$VBET_ROOTFS_SOURCES" "$apt/sources/"
		return
	fi
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
}

# apt_begin SUITE ARCH: $apt is its directory. Package lists and packages stay there: an interrupted download goes on, an
# edited profile downloads only the difference.
apt_begin()
{
	local suite=$1 arch=$2
	apt=$cache/.apt-$suite-$arch
	mkdir -p "$apt"/{lists/partial,archives/partial,log}
	rm -rf "$apt/sources"
	mkdir "$apt/sources"
	apt_sources "$suite"
	# Proxies, keys and the like come from the host's configuration; its hooks must not.
	cat >"$apt/apt.conf" <<-END
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
	END
}
apt_get() { apt-get -c "$apt/apt.conf" -q -y "$@"; }

# apt_pretend PACKAGE...: what apt is to believe installed, for the status file. It then leaves them and what only they
# need alone.
apt_pretend()
{
	local package
	for package in "$@"; do
		printf 'Package: %s\nStatus: install ok installed\nArchitecture: %s\nVersion: 99:0\nMulti-Arch: foreign\n' "$package" "$arch"
		printf 'Maintainer: nobody <nobody@localhost>\nDescription: not wanted\n\n'
	done
}

# Percentages as apt reports them on descriptor 8; what it says for people goes to the log.
apt_progress()
{
	local saying=$1 kind percent
	shift
	{ apt_get -o APT::Status-Fd=8 "$@" 8>&1 >>"$log" 2>&1 </dev/null; } |
		while IFS=: read -r kind _ percent _; do
			if [[ $kind == dlstatus ]]; then progress "$saying ${percent%%.*}%"; fi
		done
}

apt_update()
{
	progress "reading the package lists of $suite"
	apt_progress "reading the package lists of $suite" update -o APT::Update::Error-Mode=any && { : >"$apt/refreshed"; return; }
	progress_end
	echo "rootfs: not all package lists could be refreshed; going on with what is there" >&2
	# shellcheck disable=SC2034 # packages.sh reads it
	stale=1
}

# apt_resolve PACKAGE...: $apt/packages has lines "NAME VERSION ARCH" of all that is to be unpacked.
apt_resolve()
{
	apt_get -s install "$@" >"$apt/plan" 2>>"$log" || { cat "$apt/plan" >>"$log"; return 1; }
	# Inst NAME [OLD VERSION] (VERSION ORIGIN [ARCH])
	sed -En 's/^Inst ([^ ]+) (\[[^]]*\] )?\(([^ ]+) .*\[([^] ]+)\]\).*/\1 \3 \4/p' "$apt/plan" | sort >"$apt/packages"
	count=$(wc -l <"$apt/packages")
}

# --- the tree ---

deb_of() { printf '%s/archives/%s_%s_%s.deb' "$apt" "$1" "${2//:/%3a}" "$3"; }

# unpack_one NAME VERSION ARCH: into $new. Ownership and set-id bits go: the tree belongs to one user, and must not lend
# that user's rights to others.
unpack_one()
{
	local deb
	deb=$(deb_of "$@")
	dpkg-deb --fsys-tarfile "$deb" 2>>"$log" | tar -x -C "$new" --no-same-owner --no-same-permissions \
		--keep-directory-symlink --anchored --exclude-from="$apt/exclude" 2>>"$log" && return
	rm -f "$deb"            # should it be damaged, the next attempt fetches it again
	return 1
}

# unpack_all: $apt/packages into $new, without the paths in $apt/exclude; several at once, since no two share a file.
unpack_all()
{
	local package version package_arch unpacked=0 running=0 most
	most=$(nproc)
	while read -r package version package_arch; do
		progress "installing $count packages: $((unpacked += 1)) $package"
		if ((running == most)); then
			wait -n || die "a package cannot be unpacked"
			running=$((running - 1))
		fi
		unpack_one "$package" "$version" "$package_arch" &
		running=$((running + 1))
	done <"$apt/packages"
	while ((running-- > 0)); do wait -n || die "a package cannot be unpacked"; done
}

# status_of_all: what apt must know of the unpacked packages, so that others can be added to them later.
status_of_all()
{
	sed -E 's/^([^ ]+) ([^ ]+) .*/\1=\2/' "$apt/packages" | xargs apt-cache -c "$apt/apt.conf" show |
		awk '
		/^[^ ]/ { name = tolower($1); keep = name ~ /^(package|source|version|architecture|multi-arch|essential|installed-size|provides|depends|pre-depends|conflicts|breaks|replaces|maintainer):$/ }
		/^$/ { print "Description: unpacked\n" }
		keep && NF { print }
		/^Package:/ { print "Status: install ok installed" }'
}

# lay_dirs_and_links: as "dir:" and "link:" lines on standard input.
lay_dirs_and_links()
{
	local word path target dir
	while read -r word path target; do
		case $word in
		dir:) for dir in $path $target; do mkdir -p "$new$dir"; done ;;
		link:)
			mkdir -p "$new$(dirname "$path")"
			if [[ -d $new$path && ! -L $new$path ]]; then rmdir "$new$path"; fi
			ln -sfn "$target" "$new$path"
			;;
		esac
	done
}

# add_accounts: as "group:" and "user:" lines on standard input. The files are written anew: they may be shared.
add_accounts()
{
	local word name id home shell groups group file
	for file in passwd group; do cp "$new/etc/$file" "$new/etc/.$file"; done
	while read -r word name id home shell groups; do
		case $word in
		group:) echo "$name:x:$id:" >>"$new/etc/.group" ;;
		user:)
			echo "$name:x:$id:$id::$home:$shell" >>"$new/etc/.passwd"
			echo "$name:x:$id:" >>"$new/etc/.group"
			for group in $groups; do
				sed -i "s/^\($group:[^:]*:[^:]*:\)\$/\1$name/; t; s/^\($group:.*[^:]\)\$/\1,$name/" "$new/etc/.group"
			done
			;;
		esac
	done
	sed -i 's/^\([^:]*\):[^:]*:/\1:x:/' "$new/etc/.passwd"
	for file in passwd group; do mv -f "$new/etc/.$file" "$new/etc/$file"; done
	rm -f "$new/etc/shadow" "$new/etc/gshadow"
	sed 's/:.*/:*:19723:0:99999:7:::/' "$new/etc/passwd" >"$new/etc/shadow"     # nobody has a password
	sed 's/:.*/:*::/' "$new/etc/group" >"$new/etc/gshadow"
}

# Our own programs are static: they need nothing of the tree. Equal compilers make equal bytes.
compiler() { command -v musl-gcc || command -v gcc; }
compiler_version() { "$(compiler)" --version | head -n 1; }
compile_program() # SOURCE OUT
{
	"$(compiler)" -std=c11 -D_GNU_SOURCE -Os -s -static -frandom-seed=vbet -Wl,--build-id=none -o "$2" "$1" -lm >>"$log" 2>&1
}

# compile_python: the modules under directories of the tree, with the tree's own interpreter and loader. Hashes that
# nobody checks, instead of times, so that equal sources give equal bytes.
compile_python() # INTERPRETER DIRECTORY...
{
	local python=$1 loader lib
	shift
	loader=$(compgen -G "$new/lib64/ld-linux*" || compgen -G "$new/lib/ld-linux*") || return 0
	lib=$(find "$new/usr/lib" -maxdepth 2 -name 'libc.so.*' -printf '%h')
	env -i PYTHONHOME="$new/usr" PYTHONHASHSEED=0 "$loader" --library-path "$lib" "$new$python" -S -B -E -m compileall -q -j 1 \
		--invalidation-mode unchecked-hash -s "$new" -p / "${@/#/$new}" >>"$log" 2>&1
}

# finish_tree [added]: the cache of libraries, permissions, one time for all. What is shared with another tree has all that
# already, and "added" checks only what is not.
finish_tree()
{
	local odd
	ldconfig -r "$new" 2>>"$log"
	rm -rf "$new/var/cache/ldconfig"
	find "$new" \( -type d -o -type f -links 1 \) -exec chmod u+rwX,go+rX,go-w,ug-s,-t {} +
	odd=$(find "$new" ! -type f ! -type d ! -type l | head -n 3)
	[[ -z $odd ]] || die "not a file, directory or link: $odd"
	progress "checking"
	"$here/check.sh" "$new" "$@" >>"$log" 2>&1 || die "$what: does not pass its check"
	find "$new" \( -type d -o -links 1 \) -print0 | xargs -0 touch -h -d "@$(lines epoch base)"
}
