/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The graph as text. The text is a script of its own, with everything written out: to parse it
 * gives the same graph again, which the tests check. A run is kept as such a text, so that it can
 * be repeated when defaults have changed. What can be named only after it was made (a place that
 * comes later, a cut cable) is said by a second statement.
 */
#include "topo/graph_print.h"
#include "lib/units.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "topo/lex.h"
#include "topo/settings.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/*
 * Names that can stand in a script as they are. All others, such as "r-1" or one that is a keyword,
 * are said by node("...").
 */
bool graph_is_plain(const char *name)
{
	if (setting_words(name) || isdigit((unsigned char)*name))
		return false;
	for (size_t i = 0; lex_keyword(i); i++)
		if (!strcmp(lex_keyword(i), name))
			return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

/* "$" is escaped, too: in a string of the language it begins a variable. */
static void print_string(FILE *out, const char *text, size_t len)
{
	static const char escapes[][2] = {{'\n', 'n'}, {'\t', 't'},  {'\r', 'r'},
					  {'"', '"'},  {'\\', '\\'}, {'$', '$'}};

	fputc('"', out);
	for (size_t i = 0; i < len; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(escapes) && escapes[k][0] != text[i])
			k++;
		if (k < ARRAY_LEN(escapes))
			fprintf(out, "\\%c", escapes[k][1]);
		else if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)text[i]);
		else
			fputc(text[i], out);
	}
	fputc('"', out);
}

void graph_put_string(FILE *out, const char *text)
{
	print_string(out, text, strlen(text));
}

/* In which vNet something of a node in several is meant. */
void graph_put_vnet_of(FILE *out, const struct graph *g, int vnet)
{
	if (vnet < 0)
		return;
	fputs(", vnet = ", out);
	graph_put_name(out, g->vnets[vnet].name);
}

/* The fields of what is done at the start of a guest; malloc'ed. */
static char *start_fields(const struct graph *g, bool may_fail, int vnet)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	fputs(may_fail ? ", may_fail = on" : "", f);
	graph_put_vnet_of(f, g, vnet);
	fclose(f);
	return text;
}

/*
 * Long text as a here-document, if it can be one; else as a string. Ends the call, with the fields
 * given, and the line. The word at the end may be nowhere in the text, not even in the middle of a
 * line, which is more than is needed and simple to check.
 */
static void print_text(FILE *out, const char *text, size_t len, const char *fields)
{
	char word[32] = "END";

	if (!len || text[len - 1] != '\n' || strchr(text, '\r')) {
		print_string(out, text, len);
		fprintf(out, "%s)\n", fields);
		return;
	}
	for (unsigned i = 1; strstr(text, word); i++)
		snprintf(word, sizeof(word), "END%u", i);
	fprintf(out, "<<%s%s)\n", word, fields);
	fwrite(text, 1, len, out);
	fprintf(out, "%s\n", word);
}

void graph_put_name(FILE *out, const char *name)
{
	if (graph_is_plain(name)) {
		fputs(name, out);
		return;
	}
	fputs("node(", out);
	graph_put_string(out, name);
	fputc(')', out);
}

/*
 * All addresses are written out, those that were given automatically as well: the text says
 * auto_address = off, so that another version that gives others changes nothing.
 */
static void print_addrs(FILE *out, const struct graph_nic *nic)
{
	char text[64];

	if (!nic->n_addrs)
		return;
	fputs(nic->n_addrs > 1 ? ", address = [" : ", address = ", out);
	for (size_t i = 0; i < nic->n_addrs; i++)
		fprintf(out, "%s%s", i ? ", " : "",
			addr_format(&nic->addrs[i], true, text, sizeof(text)));
	if (nic->n_addrs > 1)
		fputc(']', out);
}

void graph_put_param(FILE *out, const char *name, const char *value)
{
	if (!value)
		return;
	fprintf(out, ", %s = ", name);
	graph_put_string(out, value);
}

/*
 * Ports of devices have no MAC address, and interfaces of the host that are there already keep
 * theirs.
 */
static bool has_mac(const struct graph_nic *nic, enum node_kind kind)
{
	return !node_kind_is_device(kind) &&
	       (!node_kind_is_outside(kind) || nic->backend == NIC_TAP);
}

static void print_nic(FILE *out, const struct graph_nic *nic, enum node_kind kind)
{
	char text[32];

	fputs("alloc(NIC", out);
	if (has_mac(nic, kind))
		fprintf(out, ", mac = %s", addr_format_mac(nic->mac, text, sizeof(text)));
	if (nic->mtu != 1500)
		fprintf(out, ", mtu = %u", nic->mtu);
	if (nic->speed_bps)
		fprintf(out, ", speed = %s",
			unit_format(UNIT_RATE, nic->speed_bps, text, sizeof(text)));
	if (nic->duplex)
		fprintf(out, ", duplex = %s", nic_duplex_name(nic->duplex));
	if (nic->backend != nic_backend_default(kind))
		fprintf(out, ", backend = %s", nic_backend_name(nic->backend));
	if (nic->backend == NIC_TAP || nic->backend == NIC_PCAP)
		graph_put_param(out, "name", nic->name);
	graph_put_param(out, "path", nic->path);
	for (size_t i = 0; i < nic->n_params; i++)
		fprintf(out, ", %s = \"%s\"", nic->params[i].key, nic->params[i].value);
	print_addrs(out, nic);
	fputc(')', out);
}

static void print_place(FILE *out, const struct graph *g, const struct graph_node *n)
{
	for (size_t i = 0; i < n->n_vnets; i++) {
		fputs(i ? ", " : n->n_vnets > 1 ? ", vnet = [" : ", vnet = ", out);
		graph_put_name(out, g->vnets[n->vnets[i]].name);
	}
	fputs(n->n_vnets > 1 ? "]" : "", out);
	/* One that comes later cannot be named yet. */
	if (n->place >= 0 && &g->nodes[n->place] < n) {
		fputs(", on = ", out);
		graph_put_name(out, g->nodes[n->place].name);
	}
	if (n->room >= 0)
		fprintf(out, ", room = %d", n->room);
}

/*
 * A node with a plain name is assigned to a variable of that name, which gives the name back; any
 * other gets it as a parameter. NICs are attached one by one, as numbers and MACs must be the same.
 */
static void print_node(FILE *out, const struct graph *g, const struct graph_node *n)
{
	bool is_guest = node_kind_is_guest(n->kind);
	char text[32];

	if (graph_is_plain(n->name))
		fprintf(out, "%s = ", n->name);
	fprintf(out, "%salloc(%s", n->n_nics ? "attach(" : "", node_kind_name(n->kind));
	if (!graph_is_plain(n->name))
		graph_put_param(out, "name", n->name);
	graph_put_param(out, "label", n->label);
	if (is_guest)
		fprintf(out, ", memory = %s",
			unit_format(UNIT_SIZE, n->memory_bytes, text, sizeof(text)));
	if (is_guest && strcmp(n->hostname, n->name) != 0)
		graph_put_param(out, "hostname", n->hostname);
	print_place(out, g, n);
	graph_put_param(out, "root", n->root);
	graph_put_guest(out, n);
	for (size_t i = 0; i < n->n_params; i++)
		fprintf(out, ", %s = %s", n->params[i].key, n->params[i].value);
	fputc(')', out);
	for (size_t i = 0; i < n->n_nics; i++) {
		fputs(!node_kind_is_device(n->kind) || i % 8 == 0 ? ",\n\t" : ", ", out);
		print_nic(out, &n->nics[i], n->kind);
	}
	fputs(n->n_nics ? ")\n" : "\n", out);
}

/* True if a value of a link is a number with a unit, which needs no quotes. */
bool graph_is_quantity(const char *value)
{
	const char *p = value;

	if (!isdigit((unsigned char)*p))
		return false;
	while (isalnum((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1])))
		p++;
	return !strcmp(p, "") || !strcmp(p, "%");
}

/* The words "rate=10Mbit delay=5ms" as ", rate = 10Mbit, delay = 5ms". */
static void print_spec(FILE *out, const struct linkspec *s, const char *lead)
{
	struct arena arena = {0};
	struct words words = {0};
	struct err e;
	char *text = linkspec_text(s);

	if (words_split(text, strlen(text), &arena, &words, &e) == 0) {
		for (size_t i = 0; i < words.n; i++) {
			char *value = strchr(words.at[i], '=');

			*value++ = '\0';
			fprintf(out, "%s%s = ", lead, words.at[i]);
			if (graph_is_quantity(value))
				fputs(value, out);
			else
				graph_put_string(out, value);
			lead = ", ";
		}
	}
	arena_finish(&arena);
	free(text);
}

void graph_put_end(FILE *out, const struct graph *g, const struct graph_end *end)
{
	fputs("NIC(", out);
	graph_put_name(out, g->nodes[end->node].name);
	fprintf(out, ", %d)", end->nic + 1);
}

/* The arguments of a cut: the cable by one of its NICs, and which part of it. */
void graph_put_side(FILE *out, const struct graph *g, const struct graph_cable *c,
		    struct graph_side side)
{
	const struct graph_end *end = &c->end[side.part == PART_ALL ? 0 : side.end];

	graph_put_end(out, g, end);
	if (side.part == PART_DIR)
		fputs(", one_way = on", out);
	if (side.part == PART_END) {
		fputs(", end = ", out);
		graph_put_end(out, g, end);
	}
}

static void print_cut(FILE *out, const struct graph *g, const struct graph_cable *c,
		      struct graph_side side)
{
	fputs("down(", out);
	graph_put_side(out, g, c, side);
	fputs(")\n", out);
}

/*
 * A name that is derived from the ends comes again by itself and is left out, so that the text
 * stays readable.
 */
static void print_cable(FILE *out, const struct graph *g, const struct graph_cable *c)
{
	const struct graph_node *n[2] = {&g->nodes[c->end[0].node], &g->nodes[c->end[1].node]};
	char *derived = xasprintf("%s.%s-%s.%s", n[0]->name, n[0]->nics[c->end[0].nic].name,
				  n[1]->name, n[1]->nics[c->end[1].nic].name);
	bool is_named = strcmp(derived, c->name) != 0;

	free(derived);
	if (is_named && graph_is_plain(c->name))
		fprintf(out, "%s = ", c->name);
	fputs("plug(alloc(cable", out);
	if (is_named && !graph_is_plain(c->name))
		graph_put_param(out, "name", c->name);
	if (linkspec_equal(&c->dir[0], &c->dir[1])) {
		print_spec(out, &c->dir[0], ", ");
	} else {
		fputs(", forward = {", out);
		print_spec(out, &c->dir[0], "");
		fputs("}, back = {", out);
		print_spec(out, &c->dir[1], "");
		fputc('}', out);
	}
	fputs(c->cut.all ? ", up = off)" : ")", out);
	for (int end = 0; end < 2; end++) {
		fputs(", ", out);
		graph_put_end(out, g, &c->end[end]);
	}
	fputs(")\n", out);
	for (unsigned end = 0; end < 2; end++) {
		if (c->cut.end[end])
			print_cut(out, g, c, (struct graph_side){PART_END, end});
		if (c->cut.dir[end])
			print_cut(out, g, c, (struct graph_side){PART_DIR, end});
	}
}

static void begin_call(FILE *out, const char *function, const struct graph_node *n)
{
	fprintf(out, "%s(", function);
	graph_put_name(out, n->name);
	fputs(", ", out);
}

/* The path of a file, not its content: the graph only refers to it. */
static void print_source(FILE *out, const char *text, size_t len, const char *source,
			 const char *fields)
{
	if (!source) {
		print_text(out, text, len, fields);
		return;
	}
	fputs("file(", out);
	graph_put_string(out, source);
	fprintf(out, ")%s)\n", fields);
}

static void print_file(FILE *out, const struct graph_node *n, const struct graph_file *f)
{
	begin_call(out, "write", n);
	graph_put_string(out, f->path);
	fputs(", ", out);
	if (f->mode == 0644) {
		print_source(out, f->text, f->text_len, f->source, "");
		return;
	}
	if (f->source) {
		fputs("file(", out);
		graph_put_string(out, f->source);
		fputc(')', out);
	} else {
		print_string(out, f->text, f->text_len);
	}
	fprintf(out, ", mode = \"%04o\")\n", f->mode);
}

static void print_route(FILE *out, const struct graph *g, const struct graph_node *n,
			const struct graph_route *r)
{
	begin_call(out, "route", n);
	fputs(r->dest, out);
	if (r->via)
		fprintf(out, ", %s", r->via);
	if (r->dev) {
		fputs(", dev = NIC(", out);
		graph_put_name(out, n->name);
		fprintf(out, ", %d)", graph_find_nic(n, r->dev) + 1);
	}
	graph_put_vnet_of(out, g, r->vnet);
	fputs(")\n", out);
}

/*
 * What belongs to one guest stands together, in the order in which it is done at boot: routes,
 * sysctls, configurations, files, commands.
 */
static void print_inside(FILE *out, const struct graph *g, const struct graph_node *n)
{
	for (size_t i = 0; i < n->n_routes; i++)
		print_route(out, g, n, &n->routes[i]);
	for (size_t i = 0; i < n->n_sysctls; i++) {
		begin_call(out, "sysctl", n);
		graph_put_string(out, n->sysctls[i].key);
		fputs(", ", out);
		graph_put_string(out, n->sysctls[i].value);
		fputs(")\n", out);
	}
	for (size_t i = 0; i < n->n_configs; i++) {
		const struct graph_config *c = &n->configs[i];
		char *fields = start_fields(g, c->may_fail, c->vnet);
		bool has_text = c->text || c->source;

		begin_call(out, has_text ? "config" : "service", n);
		fprintf(out, "%s%s", c->daemon, has_text ? ", " : "");
		if (has_text)
			print_source(out, c->text, c->text_len, c->source, fields);
		else
			fprintf(out, "%s)\n", fields);
		free(fields);
	}
	for (size_t i = 0; i < n->n_files; i++)
		print_file(out, n, &n->files[i]);
	for (size_t i = 0; i < n->n_commands; i++) {
		begin_call(out, "exec", n);
		graph_put_string(out, n->commands[i].text);
		char *fields = start_fields(g, n->commands[i].may_fail, n->commands[i].vnet);

		fprintf(out, "%s)\n", fields);
		free(fields);
	}
}

/*
 * In an order in which everything can be named: settings, vNets, nodes, cables, what is virtual,
 * and then what is inside of guests, which may speak of all of it.
 */
void graph_print(FILE *out, const struct graph *g)
{
	fputs("lab = ", out);
	graph_put_string(out, g->lab);
	fprintf(out, "\nclock = %s\nseed = %" PRIu64 "\n",
		g->clock == CLOCK_VIRTUAL ? "virtual" : "real", g->seed);
	if (g->spin != SPIN_REPORT)
		fprintf(out, "spin = %s\n", graph_spin_name(g->spin));
	fputs("auto_address = off # all addresses are written out\n", out);
	if (g->allow_duplicates)
		fputs("allow_duplicates = on\n", out);
	fputc('\n', out);
	for (size_t i = 0; i < g->n_vnets; i++)
		graph_put_vnet(out, &g->vnets[i]);
	for (size_t i = 0; i < g->n_nodes; i++)
		print_node(out, g, &g->nodes[i]);
	if (g->n_cables)
		fputc('\n', out);
	for (size_t i = 0; i < g->n_cables; i++)
		print_cable(out, g, &g->cables[i]);
	graph_put_virtual(out, g);
	for (size_t i = 0; i < g->n_nodes; i++) {
		const struct graph_node *n = &g->nodes[i];

		if (n->n_routes || n->n_sysctls || n->n_configs || n->n_files || n->n_commands)
			fputc('\n', out);
		print_inside(out, g, n);
	}
	if (g->n_events + g->n_expects)
		fputc('\n', out);
	for (size_t i = 0; i < g->n_events; i++) {
		graph_print_event(out, g, &g->events[i]);
		fputc('\n', out);
	}
	for (size_t i = 0; i < g->n_expects; i++) {
		graph_print_expect(out, g, &g->expects[i]);
		fputc('\n', out);
	}
}
