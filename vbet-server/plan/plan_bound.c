/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the lab may take of the machine, as groups of processes: one for the lab, and in it one for
 * the server and what carries frames, and one for each guest. If nothing is bounded there are no
 * groups; if anything is, every guest has one, as processes that share a group share its weight.
 *
 * The words of a step are files of a cgroup and what is written to them (cgroup-v2.rst);
 * lab/bounds.c does it, where the machine lets it. Two bounds need no group: the launcher keeps the
 * number of processes by itself (vkernel/launch/limits.c), and vsubstrate has a limit of its memory
 * in any case, whose words are with its step.
 */
#include "lib/guest_processes.h"
#include "lib/words.h"
#include "vbet-server/plan/plan_build.h"

/* Of cpu.max: the kernel's default. */
enum { PERIOD_US = 100000 };
enum { DEFAULT_WEIGHT = 100, NICE_MOST = 19 };
/*
 * vsubstrate needs some MB, and 256 MB for the frames on their way; what is more than this is a
 * fault of ours.
 */
enum { CARRIER_BYTES = 1 << 30, CARRIER_NODE_BYTES = 1 << 20, CARRIER_CABLE_BYTES = 1 << 16 };

static bool bounds_guest(const struct graph_node *n)
{
	return n->cpu_ppm || n->cpu_weight || n->processes;
}

bool plan_is_bounded(const struct graph *g, const struct plan_env *env)
{
	bool is_bounded = env->cpu_ppm || env->memory_bytes;

	for (size_t i = 0; i < g->n_nodes; i++)
		is_bounded = is_bounded || bounds_guest(&g->nodes[i]);
	return is_bounded;
}

static void put_cpu(FILE *f, int64_t ppm)
{
	if (ppm)
		fprintf(f, " \"cpu.max=%lld %d\"", (long long)(ppm * PERIOD_US / 1000000),
			PERIOD_US);
}

/* Every word has a blank in front. */
static void add_group(struct builder *b, const char *name, struct text *t)
{
	const char *text = text_close(b, t);

	plan_add_step(b, PLAN_BOUND, name)->text = *text ? text + 1 : text;
}

void plan_bound_lab(struct builder *b)
{
	struct text t;

	b->is_bounded = plan_is_bounded(b->g, b->env);
	if (!b->is_bounded)
		return;
	FILE *f = text_open(&t);

	put_cpu(f, b->env->cpu_ppm);
	if (b->env->memory_bytes)
		fprintf(f, " memory.max=%lld", (long long)b->env->memory_bytes);
	add_group(b, PLAN_BOUND_LAB, &t);
	text_open(&t);
	add_group(b, PLAN_BOUND_SERVER, &t);
}

/* If memory runs out, a guest that loses one of its processes is worth nothing: it goes as a whole.
 */
void plan_bound_guest(struct builder *b, int node)
{
	const struct graph_node *n = &b->g->nodes[node];
	struct text t;

	if (!b->is_bounded)
		return;
	FILE *f = text_open(&t);

	put_cpu(f, n->cpu_ppm);
	if (n->cpu_weight)
		fprintf(f, " cpu.weight=%lld", (long long)n->cpu_weight);
	if (b->env->memory_bytes)
		fputs(" memory.oom.group=1", f);
	if (n->processes)
		fprintf(f, " pids.max=%lld", (long long)n->processes + GUEST_OWN_PROCESSES);
	add_group(b, arena_printf(&b->plan->arena, PLAN_BOUND_GUEST "%s", n->name), &t);
}

int64_t plan_guests_memory(const struct graph *g)
{
	int64_t sum = 0;

	for (size_t i = 0; i < g->n_nodes; i++)
		sum += g->nodes[i].memory_bytes;
	return sum;
}

/* Of the lab's memory the guests may need all that is theirs. A power of two, so that a node more
 * changes nothing, as a rule. */
static int64_t carrier_memory(const struct builder *b, unsigned n_processes)
{
	int64_t need = CARRIER_BYTES + (int64_t)b->g->n_nodes * CARRIER_NODE_BYTES +
		       (int64_t)b->g->n_cables * CARRIER_CABLE_BYTES;
	int64_t left = (b->env->memory_bytes - plan_guests_memory(b->g)) / (int64_t)n_processes;
	int64_t most = CARRIER_BYTES;

	while (most < need)
		most *= 2;
	if (!b->env->memory_bytes || left > most)
		return most;
	return left > PLAN_CARRIER_MIN ? left : PLAN_CARRIER_MIN;
}

void plan_bound_process(struct builder *b, struct plan_step *s, unsigned n_processes)
{
	long long memory = carrier_memory(b, n_processes);

	s->text = s->set = arena_printf(&b->plan->arena, "memory=%lld", memory);
}

/*
 * Where there is no group for it, nice(2) keeps what weights are to each other, in steps of 25 %
 * and only downwards from the largest of them.
 */
int plan_bound_nice(const struct graph *g, const struct graph_node *n)
{
	double most = DEFAULT_WEIGHT;
	double weight = n->cpu_weight ? (double)n->cpu_weight : DEFAULT_WEIGHT;
	int nice = 0;

	for (size_t i = 0; i < g->n_nodes; i++)
		if ((double)g->nodes[i].cpu_weight > most)
			most = (double)g->nodes[i].cpu_weight;
	for (; nice < NICE_MOST && weight * 1.118 < most; nice++)
		weight *= 1.25;
	return nice;
}
