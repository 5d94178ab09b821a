/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/import/mininet.h"

#include "lib/xalloc.h"
#include "vbet-server/import/command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARGS = 3 };

struct builder {
	struct import_model *m;
	size_t hosts, switches; /* so far */
};

/* n: its place among the names in their natural order, from which Mininet makes addresses. */
static size_t add_host(struct builder *b, const char *name, size_t n)
{
	size_t i = model_add_node(b->m, name, IMPORT_HOST);

	model_nic(b->m, i, 0);
	command_add(b->m, i,
		    arena_printf(&b->m->arena, "ip address add 10.%zu.%zu.%zu/8 dev eth0",
				 n >> 16 & 255, n >> 8 & 255, n & 255));
	return i;
}

static size_t add_switch(struct builder *b)
{
	return model_add_node(b->m, arena_printf(&b->m->arena, "s%zu", ++b->switches),
			      IMPORT_SWITCH);
}

static void join(struct builder *b, size_t x, size_t y)
{
	struct import_end ends[2] = {{x, b->m->nodes.at[x].nics.n}, {y, b->m->nodes.at[y].nics.n}};

	for (size_t i = 0; i < 2; i++) {
		if (b->m->nodes.at[ends[i].node].kind == IMPORT_HOST)
			ends[i].nic = 0;
		if (!model_nic(b->m, ends[i].node, ends[i].nic))
			b->m->full = true;
	}
	if (!b->m->full)
		model_add_link(b->m, ends[0], ends[1]);
}

static void add_numbered(struct builder *b, size_t to)
{
	size_t n = ++b->hosts;

	join(b, add_host(b, arena_printf(&b->m->arena, "h%zu", n), n), to);
}

/* ---- the topologies: arguments in the order of their names ---- */

static void make_single(struct builder *b, const size_t *arg)
{
	size_t sw = add_switch(b);

	for (size_t i = 0; i < arg[0] && !b->m->full; i++)
		add_numbered(b, sw);
}

static void make_minimal(struct builder *b, const size_t *arg)
{
	static const size_t two[] = {2};

	make_single(b, two);
}

/* With several hosts at each switch they are called h1s1, h2s1, h1s2. */
static void make_linear(struct builder *b, const size_t *arg)
{
	struct arena *a = &b->m->arena;
	size_t last = 0;

	for (size_t i = 1; i <= arg[0] && !b->m->full; i++) {
		size_t sw = add_switch(b);

		for (size_t k = 1; k <= arg[1] && !b->m->full; k++) {
			const char *name = arg[1] == 1 ? arena_printf(a, "h%zu", i)
						       : arena_printf(a, "h%zus%zu", k, i);

			join(b, add_host(b, name, (k - 1) * arg[0] + i), sw);
		}
		if (i > 1)
			join(b, sw, last);
		last = sw;
	}
}

static void add_branch(struct builder *b, size_t parent, size_t depth, size_t fanout)
{
	for (size_t i = 0; i < fanout && !b->m->full; i++) {
		if (depth == 1) {
			add_numbered(b, parent);
			continue;
		}
		size_t child = add_switch(b);

		join(b, parent, child);
		add_branch(b, child, depth - 1, fanout);
	}
}

static void make_tree(struct builder *b, const size_t *arg)
{
	add_branch(b, add_switch(b), arg[0], arg[1]);
}

static const char *cell(struct builder *b, char kind, size_t x, size_t y, size_t k)
{
	return k ? arena_printf(&b->m->arena, "%c%zux%zux%zu", kind, x + 1, y + 1, k)
		 : arena_printf(&b->m->arena, "%c%zux%zu", kind, x + 1, y + 1);
}

/* A switch is joined to its neighbours on the right and below; the last ones to the first. */
static void make_torus(struct builder *b, const size_t *arg)
{
	size_t *at = xcalloc(arg[0] * arg[1], sizeof(*at));

	for (size_t i = 0; i < arg[0] * arg[1]; i++) {
		size_t x = i / arg[1];
		size_t y = i % arg[1];

		at[i] = model_add_node(b->m, cell(b, 's', x, y, 0), IMPORT_SWITCH);
		b->m->nodes.at[at[i]].has_rstp = true;
		for (size_t k = 1; k <= arg[2] && !b->m->full; k++)
			join(b, add_host(b, cell(b, 'h', x, y, arg[2] > 1 ? k : 0), i * arg[2] + k),
			     at[i]);
	}
	for (size_t i = 0; i < arg[0] * arg[1] && !b->m->full; i++) {
		size_t x = i / arg[1];
		size_t y = i % arg[1];

		join(b, at[i], at[x * arg[1] + (y + 1) % arg[1]]);
		join(b, at[i], at[(x + 1) % arg[0] * arg[1] + y]);
	}
	free(at);
}

static const struct topology {
	const char *name;
	void (*make)(struct builder *b, const size_t *arg);
	size_t n;
	struct {
		const char *name;
		size_t otherwise, min, max;
	} args[MAX_ARGS];
} topologies[] = {
	{"minimal", make_minimal, 0, {{0}}},
	{"single", make_single, 1, {{"k", 2, 1, 1000}}},
	{"reversed", make_single, 1, {{"k", 2, 1, 1000}}},
	{"linear", make_linear, 2, {{"k", 2, 1, 2000}, {"n", 1, 1, 1000}}},
	{"tree", make_tree, 2, {{"depth", 1, 1, 12}, {"fanout", 2, 1, 1000}}},
	{"torus", make_torus, 3, {{"x", 3, 3, 50}, {"y", 3, 3, 50}, {"n", 1, 1, 1000}}},
};

/* ---- the name ---- */

static const struct topology *find(const char *text)
{
	size_t len = strcspn(text, ",");

	for (size_t i = 0; i < ARRAY_LEN(topologies); i++)
		if (strlen(topologies[i].name) == len && !strncmp(topologies[i].name, text, len))
			return &topologies[i];
	return NULL;
}

bool mininet_is_name(const char *text)
{
	return find(text) != NULL;
}

/* "4" in its place, or "k=4". */
static int read_argument(const struct topology *t, char *word, size_t place, size_t *arg,
			 struct err *e)
{
	char *equals = strchr(word, '=');
	const char *number = equals ? equals + 1 : word;
	char *end;

	for (size_t i = 0; equals && i < t->n; i++)
		if (strlen(t->args[i].name) == (size_t)(equals - word) &&
		    !strncmp(t->args[i].name, word, (size_t)(equals - word)))
			place = i;
	if (equals &&
	    (place >= t->n || strncmp(t->args[place].name, word, (size_t)(equals - word)) != 0))
		return err_set(e, ERR_USAGE, "'%.32s': '%s' of Mininet has no such parameter", word,
			       t->name);
	if (place >= t->n)
		return err_set(e, ERR_USAGE, "'%s' of Mininet has %zu parameters", t->name, t->n);
	unsigned long v = strtoul(number, &end, 10);

	if (!isdigit((unsigned char)*number) || *end || v < t->args[place].min ||
	    v > t->args[place].max)
		return err_set(e, ERR_USAGE, "'%.32s': %s of '%s' is a number from %zu to %zu",
			       word, t->args[place].name, t->name, t->args[place].min,
			       t->args[place].max);
	arg[place] = v;
	return 0;
}

int mininet_read(struct import_model *m, const struct import_source *src, const char *text,
		 size_t len, struct err *e)
{
	const struct topology *t = find(text);
	struct builder b = {.m = m};
	size_t arg[MAX_ARGS];
	size_t place = 0;
	char *save = NULL;
	char *copy = arena_strndup(&m->arena, text, len);

	for (size_t i = 0; i < t->n; i++)
		arg[i] = t->args[i].otherwise;
	strtok_r(copy, ",", &save);
	for (char *p = strtok_r(NULL, ",", &save); p; p = strtok_r(NULL, ",", &save), place++)
		if (read_argument(t, p, place, arg, e) < 0)
			return -1;
	m->is_next_nic = true;
	t->make(&b, arg);
	return model_check_size(m, e);
}
