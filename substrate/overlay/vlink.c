/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. What was declared is kept set up, whatever happens to what it passes over: a hop (or a
 * membership of a multi-access link) that could not be, or was lost, is tried again, each time
 * twice as late up to a bound, and at once when a neighbour of the node can be reached again.
 * Events say what changed, not what was tried: "up" once, "down" once per reason.
 */
#include "substrate/overlay/vlink.h"

#include "lib/container_of.h"
#include "lib/minmax.h"
#include "lib/words.h"
#include "substrate/overlay/overlay_words.h"
#include "substrate/overlay/vhop.h"
#include "substrate/overlay/vlink_multi.h"

#include <stdlib.h>

struct vlink {
	struct object object;
	struct snode *node;
	struct vif *vif;                /* NULL: it went */
	struct vlink_listener listener; /* of hop and of member */
	char *vnet, *path, *to;         /* owned */
	char *lan, *group;              /* owned; multi-access instead of path and to, else NULL */
	struct vhop *hop;               /* NULL: not set up */
	struct vlink_multi_member member; /* multi-access */
	int64_t min_bps, max_bps;
	uint32_t try;
	int64_t retry_ns; /* when to try (again); INT64_MAX: not */
	int64_t wait_ns;  /* before the next try */
	bool told_up;
	uint32_t told_mtu; /* last said; at first what its interface takes */
	char *reason;      /* owned: why it is down; NULL: it is up, or was not tried yet */
};

static const int64_t first_wait_ns = 500000000;
static const int64_t longest_wait_ns = 8000000000;

/* The longest packet that it carries now, of those that its interface takes. */
static uint32_t mtu_of(const struct vlink *v)
{
	uint32_t room = v->hop           ? v->hop->room
			: v->member.link ? slink_room(v->member.link->slink)
					 : 0;
	uint32_t mtu = room > VIF_HEADERS ? room - VIF_HEADERS : 0;

	return v->vif && mtu > v->vif->mtu ? v->vif->mtu : mtu;
}

static bool is_up(const struct vlink *v)
{
	return v->hop ? v->hop->up : v->member.link && v->member.link->vli;
}

static void tell_mtu(struct vlink *v, int64_t now_ns)
{
	uint32_t mtu = mtu_of(v);

	if (!is_up(v) || mtu == v->told_mtu)
		return;
	v->told_mtu = mtu;
	/* The server can tell guests of their new MTU only while the clock stands. */
	v->object.sub->time->stand_soon(v->object.sub, now_ns);
	substrate_event(v->object.sub, "event vlink %s mtu %u", v->object.name, mtu);
}

static struct vlink *of(struct vlink_listener *l)
{
	return container_of(l, struct vlink, listener);
}

static void room_changed(struct vlink_listener *l, int64_t now_ns)
{
	tell_mtu(of(l), now_ns);
}

static void min_kept(struct vlink_listener *l, const char *reason, int64_t now_ns)
{
	struct vlink *v = of(l);
	struct tm_link_state st;
	struct arena a = {0};

	tm_link_state(v->hop->tm, &st);
	v->min_bps = st.min_bps;
	substrate_event(v->object.sub, "event vlink %s kept %s", v->object.name,
			words_quote(&a, reason));
	arena_finish(&a);
}

static void up(struct vlink_listener *l, int64_t now_ns)
{
	struct vlink *v = of(l);

	free(v->reason);
	v->reason = NULL;
	v->retry_ns = INT64_MAX;
	v->wait_ns = first_wait_ns;
	if (v->told_up)
		return;
	v->told_up = true;
	tell_mtu(v, now_ns); /* first: who waits for "up" then knows the MTU already */
	substrate_event(v->object.sub, "event vlink %s up", v->object.name);
}

static void down(struct vlink_listener *l, const char *reason, int64_t now_ns)
{
	struct vlink *v = of(l);
	char text[256]; /* of a reason from another node, which may be longer, as much as fits */
	struct arena a = {0};

	snprintf(text, sizeof(text), "%s", reason);
	bool same = v->reason && !strcmp(v->reason, text);

	v->told_up = false;
	v->retry_ns = now_ns + v->wait_ns;
	v->wait_ns = v->wait_ns * 2 > longest_wait_ns ? longest_wait_ns : v->wait_ns * 2;
	snode_wake(v->node, now_ns);
	if (same)
		return;
	free(v->reason);
	v->reason = xstrdup(text);
	substrate_event(v->object.sub, "event vlink %s down %s", v->object.name,
			words_quote(&a, text));
	arena_finish(&a);
}

static const struct vlink_listener_ops listener_ops = {
	.up = up, .down = down, .room_changed = room_changed, .min_kept = min_kept};

/* ---- time ---- */

static int64_t due_ns(const struct vlink *v)
{
	return v->vif && !v->hop ? v->retry_ns : INT64_MAX;
}

static void try_once(struct vlink *v, int64_t now_ns)
{
	struct vhop_spec spec = {.vlink = v->object.name,
				 .vnet = v->vnet,
				 .path = v->path,
				 .to = v->to,
				 .try = ++v->try,
				 .min_bps = v->min_bps,
				 .max_bps = v->max_bps,
				 .from = v->vif,
				 .listener = &v->listener};

	v->retry_ns = INT64_MAX;
	if (v->lan)
		vlink_multi_join(&v->member, v->lan, v->vnet, v->group, now_ns);
	else
		vhop_begin(&spec, &v->hop, now_ns);
}

static int64_t node_due_ns(const struct snode *n)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < n->vlinks.n; i++)
		due = min_i64(due, due_ns(n->vlinks.at[i]));
	return due;
}

static void tick_all(struct snode *n, int64_t now_ns)
{
	for (size_t i = 0; i < n->vlinks.n; i++)
		if (due_ns(n->vlinks.at[i]) <= now_ns)
			try_once(n->vlinks.at[i], now_ns);
}

/* Somebody can be reached (again): no need to wait. */
static void hurry(struct slink *l, int64_t now_ns)
{
	struct snode *n = l->node;

	for (size_t i = 0; i < n->vlinks.n; i++) {
		struct vlink *v = n->vlinks.at[i];

		if (v->hop || !v->vif || is_up(v))
			continue;
		v->retry_ns = now_ns;
		v->wait_ns = first_wait_ns;
	}
	snode_wake(n, now_ns);
}

const struct link_user vlink_link_user = {.opened = hurry};

/* ---- the object ---- */

static void destroy(struct object *o)
{
	struct vlink *v = (struct vlink *)o;
	struct snode *n = v->node;

	if (v->hop)
		vhop_release(v->hop, substrate_now_ns(o->sub));
	vlink_multi_leave(&v->member, substrate_now_ns(o->sub));
	vec_remove_item(&n->vlinks, v);
	free(v->vnet);
	free(v->path);
	free(v->to);
	free(v->lan);
	free(v->group);
	free(v->reason);
	object_finish(o);
	free(v);
}

/*
 * Refused before anything changes: tm_link_set() says whether this node has room. What nodes
 * further on think of it comes later, and may put the minimum back (min_kept()).
 */
static int set(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct vlink *v = (struct vlink *)o;
	struct words w = {.at = (char **)(uintptr_t)words, .n = n};
	int64_t now = substrate_now_ns(o->sub);
	int64_t min = v->min_bps;
	int64_t max = v->max_bps;

	if (v->lan)
		return err_set(e, ERR_USAGE, "a multi-access virtual link is best effort");
	if ((words_get(&w, "min") && overlay_read_rate(&w, "min", &min, e) < 0) ||
	    (words_get(&w, "max") && overlay_read_rate(&w, "max", &max, e) < 0))
		return -1;
	if (max && max < min)
		return err_set(e, ERR_USAGE, "max is less than min");
	if (v->hop && v->hop->tm && tm_link_set(v->hop->tm, min, max, now, e) < 0)
		return -1;
	v->min_bps = min;
	v->max_bps = max;
	if (v->hop && v->hop->tm)
		vhop_set_max(v->hop, max, now);
	snode_settle(v->node, now);
	return 0;
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct vlink *v = (struct vlink *)o;

	json_string(j, "snode", v->node->object.name);
	json_string(j, "vif", v->vif ? v->vif->object.name : NULL);
	json_string(j, "vnet", v->vnet);
	if (v->lan) {
		json_string(j, "lan", v->lan);
		json_string(j, "group", v->group);
	} else {
		json_string(j, "path", v->path);
		json_string(j, "to", v->to);
	}
	json_bool(j, "up", is_up(v));
	if (v->reason)
		json_string(j, "reason", v->reason);
	json_int(j, "min_bps", v->min_bps);
	json_int(j, "max_bps", v->max_bps);
	json_uint(j, "mtu", mtu_of(v));
	if (v->hop) {
		json_uint(j, "vli", v->hop->out_vli);
		vhop_status(v->hop, j);
	}
}

const struct object_kind vlink_kind = {
	.name = "vlink", .destroy = destroy, .set = set, .status = status};

static void end_all(struct snode *n)
{
	while (n->vlinks.n)
		destroy(&n->vlinks.at[n->vlinks.n - 1]->object);
}

const struct snode_user vlink_snode_user = {
	.due_ns = node_due_ns, .tick = tick_all, .gone = end_all};

/* It stays, without a beginning: who declared it takes it away. */
static void vif_gone(struct vif *vif, int64_t now_ns)
{
	for (size_t i = 0; i < vif->node->vlinks.n; i++) {
		struct vlink *v = vif->node->vlinks.at[i];

		if (v->vif != vif)
			continue;
		vlink_multi_leave(&v->member, now_ns);
		v->vif = v->member.vif = NULL;
	}
}

const struct vif_user vlink_vif_user = {.gone = vif_gone};

static int read_words(struct vlink *v, const struct words *w, struct err *e)
{
	const char *path = words_get(w, "path");
	const char *to = words_get(w, "to");
	const char *vnet = words_get(w, "vnet");
	const char *lan = words_get(w, "lan");
	const char *group = words_get(w, "group");

	if (!message_name_fits(w->at[1]) || (to && !message_name_fits(to)) ||
	    (group && !message_name_fits(group)))
		return err_set(e, ERR_USAGE, "the name is too long");
	if (!lan && (!to || !path))
		return err_set(e, ERR_USAGE, "a virtual link needs path= and to=, or lan=");
	if (vnet && strcmp(vnet, v->vif->vnet) != 0)
		return err_set(e, ERR_USAGE, "'%s' belongs to vNet %s, not %s", v->vif->object.name,
			       v->vif->vnet, vnet);
	for (size_t i = 0; i < v->node->vlinks.n; i++)
		if (v->node->vlinks.at[i]->vif == v->vif)
			return err_set(e, ERR_USAGE, "a virtual link begins at '%s' already: %s",
				       v->vif->object.name, v->node->vlinks.at[i]->object.name);
	if (overlay_read_rate(w, "min", &v->min_bps, e) < 0 ||
	    overlay_read_rate(w, "max", &v->max_bps, e) < 0)
		return -1;
	if (v->max_bps && v->max_bps < v->min_bps)
		return err_set(e, ERR_USAGE, "max is less than min");
	v->vnet = xstrdup(v->vif->vnet);
	if (lan) {
		v->lan = xstrdup(lan);
		v->group = xstrdup(group ? group : "");
		return 0;
	}
	v->path = xstrdup(path);
	v->to = xstrdup(to);
	return 0;
}

int vlink_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *vif = object_find_kind(s, w->at[2], &vif_kind, e);
	struct vlink *v = vif ? xcalloc(1, sizeof(*v)) : NULL;

	if (!v)
		return -1;
	v->vif = (struct vif *)vif;
	v->node = v->vif->node;
	v->listener.ops = &listener_ops;
	v->member = (struct vlink_multi_member){.listener = &v->listener, .vif = v->vif};
	if (read_words(v, w, e) < 0 || object_add(&v->object, s, &vlink_kind, w->at[1], e) < 0) {
		free(v->vnet);
		free(v->path);
		free(v->to);
		free(v->lan);
		free(v->group);
		free(v);
		return -1;
	}
	v->retry_ns = substrate_now_ns(s);
	v->wait_ns = first_wait_ns;
	v->told_mtu = v->vif->mtu;
	vec_push(&v->node->vlinks, v);
	snode_wake(v->node, v->retry_ns);
	return 0;
}
