#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# lint.sh SOURCES HEADERS SCRIPTS: warnings as errors, format, clang-tidy, cppcheck, shellcheck, arrows.
set -u
read -r -a sources <<<"$1"
read -r -a headers <<<"$2"
read -r -a scripts <<<"$3"
failed=0
flags=(-std=c11 -D_GNU_SOURCE -I. -Ibuild '-DVBET_PREFIX="/usr/local"' '-DVBET_VERSION="0"')

step() { printf 'lint: %s\n' "$1" >&2; }
check() { "$@" || { failed=1; printf 'lint: FAILED: %s\n' "$1" >&2; }; }

step "arrows between rooms"
check tools/arrows.sh
step "sizes of functions and files"
check tools/size.sh "${sources[@]}" "${headers[@]}"
step "clang-format"
check clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}"
step "shellcheck"
check shellcheck -S warning "${scripts[@]}"
step "cppcheck"
check cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability \
	--suppress=missingIncludeSystem -I. -Ibuild -D_GNU_SOURCE '-DVBET_PREFIX="/usr/local"' '-DVBET_VERSION="0"' -j "$(nproc)" "${sources[@]}"
step "clang builds without warnings"
check make -s -j "$(nproc)" CC=clang programs
step "clang-tidy"
# A source that was clean, with the same headers of ours, is not looked at again.
stamp=build/tidy
mkdir -p "$stamp"
tidy() { # SOURCE STAMPS FLAGS...
	read -r -a parts <<<"$("${CC:-gcc}" -MM "${@:3}" "$1" | tr -d '\\\n' | cut -d: -f2)"
	key=$(cat .clang-tidy "${parts[@]}" | sha256sum | cut -c 1-32)
	[ -e "$2/$key" ] && exit 0
	clang-tidy -quiet "$1" -- "${@:3}" 2>/dev/null && touch "$2/$key"
}
export -f tidy
printf '%s\n' "${sources[@]}" |
	xargs -P "$(nproc)" -I{} bash -c 'tidy "$@"' _ {} "$stamp" "${flags[@]}" || failed=1
exit $failed
