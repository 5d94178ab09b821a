/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From what the files say to what a script can say. Our language refuses what a shell only
 * complains about, or what works there by luck: an address twice in a lab, a gateway in no network
 * of its node. Such a command stays as it was written.
 */
#include "vbet-server/import/model.h"

#include "lib/xalloc.h"
#include "vbet-server/import/name.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Twice: nodes have a name in the lab and a variable in the script, which may be different, as
 * "r-1" is no variable.
 */
static void choose_names(struct import_model *m)
{
	struct name_set names = {0};
	struct name_set variables = {0};

	for (size_t i = 0; i < m->nodes.n; i++) {
		struct import_node *n = &m->nodes.at[i];

		n->name = name_take(&names, &m->arena, name_make_legal(&m->arena, n->was));
		n->variable =
			name_take(&variables, &m->arena, name_make_variable(&m->arena, n->name));
	}
	name_set_finish(&names);
	name_set_finish(&variables);
}

/* All addresses that commands give, to find those that come twice. */
struct address_use {
	struct addr addr;
	struct import_command *by;
	size_t node;
};

static int compare_uses(const void *a, const void *b)
{
	const struct address_use *x = a;
	const struct address_use *y = b;
	int by_family = x->addr.family - y->addr.family;

	return by_family ? by_family : memcmp(x->addr.bytes, y->addr.bytes, sizeof(x->addr.bytes));
}

static bool is_link_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/*
 * Both of two equal addresses stay commands: none of them is more right than the other. Link-local
 * ones are no duplicates, as they hold on one link only. The list is sorted by address, so equal
 * ones are neighbours.
 */
static void drop_duplicates(struct import_model *m)
{
	VEC(struct address_use) uses = {0};

	for (size_t i = 0; i < m->nodes.n; i++) {
		struct import_node *n = &m->nodes.at[i];

		for (size_t k = 0; k < n->commands.n; k++) {
			struct import_command *c = &n->commands.at[k];
			struct err e;

			if (c->meaning != IMPORT_ADDRESS)
				continue;
			if (addr_check_for_nic(&c->addr, &e) < 0 || c->nic >= n->nics.n)
				c->meaning = IMPORT_RUN;
			else if (!is_link_local(&c->addr))
				vec_push(&uses, ((struct address_use){c->addr, c, i}));
		}
	}
	if (uses.n)
		qsort(uses.at, uses.n, sizeof(*uses.at), compare_uses);
	for (size_t i = 1; i < uses.n; i++)
		if (!compare_uses(&uses.at[i - 1], &uses.at[i]) &&
		    (uses.at[i - 1].node != uses.at[i].node ||
		     uses.at[i - 1].by->nic != uses.at[i].by->nic))
			uses.at[i - 1].by->meaning = uses.at[i].by->meaning = IMPORT_RUN;
	vec_free(&uses);
}

static void take_addresses(struct import_node *n)
{
	for (size_t k = 0; k < n->commands.n; k++) {
		struct import_command *c = &n->commands.at[k];
		if (c->meaning != IMPORT_ADDRESS)
			continue;
		struct import_nic *nic = &n->nics.at[c->nic];

		for (size_t i = 0; i < nic->addrs.n; i++)
			if (addr_same(&nic->addrs.at[i], &c->addr))
				c->meaning = IMPORT_RUN;
		if (c->meaning == IMPORT_ADDRESS)
			vec_push(&nic->addrs, c->addr);
	}
}

static bool is_in_network_of(const struct import_node *n, const struct addr *via)
{
	for (size_t i = 0; i < n->nics.n; i++) {
		const struct import_nic *nic = &n->nics.at[i];

		for (size_t k = 0; k < nic->addrs.n; k++)
			if (addr_in_net(via, &nic->addrs.at[k]))
				return true;
	}
	return false;
}

static bool is_same_route(const struct import_command *a, const struct import_command *b)
{
	return a->meaning == IMPORT_ROUTE && a->is_default == b->is_default &&
	       a->via.family == b->via.family &&
	       (a->is_default || addr_compare(&a->addr, &b->addr) == 0);
}

/*
 * After the addresses: a gateway must be in a network of the node, and only what has become an
 * address of the script counts. Of two routes to one network the first stays a statement; what the
 * second one does (an error, a metric) only ip(8) knows.
 */
static void take_routes(struct import_node *n)
{
	for (size_t k = 0; k < n->commands.n; k++) {
		struct import_command *c = &n->commands.at[k];

		if (c->meaning != IMPORT_ROUTE)
			continue;
		bool ok = is_in_network_of(n, &c->via) && !is_link_local(&c->via) &&
			  (c->is_default ||
			   (c->addr.family == c->via.family && !addr_has_host_bits(&c->addr)));

		for (size_t i = 0; i < k && ok; i++)
			ok = !is_same_route(&n->commands.at[i], c);
		if (!ok)
			c->meaning = IMPORT_RUN;
	}
}

void model_settle(struct import_model *m)
{
	choose_names(m);
	drop_duplicates(m);
	for (size_t i = 0; i < m->nodes.n; i++) {
		take_addresses(&m->nodes.at[i]);
		take_routes(&m->nodes.at[i]);
	}
}
