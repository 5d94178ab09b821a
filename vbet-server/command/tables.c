/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nobody but the node itself knows its tables, so it is asked, by commands. */
#include "vbet-server/command/tables.h"

#include "lib/xalloc.h"
#include "vbet-server/command/ask_all.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *title, *command;
} asked[] = {
	{"addresses", "ip address"},
	{"routes", "ip -4 route show table all; ip -6 route show table all"},
	{"neighbours", "ip neighbour"},
	{"FRR", "test ! -S /run/frr/zebra.vty ||"
		" for t in 'ip route' 'ipv6 route' 'ip ospf neighbor' 'ip ospf route' 'bgp summary'"
		" 'isis neighbor' 'ip rip' 'bfd peers brief'; do"
		" echo \"-- show $t\"; vtysh -c \"show $t\"; done"},
	{"nftables", "! command -v nft >/dev/null || nft list ruleset"},
};

struct tables {
	FILE **out; /* of each node; NULL: no guest */
	size_t what;
};

static char *command_of(void *ctx, size_t node)
{
	const struct tables *t = ctx;

	fprintf(t->out[node], "== %s\n", asked[t->what].title);
	return xstrdup(asked[t->what].command);
}

static void take(void *ctx, size_t node, int status, const char *text)
{
	const struct tables *t = ctx;

	fprintf(t->out[node], "%s\n\n", text);
}

int tables_write(struct drive *d, const struct graph *g, const char *dir, struct err *e)
{
	struct tables t = {.out = xcalloc(g->n_nodes + 1, sizeof(FILE *))};
	struct ask_all ask = {command_of, take, &t};
	int rc = ask_all_open(g, dir, "tables", t.out, e);

	for (t.what = 0; t.what < ARRAY_LEN(asked) && rc == 0; t.what++)
		rc = ask_all(d, g, &ask, e);
	for (size_t i = 0; i < g->n_nodes; i++)
		if (t.out[i] && fclose(t.out[i]) != 0 && rc == 0)
			rc = err_sys(e, "write into %s", dir);
	free(t.out);
	return rc;
}
