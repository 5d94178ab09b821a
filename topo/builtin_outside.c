/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of NICs that lead out of the lab, and such a NIC at a node of the lab. */
#include "lib/xalloc.h"
#include "topo/builtin.h"

#include <string.h>

static const char *backend_word(size_t i)
{
	return i < NIC_BACKENDS ? nic_backend_name((enum nic_backend)i) : NULL;
}

/* Whether the back end fits is decided when the NIC is attached: only then is it known to what. */
static bool set_backend(struct eval *ev, struct world_nic *nic, const struct builtin_field *p,
			const struct arg *f)
{
	for (int b = 0; b < NIC_BACKENDS; b++) {
		if ((f->v.kind == VALUE_WORD || f->v.kind == VALUE_STRING) &&
		    !strcmp(f->v.text, nic_backend_name((enum nic_backend)b))) {
			nic->backend = (enum nic_backend)b;
			nic->has_backend = true;
			return true;
		}
	}
	eval_wrong(ev, f->loc,
		   "the back end of a NIC is vhost or seqpacket, or outside of the lab tap, pcap, "
		   "seqpacket or uml_switch");
	return false;
}

static bool set_name(struct eval *ev, struct world_nic *nic, const struct builtin_field *p,
		     const struct arg *f)
{
	return builtin_want_text(ev, f, "the name of an interface", &nic->ifname);
}

static bool set_path(struct eval *ev, struct world_nic *nic, const struct builtin_field *p,
		     const struct arg *f)
{
	return builtin_want_text(ev, f, "a path", &nic->path);
}

/*
 * attach(sw, alloc(NIC, backend = tap, name = "lab0")): the interface is that of an outside node of
 * its own, and a cable leads from it to the node. A guest keeps what is said of its own end. What
 * was said of the NIC is shared out: name, path and back end are of the interface outside; speed,
 * MAC and addresses are what the guest means by its own end.
 */
static bool attach_outside(struct eval *ev, struct world_node *node, struct world_nic *nic,
			   struct loc loc)
{
	enum node_kind kind = node->kind;

	if (!nic_backend_fits(nic->backend, NODE_OUTSIDE) ||
	    !(node_kind_is_guest(kind) || node_kind_is_device(kind))) {
		eval_wrong(ev, loc, "%s %s has no NIC with the back end %s", builtin_article(kind),
			   node_kind_name(kind), nic_backend_name(nic->backend));
		return false;
	}
	struct world_node *out = builtin_make_node(ev, NODE_OUTSIDE, loc);
	struct world_nic *inner = world_add_nic(ev->world, loc);

	if (!out)
		return false;
	out->hint = nic->ifname ? nic->ifname : nic_backend_name(nic->backend);
	out->is_fixed = node->is_fixed = true;
	inner->mtu = nic->mtu;
	inner->speed_bps = nic->speed_bps;
	inner->duplex = nic->duplex;
	nic->speed_bps = 0;
	nic->duplex = NIC_DUPLEX_AUTO;
	inner->params = nic->params;
	nic->params = NULL;
	nic->params_end = &nic->params;
	if (node_kind_is_guest(kind)) {
		inner->has_mac = nic->has_mac;
		memcpy(inner->mac, nic->mac, sizeof(inner->mac));
		inner->addrs = nic->addrs;
		if (nic->addrs)
			inner->addrs_end = nic->addrs_end;
		nic->has_mac = false;
		nic->addrs = NULL;
		nic->addrs_end = &nic->addrs;
	}
	if (!world_attach(ev->world, out, nic) || !world_attach(ev->world, node, inner)) {
		eval_wrong(ev, loc, "%s can have no more NICs",
			   world_describe_node(ev->world, node));
		return false;
	}
	return builtin_join(ev, loc, inner, nic) != NULL;
}

static const struct builtin_field fields[] = {
	{.name = "backend", .set_nic = set_backend, .words = backend_word},
	{.name = "name", .set_nic = set_name},
	{.name = "path", .set_nic = set_path},
};

const struct builtin_part builtin_outside_part = {
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.attach = attach_outside,
};
