/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a program needs to be started: all that its loader opens is found, and nothing runs. */
#include "tests/support/suite.h"
#include "vnet/mux/needs.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct needs_file *find(const struct needs *n, const char *part)
{
	for (size_t i = 0; i < n->files.n; i++)
		if (strstr(n->files.at[i].path, part))
			return &n->files.at[i];
	return NULL;
}

static char *own_path(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	ck_assert_int_gt(n, 0);
	path[n] = '\0';
	return path;
}

START_TEST(all_that_is_mapped_is_found)
{
	struct needs n;
	struct err e;
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4200];
	size_t seen = 0;

	ck_assert_msg(needs_find(&n, own_path(), &e) == 0, "%s", e.text);
	ck_assert_str_eq(n.files.at[0].path, own_path());
	while (fgets(line, sizeof(line), maps)) {
		char *path = strchr(line, '/');
		bool known = !path;

		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < n.files.n && !known; i++)
			known = !strcmp(n.files.at[i].real, path);
		ck_assert_msg(known, "%s is mapped", path);
		seen += path != NULL;
	}
	fclose(maps);
	ck_assert_uint_gt(seen, 10);
	needs_finish(&n);
}
END_TEST

START_TEST(only_the_program_and_its_loader_are_executed)
{
	struct needs n;
	struct err e;

	ck_assert_int_eq(needs_find(&n, own_path(), &e), 0);
	ck_assert(find(&n, "needs_test")->run);
	ck_assert(find(&n, "ld-linux")->run);
	ck_assert(!find(&n, "libc.so")->run);
	ck_assert(!find(&n, "/etc/ld.so.cache")->run);
	needs_finish(&n);
}
END_TEST

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

START_TEST(a_script_is_refused)
{
	static const char *const texts[] = {"#!/bin/sh\n", "\177ELF", "x"};
	char path[] = "/tmp/vnet-needs.XXXXXX";
	struct needs n;
	struct err e;

	close(mkstemp(path));
	chmod(path, 0700);
	write_file(path, texts[_i]);
	ck_assert_int_eq(needs_find(&n, path, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "not a script"));
	needs_finish(&n);
	unlink(path);
	ck_assert_int_eq(needs_find(&n, path, &e), -1);
	needs_finish(&n);
}
END_TEST

struct cache {
	char magic[20];
	uint32_t n, rest[6];
	uint32_t entries[2][6];
	char strings[64];
};

static void note(void *ctx, const char *path)
{
	snprintf((char *)ctx + strlen(ctx), 64, "%s;", path);
}

START_TEST(a_cache_that_lies_is_survived)
{
	struct cache c = {.n = 2, .strings = "liba.so\0/lib/liba.so\0/lib/fast/liba.so"};
	uint32_t at = offsetof(struct cache, strings);
	char found[200] = "";

	memcpy(c.magic, "glibc-ld.so.cache1.1", 20);
	c.entries[0][1] = c.entries[1][1] = at;
	c.entries[0][2] = at + 8;
	c.entries[1][2] = at + 21;
	needs_look_up((char *)&c, sizeof(c), "liba.so", note, found);
	ck_assert_str_eq(found, "/lib/liba.so;/lib/fast/liba.so;");
	found[0] = '\0';
	needs_look_up((char *)&c, sizeof(c), "libb.so", note, found);
	c.entries[0][1] = UINT32_MAX;
	c.entries[1][2] = sizeof(c);
	c.n = UINT32_MAX;
	needs_look_up((char *)&c, sizeof(c), "liba.so", note, found);
	for (size_t len = 0; len < at; len++)
		needs_look_up((char *)&c, len, "liba.so", note, found);
	ck_assert_str_eq(found, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vnet needs");
	TCase *tc = tcase_create("needs");

	tcase_add_test(tc, all_that_is_mapped_is_found);
	tcase_add_test(tc, only_the_program_and_its_loader_are_executed);
	tcase_add_loop_test(tc, a_script_is_refused, 0, 3);
	tcase_add_test(tc, a_cache_that_lies_is_survived);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
