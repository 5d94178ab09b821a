/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One direction of a virtual link at the node where it begins: kept set up, whatever happens to
 * what it passes over.
 */
#include "substrate/snet.h"

#include "lib/words.h"

#include <stdlib.h>

static const int64_t first_wait_ns = 500000000;
static const int64_t longest_wait_ns = 8000000000;

void vlink_tell_mtu(struct vlink *v, int64_t now_ns)
{
	uint32_t mtu = v->hop->room > VIF_HEADERS ? v->hop->room - VIF_HEADERS : 0;

	substrate_event(v->object.sub, "event vlink %s mtu %u", v->object.name, mtu);
}

void vlink_is_up(struct vlink *v, int64_t now_ns)
{
	free(v->reason);
	v->reason = NULL;
	v->retry_ns = INT64_MAX;
	v->wait_ns = first_wait_ns;
	substrate_event(v->object.sub, "event vlink %s up", v->object.name);
	if (v->hop->room < v->vif->mtu + VIF_HEADERS)
		vlink_tell_mtu(v, now_ns);
}

void vlink_is_down(struct vlink *v, const char *reason, int64_t now_ns)
{
	bool same = v->reason && !strcmp(v->reason, reason);
	struct arena a = {0};

	v->retry_ns = now_ns + v->wait_ns;
	v->wait_ns = v->wait_ns * 2 > longest_wait_ns ? longest_wait_ns : v->wait_ns * 2;
	snode_wake(v->vif->node, now_ns);
	if (same)
		return;
	free(v->reason);
	v->reason = xstrdup(reason);
	substrate_event(v->object.sub, "event vlink %s down %s", v->object.name,
			words_quote(&a, reason));
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
	vhop_begin(v, now_ns);
}

void vlink_hurry(struct snode *n, int64_t now_ns)
{
	for (size_t i = 0; i < n->vlinks.n; i++) {
		struct vlink *v = n->vlinks.at[i];

		if (v->hop || !v->vif)
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
	for (size_t i = 0; i < n->vlinks.n; i++) {
		if (n->vlinks.at[i] != v)
			continue;
		vec_remove(&n->vlinks, i);
		break;
	}
	free(v->vnet);
	free(v->path);
	free(v->to);
	free(v->reason);
	object_finish(o);
	free(v);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct vlink *v = (struct vlink *)o;

	json_string(j, "snode", v->node->object.name);
	json_string(j, "vif", v->vif ? v->vif->object.name : NULL);
	json_string(j, "vnet", v->vnet);
	json_string(j, "path", v->path);
	json_string(j, "to", v->to);
	json_bool(j, "up", v->hop && v->hop->up);
	if (v->reason)
		json_string(j, "reason", v->reason);
	json_int(j, "min_bps", v->min_bps);
	json_int(j, "max_bps", v->max_bps);
	if (v->hop) {
		json_uint(j, "mtu", v->hop->room > VIF_HEADERS ? v->hop->room - VIF_HEADERS : 0);
		json_uint(j, "vli", v->hop->out_vli);
		vhop_status(v->hop, j);
	}
}

const struct object_kind vlink_kind = {.name = "vlink", .destroy = destroy, .status = status};

static int read_words(struct vlink *v, const struct words *w, struct err *e)
{
	const char *path = words_get(w, "path");
	const char *to = words_get(w, "to");
	const char *vnet = words_get(w, "vnet");

	if (!to || !path)
		return err_set(e, ERR_USAGE, "a virtual link needs path= and to=");
	if (vnet && strcmp(vnet, v->vif->vnet) != 0)
		return err_set(e, ERR_USAGE, "'%s' belongs to vNet %s, not %s", v->vif->object.name,
			       v->vif->vnet, vnet);
	if (v->vif->out)
		return err_set(e, ERR_USAGE, "a virtual link begins at '%s' already: %s",
			       v->vif->object.name, v->vif->out->vlink);
	if (snet_read_rate(w, "min", &v->min_bps, e) < 0 ||
	    snet_read_rate(w, "max", &v->max_bps, e) < 0)
		return -1;
	if (v->max_bps && v->max_bps < v->min_bps)
		return err_set(e, ERR_USAGE, "max is less than min");
	v->vnet = xstrdup(v->vif->vnet);
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
		free(v);
		return -1;
	}
	v->retry_ns = substrate_now_ns(s);
	v->wait_ns = first_wait_ns;
	vec_push(&v->node->vlinks, v);
	snode_wake(v->node, v->retry_ns);
	return 0;
}
