/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every line is one object, and "event" is its first member. All lines of one run of one script
 * bear its number in "run", since lines of several runs mix.
 */
#include "vbet-server/suite/news.h"

#include "lib/json.h"
#include "lib/visible.h"
#include "vbet-server/lab/status.h"

enum { VERSION = 1 };

static void open_event(struct json *j, FILE *out, const char *event)
{
	json_init(j, out);
	json_open(j, NULL, '{');
	json_string(j, "event", event);
}

static void close_event(struct json *j)
{
	json_close(j, '}');
	fputc('\n', j->out);
	fflush(j->out);
}

void news_begin(FILE *out, const struct suite *s, bool is_endless)
{
	struct json j;

	if (!out)
		return;
	open_event(&j, out, "begin");
	json_int(&j, "version", VERSION);
	if (is_endless)
		json_string(&j, "runs", NULL);
	else
		json_uint(&j, "runs", s->cases.n);
	json_uint(&j, "side_by_side", s->side_by_side);
	close_event(&j);
}

void news_start(FILE *out, const struct suite_case *c)
{
	struct json j;

	if (!out)
		return;
	open_event(&j, out, "start");
	json_uint(&j, "run", c->number);
	json_string(&j, "file", c->file);
	json_string(&j, "lab", *c->lab ? c->lab : NULL);
	json_string(&j, "clock", c->is_virtual ? "virtual" : "real");
	json_uint(&j, "round", c->round + 1);
	if (c->has_seed)
		json_uint(&j, "seed", c->seed);
	else
		json_string(&j, "seed", NULL);
	json_uint(&j, "nodes", c->n_nodes);
	json_uint(&j, "expectations", c->n_expects);
	json_int(&j, "points", c->n_points);
	close_event(&j);
}

void news_check(FILE *out, const struct suite_case *c, const struct suite_check *k)
{
	struct json j;

	if (!out)
		return;
	open_event(&j, out, "check");
	json_uint(&j, "run", c->number);
	json_string(&j, "kind", suite_check_kind_name(k->kind));
	json_bool(&j, "held", k->held);
	json_string(&j, "script", k->script);
	json_int(&j, "line", k->line);
	json_string(&j, "text", k->text);
	json_string(&j, "name", *k->name ? k->name : NULL);
	json_int(&j, "points", k->points);
	json_string(&j, "level", k->kind == SUITE_EXPECT ? graph_level_name(k->level) : NULL);
	json_uint(&j, "number", k->number);
	json_string(&j, "hint", *k->hint ? k->hint : NULL);
	json_string(&j, "message", k->message);
	json_string(&j, "detail", k->detail);
	json_int(&j, "time_ns", k->time_ns);
	close_event(&j);
}

void news_end(FILE *out, const struct suite_case *c)
{
	struct suite_count n = suite_case_count(c);
	struct json j;

	if (!out)
		return;
	open_event(&j, out, "end");
	json_uint(&j, "run", c->number);
	json_string(&j, "outcome", suite_outcome_name(c->outcome));
	json_int(&j, "status", c->status);
	json_uint(&j, "held", n.held);
	json_uint(&j, "missed", n.missed);
	json_uint(&j, "excused", n.excused);
	json_uint(&j, "refused", n.refused);
	json_int(&j, "points", suite_case_points(c));
	json_int(&j, "lab_ns", c->lab_ns);
	json_int(&j, "wall_ns", c->wall_ns);
	json_string(&j, "trouble", c->trouble);
	json_string(&j, "archive", c->archive);
	json_string(&j, "again", c->again);
	close_event(&j);
}

void news_summary(FILE *out, const struct suite *s)
{
	struct suite_count n = suite_count(s);
	struct json j;

	if (!out)
		return;
	open_event(&j, out, "summary");
	json_uint(&j, "runs", s->cases.n);
	for (int o = SUITE_PASSED; o < SUITE_OUTCOMES; o++)
		json_uint(&j, suite_outcome_name((enum suite_outcome)o), n.of[o]);
	json_uint(&j, "held", n.held);
	json_uint(&j, "missed", n.missed);
	json_uint(&j, "excused", n.excused);
	json_uint(&j, "refused", n.refused);
	json_int(&j, "points", n.points);
	json_int(&j, "points_of", n.n_points);
	json_int(&j, "status", suite_status(s));
	json_int(&j, "wall_ns", s->wall_ns);
	close_event(&j);
}

/* ---- reading ---- */

static char *take_text(struct json_object *o, const char *key)
{
	const char *text = status_text(o, key);

	return visible_text(text ? text : "");
}

static enum news_heard read_check(struct suite_case *c, struct json_object *o)
{
	const char *kind = status_text(o, "kind");
	const char *level = status_text(o, "level");
	struct suite_check k = {.kind = suite_find_check_kind(kind ? kind : "")};

	if (k.kind == SUITE_CHECK_KINDS)
		return NEWS_NONE;
	k.held = status_is_true(o, "held");
	k.script = take_text(o, "script");
	k.line = status_number(o, "line");
	k.text = take_text(o, "text");
	k.name = take_text(o, "name");
	k.hint = take_text(o, "hint");
	k.points = status_number(o, "points");
	k.number = (size_t)status_number(o, "number");
	k.level = level ? graph_find_level(level, strlen(level)) : LEVEL_REQUIRED;
	if (k.level == LEVELS)
		k.level = LEVEL_REQUIRED;
	k.message = take_text(o, "message");
	k.detail = take_text(o, "detail");
	k.time_ns = status_number(o, "time_ns");
	suite_case_add_check(c, &k);
	return NEWS_CHECK;
}

static enum news_heard read_end(struct suite_case *c, struct json_object *o)
{
	c->lab_ns = status_number(o, "lab_ns");
	free(c->trouble);
	c->trouble = take_text(o, "trouble");
	if (status_text(o, "again")) {
		free(c->again);
		c->again = take_text(o, "again");
	}
	return NEWS_END;
}

enum news_heard news_read(struct suite_case *c, const char *line)
{
	struct json_object *o = status_parse(line);
	const char *event = o ? status_text(o, "event") : NULL;
	enum news_heard heard = NEWS_NONE;

	if (event && !strcmp(event, "check"))
		heard = read_check(c, o);
	else if (event && !strcmp(event, "end"))
		heard = read_end(c, o);
	status_free(o);
	return heard;
}
