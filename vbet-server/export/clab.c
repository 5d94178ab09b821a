/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A topology of containerlab (containerlab.dev): eth0 of its nodes is the management network's, so
 * our eth0 is its eth1. Addresses, routes and commands are carried out at the start; FRR's
 * configuration is a file beside it, r1/frr.conf.
 *
 * What cables do to frames is not in its files, nor are networks of vbet's own kinds.
 */
#include "vbet-server/export/format.h"

#include "lib/words.h"
#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define IMAGE_FRR "quay.io/frrouting/frr:8.4.1"
#define IMAGE     "debian:12"

/* YAML's double quotes have JSON's escapes. */
static void put_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c < ' ')
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static bool is_frr(const struct graph_config *c)
{
	static const char *const daemons[] = {"frr",    "zebra",  "ospfd",  "ospf6d", "bgpd",
					      "isisd",  "ripd",   "ripngd", "eigrpd", "staticd",
					      "bfdd",   "ldpd",   "pimd",   "pbrd",   "vrrpd",
					      "babeld", "fabricd"};

	for (size_t i = 0; i < ARRAY_LEN(daemons); i++)
		if (!strcmp(c->daemon, daemons[i]))
			return true;
	return false;
}

/* By how much the number of a NIC is higher there. A first NIC that leads nowhere is left free
 * already. */
static unsigned shift_of(const struct graph_node *n)
{
	bool is_free =
		n->n_nics && n->nics[0].cable < 0 && n->nics[0].vlink < 0 && !n->nics[0].n_addrs;

	return !is_free;
}

/* "eth0" in a configuration is "eth1" there. */
static void put_shifted(FILE *out, const struct graph_node *n, const char *text, size_t len)
{
	const char *end = text + len;

	for (const char *p = text; p < end;) {
		bool begins = p == text || strchr(" \t\n", p[-1]);

		if (begins && end - p > 3 && !strncmp(p, "eth", 3) && p[3] >= '0' && p[3] <= '9') {
			char *rest;
			unsigned long number = strtoul(p + 3, &rest, 10);

			fprintf(out, "eth%lu", number + shift_of(n));
			p = rest;
		} else {
			fputc(*p++, out);
		}
	}
}

static char *shifted(struct export_lab *l, const struct graph_node *n, const char *text)
{
	char *to = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&to, &len);

	put_shifted(f, n, text, strlen(text));
	fclose(f);
	char *kept = arena_strdup(&l->arena, to);

	free(to);
	return kept;
}

/* All of FRR's in one file, and which daemons it needs. False: the node has none. */
static bool write_frr(struct export_lab *l, const struct graph_node *n)
{
	char *text = NULL;
	char *daemons = NULL;
	size_t len[2];
	FILE *f = xmemstream(&text, &len[0]);
	FILE *d = xmemstream(&daemons, &len[1]);
	bool has_frr = false;

	for (size_t i = 0; i < n->n_configs; i++) {
		const struct graph_config *c = &n->configs[i];

		if (!is_frr(c))
			continue;
		has_frr = true;
		if (strcmp(c->daemon, "frr") != 0 && strcmp(c->daemon, "zebra") != 0 &&
		    strcmp(c->daemon, "staticd") != 0)
			fprintf(d, "%s=yes\n", c->daemon);
		if (c->text)
			put_shifted(f, n, c->text, c->text_len);
		else if (c->source)
			export_note(l, n, arena_printf(&l->arena, "the file %s", c->source));
	}
	fclose(f);
	fclose(d);
	if (has_frr) {
		struct export_file conf = {arena_printf(&l->arena, "%s/frr.conf", n->name),
					   arena_strdup(&l->arena, text)};
		struct export_file list = {arena_printf(&l->arena, "%s/daemons", n->name),
					   arena_strdup(&l->arena, daemons)};

		vec_push(&l->files, conf);
		vec_push(&l->files, list);
	}
	free(text);
	free(daemons);
	return has_frr;
}

static void put_exec(FILE *out, const char *command)
{
	fputs("        - ", out);
	put_quoted(out, command);
	fputc('\n', out);
}

static void put_commands(struct export_lab *l, const struct graph_node *n, FILE *out)
{
	struct arena *a = &l->arena;
	size_t n_addrs = 0;
	char text[80];

	for (size_t i = 0; i < n->n_nics; i++)
		n_addrs += n->nics[i].n_addrs;
	if (!(n_addrs + n->n_routes + n->n_commands))
		return;
	fputs("      exec:\n", out);
	for (size_t i = 0; i < n->n_nics; i++)
		for (size_t k = 0; k < n->nics[i].n_addrs; k++)
			put_exec(out, shifted(l, n,
					      arena_printf(a, "ip addr add %s dev %s",
							   addr_format(&n->nics[i].addrs[k], true,
								       text, sizeof(text)),
							   n->nics[i].name)));
	for (size_t i = 0; i < n->n_routes; i++) {
		const struct graph_route *r = &n->routes[i];

		/* A container has a default route already, by its management network. */
		put_exec(out, shifted(l, n,
				      arena_printf(a, "ip route replace %s%s%s%s%s", r->dest,
						   r->via ? " via " : "", r->via ? r->via : "",
						   r->dev ? " dev " : "", r->dev ? r->dev : "")));
	}
	for (size_t i = 0; i < n->n_commands; i++) {
		char *quoted = words_quote(a, n->commands[i].text);

		put_exec(out,
			 arena_printf(a, "sh -c %s",
				      *quoted == '"' ? quoted : arena_printf(a, "\"%s\"", quoted)));
	}
}

static void put_node(struct export_lab *l, const struct graph_node *n, FILE *out)
{
	fprintf(out, "    %s:\n", n->name);
	if (node_kind_is_device(n->kind)) {
		fputs("      kind: bridge\n", out);
		return;
	}
	bool has_frr = write_frr(l, n);

	fprintf(out, "      kind: linux\n      image: %s\n", has_frr ? IMAGE_FRR : IMAGE);
	if (has_frr)
		fprintf(out,
			"      binds:\n        - %s/frr.conf:/etc/frr/frr.conf\n"
			"        - %s/daemons:/etc/frr/daemons\n",
			n->name, n->name);
	if (n->n_sysctls)
		fputs("      sysctls:\n", out);
	for (size_t i = 0; i < n->n_sysctls; i++) {
		fprintf(out, "        %s: ", n->sysctls[i].key);
		put_quoted(out, n->sysctls[i].value);
		fputc('\n', out);
	}
	put_commands(l, n, out);
	for (size_t i = 0; i < n->n_configs; i++)
		if (!is_frr(&n->configs[i]))
			export_note(l, n,
				    arena_printf(&l->arena, "configuration of %s",
						 n->configs[i].daemon));
	for (size_t i = 0; i < n->n_files; i++)
		export_note(l, n, arena_printf(&l->arena, "file %s", n->files[i].path));
}

static void put_end(FILE *out, const struct graph *g, const struct graph_end *e)
{
	const struct graph_node *n = &g->nodes[e->node];

	/* Interfaces of bridges are the machine's: their names are unique in it. */
	if (node_kind_is_device(n->kind))
		fprintf(out, "\"%s:%s-p%d\"", n->name, n->name, e->nic + 1);
	else
		fprintf(out, "\"%s:eth%d\"", n->name, e->nic + (int)shift_of(n));
}

static bool is_exported(const struct graph_node *n)
{
	return node_kind_is_guest(n->kind) || node_kind_is_device(n->kind);
}

static void put_cable(struct export_lab *l, const struct graph_cable *c, FILE *out)
{
	const struct graph *g = l->graph;
	const struct graph_node *a = &g->nodes[c->end[0].node];
	const struct graph_node *b = &g->nodes[c->end[1].node];
	unsigned mtu = a->nics[c->end[0].nic].mtu;

	if (!is_exported(a) || !is_exported(b))
		return;
	char *words = linkspec_text(&c->dir[0]);

	fputs("    - endpoints: [", out);
	put_end(out, g, &c->end[0]);
	fputs(", ", out);
	put_end(out, g, &c->end[1]);
	fputs("]\n", out);
	if (mtu && mtu != 1500)
		fprintf(out, "      mtu: %u\n", mtu);
	if (*words)
		export_note(l, NULL, arena_printf(&l->arena, "cable %s: %s", c->name, words));
	free(words);
}

void export_write_clab(struct export_lab *l, FILE *out)
{
	const struct graph *g = l->graph;

	fprintf(out, "name: %s\ntopology:\n  nodes:\n", g->lab);
	for (size_t i = 0; i < g->n_nodes; i++) {
		if (is_exported(&g->nodes[i]))
			put_node(l, &g->nodes[i], out);
		else
			export_note(l, &g->nodes[i], node_kind_name(g->nodes[i].kind));
	}
	if (g->n_cables)
		fputs("  links:\n", out);
	for (size_t i = 0; i < g->n_cables; i++)
		put_cable(l, &g->cables[i], out);
	if (g->n_vlinks)
		export_note(l, NULL, "virtual links");
}
