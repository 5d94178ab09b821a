/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/suite/tap.h"

#include "lib/visible.h"

#include <stdlib.h>

/*
 * In a description '#' begins a directive and '\' escapes; a newline would end it. A test that is
 * "to do" may fail, and the whole is good.
 */
static void put_description(FILE *out, const char *text, const char *todo)
{
	for (; *text; text++) {
		if (*text == '#' || *text == '\\')
			fputc('\\', out);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
	if (todo)
		fprintf(out, " # TODO %s", todo);
	fputc('\n', out);
}

static void put_quoted(FILE *out, const char *indent, const char *key, const char *text)
{
	fprintf(out, "%s%s: \"", indent, key);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputs("\"\n", out);
}

static void put_block(FILE *out, const char *indent, const char *key, const char *text)
{
	if (!*text)
		return;
	/* The indentation is said: it could not be told from lines that begin with blanks. */
	char deeper[16];

	snprintf(deeper, sizeof(deeper), "%s  ", indent);
	fprintf(out, "%s%s: |2\n", indent, key);
	visible_put_lines(out, deeper, text);
}

static void write_check(FILE *out, const struct suite_check *k, size_t number)
{
	bool ok = k->held || k->kind == SUITE_NOTE;
	bool is_excused = !ok && !suite_check_fails(k);
	char *title = suite_check_title(k);

	fprintf(out, "    %sok %zu - ", ok ? "" : "not ", number);
	put_description(out, title, is_excused ? graph_level_name(k->level) : NULL);
	free(title);
	if (ok)
		return;
	fputs("      ---\n", out);
	put_quoted(out, "      ", "message", k->message);
	put_block(out, "      ", "detail", k->detail);
	if (*k->hint)
		put_quoted(out, "      ", "hint", k->hint);
	fputs("      ...\n", out);
}

void tap_begin(FILE *out)
{
	if (!out)
		return;
	fputs("TAP version 14\n", out);
	fflush(out);
}

void tap_case(FILE *out, const struct suite_case *c, size_t number)
{
	if (!out)
		return;
	char *name = suite_case_name(c);
	bool ok = c->outcome == SUITE_PASSED || c->outcome == SUITE_SKIPPED;

	fputs("# Subtest: ", out);
	put_description(out, name, NULL);
	for (size_t i = 0; i < c->checks.n; i++)
		write_check(out, &c->checks.at[i], i + 1);
	fprintf(out, "    1..%zu%s\n", c->checks.n, c->checks.n ? "" : " # SKIP no checks");
	fprintf(out, "%sok %zu - ", ok ? "" : "not ", number);
	if (c->outcome == SUITE_SKIPPED) {
		/* The directive's '#' must stay one. */
		char *newline = strpbrk(name, "#\\\n");

		fprintf(out, "%.*s # SKIP\n", (int)(newline ? newline - name : (long)strlen(name)),
			name);
	} else {
		put_description(out, name, NULL);
	}
	if (!ok) {
		fputs("  ---\n", out);
		put_quoted(out, "  ", "outcome", suite_outcome_name(c->outcome));
		if (strchr(c->trouble, '\n'))
			put_block(out, "  ", "message", c->trouble);
		else
			put_quoted(out, "  ", "message", c->trouble);
		if (c->archive)
			put_quoted(out, "  ", "archive", c->archive);
		if (c->again)
			put_quoted(out, "  ", "again", c->again);
		fputs("  ...\n", out);
	}
	fflush(out);
	free(name);
}

void tap_end(FILE *out, size_t n)
{
	if (!out)
		return;
	fprintf(out, "1..%zu\n", n);
	fflush(out);
}
