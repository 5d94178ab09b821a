/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/plan/judge_answer.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *said;
static size_t said_len;

static bool judge(const char *line, const char *text)
{
	struct arena a = {0};
	struct words w;
	struct err e;

	ck_assert_int_eq(words_split(line, strlen(line), &a, &w, &e), 0);
	free(said);
	FILE *f = xmemstream(&said, &said_len);

	bool holds = judge_answer(&w, text, f);

	fclose(f);
	arena_finish(&a);
	return holds;
}

static const char routes[] = "{\"10.0.0.0/24\": [{\"protocol\": \"ospf\", \"metric\": 20, "
			     "\"nexthops\": [{\"ip\": \"10.1.0.2\"}, {\"ip\": \"10.2.0.2\"}]}], "
			     "\"a\": {\"b.c\": {\"d\": true}}, \"n\": null}";

START_TEST(patterns)
{
	ck_assert(judge("want.op=matches want.text=^b+$", "a\nbbb\n"));
	ck_assert(!judge("want.op=matches want.text=^b+$", "abbb\n"));
	ck_assert_str_eq(said, "abbb\n");
	ck_assert(!judge("want.op=matches want.text=x", ""));
	ck_assert_str_eq(said, "nothing was printed\n");
	ck_assert(!judge("want.op=matches \"want.text=(\"", "("));
}
END_TEST

/* Names of members have dots. */
START_TEST(paths)
{
	ck_assert(judge("want.op=== want.path=10.0.0.0/24.0.protocol \"want.text=\\\"ospf\\\"\"",
			routes));
	ck_assert(judge("want.op=== want.path=a.b.c.d want.text=true", routes));
	ck_assert(judge("want.op=== want.path=10.0.0.0/24.0.nexthops.1.ip "
			"\"want.text=\\\"10.2.0.2\\\"\"",
			routes));
	ck_assert(judge("want.op=== want.path=n want.text=null", routes));
	ck_assert(!judge("want.op=== want.path=10.0.0.0/24.1.protocol want.text=1", routes));
	ck_assert_ptr_nonnull(strstr(said, "it has no 10.0.0.0/24.1.protocol"));
	ck_assert(!judge("want.op=!= want.path=a.x want.text=1", routes));
	ck_assert(judge("want.op=== want.path= want.text=5", "5"));
	ck_assert(!judge("want.op=== want.path=a want.text=5", "5"));
}
END_TEST

START_TEST(numbers)
{
	const char *metric = "want.path=10.0.0.0/24.0.metric";
	static const struct {
		const char *op;
		const char *value;
		bool holds;
	} rows[] = {{"==", "20", true},  {"==", "20.0", true}, {"!=", "20", false},
		    {"<", "20", false},  {"<=", "20", true},   {">", "19", true},
		    {">=", "21", false}, {"<", "20.5", true},  {"==", "\\\"20\\\"", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *line = xasprintf("want.op=%s %s \"want.text=%s\"", rows[i].op, metric,
				       rows[i].value);

		ck_assert_msg(judge(line, routes) == rows[i].holds, "%s", line);
		free(line);
	}
	/* What is no number is in no order. */
	ck_assert(!judge("want.op=< want.path=a want.text=5", routes));
}
END_TEST

START_TEST(subsets)
{
	ck_assert(
		judge("want.op=contains \"want.text={\\\"10.0.0.0/24\\\":[{\\\"metric\\\":20}]}\"",
		      routes));
	ck_assert(judge("want.op=contains \"want.text={\\\"10.0.0.0/24\\\":[{\\\"nexthops\\\":[{"
			"\\\"ip\\\":\\\"10.2.0.2\\\"}]}]}\"",
			routes));
	ck_assert(
		!judge("want.op=contains \"want.text={\\\"10.0.0.0/24\\\":[{\\\"metric\\\":21}]}\"",
		       routes));
	ck_assert(!judge("want.op=contains \"want.text={\\\"x\\\":{}}\"", routes));
	ck_assert(!judge("want.op=contains want.text=[1]", "[2, 3]"));
	ck_assert(judge("want.op=contains want.text=[]", "[2, 3]"));
	ck_assert(!judge("want.op=contains want.text={", "{}"));
	ck_assert_str_eq(said, "what is expected is not JSON\n");
}
END_TEST

/* A guest prints what it likes. */
START_TEST(strangers)
{
	char deep[4096];

	ck_assert(!judge("want.op=== want.path=a want.text=1", "no JSON\x1b[2J"));
	ck_assert_str_eq(said, "what was printed is not JSON\n");
	ck_assert(!judge("want.op=== want.path=a want.text=1", ""));
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	ck_assert(!judge("want.op=== want.path=0.0.0.0 want.text=1", deep));
	ck_assert(!judge("want.op=== want.path= want.text=1", "\"\\u001b[2J\""));
	ck_assert_ptr_null(strchr(said, 0x1b));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, patterns);
	tcase_add_test(tc, paths);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, subsets);
	tcase_add_test(tc, strangers);
}

int main(void)
{
	return suite_run_case("judge_answer", add);
}
