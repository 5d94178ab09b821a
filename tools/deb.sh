#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# deb.sh: makes the Debian packages in build/deb, and shows them to lintian. Kernel and tree are those of the cache.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd)
version=$(cat VERSION)
[ "$(dpkg-parsechangelog -S Version)" = "$version" ] || {
	echo "deb: VERSION says $version, debian/changelog says $(dpkg-parsechangelog -S Version)" >&2
	exit 1
}
VBET_CACHE=${VBET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vbet}
export VBET_CACHE

rm -rf build/deb
mkdir -p "build/deb/vbet-$version"
git ls-files -z | tar -c --null -T - | tar -x -C "build/deb/vbet-$version"
cd "build/deb/vbet-$version"
dpkg-buildpackage -b -us -uc >../build.log 2>&1 || {
	tail -n 30 ../build.log >&2
	echo "deb: dpkg-buildpackage failed (log: build/deb/build.log)" >&2
	exit 1
}
cd "$here"
rm -rf "build/deb/vbet-$version"
lintian --fail-on error,warning "build/deb/vbet_${version}_amd64.changes"
ls -l build/deb/*.deb
