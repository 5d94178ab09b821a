/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. A hop has an upstream side (the link by which it comes, or the interface where it begins)
 * and a downstream side. When one side is lost, the other is told, and the hop goes:
 *
 *   upstream lost    released: the next node forgets it, too (vhop_release())
 *   downstream lost  failed: the node before learns why, or the vlink where it begins (vhop_fail())
 *
 * A frame passes only while the hop is up, and only if it fits all that is further on: so the node
 * where a link begins drops a frame that is too long, where it is seen, not some node on the way.
 */
#include "substrate/overlay/vhop.h"

#include "lib/container_of.h"
#include "lib/minmax.h"
#include "substrate/overlay/vhop_priv.h"

#include <assert.h>
#include <stdlib.h>

static const char *const drop_names[] = {
	[VHOP_TOO_LONG] = "too-long",
	[VHOP_DOWN] = "down",
	[VHOP_NO_MEMORY] = "memory",
};
static_assert(ARRAY_LEN(drop_names) == VHOP_DROPS, "drop_names out of step with the enum");

static void take(struct vli_taker *t, struct neighbour *from, struct frame *f, int64_t now_ns);
static const struct vif_way_kind way_kind;

struct vhop *vhop_create(struct snode *n, const char *vlink, const char *vnet)
{
	struct vhop *h = xcalloc(1, sizeof(*h));

	h->taker.take = take;
	h->way.kind = &way_kind;
	h->node = n;
	h->vlink = xstrdup(vlink);
	h->vnet = xstrdup(vnet);
	vec_push(&n->hops, h);
	return h;
}

void vhop_destroy(struct vhop *h, int64_t now_ns)
{
	struct snode *n = h->node;

	/* The traffic manager first: its actions name the hop. */
	tm_link_destroy(h->tm, now_ns);
	htb_class_destroy(h->class, h->pacer ? h->pacer->last_ns : 0);
	if (h->in)
		vli_release(&h->in->in, h->in_vli);
	if (h->out)
		conversation_forget(&slink_peer(h->out)->conversation, h);
	if (h->from && h->from->way == &h->way)
		h->from->way = NULL;
	if (h->place)
		*h->place = NULL;
	vec_remove_item(&n->hops, h);
	free(h->vlink);
	free(h->vnet);
	free(h->path);
	free(h->to_name);
	free(h);
}

/* By the name of the link and the side by which it comes: a virtual link may pass a node twice. */
struct vhop *vhop_find(struct snode *n, const char *vlink, const struct slink *in)
{
	for (size_t i = 0; i < n->hops.n; i++)
		if (n->hops.at[i]->in == in && !strcmp(n->hops.at[i]->vlink, vlink))
			return n->hops.at[i];
	return NULL;
}

/* With the try: a message about a hop that was given up meanwhile must not touch its successor. */
struct vhop *vhop_find_leaving(struct neighbour *b, const struct words *w)
{
	const char *vlink = words_get(w, "vlink");
	struct snode *n = b->slink->node;

	for (size_t i = 0; i < n->hops.n && vlink; i++) {
		struct vhop *h = n->hops.at[i];

		if (h->out == b->slink && !strcmp(h->vlink, vlink) &&
		    h->try == vhop_get_u32(w, "try"))
			return h;
	}
	return NULL;
}

/*
 * Only a change is told, and only of a link that is up: the answer to a setup says the room as
 * well.
 */
void vhop_set_room(struct vhop *h, uint32_t room, int64_t now_ns)
{
	char value[16];

	if (h->room == room)
		return;
	h->room = room;
	snprintf(value, sizeof(value), "%u", room);
	if (h->in && h->up)
		vhop_say_word(slink_peer(h->in), MESSAGE_MTU, h, "room", value, now_ns);
	else if (h->listener && h->up)
		h->listener->ops->room_changed(h->listener, now_ns);
}

/* ---- how it ends ---- */

/* Ends each hop that chosen() picks, by call(). One end may bring others: the list begins anew. */
static void for_each(struct snode *n, bool (*chosen)(const struct vhop *h, const void *what),
		     void (*call)(struct vhop *h, const char *why, int64_t now_ns),
		     const void *what, const char *why, int64_t now_ns)
{
	for (size_t i = 0; i < n->hops.n;) {
		struct vhop *h = n->hops.at[i];

		if (!chosen(h, what)) {
			i++;
			continue;
		}
		vec_remove(&n->hops, i); /* so that nothing that call() sets off finds it again */
		call(h, why, now_ns);
		i = 0;
	}
}

static bool comes_by(const struct vhop *h, const void *slink)
{
	return h->in == (const struct slink *)slink;
}

static bool leaves_by(const struct vhop *h, const void *slink)
{
	return h->out == slink;
}

static bool comes_over_lan(const struct vhop *h, const void *slink)
{
	const struct slink *lan = slink;

	return h->in && h->in->snif == lan->snif && h->in->vlan >= 0;
}

static bool begins_at(const struct vhop *h, const void *vif)
{
	return h->from == vif;
}

static bool ends_at(const struct vhop *h, const void *vif)
{
	return h->to == vif;
}

static void release(struct vhop *h, const char *why, int64_t now_ns)
{
	vhop_release(h, now_ns);
}

static void end_over(struct slink *l, const char *why, int64_t now_ns)
{
	char reason[256];

	snprintf(reason, sizeof(reason), "substrate link %s: %s", l->link, why);
	for_each(l->node, comes_by, release, l, reason, now_ns);
	for_each(l->node, leaves_by, vhop_fail, l, reason, now_ns);
}

static void neighbour_lost(struct neighbour *b, const char *why, int64_t now_ns)
{
	if (!b->slink->multi_access)
		end_over(b->slink, why, now_ns);
}

/* The VBM lends to all that comes over its LAN: without the multi-access link nobody can ask it. */
static void link_gone(struct slink *l, int64_t now_ns)
{
	if (l->multi_access)
		for_each(l->node, comes_over_lan, vhop_fail, l,
			 "the LAN's substrate link was removed", now_ns);
	else
		end_over(l, "the substrate link was removed", now_ns);
}

static void vif_gone(struct vif *v, int64_t now_ns)
{
	for_each(v->node, begins_at, release, v, NULL, now_ns);
	for_each(v->node, ends_at, vhop_fail, v, "its virtual interface was removed", now_ns);
}

const struct vif_user vhop_vif_user = {.gone = vif_gone};

/* ---- frames ---- */

static void drop(struct vhop *h, struct frame *f, enum vhop_drop why)
{
	h->dropped[why]++;
	frame_unref(f);
}

/* A frame of a virtual link that never leaves the node has waited: a pacer's put(). */
static void leave(struct pacer *p, struct frame *f, struct htb_class *from, int64_t now_ns)
{
	const struct vhop *h = htb_class_owner(from);

	vif_receive(h->to, f, now_ns);
}

/* Demand is measured only where a link begins: nodes further on hear of it by messages. */
static void count_offered(struct vhop *h, uint32_t len, int64_t now_ns)
{
	if (tm_link_offered(h->tm, len + VLINK_OVERHEAD, now_ns))
		snode_wake(h->node, now_ns);
}

static void forward(struct vhop *h, struct frame *f, int64_t now_ns)
{
	uint32_t len = f->len;

	if (h->in) {
		h->came_frames++;
		h->came_bytes += len + VLINK_OVERHEAD;
	}
	if (!h->up || len > h->room) {
		drop(h, f, h->up ? VHOP_TOO_LONG : VHOP_DOWN);
		return;
	}
	if (!h->in)
		count_offered(h, len, now_ns);
	if (h->out)
		slink_send(h->out, slink_peer(h->out), h->out_vli, h->class, f, now_ns);
	else if (h->class)
		pacer_send(h->pacer, h->class, f, len + VLINK_OVERHEAD, now_ns);
	else
		vif_receive(h->to, f, now_ns);
}

static void take(struct vli_taker *t, struct neighbour *from, struct frame *f, int64_t now_ns)
{
	forward(container_of(t, struct vhop, taker), f, now_ns);
}

/* Headers are put in front of the frame on its way: nobody else may have it. */
static void send_from_vif(struct vif_way *w, struct vif *from, struct frame *f, int64_t now_ns)
{
	f = frame_own(f);
	if (f)
		forward(container_of(w, struct vhop, way), f, now_ns);
	else
		end_drop(&from->end, NULL, END_DROP_MEMORY);
}

static void way_status(const struct vif_way *w, struct json *j)
{
	json_string(j, "vlink", container_of(w, const struct vhop, way)->vlink);
}

static const struct vif_way_kind way_kind = {.send = send_from_vif, .status = way_status};

/* ---- for people ---- */

/* Frames that were lost before they reached the scheduler count as offered, too. */
static void count_status(const struct vhop *h, struct json *j)
{
	const struct htb_counters *n = htb_class_counters(h->class);
	uint64_t lost = 0;
	uint64_t frames = 0;
	uint64_t bytes = 0;

	for (int i = 0; i < VHOP_DROPS; i++)
		lost += h->dropped[i];
	for (int i = 0; i < HTB_MODES; i++) {
		frames += n->sent_frames[i];
		bytes += n->sent_bytes[i];
	}
	json_uint(j, "offered_frames", n->offered_frames + lost);
	json_uint(j, "offered_bytes", n->offered_bytes);
	json_uint(j, "carried_frames", frames);
	json_uint(j, "carried_bytes", bytes);
	json_int(j, "longest_wait_ns", n->longest_wait_ns);
	json_open(j, "dropped", '{');
	for (int i = 0; i < VHOP_DROPS; i++)
		if (h->dropped[i])
			json_uint(j, drop_names[i], h->dropped[i]);
	for (int i = HTB_QUEUED + 1; i < HTB_DROPS; i++)
		if (n->dropped_frames[i])
			json_uint(j, htb_drop_name((enum htb_drop)i), n->dropped_frames[i]);
	json_close(j, '}');
}

void vhop_status(const struct vhop *h, struct json *j)
{
	json_int(j, "guaranteed_bps", h->min_bps);
	json_int(j, "allotted_bps", h->rate_bps);
	json_int(j, "max_bps", h->max_bps);
	if (h->class)
		count_status(h, j);
}

static void status_out(const struct vhop *h, struct json *j)
{
	json_open(j, NULL, '{');
	json_uint(j, "vli", h->out_vli);
	json_string(j, "vlink", h->vlink);
	json_string(j, "vnet", h->vnet);
	json_bool(j, "up", h->up);
	vhop_status(h, j);
	json_close(j, '}');
}

static void link_status(struct slink *l, struct json *j)
{
	json_open(j, "vlis", '[');
	for (size_t i = 0; i < l->node->hops.n; i++)
		if (l->node->hops.at[i]->out == l)
			status_out(l->node->hops.at[i], j);
	json_close(j, ']');
	json_open(j, "in", '[');
	for (size_t i = 0; i < l->node->hops.n; i++) {
		const struct vhop *h = l->node->hops.at[i];

		if (h->in != l)
			continue;
		json_open(j, NULL, '{');
		json_uint(j, "vli", h->in_vli);
		json_string(j, "vlink", h->vlink);
		json_string(j, "vnet", h->vnet);
		json_uint(j, "frames", h->came_frames);
		json_uint(j, "bytes", h->came_bytes);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void node_status(const struct snode *n, struct json *j)
{
	json_open(j, "hops", '[');
	for (size_t i = 0; i < n->hops.n; i++) {
		const struct vhop *h = n->hops.at[i];

		json_open(j, NULL, '{');
		json_string(j, "vlink", h->vlink);
		json_string(j, "vnet", h->vnet);
		json_bool(j, "up", h->up);
		json_string(j, "in", h->in ? h->in->object.name : h->from->object.name);
		json_uint(j, "in_vli", h->in_vli);
		json_string(j, "out", h->out ? h->out->object.name : h->to->object.name);
		json_uint(j, "out_vli", h->out_vli);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* ---- who calls ---- */

static void node_born(struct snode *n)
{
	pacer_init(&n->local, n->object.sub, 0, substrate_now_ns(n->object.sub), leave);
}

static void node_gone(struct snode *n)
{
	pacer_finish(&n->local);
}

const struct snode_user vhop_snode_user = {
	.born = node_born, .status = node_status, .gone = node_gone};

static void room_changed(struct slink *l, int64_t now_ns)
{
	for (size_t i = 0; i < l->node->hops.n; i++) {
		struct vhop *h = l->node->hops.at[i];

		if (h->out == l && h->up)
			vhop_set_room(h, min_u32(slink_room(l), h->room_further), now_ns);
	}
}

const struct link_user vhop_link_user = {
	.request = {[MESSAGE_SETUP] = vhop_hear_setup,
		    [MESSAGE_RELEASE] = vhop_hear_release,
		    [MESSAGE_FAILED] = vhop_hear_failed,
		    [MESSAGE_MTU] = vhop_hear_mtu},
	.tell = {[MESSAGE_RATE] = vhop_hear_rate, [MESSAGE_RATE_OK] = vhop_hear_rate},
	.lost = neighbour_lost,
	.room_changed = room_changed,
	.status = link_status,
	.gone = link_gone,
};
