/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warnings: what is allowed, and hardly meant. They are about the finished graph, and know nothing
 * of how the script came to it. Each has a name, by which it can be switched off for a run (-W
 * no-NAME) or for a line of the script (warn_print.c).
 *
 * What makes a warning useful is that it is right: each check leaves out whatever could be meant.
 */
#include "topo/warn.h"

#include "lib/nearest.h"
#include "lib/xalloc.h"
#include "topo/wires.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *help;
} kinds[] = {
	[WARN_TWO_NETWORKS] = {"two-networks", "nodes on one wire with addresses of networks "
					       "that do not know each other"},
	[WARN_PREFIX_LENGTH] = {"prefix-length", "nodes on one wire of which one takes the other "
						 "for a stranger"},
	[WARN_ADDRESS_MISSING] = {"address-missing",
				  "a NIC without an address where others have one"},
	[WARN_ROUTE_MISSING] = {"route-missing", "a host beside a router, without a route to it"},
	[WARN_MTU] = {"mtu", "NICs on one wire that differ in MTU"},
	[WARN_SWITCH_LOOP] = {"switch-loop", "a loop of hubs and switches without rstp"},
	[WARN_DELAY_MISSING] = {"delay-missing",
				"cables without a delay in virtual time, in a large lab"},
	[WARN_UNPLUGGED] = {"unplugged", "a guest that no cable leads to"},
	[WARN_LAN_ON_HUB] = {"lan-on-hub", "a substrate LAN over a hub, which protects nothing"},
	[WARN_CONFIG_MISSING] = {"config-missing", "a service without any configuration"},
	[WARN_BFDD_MISSING] = {"bfdd-missing", "BFD is configured, and bfdd does not run"},
	[WARN_NETWORK_TWICE] = {"network-twice", "two NICs of one guest in the same network"},
};
_Static_assert(ARRAY_LEN(kinds) == WARN_KINDS, "a warning without a name");

const char *warn_name(size_t kind)
{
	return kind < WARN_KINDS ? kinds[kind].name : NULL;
}

const char *warn_help(size_t kind)
{
	return kind < WARN_KINDS ? kinds[kind].help : NULL;
}

int warn_choose(struct warn_choice *c, const char *word, struct err *e)
{
	bool off = !strncmp(word, "no-", 3) && strcmp(word, "address-missing") != 0;
	struct nearest near;
	unsigned bits = 0;

	/* "delay-missing" is a name, "no-no-delay" its contrary. */
	for (size_t i = 0; i < WARN_KINDS; i++)
		if (!strcmp(kinds[i].name, word))
			off = false;
	const char *name = off ? word + 3 : word;

	if (!strcmp(name, "error")) {
		c->is_error = !off;
		return 0;
	}
	nearest_init(&near, name);
	for (size_t i = 0; i < WARN_KINDS; i++) {
		if (!strcmp(kinds[i].name, name) || !strcmp(name, "all"))
			bits |= 1u << i;
		nearest_offer(&near, kinds[i].name);
	}
	if (!bits)
		return err_set(e, ERR_USAGE, "there is no warning '%.64s'%s", name,
			       nearest_hint(&near));
	c->off = off ? c->off | bits : c->off & ~bits;
	return 0;
}

void warn_add(struct warnings *w, enum warn_kind kind, struct graph_pos pos, const char *fmt, ...)
{
	struct warn_item *item = vec_add(&w->list);
	va_list ap;

	va_start(ap, fmt);
	item->text = xvasprintf(fmt, ap);
	va_end(ap);
	item->kind = kind;
	item->pos = pos;
}

void warn_find(const struct graph *g, struct warnings *out)
{
	struct wires *wires = wires_create(g);

	if (wires)
		warn_wires(g, wires, out);
	warn_nodes(g, out);
	wires_destroy(wires);
}

void warn_finish(struct warnings *w)
{
	struct warn_item *item;

	VEC_FOREACH (item, &w->list)
		free(item->text);
	vec_free(&w->list);
}

static bool speaks_of(const struct graph_node *n, const char *what)
{
	for (size_t i = 0; i < n->n_commands; i++)
		if (strstr(n->commands[i].text, what))
			return true;
	for (size_t i = 0; i < n->n_configs; i++)
		if (n->configs[i].source ||
		    (n->configs[i].text && strstr(n->configs[i].text, what)))
			return true;
	for (size_t i = 0; i < n->n_files; i++)
		if (n->files[i].source || (n->files[i].text && strstr(n->files[i].text, what)))
			return true;
	return false;
}

bool warn_node_speaks_of(const struct graph_node *n, const char *const *words)
{
	for (; *words; words++)
		if (speaks_of(n, *words))
			return true;
	return false;
}
