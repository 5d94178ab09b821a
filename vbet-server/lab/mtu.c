/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The substrate says of each direction of a virtual link how long a packet may be; the least of
 * all, and of what the NICs were made for, is what each end of it should have. This compares
 * that with what each NIC has been told, again and again, and tells the difference: so it does
 * not matter what changed, and in which order the news came.
 */
#include "vbet-server/lab/mtu.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MTU_LEAST = 68,  /* of IPv4 (RFC 791), and of what a NIC takes */
	MTU_IPV6 = 1280, /* RFC 8200, section 5 */
	MTU_ANY = 65535,
};

static struct mtu_told *find(const struct lab *lab, const char *node, const char *nic)
{
	for (size_t i = 0; i < lab->mtus.told.n; i++)
		if (!strcmp(lab->mtus.told.at[i].node, node) &&
		    !strcmp(lab->mtus.told.at[i].nic, nic))
			return &lab->mtus.told.at[i];
	return NULL;
}

static void drop(struct lab *lab, struct mtu_told *m)
{
	struct mtu_told gone = *m;

	vec_remove(&lab->mtus.told, (size_t)(m - lab->mtus.told.at));
	free(gone.node);
	free(gone.nic);
}

unsigned mtu_of_nic(const struct lab *lab, size_t node, size_t nic)
{
	const struct graph_node *n = &lab->graph->nodes[node];
	const struct mtu_told *m = find(lab, n->name, n->nics[nic].name);

	return m ? m->mtu : n->nics[nic].mtu;
}

/* End k of a virtual link, as the substrate names it: the direction from there, or the member. */
static char *part_name(const struct graph *g, const struct graph_vlink *v, size_t k)
{
	const struct graph_node *n = &g->nodes[v->ends[k].node];

	if (v->lan < 0)
		return xasprintf("%s:%s", v->name, k ? "ba" : "ab");
	return xasprintf("%s:%s:%s", v->name, n->name, n->nics[v->ends[k].nic].name);
}

/* One narrow direction counts for both: a peer that may send longer packets would lose them. */
unsigned mtu_of_vlink(const struct lab *lab, const struct graph_vlink *v)
{
	unsigned least = MTU_ANY;

	for (size_t k = 0; k < v->n_ends; k++) {
		const struct graph_end *end = &v->ends[k];
		unsigned made_for = lab->graph->nodes[end->node].nics[end->nic].mtu;
		char *name = part_name(lab->graph, v, k);
		unsigned said = vlinks_mtu(&lab->vlinks, name);

		free(name);
		least = made_for < least ? made_for : least;
		least = said && said < least ? said : least;
	}
	return least < MTU_LEAST ? MTU_LEAST : least;
}

static unsigned wanted(const struct lab *lab, const struct graph_nic *c)
{
	unsigned most = c->vlink < 0 ? c->mtu : mtu_of_vlink(lab, &lab->graph->vlinks[c->vlink]);

	return most < c->mtu ? most : c->mtu;
}

static bool has_news_of_nics(const struct lab *lab, const char *node)
{
	for (size_t i = 0; i < lab->hotplugs.at.n; i++)
		if (!strcmp(lab->hotplugs.at.at[i].node, node))
			return true;
	return false;
}

/* A guest that is not up yet is told when it has booted. */
static bool can_be_told(const struct lab *lab, const struct guest *gu)
{
	return (gu->state == GUEST_UP || gu->state == GUEST_READY) &&
	       !has_news_of_nics(lab, gu->name);
}

static void tell_guest(struct lab *lab, struct guest *gu, const char *nic, unsigned mtu)
{
	char *words = xasprintf("mtu %s %u", nic, mtu);

	/* Before the lab is ready there is no record; in a replay the record has it. */
	if (lab->progress.setting_up)
		agent_control(&gu->agent, words);
	else if (!input_is_replaying(lab))
		input_control(gu, words);
	free(words);
}

/* An end system has no kernel: its socket tells the program. */
static void tell_endsystem(struct lab *lab, const char *node, const char *nic, unsigned mtu)
{
	char *name = xasprintf("%s:%s", node, nic);
	char *line = xasprintf("set %s mtu=%u", name, mtu);

	lab_send_about(lab, name, line, NULL, NULL);
	free(line);
	free(name);
}

static void note(struct lab *lab, const struct graph_node *n, const struct graph_nic *c,
		 unsigned mtu)
{
	struct mtu_told *m = find(lab, n->name, c->name);

	if (m && mtu == c->mtu) {
		fprintf(stderr, "%s: %s has its MTU of %u again\n", n->name, c->name, mtu);
		drop(lab, m);
		return;
	}
	if (!m) {
		m = vec_add(&lab->mtus.told);
		m->node = xstrdup(n->name);
		m->nic = xstrdup(c->name);
	}
	m->mtu = mtu;
	fprintf(stderr, "%s: %s has an MTU of %u instead of %u: the path of %s carries no more%s\n",
		n->name, c->name, mtu, c->mtu, lab->graph->vlinks[c->vlink].name,
		mtu < MTU_IPV6 ? ", and with less than 1280 IPv6 is off" : "");
}

static void update_standing(struct lab *lab, void *ctx)
{
	lab->mtus.waits = false;
	mtu_update(lab);
}

/*
 * By the virtual clock guests are told while it stands. During the set-up it often stands
 * anyway.
 */
static void wait_for_stand(struct lab *lab)
{
	if (lab->progress.setting_up || lab->mtus.waits)
		return;
	lab->mtus.waits = true;
	input_add(lab, update_standing, NULL);
}

/* Both what is wanted and what was told are at hand, so this may be called at any time. */
static void update_nic(struct lab *lab, size_t node, size_t nic)
{
	const struct graph_node *n = &lab->graph->nodes[node];
	const struct graph_nic *c = &n->nics[nic];
	struct guest *gu = lab->guests[node];
	unsigned mtu = wanted(lab, c);

	if (mtu == mtu_of_nic(lab, node, nic) || (gu && !can_be_told(lab, gu)))
		return;
	if (lab->clock.is_virtual && !lab->clock.stopped) {
		wait_for_stand(lab);
		return;
	}
	if (gu)
		tell_guest(lab, gu, c->name, mtu);
	else
		tell_endsystem(lab, n->name, c->name, mtu);
	note(lab, n, c, mtu);
}

void mtu_update(struct lab *lab)
{
	for (size_t i = 0; i < lab->graph->n_nodes; i++) {
		const struct graph_node *n = &lab->graph->nodes[i];

		if (!n->n_vnets || (!lab->guests[i] && n->kind != NODE_ENDSYSTEM))
			continue;
		for (size_t j = 0; j < n->n_nics; j++)
			update_nic(lab, i, j);
	}
}

/* A kernel that boots, or a NIC that is made, has the MTU of the graph again. */
void mtu_forget(struct lab *lab, const char *node)
{
	for (size_t i = lab->mtus.told.n; i-- > 0;)
		if (!strcmp(lab->mtus.told.at[i].node, node))
			drop(lab, &lab->mtus.told.at[i]);
}

void mtu_finish(struct lab *lab)
{
	while (lab->mtus.told.n)
		drop(lab, &lab->mtus.told.at[lab->mtus.told.n - 1]);
	vec_free(&lab->mtus.told);
}
