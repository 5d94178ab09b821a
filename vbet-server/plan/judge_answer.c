/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A path through JSON is one string, "areas.0.10.0.0.1.state": what is behind a dot is a member's
 * name or an index from 0. Names have dots, too, so the longest name that fits is tried first.
 *
 * "contains": every member of the wanted object is in the other one, and contains what is wanted of
 * it; of an array every element is contained by some element; anything else is equal.
 */
#include "vbet-server/plan/judge_answer.h"

#include "lib/vec.h"
#include "lib/visible.h"
#include "lib/xalloc.h"
#include "topo/graph.h"
#include "vbet-server/plan/judge_json.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 400 };

static const char *want_of(const struct words *w, const char *key)
{
	const char *v = words_get(w, key);

	return v ? v : "";
}

/* ---- JSON ---- */

/* False: there is nothing of that path. */
static bool find(struct json_object *o, const char *path, struct json_object **found)
{
	if (!*path) {
		*found = o;
		return true;
	}
	if (json_object_is_type(o, json_type_array)) {
		char *end;
		size_t i = strtoul(path, &end, 10);

		return end > path && (*end == '.' || !*end) && i < json_object_array_length(o) &&
		       find(json_object_array_get_idx(o, i), end + (*end == '.'), found);
	}
	if (!json_object_is_type(o, json_type_object))
		return false;
	for (size_t len = strlen(path); len; len--) {
		if (path[len] != '.' && path[len])
			continue;
		char *name = xstrndup(path, len);
		struct json_object *member = NULL;
		bool is_there = json_object_object_get_ex(o, name, &member);

		free(name);
		if (is_there && find(member, path + len + (path[len] == '.'), found))
			return true;
	}
	return false;
}

static bool is_number(struct json_object *o)
{
	return json_object_is_type(o, json_type_int) || json_object_is_type(o, json_type_double);
}

static bool is_equal(struct json_object *a, struct json_object *b)
{
	if (is_number(a) && is_number(b))
		return json_object_get_double(a) == json_object_get_double(b);
	return json_object_equal(a, b);
}

static bool contains(struct json_object *all, struct json_object *part)
{
	if (json_object_is_type(part, json_type_object)) {
		if (!json_object_is_type(all, json_type_object))
			return false;
		json_object_object_foreach(part, name, want)
		{
			struct json_object *seen = NULL;

			if (!json_object_object_get_ex(all, name, &seen) || !contains(seen, want))
				return false;
		}
		return true;
	}
	if (!json_object_is_type(part, json_type_array))
		return is_equal(all, part);
	if (!json_object_is_type(all, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(part); i++) {
		bool is_there = false;

		for (size_t k = 0; k < json_object_array_length(all) && !is_there; k++)
			is_there = contains(json_object_array_get_idx(all, k),
					    json_object_array_get_idx(part, i));
		if (!is_there)
			return false;
	}
	return true;
}

static bool compare(enum graph_want_op op, struct json_object *seen, struct json_object *want)
{
	if (op == WANT_EQ || op == WANT_NE)
		return is_equal(seen, want) == (op == WANT_EQ);
	if (!is_number(seen) || !is_number(want))
		return false;
	double a = json_object_get_double(seen);
	double b = json_object_get_double(want);

	return op == WANT_LT   ? a < b
	       : op == WANT_LE ? a <= b
	       : op == WANT_GT ? a > b
			       : op == WANT_GE && a >= b;
}

/* In one line. */
static void print_json(FILE *out, const char *before, struct json_object *o)
{
	const char *text =
		o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE) : "null";
	size_t len = strlen(text);
	char *shown = xstrndup(text, len > SHOWN_MAX ? SHOWN_MAX : len);
	char *visible = visible_text(shown);

	fprintf(out, "%s%s%s\n", before, visible, len > SHOWN_MAX ? " ..." : "");
	free(visible);
	free(shown);
}

static bool judge_json(const struct words *w, enum graph_want_op op, const char *text, FILE *out)
{
	const char *path = want_of(w, JUDGE_WANT "path");
	bool is_json;
	bool is_want;
	struct json_object *seen = NULL;
	struct json_object *all = judge_json_parse(text, &is_json);
	struct json_object *want = judge_json_parse(want_of(w, JUDGE_WANT "text"), &is_want);
	bool holds = false;

	if (!is_want) {
		fputs("what is expected is not JSON\n", out);
	} else if (!is_json) {
		fputs("what was printed is not JSON\n", out);
	} else if (!find(all, path, &seen)) {
		print_json(out, "", all);
		fprintf(out, "it has no %s\n", path);
	} else {
		holds = op == WANT_CONTAINS ? contains(seen, want) : compare(op, seen, want);
		print_json(out, "", seen);
	}
	json_object_put(all);
	json_object_put(want);
	return holds;
}

/* ---- text ---- */

/* '^' and '$' are those of lines. */
static bool judge_pattern(const struct words *w, const char *text, FILE *out)
{
	regex_t re;

	if (regcomp(&re, want_of(w, JUDGE_WANT "text"), REG_EXTENDED | REG_NOSUB | REG_NEWLINE)) {
		fputs("the expression cannot be used\n", out);
		return false;
	}
	bool holds = regexec(&re, text, 0, NULL, 0) == 0;

	regfree(&re);
	visible_put_lines(out, "", *text ? text : "nothing was printed");
	return holds;
}

/* ---- quantities ---- */

/* "10 packets transmitted, 9 received, 10% packet loss" (iputils). -1: it says nothing of it. */
static int64_t read_loss(const char *text)
{
	long sent;
	long received;
	const char *at = strstr(text, " packets transmitted, ");

	while (at && at > text && at[-1] != '\n')
		at--;
	if (!at || sscanf(at, "%ld packets transmitted, %ld received", &sent, &received) != 2 ||
	    sent <= 0 || received < 0 || received > sent)
		return -1;
	return (sent - received) * 1000000 / sent;
}

/* "rtt min/avg/max/mdev = 20.0/20.1/20.2/0.1 ms": the mean. */
static int64_t read_rtt(const char *text)
{
	double least;
	double mean;
	const char *at = strstr(text, "rtt min/avg/max");

	if (!at || sscanf(at, "rtt min/avg/max/mdev = %lf/%lf/", &least, &mean) != 2 ||
	    !(mean >= 0 && mean < 1e9))
		return -1;
	return (int64_t)(mean * 1e6 + 0.5);
}

/* Of iperf3's report: what has come. */
static int64_t read_throughput(const char *text)
{
	bool is_json;
	struct json_object *all = judge_json_parse(text, &is_json);
	struct json_object *rate = NULL;
	int64_t bps = -1;

	if (is_json && find(all, "end.sum_received.bits_per_second", &rate) && is_number(rate) &&
	    json_object_get_double(rate) >= 0 && json_object_get_double(rate) < 1e18)
		bps = (int64_t)json_object_get_double(rate);
	json_object_put(all);
	return bps;
}

static const struct quantity {
	const char *name;
	const char *what;
	enum unit_kind unit;
	int64_t (*read)(const char *text);
} quantities[] = {
	{"loss", "loss", UNIT_PPM, read_loss},
	{"rtt", "round trip", UNIT_TIME, read_rtt},
	{"throughput", "throughput", UNIT_RATE, read_throughput},
};

static bool is_as(enum graph_want_op op, int64_t seen, int64_t want)
{
	switch (op) {
	case WANT_EQ:
		return seen == want;
	case WANT_NE:
		return seen != want;
	case WANT_LT:
		return seen < want;
	case WANT_LE:
		return seen <= want;
	case WANT_GT:
		return seen > want;
	case WANT_GE:
		return seen >= want;
	default:
		return false;
	}
}

static bool judge_quantity(const struct quantity *q, enum graph_want_op op, const char *number,
			   const char *text, FILE *out)
{
	int64_t seen = q->read(text);
	char buf[64];

	if (seen < 0) {
		visible_put_lines(out, "", text);
		fprintf(out, "no %s could be measured\n", q->what);
		return false;
	}
	fprintf(out, "%s %s\n", q->what, unit_format(q->unit, seen, buf, sizeof(buf)));
	return is_as(op, seen, strtoll(number, NULL, 10));
}

/* Bounds of ping(): no more than that. */
static bool judge_bounds(const struct words *w, const char *text, FILE *out)
{
	bool holds = true;

	for (size_t i = 0; i < 2; i++) {
		char *key = xasprintf(JUDGE_WANT "%s", quantities[i].name);
		const char *bound = words_get(w, key);

		if (bound)
			holds &= judge_quantity(&quantities[i], WANT_LE, bound, text, out);
		free(key);
	}
	return holds;
}

bool judge_reads_failures(const struct words *w)
{
	return words_get(w, JUDGE_WANT "loss") || words_get(w, JUDGE_WANT "rtt") ||
	       words_get(w, JUDGE_WANT "of");
}

bool judge_number(const struct words *w, int64_t seen)
{
	return is_as(graph_find_want(want_of(w, JUDGE_WANT "op")), seen,
		     strtoll(want_of(w, JUDGE_WANT "number"), NULL, 10));
}

bool judge_answer(const struct words *w, const char *text, FILE *out)
{
	enum graph_want_op op = graph_find_want(want_of(w, JUDGE_WANT "op"));
	const char *of = want_of(w, JUDGE_WANT "of");

	if (!op)
		return judge_bounds(w, text, out);
	for (size_t i = 0; i < ARRAY_LEN(quantities); i++)
		if (!strcmp(quantities[i].name, of))
			return judge_quantity(&quantities[i], op, want_of(w, JUDGE_WANT "number"),
					      text, out);
	if (op == WANT_MATCHES)
		return judge_pattern(w, text, out);
	return judge_json(w, op, text, out);
}
