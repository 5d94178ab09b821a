/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/plan.h"

#include "lib/vec.h"
#include "lib/words.h"
#include "vbet-server/initconf.h"
#include "vbet-server/spread.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct builder {
	const struct graph *g;
	const struct plan_env *env;
	struct plan *plan;
	VEC(struct plan_step) steps;
	bool trunk[SPREAD_MAX + 1][SPREAD_MAX + 1]; /* between these processes there is one */
};

static struct plan_step *add_step(struct builder *b, enum plan_op op, const char *name)
{
	struct plan_step *s = vec_add(&b->steps);

	s->op = op;
	s->name = arena_strdup(&b->plan->arena, name);
	s->node = -1;
	return s;
}

static const char *end_name(struct builder *b, struct graph_end end)
{
	const struct graph_node *n = &b->g->nodes[end.node];

	return arena_printf(&b->plan->arena, "%s:%s", n->name, n->nics[end.nic].name);
}

/* A line of text in the arena, written through a FILE. */
struct text {
	FILE *f;
	char *buf;
	size_t len;
};

static FILE *text_open(struct text *t)
{
	t->f = open_memstream(&t->buf, &t->len);
	return t->f;
}

static const char *text_close(struct builder *b, struct text *t)
{
	fclose(t->f);
	char *copy = arena_strndup(&b->plan->arena, t->buf, t->len);

	free(t->buf);
	return copy;
}

static struct plan_step *add_line(struct builder *b, unsigned process, const char *name,
				  const char *text)
{
	struct plan_step *s = add_step(b, PLAN_SUBSTRATE, name);

	s->process = process;
	s->text = text;
	s->undo = arena_printf(&b->plan->arena, "remove %s", s->name);
	return s;
}

static unsigned process_of(const struct builder *b, int node)
{
	return b->plan->places[node].process;
}

/* A line for the process that carries the node. */
static struct plan_step *add_substrate(struct builder *b, int node, const char *name,
				       const char *text)
{
	struct plan_step *s = add_line(b, process_of(b, node), name, text);

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
	add_substrate(b, index, n->name, text_close(b, &t));
	for (size_t i = 0; i < n->n_nics; i++) {
		const char *port = end_name(b, (struct graph_end){index, (int)i});

		f = text_open(&t);
		fprintf(f, "port %s %s %s", port, n->name, n->nics[i].name);
		for (size_t k = 0; k < n->nics[i].n_params; k++) {
			fprintf(f, " %s=", n->nics[i].params[k].key);
			words_put(f, n->nics[i].params[k].value);
		}
		add_substrate(b, index, port, text_close(b, &t));
	}
}

static void plan_nic(struct builder *b, int node, int nic)
{
	const struct graph_node *n = &b->g->nodes[node];
	const struct graph_nic *c = &n->nics[nic];
	const char *name = end_name(b, (struct graph_end){node, nic});
	const char *dir = b->env->lab_dir;
	char mac[24];
	struct arena *a = &b->plan->arena;

	graph_format_mac(c->mac, mac, sizeof(mac));
	bool seqpacket = c->backend == NIC_SEQPACKET;

	add_substrate(b, node, name,
		      arena_printf(a, "nic %s %s path=%s/n/%s/j/%s mac=%s mtu=%u guest=%s", name,
				   seqpacket ? "seqpacket" : "vhost", dir, n->name, c->name, mac,
				   c->mtu, n->name));
}

static const char *guest_nic_arg(struct builder *b, const struct graph_nic *c, size_t i)
{
	struct arena *a = &b->plan->arena;
	char mac[24];

	graph_format_mac(c->mac, mac, sizeof(mac));
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
	}
	vec_push(&v, "virtio_uml.device=/vbet/agent:3");
	for (size_t i = 0; i < n->n_nics; i++)
		vec_push(&v, guest_nic_arg(b, &n->nics[i], i));
	s->argc = v.n;
	s->argv = arena_alloc(a, (v.n + 1) * sizeof(char *));
	memcpy((void *)s->argv, v.at, v.n * sizeof(char *));
	vec_free(&v);
}

static int plan_guest_files(struct builder *b, int index, struct err *e)
{
	const struct graph_node *n = &b->g->nodes[index];
	struct arena *a = &b->plan->arena;
	struct text t;

	add_step(b, PLAN_DIR, arena_printf(a, "n/%s", n->name))->node = index;
	add_step(b, PLAN_DIR, arena_printf(a, "n/%s/j", n->name))->node = index;
	int rc = initconf_write(text_open(&t), b->g, n, b->env, e);
	const char *conf = text_close(b, &t);

	if (rc < 0)
		return err_wrap(e, "%s", n->name);
	struct plan_step *s = add_step(b, PLAN_FILE, arena_printf(a, "n/%s/j/init.conf", n->name));

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
		add_substrate(
			b, index, n->name,
			arena_printf(a, "guest %s time=%s/n/%s/j/time", n->name, dir, n->name));
	add_substrate(b, index, arena_printf(a, "%s:agent", n->name),
		      arena_printf(a,
				   "channel %s:agent path=%s/n/%s/j/agent stream=%s/n/%s/agent "
				   "guest=%s",
				   n->name, dir, n->name, dir, n->name, n->name));
	for (size_t i = 0; i < n->n_nics; i++)
		plan_nic(b, index, (int)i);
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

		add_line(b, here, name,
			 arena_printf(a, "trunk %s path=%s/t/%u-%u%s", name, b->env->lab_dir, low,
				      high, i ? "" : " listen=1"));
	}
}

/* The other end of a cable, in a process that has only this one. */
static void plan_far_end(struct builder *b, const struct graph_cable *c, int far)
{
	struct arena *a = &b->plan->arena;
	unsigned here = process_of(b, c->end[!far].node);
	unsigned there = process_of(b, c->end[far].node);
	const char *end = end_name(b, c->end[far]);

	need_trunk(b, here, there);
	struct plan_step *s =
		add_line(b, here, arena_printf(a, "far %s", end),
			 arena_printf(a, "far %s %u>%u key=%s", end, here, there, c->name));

	s->undo = arena_printf(a, "remove %s", end);
}

/* Both processes hear the same of a cable between them. */
static void plan_cable(struct builder *b, const struct graph_cable *c)
{
	struct text t;
	FILE *f = text_open(&t);
	unsigned p = process_of(b, c->end[0].node);
	unsigned q = process_of(b, c->end[1].node);

	fprintf(f, "cable %s %s %s", c->name, end_name(b, c->end[0]), end_name(b, c->end[1]));
	linkspec_print(f, &c->dir[0], "ab.");
	linkspec_print(f, &c->dir[1], "ba.");
	plan_cut(f, &c->cut);
	const char *text = text_close(b, &t);

	if (p != q)
		plan_far_end(b, c, 1);
	add_line(b, p, c->name, text)->live = true;
	if (p == q)
		return;
	plan_far_end(b, c, 0);
	add_line(b, q, c->name, text)->live = true;
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
		add_step(b, PLAN_PROCESS, p == 1 ? "substrate" : arena_printf(a, "substrate.%u", p))
			->process = p;
		n++;
	}
	add_step(b, PLAN_DIR, "n");
	if (n > 1)
		add_step(b, PLAN_DIR, "t");
}

/* The same line for all processes that can not be taken back. */
static void add_everywhere(struct builder *b, const char *name, const char *text)
{
	for (unsigned p = 1; p <= SPREAD_MAX; p++)
		if (is_used(b->plan, p))
			add_line(b, p, name, text)->undo = NULL;
}

struct plan *plan_make(const struct graph *g, const struct plan_env *env, struct err *e)
{
	struct builder b = {.g = g, .env = env, .plan = xcalloc(1, sizeof(struct plan))};
	int rc = 0;

	place_nodes(&b);
	plan_processes(&b);
	add_everywhere(&b, "clock",
		       g->clock == CLOCK_VIRTUAL
			       ? arena_printf(&b.plan->arena, "clock virtual seed=%llu tod=%lld",
					      (unsigned long long)g->seed,
					      (long long)PLAN_TIME_OF_DAY_S)
			       : arena_printf(&b.plan->arena, "clock real seed=%llu",
					      (unsigned long long)g->seed));
	for (size_t i = 0; i < g->n_nodes && rc == 0; i++) {
		if (node_kind_is_guest(g->nodes[i].kind))
			rc = plan_guest_node(&b, (int)i, e);
		else
			plan_device(&b, (int)i);
	}
	for (size_t i = 0; i < g->n_cables; i++)
		plan_cable(&b, &g->cables[i]);
	add_everywhere(&b, "start", "start");
	for (size_t i = 0; i < g->n_nodes && rc == 0; i++) {
		if (!node_kind_is_guest(g->nodes[i].kind))
			continue;
		struct plan_step *s = add_step(&b, PLAN_GUEST, g->nodes[i].name);

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
	[PLAN_PROCESS] = "process",     [PLAN_DIR] = "dir",     [PLAN_FILE] = "file",
	[PLAN_SUBSTRATE] = "substrate", [PLAN_GUEST] = "guest",
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
			fprintf(out, "%s\n", s->text);
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

static const struct plan_step *find_step(const struct plan *p, const struct plan_step *like)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].op == like->op && p->steps[i].process == like->process &&
		    !strcmp(p->steps[i].name, like->name))
			return &p->steps[i];
	return NULL;
}

static bool same_text(const struct plan_step *a, const struct plan_step *b)
{
	return !strcmp(a->text ? a->text : "", b->text ? b->text : "");
}

/* Cables change by "set" while both ends stay; guests are not restarted for a changed argv. */
static bool must_replace(const struct plan_step *old, const struct plan_step *new)
{
	return old->op == PLAN_SUBSTRATE && !old->live && old->undo && !same_text(old, new);
}

size_t plan_diff(const struct plan *from, const struct plan *to, struct plan_diff_item **items)
{
	VEC(struct plan_diff_item) v = {0};

	for (size_t i = from->n_steps; i-- > 0;) {
		const struct plan_step *old = &from->steps[i];
		const struct plan_step *new = find_step(to, old);

		if (!new || must_replace(old, new))
			vec_push(&v, ((struct plan_diff_item){PLAN_REMOVE, old}));
	}
	for (size_t i = 0; i < to->n_steps; i++) {
		const struct plan_step *new = &to->steps[i];
		const struct plan_step *old = find_step(from, new);

		if (!old || must_replace(old, new))
			vec_push(&v, ((struct plan_diff_item){PLAN_ADD, new}));
		else if (!same_text(old, new))
			vec_push(&v, ((struct plan_diff_item){PLAN_SET, new}));
	}
	*items = v.at;
	return v.n;
}
