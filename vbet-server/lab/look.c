/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which routers should be neighbours is read from the lab as it is when the answers are in: those
 * on a wire with the one that is asked that run the same daemon. What daemons run is read from the
 * plan's init.conf, as that is what the guest has booted with.
 */
#include "vbet-server/lab/look_priv.h"

#include "lib/vec.h"
#include "lib/xalloc.h"
#include "topo/wires.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/plan/judge.h"
#include "vbet-server/plan/judge_table.h"

#include <stdlib.h>
#include <string.h>

static const char *init_conf(const struct lab *lab, const char *node)
{
	char *path = xasprintf("n/%s/j/init.conf", node);
	const char *text = "";

	for (size_t i = 0; i < lab->plan->n_steps; i++)
		if (lab->plan->steps[i].op == PLAN_FILE && !strcmp(lab->plan->steps[i].name, path))
			text = lab->plan->steps[i].text;
	free(path);
	return text;
}

static bool runs(const struct lab *lab, const char *node, const char *daemon)
{
	char *line = xasprintf("\nservice %s ", daemon);
	bool found = strstr(init_conf(lab, node), line) != NULL;

	free(line);
	return found;
}

/* By guest, whether it runs the daemon; malloc'ed. */
static bool *find_speakers(const struct lab *lab, const char *daemon)
{
	bool *speaks = xcalloc(lab->n_guests, sizeof(*speaks));

	for (size_t i = 0; i < lab->n_guests; i++)
		speaks[i] = lab->guests[i] && runs(lab, lab->guests[i]->name, daemon);
	return speaks;
}

static int read_route(struct look *l, struct err *e)
{
	if (l->words.n < 4)
		return err_set(e, ERR_USAGE, "look route NODE DEST [KEY=VALUE...]");
	const char *table = words_get(&l->words, "table");

	l->is_route = true;
	l->table = table ? judge_find_table(table) : NULL;
	if (table && (!l->table || !judge_table_command(l->table, &l->words)))
		return err_set(e, ERR_USAGE, "no table '%s' has such routes", table);
	vec_push(&l->nodes, l->words.at[2]);
	return 0;
}

static bool is_name(const struct words *w, size_t i)
{
	return i < w->n && !strchr(w->at[i], '=');
}

static int read_neighbor(struct lab *lab, struct look *l, struct err *e)
{
	const struct words *w = &l->words;

	l->protocol = w->n > 2 ? judge_find_protocol(w->at[2]) : NULL;
	if (!l->protocol)
		return err_set(e, ERR_USAGE, "look neighbor PROTOCOL [NODE [PEER]] [state=STATE]");
	if (is_name(w, 3))
		vec_push(&l->nodes, w->at[3]);
	if (is_name(w, 3) && is_name(w, 4))
		l->peer = w->at[4];
	bool *speaks = is_name(w, 3) ? NULL : find_speakers(lab, l->protocol->daemon);

	for (size_t i = 0; speaks && i < lab->n_guests; i++)
		if (speaks[i])
			vec_push(&l->nodes, arena_strdup(&l->arena, lab->guests[i]->name));
	free(speaks);
	return l->nodes.n
		       ? 0
		       : err_set(e, ERR_USAGE, "no node of the lab runs %s", l->protocol->daemon);
}

static bool all_are_there(struct lab *lab, const struct look *l, struct err *e)
{
	for (size_t i = 0; i < l->nodes.n; i++)
		if (!lab_find_guest(lab, l->nodes.at[i], e))
			return false;
	return !l->peer || lab_find_guest(lab, l->peer, e);
}

struct look *look_create(struct lab *lab, const struct words *w, struct err *e)
{
	struct look *l = xcalloc(1, sizeof(*l));
	size_t skip = w->n > 1 && !strncmp(w->at[1], "timeout_ms=", 11);

	l->timeout = arena_strdup(&l->arena, skip ? w->at[1] : "timeout_ms=0");
	l->words.at = arena_alloc(&l->arena, (w->n + 1) * sizeof(char *));
	for (size_t i = 0; i < w->n; i++)
		if (i != 1 || !skip)
			l->words.at[l->words.n++] = arena_strdup(&l->arena, w->at[i]);
	const char *kind = l->words.n > 1 ? l->words.at[1] : "";
	int rc = !strcmp(kind, "route")      ? read_route(l, e)
		 : !strcmp(kind, "neighbor") ? read_neighbor(lab, l, e)
					     : look_fib_read(lab, l, e);

	if (rc == 0 && all_are_there(lab, l, e))
		return l;
	look_destroy(l);
	return NULL;
}

void look_destroy(struct look *l)
{
	if (!l)
		return;
	vec_free(&l->nodes);
	arena_finish(&l->arena);
	free(l);
}

size_t look_n_nodes(const struct look *l)
{
	return l->nodes.n;
}

const char *look_node(const struct look *l, size_t i)
{
	return l->nodes.at[i];
}

const char *look_question(const struct look *l, struct arena *a)
{
	if (l->fib)
		return arena_printf(a, "look %s fib all all", l->timeout);
	if (l->table)
		return arena_printf(a, "look %s vty %s %s", l->timeout, l->table->daemon,
				    words_quote(a, judge_table_command(l->table, &l->words)));
	if (l->is_route) {
		const char *via = words_get(&l->words, "via");
		bool is_6 = strchr(l->words.at[3], ':') ||
			    (via && strchr(via, ':') && !strcmp(l->words.at[3], "default"));

		const char *vnet = words_get(&l->words, "vnet");

		return arena_printf(a, "look %s routes %d %s%s%s", l->timeout, is_6 ? 6 : 4,
				    words_quote(a, l->words.at[3]), vnet ? " vnet=" : "",
				    vnet ? vnet : "");
	}
	return arena_printf(a, "look %s vty %s %s", l->timeout, l->protocol->daemon,
			    words_quote(a, l->protocol->command));
}

/* ---- who should be whose neighbour ---- */

/* NICs of a that hear one of b's; those on a wire of their own: nobody else is there. */
static void find_shared(const struct lab *lab, const struct wires *w, size_t a, size_t b,
			struct judge_peer *peer, struct arena *arena)
{
	const struct graph *g = lab->graph;
	const struct graph_node *n = &g->nodes[a];

	peer->devs = arena_alloc(arena, (n->n_nics + 1) * sizeof(char *));
	for (size_t i = 0; i < n->n_nics; i++) {
		size_t wire = wires_of_nic(w, a, i);
		size_t others = 0;
		bool is_shared = false;

		for (size_t k = 0; k < g->n_nodes; k++)
			for (size_t m = 0; k != a && lab->guests[k] && m < g->nodes[k].n_nics; m++)
				if (wires_of_nic(w, k, m) == wire) {
					others++;
					is_shared |= k == b;
				}
		peer->is_near |= is_shared;
		if (is_shared && others == 1)
			peer->devs[peer->n_devs++] = n->nics[i].name;
	}
}

static struct judge_peer peer_of(const struct lab *lab, const struct wires *w, size_t from,
				 size_t to, struct arena *a)
{
	const struct graph_node *n = learned_node(lab, to, a);
	struct judge_peer p = {.node = n->name, .hostname = n->hostname};
	size_t room = 0;

	for (size_t i = 0; i < n->n_nics; i++)
		room += n->nics[i].n_addrs;
	p.addrs = arena_alloc(a, (room + 1) * sizeof(*p.addrs));
	for (size_t i = 0; i < n->n_nics; i++)
		for (size_t k = 0; k < n->nics[i].n_addrs; k++)
			p.addrs[p.n_addrs++] = n->nics[i].addrs[k];
	if (w)
		find_shared(lab, w, from, to, &p, a);
	return p;
}

/* speaks: NULL if nobody has to be a neighbour for being near. */
static bool judge_node(struct lab *lab, const struct look *l, const struct wires *w,
		       const bool *speaks, size_t i, const char *text, FILE *out)
{
	struct arena a = {0};
	struct judge_neighbors q = {
		.protocol = l->protocol,
		.node = l->nodes.at[i],
		.state = words_get(&l->words, "state"),
		.is_all = !l->peer,
		.tells_all = words_get(&l->words, "all") != NULL,
	};
	int from = graph_find_node(lab->graph, q.node);

	q.peers = arena_alloc(&a, (lab->n_guests + 1) * sizeof(*q.peers));
	for (size_t k = 0; from >= 0 && k < lab->n_guests; k++) {
		if (!lab->guests[k] || (int)k == from)
			continue;
		if (l->peer ? strcmp(lab->guests[k]->name, l->peer) != 0 : !speaks || !speaks[k])
			continue;
		struct judge_peer p = peer_of(lab, w, (size_t)from, k, &a);

		if (l->peer || p.is_near)
			q.peers[q.n_peers++] = p;
	}
	bool holds = judge_neighbors(&q, text, out);

	arena_finish(&a);
	return holds;
}

bool look_judge(struct lab *lab, const struct look *l, const struct look_answer *answers, FILE *out)
{
	if (l->fib)
		return look_fib_judge(lab, l, answers, out);
	bool by_wire = !l->is_route && (l->peer || l->protocol->is_on_wire);
	struct wires *w = by_wire ? wires_create(lab->graph) : NULL;
	bool *speaks = w && !l->peer ? find_speakers(lab, l->protocol->daemon) : NULL;
	bool holds = true;

	for (size_t i = 0; i < l->nodes.n; i++) {
		if (!answers[i].is_whole) {
			fprintf(out, "%s: %s\n", l->nodes.at[i], answers[i].text);
			holds = l->table && judge_table_wants_absence(&l->words);
		} else if (l->table) {
			holds &= judge_table_routes(l->table, &l->words, answers[i].text, out);
		} else if (l->is_route) {
			holds &= judge_routes(&l->words, answers[i].text, out);
		} else {
			holds &= judge_node(lab, l, w, speaks, i, answers[i].text, out);
		}
	}
	free(speaks);
	wires_destroy(w);
	return holds;
}
