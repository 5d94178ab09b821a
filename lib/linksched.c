/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * "schedule": how parameters of a link change over time, such as "rate ramp 10Mbit 1Mbit 20s; loss
 * square 0 5% 4s". Here it is only read and checked; the substrate computes the values.
 *
 * A table has a row for each shape with the number of its words and the function that reads them.
 * Which keys may change, of which unit they are and how large they may be is asked of the caller
 * (linkspec.c has that table), so neither file knows the other's.
 */
#include "lib/linksched.h"

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 8 };

struct tokens {
	char *at[WORDS_MAX];
	size_t n;
};

static int want_value(const struct linksched_item *it, enum unit_kind unit, const char *text,
		      int64_t *value, struct err *e)
{
	return unit_parse(unit, text, value, e) < 0 ? err_wrap(e, "%s", it->key) : 0;
}

/* A change is an event in the substrate: a script must not keep it busy with nothing else. */
static int want_time(struct linksched_item *it, const char *text, struct err *e)
{
	if (want_value(it, UNIT_TIME, text, &it->time_ns, e) < 0)
		return -1;
	if (it->time_ns < 1000000)
		return err_set(e, ERR_USAGE, "%s: '%s' is shorter than 1ms", it->key, text);
	return 0;
}

static int want_pair(struct linksched_item *it, const struct tokens *t, struct err *e)
{
	if (want_value(it, it->unit, t->at[2], &it->from, e) < 0)
		return -1;
	return want_value(it, it->unit, t->at[3], &it->to, e);
}

static int parse_ramp(struct linksched_item *it, const struct tokens *t, struct err *e)
{
	return want_pair(it, t, e) < 0 ? -1 : want_time(it, t->at[4], e);
}

static int parse_square(struct linksched_item *it, const struct tokens *t, struct err *e)
{
	it->duty_ppm = 500000;
	if (want_pair(it, t, e) < 0 || want_time(it, t->at[4], e) < 0)
		return -1;
	return t->n > 5 ? want_value(it, UNIT_PPM, t->at[5], &it->duty_ppm, e) : 0;
}

static int parse_walk(struct linksched_item *it, const struct tokens *t, struct err *e)
{
	if (want_pair(it, t, e) < 0 || want_value(it, it->unit, t->at[4], &it->step, e) < 0)
		return -1;
	if (it->from > it->to)
		return err_set(e, ERR_USAGE, "%s: the lower end of the walk comes first", it->key);
	return want_time(it, t->at[5], e);
}

static int parse_trace(struct linksched_item *it, const struct tokens *t, struct err *e)
{
	if (strlen(t->at[2]) >= sizeof(it->path))
		return err_set(e, ERR_USAGE, "%s: the name of the file is too long", it->key);
	strcpy(it->path, t->at[2]);
	return 0;
}

static const struct {
	const char *name;
	enum linksched_shape shape;
	bool may_repeat;
	size_t min_words, max_words; /* with key and shape, without "repeat" */
	const char *usage;
	int (*parse)(struct linksched_item *it, const struct tokens *t, struct err *e);
} shapes[] = {
	{"ramp", LINKSCHED_RAMP, true, 5, 5, "FROM TO TIME [repeat]", parse_ramp},
	{"square", LINKSCHED_SQUARE, false, 5, 6, "LOW HIGH PERIOD [DUTY]", parse_square},
	{"walk", LINKSCHED_WALK, false, 6, 6, "LOW HIGH STEP EVERY", parse_walk},
	{"trace", LINKSCHED_TRACE, true, 3, 3, "FILE [repeat]", parse_trace},
};

static int parse_shape(struct linksched_item *it, struct tokens *t, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		if (strcmp(shapes[i].name, t->at[1]) != 0)
			continue;
		if (shapes[i].may_repeat && t->n > 2 && !strcmp(t->at[t->n - 1], "repeat")) {
			it->repeat = true;
			t->n--;
		}
		if (t->n < shapes[i].min_words || t->n > shapes[i].max_words)
			return err_set(e, ERR_USAGE, "%s: expected '%s %s'", it->key,
				       shapes[i].name, shapes[i].usage);
		it->shape = shapes[i].shape;
		return shapes[i].parse(it, t, e);
	}
	return err_set(e, ERR_USAGE, "%s: '%s' is not ramp, square, walk or trace", it->key,
		       t->at[1]);
}

static int check_values(const struct linksched_item *it, int64_t max, struct err *e)
{
	if (it->from > max || it->to > max)
		return err_set(e, ERR_USAGE, "%s is out of range", it->key);
	return 0;
}

/*
 * Takes the text apart in place: it is linksched_parse()'s own copy. Words are few and short, so a
 * fixed array holds them, and a line with too many is refused rather than cut.
 */
static int parse_item(struct linksched_item *it, char *text, linksched_find_key *find,
		      struct err *e)
{
	struct tokens t = {.n = 0};
	int64_t max;

	*it = (struct linksched_item){0};
	for (char *w = strtok_r(text, " \t\n", &text); w; w = strtok_r(NULL, " \t\n", &text)) {
		if (t.n == WORDS_MAX)
			return err_set(e, ERR_USAGE, "too many words after '%s'", t.at[0]);
		t.at[t.n++] = w;
	}
	if (t.n < 2)
		return err_set(e, ERR_USAGE, "expected KEY SHAPE VALUES...");
	if (!find(t.at[0], &it->unit, &max))
		return err_set(e, ERR_USAGE, "'%s' is no parameter that changes over time",
			       t.at[0]);
	if (strlen(t.at[0]) >= sizeof(it->key))
		return err_set(e, ERR_USAGE, "'%s' is too long", t.at[0]);
	strcpy(it->key, t.at[0]);
	return parse_shape(it, &t, e) < 0 ? -1 : check_values(it, max, e);
}

int linksched_parse(struct linksched *s, const char *text, linksched_find_key *find, struct err *e)
{
	char *copy = xstrdup(text);
	char *rest = copy;
	int status = 0;

	s->n = 0;
	for (char *part = strsep(&rest, ";"); part && !status; part = strsep(&rest, ";")) {
		if (part[strspn(part, " \t\n")] == '\0')
			continue;
		if (s->n == LINKSCHED_ITEMS_MAX)
			status = err_set(e, ERR_USAGE, "more than %d items", LINKSCHED_ITEMS_MAX);
		else
			status = parse_item(&s->item[s->n++], part, find, e);
	}
	free(copy);
	return status;
}
