#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# cp brings a file into a node and back: its bytes, its mode, its name in a directory; errors say where.
. "${0%/*}/lib.sh"

lab_up - <<'END'
h = alloc(host)
END
printf 'one\0two\n' >small
chmod 750 small
must vbet cp small h:/root/copy
must vbet exec h -- stat -c '%a %s %U' /root/copy
assert_eq '750 8 root' "$OUT" "the file in the node"
must vbet cp h:/root/copy back
cmp small back || fail "the file has changed"
assert_eq 750 "$(stat -c %a back)" mode

# Into a directory, in both directions, and over an existing file.
must vbet exec h -- mkdir /root/dir
must vbet cp small h:/root/dir/
must vbet exec h -- test -f /root/dir/small
mkdir here
must vbet cp h:/root/copy here
cmp small here/copy || fail "not in the directory"
echo longer than before >small
must vbet cp small h:/root/copy
must vbet exec h -- cat /root/copy
assert_eq 'longer than before' "$OUT" "the file written over"
must vbet cp h:/root/copy back
cmp small back || fail "the file was not written over"
: >empty
must vbet cp empty h:/root/empty
must vbet cp h:/root/empty empty2
[ -f empty2 ] && [ ! -s empty2 ] || fail "an empty file is not one any more"

# A failure is one, says what, and leaves what was there.
must_fail vbet cp h:/no/such/file back
out_has '/no/such/file'
cmp small back || fail "a failed copy has destroyed the file"
must_fail vbet cp no-such-file h:/root/x
out_has 'no-such-file'
must_fail vbet cp small h:/no/such/dir/x
must_status 2 vbet cp small copy
must_status 2 vbet cp h:/a h:/b
must_status 2 vbet cp small nobody:/x
out_has 'nobody'
assert_eq '' "$(find . -name 'back.*')" "temporary files"
