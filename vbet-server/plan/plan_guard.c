/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What keeps strangers out of a substrate LAN. Its frames are told apart by VLAN and by the address
 * of their sender, both of which any station on the same switch could write. So every switch of the
 * LAN is told where the members live (`stations`, vswitch/guard.h), and carries the LAN's VLAN only
 * to ports behind which there are members: those become trunks of it, with VLAN 1 for frames
 * without a tag. All other ports are then in VLAN 1 alone: tags with a VLAN are dropped where they
 * come in, and priorities do not get further. What the script itself says of a port's VLANs stays.
 *
 * A hub hands everything to everybody: who shares one with a member cannot be kept out.
 */
#include "vbet-server/plan/plan_build.h"

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Who can be reached by one port of a switch. */
struct beyond {
	const struct graph *g;
	int from;   /* the switch */
	bool *seen; /* by node */
};

static bool passes_frames(const struct graph_node *n)
{
	return n->kind == NODE_SWITCH || n->kind == NODE_HUB;
}

static void look_at_end(struct beyond *v, struct graph_end end);

static void look_through(struct beyond *v, int node)
{
	const struct graph_node *n = &v->g->nodes[node];

	for (size_t i = 0; i < n->n_nics; i++)
		look_at_end(v, (struct graph_end){node, (int)i});
}

/* At the other end of the cable that is plugged in here. */
static void look_at_end(struct beyond *v, struct graph_end end)
{
	const struct graph_nic *c = &v->g->nodes[end.node].nics[end.nic];

	if (c->cable < 0)
		return;
	int node = v->g->cables[c->cable].end[!c->cable_end].node;

	if (node == v->from || v->seen[node])
		return;
	v->seen[node] = true;
	if (passes_frames(&v->g->nodes[node]))
		look_through(v, node);
}

/* Is the member behind that port? A substrate node may have another interface on the same LAN. */
static bool is_behind(const struct beyond *v, struct graph_end member, struct graph_end port)
{
	const struct graph_nic *m = &v->g->nodes[member.node].nics[member.nic];

	if (m->cable < 0)
		return false;
	struct graph_end other = v->g->cables[m->cable].end[!m->cable_end];

	return (other.node == port.node && other.nic == port.nic) ||
	       (other.node != port.node && v->seen[other.node]);
}

static bool says_vlans(const struct graph_nic *port)
{
	static const char *const keys[] = {"vlan", "trunk", "native", "mirror"};

	for (size_t i = 0; i < port->n_params; i++)
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			if (!strcmp(port->params[i].key, keys[k]))
				return true;
	return false;
}

/* Appends to a list joined by commas: the key first, if it is not there yet. */
static void put_item(FILE *f, const char *key, bool *begun, const char *item)
{
	if (*begun)
		fprintf(f, ",%s", item);
	else
		fprintf(f, " %s=%s", key, item);
	*begun = true;
}

static void put_members(FILE *f, const struct beyond *v, struct graph_end port)
{
	bool begun = false;
	char mac[24];

	for (size_t l = 0; l < v->g->n_slinks; l++)
		for (size_t i = 0; i < v->g->slinks[l].n_ends; i++) {
			struct graph_end m = v->g->slinks[l].ends[i];

			if (v->g->slinks[l].kind == SLINK_LAN && is_behind(v, m, port))
				put_item(f, "stations", &begun,
					 addr_format_mac(v->g->nodes[m.node].nics[m.nic].mac, mac,
							 sizeof(mac)));
		}
}

/* True if a member of that LAN is behind the port. */
static bool has_member(const struct beyond *v, const struct graph_slink *lan, struct graph_end port)
{
	for (size_t i = 0; i < lan->n_ends; i++)
		if (is_behind(v, lan->ends[i], port))
			return true;
	return false;
}

static void put_vlans(FILE *f, const struct beyond *v, struct graph_end port)
{
	bool begun = false, any = false;
	char vlan[16];

	for (size_t l = 0; l < v->g->n_slinks; l++) {
		const struct graph_slink *lan = &v->g->slinks[l];

		if (lan->kind != SLINK_LAN || !has_member(v, lan, port))
			continue;
		any = true;
		snprintf(vlan, sizeof(vlan), "%u", lan->vlan);
		if (lan->vlan)
			put_item(f, "trunk", &begun, vlan);
	}
	if (any)
		fputs(" native=1", f);
}

static bool has_lans(const struct graph *g)
{
	for (size_t l = 0; l < g->n_slinks; l++)
		if (g->slinks[l].kind == SLINK_LAN)
			return true;
	return false;
}

void plan_guard_port(const struct builder *b, FILE *f, struct graph_end port)
{
	struct beyond v = {.g = b->g, .from = port.node};

	if (b->g->nodes[port.node].kind != NODE_SWITCH || !has_lans(b->g))
		return;
	v.seen = xcalloc(b->g->n_nodes + 1, sizeof(*v.seen));
	look_at_end(&v, port);
	if (!says_vlans(&b->g->nodes[port.node].nics[port.nic]))
		put_vlans(f, &v, port);
	put_members(f, &v, port);
	free(v.seen);
}
