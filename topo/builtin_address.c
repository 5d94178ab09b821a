/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses of NICs: a field of alloc(NIC, ...), and a function that says them of one that is
 * there. */
#include "lib/addr.h"
#include "topo/builtin.h"

#include <string.h>

static bool add_one(struct eval *ev, struct world_nic *nic, const struct arg *a)
{
	struct addr addr;
	struct err e;
	char text[64];

	if (!builtin_want_addr(ev, a, &addr))
		return false;
	if (addr_check_for_nic(&addr, &e) < 0) {
		eval_wrong(ev, a->loc, "%s", e.text);
		return false;
	}
	if (nic->node && node_kind_is_device(nic->node->kind)) {
		eval_wrong(ev, a->loc, "a port of a %s has no address",
			   node_kind_name(nic->node->kind));
		return false;
	}
	for (const struct world_addr *has = nic->addrs; has; has = has->next) {
		if (addr_same(&has->addr, &addr)) {
			eval_wrong(ev, a->loc, "%s has the address %s already",
				   world_describe_nic(ev->world, nic),
				   addr_format(&addr, false, text, sizeof(text)));
			return false;
		}
	}
	struct world_addr *item = arena_alloc(ev->arena, sizeof(*item));

	item->addr = addr;
	item->loc = a->loc;
	world_append(&nic->addrs_end, item);
	return true;
}

static bool add_address(struct eval *ev, const struct arg *item, void *ctx)
{
	return add_one(ev, ctx, item);
}

static bool set_address(struct eval *ev, struct world_nic *nic, const struct builtin_field *p,
			const struct arg *a)
{
	return builtin_each(ev, a, add_address, nic);
}

/*
 * Of a node with a single NIC, or none yet, the NIC need not be said. With several it must: the
 * first one would be a guess, and the message shows how to write it.
 */
static struct value run_address(struct eval *ev, const struct call *c)
{
	const struct value *to = &c->args[0].v;
	struct world_nic *nic = to->kind == VALUE_NIC ? to->nic : NULL;

	if (to->kind == VALUE_NODE) {
		if (to->node->n_nics > 1)
			return eval_wrong(
				ev, c->args[0].loc, "%s has %zu NICs: say which, as in NIC(%s, 1)",
				world_describe_node(ev->world, to->node), to->node->n_nics,
				to->node->name ? to->node->name : "node");
		nic = world_get_nic(ev->world, to->node, 0, c->loc);
	}
	if (!nic)
		return eval_wrong(ev, c->args[0].loc, "expected a NIC, not %s",
				  to->kind == VALUE_NODE ? "a node without one"
							 : value_kind_name(to));
	for (size_t i = 1; i < c->n_args; i++)
		if (!builtin_each(ev, &c->args[i], add_address, nic))
			return value_wrong;
	return value_none;
}

static const struct builtin functions[] = {
	{.name = "address",
	 .run = run_address,
	 .min = 2,
	 .max = -1,
	 .usage = "address(NIC(node, number), 10.0.0.1/24, ...)"},
};

static const struct builtin_field fields[] = {
	{.name = "address", .set_nic = set_address},
};

const struct builtin_part builtin_address_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
};
