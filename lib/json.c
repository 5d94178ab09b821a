/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/json.h"

#include "lib/vec.h"
#include "lib/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

/* Past the string that begins at s (a quote). */
static const char *skip_string(const char *s)
{
	for (s++; *s && *s != '"'; s++)
		if (*s == '\\' && s[1])
			s++;
	return *s ? s + 1 : s;
}

/* Past the value that begins at s. */
static const char *skip_value(const char *s)
{
	int depth = 0;

	do {
		if (*s == '"') {
			s = skip_string(s);
			continue;
		}
		if (depth == 0 && (*s == ',' || *s == '}' || *s == ']'))
			break;
		depth += *s == '{' || *s == '[';
		depth -= *s == '}' || *s == ']';
		s += *s != '\0';
	} while (*s && (depth || (*s != ',' && *s != '}' && *s != ']')));
	return s;
}

char *json_find_member(const char *json, const char *key)
{
	size_t len = strlen(key);

	while (*json) {
		if (*json != '"') {
			json++;
			continue;
		}
		const char *end = skip_string(json);

		if ((size_t)(end - json) == len + 2 && !strncmp(json + 1, key, len) &&
		    *end == ':') {
			const char *value = end + 1;

			return xstrndup(value, (size_t)(skip_value(value) - value));
		}
		json = end;
	}
	return NULL;
}

char *json_next(const char **at)
{
	const char *s = *at;

	if (*s != '[' && *s != '{' && *s != ',')
		return NULL;
	s++;
	const char *end = skip_value(s);

	if (end == s)
		return NULL;
	*at = end;
	return xstrndup(s, (size_t)(end - s));
}

char *json_member(const char *object, const char *key)
{
	size_t len = strlen(key);
	char *item;

	while ((item = json_next(&object))) {
		const char *value = item + len + 3; /* past "key": */
		bool found = strlen(item) > len + 3 && item[len + 1] == '"' &&
			     !strncmp(item + 1, key, len);
		bool quoted = found && *value == '"';
		char *copy = !found   ? NULL
			     : quoted ? xstrndup(value + 1, strlen(value) - 2)
				      : xstrdup(value);

		free(item);
		if (found)
			return copy;
	}
	return NULL;
}

/* A member of one of the objects that are merged: text that they own. */
struct member {
	const char *key, *value; /* key with its quotes */
	size_t key_len, value_len;
	size_t order;
};

struct members {
	VEC(struct member) v;
};

static void list_members(struct members *m, const char *object)
{
	const char *s = *object == '{' ? object + 1 : "";

	while (*s == '"') {
		const char *key_end = skip_string(s);
		const char *value = *key_end == ':' ? key_end + 1 : key_end;
		const char *value_end = skip_value(value);
		struct member one = {s, value, (size_t)(key_end - s), (size_t)(value_end - value),
				     m->v.n};

		vec_push(&m->v, one);
		s = *value_end == ',' ? value_end + 1 : value_end;
	}
}

static int compare_keys(const struct member *a, const struct member *b)
{
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int c = memcmp(a->key, b->key, len);

	return c ? c : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int by_key(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;
	int c = compare_keys(x, y);

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

/* A run of members with one name. */
struct run {
	size_t first, n; /* in the list by key */
	size_t order;
};

static int by_order(const void *a, const void *b)
{
	const struct run *x = a;
	const struct run *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

static bool is_number(char c)
{
	return c == '-' || (c >= '0' && c <= '9');
}

static void merge_values(FILE *out, const struct member *m, size_t n)
{
	if (n > 1 && *m->value == '{') {
		char **texts = xcalloc(n, sizeof(*texts));

		for (size_t i = 0; i < n; i++)
			texts[i] = xstrndup(m[i].value, m[i].value_len);
		json_merge(out, (const char *const *)texts, n);
		for (size_t i = 0; i < n; i++)
			free(texts[i]);
		free(texts);
	} else if (n > 1 && is_number(*m->value)) {
		int64_t sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += strtoll(m[i].value, NULL, 10);
		fprintf(out, "%" PRId64, sum);
	} else {
		fwrite(m->value, 1, m->value_len, out);
	}
}

void json_merge(FILE *out, const char *const *objects, size_t n)
{
	struct members m = {{0}};
	VEC(struct run) runs = {0};

	for (size_t i = 0; i < n; i++)
		list_members(&m, objects[i]);
	if (m.v.n)
		qsort(m.v.at, m.v.n, sizeof(*m.v.at), by_key);
	for (size_t i = 0; i < m.v.n; i++) {
		if (i && !compare_keys(&m.v.at[i - 1], &m.v.at[i]))
			runs.at[runs.n - 1].n++;
		else
			vec_push(&runs, ((struct run){i, 1, m.v.at[i].order}));
	}
	if (runs.n)
		qsort(runs.at, runs.n, sizeof(*runs.at), by_order);
	fputc('{', out);
	for (size_t i = 0; i < runs.n; i++) {
		const struct member *first = &m.v.at[runs.at[i].first];

		if (i)
			fputc(',', out);
		fwrite(first->key, 1, first->key_len, out);
		fputc(':', out);
		merge_values(out, first, runs.at[i].n);
	}
	fputc('}', out);
	vec_free(&runs);
	vec_free(&m.v);
}
