/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at the forwarding tables of all guests (plan/forward.h). A guest that is down, or does not
 * answer, is not there: packets get no further than to its wire.
 */
#include "vbet-server/lab/look_priv.h"

#include "lib/rng.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/plan/address.h"
#include "vbet-server/plan/forward.h"

#include <stdlib.h>
#include <string.h>

struct look_fib_kind {
	const char *name;
	int n_words; /* "look" among them; further ones are KEY=VALUE */
	bool (*judge)(struct lab *lab, const struct look *l, const struct forward *f, FILE *out);
};

/* ---- ways ---- */

/* Where to: the address by which the first node calls the second, or one that is said. */
static bool find_target(struct lab *lab, const struct look *l, size_t *from, struct addr *to,
			FILE *out)
{
	const char *name = l->words.at[3];
	int node = graph_find_node(lab->graph, l->words.at[2]);
	int peer = graph_find_node(lab->graph, name);

	if (node < 0 || !lab->guests[node]) {
		fprintf(out, "there is no node %s\n", l->words.at[2]);
		return false;
	}
	*from = (size_t)node;
	if (peer < 0 && addr_parse(name, strlen(name), to, NULL) == 0)
		return true;
	*to = peer >= 0 ? learned_address_in(lab, (size_t)node, (size_t)peer, ADDRESS_ANY)
			: (struct addr){0};
	if (!to->family)
		fprintf(out, "%s has no address in a network of %s\n", name, l->words.at[2]);
	return to->family != 0;
}

/* The ways as text; malloc'ed, or NULL. */
static char *find_ways(struct lab *lab, const struct look *l, const struct forward *f, FILE *out,
		       bool *all_arrive)
{
	size_t from;
	struct addr to;
	char *ways = NULL;
	size_t len = 0;

	if (!find_target(lab, l, &from, &to, out))
		return NULL;
	FILE *text = xmemstream(&ways, &len);

	forward_find_ways(f, from, &to, text, all_arrive);
	fclose(text);
	return ways;
}

static bool judge_reaches(struct lab *lab, const struct look *l, const struct forward *f, FILE *out)
{
	bool all_arrive = false;
	char *ways = find_ways(lab, l, f, out, &all_arrive);

	if (ways)
		fprintf(out, "%s", *ways == '\n' && !ways[1] ? "directly\n" : ways);
	free(ways);
	return all_arrive;
}

/* There is one way only, and it is that. */
static bool judge_path(struct lab *lab, const struct look *l, const struct forward *f, FILE *out)
{
	const char *want = words_get(&l->words, "want.text");
	const char *op = words_get(&l->words, "want.op");
	bool all_arrive = false;
	char *ways = find_ways(lab, l, f, out, &all_arrive);
	size_t len = want ? strlen(want) : 0;

	if (!ways || !want)
		return false;
	bool is_same =
		all_arrive && !strncmp(ways, want, len) && ways[len] == '\n' && !ways[len + 1];

	fprintf(out, "%s", *ways == '\n' && !ways[1] ? "directly\n" : ways);
	free(ways);
	return is_same != (op && !strcmp(op, "!="));
}

/* ---- all tables ---- */

static bool judge_loop(struct lab *lab, const struct look *l, const struct forward *f, FILE *out)
{
	return !forward_has_loop(f, out);
}

static bool judge_hole(struct lab *lab, const struct look *l, const struct forward *f, FILE *out)
{
	return !forward_has_hole(f, out);
}

static bool judge_unreached(struct lab *lab, const struct look *l, const struct forward *f,
			    FILE *out)
{
	forward_print_unreached(f, out);
	return true;
}

static const struct look_fib_kind kinds[] = {
	{"path", 4, judge_path},    {"reaches", 4, judge_reaches},
	{"no_loop", 2, judge_loop}, {"no_blackhole", 2, judge_hole},
	{"tables", 2, NULL},        {"unreached", 2, judge_unreached},
};

int look_fib_read(struct lab *lab, struct look *l, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds) && l->words.n > 1; i++)
		if (!strcmp(kinds[i].name, l->words.at[1]) &&
		    l->words.n >= (size_t)kinds[i].n_words)
			l->fib = &kinds[i];
	if (!l->fib)
		return err_set(e, ERR_USAGE,
			       "look: there is route, neighbor, path, reaches, no_loop, "
			       "no_blackhole, unreached and tables");
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i])
			vec_push(&l->nodes, arena_strdup(&l->arena, lab->guests[i]->name));
	return 0;
}

static void add_addresses(struct lab *lab, struct forward *f, size_t node)
{
	struct arena a = {0};
	const struct graph_node *n = learned_node(lab, node, &a);

	for (size_t i = 0; i < n->n_nics; i++)
		for (size_t k = 0; k < n->nics[i].n_addrs; k++)
			forward_add_address(f, node, n->nics[i].name, &n->nics[i].addrs[k]);
	arena_finish(&a);
}

/* The same text as long as nothing changes; a node that has no tables is named, too. */
static bool print_hashes(const struct look *l, const struct look_answer *answers, FILE *out)
{
	for (size_t i = 0; i < l->nodes.n; i++) {
		const char *text = answers[i].is_whole ? answers[i].text : "";
		uint64_t hash = hash_fnv1a(text, strlen(text), HASH_FNV1A_START);

		fprintf(out, "%s %016llx\n", l->nodes.at[i], (unsigned long long)hash);
	}
	return true;
}

bool look_fib_judge(struct lab *lab, const struct look *l, const struct look_answer *answers,
		    FILE *out)
{
	if (!l->fib->judge)
		return print_hashes(l, answers, out);
	struct forward *f = forward_create(lab->graph);

	if (!f) {
		fputs("the lab is too large to be looked at\n", out);
		return false;
	}
	for (size_t i = 0; i < l->nodes.n; i++) {
		int node = graph_find_node(lab->graph, l->nodes.at[i]);

		if (node < 0 || !answers[i].is_whole)
			continue;
		add_addresses(lab, f, (size_t)node);
		forward_add_table(f, (size_t)node, answers[i].text);
	}
	bool holds = l->fib->judge(lab, l, f, out);

	forward_destroy(f);
	return holds;
}
