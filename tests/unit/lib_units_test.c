/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/units.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum unit_kind kind;
	const char *text;
	int64_t value;
	const char *printed;
} good[] = {
	{UNIT_COUNT, "0", 0, "0"},
	{UNIT_COUNT, "42", 42, "42"},
	{UNIT_COUNT, "9223372036854775807", INT64_MAX, "9223372036854775807"},
	{UNIT_RATE, "10Mbit", 10000000, "10Mbit"},
	{UNIT_RATE, "10mbit", 10000000, "10Mbit"},
	{UNIT_RATE, "1.5Gbit", 1500000000, "1500Mbit"},
	{UNIT_RATE, "64kbit", 64000, "64kbit"},
	{UNIT_RATE, "1kbps", 8000, "8kbit"},
	{UNIT_RATE, "2Tbit", INT64_C(2000000000000), "2Tbit"},
	{UNIT_RATE, "0", 0, "0bit"},
	{UNIT_TIME, "5ms", 5000000, "5ms"},
	{UNIT_TIME, "1.5ms", 1500000, "1500us"},
	{UNIT_TIME, ".5s", 500000000, "500ms"},
	{UNIT_TIME, "2min", INT64_C(120000000000), "2min"},
	{UNIT_TIME, "90s", INT64_C(90000000000), "90s"},
	{UNIT_TIME, "1h", INT64_C(3600000000000), "1h"},
	{UNIT_TIME, "7nsec", 7, "7ns"},
	{UNIT_SIZE, "64M", 67108864, "64M"},
	{UNIT_SIZE, "64m", 67108864, "64M"},
	{UNIT_SIZE, "1500", 1500, "1500"},
	{UNIT_SIZE, "1kb", 1024, "1k"},
	{UNIT_SIZE, "0.5GiB", 536870912, "512M"},
	{UNIT_PPM, "1%", 10000, "1%"},
	{UNIT_PPM, "0.01", 10000, "1%"},
	{UNIT_PPM, "0.0001%", 1, "0.0001%"},
	{UNIT_PPM, "100%", 1000000, "100%"},
	{UNIT_PPM, "1", 1000000, "100%"},
	{UNIT_PPM, "12ppm", 12, "0.0012%"},
	{UNIT_PPM, "0", 0, "0%"},
};

START_TEST(good_text_is_exact_and_printed_in_its_shortest_form)
{
	int64_t v = -1;
	char buf[64];
	struct err e = {0};

	ck_assert_msg(unit_parse(good[_i].kind, good[_i].text, &v, &e) == 0, "%s", e.text);
	ck_assert_int_eq(v, good[_i].value);
	ck_assert_str_eq(unit_format(good[_i].kind, v, buf, sizeof(buf)), good[_i].printed);
	int64_t again = -1;

	ck_assert_int_eq(unit_parse(good[_i].kind, buf, &again, &e), 0);
	ck_assert_int_eq(again, v);
}
END_TEST

static const struct {
	enum unit_kind kind;
	const char *text;
} bad[] = {
	{UNIT_COUNT, ""},      {UNIT_COUNT, "x"},      {UNIT_COUNT, "5x"},
	{UNIT_COUNT, "-5"},    {UNIT_COUNT, " 5"},     {UNIT_COUNT, "9223372036854775808"},
	{UNIT_COUNT, "1.5"},   {UNIT_RATE, "10"},      {UNIT_RATE, "10ms"},
	{UNIT_RATE, "0.1bit"}, {UNIT_RATE, "bit"},     {UNIT_RATE, "99999999999999Tbit"},
	{UNIT_TIME, "5"},      {UNIT_TIME, "5M"},      {UNIT_TIME, "1.5ns"},
	{UNIT_TIME, "."},      {UNIT_TIME, "."},       {UNIT_SIZE, "64Q"},
	{UNIT_SIZE, "0.3"},    {UNIT_PPM, "101%"},     {UNIT_PPM, "1.1"},
	{UNIT_PPM, "2ms"},     {UNIT_PPM, "0.00001%"}, {UNIT_TIME, "0.00000000000001s"},
};

START_TEST(bad_text_is_refused_with_a_reason)
{
	int64_t v = 7;
	struct err e = {0};

	ck_assert_msg(unit_parse(bad[_i].kind, bad[_i].text, &v, &e) == -1, "'%s'", bad[_i].text);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_ptr_nonnull(strchr(e.text, '\''));
	ck_assert_int_eq(v, 7);
}
END_TEST

START_TEST(a_suffix_tells_its_kind)
{
	int64_t scale = 0;

	ck_assert_int_eq(unit_of_suffix("ms", 2, &scale), UNIT_TIME);
	ck_assert_int_eq(scale, 1000000);
	ck_assert_int_eq(unit_of_suffix("Mbit", 4, &scale), UNIT_RATE);
	ck_assert_int_eq(unit_of_suffix("M", 1, &scale), UNIT_SIZE);
	ck_assert_int_eq(unit_of_suffix("%", 1, &scale), UNIT_PPM);
	ck_assert_int_eq(unit_of_suffix("mss", 2, &scale), UNIT_TIME);
	ck_assert_int_eq(unit_of_suffix("", 0, &scale), -1);
	ck_assert_int_eq(unit_of_suffix("xyz", 3, &scale), -1);
}
END_TEST

START_TEST(rates_of_a_table_have_one_unit)
{
	char buf[32];

	ck_assert_str_eq(unit_format_mbit(10000000, buf, sizeof(buf)), "10.000Mbit");
	ck_assert_str_eq(unit_format_mbit(64000, buf, sizeof(buf)), "0.064Mbit");
	ck_assert_str_eq(unit_format_mbit(3333333, buf, sizeof(buf)), "3.333Mbit");
	ck_assert_str_eq(unit_format_mbit(1999999, buf, sizeof(buf)), "2.000Mbit");
	ck_assert_str_eq(unit_format_mbit(100000000000, buf, sizeof(buf)), "100000.000Mbit");
	ck_assert_str_eq(unit_format_mbit(0, buf, sizeof(buf)), "0.000Mbit");
	ck_assert_str_eq(unit_format_mbit(INT64_MAX, buf, sizeof(buf)), "9223372036854.776Mbit");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("units");
	TCase *tc = tcase_create("units");

	tcase_add_loop_test(tc, good_text_is_exact_and_printed_in_its_shortest_form, 0,
			    (int)ARRAY_LEN(good));
	tcase_add_loop_test(tc, bad_text_is_refused_with_a_reason, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(tc, a_suffix_tells_its_kind);
	tcase_add_test(tc, rates_of_a_table_have_one_unit);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
