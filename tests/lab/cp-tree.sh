#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# cp takes trees along, in both directions: names, modes, links, empty directories.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
mkdir -p "tree/a b/c" tree/empty
echo x >"tree/a b/c/x"
echo y >tree/.hidden
printf '#!/bin/sh\necho run\n' >tree/script
chmod 755 tree/script
chmod 640 tree/.hidden
ln -s "a b/c/x" tree/link
listing() { (cd "$1" && find . -printf '%P %y %m %l\n' | sort); }

must vbet cp tree h:/srv
must vbet exec h -- /srv/tree/script
assert_eq run "$OUT" "the script's output"
must vbet exec h -- cat /srv/tree/link
assert_eq x "$OUT" "what the link leads to"
mkdir back
must vbet cp h:/srv/tree back
listing tree >want
listing back/tree >got
diff want got >&2 || fail "the tree that came back is another"
diff -r tree back/tree >&2 || fail "its files are others"

must_fail vbet cp tree h:/no/such/place
must_fail vbet cp h:/srv/tree /no/such/place
