/* SPDX-License-Identifier: GPL-3.0-or-later */
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

static int split(const char *line, struct words *w, struct err *e)
{
	return words_split(line, strlen(line), &arena, w, e);
}

START_TEST(words_are_split_at_blanks)
{
	struct words w;
	struct err e;

	ck_assert_int_eq(split("  link a\t b  ", &w, &e), 0);
	ck_assert_uint_eq(w.n, 3);
	ck_assert_str_eq(w.at[0], "link");
	ck_assert_str_eq(w.at[1], "a");
	ck_assert_str_eq(w.at[2], "b");
	ck_assert_ptr_null(w.at[3]);
}
END_TEST

START_TEST(an_empty_line_has_no_words)
{
	struct words w;
	struct err e;

	ck_assert_int_eq(split("   ", &w, &e), 0);
	ck_assert_uint_eq(w.n, 0);
	ck_assert_ptr_null(w.at[0]);
}
END_TEST

START_TEST(quotes_hold_blanks_and_escapes)
{
	struct words w;
	struct err e;

	ck_assert_int_eq(split("text=\"a b\" \"\" \"\\\"\\\\\\n\\x41\"", &w, &e), 0);
	ck_assert_uint_eq(w.n, 3);
	ck_assert_str_eq(w.at[0], "text=a b");
	ck_assert_str_eq(w.at[1], "");
	ck_assert_str_eq(w.at[2], "\"\\\nA");
	ck_assert_str_eq(words_get(&w, "text"), "a b");
	ck_assert_ptr_null(words_get(&w, "tex"));
}
END_TEST

static const char *const bad_lines[] = {
	"\"open", "\"\\", "\"\\q\"", "\"\\x4\"", "\"\\xzz\"", "\"\\x00\"",
};

START_TEST(bad_quotes_are_refused)
{
	struct words w;
	struct err e = {0};

	ck_assert_int_eq(split(bad_lines[_i], &w, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(e.text, "quote"));
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	struct words w;
	struct err e;

	ck_assert_int_eq(words_split("a\0b", 3, &arena, &w, &e), -1);
}
END_TEST

START_TEST(every_byte_survives_the_round_trip)
{
	char word[256];
	char *words[1] = {word};
	char *text = NULL;
	size_t len = 0;
	struct words w;
	struct err e;

	for (int i = 1; i < 256; i++)
		word[i - 1] = (char)i;
	word[255] = '\0';
	FILE *f = open_memstream(&text, &len);

	words_put_line(f, words, 1);
	fclose(f);
	ck_assert_int_eq(text[len - 1], '\n');
	ck_assert_ptr_null(memchr(text, '\n', len - 1));
	ck_assert_int_eq(words_split(text, len - 1, &arena, &w, &e), 0);
	ck_assert_uint_eq(w.n, 1);
	ck_assert_str_eq(w.at[0], word);
	free(text);
}
END_TEST

/* A line comes from a guest, perhaps: it must not cost more memory than it has bytes. */
START_TEST(words_take_no_more_room_than_their_line)
{
	enum { WORDS = 32768 };
	char *line = malloc(2 * WORDS);
	struct words w;
	struct err e;

	for (size_t i = 0; i < WORDS; i++)
		line[2 * i] = 'x', line[2 * i + 1] = ' ';
	ck_assert_int_eq(words_split(line, 2 * WORDS - 1, &arena, &w, &e), 0);
	ck_assert_uint_eq(w.n, WORDS);
	for (size_t i = 0; i < WORDS; i++) {
		ck_assert_str_eq(w.at[i], "x");
		ck_assert(w.at[i] >= w.at[0] && w.at[i] <= w.at[0] + 2 * WORDS);
	}
	ck_assert_ptr_null(w.at[WORDS]);
	free(line);
}
END_TEST

START_TEST(quoting_is_only_done_when_needed)
{
	ck_assert_str_eq(words_quote(&arena, "plain"), "plain");
	ck_assert_str_eq(words_quote(&arena, ""), "\"\"");
	ck_assert_str_eq(words_quote(&arena, "a b"), "\"a b\"");
	ck_assert_str_eq(words_quote(&arena, "a\nb"), "\"a\\nb\"");
}
END_TEST

/* A line costs what it is long, however many words it has. */
START_TEST(memory_is_bounded_by_the_line)
{
	enum { LEN = 65536 };
	char *line = malloc(LEN);
	struct words w;
	struct err e;

	for (size_t i = 0; i < LEN; i++)
		line[i] = i % 2 ? ' ' : 'x';
	ck_assert_int_eq(words_split(line, LEN, &arena, &w, &e), 0);
	ck_assert_uint_eq(w.n, LEN / 2);
	ck_assert_str_eq(w.at[LEN / 2 - 1], "x");
	ck_assert_uint_lt(arena_size(&arena), LEN * 10 + 65536);
	free(line);
}
END_TEST

START_TEST(too_many_words_are_refused)
{
	struct words w;
	struct err e = {0};
	char *line = malloc(2 * WORDS_MAX + 2);

	ck_assert_int_eq(words_split_few("a b c", 5, 3, &arena, &w, &e), 0);
	ck_assert_int_eq(words_split_few("a b c d", 7, 3, &arena, &w, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "more than 3 words"));
	for (size_t i = 0; i < 2 * WORDS_MAX + 2; i++)
		line[i] = i % 2 ? ' ' : 'x';
	ck_assert_int_eq(words_split(line, 2 * WORDS_MAX, &arena, &w, &e), 0);
	ck_assert_int_eq(words_split(line, 2 * WORDS_MAX + 2, &arena, &w, &e), -1);
	free(line);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("words");
	TCase *tc = tcase_create("words");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, words_are_split_at_blanks);
	tcase_add_test(tc, an_empty_line_has_no_words);
	tcase_add_test(tc, quotes_hold_blanks_and_escapes);
	tcase_add_loop_test(tc, bad_quotes_are_refused, 0, sizeof(bad_lines) / sizeof(*bad_lines));
	tcase_add_test(tc, a_nul_byte_is_refused);
	tcase_add_test(tc, every_byte_survives_the_round_trip);
	tcase_add_test(tc, words_take_no_more_room_than_their_line);
	tcase_add_test(tc, quoting_is_only_done_when_needed);
	tcase_add_test(tc, memory_is_bounded_by_the_line);
	tcase_add_test(tc, too_many_words_are_refused);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
