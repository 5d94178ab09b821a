/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One direction of a virtual link at the node where it begins: kept set up, whatever happens to
 * what it passes over.
 */
#include "substrate/clock/vclock.h"
#include "substrate/overlay/snet.h"

#include "lib/words.h"

#include <stdlib.h>

static const int64_t first_wait_ns = 500000000;
static const int64_t longest_wait_ns = 8000000000;

/* The longest packet that it carries now, of those that its interface takes. */
static uint32_t mtu_of(const struct vlink *v)
{
	uint32_t room = v->hop ? v->hop->room : v->multi ? slink_room(v->multi->slink) : 0;
	uint32_t mtu = room > VIF_HEADERS ? room - VIF_HEADERS : 0;

	return v->vif && mtu > v->vif->mtu ? v->vif->mtu : mtu;
}

static bool is_up(const struct vlink *v)
{
	return v->hop ? v->hop->up : v->multi && v->multi->vli;
}

void vlink_tell_mtu(struct vlink *v, int64_t now_ns)
{
	uint32_t mtu = mtu_of(v);

	if (!is_up(v) || mtu == v->told_mtu)
		return;
	v->told_mtu = mtu;
	vclock_stand_soon(v->object.sub, now_ns); /* the guests at its ends are told then */
	substrate_event(v->object.sub, "event vlink %s mtu %u", v->object.name, mtu);
}

void vlink_min_kept(struct vlink *v, const char *reason, int64_t now_ns)
{
	struct tm_link_state st;
	struct arena a = {0};

	tm_link_state(v->hop->tm, &st);
	v->min_bps = st.min_bps;
	substrate_event(v->object.sub, "event vlink %s kept %s", v->object.name,
			words_quote(&a, reason));
	arena_finish(&a);
}

void vlink_is_up(struct vlink *v, int64_t now_ns)
{
	free(v->reason);
	v->reason = NULL;
	v->retry_ns = INT64_MAX;
	v->wait_ns = first_wait_ns;
	if (v->told_up)
		return;
	v->told_up = true;
	vlink_tell_mtu(v, now_ns); /* who waits for it to be up knows how much it carries */
	substrate_event(v->object.sub, "event vlink %s up", v->object.name);
}

void vlink_is_down(struct vlink *v, const char *reason, int64_t now_ns)
{
	char text[256]; /* what comes from elsewhere may be longer than an event can be */
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

int64_t vlink_due_ns(const struct vlink *v)
{
	return v->vif && !v->hop ? v->retry_ns : INT64_MAX;
}

void vlink_tick(struct vlink *v, int64_t now_ns)
{
	if (vlink_due_ns(v) > now_ns)
		return;
	v->retry_ns = INT64_MAX;
	v->try++;
	if (v->lan)
		vlink_multi_join(v, now_ns);
	else
		vhop_begin(v, now_ns);
}

void vlink_hurry(struct snode *n, int64_t now_ns)
{
	for (size_t i = 0; i < n->vlinks.n; i++) {
		struct vlink *v = n->vlinks.at[i];

		if (v->hop || !v->vif || is_up(v))
			continue;
		v->retry_ns = now_ns;
		v->wait_ns = first_wait_ns;
	}
	snode_wake(n, now_ns);
}

static void destroy(struct object *o)
{
	struct vlink *v = (struct vlink *)o;
	struct snode *n = v->node;

	if (v->hop)
		vhop_release(v->hop, substrate_now_ns(o->sub));
	vlink_multi_leave(v, substrate_now_ns(o->sub));
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

static int set(struct object *o, char *const *words, size_t n, struct err *e)
{
	struct vlink *v = (struct vlink *)o;
	struct words w = {.at = (char **)(uintptr_t)words, .n = n};
	int64_t now = substrate_now_ns(o->sub);
	int64_t min = v->min_bps;
	int64_t max = v->max_bps;

	if (v->lan)
		return err_set(e, ERR_USAGE, "a multi-access virtual link is best effort");
	if ((words_get(&w, "min") && snet_read_rate(&w, "min", &min, e) < 0) ||
	    (words_get(&w, "max") && snet_read_rate(&w, "max", &max, e) < 0))
		return -1;
	if (max && max < min)
		return err_set(e, ERR_USAGE, "max is less than min");
	if (v->hop && v->hop->tm && tm_link_set(v->hop->tm, min, max, now, e) < 0)
		return -1;
	v->min_bps = min;
	v->max_bps = max;
	if (v->hop && v->hop->tm)
		vhop_set_max(v->hop, max, now);
	admission_run(v->node, now);
	snode_wake(v->node, now);
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

static int read_words(struct vlink *v, const struct words *w, struct err *e)
{
	const char *path = words_get(w, "path");
	const char *to = words_get(w, "to");
	const char *vnet = words_get(w, "vnet");
	const char *lan = words_get(w, "lan");
	const char *group = words_get(w, "group");

	if (!snet_name_fits(w->at[1]) || (to && !snet_name_fits(to)) ||
	    (group && !snet_name_fits(group)))
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
	if (snet_read_rate(w, "min", &v->min_bps, e) < 0 ||
	    snet_read_rate(w, "max", &v->max_bps, e) < 0)
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
	struct object *vif = snet_find(s, w->at[2], &vif_kind, e);
	struct vlink *v = vif ? xcalloc(1, sizeof(*v)) : NULL;

	if (!v)
		return -1;
	v->vif = (struct vif *)vif;
	v->node = v->vif->node;
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
