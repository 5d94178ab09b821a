/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events and checks when the script is through: what they speak of is there, and one thing only. */
#include "topo/event.h"

static bool is_there(const struct world_node *n)
{
	return !n || !n->is_removed;
}

static bool is_whole(const struct world_cable *c)
{
	return !c || (!c->is_removed && c->end[0] && c->end[1]);
}

/* Is it in the ordinary network, too? */
static bool is_ordinary(const struct world_node *n)
{
	bool has_cable = !n->n_vnets;

	for (size_t i = 0; i < n->n_nics; i++)
		has_cable |= n->nics[i]->cable != NULL;
	return has_cable;
}

/*
 * A node in several vNets pings by the network that it shares with the other one. Where it shares
 * several, the script says which is meant.
 */
static void choose_network(struct eval *ev, struct world_expect *e)
{
	struct world_vnet *found = NULL;
	size_t n = 0;

	if (e->kind != CHECK_PING || !e->peer || e->vnet || e->node->n_vnets < 2)
		return;
	for (size_t i = 0; i < e->node->n_vnets; i++) {
		if (!world_is_in_vnet(e->peer, e->node->vnets[i]))
			continue;
		found = e->node->vnets[i];
		n++;
	}
	if (n && is_ordinary(e->node) && is_ordinary(e->peer))
		n++;
	if (n > 1)
		eval_wrong(ev, e->loc,
			   "%s and %s have %zu networks in common: say which is meant, as in "
			   "ping(%s, %s, vnet = %s)",
			   e->node->name, e->peer->name, n, e->node->name, e->peer->name,
			   found->name);
	e->vnet = found;
}

/*
 * At the console a node may be freed of which an event speaks: the event goes with it. In a script
 * that is a mistake.
 */
void event_check(struct eval *ev, bool is_live)
{
	struct world_event **event = &ev->world->events;
	struct world_expect **expect = &ev->world->expects;

	while (*event) {
		struct world_event *e = *event;

		if (is_there(e->node) && is_whole(e->cable)) {
			event = &e->next;
			continue;
		}
		if (!is_live)
			eval_wrong(ev, e->loc, "%s",
				   e->cable ? "the cable has a loose end, or is gone"
					    : "the node is gone");
		*event = e->next;
	}
	while (*expect) {
		struct world_expect *e = *expect;

		if (is_there(e->node) && is_there(e->peer)) {
			choose_network(ev, e);
			expect = &e->next;
			continue;
		}
		if (!is_live)
			eval_wrong(ev, e->loc, "the node is gone");
		*expect = e->next;
	}
	ev->world->events_end = event;
	ev->world->expects_end = expect;
}
