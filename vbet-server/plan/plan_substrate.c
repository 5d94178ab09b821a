/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines for substrate nodes and links, virtual interfaces and links: docs/substrate.md has all of
 * them.
 *
 * A virtual network is put together from below. An S-Node ("snode") has interfaces ("snif"), and
 * each end of a substrate link is an object of its own ("slink"): two S-Nodes may be in different
 * processes or on different machines, and know each other by an address only. A virtual node's NIC
 * is joined by a cable to a virtual interface ("vif") at the S-Node where the node is placed, and a
 * virtual link ("vlink") leads from there, one object for each direction, along the names of the
 * links on its path; the S-Nodes set the rest up by signalling.
 *
 * Each step says what must be there before it (plan_add_need()): when something of the lower layers
 * is replaced, what stands on it is laid anew as well. What may change while frames flow (rates,
 * shares) is told by a line `set`, so that nothing above it has to go.
 */
#include "lib/units.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/plan/plan_build.h"

#include <string.h>
#include <sys/socket.h>

static const struct graph_nic *nic_of(const struct builder *b, struct graph_end end)
{
	return &b->g->nodes[end.node].nics[end.nic];
}

static const char *mac_of(struct builder *b, struct graph_end end)
{
	char mac[24];

	return arena_strdup(&b->plan->arena,
			    addr_format_mac(nic_of(b, end)->mac, mac, sizeof(mac)));
}

/* The IPv4 address of an interface, or NULL. */
static const char *ipv4_of(struct builder *b, struct graph_end end)
{
	const struct graph_nic *nic = nic_of(b, end);
	char text[64];

	for (size_t i = 0; i < nic->n_addrs; i++)
		if (nic->addrs[i].family == AF_INET)
			return arena_strdup(&b->plan->arena,
					    addr_format(&nic->addrs[i], false, text, sizeof(text)));
	return NULL;
}

static const char *rate_text(struct builder *b, int64_t bps)
{
	char text[32];

	return arena_strdup(&b->plan->arena, unit_format(UNIT_RATE, bps, text, sizeof(text)));
}

/*
 * A change of anything but `fixed` is told by the line `set`. `fixed` is the line without what may
 * change: as long as that stays the same, `set` will do.
 */
static void set_live(struct plan_step *s, const char *fixed, const char *set)
{
	s->fixed = fixed;
	s->set = set;
}

/* ---- nodes ---- */

/* An interface has the encapsulation of the substrate links at it. */
static enum graph_encap encap_at(const struct builder *b, struct graph_end end)
{
	for (size_t i = 0; i < b->g->n_slinks; i++) {
		const struct graph_slink *l = &b->g->slinks[i];

		for (size_t k = 0; k < l->n_ends; k++)
			if (l->ends[k].node == end.node && l->ends[k].nic == end.nic)
				return l->encap;
	}
	return ENCAP_ETHERNET;
}

/*
 * What the wire in front of an interface carries; 0: no limit. The interface's scheduler sends no
 * faster than that, so frames wait where virtual links are known, and not in the cable's queue.
 */
static int64_t wire_rate(const struct builder *b, struct graph_end end)
{
	const struct graph_nic *nic = nic_of(b, end);

	return nic->cable < 0 ? 0 : b->g->cables[nic->cable].dir[nic->cable_end].rate_bps;
}

static void plan_interface(struct builder *b, struct graph_end end)
{
	struct arena *a = &b->plan->arena;
	const char *name = plan_end_name(b, end);
	const char *node = b->g->nodes[end.node].name;
	enum graph_encap encap = encap_at(b, end);
	const char *ip = graph_encap_has_ip(encap) ? ipv4_of(b, end) : NULL;
	int64_t rate = wire_rate(b, end);
	const char *words = encap == ENCAP_ETHERNET
				    ? ""
				    : arena_printf(a, " encap=%s%s%s", graph_encap_name(encap),
						   ip ? " addr=" : "", ip ? ip : "");
	const char *fixed =
		arena_printf(a, "snif %s %s mac=%s%s", name, node, mac_of(b, end), words);
	struct plan_step *s = plan_add_at(
		b, end.node, name,
		rate ? arena_printf(a, "%s rate=%s", fixed, rate_text(b, rate)) : fixed);

	set_live(s, fixed, arena_printf(a, "set %s rate=%s", name, rate_text(b, rate)));
	plan_add_need(b, s, node);
}

/*
 * The traffic manager's policy, which may change. A later graph may lack what an earlier one had
 * said: `set` says all of it.
 */
static void add_policy(struct builder *b, const struct graph_node *n, struct plan_step *s)
{
	struct text said, set;
	FILE *line = text_open(&said);
	FILE *change = text_open(&set);

	fputs(s->text, line);
	fprintf(change, "set %s", n->name);
	for (size_t k = 0; k < GRAPH_POLICY_KEYS; k++) {
		const char *key = graph_policy_keys[k];
		const char *value = "default";

		for (size_t i = 0; i < n->n_params; i++)
			if (!strcmp(n->params[i].key, key))
				value = n->params[i].value;
		fprintf(change, " %s=%s", key, value);
		if (strcmp(value, "default") != 0)
			fprintf(line, " %s=%s", key, value);
	}
	const char *fixed = s->text;

	s->text = text_close(b, &said);
	set_live(s, fixed, text_close(b, &set));
}

void plan_substrate_node(struct builder *b, int node)
{
	const struct graph_node *n = &b->g->nodes[node];
	struct text t;
	FILE *f = text_open(&t);

	fprintf(f, "snode %s key=", n->name);
	for (size_t i = 0; i < sizeof(b->env->key); i++)
		fprintf(f, "%02x", b->env->key[i]);
	add_policy(b, n, plan_add_at(b, node, n->name, text_close(b, &t)));
	for (size_t i = 0; i < n->n_nics; i++)
		plan_interface(b, (struct graph_end){node, (int)i});
}

/* What libvnet reads: docs/substrate.md, "End systems". */
static const char *endsystem_conf(struct builder *b, const struct graph_node *n)
{
	struct text t;
	FILE *f = text_open(&t);
	char mac[24];

	fprintf(f, "node %s\nvnet ", n->name);
	words_put(f, b->g->vnets[n->vnets[0]].name);
	fputc('\n', f);
	for (size_t i = 0; i < n->n_nics; i++) {
		const struct graph_nic *c = &n->nics[i];

		addr_format_mac(c->mac, mac, sizeof(mac));
		fprintf(f, "nic %s path=", c->name);
		words_put(f, arena_printf(&b->plan->arena, "%s/n/%s/j/%s", b->env->lab_dir, n->name,
					  c->name));
		fprintf(f, " mac=%s mtu=%u\n", mac, c->mtu);
	}
	return text_close(b, &t);
}

void plan_programs(struct builder *b, int node)
{
	const struct graph_node *n = &b->g->nodes[node];

	for (size_t i = 0; n->kind == NODE_ENDSYSTEM && i < n->n_commands; i++) {
		struct plan_step *s = plan_add_step(
			b, PLAN_PROGRAM, arena_printf(&b->plan->arena, "%s#%zu", n->name, i + 1));

		s->text = arena_strdup(&b->plan->arena, n->commands[i].text);
		s->node = node;
	}
}

/*
 * An end system is a program of the host with libvnet, no guest: its NICs are sockets, and the file
 * says where they are.
 */
void plan_endsystem(struct builder *b, int node)
{
	const struct graph_node *n = &b->g->nodes[node];
	struct plan_step *s;

	plan_add_dirs(b, node);
	s = plan_add_step(b, PLAN_FILE, arena_printf(&b->plan->arena, "n/%s/vnet.conf", n->name));
	s->text = endsystem_conf(b, n);
	s->node = node;
	for (size_t i = 0; i < b->g->nodes[node].n_nics; i++)
		plan_add_nic(b, node, (int)i);
}

/* ---- virtual interfaces ---- */

static int place_of(const struct builder *b, struct graph_end end)
{
	return b->g->nodes[end.node].place;
}

/* "r1:eth0@s1" */
static const char *vif_name(struct builder *b, struct graph_end end)
{
	return arena_printf(&b->plan->arena, "%s@%s", plan_end_name(b, end),
			    b->g->nodes[place_of(b, end)].name);
}

static void plan_vif(struct builder *b, struct graph_end end, const struct graph_vlink *v)
{
	const char *name = vif_name(b, end);
	const char *place = b->g->nodes[place_of(b, end)].name;

	if (plan_is_absent(b, place_of(b, end)))
		return;
	plan_add_need(
		b,
		plan_add_at(b, place_of(b, end), name,
			    arena_printf(&b->plan->arena, "vif %s %s vnet=%s mtu=%u", name, place,
					 b->g->vnets[v->vnet].name, nic_of(b, end)->mtu)),
		place);
}

/* First all interfaces, then the cables to them: a cable names both of its ends. */
void plan_virtual_interfaces(struct builder *b)
{
	struct arena *a = &b->plan->arena;

	for (size_t i = 0; i < b->g->n_vlinks; i++)
		for (size_t k = 0; k < b->g->vlinks[i].n_ends; k++)
			plan_vif(b, b->g->vlinks[i].ends[k], &b->g->vlinks[i]);
	for (size_t i = 0; i < b->g->n_vlinks; i++) {
		for (size_t k = 0; k < b->g->vlinks[i].n_ends; k++) {
			struct graph_end end = b->g->vlinks[i].ends[k];
			const char *nic = plan_end_name(b, end);
			const char *vif = vif_name(b, end);

			if (plan_is_absent(b, end.node) || plan_is_absent(b, place_of(b, end)))
				continue;
			plan_add_cable(
				b, arena_printf(a, "%s-%s", nic, vif),
				(struct plan_end){nic, plan_process_at(b, end.node), NULL},
				(struct plan_end){vif, plan_process_at(b, place_of(b, end)), NULL},
				"", "");
		}
	}
}

/* ---- substrate links ---- */

/* "a@s1" */
static const char *slink_end(struct builder *b, const struct graph_slink *l, int node)
{
	return arena_printf(&b->plan->arena, "%s@%s", l->name, b->g->nodes[node].name);
}

/*
 * The other members of a LAN, as MACs between commas. With such a list nobody else is a member,
 * even if it greets with the right key.
 */
static void put_members(struct builder *b, FILE *f, const struct graph_slink *l, size_t self)
{
	const char *lead = " members=";

	for (size_t i = 0; i < l->n_ends; i++) {
		if (i == self)
			continue;
		fprintf(f, "%s%s", lead, mac_of(b, l->ends[i]));
		lead = ",";
	}
}

static void plan_slink_end(struct builder *b, const struct graph_slink *l, size_t i)
{
	struct graph_end end = l->ends[i];

	if (plan_is_absent(b, end.node))
		return;
	const struct graph_slink *lan = l->lan >= 0 ? &b->g->slinks[l->lan] : l;
	const char *name = slink_end(b, l, end.node);
	struct text t;
	FILE *f = text_open(&t);

	fprintf(f, "slink %s %s link=%s", name, plan_end_name(b, end), l->name);
	if (l->kind == SLINK_LAN) {
		fputs(" multi=1", f);
		put_members(b, f, l, i);
	} else {
		fprintf(f, " peer=%s",
			graph_encap_has_ip(l->encap) ? ipv4_of(b, l->ends[!i])
						     : mac_of(b, l->ends[!i]));
	}
	if (l->kind == SLINK_ACROSS)
		fprintf(f, " vlan=%u priority=%u", lan->vlan, lan->priority);
	plan_add_need(b, plan_add_at(b, end.node, name, text_close(b, &t)), plan_end_name(b, end));
}

/* A vNet uses a LAN if one of its virtual links crosses it point to point. */
static bool uses_lan(const struct graph *g, int vnet, int lan)
{
	for (size_t i = 0; i < g->n_vlinks; i++)
		for (size_t k = 0; k < g->vlinks[i].n_path && g->vlinks[i].vnet == vnet; k++)
			if (g->slinks[g->vlinks[i].path[k]].lan == lan)
				return true;
	return false;
}

/*
 * One node of each LAN divides its rate between the vNets; the others ask it. Shares belong to the
 * manager but are steps of their own, so that a new vNet is one line more. A share is taken back by
 * setting it to 0 %, as there is no object to remove.
 */
static void plan_manager(struct builder *b, int lan)
{
	struct arena *a = &b->plan->arena;
	const struct graph_slink *l = &b->g->slinks[lan];

	if (plan_is_absent(b, l->manager))
		return;
	const char *vbm = arena_printf(a, "vbm@%s", l->name);
	const char *fixed =
		arena_printf(a, "vbm %s %s link=%s", vbm, b->g->nodes[l->manager].name, l->name);
	const char *rate = rate_text(b, l->rate_bps[0]);
	struct plan_step *s =
		plan_add_at(b, l->manager, vbm, arena_printf(a, "%s rate=%s", fixed, rate));

	set_live(s, fixed, arena_printf(a, "set %s rate=%s", vbm, rate));
	plan_add_need(b, s, slink_end(b, l, l->manager));
	for (size_t i = 0; i < b->g->n_vnets; i++) {
		const struct graph_vnet *v = &b->g->vnets[i];
		char share[32];

		if (!uses_lan(b->g, (int)i, lan))
			continue;
		unit_format(UNIT_PPM, v->share_ppm, share, sizeof(share));
		s = plan_add_at(b, l->manager, arena_printf(a, "%s %s", vbm, v->name),
				arena_printf(a, "share %s %s percent=%s", vbm, v->name, share));
		s->undo = arena_printf(a, "share %s %s percent=0%%", vbm, v->name);
		set_live(s, vbm, s->text);
		plan_add_need(b, s, vbm);
	}
}

/* ---- virtual links ---- */

/* The names of the substrate links on the way, from end `from` on. */
static const char *path_text(struct builder *b, const struct graph_vlink *v, int from)
{
	const char *text = "";

	for (size_t i = 0; i < v->n_path; i++) {
		size_t k = from == 0 ? i : v->n_path - 1 - i;

		text = arena_printf(&b->plan->arena, "%s%s%s", text, i ? "," : "",
				    b->g->slinks[v->path[k]].name);
	}
	return text;
}

/* Guarantee and limit are of one direction: each S-Node on the way reserves for what it sends. */
static void plan_direction(struct builder *b, const struct graph_vlink *v, int from)
{
	struct arena *a = &b->plan->arena;

	if (plan_is_absent(b, place_of(b, v->ends[from])))
		return;
	const char *name = arena_printf(a, "%s:%s", v->name, from ? "ba" : "ab");
	const char *near = vif_name(b, v->ends[from]);
	const char *far = vif_name(b, v->ends[!from]);
	const char *min = rate_text(b, v->min_bps[from]);
	const char *max = rate_text(b, v->max_bps[from]);
	const char *fixed = arena_printf(a, "vlink %s %s vnet=%s path=%s to=%s", name, near,
					 b->g->vnets[v->vnet].name, path_text(b, v, from), far);
	struct text t;
	FILE *f = text_open(&t);

	fputs(fixed, f);
	if (v->min_bps[from])
		fprintf(f, " min=%s", min);
	if (v->max_bps[from])
		fprintf(f, " max=%s", max);
	struct plan_step *s = plan_add_at(b, place_of(b, v->ends[from]), name, text_close(b, &t));

	set_live(s, fixed, arena_printf(a, "set %s min=%s max=%s", name, min, max));
	plan_add_need(b, s, near);
	plan_add_need(b, s, far);
}

/*
 * In a multi-access virtual link each member has one object, for what it sends to the group; there
 * is no path, the LAN carries it.
 */
static void plan_member(struct builder *b, const struct graph_vlink *v, struct graph_end end)
{
	struct arena *a = &b->plan->arena;

	if (plan_is_absent(b, place_of(b, end)))
		return;
	const struct graph_slink *lan = &b->g->slinks[v->lan];
	const char *vif = vif_name(b, end);
	const char *name = arena_printf(a, "%s:%s", v->name, plan_end_name(b, end));
	struct plan_step *s =
		plan_add_at(b, place_of(b, end), name,
			    arena_printf(a, "vlink %s %s vnet=%s lan=%s group=%s", name, vif,
					 b->g->vnets[v->vnet].name, lan->name, v->name));

	plan_add_need(b, s, vif);
	plan_add_need(b, s, slink_end(b, lan, place_of(b, end)));
}

/* Links, then managers, then virtual links: each names what comes before it. */
void plan_virtual_networks(struct builder *b)
{
	const struct graph *g = b->g;

	for (size_t i = 0; i < g->n_slinks; i++)
		for (size_t k = 0; k < g->slinks[i].n_ends; k++)
			plan_slink_end(b, &g->slinks[i], k);
	for (size_t i = 0; i < g->n_slinks; i++)
		if (g->slinks[i].kind == SLINK_LAN)
			plan_manager(b, (int)i);
	for (size_t i = 0; i < g->n_vlinks; i++) {
		const struct graph_vlink *v = &g->vlinks[i];

		for (size_t k = 0; k < v->n_ends; k++) {
			if (v->lan >= 0)
				plan_member(b, v, v->ends[k]);
			else
				plan_direction(b, v, (int)k);
		}
	}
}
