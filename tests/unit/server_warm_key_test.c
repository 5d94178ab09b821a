/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A boot is found again only by one that comes to the same: whatever it depends on changes its key.
 */
#include "vbet-server/command/warm_key.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static void put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	free(path);
}

static void make_dir(const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	free(path);
}

static void script(const char *text)
{
	put("lab.vbet", text);
}

static const char usual[] = "a = alloc(host)\n"
			    "b = alloc(host)\n"
			    "link(a, b)\n"
			    "write(a, \"/root/x\", file(\"x\"))\n";

/* An installation without anything that could run. */
static void setup(void)
{
	static const char *const dirs[] = {"lib",
					   "lib/rootfs",
					   "lib/rootfs/debian",
					   "lib/rootfs/debian/usr",
					   "lib/rootfs/debian/usr/share",
					   "lib/rootfs/debian/usr/share/vbet"};
	static const char *const parts[] = {"linux", "vbet-init", "vbet-launch", "vsubstrate"};

	strcpy(dir, "/tmp/server_warm_key_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		make_dir(dirs[i]);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *name = xasprintf("lib/%s", parts[i]);

		put(name, "program\n");
		free(name);
	}
	put("lib/rootfs/debian/usr/share/vbet/id", "1234\n");
	put("x", "hello\n");
	script(usual);
	char *lib = xasprintf("%s/lib", dir);

	setenv("VBET_LIB", lib, 1);
	free(lib);
}

static void teardown(void)
{
	char *command = xasprintf("rm -r %s", dir);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

/* What an option of `vbet up` changes. */
struct asked {
	uint64_t seed;
	bool is_virtual;
	int64_t memory;
	const char *captures, *run;
};

static const struct asked nothing = {.seed = 1};

static int find_key(char key[WARM_KEY + 1], const struct asked *a, struct err *e)
{
	struct loaded l;
	char *file = xasprintf("%s/lab.vbet", dir);

	ck_assert_int_eq(load_script(&l, file, NULL, e), 0);
	ck_assert_uint_eq(topo_n_errors(l.script), 0);
	l.graph->seed = a->seed;
	l.graph->clock = a->is_virtual ? CLOCK_VIRTUAL : CLOCK_REAL;
	struct lab_options opt = {.plan = {.base_dir = l.dir, .memory_bytes = a->memory},
				  .captures = a->captures};
	int rc = warm_key(key, &l, &opt, a->run ? a->run : "/run/user/1/vbet/lab", e);

	load_finish(&l);
	free(file);
	return rc;
}

static char *key_of(const struct asked *a)
{
	static char key[2][WARM_KEY + 1];
	static int which;
	struct err e = {0};
	char *k = key[which ^= 1];

	ck_assert_msg(find_key(k, a, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(strlen(k), WARM_KEY);
	return k;
}

START_TEST(the_same_is_found_again)
{
	for (int i = 0; i < 2; i++) {
		const struct asked a = {.seed = 3, .is_virtual = i};

		ck_assert_str_eq(key_of(&a), key_of(&a));
	}
}
END_TEST

/* Each changes one thing. */
static const struct {
	const char *name, *text;
} changes[] = {
	{"x", "Hello\n"},
	{"lab.vbet", "a = alloc(host)\nb = alloc(host)\nlink(a, b)\n"},
	{"lab.vbet", "# another text of the same network\na = alloc(host)\nb = alloc(host)\n"
		     "link(a, b)\nwrite(a, \"/root/x\", file(\"x\"))\n"},
	{"lib/linux", "another program\n"},
	{"lib/vbet-init", "another program\n"},
	{"lib/vbet-launch", "another program\n"},
	{"lib/vsubstrate", "another program\n"},
	{"lib/rootfs/debian/usr/share/vbet/id", "1235\n"},
};

START_TEST(a_changed_file_is_another)
{
	const char *before = key_of(&nothing);

	put(changes[_i].name, changes[_i].text);
	ck_assert_str_ne(before, key_of(&nothing));
}
END_TEST

static const struct asked others[] = {
	{.seed = 2},
	{.seed = 1, .is_virtual = true},
	{.seed = 1, .memory = INT64_C(1) << 30},
	{.seed = 1, .captures = "/somewhere"},
	{.seed = 1, .run = "/run/user/1/vbet/other"},
};

START_TEST(an_option_makes_another)
{
	ck_assert_str_ne(key_of(&nothing), key_of(&others[_i]));
}
END_TEST

/* Where captures go is no matter. */
START_TEST(captures_may_be_elsewhere)
{
	const struct asked here = {.seed = 1, .captures = "/here"};
	const struct asked there = {.seed = 1, .captures = "/there"};

	ck_assert_str_eq(key_of(&here), key_of(&there));
}
END_TEST

START_TEST(a_tree_that_nobody_knows_has_no_key)
{
	char key[WARM_KEY + 1];
	struct err e = {0};

	put("lib/rootfs/debian/usr/share/vbet/id", "");
	ck_assert_int_lt(find_key(key, &nothing, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.text, "is not known"));
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_same_is_found_again);
	tcase_add_loop_test(t, a_changed_file_is_another, 0, (int)ARRAY_LEN(changes));
	tcase_add_loop_test(t, an_option_makes_another, 0, (int)ARRAY_LEN(others));
	tcase_add_test(t, captures_may_be_elsewhere);
	tcase_add_test(t, a_tree_that_nobody_knows_has_no_key);
}

int main(void)
{
	return suite_run_case("server_warm_key", add_tests);
}
