/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a graph to a plan. A plan is a list, and its order is what things depend on: the processes
 * and directories first, then what the processes are told (nodes and their NICs or ports, cables,
 * virtual interfaces, substrate links, virtual links), then "start", and last what runs: programs
 * and guests. So a plan is carried out from its first step to its last, and undone the other way.
 *
 * Nothing here looks at a clock, a directory or a process: all that a plan says of this machine is
 * in struct plan_env. Whoever gives the same graph and environment gets the same plan, to the byte;
 * that is why a change to a running lab can be the difference of two plans (plan_diff.c), and why
 * `vbet check --dump=plan` shows just what `vbet up` would do.
 *
 * What a step is, and what there is to know of its operation, is in plan_op.c; plan_guest.c,
 * plan_cable.c, plan_substrate.c and plan_outside.c make the steps of what they are called after.
 */
#include "vbet-server/plan/plan.h"

#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/plan/plan_build.h"

#include <stdlib.h>
#include <string.h>

static void plan_device(struct builder *b, int index)
{
	const struct graph_node *n = &b->g->nodes[index];
	struct text t;
	FILE *f = text_open(&t);

	fprintf(f, "device %s %s", n->name, node_kind_name(n->kind));
	for (size_t i = 0; i < n->n_params; i++) {
		fprintf(f, " %s=", n->params[i].key);
		words_put(f, n->params[i].value);
	}
	plan_add_at(b, index, n->name, text_close(b, &t));
	for (size_t i = 0; i < n->n_nics; i++) {
		const char *port = plan_end_name(b, (struct graph_end){index, (int)i});

		f = text_open(&t);
		fprintf(f, "port %s %s %s", port, n->name, n->nics[i].name);
		for (size_t k = 0; k < n->nics[i].n_params; k++) {
			fprintf(f, " %s=", n->nics[i].params[k].key);
			words_put(f, n->nics[i].params[k].value);
		}
		plan_guard_port(b, f, (struct graph_end){index, (int)i});
		plan_add_at(b, index, port, text_close(b, &t));
	}
}

/* A node of a running lab stays where it is: frames are on their way there. */
static void place_nodes(struct builder *b)
{
	const struct graph *g = b->g;
	const struct plan *running = b->env->running;
	unsigned *kept = xcalloc(g->n_nodes + 1, sizeof(*kept));
	unsigned n = b->env->processes ? b->env->processes : 1;
	struct plan *p = b->plan;

	for (size_t i = 0; i < g->n_nodes; i++)
		for (size_t k = 0; running && k < running->n_places; k++)
			if (!strcmp(g->nodes[i].name, running->places[k].node))
				kept[i] = running->places[k].process;
	unsigned *process = spread_nodes(g, n, kept, b->env->descriptors_max);

	p->places = arena_alloc(&p->arena, (g->n_nodes + 1) * sizeof(*p->places));
	p->n_places = g->n_nodes;
	for (size_t i = 0; i < g->n_nodes; i++)
		p->places[i] = (struct plan_place){
			.node = arena_strdup(&p->arena, g->nodes[i].name), .process = process[i]};
	free(process);
	free(kept);
}

/* The first process is always there; others if a node is in them. */
static bool has_nodes(const struct plan *p, unsigned process)
{
	bool used = process == 1;

	for (size_t i = 0; i < p->n_places && !used; i++)
		used = p->places[i].process == process;
	return used;
}

static bool is_used(const struct builder *b, unsigned process)
{
	return process != b->env->gone && has_nodes(b->plan, process);
}

static void plan_processes(struct builder *b)
{
	struct arena *a = &b->plan->arena;
	unsigned n = 0;

	for (unsigned p = 1; p <= SPREAD_MAX; p++)
		n += has_nodes(b->plan, p);
	plan_bound_lab(b);
	for (unsigned p = 1; p <= SPREAD_MAX; p++) {
		if (!is_used(b, p))
			continue;
		struct plan_step *s = plan_add_step(
			b, PLAN_PROCESS, p == 1 ? "substrate" : arena_printf(a, "substrate.%u", p));

		s->process = p;
		plan_bound_process(b, s, n);
	}
	plan_add_step(b, PLAN_DIR, "n");
	if (n > 1)
		plan_add_step(b, PLAN_DIR, "t");
}

/* A line for every process that nothing takes back. */
static void add_everywhere(struct builder *b, const char *name, const char *text)
{
	for (unsigned p = 1; p <= SPREAD_MAX; p++)
		if (is_used(b, p))
			plan_add_line(b, p, name, text)->undo = NULL;
}

/* Every process is told which clock the lab runs by. */
static const char *clock_line(struct builder *b)
{
	struct arena *a = &b->plan->arena;
	unsigned long long seed = b->g->seed;
	const char *at_once = "";

	if (b->g->clock != CLOCK_VIRTUAL)
		return arena_printf(a, "clock real seed=%llu", seed);
	if (b->env->guests_at_once)
		at_once = arena_printf(a, " at_once=%u", b->env->guests_at_once);
	return arena_printf(a, "clock virtual seed=%llu tod=%lld%s%s", seed,
			    (long long)PLAN_TIME_OF_DAY_S,
			    b->g->spin == SPIN_CHARGE ? " spin=charge" : "", at_once);
}

static int plan_node(struct builder *b, int index, struct err *e)
{
	enum node_kind kind = b->g->nodes[index].kind;

	if (node_kind_is_guest(kind))
		return plan_guest_node(b, index, e);
	if (kind == NODE_SUBSTRATE)
		plan_substrate_node(b, index);
	else if (kind == NODE_ENDSYSTEM)
		plan_endsystem(b, index);
	else if (node_kind_is_device(kind))
		plan_device(b, index);
	else
		plan_outside(b, index);
	return 0;
}

/* Programs and guests begin when everything that carries their frames is there. */
static void plan_begin(struct builder *b)
{
	const struct graph *g = b->g;

	add_everywhere(b, "start", "start");
	for (size_t i = 0; i < g->n_nodes; i++)
		if (!plan_is_absent(b, (int)i))
			plan_programs(b, (int)i);
	for (size_t i = 0; i < g->n_nodes; i++) {
		if (!node_kind_is_guest(g->nodes[i].kind))
			continue;
		plan_bound_guest(b, (int)i);
		struct plan_step *s = plan_add_step(b, PLAN_GUEST, g->nodes[i].name);

		s->node = (int)i;
		plan_guest_argv(b, (int)i, s);
	}
}

struct plan *plan_make(const struct graph *g, const struct plan_env *env, struct err *e)
{
	struct builder b = {.g = g, .env = env, .plan = xcalloc(1, sizeof(struct plan))};
	int rc = 0;

	place_nodes(&b);
	plan_processes(&b);
	add_everywhere(&b, "clock", clock_line(&b));
	for (size_t i = 0; i < g->n_nodes && rc == 0; i++)
		rc = plan_is_absent(&b, (int)i) ? 0 : plan_node(&b, (int)i, e);
	for (size_t i = 0; i < g->n_cables; i++)
		plan_cable(&b, &g->cables[i]);
	plan_virtual_interfaces(&b);
	plan_virtual_networks(&b);
	plan_begin(&b);
	b.plan->steps = b.steps.at;
	b.plan->n_steps = b.steps.n;
	if (rc < 0) {
		plan_destroy(b.plan);
		return NULL;
	}
	return b.plan;
}

void plan_destroy(struct plan *p)
{
	if (!p)
		return;
	free(p->steps);
	arena_finish(&p->arena);
	free(p);
}

unsigned plan_process_of(const struct plan *p, const char *object)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == PLAN_SUBSTRATE && !strcmp(p->steps[i].name, object))
			return p->steps[i].process;
	return 0;
}
