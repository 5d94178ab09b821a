/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/store/sources.h"

#include "tests/support/suite.h"
#include "vbet-server/store/paths.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/vbet-unit-XXXXXX";
static char path[64], kept[64];

static void setup(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a file", dir);
	snprintf(kept, sizeof(kept), "%s/kept", dir);
	FILE *f = fopen(path, "w");

	fputs("one\n", f);
	fclose(f);
}

static void teardown(void)
{
	paths_remove_tree(dir);
}

static void check_read(struct sources *s, const char *want)
{
	struct err e = {0};
	size_t len = 0;
	char *text = sources_read(s, path, &len, &e);

	ck_assert_msg(text != NULL, "%s", e.text);
	ck_assert_str_eq(text, want);
	ck_assert_uint_eq(len, strlen(want));
	free(text);
}

/* What was read once stays as it was, on disk and in another process. */
START_TEST(test_kept)
{
	struct sources s = {0};
	struct sources again = {0};
	struct sources copy = {0};
	struct err e = {0};
	size_t len;

	ck_assert(!sources_have(&s, path));
	check_read(&s, "one\n");
	ck_assert_int_eq(sources_write(&s, kept, &e), 0);
	ck_assert_int_eq(truncate(path, 0), 0);
	check_read(&s, "one\n");
	/* One more, later. */
	char *other = sources_read(&s, "/proc/sys/kernel/ostype", &len, &e);

	free(other);
	ck_assert_int_eq(sources_write(&s, kept, &e), 0);
	unlink(path);
	ck_assert_int_eq(sources_load(&again, kept, &e), 0);
	ck_assert_uint_eq(again.files.n, 2);
	ck_assert(sources_have(&again, path));
	check_read(&again, "one\n");
	sources_copy(&copy, &again);
	sources_finish(&again);
	check_read(&copy, "one\n");
	/* And nothing else is there. */
	ck_assert_ptr_null(sources_read(&copy, "/proc/version", &len, &e));
	ck_assert(strstr(e.text, "does not have it"));
	sources_finish(&copy);
	sources_finish(&s);
}
END_TEST

START_TEST(test_missing)
{
	struct sources s = {0};
	struct err e = {0};
	size_t len;

	ck_assert_ptr_null(sources_read(&s, "/nowhere", &len, &e));
	ck_assert_int_eq(sources_load(&s, "/nowhere", &e), -1);
	sources_finish(&s);
}
END_TEST

/* An index that names something beside its directory. */
START_TEST(test_outside)
{
	struct sources s = {0};
	struct err e = {0};

	ck_assert_int_eq(sources_write(&s, kept, &e), 0);
	char *index = xasprintf("%s/index", kept);
	FILE *f = fopen(index, "w");

	fputs("../a\\ file x\n", f);
	fclose(f);
	ck_assert_int_eq(sources_load(&s, kept, &e), -1);
	free(index);
	sources_finish(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_sources");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_kept);
	tcase_add_test(t, test_missing);
	tcase_add_test(t, test_outside);
	suite_add_tcase(s, t);
	return suite_run(s);
}
