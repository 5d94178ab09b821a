/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A cable is captured at its first end. A capture ends with that end, when the node there is
 * stopped, say; when the cable is laid anew it goes on in another file: CABLE.pcapng, then
 * CABLE.2.pcapng, and so on. In virtual time the clock stands while either is asked for, so no
 * frame is missing.
 */
#include "vbet-server/lab/captures.h"

#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/plan/describe.h"

#include <stdlib.h>
#include <string.h>

static struct capture_kept *find(struct captures *s, const char *cable)
{
	struct capture_kept *c;

	VEC_FOREACH (c, &s->at)
		if (!strcmp(c->cable, cable))
			return c;
	c = vec_add(&s->at);
	c->cable = xstrdup(cable);
	return c;
}

static void begin(struct lab *lab, const struct graph_cable *cable)
{
	struct captures *s = &lab->captures;
	struct capture_kept *c = find(s, cable->name);
	const struct graph_node *n = &lab->graph->nodes[cable->end[0].node];
	struct arena a = {0};

	if (!c->runs) {
		const char *part = ++c->files > 1 ? arena_printf(&a, ".%u", c->files) : "";

		c->runs = true;
		free(c->nic);
		c->nic = xasprintf("%s:%s", n->name, n->nics[cable->end[0].nic].name);
		char *file = arena_printf(&a, "file=%s/%s%s.pcapng", s->dir, c->cable, part);
		char *about =
			arena_printf(&a, "description=%s", describe_nic(lab->graph, c->nic, &a));
		char *line = arena_printf(&a, "capture keep.%zu %s %s %s", (size_t)(c - s->at.at),
					  c->nic, words_quote(&a, file), words_quote(&a, about));

		lab_send_about(lab, c->nic, line, NULL, NULL);
	}
	arena_finish(&a);
}

void captures_update(struct lab *lab)
{
	if (!lab->captures.dir)
		return;
	for (size_t i = 0; i < lab->graph->n_cables; i++)
		if (plan_process_of(lab->plan, lab->graph->cables[i].name))
			begin(lab, &lab->graph->cables[i]);
}

void captures_forget(struct lab *lab, const char *object)
{
	struct capture_kept *c;

	VEC_FOREACH (c, &lab->captures.at)
		if (c->runs && !strcmp(c->nic, object))
			c->runs = false;
}

struct ending {
	unsigned outstanding;
	bool failed;
	carrier_answer_fn answer;
	void *ctx;
};

static void on_ended(void *ctx, bool ok, const char *text)
{
	struct ending *x = ctx;

	x->outstanding--;
	if (!x->failed && (!ok || !x->outstanding))
		x->answer(x->ctx, ok, text);
	x->failed |= !ok;
	if (!x->outstanding)
		free(x);
}

void captures_end(struct lab *lab, carrier_answer_fn answer, void *ctx)
{
	struct ending *x = xcalloc(1, sizeof(*x));
	struct captures *s = &lab->captures;

	*x = (struct ending){.outstanding = 1, .answer = answer, .ctx = ctx};
	for (size_t i = 0; i < s->at.n; i++) {
		struct arena a = {0};

		if (s->at.at[i].runs) {
			x->outstanding++;
			lab_send_about(lab, s->at.at[i].nic, arena_printf(&a, "remove keep.%zu", i),
				       on_ended, x);
		}
		s->at.at[i].runs = false;
		arena_finish(&a);
	}
	on_ended(x, true, "");
}

void captures_leave(struct captures *s)
{
	for (size_t i = 0; i < s->at.n; i++)
		s->at.at[i].runs = false;
	free(s->dir);
	s->dir = NULL;
}

void captures_finish(struct lab *lab)
{
	struct capture_kept *c;

	VEC_FOREACH (c, &lab->captures.at) {
		free(c->cable);
		free(c->nic);
	}
	vec_free(&lab->captures.at);
	free(lab->captures.dir);
}
