/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cables. One between two processes is a cable in each, to a far end that stands for what the other
 * has, and a trunk that the frames take; both processes are told the same, so that both know when
 * it is cut.
 */
#include "vbet-server/plan/plan_build.h"

#include <string.h>

/*
 * What the language cuts in one word can be cut in parts: a whole cable, the carrier at an end,
 * or one direction.
 */
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

/*
 * Both ends of the trunk between two processes, once: it carries all cables between them. The
 * process with the lower number listens.
 */
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
			      arena_printf(a, "trunk %s path=%s/t/%u-%u%s", name, plan_dir(b), low,
					   high, i ? "" : " listen=1"));
	}
}

/* What a NIC sees of a hub that is in another process. */
static const char *hub_words(struct builder *b, const struct graph_node *n)
{
	const char *medium = "plain";
	const char *rate = "10Mbit"; /* vhub/medium.c */

	if (!n || n->kind != NODE_HUB)
		return "";
	for (size_t i = 0; i < n->n_params; i++) {
		if (!strcmp(n->params[i].key, "medium"))
			medium = n->params[i].value;
		else if (!strcmp(n->params[i].key, "rate"))
			rate = n->params[i].value;
	}
	if (strcmp(medium, "shared") != 0)
		return " shared=1";
	return arena_printf(&b->plan->arena, " shared=1 rate=%s", rate);
}

/* The other end of a cable, in a process that has only this one. */
static void plan_far_end(struct builder *b, const char *cable, unsigned here, struct plan_end far)
{
	struct arena *a = &b->plan->arena;

	need_trunk(b, here, far.process);
	struct plan_step *s =
		plan_add_line(b, here, arena_printf(a, "far %s", far.name),
			      arena_printf(a, "far %s %u>%u key=%s%s", far.name, here, far.process,
					   cable, hub_words(b, far.node)));

	s->undo = arena_printf(a, "remove %s", far.name);
}

void plan_add_cable(struct builder *b, const char *name, struct plan_end from, struct plan_end to,
		    const char *framing, const char *params)
{
	struct arena *a = &b->plan->arena;
	const char *cable = arena_printf(a, "cable %s %s %s", name, from.name, to.name);
	const char *text = arena_printf(a, "%s%s", cable, params);

	/* A cable keeps its framing: with another one it is another cable. */
	const char *fixed = arena_printf(a, "%s%s", cable, framing);

	for (int i = 0; i < (from.process == to.process ? 1 : 2); i++) {
		unsigned here = i ? to.process : from.process;

		if (from.process != to.process)
			plan_far_end(b, name, here, i ? from : to);
		struct plan_step *s = plan_add_line(b, here, name, text);

		s->fixed = fixed;
		/* All that the text leaves out is as in a plain cable again. */
		s->set = arena_printf(a, "reset %s up=1%s", name, params);
		plan_add_need(b, s, from.name);
		plan_add_need(b, s, to.name);
	}
}

/* Both processes hear the same of a cable between them. */
void plan_cable(struct builder *b, const struct graph_cable *c)
{
	struct plan_end end[2];
	struct text t;

	if (plan_is_absent(b, c->end[0].node) || plan_is_absent(b, c->end[1].node))
		return;
	FILE *f = text_open(&t);

	linkspec_print(f, &c->dir[0], "ab.");
	linkspec_print(f, &c->dir[1], "ba.");
	plan_cut(f, &c->cut);
	for (int i = 0; i < 2; i++)
		end[i] = (struct plan_end){plan_end_name(b, c->end[i]),
					   plan_process_at(b, c->end[i].node),
					   &b->g->nodes[c->end[i].node]};
	plan_add_cable(b, c->name, end[0], end[1], c->dir[0].framing == LINK_HDLC ? " hdlc" : "",
		       text_close(b, &t));
}
