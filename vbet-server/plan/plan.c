/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/plan/plan.h"

#include "lib/words.h"
#include "vbet-server/plan/initconf.h"
#include "vbet-server/plan/plan_build.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct plan_step *plan_add_step(struct builder *b, enum plan_op op, const char *name)
{
	struct plan_step *s = vec_add(&b->steps);

	s->op = op;
	s->name = arena_strdup(&b->plan->arena, name);
	s->node = -1;
	return s;
}

const char *plan_end_name(struct builder *b, struct graph_end end)
{
	const struct graph_node *n = &b->g->nodes[end.node];

	return arena_printf(&b->plan->arena, "%s:%s", n->name, n->nics[end.nic].name);
}

FILE *text_open(struct text *t)
{
	t->f = open_memstream(&t->buf, &t->len);
	return t->f;
}

const char *text_close(struct builder *b, struct text *t)
{
	fclose(t->f);
	char *copy = arena_strndup(&b->plan->arena, t->buf, t->len);

	free(t->buf);
	return copy;
}

struct plan_step *plan_add_line(struct builder *b, unsigned process, const char *name,
				const char *text)
{
	struct plan_step *s = plan_add_step(b, PLAN_SUBSTRATE, name);

	s->process = process;
	s->text = text;
	s->undo = arena_printf(&b->plan->arena, "remove %s", s->name);
	return s;
}

void plan_add_need(struct builder *b, struct plan_step *s, const char *name)
{
	assert(s->n_needs < PLAN_MAX_NEEDS);
	s->needs[s->n_needs++] = arena_strdup(&b->plan->arena, name);
}

unsigned plan_process_at(const struct builder *b, int node)
{
	return b->plan->places[node].process;
}

/* A line for the process that carries the node. */
struct plan_step *plan_add_at(struct builder *b, int node, const char *name, const char *text)
{
	struct plan_step *s = plan_add_line(b, plan_process_at(b, node), name, text);

	s->node = node;
	return s;
}

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
		plan_add_at(b, index, port, text_close(b, &t));
	}
}

void plan_add_nic(struct builder *b, int node, int nic)
{
	const struct graph_node *n = &b->g->nodes[node];
	const struct graph_nic *c = &n->nics[nic];
	const char *name = plan_end_name(b, (struct graph_end){node, nic});
	const char *dir = b->env->lab_dir;
	char mac[24];
	struct arena *a = &b->plan->arena;

	addr_format_mac(c->mac, mac, sizeof(mac));
	/* A program is no driver of rings in shared memory. */
	bool seqpacket = c->backend == NIC_SEQPACKET || n->kind == NODE_ENDSYSTEM;

	plan_add_at(b, node, name,
		    arena_printf(a, "nic %s %s path=%s/n/%s/j/%s mac=%s mtu=%u guest=%s", name,
				 seqpacket ? "seqpacket" : "vhost", dir, n->name, c->name, mac,
				 c->mtu, n->name));
}

static const char *guest_nic_arg(struct builder *b, const struct graph_nic *c, size_t i)
{
	struct arena *a = &b->plan->arena;
	char mac[24];

	addr_format_mac(c->mac, mac, sizeof(mac));
	if (c->backend == NIC_SEQPACKET)
		return arena_printf(a, "vec%zu:transport=bess,dst=/vbet/%s,mac=%s,mtu=%u,depth=128",
				    i, c->name, mac, c->mtu);
	return arena_printf(a, "virtio_uml.device=/vbet/%s:1", c->name);
}

/* The launcher's argv; the kernel's arguments after "--". */
static void guest_argv(struct builder *b, int index, struct plan_step *s)
{
	static const char *const kernel_args[] = {
		"root=none",      "rootfstype=hostfs", "rootflags=/", "ro",    "init=/init",
		"con0=fd:0,fd:1", "con=null",          "ssl=null",    "quiet", "noreboot",
	};
	const struct graph_node *n = &b->g->nodes[index];
	const struct plan_env *env = b->env;
	struct arena *a = &b->plan->arena;
	VEC(const char *) v = {0};
	const char *tree = env->tree;

	if (n->root)
		tree = n->root[0] == '/' ? n->root
					 : arena_printf(a, "%s/%s", env->base_dir, n->root);
	vec_push(&v, env->launcher);
	vec_push(&v, arena_printf(a, "name=%s", n->name));
	vec_push(&v, arena_printf(a, "kernel=%s", env->kernel));
	vec_push(&v, arena_printf(a, "init=%s", env->init));
	vec_push(&v, arena_printf(a, "root=%s", tree));
	vec_push(&v, arena_printf(a, "dir=%s/n/%s/j", env->lab_dir, n->name));
	vec_push(&v, arena_printf(a, "memory=%lld", (long long)n->memory_bytes));
	if (env->cpus)
		vec_push(&v, arena_printf(a, "cpu=%u", (unsigned)index % env->cpus));
	if (env->insecure)
		vec_push(&v, "insecure=1");
	vec_push(&v, "--");
	vec_push(&v, arena_printf(a, "mem=%lldM", (long long)(n->memory_bytes >> 20)));
	for (size_t i = 0; i < ARRAY_LEN(kernel_args); i++)
		vec_push(&v, kernel_args[i]);
	if (b->g->clock == CLOCK_VIRTUAL) {
		/* Clock and randomness come from the lab; a daemon that spins pays more and more
		 * for looking. */
		vec_push(&v, "time-travel=ext:/vbet/time");
		vec_push(&v, "tt-spin=5");
		vec_push(&v, arena_printf(a, "vbet.seed=%llu.%s", (unsigned long long)b->g->seed,
					  n->name));
	} else {
		/* What was sent is taken back when something is sent: no interrupt tells of it. */
		vec_push(&v, "virtio_net.napi_tx=0");
	}
	vec_push(&v, "virtio_uml.device=/vbet/agent:3");
	for (size_t i = 0; i < n->n_nics; i++)
		vec_push(&v, guest_nic_arg(b, &n->nics[i], i));
	s->argc = v.n;
	s->argv = arena_alloc(a, (v.n + 1) * sizeof(char *));
	memcpy((void *)s->argv, v.at, v.n * sizeof(char *));
	vec_free(&v);
}

void plan_add_dirs(struct builder *b, int node)
{
	struct arena *a = &b->plan->arena;
	const char *name = b->g->nodes[node].name;

	plan_add_step(b, PLAN_DIR, arena_printf(a, "n/%s", name))->node = node;
	plan_add_step(b, PLAN_DIR, arena_printf(a, "n/%s/j", name))->node = node;
}

static int plan_guest_files(struct builder *b, int index, struct err *e)
{
	const struct graph_node *n = &b->g->nodes[index];
	struct arena *a = &b->plan->arena;
	struct text t;

	plan_add_dirs(b, index);
	int rc = initconf_write(text_open(&t), b->g, n, b->env, e);
	const char *conf = text_close(b, &t);

	if (rc < 0)
		return err_wrap(e, "%s", n->name);
	struct plan_step *s =
		plan_add_step(b, PLAN_FILE, arena_printf(a, "n/%s/j/init.conf", n->name));

	s->text = conf;
	s->node = index;
	return 0;
}

static int plan_guest_node(struct builder *b, int index, struct err *e)
{
	const struct graph_node *n = &b->g->nodes[index];
	struct arena *a = &b->plan->arena;
	const char *dir = b->env->lab_dir;

	if (plan_guest_files(b, index, e) < 0)
		return -1;
	if (b->g->clock == CLOCK_VIRTUAL)
		plan_add_at(b, index, n->name,
			    arena_printf(a, "guest %s time=%s/n/%s/j/time", n->name, dir, n->name));
	plan_add_at(b, index, arena_printf(a, "%s:agent", n->name),
		    arena_printf(a,
				 "channel %s:agent path=%s/n/%s/j/agent stream=%s/n/%s/agent "
				 "guest=%s",
				 n->name, dir, n->name, dir, n->name, n->name));
	for (size_t i = 0; i < n->n_nics; i++)
		plan_add_nic(b, index, (int)i);
	return 0;
}

static void plan_cut(FILE *f, const struct graph_cut *cut)
{
	if (cut->all)
		fputs(" up=0", f);
	for (int i = 0; i < 2; i++) {
		if (cut->end[i])
			fprintf(f, " %c.up=0", "ab"[i]);
		if (cut->dir[i])
			fprintf(f, " %s.up=0", i ? "ba" : "ab");
	}
}

/* Both ends of the trunk between two processes, once. */
static void need_trunk(struct builder *b, unsigned p, unsigned q)
{
	struct arena *a = &b->plan->arena;
	unsigned low = p < q ? p : q;
	unsigned high = p < q ? q : p;

	if (b->trunk[low][high])
		return;
	b->trunk[low][high] = true;
	for (int i = 0; i < 2; i++) {
		unsigned here = i ? high : low;
		const char *name = arena_printf(a, "%u>%u", here, i ? low : high);

		plan_add_line(b, here, name,
			      arena_printf(a, "trunk %s path=%s/t/%u-%u%s", name, b->env->lab_dir,
					   low, high, i ? "" : " listen=1"));
	}
}

/* The other end of a cable, in a process that has only this one. */
static void plan_far_end(struct builder *b, const char *cable, unsigned here, struct plan_end far)
{
	struct arena *a = &b->plan->arena;

	need_trunk(b, here, far.process);
	struct plan_step *s = plan_add_line(
		b, here, arena_printf(a, "far %s", far.name),
		arena_printf(a, "far %s %u>%u key=%s", far.name, here, far.process, cable));

	s->undo = arena_printf(a, "remove %s", far.name);
}

void plan_add_cable(struct builder *b, const char *name, struct plan_end from, struct plan_end to,
		    const char *params)
{
	struct arena *a = &b->plan->arena;
	const char *fixed = arena_printf(a, "cable %s %s %s", name, from.name, to.name);
	const char *text = arena_printf(a, "%s%s", fixed, params);

	for (int i = 0; i < (from.process == to.process ? 1 : 2); i++) {
		unsigned here = i ? to.process : from.process;

		if (from.process != to.process)
			plan_far_end(b, name, here, i ? from : to);
		struct plan_step *s = plan_add_line(b, here, name, text);

		s->live = true;
		s->fixed = fixed;
		plan_add_need(b, s, from.name);
		plan_add_need(b, s, to.name);
	}
}

/* Both processes hear the same of a cable between them. */
static void plan_cable(struct builder *b, const struct graph_cable *c)
{
	struct plan_end end[2];
	struct text t;
	FILE *f = text_open(&t);

	linkspec_print(f, &c->dir[0], "ab.");
	linkspec_print(f, &c->dir[1], "ba.");
	plan_cut(f, &c->cut);
	for (int i = 0; i < 2; i++)
		end[i] = (struct plan_end){plan_end_name(b, c->end[i]),
					   plan_process_at(b, c->end[i].node)};
	plan_add_cable(b, c->name, end[0], end[1], text_close(b, &t));
}

/* Where each node is carried: in a running lab where it was. */
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
	unsigned *process = spread_nodes(g, n, kept);

	p->places = arena_alloc(&p->arena, (g->n_nodes + 1) * sizeof(*p->places));
	p->n_places = g->n_nodes;
	for (size_t i = 0; i < g->n_nodes; i++)
		p->places[i] = (struct plan_place){
			.node = arena_strdup(&p->arena, g->nodes[i].name), .process = process[i]};
	free(process);
	free(kept);
}

/* The first process is always there; others if a node is in them. */
static bool is_used(const struct plan *p, unsigned process)
{
	bool used = process == 1;

	for (size_t i = 0; i < p->n_places && !used; i++)
		used = p->places[i].process == process;
	return used;
}

static void plan_processes(struct builder *b)
{
	struct arena *a = &b->plan->arena;
	unsigned n = 0;

	for (unsigned p = 1; p <= SPREAD_MAX; p++) {
		if (!is_used(b->plan, p))
			continue;
		plan_add_step(b, PLAN_PROCESS,
			      p == 1 ? "substrate" : arena_printf(a, "substrate.%u", p))
			->process = p;
		n++;
	}
	plan_add_step(b, PLAN_DIR, "n");
	if (n > 1)
		plan_add_step(b, PLAN_DIR, "t");
}

/* The same line for all processes that can not be taken back. */
static void add_everywhere(struct builder *b, const char *name, const char *text)
{
	for (unsigned p = 1; p <= SPREAD_MAX; p++)
		if (is_used(b->plan, p))
			plan_add_line(b, p, name, text)->undo = NULL;
}

struct plan *plan_make(const struct graph *g, const struct plan_env *env, struct err *e)
{
	struct builder b = {.g = g, .env = env, .plan = xcalloc(1, sizeof(struct plan))};
	int rc = 0;

	place_nodes(&b);
	plan_processes(&b);
	add_everywhere(
		&b, "clock",
		g->clock == CLOCK_VIRTUAL
			? arena_printf(&b.plan->arena, "clock virtual seed=%llu tod=%lld%s%s",
				       (unsigned long long)g->seed, (long long)PLAN_TIME_OF_DAY_S,
				       g->spin == SPIN_CHARGE ? " spin=charge" : "",
				       env->guests_at_once
					       ? arena_printf(&b.plan->arena, " at_once=%u",
							      env->guests_at_once)
					       : "")
			: arena_printf(&b.plan->arena, "clock real seed=%llu",
				       (unsigned long long)g->seed));
	for (size_t i = 0; i < g->n_nodes && rc == 0; i++) {
		if (node_kind_is_guest(g->nodes[i].kind))
			rc = plan_guest_node(&b, (int)i, e);
		else if (g->nodes[i].kind == NODE_SUBSTRATE)
			plan_substrate_node(&b, (int)i);
		else if (g->nodes[i].kind == NODE_ENDSYSTEM)
			plan_endsystem(&b, (int)i);
		else if (node_kind_is_device(g->nodes[i].kind))
			plan_device(&b, (int)i);
		else
			plan_outside(&b, (int)i);
	}
	for (size_t i = 0; i < g->n_cables; i++)
		plan_cable(&b, &g->cables[i]);
	plan_virtual_interfaces(&b);
	plan_virtual_networks(&b);
	add_everywhere(&b, "start", "start");
	for (size_t i = 0; i < g->n_nodes; i++)
		plan_programs(&b, (int)i);
	for (size_t i = 0; i < g->n_nodes && rc == 0; i++) {
		if (!node_kind_is_guest(g->nodes[i].kind))
			continue;
		struct plan_step *s = plan_add_step(&b, PLAN_GUEST, g->nodes[i].name);

		s->node = (int)i;
		guest_argv(&b, (int)i, s);
	}
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

static const char *const op_names[] = {
	[PLAN_PROCESS] = "process",     [PLAN_DIR] = "dir",         [PLAN_FILE] = "file",
	[PLAN_SUBSTRATE] = "substrate", [PLAN_OUTSIDE] = "outside", [PLAN_GUEST] = "guest",
	[PLAN_PROGRAM] = "program",
};
_Static_assert(ARRAY_LEN(op_names) == PLAN_OPS, "op_names out of step with enum plan_op");

static void print_indented(FILE *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		fprintf(out, "    %.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

void plan_print(FILE *out, const struct plan *p)
{
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct plan_step *s = &p->steps[i];

		fputs(op_names[s->op], out);
		if (s->op == PLAN_SUBSTRATE && s->process > 1)
			fprintf(out, ".%u", s->process);
		fputc(' ', out);
		switch (s->op) {
		case PLAN_GUEST:
			fprintf(out, "%s: ", s->name);
			words_put_line(out, s->argv, s->argc);
			break;
		case PLAN_FILE:
			fprintf(out, "%s\n", s->name);
			print_indented(out, s->text);
			break;
		case PLAN_PROCESS:
		case PLAN_DIR:
			fprintf(out, "%s\n", s->name);
			break;
		case PLAN_SUBSTRATE:
		case PLAN_OUTSIDE:
			fprintf(out, "%s\n", s->text);
			break;
		case PLAN_PROGRAM:
			fprintf(out, "%s: %s\n", s->name, s->text);
			break;
		case PLAN_OPS:
			break;
		}
	}
}

unsigned plan_process_of(const struct plan *p, const char *object)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == PLAN_SUBSTRATE && !strcmp(p->steps[i].name, object))
			return p->steps[i].process;
	return 0;
}

/* Steps in the order of their names, to find them. */
static int compare_steps(const void *pa, const void *pb)
{
	const struct plan_step *a = *(const struct plan_step *const *)pa;
	const struct plan_step *b = *(const struct plan_step *const *)pb;

	if (a->op != b->op)
		return a->op < b->op ? -1 : 1;
	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	return strcmp(a->name, b->name);
}

static const struct plan_step **sort_steps(const struct plan *p)
{
	const struct plan_step **sorted = xcalloc(p->n_steps + 1, sizeof(*sorted));

	for (size_t i = 0; i < p->n_steps; i++)
		sorted[i] = &p->steps[i];
	if (p->n_steps > 1)
		qsort(sorted, p->n_steps, sizeof(*sorted), compare_steps);
	return sorted;
}

/* Two plans that are compared. */
struct difference {
	const struct plan *from, *to;
	const struct plan_step **from_sorted, **to_sorted;
	bool *gone; /* by step of `from`: it is undone */
};

static const struct plan_step *find_step(const struct plan *p, const struct plan_step **sorted,
					 const struct plan_step *like)
{
	const struct plan_step **found =
		bsearch(&like, sorted, p->n_steps, sizeof(*sorted), compare_steps);

	return found ? *found : NULL;
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* Guests are not restarted for a changed argv, nor are files taken away. */
static bool must_replace(const struct plan_step *old, const struct plan_step *new)
{
	bool told = old->op == PLAN_SUBSTRATE || old->op == PLAN_OUTSIDE;

	if (!told || !old->undo || same_text(old->text, new->text))
		return false;
	return !old->live || !same_text(old->fixed, new->fixed);
}

/* True if a line that the step needs is undone, in whatever process it is. */
static bool lost_need(const struct difference *d, const struct plan_step *s)
{
	for (size_t i = 0; i < s->n_needs; i++) {
		for (unsigned process = 1; process <= SPREAD_MAX; process++) {
			struct plan_step like = {
				.op = PLAN_SUBSTRATE, .name = s->needs[i], .process = process};
			const struct plan_step *need = find_step(d->from, d->from_sorted, &like);

			if (need && d->gone[need - d->from->steps])
				return true;
		}
	}
	return false;
}

static bool is_gone(const struct difference *d, const struct plan_step *old)
{
	const struct plan_step *new = find_step(d->to, d->to_sorted, old);

	return !new || must_replace(old, new) || lost_need(d, old);
}

size_t plan_diff(const struct plan *from, const struct plan *to, struct plan_diff_item **items)
{
	VEC(struct plan_diff_item) v = {0};
	struct difference d = {from, to, sort_steps(from), sort_steps(to),
			       xcalloc(from->n_steps + 1, sizeof(bool))};

	for (size_t i = 0; i < from->n_steps; i++)
		d.gone[i] = is_gone(&d, &from->steps[i]);
	for (size_t i = from->n_steps; i-- > 0;)
		if (d.gone[i])
			vec_push(&v, ((struct plan_diff_item){PLAN_REMOVE, &from->steps[i]}));
	for (size_t i = 0; i < to->n_steps; i++) {
		const struct plan_step *new = &to->steps[i];
		const struct plan_step *old = find_step(from, d.from_sorted, new);

		if (!old || d.gone[old - from->steps])
			vec_push(&v, ((struct plan_diff_item){PLAN_ADD, new}));
		else if (!same_text(old->text, new->text))
			vec_push(&v, ((struct plan_diff_item){PLAN_SET, new}));
	}
	free(d.from_sorted);
	free(d.to_sorted);
	free(d.gone);
	*items = v.at;
	return v.n;
}
