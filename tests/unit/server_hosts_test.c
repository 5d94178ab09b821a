/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/hosts.h"

#include "lib/agent_wire.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void done(char **messages)
{
	for (size_t i = 0; messages[i]; i++)
		free(messages[i]);
	free(messages);
}

/* want NULL: nothing is to be told. */
static void tells(const char *before, const char *after, const char *want)
{
	char **m = hosts_diff(before, after);

	if (want)
		ck_assert_str_eq(m[0], want);
	ck_assert_ptr_null(m[want ? 1 : 0]);
	done(m);
}

START_TEST(only_names_are_told_that_changed)
{
	tells("", "", NULL);
	tells("hostname a\nhost b 10.0.0.2\n", "hostname a2\nhost b 10.0.0.2\nnic eth0\n", NULL);
	tells("host b 10.0.0.2\n", "host c 10.0.0.3\nhost b 10.0.0.2\nhost c fd00::3\n",
	      "hosts \"+10.0.0.3 c\" \"+fd00::3 c\"");
	tells("host b 10.0.0.2\nhost c 10.0.0.3\n", "host b 10.0.0.9\nhost c 10.0.0.3\n",
	      "hosts \"-10.0.0.2 b\" \"+10.0.0.9 b\"");
	tells("host b 10.0.0.2\n", "hostname a\n", "hosts \"-10.0.0.2 b\"");
}
END_TEST

START_TEST(a_file_of_the_script_is_left_alone)
{
	tells("host b 10.0.0.2\n", "host c 10.0.0.3\nfile /etc/hosts mode=0644 owner=0:0 x\n",
	      NULL);
}
END_TEST

START_TEST(many_names_are_told_in_messages_that_fit)
{
	enum { NAMES = 6000 };
	char *after = NULL;
	size_t len;
	FILE *f = open_memstream(&after, &len);
	size_t lines = 0;

	for (int i = 0; i < NAMES; i++)
		fprintf(f, "host node%d 10.%d.%d.1\n", i, i / 256, i % 256);
	fclose(f);
	char **m = hosts_diff("hostname a\n", after);

	for (size_t i = 0; m[i]; i++) {
		struct arena a = {0};
		struct words w;

		ck_assert_uint_le(strlen(m[i]), WIRE_PAYLOAD_MAX);
		ck_assert_int_eq(words_split(m[i], strlen(m[i]), &a, &w, NULL), 0);
		ck_assert_str_eq(w.at[0], "hosts");
		lines += w.n - 1;
		arena_finish(&a);
	}
	ck_assert_uint_eq(lines, NAMES);
	ck_assert_ptr_nonnull(m[1]);
	done(m);
	free(after);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_hosts");
	TCase *t = tcase_create("hosts");

	tcase_add_test(t, only_names_are_told_that_changed);
	tcase_add_test(t, a_file_of_the_script_is_left_alone);
	tcase_add_test(t, many_names_are_told_in_messages_that_fit);
	suite_add_tcase(s, t);
	return suite_run(s);
}
