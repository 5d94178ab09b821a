/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events of a script ("at 10s: cut r1 r2") and checks ("expect ping(a, b)") in the words of
 * requests.
 *
 * An event becomes the words that a user would have typed for it, and a check becomes a command of
 * a shell: whoever carries them out needs to know nothing about either. So an event in a script
 * does just what the same request does, is written into a record as such a line, and is repeated
 * from there without the script.
 *
 * The checks' commands end with 0 if the check holds. What they print is the reason if it does not.
 */
#include "vbet-server/plan/event.h"

#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/plan/address.h"

#include <stdlib.h>
#include <string.h>

/*
 * "link A B down --one-way": requests have no other name for a direction than the order of the
 * ends.
 */
static int cable_words(const struct graph *g, const struct graph_event *ev, struct arena *a,
		       struct strvec *v, struct err *e)
{
	const struct graph_cable *c = &g->cables[ev->cable];
	struct words changes = {0};
	const char *ends[2];

	vec_push(v, "link");
	for (int i = 0; i < 2; i++) {
		const struct graph_node *n = &g->nodes[c->end[i].node];

		ends[i] = arena_printf(a, "%s:%s", n->name, n->nics[c->end[i].nic].name);
	}
	/* One way is from the end that is named first. */
	bool turned = ev->side.part == PART_DIR && ev->side.end;

	vec_push(v, ends[turned]);
	vec_push(v, ends[!turned]);
	if (ev->kind != ACTION_IMPAIR)
		vec_push(v, ev->kind == ACTION_CUT ? "down" : "up");
	else
		vec_push(v, "set");
	if (ev->kind != ACTION_IMPAIR && ev->side.part == PART_END)
		vec_push(v, arena_printf(a, "end=%s", ends[ev->side.end]));
	if (ev->kind != ACTION_IMPAIR && ev->side.part == PART_DIR)
		vec_push(v, "--one-way");
	if (ev->text && words_split(ev->text, strlen(ev->text), a, &changes, e) < 0)
		return -1;
	for (size_t i = 0; i < changes.n; i++)
		vec_push(v, changes.at[i]);
	return 0;
}

/* Never 0, which would be no limit. */
char *event_timeout(struct arena *a, int64_t timeout_ns)
{
	int64_t ms = timeout_ns / 1000000;

	return arena_printf(a, "timeout_ms=%lld", (long long)(ms ? ms : 1));
}

int event_words(const struct graph *g, const struct graph_event *ev, struct arena *a,
		struct strvec *v, struct err *e)
{
	if (ev->cable >= 0)
		return cable_words(g, ev, a, v, e);
	if (ev->kind != ACTION_EXEC) {
		vec_push(v, graph_action_name(ev->kind));
		vec_push(v, g->nodes[ev->node].name);
		return 0;
	}
	vec_push(v, "job");
	vec_push(v, g->nodes[ev->node].name);
	vec_push(v, event_timeout(a, ev->timeout_ns));
	vec_push(v, "--");
	vec_push(v, "/bin/sh");
	vec_push(v, "-c");
	vec_push(v, ev->text);
	return 0;
}

/*
 * Addresses that the script gives are written into the command. One that is only learned in the run
 * cannot be: the shell variable EVENT_PEER stands for it, and whoever starts the command fills it
 * in (lab/job.c). "route" asks the kernel, and looks for the gateway with blanks around it, lest
 * 10.0.0.1 be found in 10.0.0.11.
 */
char *event_check_command(const struct graph *g, const struct graph_expect *x)
{
	char addr[80];
	const struct addr *a;

	switch (x->kind) {
	case CHECK_PING:
		if (x->peer < 0)
			return xasprintf("exec ping -n -q -c 1 -W 1 %s", x->text);
		a = address_for(&g->nodes[x->node], &g->nodes[x->peer], 0);
		if (!a && address_are_together(&g->nodes[x->node], &g->nodes[x->peer]))
			return xstrdup("exec ping -n -q -c 1 -W 1 \"$" EVENT_PEER "\"");
		if (!a)
			return xasprintf("echo '%s has no address in a network of %s' >&2; exit 2",
					 g->nodes[x->peer].name, g->nodes[x->node].name);
		return xasprintf("exec ping -n -q -c 1 -W 1 %s",
				 addr_format(a, false, addr, sizeof(addr)));
	case CHECK_ROUTE:
		return xasprintf(
			"ip %s route show %s | grep -q '%s%s%s'",
			strchr(x->text, ':') || (x->via && strchr(x->via, ':')) ? "-6" : "-4",
			x->text, x->via ? "via " : ".", x->via ? x->via : "", x->via ? " " : "");
	default:
		return xstrdup(x->text);
	}
}
