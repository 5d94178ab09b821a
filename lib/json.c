/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A writer of JSON (RFC 8259) that keeps no document: values go out as they are said, and one bit
 * knows whether a comma is due. That bit is enough for any depth, for after a bracket has closed a
 * comma is always due, and after one has opened it never is. That brackets match is the caller's
 * business.
 *
 * Text is passed on as the UTF-8 that it is; only quotes, backslashes, control characters below the
 * blank and DEL are escaped.
 */
#include "lib/json.h"

#include <inttypes.h>

void json_init(struct json *j, FILE *out)
{
	j->out = out;
	j->need_comma = false;
}

static void put_string(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c < ' ' || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void begin(struct json *j, const char *key)
{
	if (j->need_comma)
		fputc(',', j->out);
	j->need_comma = true;
	if (key) {
		put_string(j->out, key);
		fputc(':', j->out);
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	fputc(bracket, j->out);
	j->need_comma = false;
}

void json_close(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->need_comma = true;
}

void json_string(struct json *j, const char *key, const char *value)
{
	begin(j, key);
	if (value)
		put_string(j->out, value);
	else
		fputs("null", j->out);
}

void json_int(struct json *j, const char *key, int64_t value)
{
	begin(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
	begin(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_raw(struct json *j, const char *key, const char *json)
{
	begin(j, key);
	fputs(json, j->out);
}
