/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which addresses guests have: DHCP, SLAAC or a user at a shell may give them others than the
 * script did.
 *
 * Nothing is asked for and nothing is sent: guests say what changes, at exact times in virtual
 * time, and whoever needs an address reads what they said so far. What they said before the clock
 * came to stand has been heard by then (clock.c), so equal runs know the same.
 *
 * A guest may say anything. What is no address is not heard, and there is an end to how many are
 * kept (LEARNED_MAX).
 */
#include "vbet-server/lab/learned.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/plan/address.h"

#include <stdlib.h>
#include <string.h>

static struct learned_address *find(struct guest *gu, const char *nic, const struct addr *addr)
{
	struct learned_address *l;

	VEC_FOREACH (l, &gu->learned.at)
		if (!strcmp(l->nic, nic) && addr_compare(&l->addr, addr) == 0)
			return l;
	return NULL;
}

void learned_hear(struct guest *gu, const struct words *w)
{
	struct learned_address l = {0};

	if (w->n != 4 || strlen(w->at[1]) >= sizeof(l.nic) ||
	    addr_parse(w->at[2], strlen(w->at[2]), &l.addr, NULL) < 0 ||
	    l.addr.prefix == ADDR_NO_PREFIX)
		return;
	struct learned_address *known = find(gu, w->at[1], &l.addr);

	if (!strcmp(w->at[3], "gone")) {
		if (known)
			vec_remove(&gu->learned.at, (size_t)(known - gu->learned.at.at));
		return;
	}
	if (known || gu->learned.at.n == LEARNED_MAX)
		return;
	memcpy(l.nic, w->at[1], strlen(w->at[1]) + 1);
	vec_push(&gu->learned.at, l);
}

void learned_forget(struct guest *gu)
{
	vec_free(&gu->learned.at);
}

static size_t find_nic(const struct graph_node *n, const char *name)
{
	size_t i = 0;

	while (i < n->n_nics && strcmp(n->nics[i].name, name) != 0)
		i++;
	return i;
}

/* Room for one more address; the array of the graph is not ours. */
static void add_address(struct graph_nic *c, const struct addr *addr, struct arena *a)
{
	struct addr *addrs = arena_alloc(a, (c->n_addrs + 1) * sizeof(*addrs));

	if (c->n_addrs)
		memcpy(addrs, c->addrs, c->n_addrs * sizeof(*addrs));
	addrs[c->n_addrs++] = *addr;
	c->addrs = addrs;
}

/*
 * The node as it is now: that of the script with what its guest has said. The graph itself stays as
 * the script made it, for records and plans are made from it and must not depend on what happened
 * in a run. Interfaces that the script does not know (a bridge, a tunnel) come after its own ones,
 * so the first n_nics indices mean the same in both.
 */
struct graph_node *learned_node(const struct lab *lab, size_t node, struct arena *a)
{
	struct graph_node *n = arena_alloc(a, sizeof(*n));
	struct guest *gu = lab->guests[node];
	size_t more = gu ? gu->learned.at.n : 0;
	const struct learned_address *l;

	*n = lab->graph->nodes[node];
	struct graph_nic *nics = arena_alloc(a, (n->n_nics + more + 1) * sizeof(*nics));

	if (n->n_nics)
		memcpy(nics, n->nics, n->n_nics * sizeof(*nics));
	n->nics = nics;
	if (!more)
		return n;
	VEC_FOREACH (l, &gu->learned.at) {
		size_t i = find_nic(n, l->nic);

		if (i == n->n_nics)
			nics[n->n_nics++] = (struct graph_nic){.name = arena_strdup(a, l->nic),
							       .cable = -1,
							       .vlink = -1,
							       .vnet = -1};
		add_address(&nics[i], &l->addr, a);
	}
	return n;
}

/*
 * The address under which `from` reaches `to`: the same choice as address_in() makes, with what
 * both have by now.
 */
struct addr learned_address_in(const struct lab *lab, size_t from, size_t to, int vnet)
{
	struct arena a = {0};
	const struct addr *found =
		address_in(learned_node(lab, from, &a), learned_node(lab, to, &a), vnet, 0);
	struct addr addr = {0};

	if (found)
		addr = *found;
	arena_finish(&a);
	return addr;
}
