/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. All members on a LAN share one VLI, which the VBM gives to the first that joins and says
 * to each node that asks. A frame goes to one node, if it was learnt where its station is, else as
 * broadcast to all; who has no member of that VLI drops it. Stations are learnt as a switch does,
 * from the sender's address of what comes in: in a table without collision chains, since who is not
 * in it is merely flooded to. Frames wait in a best-effort class of the interface, as the LAN's own
 * traffic does: nobody guarantees what many may send at once.
 *
 * What the VBM gave is void when the VBM cannot be reached: another life of it may give the number
 * to others. So the link is down then, and joins again when the VBM is back.
 */
#include "substrate/overlay/vlink_multi.h"

#include "lib/container_of.h"
#include "substrate/overlay/vbm_object.h"

#include <stdlib.h>

static bool is_group_address(const uint8_t mac[6])
{
	return mac[0] & 1;
}

static struct vlink_multi_station *place_of(struct vlink_multi *m, const uint8_t mac[6])
{
	unsigned h = 0;

	for (int i = 0; i < 6; i++)
		h = h * 31 + mac[i];
	return &m->stations[h % VLINK_MULTI_STATIONS];
}

/* Frames to that address go where frames from it came from last. One station per place of the
 * table. */
static void learn(struct vlink_multi *m, const uint8_t mac[6], struct vif *vif,
		  struct neighbour *neighbour)
{
	struct vlink_multi_station *st = place_of(m, mac);

	if (is_group_address(mac))
		return;
	memcpy(st->mac, mac, 6);
	st->vif = vif;
	st->neighbour = neighbour;
}

static const struct vlink_multi_station *find_station(struct vlink_multi *m, const uint8_t mac[6])
{
	const struct vlink_multi_station *st = place_of(m, mac);

	return !is_group_address(mac) && !memcmp(st->mac, mac, 6) ? st : NULL;
}

/* To all members here but one. */
static void give_all(struct vlink_multi *m, const struct vif *but, struct frame *f, int64_t now_ns)
{
	for (size_t i = 0; i < m->members.n; i++) {
		struct vif *v = m->members.at[i]->vif;

		if (v && v != but)
			vif_receive(v, frame_ref(f), now_ns);
	}
}

/* Onto the LAN: to one node, or to all (NULL). */
static void send_out(struct vlink_multi *m, const struct neighbour *to, struct frame *f,
		     int64_t now_ns)
{
	struct slink *l = m->slink;

	if (!m->vli || f->len > slink_room(l)) {
		*(m->vli ? &m->room_drops : &m->down_drops) += 1;
		frame_unref(f);
		return;
	}
	f = frame_own(f);
	if (f)
		slink_send(l, to, m->vli, m->class, f, now_ns);
	else
		snif_drop(l->snif, NULL, SNIF_NO_MEMORY);
}

/* A frame of a member here. */
static void send_from_vif(struct vif_way *w, struct vif *from, struct frame *f, int64_t now_ns)
{
	struct vlink_multi *m = container_of(w, struct vlink_multi, way);
	const struct vlink_multi_station *st = find_station(m, f->data);

	learn(m, f->data + 6, from, NULL);
	if (st && st->vif) {
		if (st->vif != from)
			vif_receive(st->vif, f, now_ns);
		else
			frame_unref(f);
		return;
	}
	if (!st)
		give_all(m, from, f, now_ns);
	send_out(m, st ? st->neighbour : NULL, f, now_ns);
}

static void way_status(const struct vif_way *w, struct json *j)
{
	json_string(j, "vlink", NULL);
	json_string(j, "lan", container_of(w, const struct vlink_multi, way)->slink->link);
}

static const struct vif_way_kind way_kind = {.send = send_from_vif, .status = way_status};

/* A frame of a neighbour. */
static void take(struct vli_taker *t, struct neighbour *from, struct frame *f, int64_t now_ns)
{
	struct vlink_multi *m = container_of(t, struct vlink_multi, taker);

	m->came_frames++;
	m->came_bytes += f->len + VLINK_OVERHEAD;
	if (f->len < FRAME_MIN) {
		m->room_drops++;
		frame_unref(f);
		return;
	}
	const struct vlink_multi_station *st = find_station(m, f->data);

	learn(m, f->data + 6, NULL, from);
	if (st && st->vif)
		vif_receive(st->vif, frame_ref(f), now_ns);
	else if (!st)
		give_all(m, NULL, f, now_ns);
	frame_unref(f);
}

static void tell_members(struct vlink_multi *m, int64_t now_ns)
{
	for (size_t i = 0; i < m->members.n; i++) {
		struct vlink_listener *listener = m->members.at[i]->listener;

		if (m->vli)
			listener->ops->up(listener, now_ns);
		else if (m->reason)
			listener->ops->down(listener, m->reason, now_ns);
	}
}

/* The old number goes first: nobody may take frames under it any more. */
static void set_vli(struct vlink_multi *m, uint32_t vli, const char *reason, int64_t now_ns)
{
	free(m->reason);
	m->reason = reason ? xstrdup(reason) : NULL;
	vli_release(&m->slink->in, m->vli);
	m->vli = vli;
	if (vli && !vli_insert(&m->slink->in, vli, &m->taker)) {
		m->vli = 0;
		m->reason = xstrdup("the VBM gave a VLI that is in use");
	}
	tell_members(m, now_ns);
}

static void join_done(struct conversation *c, void *ctx, const struct message *answer,
		      const struct words *w, int64_t now_ns)
{
	struct vlink_multi *m = ctx;
	const char *vli = answer && answer->type == MESSAGE_JOIN_OK ? words_get(w, "vli") : NULL;
	const char *reason = answer ? words_get(w, "reason") : "no answer of the VBM";

	m->asking = false; /* a refusal is asked again: the vlinks try anew */
	if (vli)
		set_vli(m, (uint32_t)strtoul(vli, NULL, 10), NULL, now_ns);
	else
		set_vli(m, 0, reason ? reason : "the VBM refused", now_ns);
}

static char *name_of(const struct vlink_multi *m)
{
	struct arena a = {0};
	char *vnet = words_quote(&a, arena_printf(&a, "vnet=%s", m->vnet));
	char *group = words_quote(&a, arena_printf(&a, "group=%s", m->group));
	char *body = xasprintf("%s %s", vnet, group);

	arena_finish(&a);
	return body;
}

/*
 * Three cases: the VBM is here, it is at a neighbour that can be heard, or nobody knows of one.
 * Only one request is under way at a time, however many members ask.
 */
static void ask_vbm(struct vlink_multi *m, int64_t now_ns)
{
	struct slink *l = m->slink;
	struct neighbour *b = slink_vbm_neighbour(l);

	if (l->vbm) {
		set_vli(m, vbm_object_join(l->vbm, l->node->object.name, m->vnet, m->group), NULL,
			now_ns);
	} else if (b && !m->asking) {
		char *body = name_of(m);

		m->asking = true;
		conversation_ask(&b->conversation, MESSAGE_JOIN, body, join_done, m, now_ns);
		free(body);
		snode_wake(l->node, now_ns);
	} else if (!b) {
		set_vli(m, 0, "the VBM of the LAN is silent", now_ns);
	}
}

static struct vlink_multi *find(struct slink *l, const char *vnet, const char *group)
{
	for (size_t i = 0; i < l->vlink_multis.n; i++) {
		struct vlink_multi *m = l->vlink_multis.at[i];

		if (!strcmp(m->vnet, vnet) && !strcmp(m->group, group))
			return m;
	}
	return NULL;
}

static struct vlink_multi *create(struct slink *l, const char *vnet, const char *group)
{
	struct vlink_multi *m = xcalloc(1, sizeof(*m));

	m->taker.take = take;
	m->way.kind = &way_kind;
	m->slink = l;
	m->vnet = xstrdup(vnet);
	m->group = xstrdup(group);
	m->class = htb_best_effort_create(l->snif->pacer.htb, vnet, 0, l->snif->pacer.last_ns);
	vec_push(&l->vlink_multis, m);
	return m;
}

void vlink_multi_join(struct vlink_multi_member *member, const char *lan, const char *vnet,
		      const char *group, int64_t now_ns)
{
	struct slink *l = slink_find(member->vif->node, lan);
	struct vlink_listener *listener = member->listener;

	if (!l || !l->multi_access) {
		listener->ops->down(listener,
				    "its node has no end of that multi-access substrate link",
				    now_ns);
		return;
	}
	if (!member->link) {
		member->link = find(l, vnet, group);
		if (!member->link)
			member->link = create(l, vnet, group);
		vec_push(&member->link->members, member);
		member->vif->way = &member->link->way;
	}
	if (member->link->vli)
		listener->ops->up(listener, now_ns);
	else
		ask_vbm(member->link, now_ns);
}

static void destroy(struct vlink_multi *m, int64_t now_ns)
{
	struct slink *l = m->slink;
	struct neighbour *b = slink_vbm_neighbour(l);

	for (size_t i = 0; i < l->neighbours.n; i++)
		conversation_forget(&l->neighbours.at[i]->conversation, m);
	if (l->vbm) {
		vbm_object_leave(l->vbm, l->node->object.name, m->vnet, m->group);
	} else if (b) {
		char *body = name_of(m);

		conversation_ask(&b->conversation, MESSAGE_LEAVE, body, NULL, NULL, now_ns);
		free(body);
	}
	vli_release(&l->in, m->vli);
	htb_class_destroy(m->class, l->snif->pacer.last_ns);
	vec_remove_item(&l->vlink_multis, m);
	vec_free(&m->members);
	free(m->vnet);
	free(m->group);
	free(m->reason);
	free(m);
}

/*
 * What was learnt of a member goes with it: frames for its stations are flooded again, and not sent
 * to an interface that has left. The last member takes the link itself with it.
 */
void vlink_multi_leave(struct vlink_multi_member *member, int64_t now_ns)
{
	struct vlink_multi *m = member->link;

	if (!m)
		return;
	member->link = NULL;
	vec_remove_item(&m->members, member);
	for (int i = 0; i < VLINK_MULTI_STATIONS && member->vif; i++)
		if (m->stations[i].vif == member->vif)
			m->stations[i] = (struct vlink_multi_station){0};
	if (member->vif)
		member->vif->way = NULL;
	if (!m->members.n)
		destroy(m, now_ns);
}

/* ---- what happens to the LAN ---- */

/*
 * A request may have been lost with the VBM that it was for: it is made anew, whatever was under
 * way.
 */
static void vbm_is_back(struct slink *l, int64_t now_ns)
{
	for (size_t i = 0; i < l->vlink_multis.n; i++) {
		l->vlink_multis.at[i]->asking = false;
		ask_vbm(l->vlink_multis.at[i], now_ns);
	}
}

static void vbm_is_lost(struct slink *l, const char *why, int64_t now_ns)
{
	char reason[256];

	snprintf(reason, sizeof(reason), "LAN %s: %s", l->link, why);
	for (size_t i = 0; i < l->vlink_multis.n; i++)
		set_vli(l->vlink_multis.at[i], 0, reason, now_ns);
}

static void vbm_changed(struct slink *l, const char *why, int64_t now_ns)
{
	if (why)
		vbm_is_lost(l, why, now_ns);
	else
		vbm_is_back(l, now_ns);
}

static void neighbour_lost(struct neighbour *b, const char *why, int64_t now_ns)
{
	for (size_t i = 0; i < b->slink->vlink_multis.n; i++) {
		struct vlink_multi *m = b->slink->vlink_multis.at[i];

		for (int k = 0; k < VLINK_MULTI_STATIONS; k++)
			if (m->stations[k].neighbour == b)
				m->stations[k] = (struct vlink_multi_station){0};
	}
}

static void room_changed(struct slink *l, int64_t now_ns)
{
	for (size_t i = 0; i < l->vlink_multis.n; i++) {
		struct vlink_multi *m = l->vlink_multis.at[i];

		for (size_t k = 0; k < m->members.n; k++)
			m->members.at[k]->listener->ops->room_changed(m->members.at[k]->listener,
								      now_ns);
	}
}

static void link_gone(struct slink *l, int64_t now_ns)
{
	while (l->vlink_multis.n) {
		struct vlink_multi_member *member = l->vlink_multis.at[0]->members.at[0];

		vlink_multi_leave(member, now_ns);
		member->listener->ops->down(member->listener, "the substrate link was removed",
					    now_ns);
	}
}

static void link_status(struct slink *l, struct json *j)
{
	if (!l->multi_access)
		return;
	json_open(j, "multi_access", '[');
	for (size_t i = 0; i < l->vlink_multis.n; i++) {
		const struct vlink_multi *m = l->vlink_multis.at[i];
		const struct htb_counters *n = htb_class_counters(m->class);

		json_open(j, NULL, '{');
		json_uint(j, "vli", m->vli);
		json_string(j, "vnet", m->vnet);
		json_string(j, "group", m->group);
		json_uint(j, "members", m->members.n);
		json_uint(j, "offered_frames", n->offered_frames + m->room_drops + m->down_drops);
		json_uint(j, "offered_bytes", n->offered_bytes);
		json_uint(j, "carried_frames", n->sent_frames[HTB_MODE_BEST_EFFORT]);
		json_uint(j, "carried_bytes", n->sent_bytes[HTB_MODE_BEST_EFFORT]);
		json_uint(j, "in_frames", m->came_frames);
		json_uint(j, "in_bytes", m->came_bytes);
		json_open(j, "dropped", '{');
		if (m->room_drops)
			json_uint(j, "too-long", m->room_drops);
		if (m->down_drops)
			json_uint(j, "down", m->down_drops);
		for (int k = HTB_QUEUED + 1; k < HTB_DROPS; k++)
			if (n->dropped_frames[k])
				json_uint(j, htb_drop_name((enum htb_drop)k), n->dropped_frames[k]);
		json_close(j, '}');
		json_close(j, '}');
	}
	json_close(j, ']');
}

const struct link_user vlink_multi_link_user = {
	.vbm_changed = vbm_changed,
	.lost = neighbour_lost,
	.room_changed = room_changed,
	.status = link_status,
	.gone = link_gone,
};
