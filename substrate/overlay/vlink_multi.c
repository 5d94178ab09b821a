/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A multi-access virtual link at one node: the virtual interfaces here that have joined it, and
 * where the others' stations are. Its VLI comes from the VBM of the LAN. Best effort, as the LAN's
 * own traffic is.
 */
#include "substrate/overlay/snet.h"

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

/* Where frames from that address come from is where frames to it go; one per place, the latest. */
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
		snif_send(l->snif, l, to, m->vli, m->class, f, now_ns);
	else
		l->snif->dropped[SNIF_NO_MEMORY]++;
}

void vlink_multi_send(struct vlink_multi *m, struct vif *from, struct frame *f, int64_t now_ns)
{
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

void vlink_multi_receive(struct vlink_multi *m, struct neighbour *from, struct frame *f,
			 int64_t now_ns)
{
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

static struct neighbour *vbm_neighbour(const struct slink *l)
{
	for (size_t i = 0; i < l->neighbours.n; i++)
		if (l->neighbours.at[i]->has_vbm && neighbour_is_open(l->neighbours.at[i]))
			return l->neighbours.at[i];
	return NULL;
}

static void tell_members(struct vlink_multi *m, int64_t now_ns)
{
	for (size_t i = 0; i < m->members.n; i++) {
		if (m->vli)
			vlink_is_up(m->members.at[i], now_ns);
		else if (m->reason)
			vlink_is_down(m->members.at[i], m->reason, now_ns);
	}
}

void vlink_multi_room_changed(const struct slink *l, int64_t now_ns)
{
	for (size_t i = 0; i < l->multis.n; i++)
		for (size_t k = 0; k < l->multis.at[i]->members.n; k++)
			vlink_tell_mtu(l->multis.at[i]->members.at[k], now_ns);
}

static void set_vli(struct vlink_multi *m, uint32_t vli, const char *reason, int64_t now_ns)
{
	free(m->reason);
	m->reason = reason ? xstrdup(reason) : NULL;
	vli_release(&m->slink->in, m->vli);
	m->vli = vli;
	if (vli && !vli_insert(&m->slink->in, vli, m)) {
		m->vli = 0;
		m->reason = xstrdup("the VBM gave a VLI that is in use");
	}
	tell_members(m, now_ns);
}

static void join_done(struct conversation *p, void *ctx, const struct message *answer,
		      const struct words *w, int64_t now_ns)
{
	struct vlink_multi *m = ctx;
	const char *vli = answer && answer->type == MESSAGE_JOIN_OK ? words_get(w, "vli") : NULL;
	const char *reason = answer ? words_get(w, "reason") : "no answer of the VBM";

	m->asking = false;
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

static void ask_vbm(struct vlink_multi *m, int64_t now_ns)
{
	struct slink *l = m->slink;
	struct neighbour *b = vbm_neighbour(l);

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
	for (size_t i = 0; i < l->multis.n; i++) {
		struct vlink_multi *m = l->multis.at[i];

		if (!strcmp(m->vnet, vnet) && !strcmp(m->group, group))
			return m;
	}
	return NULL;
}

static struct vlink_multi *create(struct slink *l, const char *vnet, const char *group)
{
	struct vlink_multi *m = xcalloc(1, sizeof(*m));

	m->slink = l;
	m->vnet = xstrdup(vnet);
	m->group = xstrdup(group);
	m->class = htb_best_effort_create(l->snif->pacer.htb, vnet, 0, l->snif->pacer.last_ns);
	vec_push(&l->multis, m);
	return m;
}

void vlink_multi_join(struct vlink *v, int64_t now_ns)
{
	struct slink *l = slink_find(v->vif->node, v->lan);

	if (!l || !l->multi) {
		vlink_is_down(v, "its node has no end of that multi-access substrate link", now_ns);
		return;
	}
	if (!v->multi) {
		v->multi = find(l, v->vnet, v->group);
		if (!v->multi)
			v->multi = create(l, v->vnet, v->group);
		vec_push(&v->multi->members, v);
		v->vif->multi = v->multi;
	}
	if (v->multi->vli)
		vlink_is_up(v, now_ns);
	else
		ask_vbm(v->multi, now_ns);
}

static void destroy(struct vlink_multi *m, int64_t now_ns)
{
	struct slink *l = m->slink;
	struct neighbour *b = vbm_neighbour(l);

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
	vec_remove_item(&l->multis, m);
	vec_free(&m->members);
	free(m->vnet);
	free(m->group);
	free(m->reason);
	free(m);
}

void vlink_multi_leave(struct vlink *v, int64_t now_ns)
{
	struct vlink_multi *m = v->multi;

	if (!m)
		return;
	v->multi = NULL;
	vec_remove_item(&m->members, v);
	for (int i = 0; i < VLINK_MULTI_STATIONS && v->vif; i++)
		if (m->stations[i].vif == v->vif)
			m->stations[i] = (struct vlink_multi_station){0};
	if (v->vif)
		v->vif->multi = NULL;
	if (!m->members.n)
		destroy(m, now_ns);
}

void vlink_multi_vbm_back(struct slink *l, int64_t now_ns)
{
	for (size_t i = 0; i < l->multis.n; i++) {
		l->multis.at[i]->asking = false;
		ask_vbm(l->multis.at[i], now_ns);
	}
}

void vlink_multi_vbm_lost(struct slink *l, const char *why, int64_t now_ns)
{
	char reason[256];

	snprintf(reason, sizeof(reason), "LAN %s: %s", l->link, why);
	for (size_t i = 0; i < l->multis.n; i++)
		set_vli(l->multis.at[i], 0, reason, now_ns);
}

void vlink_multi_neighbour_gone(struct neighbour *b)
{
	for (size_t i = 0; i < b->slink->multis.n; i++) {
		struct vlink_multi *m = b->slink->multis.at[i];

		for (int k = 0; k < VLINK_MULTI_STATIONS; k++)
			if (m->stations[k].neighbour == b)
				m->stations[k] = (struct vlink_multi_station){0};
	}
}

void vlink_multi_end(struct slink *l, int64_t now_ns)
{
	while (l->multis.n) {
		struct vlink *v = l->multis.at[0]->members.at[0];

		vlink_multi_leave(v, now_ns);
		vlink_is_down(v, "the substrate link was removed", now_ns);
	}
}

void vlink_multi_slink_status(const struct slink *l, struct json *j)
{
	json_open(j, "multi_access", '[');
	for (size_t i = 0; i < l->multis.n; i++) {
		const struct vlink_multi *m = l->multis.at[i];
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
