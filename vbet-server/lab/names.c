/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /etc/hosts in guests, as nodes get addresses that the script does not know.
 *
 * What a guest should know is written as lines of an init.conf and compared with what it was told:
 * so it does not matter what changed, and hosts.c makes the messages.
 *
 * In virtual time guests are only told while the clock stands, and the message is part of the
 * record: it changes a file in the guest, and so the run.
 */
#include "vbet-server/lab/names.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/hosts.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/plan/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* An /etc/hosts that the script laid there is the user's. */
static bool has_own_file(const struct graph_node *n)
{
	for (size_t i = 0; i < n->n_files; i++)
		if (!strcmp(n->files[i].path, "/etc/hosts"))
			return true;
	return false;
}

/* The name in one of several vNets (plan/initconf.c). */
static void put_name_in(FILE *f, const struct graph *g, const struct graph_node *self,
			const struct graph_node *n, const struct graph_node *given, int vnet,
			int family)
{
	const struct addr *addr =
		graph_is_in_vnet(n, vnet) ? address_in(self, n, vnet, family) : NULL;
	char text[80];

	if (addr && !address_in(self, given, vnet, family))
		fprintf(f, "host %s.%s %s\n", n->name, g->vnets[vnet].name,
			addr_format(addr, false, text, sizeof(text)));
}

/* An address of the script has its line already. */
static void put_name(FILE *f, const struct lab *lab, const struct graph_node *self, size_t other)
{
	static const int families[] = {AF_INET, AF_INET6};
	const struct graph_node *given = &lab->graph->nodes[other];
	struct arena a = {0};
	const struct graph_node *n = learned_node(lab, other, &a);
	char text[80];

	for (size_t k = 0; k < ARRAY_LEN(families); k++) {
		const struct addr *addr = address_for(self, n, families[k]);

		if (addr && !address_for(self, given, families[k]))
			fprintf(f, "host %s %s\n", n->name,
				addr_format(addr, false, text, sizeof(text)));
		for (size_t i = 0; self->n_vnets > 1 && i < self->n_vnets; i++)
			put_name_in(f, lab->graph, self, n, given, self->vnets[i], families[k]);
	}
	arena_finish(&a);
}

/* malloc'ed */
static char *names_for(const struct lab *lab, size_t node)
{
	struct arena a = {0};
	const struct graph_node *self = learned_node(lab, node, &a);
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	for (size_t i = 0; i < lab->n_guests; i++)
		if (i != node && lab->guests[i] && lab->guests[i]->learned.at.n)
			put_name(f, lab, self, i);
	fclose(f);
	arena_finish(&a);
	return text;
}

static void tell(struct lab *lab, struct guest *gu, const char *words)
{
	/* Before the lab is ready there is no record; in a replay the record has it. */
	if (lab->progress.setting_up)
		agent_control(&gu->agent, words);
	else if (!input_is_replaying(lab))
		input_control(gu, words);
}

static void update_guest(struct lab *lab, size_t node)
{
	struct guest *gu = lab->guests[node];
	bool is_up = gu->state == GUEST_UP || gu->state == GUEST_READY;

	if (!is_up || has_own_file(&lab->graph->nodes[node]))
		return;
	char *after = names_for(lab, node);
	char **messages = hosts_diff(gu->names ? gu->names : "", after);

	free(gu->names);
	gu->names = after;
	for (size_t i = 0; messages[i]; i++) {
		tell(lab, gu, messages[i]);
		free(messages[i]);
	}
	free(messages);
}

void names_update(struct lab *lab)
{
	if (!lab->names_changed || (lab->clock.is_virtual && !lab->clock.stopped))
		return;
	lab->names_changed = false;
	for (size_t i = 0; i < lab->n_guests; i++)
		if (lab->guests[i])
			update_guest(lab, i);
}

/* A guest that boots anew has forgotten what it was told. */
void names_forget(struct guest *gu)
{
	free(gu->names);
	gu->names = NULL;
	gu->lab->names_changed = true;
}
