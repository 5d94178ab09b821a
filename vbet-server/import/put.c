/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text of other tools written into a script. It comes from files that nobody has looked at: nothing
 * in it may end the string or comment that it stands in, or do anything to the terminal on which
 * the script is read.
 */
#include "vbet-server/import/put.h"

#include <stdbool.h>
#include <string.h>

/* The length of the letter of UTF-8 here; 0: there is none (RFC 3629, 4). */
static size_t letter_length(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n = p[0] < 0x80   ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
		return 0;
	return n;
}

void put_string(FILE *out, const char *text)
{
	static const char escaped[] = "\n\t\r\"\\$";
	static const char names[] = "ntr\"\\$";

	fputc('"', out);
	for (const char *p = text; *p;) {
		const char *special = strchr(escaped, *p);
		size_t n = letter_length(p);

		if (special)
			fprintf(out, "\\%c", names[special - escaped]);
		else if (!n || (unsigned char)*p < ' ' || *p == 0x7f)
			fprintf(out, "\\x%02X", (unsigned char)*p);
		else
			fwrite(p, 1, n, out);
		p += special || !n ? 1 : n;
	}
	fputc('"', out);
}

/* n: the length of the letter. C1 controls are two bytes from 0xc2 0x80 on. */
static bool is_control(const char *p, size_t n)
{
	return (unsigned char)*p < ' ' || *p == 0x7f ||
	       (n == 2 && (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] < 0xa0);
}

bool put_is_label(const char *text)
{
	size_t len = strlen(text);

	for (const char *p = text; *p;) {
		size_t n = letter_length(p);
		if (!n || is_control(p, n) || *p == '"')
			return false;
		p += n;
	}
	return len > 0 && len <= PUT_MAX_LABEL;
}

/* One line, whatever is in it, with '?' for what cannot be shown: a comment is for reading. */
void put_comment(FILE *out, const char *text)
{
	for (const char *p = text; *p;) {
		size_t n = letter_length(p);

		if (*p == '\n' || *p == '\t' || *p == '\r')
			fputc(' ', out);
		else if (!n || is_control(p, n))
			fputc('?', out);
		else
			fwrite(p, 1, n, out);
		p += n ? n : 1;
	}
}

/* A word with which no line of the text begins; false: it has them all. */
static bool make_end(const char *text, char word[16])
{
	static const char *const words[] = {"END", "EOF", "END2", "END3", "END4", "END5"};
	char line[32];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		strcpy(word, words[i]);
		snprintf(line, sizeof(line), "\n%s", word);
		if (strncmp(text, word, strlen(word)) != 0 && !strstr(text, line))
			return true;
	}
	return false;
}

/* A here-document is whole lines of printable text; all else is a string. */
static bool is_lines(const char *text)
{
	size_t len = strlen(text);

	for (const char *p = text; *p;) {
		size_t n = letter_length(p);

		if (!n || ((unsigned char)*p < ' ' && *p != '\n' && *p != '\t') || *p == 0x7f)
			return false;
		p += n;
	}
	return len && text[len - 1] == '\n';
}

void put_here_document(FILE *out, const char *text)
{
	char end[16];

	if (!is_lines(text) || !make_end(text, end)) {
		put_string(out, text);
		return;
	}
	fprintf(out, "<<%s", end);
}

/*
 * Decides as put_here_document() did for the same text: the rest of the line stands between the
 * two.
 */
void put_here_document_body(FILE *out, const char *text)
{
	char end[16];

	if (!is_lines(text) || !make_end(text, end))
		return;
	fprintf(out, "\n%s%s", text, end);
}
