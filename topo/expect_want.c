/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The right side is computed when the statement is read, and kept in two forms: as whoever judges
 * the answer wants it (JSON, a number in its unit, an expression), and as a script has it.
 *
 * A table says what each check can be measured by. Those of which the answer is a quantity are
 * nothing without it.
 */
#include "topo/expect_want.h"

#include "lib/json.h"
#include "lib/xalloc.h"
#include "topo/builtin.h"
#include "topo/graph_print.h"

#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

/* ---- values as JSON, and as a script has them ---- */

static bool put_json(struct json *j, const char *key, const struct value *v, unsigned depth)
{
	char *text = NULL;
	size_t len = 0;

	if (depth > DEPTH_MAX)
		return false;
	switch (v->kind) {
	case VALUE_NUMBER:
		if (v->unit == UNIT_PPM)
			json_raw(j, key, (text = xasprintf("%.6f", (double)v->number / 1e6)));
		else
			json_int(j, key, v->number);
		break;
	case VALUE_BOOL:
		json_bool(j, key, v->truth);
		break;
	case VALUE_LIST:
		json_open(j, key, '[');
		for (size_t i = 0; i < v->list->n; i++)
			if (!put_json(j, NULL, &v->list->at[i], depth + 1))
				return false;
		json_close(j, ']');
		break;
	case VALUE_DICT:
		json_open(j, key, '{');
		for (const struct value_field *f = v->dict->first; f; f = f->next)
			if (!put_json(j, f->name, &f->value, depth + 1))
				return false;
		json_close(j, '}');
		break;
	default: {
		FILE *f = xmemstream(&text, &len);
		bool ok = v->kind != VALUE_NODE && value_print(f, v) == 0;

		fclose(f);
		if (ok)
			json_string(j, key, text);
		free(text);
		return ok;
	}
	}
	free(text);
	return true;
}

/* A group has its names without quotes, and all that JSON calls a string may be one here. */
static void put_source(FILE *out, const struct value *v)
{
	if (v->kind == VALUE_STRING || v->kind == VALUE_WORD) {
		graph_put_string(out, v->text);
	} else if (v->kind == VALUE_LIST) {
		fputc('[', out);
		for (size_t i = 0; i < v->list->n; i++) {
			fputs(i ? ", " : "", out);
			put_source(out, &v->list->at[i]);
		}
		fputc(']', out);
	} else if (v->kind == VALUE_DICT) {
		fputc('{', out);
		for (const struct value_field *f = v->dict->first; f; f = f->next) {
			fprintf(out, "%s%s = ", f == v->dict->first ? "" : ", ", f->name);
			put_source(out, &f->value);
		}
		fputc('}', out);
	} else {
		value_print(out, v);
	}
}

static const char *source_of(struct eval *ev, const struct value *v)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	put_source(f, v);
	fclose(f);
	const char *kept = arena_strdup(ev->arena, text);

	free(text);
	return kept;
}

static bool want_json(struct eval *ev, struct loc loc, const struct value *v, struct graph_want *to)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);
	struct json j;

	json_init(&j, f);
	bool ok = put_json(&j, NULL, v, 0);

	fclose(f);
	if (ok)
		to->text = arena_strdup(ev->arena, text);
	else
		eval_wrong(ev, loc, "%s is nothing that JSON has", value_kind_name(v));
	free(text);
	return ok;
}

/* ---- the forms ---- */

/* What a check's answer is. */
enum answer {
	ANSWER_YES_NO,   /* nothing to be measured */
	ANSWER_TEXT,     /* matches, contains, json */
	ANSWER_QUANTITY, /* compared with a number of the unit */
	ANSWER_NODES,    /* == or != a list of nodes */
};

static const struct {
	enum answer answer;
	enum unit_kind unit;
	const char *usage;
} forms[CHECKS] = {
	[CHECK_EXEC] = {ANSWER_TEXT, UNIT_COUNT, NULL},
	[CHECK_PATH] = {ANSWER_NODES, UNIT_COUNT, "path(a, b) == [r1, r2]"},
	[CHECK_COUNT] = {ANSWER_QUANTITY, UNIT_COUNT, "count(NIC(a, 1), \"icmp\") == 3"},
	[CHECK_LOSS] = {ANSWER_QUANTITY, UNIT_PPM, "loss(a, b) < 1%"},
	[CHECK_RTT] = {ANSWER_QUANTITY, UNIT_TIME, "rtt(a, b) < 10ms"},
	[CHECK_THROUGHPUT] = {ANSWER_QUANTITY, UNIT_RATE, "throughput(a, b) > 9Mbit"},
};

static bool read_text(struct eval *ev, const struct ast *t, const struct value *v,
		      struct graph_want *to)
{
	regex_t re;
	char why[128];

	if (to->op == WANT_CONTAINS && v->kind != VALUE_STRING)
		return want_json(ev, t->loc, v, to);
	if (v->kind != VALUE_STRING) {
		eval_wrong(ev, t->loc, "expected /an expression/ or a string, not %s",
			   value_kind_name(v));
		return false;
	}
	to->text = v->text;
	if (to->op == WANT_CONTAINS)
		return true;
	int rc = regcomp(&re, v->text, REG_EXTENDED | REG_NOSUB);

	if (rc == 0) {
		regfree(&re);
		return true;
	}
	regerror(rc, &re, why, sizeof(why));
	eval_wrong(ev, t->loc, "this is no extended regular expression: %s", why);
	return false;
}

static bool read_quantity(struct eval *ev, const struct ast *t, const struct value *v,
			  enum unit_kind unit, struct graph_want *to)
{
	bool is_zero = v->kind == VALUE_NUMBER && v->unit == UNIT_COUNT && !v->number;

	if (v->kind != VALUE_NUMBER || (v->unit != unit && !is_zero) || v->number < 0) {
		eval_wrong(ev, t->loc, "expected %s", unit_example(unit));
		return false;
	}
	to->number = v->number;
	return true;
}

static bool read_nodes(struct eval *ev, const struct ast *t, const struct value *v,
		       struct world_expect *to)
{
	bool are_nodes = v->kind == VALUE_LIST;

	for (size_t i = 0; are_nodes && i < v->list->n; i++)
		are_nodes = v->list->at[i].kind == VALUE_NODE;
	if (!are_nodes) {
		eval_wrong(ev, t->loc, "expected a list of nodes, such as [r1, r2]");
		return false;
	}
	to->hops = v->list;
	return true;
}

static bool read_path(struct eval *ev, const struct ast *path, struct graph_want *to)
{
	struct value v = eval_value(ev, path->first);
	struct arg a = {.v = v, .loc = path->loc};

	return v.kind != VALUE_WRONG &&
	       builtin_want_text(ev, &a, "a path such as \"areas.0.state\"", &to->path);
}

static bool is_known(enum answer answer, const struct ast *path, enum graph_want_op op)
{
	bool is_text_op = op == WANT_MATCHES || op == WANT_CONTAINS;

	if (answer == ANSWER_TEXT)
		return path ? !is_text_op : is_text_op;
	if (answer == ANSWER_NODES)
		return !path && (op == WANT_EQ || op == WANT_NE);
	return answer == ANSWER_QUANTITY && !path && !is_text_op;
}

bool expect_read_want(struct eval *ev, struct loc loc, const struct ast *path,
		      const struct ast *want, struct world_expect *to)
{
	enum answer answer = forms[to->kind].answer;

	if (!want && (answer == ANSWER_QUANTITY || answer == ANSWER_NODES)) {
		eval_wrong(ev, loc, "what of it? Write %s", forms[to->kind].usage);
		return false;
	}
	if (!want)
		return true;
	to->want.op = graph_find_want(want->name);
	if (!is_known(answer, path, to->want.op)) {
		eval_wrong(ev, want->loc, "%s() has no '%s%s'", graph_check_name(to->kind),
			   path ? "json() " : "", want->name);
		return false;
	}
	struct value v = eval_value(ev, want->first);

	if (v.kind == VALUE_WRONG || (path && !read_path(ev, path, &to->want)))
		return false;
	if (answer == ANSWER_NODES)
		return read_nodes(ev, want, &v, to);
	to->want.shown = source_of(ev, &v);
	if (path)
		return want_json(ev, want->loc, &v, &to->want);
	if (answer == ANSWER_TEXT)
		return read_text(ev, want, &v, &to->want);
	return read_quantity(ev, want, &v, forms[to->kind].unit, &to->want);
}
