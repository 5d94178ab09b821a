/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The substrate's end of a virtual node's NIC: where frames leave an ordinary cable and enter a
 * virtual link. It belongs to one vNet for its life, and that is what keeps vNets apart at their
 * ends: a virtual link can only join interfaces of one.
 *
 * What a frame's way is from here is said by whoever has taken the interface (vif_way): a vhop, or
 * a multi-access link. While nobody has, frames are refused and counted. Too long ones are refused
 * here as well, before they take anything of a wire.
 */
#include "substrate/overlay/vif.h"

#include "lib/units.h"

#include <stdlib.h>

enum { MTU_DEFAULT = 1500, MTU_MIN = 68, MTU_MAX = 65000 };

static void deliver(struct end *end, struct frame *f, int64_t now_ns)
{
	struct vif *v = (struct vif *)end->object;

	if (f->len < FRAME_MIN) {
		end_drop(end, f, END_DROP_RUNT);
		return;
	}
	/* A guest may send more than its MTU: offloads, or an MTU that somebody set there. */
	if (!v->way || f->len > v->mtu + VIF_HEADERS) {
		*(v->way ? &v->too_long : &v->no_link) += 1;
		frame_unref(f);
		return;
	}
	v->way->kind->send(v->way, v, f, now_ns);
}

static void carrier(struct end *end, int64_t now_ns)
{
	/* The virtual link stays set up: a guest that reboots finds it again. */
}

static const struct end_kind end_kind = {.deliver = deliver, .carrier = carrier};

void vif_receive(struct vif *v, struct frame *f, int64_t now_ns)
{
	/* Into the cable to the guest's NIC, which may have a rate and losses of its own. */
	end_send(&v->end, f, now_ns);
}

static void destroy(struct object *o)
{
	struct vif *v = (struct vif *)o;

	for (int i = 0; vif_users[i]; i++)
		vif_users[i]->gone(v, substrate_now_ns(o->sub));
	vec_remove_item(&v->node->vifs, v);
	end_finish(&v->end);
	free(v->vnet);
	object_finish(o);
	free(v);
}

static void status(struct object *o, struct json *j, int64_t now_ns)
{
	struct vif *v = (struct vif *)o;

	json_string(j, "snode", v->node->object.name);
	json_string(j, "vnet", v->vnet);
	json_uint(j, "mtu", v->mtu);
	if (v->way)
		v->way->kind->status(v->way, j);
	else
		json_string(j, "vlink", NULL);
	end_status(&v->end, j);
	json_open(j, "refused", '{');
	if (v->no_link)
		json_uint(j, "no-link", v->no_link);
	if (v->too_long)
		json_uint(j, "too-long", v->too_long);
	json_close(j, '}');
}

static struct end *end_of(struct object *o)
{
	return &((struct vif *)o)->end;
}

const struct object_kind vif_kind = {
	.name = "vif", .destroy = destroy, .status = status, .end = end_of};

static void end_all(struct snode *n)
{
	while (n->vifs.n)
		destroy(&n->vifs.at[n->vifs.n - 1]->object);
}

const struct snode_user vif_snode_user = {.gone = end_all};

int vif_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e)
{
	struct object *node = object_find_kind(s, w->at[2], &snode_kind, e);
	const char *vnet = words_get(w, "vnet");
	const char *text = words_get(w, "mtu");
	int64_t mtu = MTU_DEFAULT;

	if (!node)
		return -1;
	if (!vnet || !message_name_fits(vnet))
		return err_set(e, ERR_USAGE, "a virtual interface needs vnet=, a short name");
	if (text && unit_parse(UNIT_COUNT, text, &mtu, e) < 0)
		return err_wrap(e, "mtu");
	if (mtu < MTU_MIN || mtu > MTU_MAX)
		return err_set(e, ERR_USAGE, "mtu is from %d to %d", MTU_MIN, MTU_MAX);
	struct vif *v = xcalloc(1, sizeof(*v));

	if (object_add(&v->object, s, &vif_kind, w->at[1], e) < 0) {
		free(v);
		return -1;
	}
	v->node = (struct snode *)node;
	v->vnet = xstrdup(vnet);
	v->mtu = (uint32_t)mtu;
	v->end = (struct end){.kind = &end_kind, .object = &v->object};
	vec_push(&v->node->vifs, v);
	return 0;
}
