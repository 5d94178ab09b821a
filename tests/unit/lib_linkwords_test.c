/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/linkspec.h"

#include "lib/arena.h"
#include "lib/linksched.h"
#include "lib/words.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static void teardown(void)
{
	arena_finish(&arena);
}

static char *print(const struct linkspec *s, const char *prefix)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	linkspec_print(f, s, prefix);
	fclose(f);
	char *copy = arena_strdup(&arena, text);

	free(text);
	return copy;
}

/* Each value as it is written, and as it is printed. */
static const struct {
	const char *key, *value, *printed;
} good[] = {
	{"rate", "10Mbit", "10Mbit"},
	{"rate", "1.25Mbps", "10Mbit"},
	{"burst", "32k", "32k"},
	{"delay", "20ms", "20ms"},
	{"jitter", "1500us", "1500us"},
	{"distribution", "paretonormal", "paretonormal"},
	{"distribution", "uniform", ""},
	{"table", "/tmp/a b.dist", "/tmp/a b.dist"},
	{"table", "none", ""},
	{"delay_correlation", "25%", "25%"},
	{"order", "keep", "keep"},
	{"loss", "0.1%", "0.1%"},
	{"gemodel", "1%", "1%,99%,100%,0%"},
	{"gemodel", "1%,10%", "1%,10%,100%,0%"},
	{"gemodel", "1% 10% 70% 0.1%", "1%,10%,70%,0.1%"},
	{"gemodel", "0", ""},
	{"loss_every", "7", "7"},
	{"gap", "5", "5"},
	{"limit", "100", "100"},
	{"limit_bytes", "64k", "64k"},
	{"aqm", "codel", "codel"},
	{"ecn", "on", "on"},
	{"ecn", "off", ""},
	{"red_weight", "9", "9"},
	{"codel_target", "5ms", "5ms"},
	{"mtu", "1500", "1500"},
	{"schedule", "rate ramp 10Mbit 1Mbit 60s", "rate ramp 10Mbit 1Mbit 60s"},
};

START_TEST(what_is_set_is_printed)
{
	struct linkspec s = {0};
	struct err e = {0};
	int status = linkspec_set(&s, good[_i].key, good[_i].value, &e);

	ck_assert_msg(status == 0, "%s", e.text);
	const char *text = print(&s, "ab.");

	if (!*good[_i].printed) {
		ck_assert_str_eq(text, "");
		return;
	}
	struct words w;
	char *key = arena_printf(&arena, "ab.%s", good[_i].key);

	ck_assert_int_eq(words_split(text, strlen(text), &arena, &w, &e), 0);
	ck_assert_uint_eq(w.n, 1);
	ck_assert_str_eq(words_get(&w, key), good[_i].printed);
}
END_TEST

static const struct {
	const char *key, *value, *says;
} bad[] = {
	{"rat", "1Mbit", "did you mean 'rate'"},
	{"rate", "10", "a rate such as"},
	{"loss", "101%", "more than 100%"},
	{"delay", "2h", "out of range"},
	{"distribution", "norml", "did you mean 'normal'"},
	{"distribution", "x", "uniform normal pareto paretonormal"},
	{"gemodel", "1%,2%,3%,4%,5%", "at most 4"},
	{"gemodel", "", "wants shares"},
	{"schedule", "rate up 1Mbit", "not ramp, square, walk or trace"},
	{"schedule", "rate ramp 1Mbit 2Mbit", "FROM TO TIME"},
	{"schedule", "rate ramp 1Mbit 2ms 1s", "a rate such as"},
	{"schedule", "burst ramp 1 2 1s", "no parameter that changes"},
	{"schedule", "loss walk 5% 1% 1% 1s", "lower end"},
	{"schedule", "delay square 1ms 2ms 1us", "shorter than 1ms"},
	{"schedule", "rate", "expected KEY SHAPE"},
};

START_TEST(what_makes_no_sense_is_refused)
{
	struct linkspec s = {0};
	struct linkspec before = {0};
	struct err e = {0};

	ck_assert_int_eq(linkspec_set(&s, bad[_i].key, bad[_i].value, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_msg(strstr(e.text, bad[_i].says), "%s", e.text);
	ck_assert(linkspec_equal(&s, &before));
}
END_TEST

/* Everything at once, out and in again. */
START_TEST(a_full_link_survives_the_round_trip)
{
	struct linkspec a = {0};
	struct linkspec b = {0};
	struct words w;
	struct err e = {0};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		linkspec_set(&a, good[i].key, good[i].value, &e);
	linkspec_set(&a, "gemodel", "1%,20%", &e);
	linkspec_set(&a, "table", "/a \"b\"", &e);
	const char *text = print(&a, "");

	ck_assert_int_eq(words_split(text, strlen(text), &arena, &w, &e), 0);
	for (size_t i = 0; i < w.n; i++) {
		char *eq = strchr(w.at[i], '=');

		*eq = '\0';
		ck_assert_msg(linkspec_set(&b, w.at[i], eq + 1, &e) == 0, "%s", e.text);
	}
	ck_assert(linkspec_equal(&a, &b));
	b.gemodel.r_ppm++;
	ck_assert(!linkspec_equal(&a, &b));
}
END_TEST

START_TEST(numbers_of_a_script_are_checked_by_unit)
{
	struct linkspec s = {0};
	struct err e = {0};

	ck_assert_int_eq(linkspec_set_number(&s, "delay", UNIT_TIME, 5000000, &e), 0);
	ck_assert_int_eq(s.delay_ns, 5000000);
	ck_assert_int_eq(linkspec_set_number(&s, "mtu", UNIT_COUNT, 1500, &e), 0);
	ck_assert_int_eq(linkspec_set_number(&s, "loss", UNIT_COUNT, 0, &e), 0);
	ck_assert_int_eq(linkspec_set_number(&s, "loss", UNIT_COUNT, 1, &e), -1);
	ck_assert_int_eq(linkspec_set_number(&s, "delay", UNIT_RATE, 5, &e), -1);
	ck_assert_int_eq(linkspec_set_number(&s, "aqm", UNIT_COUNT, 1, &e), -1);
	ck_assert_int_eq(linkspec_set_number(&s, "schedule", UNIT_COUNT, 1, &e), -1);
	ck_assert_int_eq(linkspec_set_number(&s, "delay", UNIT_TIME, -1, &e), -1);
}
END_TEST

START_TEST(every_key_has_a_name_and_a_help)
{
	const char *help;
	size_t n = 0;

	for (const char *k; (k = linkspec_key(n, &help)); n++) {
		ck_assert(linkspec_has_key(k));
		ck_assert_uint_gt(strlen(help), 0);
	}
	ck_assert_uint_gt(n, 25);
	ck_assert_str_eq(linkspec_key_word("aqm", 2), "codel");
	ck_assert_ptr_null(linkspec_key_word("aqm", 3));
	ck_assert_ptr_null(linkspec_key_word("aqm", 4));
	ck_assert_ptr_null(linkspec_key_word("rate", 0));
}
END_TEST

START_TEST(a_schedule_is_read)
{
	struct linksched s;
	struct err e = {0};

	ck_assert_int_eq(
		linkspec_parse_schedule(&s,
					" rate ramp 10Mbit 1Mbit 60s repeat ;; "
					"loss square 0 5% 10s 20%;delay walk 1ms 9ms 1ms 1s;"
					"rate trace /x/y repeat",
					&e),
		0);
	ck_assert_uint_eq(s.n, 4);
	ck_assert_str_eq(s.item[0].key, "rate");
	ck_assert_int_eq(s.item[0].from, 10000000);
	ck_assert_int_eq(s.item[0].to, 1000000);
	ck_assert_int_eq(s.item[0].time_ns, INT64_C(60000000000));
	ck_assert(s.item[0].repeat);
	ck_assert_int_eq(s.item[1].duty_ppm, 200000);
	ck_assert_int_eq(s.item[2].step, 1000000);
	ck_assert_str_eq(s.item[3].path, "/x/y");
	ck_assert(s.item[3].repeat);
	ck_assert_int_eq(linkspec_parse_schedule(&s, "", &e), 0);
	ck_assert_uint_eq(s.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("linkwords");
	TCase *tc = tcase_create("linkwords");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, what_is_set_is_printed, 0, sizeof(good) / sizeof(*good));
	tcase_add_loop_test(tc, what_makes_no_sense_is_refused, 0, sizeof(bad) / sizeof(*bad));
	tcase_add_test(tc, a_full_link_survives_the_round_trip);
	tcase_add_test(tc, numbers_of_a_script_are_checked_by_unit);
	tcase_add_test(tc, every_key_has_a_name_and_a_help);
	tcase_add_test(tc, a_schedule_is_read);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
