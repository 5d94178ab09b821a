/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all files that make plans are built from: steps, lines, names.
 *
 * A plan is a list of steps in the order in which they are done, and undone in reverse. It is
 * compared with the plan before it, step by step and by name, so a name must tell a thing for good:
 * it may not have a number in it that moves when something else goes.
 *
 * Everything lives in the plan's arena, also what came from the graph or the environment, as a plan
 * outlives both.
 */
#include "vbet-server/plan/plan_build.h"

#include "lib/units.h"
#include "lib/words.h"
#include "lib/xalloc.h"

#include <assert.h>
#include <stdlib.h>

struct plan_step *plan_add_step(struct builder *b, enum plan_op op, const char *name)
{
	struct plan_step *s = vec_add(&b->steps);

	s->op = op;
	s->name = arena_strdup(&b->plan->arena, name);
	s->node = -1;
	return s;
}

const char *plan_dir(struct builder *b)
{
	return words_quote(&b->plan->arena, b->env->lab_dir);
}

const char *plan_end_name(struct builder *b, struct graph_end end)
{
	const struct graph_node *n = &b->g->nodes[end.node];

	return arena_printf(&b->plan->arena, "%s:%s", n->name, n->nics[end.nic].name);
}

FILE *text_open(struct text *t)
{
	t->f = xmemstream(&t->buf, &t->len);
	return t->f;
}

/*
 * Lines are written through a FILE, for words_put() knows how to quote, and live as long as the
 * plan.
 */
const char *text_close(struct builder *b, struct text *t)
{
	fclose(t->f);
	char *copy = arena_strndup(&b->plan->arena, t->buf, t->len);

	free(t->buf);
	return copy;
}

/*
 * Most lines make an object, which "remove NAME" takes away again; those that do not set `undo`
 * themselves.
 */
struct plan_step *plan_add_line(struct builder *b, unsigned process, const char *name,
				const char *text)
{
	struct plan_step *s = plan_add_step(b, PLAN_SUBSTRATE, name);

	s->process = process;
	s->text = text;
	s->undo = arena_printf(&b->plan->arena, "remove %s", s->name);
	return s;
}

/* At most PLAN_MAX_NEEDS, for nothing here stands on more than two others. */
void plan_add_need(struct builder *b, struct plan_step *s, const char *name)
{
	assert(s->n_needs < PLAN_MAX_NEEDS);
	s->needs[s->n_needs++] = arena_strdup(&b->plan->arena, name);
}

unsigned plan_process_at(const struct builder *b, int node)
{
	return b->plan->places[node].process;
}

bool plan_is_absent(const struct builder *b, int node)
{
	return b->g->nodes[node].stopped ||
	       (b->env->gone && plan_process_at(b, node) == b->env->gone);
}

struct plan_step *plan_add_at(struct builder *b, int node, const char *name, const char *text)
{
	struct plan_step *s = plan_add_line(b, plan_process_at(b, node), name, text);

	s->node = node;
	return s;
}

/* " speed=1Gbit duplex=half", as far as the script says it. */
static const char *speed_words(struct builder *b, const struct graph_nic *c)
{
	struct arena *a = &b->plan->arena;
	const char *words = "";
	char rate[32];

	if (c->speed_bps)
		words = arena_printf(a, " speed=%s",
				     unit_format(UNIT_RATE, c->speed_bps, rate, sizeof(rate)));
	return c->duplex ? arena_printf(a, "%s duplex=%s", words, nic_duplex_name(c->duplex))
			 : words;
}

/*
 * Speed and duplex are what the guest is told of its NIC, and can be told anew at any time; for all
 * else the NIC must be made anew.
 */
void plan_add_nic(struct builder *b, int node, int nic)
{
	const struct graph_node *n = &b->g->nodes[node];
	const struct graph_nic *c = &n->nics[nic];
	const char *name = plan_end_name(b, (struct graph_end){node, nic});
	const char *dir = plan_dir(b);
	char mac[24];
	struct arena *a = &b->plan->arena;

	addr_format_mac(c->mac, mac, sizeof(mac));
	/* The program of an end system speaks frames over a socket; it has no virtio driver. */
	bool seqpacket = c->backend == NIC_SEQPACKET || n->kind == NODE_ENDSYSTEM;

	const char *fixed = arena_printf(a, "nic %s %s path=%s/n/%s/j/%s mac=%s mtu=%u guest=%s",
					 name, seqpacket ? "seqpacket" : "vhost", dir, n->name,
					 c->name, mac, c->mtu, n->name);
	const char *speed = seqpacket ? "" : speed_words(b, c);
	struct plan_step *s = plan_add_at(b, node, name, arena_printf(a, "%s%s", fixed, speed));

	if (seqpacket)
		return;
	s->fixed = fixed;
	s->set = arena_printf(a, "set %s%s", name, speed);
}

void plan_add_dirs(struct builder *b, int node)
{
	struct arena *a = &b->plan->arena;
	const char *name = b->g->nodes[node].name;

	plan_add_step(b, PLAN_DIR, arena_printf(a, "n/%s", name))->node = node;
	plan_add_step(b, PLAN_DIR, arena_printf(a, "n/%s/j", name))->node = node;
}
