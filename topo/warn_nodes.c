/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warnings about nodes for themselves, and about the lab as a whole.
 *
 * Only what the script itself says is looked at. A guest may be configured by a command, by a file
 * that comes with its root, or by hand; where that is possible nothing is said.
 */
#include "topo/warn.h"

#include "lib/xalloc.h"
#include "topo/frr_conf.h"
#include "topo/service.h"

#include <string.h>

/* From so many on, it matters how far guests may run ahead of each other. */
enum { MANY_CABLES = 20 };

static bool is_plugged(const struct graph_node *n)
{
	for (size_t i = 0; i < n->n_nics; i++)
		if (n->nics[i].cable >= 0 || n->nics[i].vlink >= 0)
			return true;
	return false;
}

static const struct graph_config *find_config(const struct graph_node *n, const char *daemon)
{
	for (size_t i = 0; i < n->n_configs; i++)
		if (!strcmp(n->configs[i].daemon, daemon))
			return &n->configs[i];
	return NULL;
}

static bool has_file(const struct graph_node *n, const char *path)
{
	for (size_t i = 0; path && i < n->n_files; i++)
		if (!strcmp(n->files[i].path, path))
			return true;
	return false;
}

/*
 * A command that only mentions a daemon is enough to say nothing: a warning that is wrong is worse
 * than one that is missing.
 */
static bool runs(const struct graph_node *n, const char *command)
{
	for (size_t i = 0; i < n->n_commands; i++)
		if (strstr(n->commands[i].text, command))
			return true;
	return false;
}

/* Commands at the start may configure it: by its own name, or all of FRR by vtysh. */
static bool is_configured(const struct graph_node *n, const struct service *s,
			  const struct graph_config *c)
{
	const struct graph_config *frr = find_config(n, SERVICE_FRR);
	bool has_frr_conf = (frr && (frr->text || frr->source)) || has_file(n, SERVICE_FRR_PATH);

	return c->text || c->source || s->is_useful_bare || n->root || has_file(n, s->path) ||
	       (s->is_frr && (has_frr_conf || runs(n, "vtysh"))) || runs(n, s->name);
}

static void check_services(const struct graph_node *n, struct warnings *out)
{
	for (size_t i = 0; i < n->n_configs; i++) {
		const struct graph_config *c = &n->configs[i];
		const struct service *s = service_find(c->daemon);

		if (s && !is_configured(n, s, c))
			warn_add(out, WARN_CONFIG_MISSING, c->pos,
				 "%s of %s runs without any configuration: config(%s, %s, ...), or "
				 "a file %s",
				 s->name, n->name, n->name, s->name, s->path);
	}
}

static bool is_same_network(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->prefix == b->prefix && a->prefix < addr_bits(a) &&
	       !addr_is_link_local(a) && addr_in_net(a, b);
}

static bool warn_pair(const struct graph_node *n, const struct graph_nic *a,
		      const struct graph_nic *b, struct warnings *out)
{
	char one[64];
	char two[64];

	for (size_t i = 0; i < a->n_addrs; i++) {
		for (size_t k = 0; k < b->n_addrs; k++) {
			if (!is_same_network(&a->addrs[i], &b->addrs[k]))
				continue;
			warn_add(out, WARN_NETWORK_TWICE, b->pos,
				 "%s (%s) and %s (%s) of %s are in the same network: only one of "
				 "the two sends to it",
				 a->name, addr_format(&a->addrs[i], true, one, sizeof(one)),
				 b->name, addr_format(&b->addrs[k], true, two, sizeof(two)),
				 n->name);
			return true;
		}
	}
	return false;
}

/* One message for a guest. What it does with tables of its own is its own affair. */
static void check_network_twice(const struct graph_node *n, struct warnings *out)
{
	static const char *const meant[] = {"vrf",   "netns", "bond", "ip rule",
					    "table", "arp_",  NULL};

	if (n->root || warn_node_speaks_of(n, meant))
		return;
	for (size_t i = 0; i < n->n_nics; i++)
		for (size_t k = i + 1; k < n->n_nics; k++)
			if (n->nics[i].vnet == n->nics[k].vnet &&
			    warn_pair(n, &n->nics[i], &n->nics[k], out))
				return;
}

struct reading {
	const struct graph_node *node;
	const struct graph_config *config;
	struct warnings *out;
	bool is_told;
};

/* Once for each text: the first line shows what is meant. */
static void read_line(void *ctx, const struct frr_conf_line *line)
{
	struct reading *r = ctx;

	if (!line->is_needed || r->is_told)
		return;
	r->is_told = true;
	warn_add(r->out, WARN_BFDD_MISSING, r->config->pos,
		 "line %u of the text, '%.*s', wants BFD, and bfdd does not run: service(%s, bfdd)",
		 line->number, line->len < 60 ? (int)line->len : 60, line->text, r->node->name);
}

/* A frr.conf starts what it needs; daemons with files of their own do not. */
static void check_bfd(const struct graph_node *n, struct warnings *out)
{
	if (find_config(n, "bfdd") || find_config(n, SERVICE_FRR) || has_file(n, SERVICE_FRR_PATH))
		return;
	for (size_t i = 0; i < n->n_configs; i++) {
		const struct service *s = service_find(n->configs[i].daemon);
		struct reading r = {n, &n->configs[i], out, false};

		if (s && s->is_frr && r.config->text)
			frr_conf_scan(r.config->text, r.config->text_len, read_line, &r);
	}
}

/*
 * In virtual time nothing but the shortest delay says how far guests may run side by side. One
 * warning for all: with a few such cables it matters little, and a lab with many has them
 * everywhere.
 */
static void check_delays(const struct graph *g, struct warnings *out)
{
	const struct graph_cable *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < g->n_cables && g->clock == CLOCK_VIRTUAL; i++) {
		const struct graph_cable *c = &g->cables[i];

		if (c->dir[0].delay_ns || c->dir[1].delay_ns)
			continue;
		first = first ? first : c;
		n++;
	}
	if (n >= MANY_CABLES)
		warn_add(
			out, WARN_DELAY_MISSING, first->pos,
			"%zu cables have no delay: in virtual time guests then wait for each other "
			"every half microsecond; with delay = 1ms the lab runs faster",
			n);
}

void warn_nodes(const struct graph *g, struct warnings *out)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		const struct graph_node *n = &g->nodes[i];

		if (!node_kind_is_guest(n->kind))
			continue;
		if (!is_plugged(n) && g->n_cables)
			warn_add(out, WARN_UNPLUGGED, n->pos, "%s is connected to nothing",
				 n->name);
		check_network_twice(n, out);
		check_services(n, out);
		check_bfd(n, out);
	}
	check_delays(g, out);
}
