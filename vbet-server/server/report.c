/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `vbet status` and the console print of a lab, as text and as JSON.
 *
 * All state is in the graph, in the guests, or in the substrate; nothing is collected for reports,
 * so a report cannot be out of date. `substrate` is the answer to its "status", already merged if
 * several processes carry the lab: a JSON object from which the parts are picked by name. NICs are
 * "NODE:NIC" in it, cables have the name that they have in the graph with one object for each
 * direction.
 *
 * Addresses are those of the script and what guests have said since (lab/learned.c): the nodes are
 * therefore looked at through learned_node(), a copy with both, made in an arena that is freed
 * after each node.
 */
#include "vbet-server/server/report.h"

#include "lib/json.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/mtu.h"
#include "vbet-server/plan/address.h"
#include "vbet-server/plan/describe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_lost(const struct lab *lab, size_t node)
{
	const struct carrier *s = carriers_at(&lab->carriers, lab->plan->places[node].process);

	return s && s->lost;
}

/* A device has no state of its own but that of the process that carries it; without that process
 * nothing gets into a guest or out of it, either. */
static const char *node_state(const struct lab *lab, size_t i)
{
	const struct guest *gu = lab->guests[i];

	if (lab->graph->nodes[i].stopped)
		return guest_state_name(GUEST_DOWN);
	if ((!gu || gu->state != GUEST_DOWN) && is_lost(lab, i))
		return "lost";

	return !gu ? "ready" : gu->spins ? "spinning" : guest_state_name(gu->state);
}

/* The names of a node's vNets, or nothing. */
static void put_vnets(FILE *out, const struct graph *g, const struct graph_node *n,
		      const char *lead, const char *between)
{
	for (size_t i = 0; i < n->n_vnets; i++)
		fprintf(out, "%s%s", i ? between : lead, g->vnets[n->vnets[i]].name);
}

/*
 * One line for a node, made to be split by programs: the console completes names from it, `vbet ls`
 * counts who is ready, pingall finds its pairs. New words go to the end, as NAME=VALUE.
 */
void report_nodes(FILE *out, const struct lab *lab)
{
	char buf[80];

	for (size_t i = 0; i < lab->graph->n_nodes; i++) {
		struct arena arena = {0};
		const struct graph_node *n = learned_node(lab, i, &arena);
		bool can_answer = node_kind_is_guest(n->kind);
		const struct addr *a = can_answer ? address_first(n, 0) : NULL;

		fprintf(out, "%s %s %s %s", n->name, node_kind_name(n->kind), node_state(lab, i),
			a ? addr_format(a, false, buf, sizeof(buf)) : "-");
		for (size_t j = 0; j < lab->graph->nodes[i].n_nics; j++)
			fprintf(out, " %s", n->nics[j].name);
		put_vnets(out, lab->graph, n, " vnet=", ",");
		if (n->n_vnets && address_is_in(n, ADDRESS_ORDINARY))
			fputs(" gateway=1", out);
		fputc('\n', out);
		arena_finish(&arena);
	}
}

/*
 * Cables can be cut as a whole, at one end (its NIC loses carrier), or in one direction. It is said
 * as seen from this end: the same cut reads differently at the other one.
 */
static const char *cut_note(const struct graph_cable *c, unsigned end)
{
	return c->cut.all                                             ? " (cut)"
	       : c->cut.end[end]                                      ? " (no carrier)"
	       : c->cut.end[!end] || (c->cut.dir[0] && c->cut.dir[1]) ? " (cut)"
	       : c->cut.dir[end]                                      ? " (cut this way)"
	       : c->cut.dir[!end]                                     ? " (cut the other way)"
								      : "";
}

/* "r2:eth0" of the far end of a NIC's cable, "-" if it has none. */
static const char *far_end(const struct lab *lab, struct graph_end end, char *buf, size_t size)
{
	const struct graph_nic *c = &lab->graph->nodes[end.node].nics[end.nic];
	struct arena a = {0};
	const char *far = describe_far_end(lab->graph, end, &a);

	if (far)
		snprintf(buf, size, "%s%s", far,
			 c->cable < 0 ? "" : cut_note(&lab->graph->cables[c->cable], c->cable_end));
	arena_finish(&a);
	return far ? buf : "-";
}

/*
 * Reasons are printed as the substrate names them, so a new one needs no change here. Those with no
 * frames are left out: what is printed is worth looking at.
 */
struct drops {
	FILE *out;
	const char *before;
};

static void print_drop(void *ctx, const char *reason, int64_t frames)
{
	struct drops *d = ctx;

	if (!frames)
		return;
	fprintf(d->out, "%s%s %" PRId64, d->before, reason, frames);
	d->before = ", ";
}

bool report_drops(FILE *out, const char *before, struct json_object *object)
{
	struct drops d = {out, before};

	status_each_number(status_member(object, "dropped"), print_drop, &d);
	return d.before != before;
}

/* How the cable treats what this NIC sends, and what of it was lost. */
static void text_cable(FILE *out, const struct lab *lab, const struct graph_nic *c,
		       struct json_object *status)
{
	const char *direction = c->cable_end ? "ba" : "ab";

	if (c->cable < 0)
		return;
	linkspec_print(out, &lab->graph->cables[c->cable].dir[c->cable_end], "");
	report_drops(
		out, ", dropped: ",
		status_member(status_object(status, lab->graph->cables[c->cable].name), direction));
}

/* Interfaces that are not of the script (loopback, a bridge) have addresses and nothing else. */
static void text_nics(FILE *out, const struct lab *lab, size_t node, struct json_object *status)
{
	size_t of_script = lab->graph->nodes[node].n_nics;
	struct arena a = {0};
	const struct graph_node *n = learned_node(lab, node, &a);
	char buf[160];

	for (size_t i = 0; i < n->n_nics; i++) {
		const struct graph_nic *c = &n->nics[i];
		unsigned mtu = i < of_script ? mtu_of_nic(lab, node, i) : c->mtu;

		fprintf(out, "  %-11s ", c->name);
		for (size_t j = 0; j < c->n_addrs; j++)
			fprintf(out, "%s ", addr_format(&c->addrs[j], true, buf, sizeof(buf)));
		if (i < of_script) {
			fprintf(out, "-> %s",
				far_end(lab, (struct graph_end){(int)node, (int)i}, buf,
					sizeof(buf)));
			text_cable(out, lab, c, status);
		}
		if (mtu != c->mtu)
			fprintf(out, " (MTU %u: its path carries no more)", mtu);
		fputc('\n', out);
	}
	arena_finish(&a);
}

/* Which process carries what, if there is more than one, or if one has ended. */
static void text_processes(FILE *out, const struct lab *lab)
{
	bool shown = lab->carriers.at.n > 1;

	for (size_t i = 0; i < lab->carriers.at.n; i++)
		shown |= lab->carriers.at.at[i] && lab->carriers.at.at[i]->lost;
	for (unsigned n = 1; shown && n <= lab->carriers.at.n; n++) {
		const struct carrier *s = carriers_at(&lab->carriers, n);

		if (!s)
			continue;
		fprintf(out, "%-13s process %d%s, carries", s->name, (int)s->child.pid,
			s->lost ? " HAS ENDED" : "");
		for (size_t i = 0; i < lab->plan->n_places; i++)
			if (lab->plan->places[i].process == n)
				fprintf(out, " %s", lab->plan->places[i].node);
		fputc('\n', out);
	}
}

static void json_processes(struct json *j, const struct lab *lab)
{
	json_open(j, "substrate_processes", '[');
	for (unsigned n = 1; n <= lab->carriers.at.n; n++) {
		const struct carrier *s = carriers_at(&lab->carriers, n);

		if (!s)
			continue;
		json_open(j, NULL, '{');
		json_string(j, "name", s->name);
		json_int(j, "pid", s->child.pid);
		json_string(j, "state", s->lost ? "lost" : "running");
		json_open(j, "nodes", '[');
		for (size_t i = 0; i < lab->plan->n_places; i++)
			if (lab->plan->places[i].process == n)
				json_string(j, NULL, lab->plan->places[i].node);
		json_close(j, ']');
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* What has failed in it since it booted. */
static void text_failures(FILE *out, const struct lab *lab, const char *node)
{
	const struct failure *x;

	VEC_FOREACH (x, &lab->progress.failures.all)
		if (!strcmp(x->node, node))
			fprintf(out, "  problem: %s%s\n", x->why, x->kind ? "" : " (it may fail)");
}

static void json_failures(struct json *j, const struct lab *lab, const char *node)
{
	const struct failure *x;

	json_open(j, "problems", '[');
	VEC_FOREACH (x, &lab->progress.failures.all) {
		if (strcmp(x->node, node) != 0)
			continue;
		json_open(j, NULL, '{');
		json_string(j, "what", x->why);
		json_bool(j, "may_fail", x->kind == ERR_NONE);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* What holds the lab to its bounds, and what of them is not held; malloc'ed, "" if all is. */
static char *not_held(const struct lab *lab)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	bounds_tell(lab, f);
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void text_bounds(FILE *out, const struct lab *lab)
{
	char *missing = not_held(lab);

	if (lab->bounds.group)
		fprintf(out, "bounds: held by %s\n", lab->bounds.group);
	if (*missing)
		fprintf(out, "bounds: %s\n", missing);
	free(missing);
}

static void json_bounds(struct json *j, const struct lab *lab)
{
	char *missing = not_held(lab);

	json_string(j, "cgroup", lab->bounds.group);
	json_string(j, "not_held", *missing ? missing : NULL);
	free(missing);
}

void report_text(FILE *out, const struct lab *lab, struct json_object *status)
{
	size_t width = 14;

	fprintf(out, "lab %s, %s clock, server %d, in %s\n", lab->graph->lab,
		lab->graph->clock == CLOCK_VIRTUAL ? "virtual" : "real", (int)getpid(), lab->dir);
	text_bounds(out, lab);
	text_processes(out, lab);
	if (lab->outside.started && !strcmp(lab->outside.place, "own"))
		fprintf(out, "outside: in namespaces of process %d: vbet outside -- COMMAND\n",
			(int)lab->outside.link.child.pid);
	for (size_t i = 0; i < lab->graph->n_nodes; i++) {
		size_t len = strlen(lab->graph->nodes[i].name) + 1;

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < lab->graph->n_nodes; i++) {
		const struct graph_node *n = &lab->graph->nodes[i];
		const struct guest *gu = lab->guests[i];

		fprintf(out, "%-*s%-10s%s", (int)width, n->name, node_kind_name(n->kind),
			node_state(lab, i));
		if (n->label)
			fprintf(out, ", \"%s\"", n->label);
		put_vnets(out, lab->graph, n, ", of ", " and ");
		if (n->n_vnets)
			fprintf(out, " on %s", lab->graph->nodes[n->place].name);
		if (gu && gu->child.pid)
			fprintf(out, ", pid %d, %lld MB, jail %s", (int)gu->child.pid,
				(long long)(n->memory_bytes >> 20), gu->jail);
		else if (gu && gu->sleep.state != SLEEP_NONE)
			fprintf(out, ", asleep until something happens to it");
		fputc('\n', out);
		text_failures(out, lab, n->name);
		text_nics(out, lab, i, status);
	}
}

static void json_addresses(struct json *j, const struct graph_nic *c)
{
	char buf[80];

	json_open(j, "addresses", '[');
	for (size_t k = 0; k < c->n_addrs; k++)
		json_string(j, NULL, addr_format(&c->addrs[k], true, buf, sizeof(buf)));
	json_close(j, ']');
}

/* "nics" of the script; then "interfaces", what else has an address in the guest. */
static void json_nics(struct json *j, const struct lab *lab, size_t node,
		      struct json_object *status)
{
	size_t of_script = lab->graph->nodes[node].n_nics;
	struct arena a = {0};
	const struct graph_node *n = learned_node(lab, node, &a);
	char buf[200];

	json_open(j, "nics", '[');
	for (size_t i = 0; i < of_script; i++) {
		const struct graph_nic *c = &n->nics[i];

		json_open(j, NULL, '{');
		json_string(j, "name", c->name);
		if (node_kind_is_outside(n->kind))
			json_string(j, "backend", nic_backend_name(c->backend));
		if (!node_kind_is_device(n->kind) &&
		    (!node_kind_is_outside(n->kind) || c->backend == NIC_TAP)) {
			json_string(j, "mac", addr_format_mac(c->mac, buf, sizeof(buf)));
			json_int(j, "mtu", mtu_of_nic(lab, node, i));
		}
		json_addresses(j, c);
		json_string(j, "cable", c->cable < 0 ? NULL : lab->graph->cables[c->cable].name);
		json_string(j, "vlink", c->vlink < 0 ? NULL : lab->graph->vlinks[c->vlink].name);
		json_string(j, "peer",
			    c->cable < 0 && c->vlink < 0
				    ? NULL
				    : far_end(lab, (struct graph_end){(int)node, (int)i}, buf,
					      sizeof(buf)));
		snprintf(buf, sizeof(buf), "%s:%s", n->name, c->name);
		json_raw(j, "counters", status_json(status_object(status, buf), "null"));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "interfaces", '[');
	for (size_t i = of_script; i < n->n_nics; i++) {
		json_open(j, NULL, '{');
		json_string(j, "name", n->nics[i].name);
		json_addresses(j, &n->nics[i]);
		json_close(j, '}');
	}
	json_close(j, ']');
	arena_finish(&a);
}

static void json_node(struct json *j, const struct lab *lab, size_t i, struct json_object *status)
{
	const struct graph_node *n = &lab->graph->nodes[i];
	const struct guest *gu = lab->guests[i];

	json_open(j, NULL, '{');
	json_string(j, "name", n->name);
	json_string(j, "label", n->label);
	json_string(j, "kind", node_kind_name(n->kind));
	json_string(j, "state", node_state(lab, i));
	if (n->n_vnets == 1)
		json_string(j, "vnet", lab->graph->vnets[n->vnets[0]].name);
	if (n->n_vnets > 1) {
		json_open(j, "vnets", '[');
		for (size_t k = 0; k < n->n_vnets; k++)
			json_string(j, NULL, lab->graph->vnets[n->vnets[k]].name);
		json_close(j, ']');
	}
	if (n->n_vnets)
		json_string(j, "place", lab->graph->nodes[n->place].name);
	if (gu) {
		json_int(j, "pid", gu->child.pid);
		json_bool(j, "asleep", gu->sleep.state != SLEEP_NONE);
		json_int(j, "memory_bytes", n->memory_bytes);
		json_string(j, "jail", gu->jail);
		json_int(j, "boot_ns", gu->up_ns > gu->started_ns ? gu->up_ns - gu->started_ns : 0);
		json_int(j, "ready_ns",
			 gu->ready_ns > gu->started_ns ? gu->ready_ns - gu->started_ns : 0);
		json_failures(j, lab, n->name);
	}
	json_nics(j, lab, i, status);
	json_close(j, '}');
}

static void json_cable(struct json *j, const struct lab *lab, const struct graph_cable *c)
{
	char buf[160];

	json_open(j, NULL, '{');
	json_string(j, "name", c->name);
	json_bool(j, "up", !c->cut.all);
	json_open(j, "cut", '[');
	for (int i = 0; i < 2; i++) {
		if (c->cut.end[i])
			json_string(j, NULL, i ? "b" : "a");
		if (c->cut.dir[i])
			json_string(j, NULL, i ? "ba" : "ab");
	}
	json_close(j, ']');
	for (int end = 0; end < 2; end++) {
		const struct graph_node *n = &lab->graph->nodes[c->end[end].node];

		snprintf(buf, sizeof(buf), "%s:%s", n->name, n->nics[c->end[end].nic].name);
		json_string(j, end ? "b" : "a", buf);
	}
	for (int dir = 0; dir < 2; dir++) {
		char *text = linkspec_text(&c->dir[dir]);

		json_string(j, dir ? "ba" : "ab", text);
		free(text);
	}
	json_close(j, '}');
}

void report_json(FILE *out, const struct lab *lab, struct json_object *status)
{
	struct json j;

	json_init(&j, out);
	json_open(&j, NULL, '{');
	json_string(&j, "lab", lab->graph->lab);
	json_string(&j, "clock", lab->graph->clock == CLOCK_VIRTUAL ? "virtual" : "real");
	json_uint(&j, "seed", lab->graph->seed);
	json_int(&j, "server_pid", getpid());
	json_int(&j, "substrate_pid", carriers_at(&lab->carriers, 1)->child.pid);
	json_processes(&j, lab);
	json_string(&j, "dir", lab->dir);
	json_bounds(&j, lab);
	json_bool(&j, "ready", progress_is_ready(lab));
	if (lab->outside.started) {
		json_open(&j, "outside", '{');
		json_string(&j, "place", lab->outside.place);
		json_int(&j, "pid", lab->outside.link.child.pid);
		json_close(&j, '}');
	}
	json_open(&j, "nodes", '[');
	for (size_t i = 0; i < lab->graph->n_nodes; i++)
		json_node(&j, lab, i, status);
	json_close(&j, ']');
	json_open(&j, "cables", '[');
	for (size_t i = 0; i < lab->graph->n_cables; i++)
		json_cable(&j, lab, &lab->graph->cables[i]);
	json_close(&j, ']');
	json_raw(&j, "substrate", status_json(status, "{}"));
	json_close(&j, '}');
	fputc('\n', out);
}
