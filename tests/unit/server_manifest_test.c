/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program is known by what is in it: the same name everywhere, as sha256sum has it. */
#include "vbet-server/store/manifest.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/server_manifest_XXXXXX";
static struct arena arena;

static void setup(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
	arena_finish(&arena);
}

static struct manifest look(bool quick)
{
	struct manifest m = {.parts = {[MANIFEST_KERNEL].where = path,
				       [MANIFEST_INIT].where = "/nonexistent",
				       [MANIFEST_SUBSTRATE].where = path,
				       [MANIFEST_TREE].where = "/nonexistent"}};

	manifest_look(&m, &arena, quick);
	return m;
}

static const struct {
	const char *text;
	size_t times;
	const char *hex;
} files[] = {
	{"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
	{"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

START_TEST(files_are_known_by_what_is_in_them)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < files[_i].times; i++)
		fputs(files[_i].text, f);
	fclose(f);
	struct manifest m = look(false);

	ck_assert_str_eq(m.parts[MANIFEST_KERNEL].id, files[_i].hex);
	ck_assert_str_eq(m.parts[MANIFEST_SUBSTRATE].id, files[_i].hex);
	ck_assert_str_eq(m.parts[MANIFEST_INIT].id, "");
	ck_assert_uint_eq(strlen(m.parts[MANIFEST_CPU].id), 64);
	ck_assert(!manifest_is_quick(&m));
}
END_TEST

START_TEST(a_quick_look_reads_nothing)
{
	struct manifest m = look(true);

	ck_assert(manifest_is_quick(&m));
	ck_assert_int_eq(m.parts[MANIFEST_KERNEL].id[0], '~');
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_manifest");
	TCase *t = tcase_create("manifest");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, files_are_known_by_what_is_in_them, 0, (int)ARRAY_LEN(files));
	tcase_add_test(t, a_quick_look_reads_nothing);
	suite_add_tcase(s, t);
	return suite_run(s);
}
