/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a guest must be told after a change goes by its agent; its NIC's socket must be there
 * before, so it is noted with the change and told when the substrate has answered. A guest that
 * is booting is told when it is up: its init.conf may be of before or after the change, and
 * being told what it knows already does no harm. One that is down reads all of it when it
 * boots.
 *
 * Told as part of a change it needs no line of the record, for the replay makes the same
 * change; told later it is an input of its own.
 */
#include "vbet-server/lab/hotplug.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <stdlib.h>
#include <string.h>

/* Other changes of a NIC (its MAC, say) cannot be told to a kernel that runs. */
static bool same_addresses(const struct graph_nic *a, const struct graph_nic *b)
{
	char one[80];
	char two[80];

	if (a->n_addrs != b->n_addrs || a->vnet != b->vnet)
		return false;
	for (size_t i = 0; i < a->n_addrs; i++)
		if (strcmp(addr_format(&a->addrs[i], true, one, sizeof(one)),
			   addr_format(&b->addrs[i], true, two, sizeof(two))) != 0)
			return false;
	return true;
}

static char *nic_words(const struct graph *g, const struct graph_node *n, size_t i, bool plug)
{
	const struct graph_nic *c = &n->nics[i];
	const char *vnet = graph_choice_of_vnet(g, n, c->vnet);
	char *text = NULL;
	size_t len = 0;
	char buf[80];
	FILE *f = xmemstream(&text, &len);

	fprintf(f, "nic %s mac=%s mtu=%u", c->name, addr_format_mac(c->mac, buf, sizeof(buf)),
		c->mtu);
	if (graph_nic_is_addressless(g, c))
		fputs(" arp=0", f);
	if (plug)
		fprintf(f, " plug=/vbet/%s", c->name);
	if (vnet)
		fprintf(f, " vnet=%s", vnet);
	for (size_t k = 0; k < c->n_addrs; k++)
		fprintf(f, " addr=%s", addr_format(&c->addrs[k], true, buf, sizeof(buf)));
	fclose(f);
	return text;
}

void hotplug_note(struct lab *lab, const char *node, char *words, bool is_nic)
{
	struct hotplug *h = vec_add(&lab->hotplugs.at);

	h->node = xstrdup(node);
	h->words = words;
	h->is_nic = is_nic;
	h->redone = lab->change.origin == CHANGE_OF_RECORD;
}

void hotplug_collect(struct lab *lab, const struct graph *old, const struct graph *new)
{
	for (size_t i = 0; i < new->n_nodes; i++) {
		const struct graph_node *n = &new->nodes[i];
		int before = graph_find_node(old, n->name);

		if (!node_kind_is_guest(n->kind) || before < 0)
			continue;
		/* One that boots later finds it all in its kernel's arguments and its init.conf. */
		if (!lab->guests[before] || lab->guests[before]->state == GUEST_DOWN)
			continue;
		for (size_t j = 0; j < n->n_nics; j++) {
			bool is_new = j >= old->nodes[before].n_nics;

			const struct graph_nic *was = is_new ? NULL : &old->nodes[before].nics[j];

			if (was && same_addresses(was, &n->nics[j]) &&
			    graph_nic_is_addressless(old, was) ==
				    graph_nic_is_addressless(new, &n->nics[j]))
				continue;
			hotplug_note(lab, n->name, nic_words(new, n, j, is_new), true);
		}
	}
}

void hotplug_tell(struct lab *lab, bool late)
{
	size_t kept = 0;

	for (size_t i = 0; i < lab->hotplugs.at.n; i++) {
		struct hotplug *h = &lab->hotplugs.at.at[i];
		struct guest *gu = lab_find_guest(lab, h->node, NULL);

		if (lab->change.outstanding || (gu && gu->state == GUEST_BOOTING)) {
			/* Not yet. */
			lab->hotplugs.at.at[kept++] = *h;
			continue;
		}
		if (gu && (gu->state == GUEST_UP || gu->state == GUEST_READY)) {
			if (h->is_nic)
				mtu_forget(lab, gu->name);
			if (!late)
				agent_control(&gu->agent, h->words);
			else if (!h->redone)
				input_control(gu, h->words);
		}
		free(h->node);
		free(h->words);
	}
	lab->hotplugs.at.n = kept;
}

void hotplug_finish(struct lab *lab)
{
	for (size_t i = 0; i < lab->hotplugs.at.n; i++) {
		free(lab->hotplugs.at.at[i].node);
		free(lab->hotplugs.at.at[i].words);
	}
	vec_free(&lab->hotplugs.at);
}
