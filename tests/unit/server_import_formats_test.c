/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each format refuses, and where it says the mistake is; what is hostile ends soon, and with a
 * reason. */
#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "vbet-server/import/format.h"
#include "vbet-server/import/script.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a lab without other files ---- */

static char *read_none(void *ctx, const char *path, size_t *len, struct err *e)
{
	err_set(e, ERR_ENV, "no such file");
	return NULL;
}

static int list_none(void *ctx, const char *path, struct arena *a, struct strvec *names)
{
	return -1;
}

static bool none_is_executable(void *ctx, const char *path)
{
	return false;
}

static const struct import_source no_files = {read_none, list_none, none_is_executable, NULL};

/* The script, or the message: the caller frees it. */
static char *import_text(const char *file, const char *text, size_t len, bool *ok)
{
	struct import_model m;
	struct err e = {0};
	struct script_copies copies;
	char *out = NULL;
	size_t out_len;
	const struct import_format *f = format_find(file, text, len);

	ck_assert_msg(f != NULL, "%s is of no format", file);
	*ok = format_read(f, &m, file, &no_files, text, len, &e) == 0;
	if (*ok) {
		FILE *to = open_memstream(&out, &out_len);

		script_write(to, &m, false, &copies);
		fclose(to);
	}
	model_finish(&m);
	return *ok ? out : xstrdup(e.text);
}

static void expect_error(const char *file, const char *text, const char *want)
{
	bool ok;
	char *got = import_text(file, text, strlen(text), &ok);

	ck_assert_msg(!ok && strstr(got, want), "%s: expected \"%s\", got: %s", file, want, got);
	free(got);
}

/* ---- mistakes ---- */

#define CLAB(LINKS) "topology:\n  nodes:\n    a:\n    b:\n  links:\n" LINKS

static const struct {
	const char *file, *text, *error;
} mistakes[] = {
	{"x.clab.yml", "name: x\n", "x.clab.yml:1:1: there is no 'topology:'"},
	{"x.clab.yml", "topology:\n  nodes: [a, b]\n", "x.clab.yml:2:10: the topology has no map"},
	{"x.clab.yml", "topology: {nodes: {}}\n", "there are no nodes"},
	{"x.clab.yml", "topology:\n\tnodes:\n", "x.clab.yml:2:1:"},
	{"x.clab.yml", CLAB("  - endpoints: [a, b]\n"), "x.clab.yml:6:17: expected an endpoint"},
	{"x.clab.yml", CLAB("  - endpoints: [a:eth1, c:eth1]\n"), "there is no node 'c'"},
	{"x.clab.yml", CLAB("  - endpoints: [a:eth1]\n  - endpoints: [a:eth1, b:eth1]\n"),
	 "a:eth1 is in another link"},
	{"x.clab.yml", CLAB("  - endpoints: [a:eth99, b:eth1]\n"), "at most 64 interfaces"},
	{"x.clab.yml", CLAB("  - endpoints: [a:eth1, b:eth1]\n    mtu: -1\n"),
	 "x.clab.yml:7:10: an MTU"},
	{"lab.conf", "r1[0]=A\nr1[0]=B\n", "lab.conf:2:4: this interface is in a collision domain"},
	{"lab.conf", "r1[64]=A\n", "at most 64 interfaces"},
	{"lab.conf", "r1[99999999999999999999]=A\n", "at most 64 interfaces"},
	{"lab.conf", "r1[0]=\n", "lab.conf:1:4: a collision domain has a name"},
	{"lab.conf", "r1[0]=A/zz\n", "must be the MAC"},
	{"lab.conf", "../x[0]=A\n", "lab.conf:1:1: expected NAME[NUMBER]=DOMAIN"},
	{"lab.conf", "r1\n", "lab.conf:1:3: expected '[' or '='"},
	{"lab.conf", "r1[0\n", "lab.conf:1:4: expected NAME"},
	{"lab.conf", "# nothing\n", "there are no nodes"},
};

START_TEST(mistakes_have_a_place)
{
	expect_error(mistakes[_i].file, mistakes[_i].text, mistakes[_i].error);
}
END_TEST

/* ---- hostile texts ---- */

/* '@' in the part becomes its number. */
static char *repeat(const char *before, const char *part, size_t n, const char *after)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	fputs(before, f);
	for (size_t i = 0; i < n; i++)
		for (const char *p = part; *p; p++)
			if (*p == '@')
				fprintf(f, "%zu", i);
			else
				fputc(*p, f);
	fputs(after, f);
	fclose(f);
	return out;
}

static const struct {
	const char *file, *before, *part;
	size_t n;
	const char *after, *error;
} hostile[] = {
	{"x.clab.yml", "topology: {nodes: ", "{a: ", 100000, "", "deep"},
	{"x.clab.yml", "topology: {nodes: ", "[", 100000, "", "deep"},
	{"x.clab.yml", "topology:\n  nodes:\n", "    n@:\n", 20000, "", "too large"},
	{"x.clab.yml", "topology:\n  nodes:\n    a:\n      exec: [", "x@, ", 250000, "]\n",
	 "more than 200000"},
	{"lab.conf", "", "r@[0]=A\n", 20000, "", "too large"},
	{"lab.conf", "", "r@[0]=A\n", 5000, "", "too large"},
	{"lab.conf", "", "r1[exec]=true\n", 100000, "", "too large"},
};

START_TEST(what_is_hostile_is_refused)
{
	char *text = repeat(hostile[_i].before, hostile[_i].part, hostile[_i].n, hostile[_i].after);

	expect_error(hostile[_i].file, text, hostile[_i].error);
	free(text);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t, mistakes_have_a_place, 0, (int)ARRAY_LEN(mistakes));
	tcase_add_loop_test(t, what_is_hostile_is_refused, 0, (int)ARRAY_LEN(hostile));
}

int main(void)
{
	return suite_run_case("import formats", add_tests);
}
