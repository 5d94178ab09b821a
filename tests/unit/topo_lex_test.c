/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "topo/lex.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "topo/ast.h"
#include "topo/parse.tab.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct lexed {
	struct arena arena;
	struct diag diag;
	struct source *src;
	struct tokens tokens;
};

static struct token *lex(struct lexed *l, const char *text, size_t len)
{
	memset(l, 0, sizeof(*l));
	l->src = source_create("test", "", text, len);
	lex_run(&l->arena, &l->diag, l->src, &l->tokens);
	return l->tokens.list.at;
}

static void finish(struct lexed *l)
{
	vec_free(&l->tokens.list);
	diag_clear(&l->diag);
	source_destroy(l->src);
	arena_finish(&l->arena);
}

static const struct {
	const char *text;
	int kinds[12];
} cases[] = {
	{"", {END_OF_FILE}},
	{"# only a comment", {END_OF_FILE}},
	{"a=1..5", {NAME, '=', NUMBER, DOTS, NUMBER, END_OF_FILE}},
	{"1...", {NUMBER, ELLIPSIS, END_OF_FILE}},
	{"5%2 5% 5 % 2", {NUMBER, '%', NUMBER, NUMBER, NUMBER, '%', NUMBER, END_OF_FILE}},
	{"10.0.0.1/24/2", {ADDRESS, '/', NUMBER, END_OF_FILE}},
	{"fd00::1 ::1 ::/0 a b", {ADDRESS, ADDRESS, ADDRESS, NAME, NAME, END_OF_FILE}},
	{"02:00:00:00:00:01", {ADDRESS, END_OF_FILE}},
	{"\"a\" \"b${c}d${1}\"",
	 {STRING, TEXT_OPEN, NAME, TEXT_MIDDLE, NUMBER, TEXT_CLOSE, END_OF_FILE}},
	{"\"${\"${x}\"}\"", {TEXT_OPEN, TEXT_OPEN, NAME, TEXT_CLOSE, TEXT_CLOSE, END_OF_FILE}},
	{"for in iff", {KW_FOR, KW_IN, NAME, END_OF_FILE}},
	{"<= << <", {LE, '<', '<', '<', END_OF_FILE}},
	{"f(<<A, 1)\nx\nA\nb", {NAME, '(', STRING, ',', NUMBER, ')', NAME, END_OF_FILE}},
	{"f(<<A\nx\n\tA)\nc", {NAME, '(', STRING, ')', NAME, END_OF_FILE}},
	{"<<$A\n$x ${y} {\nA", {TEXT_OPEN, NAME, TEXT_CLOSE, END_OF_FILE}},
	{"a//b\nc", {NAME, NAME, END_OF_FILE}},
};

START_TEST(kinds_of_tokens)
{
	struct lexed l;
	const struct token *t = lex(&l, cases[_i].text, strlen(cases[_i].text));

	ck_assert_uint_eq(l.diag.items.n, 0);
	for (size_t i = 0;; i++) {
		ck_assert_int_eq(t[i].kind, cases[_i].kinds[i]);
		if (t[i].kind == END_OF_FILE)
			break;
	}
	finish(&l);
}
END_TEST

static const struct {
	const char *text, *value;
} texts[] = {
	{"\"\\n\\t\\\"\\\\\\$\\x41\"", "\n\t\"\\$A"},
	{"<<E\none\n  two\nE\n", "one\n  two\n"},
	{"<<-E\n\t\tone\n\t\t\ttwo\n\n\tE\n", "one\n\ttwo\n\n"},
	{"<<E\r\none\r\ntwo\r\nE\r\n", "one\ntwo\n"},
	{"<<E\nE\n", ""},
	{"<<E\nEnd\nE E\nE", "End\nE E\n"},
	{"<<E\na ${b} $c\nE", "a ${b} $c\n"},
};

START_TEST(texts_of_strings)
{
	struct lexed l;
	const struct token *t = lex(&l, texts[_i].text, strlen(texts[_i].text));

	ck_assert_uint_eq(l.diag.items.n, 0);
	ck_assert_int_eq(t[0].kind, STRING);
	ck_assert_str_eq(t[0].value.text, texts[_i].value);
	ck_assert_uint_eq(t[0].value.len, strlen(texts[_i].value));
	finish(&l);
}
END_TEST

START_TEST(a_nul_byte_is_told_and_passed_over)
{
	struct lexed l;
	const struct token *t = lex(&l, "a\0\0b", 4);

	ck_assert_uint_eq(l.diag.items.n, 1);
	ck_assert_int_eq(t[0].kind, NAME);
	ck_assert_int_eq(t[1].kind, NAME);
	ck_assert_int_eq(t[2].kind, END_OF_FILE);
	finish(&l);
}
END_TEST

START_TEST(deep_nesting_gives_up)
{
	struct lexed l;
	char text[10000];

	memset(text, '(', sizeof(text));
	lex(&l, text, sizeof(text));
	ck_assert(l.tokens.gave_up);
	ck_assert_uint_eq(l.diag.items.n, 1);
	ck_assert_uint_lt(l.tokens.list.n, LEX_MAX_NESTING + 10);
	finish(&l);
}
END_TEST

START_TEST(braces_of_blocks_are_told_from_those_of_values)
{
	struct lexed l;
	const struct token *t = lex(&l, "if a { b = { c } }", 18);

	ck_assert(t[2].is_block);
	ck_assert(!t[5].is_block);
	ck_assert_int_eq(t[6].parent, 5);
	ck_assert_int_eq(t[5].parent, 2);
	finish(&l);
}
END_TEST

START_TEST(positions_count_characters)
{
	int line;
	int column;
	struct source *s = source_create("x", "", "a\n\t\xc3\xa4 b", 7);

	source_position(s, 6, &line, &column);
	ck_assert_int_eq(line, 2);
	ck_assert_int_eq(column, 4);
	source_position(s, 0, &line, &column);
	ck_assert_int_eq(line, 1);
	ck_assert_int_eq(column, 1);
	source_destroy(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("topo_lex");
	TCase *tc = tcase_create("topo_lex");

	tcase_add_loop_test(tc, kinds_of_tokens, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, texts_of_strings, 0, (int)ARRAY_LEN(texts));
	tcase_add_test(tc, a_nul_byte_is_told_and_passed_over);
	tcase_add_test(tc, deep_nesting_gives_up);
	tcase_add_test(tc, braces_of_blocks_are_told_from_those_of_values);
	tcase_add_test(tc, positions_count_characters);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
