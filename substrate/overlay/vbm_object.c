/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. The manager itself (vbm.h) is pure: it hears what nodes want and says what they get. Here
 * it talks to the traffic managers of all nodes on the LAN: to the neighbours by messages, to the
 * own node's directly. A node's manager may answer at once and make the VBM say more, so run() goes
 * on until nobody has anything to say, and is not entered twice.
 *
 * It also gives the VLIs of multi-access virtual links. Those are no small numbers, but follow from
 * the key, the vNet and this life of the node: what an earlier life gave is never given to another
 * vNet, and nobody who lacks the key guesses one.
 */
#include "substrate/overlay/vbm_object.h"

#include "lib/minmax.h"
#include "lib/siphash.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "substrate/overlay/overlay_words.h"
#include "substrate/rate/vbm.h"

#include <stdlib.h>

/* A multi-access virtual link, and the nodes that have joined it. */
struct group {
	char *vnet, *group; /* owned */
	uint32_t vli;
	VEC(char *) nodes; /* owned */
};

struct vbm_object {
	struct object object;
	struct slink *slink;
	struct vbm *vbm; /* owned */
	int64_t rate_bps;
	VEC(struct group *) groups; /* owned */
	struct vli_table vlis;
	bool running; /* messages are being sent */
};

/* Sends all that the manager has to say. */
static void run(struct vbm_object *v, int64_t now_ns)
{
	struct snode *n = v->slink->node;
	struct vbm_message m;

	/* Called again from snode_settle() below: the loop goes on there. */
	if (v->running)
		return;
	v->running = true;
	while (vbm_next_message(v->vbm, &m)) {
		char *body = NULL;
		size_t len = 0;

		if (!strcmp(m.node, n->object.name)) {
			tm_hear_vbm(v->slink->lan, m.vnet, &m.give, !m.answer, now_ns);
			snode_settle(n, now_ns);
			continue;
		}
		struct neighbour *b = slink_find_neighbour(v->slink, m.node);
		struct arena a = {0};

		if (!b)
			continue;
		FILE *f = xmemstream(&body, &len);

		words_put(f, arena_printf(&a, "vnet=%s", m.vnet));
		fputc(' ', f);
		grant_give_put(f, &m.give);
		fclose(f);
		conversation_tell(&b->conversation,
				  m.answer ? MESSAGE_AGGREGATE_OK : MESSAGE_AGGREGATE, body,
				  now_ns);
		free(body);
		arena_finish(&a);
	}
	v->running = false;
	snode_wake(n, now_ns);
}

/*
 * What a node's traffic manager says to the VBM: a call if it is here, a message if it is at a
 * neighbour. If nobody is there it is not kept: the manager says its whole state again, later.
 */
void vbm_object_tell(struct slink *l, const char *vnet, const struct grant_ask *ask, bool answer,
		     int64_t now_ns)
{
	struct neighbour *b = slink_vbm_neighbour(l);
	char *body = NULL;
	size_t len = 0;
	struct arena a = {0};

	if (l->vbm) {
		vbm_hear(l->vbm->vbm, l->node->object.name, vnet, ask, !answer, now_ns);
		run(l->vbm, now_ns);
		return;
	}
	if (!b)
		return;
	FILE *f = xmemstream(&body, &len);

	words_put(f, arena_printf(&a, "vnet=%s", vnet));
	fputc(' ', f);
	grant_ask_put(f, ask);
	fclose(f);
	conversation_tell(&b->conversation, answer ? MESSAGE_AGGREGATE_OK : MESSAGE_AGGREGATE, body,
			  now_ns);
	free(body);
	arena_finish(&a);
}

/*
 * Whoever has "limit" in its words is the VBM, and is believed only if it greeted as such; else it
 * is a node that wants something, and the VBM must be here.
 */
static void hear_aggregate(struct neighbour *b, const struct message *m, const struct words *w,
			   int64_t now_ns)
{
	const char *vnet = words_get(w, "vnet");
	struct slink *l = b->slink;
	struct grant_give give;
	struct grant_ask ask;

	if (!vnet || !l->multi_access || !message_name_fits(vnet))
		return;
	if (words_get(w, "limit")) {
		if (b->has_vbm && grant_give_get(w, &give, NULL) == 0)
			tm_hear_vbm(l->lan, vnet, &give, m->type == MESSAGE_AGGREGATE, now_ns);
	} else if (l->vbm && grant_ask_get(w, &ask, NULL) == 0) {
		vbm_hear(l->vbm->vbm, b->name, vnet, &ask, m->type == MESSAGE_AGGREGATE, now_ns);
		run(l->vbm, now_ns);
	}
}

static struct group *find_group(struct vbm_object *v, const char *vnet, const char *group)
{
	for (size_t i = 0; i < v->groups.n; i++) {
		struct group *g = v->groups.at[i];

		if (!strcmp(g->vnet, vnet) && !strcmp(g->group, group))
			return g;
	}
	return NULL;
}

static void free_group(struct group *g)
{
	for (size_t i = 0; i < g->nodes.n; i++)
		free(g->nodes.at[i]);
	vec_free(&g->nodes);
	free(g->vnet);
	free(g->group);
	free(g);
}

static uint32_t make_vli(struct vbm_object *v, struct group *g)
{
	struct snode *n = v->slink->node;
	uint32_t vli = 0;

	for (unsigned i = 0; vli == 0; i++) {
		char *text = xasprintf("%s %s %s %llu %u", v->slink->link, g->vnet, g->group,
				       (unsigned long long)n->instance, i);

		/* i: another number, if this one is taken already. */
		vli = (uint32_t)siphash24(n->key.octets, text, strlen(text));
		free(text);
		if (!vli_insert(&v->vlis, vli, g))
			vli = 0;
	}
	return vli;
}

/* Joining twice changes nothing: a request whose answer was lost is made again. */
uint32_t vbm_object_join(struct vbm_object *v, const char *node, const char *vnet,
			 const char *group)
{
	struct group *g = find_group(v, vnet, group);

	if (!g) {
		g = xcalloc(1, sizeof(*g));
		g->vnet = xstrdup(vnet);
		g->group = xstrdup(group);
		g->vli = make_vli(v, g);
		vec_push(&v->groups, g);
	}
	for (size_t i = 0; i < g->nodes.n; i++)
		if (!strcmp(g->nodes.at[i], node))
			return g->vli;
	vec_push(&g->nodes, xstrdup(node));
	return g->vli;
}

static void take_node_out(struct vbm_object *v, size_t at, const char *node)
{
	struct group *g = v->groups.at[at];

	for (size_t i = g->nodes.n; i-- > 0;) {
		if (strcmp(g->nodes.at[i], node) != 0)
			continue;
		free(g->nodes.at[i]);
		vec_remove(&g->nodes, i);
	}
	if (g->nodes.n)
		return;
	vli_release(&v->vlis, g->vli);
	vec_remove(&v->groups, at);
	free_group(g);
}

void vbm_object_leave(struct vbm_object *v, const char *node, const char *vnet, const char *group)
{
	const struct group *g = find_group(v, vnet, group);

	for (size_t i = v->groups.n; g && i-- > 0;) {
		if (v->groups.at[i] != g)
			continue;
		take_node_out(v, i, node);
		return;
	}
}

/*
 * A node that is lost has left every group, and holds nothing of the LAN's rate any more. If it
 * comes back it joins and asks anew.
 */
static void neighbour_lost(struct neighbour *b, const char *why, int64_t now_ns)
{
	struct vbm_object *v = b->slink->vbm;

	if (!v)
		return;
	for (size_t i = v->groups.n; i-- > 0;)
		take_node_out(v, i, b->name);
	vbm_forget(v->vbm, b->name, now_ns);
	run(v, now_ns);
}

/* A neighbour joins a multi-access virtual link, or leaves it. */
static void hear_member(struct neighbour *b, const struct message *m, const struct words *w,
			int64_t now_ns)
{
	const char *vnet = words_get(w, "vnet");
	const char *group = words_get(w, "group");
	struct vbm_object *v = b->slink->vbm;
	char body[32];

	if (!v || !vnet || !group || !message_name_fits(vnet) || !message_name_fits(group)) {
		conversation_refuse(&b->conversation, m->sequence,
				    v ? "without vnet or group" : "the VBM is not here", now_ns);
		return;
	}
	if (m->type == MESSAGE_LEAVE) {
		vbm_object_leave(v, b->name, vnet, group);
		conversation_answer(&b->conversation, m->sequence, MESSAGE_LEFT, "", now_ns);
		return;
	}
	snprintf(body, sizeof(body), "vli=%u", vbm_object_join(v, b->name, vnet, group));
	conversation_answer(&b->conversation, m->sequence, MESSAGE_JOIN_OK, body, now_ns);
}

static int64_t due_ns(const struct snode *n)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < n->links.n; i++)
		if (n->links.at[i]->vbm)
			due = min_i64(due, vbm_due_ns(n->links.at[i]->vbm->vbm));
	return due;
}

static void tick_all(struct snode *n, int64_t now_ns)
{
	for (size_t i = 0; i < n->links.n; i++) {
		struct vbm_object *v = n->links.at[i]->vbm;

		if (!v)
			continue;
		if (vbm_due_ns(v->vbm) <= now_ns)
			vbm_tick(v->vbm, now_ns);
		run(v, now_ns);
	}
}

const struct snode_user vbm_object_snode_user = {.due_ns = due_ns, .tick = tick_all};

static void destroy(struct object *o)
{
	struct vbm_object *v = (struct vbm_object *)o;

	slink_set_vbm(v->slink, NULL, substrate_now_ns(o->sub));
	for (size_t i = 0; i < v->groups.n; i++)
		free_group(v->groups.at[i]);
	vec_free(&v->groups);
	vli_finish(&v->vlis);
	vbm_destroy(v->vbm);
	object_finish(o);
	free(v);
}

static int set(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct vbm_object *v = (struct vbm_object *)o;
	struct words w = {.at = (char **)(uintptr_t)words, .n = n};
	int64_t now = substrate_now_ns(o->sub);
	int64_t rate;

	if (!words_get(&w, "rate"))
		return err_set(e, ERR_USAGE, "only rate= can be set on a VBM");
	if (overlay_read_rate(&w, "rate", &rate, e) < 0 || vbm_set_rate(v->vbm, rate, now, e) < 0)
		return -1;
	v->rate_bps = rate;
	run(v, now);
	return 0;
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct vbm_object *v = (struct vbm_object *)o;
	struct vbm_row r;

	json_string(j, "snode", v->slink->node->object.name);
	json_string(j, "link", v->slink->link);
	json_int(j, "rate_bps", v->rate_bps);
	json_open(j, "rows", '[');
	for (size_t i = 0; vbm_row(v->vbm, i, &r); i++) {
		json_open(j, NULL, '{');
		json_string(j, "vnet", r.vnet);
		if (r.node)
			json_string(j, "snode", r.node);
		json_int(j, "share_bps", r.share_bps);
		json_int(j, "min_bps", r.min_bps);
		json_int(j, "want_bps", r.want_bps);
		json_int(j, "limit_bps", r.limit_bps);
		json_int(j, "held_bps", r.held_bps);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "multi", '[');
	for (size_t i = 0; i < v->groups.n; i++) {
		const struct group *g = v->groups.at[i];

		json_open(j, NULL, '{');
		json_string(j, "vnet", g->vnet);
		json_string(j, "group", g->group);
		json_uint(j, "vli", g->vli);
		json_uint(j, "nodes", g->nodes.n);
		json_close(j, '}');
	}
	json_close(j, ']');
}

const struct object_kind vbm_object_kind = {
	.name = "vbm", .destroy = destroy, .set = set, .status = status};

static void link_gone(struct slink *l, int64_t now_ns)
{
	if (l->vbm)
		destroy(&l->vbm->object);
}

const struct link_user vbm_object_link_user = {
	.request = {[MESSAGE_JOIN] = hear_member, [MESSAGE_LEAVE] = hear_member},
	.tell = {[MESSAGE_AGGREGATE] = hear_aggregate, [MESSAGE_AGGREGATE_OK] = hear_aggregate},
	.lost = neighbour_lost,
	.gone = link_gone,
};

int vbm_object_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *node = object_find_kind(s, w->at[2], &snode_kind, e);
	const char *link = words_get(w, "link");
	int64_t rate;

	if (!node || overlay_read_rate(w, "rate", &rate, e) < 0)
		return -1;
	struct slink *l = link ? slink_find((struct snode *)node, link) : NULL;

	if (!l || !l->multi_access || !rate)
		return err_set(e, ERR_USAGE,
			       "a VBM needs link=, a multi-access link of its node, and rate=");
	if (l->vbm)
		return err_set(e, ERR_USAGE, "%s has a VBM already", link);
	struct vbm_object *v = xcalloc(1, sizeof(*v));

	if (object_add(&v->object, s, &vbm_object_kind, w->at[1], e) < 0) {
		free(v);
		return -1;
	}
	v->slink = l;
	v->rate_bps = rate;
	v->vbm = vbm_create(rate);
	slink_set_vbm(l, v, substrate_now_ns(s));
	return 0;
}

int vbm_object_cmd_share(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *o = object_find_kind(s, w->at[1], &vbm_object_kind, e);
	const char *percent = words_get(w, "percent");
	int64_t now = substrate_now_ns(s);
	int64_t ppm;

	if (!o)
		return -1;
	if (!percent || unit_parse(UNIT_PPM, percent, &ppm, e) < 0)
		return percent ? err_wrap(e, "percent")
			       : err_set(e, ERR_USAGE, "a share needs percent=");
	struct vbm_object *v = (struct vbm_object *)o;

	if (!message_name_fits(w->at[2]))
		return err_set(e, ERR_USAGE, "the name of the vNet is too long");
	if (vbm_set_share(v->vbm, w->at[2], ppm, now, e) < 0)
		return -1;
	run(v, now);
	return 0;
}
