/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A part of the lab is said in two ways: by the names that it has for people, and by an expression
 * that means it wherever it stands, whatever variables the script has it in. A cable is the one at
 * a NIC; people say its two nodes, and the NICs only if there are several cables between these.
 */
#include "vbet-server/explore/explore_cases.h"

#include "lib/xalloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct explore_word {
	const char *name;
	const char *what; /* for messages */
	int kind;         /* enum node_kind, or one of these */
};
enum { EACH_LINK = -1, EACH_NODE = -2 };

static const struct explore_word known[] = {
	{"LINK", "cable that is not cut", EACH_LINK},
	{"NODE", "node", EACH_NODE},
	{"HOST", "host", NODE_HOST},
	{"ROUTER", "router", NODE_ROUTER},
	{"FIREWALL", "firewall", NODE_FIREWALL},
	{"SERVER", "server", NODE_SERVER},
	{"HUB", "hub", NODE_HUB},
	{"SWITCH", "switch", NODE_SWITCH},
};

/* ---- words in a statement ---- */

static bool is_letter(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/*
 * The next of our words in a statement, from *at on, which is moved to where it begins; strings are
 * not looked into. NULL: there is none.
 */
static const struct explore_word *next_word(const char **at)
{
	const char *p = *at;

	while (*p) {
		size_t n = 0;

		if (*p == '"') {
			for (p++; *p && *p != '"'; p++)
				p += *p == '\\' && p[1];
			p += *p == '"';
			continue;
		}
		while (is_letter(p[n]))
			n++;
		for (size_t i = 0; i < ARRAY_LEN(known) && n; i++)
			if (strlen(known[i].name) == n && !strncmp(known[i].name, p, n)) {
				*at = p;
				return &known[i];
			}
		p += n ? n : 1;
	}
	return NULL;
}

static char *replace(const char *statement, const char *with)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);
	const struct explore_word *w;
	const char *from = statement;

	for (const char *at = from; (w = next_word(&at)); from = at) {
		fprintf(f, "%.*s%s", (int)(at - from), from, with);
		at += strlen(w->name);
	}
	fputs(from, f);
	fclose(f);
	return text;
}

/* ---- parts of the lab ---- */

static void add_step(struct explore_cases *cases, const char *statement, const char *name,
		     const char *expression)
{
	struct explore_step s = {.text = replace(statement, name),
				 .statement = replace(statement, expression)};

	vec_push(&cases->steps, s);
}

static bool joins(const struct graph_cable *c, int a, int b)
{
	return (c->end[0].node == a && c->end[1].node == b) ||
	       (c->end[0].node == b && c->end[1].node == a);
}

static bool is_only_one(const struct graph *g, const struct graph_cable *c)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_cables; i++)
		n += joins(&g->cables[i], c->end[0].node, c->end[1].node);
	return n == 1;
}

static void add_links(struct explore_cases *cases, const struct graph *g, const char *statement)
{
	for (size_t i = 0; i < g->n_cables; i++) {
		const struct graph_cable *c = &g->cables[i];
		const struct graph_node *a = &g->nodes[c->end[0].node];
		const struct graph_node *b = &g->nodes[c->end[1].node];

		if (c->cut.all)
			continue;
		char *name = is_only_one(g, c) ? xasprintf("%s, %s", a->name, b->name)
					       : xasprintf("%s:%s, %s:%s", a->name,
							   a->nics[c->end[0].nic].name, b->name,
							   b->nics[c->end[1].nic].name);
		char *expression = xasprintf("NIC(node(\"%s\"), %d)", a->name, c->end[0].nic + 1);

		add_step(cases, statement, name, expression);
		free(name);
		free(expression);
	}
}

static void add_nodes(struct explore_cases *cases, const struct graph *g, const char *statement,
		      int kind)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		const struct graph_node *n = &g->nodes[i];

		if (kind == EACH_NODE ? node_kind_is_outside(n->kind) : (int)n->kind != kind)
			continue;
		char *expression = xasprintf("node(\"%s\")", n->name);

		add_step(cases, statement, n->name, expression);
		free(expression);
	}
}

static int add_each(struct explore_cases *cases, const struct graph *g, const char *statement,
		    struct err *e)
{
	const char *at = statement;
	const struct explore_word *word = next_word(&at);
	const struct explore_word *other = word;
	size_t n = cases->steps.n;

	while (other == word && other) {
		at += strlen(other->name);
		other = next_word(&at);
	}
	if (other)
		return err_set(e, ERR_USAGE,
			       "--each: %s and %s in one statement: one of them can stand for each",
			       word->name, other->name);
	if (!word) {
		add_step(cases, statement, "", "");
		return 0;
	}
	if (word->kind == EACH_LINK)
		add_links(cases, g, statement);
	else
		add_nodes(cases, g, statement, word->kind);
	if (cases->steps.n == n)
		return err_set(e, ERR_USAGE, "--each: %s stands for nothing: the lab has no %s",
			       word->name, word->what);
	return 0;
}

/* ---- cases ---- */

static void add_case(struct explore_cases *cases, const struct explore_case *c, const char *only)
{
	char *text = explore_case_text(cases, c);

	if (!only || strstr(text, only))
		vec_push(&cases->list, *c);
	free(text);
}

int explore_cases_make(struct explore_cases *cases, const struct graph *g,
		       const struct explore_wish *wish, struct err *e)
{
	for (size_t i = 0; i < wish->each->n; i++)
		if (add_each(cases, g, wish->each->at[i], e) < 0)
			return -1;
	for (size_t i = 0; i < cases->steps.n; i++)
		add_case(cases, &(struct explore_case){{i}, 1}, wish->only);
	for (size_t i = 0; wish->pairs && i < cases->steps.n; i++)
		for (size_t k = i + 1; k < cases->steps.n; k++)
			add_case(cases, &(struct explore_case){{i, k}, 2}, wish->only);
	if (!cases->list.n)
		return err_set(e, ERR_USAGE, "--only: nothing that would be done has '%s' in it",
			       wish->only);
	return 0;
}

char *explore_case_text(const struct explore_cases *cases, const struct explore_case *c)
{
	const char *first = cases->steps.at[c->steps[0]].text;

	return c->n_steps > 1 ? xasprintf("%s + %s", first, cases->steps.at[c->steps[1]].text)
			      : xstrdup(first);
}

void explore_cases_finish(struct explore_cases *cases)
{
	for (size_t i = 0; i < cases->steps.n; i++) {
		free(cases->steps.at[i].text);
		free(cases->steps.at[i].statement);
	}
	vec_free(&cases->steps);
	vec_free(&cases->list);
}
