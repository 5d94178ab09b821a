/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is done to cables by hand must survive the next statement: that makes a whole new graph,
 * in which each cable is as the script says. So for each cable that was touched three states
 * are kept: what the script said last, what the graph has now, and what the substrate took
 * last. A new graph keeps what was done by hand if the script still says the same as before; if
 * it says something else, the script is right.
 *
 * The substrate may refuse (a rate that a shaper cannot have): when it has answered all that
 * was asked of a cable, the graph gets back what it took last, and the plan is made anew.
 */
#include "vbet-server/lab/link.h"

#include "lib/nearest.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"

#include <stdlib.h>
#include <string.h>

/* One end as the user names it: a node, or NODE:NIC. nic -1: any. */
struct end_name {
	int node, nic;
};

static int parse_end(const struct graph *g, const char *text, struct end_name *end, struct err *e)
{
	const char *colon = strchr(text, ':');
	char *name = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);

	end->node = graph_find_node(g, name);
	end->nic = -1;
	if (end->node < 0) {
		struct nearest near;

		nearest_init(&near, name);
		for (size_t i = 0; i < g->n_nodes; i++)
			nearest_offer(&near, g->nodes[i].name);
		err_set(e, ERR_USAGE, "no node '%s'%s", name, nearest_hint(&near));
		free(name);
		return -1;
	}
	free(name);
	if (colon) {
		end->nic = graph_find_nic(&g->nodes[end->node], colon + 1);
		if (end->nic < 0)
			return err_set(e, ERR_USAGE, "%s has no NIC '%s'", g->nodes[end->node].name,
				       colon + 1);
	}
	return 0;
}

static bool end_matches(const struct end_name *n, const struct graph_end *end)
{
	return end->node == n->node && (n->nic < 0 || end->nic == n->nic);
}

struct match {
	size_t cable;
	bool reversed; /* the user's A is the cable's second end */
};

/*
 * Finds the one cable between a and b (b NULL: the one at a). With more than one the user must
 * say which.
 */
static int find_cable(const struct graph *g, const struct end_name *a, const struct end_name *b,
		      struct match *m, struct err *e)
{
	size_t found = 0;

	for (size_t i = 0; i < g->n_cables; i++) {
		const struct graph_cable *c = &g->cables[i];

		for (int r = 0; r < 2; r++) {
			if (!end_matches(a, &c->end[r]) || (b && !end_matches(b, &c->end[!r])))
				continue;
			m->cable = i;
			m->reversed = r == 1;
			found++;
			break;
		}
	}
	if (found == 1)
		return 0;
	return err_set(e, ERR_USAGE,
		       found ? "more than one cable there: name the NIC (%s:%s)"
			     : "no cable there%.0s%.0s",
		       g->nodes[a->node].name,
		       g->nodes[a->node].n_nics ? g->nodes[a->node].nics[0].name : "eth0");
}

/* "ab." and "ba." are from the user's first end, which may be the cable's second. */
static int set_param(struct graph_cable *c, bool reversed, const char *word, struct err *e)
{
	const char *equals = strchr(word, '=');
	bool ab = !strncmp(word, "ab.", 3);
	bool ba = !strncmp(word, "ba.", 3);

	if (!equals)
		return err_set(e, ERR_USAGE, "'%s': want key=value", word);
	char *key = xstrndup(word, (size_t)(equals - word));
	int64_t framing = c->dir[0].framing;
	int rc = 0;

	for (int dir = 0; dir < 2 && rc == 0; dir++) {
		bool forward = (dir == 0) != reversed; /* from the user's A to B */

		if ((ab && !forward) || (ba && forward))
			continue;
		rc = linkspec_set(&c->dir[dir], key + (ab || ba ? 3 : 0), equals + 1, e);
	}
	if (rc == 0 && (c->dir[0].framing != framing || c->dir[1].framing != framing))
		rc = err_set(e, ERR_USAGE, "the framing of a cable cannot change in a running lab");
	free(key);
	return rc;
}

static const char *state_of(const struct graph_cut *cut)
{
	return cut->all                     ? "down"
	       : cut->end[0] || cut->end[1] ? "down at one end"
	       : cut->dir[0] || cut->dir[1] ? "up, cut one way"
					    : "up";
}

void link_show(FILE *out, const struct graph *g, const struct graph_cable *c)
{
	fprintf(out, "%s: %s:%s -- %s:%s %s\n", c->name, g->nodes[c->end[0].node].name,
		g->nodes[c->end[0].node].nics[c->end[0].nic].name, g->nodes[c->end[1].node].name,
		g->nodes[c->end[1].node].nics[c->end[1].nic].name, state_of(&c->cut));
	for (int dir = 0; dir < 2; dir++) {
		static const struct linkspec none;

		fprintf(out, "  %s to %s:", g->nodes[c->end[dir].node].name,
			g->nodes[c->end[!dir].node].name);
		if (c->cut.end[dir])
			fputs(" no carrier,", out);
		if (c->cut.dir[dir])
			fputs(" cut,", out);
		if (linkspec_equal(&c->dir[dir], &none))
			fputs(" a plain wire", out);
		linkspec_print(out, &c->dir[dir], "");
		fputc('\n', out);
	}
}

/* The graph has been changed in place: what differs in its plan is what the substrate is told. */
static int replan(struct lab *lab, struct err *e)
{
	struct plan *plan = plan_make(lab->graph, &lab->env, e);

	return plan ? lab_replace_plan(lab, plan, e) : -1;
}

static struct link_state get_state(const struct graph_cable *c)
{
	struct link_state s = {.cut = c->cut};

	memcpy(s.dir, c->dir, sizeof(s.dir));
	return s;
}

static void set_state(struct graph_cable *c, const struct link_state *s)
{
	c->cut = s->cut;
	memcpy(c->dir, s->dir, sizeof(c->dir));
}

static struct link_touched *find_touched(const struct lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->links.touched.n; i++)
		if (!strcmp(lab->links.touched.at[i].name, name))
			return &lab->links.touched.at[i];
	return NULL;
}

/*
 * From the first time on that somebody changes it by hand. Cables that nobody touches cost nothing.
 */
static void touch(struct lab *lab, const struct graph_cable *c)
{
	if (!find_touched(lab, c->name))
		vec_push(&lab->links.touched, ((struct link_touched){.name = xstrdup(c->name),
								     .script = get_state(c),
								     .said_up = c->said_up,
								     .said_link = c->said_link,
								     .agreed = get_state(c)}));
}

void link_finish(struct lab *lab)
{
	for (size_t i = 0; i < lab->links.touched.n; i++)
		free(lab->links.touched.at[i].name);
	vec_free(&lab->links.touched);
}

/*
 * One change may be several lines (each direction has its own), and the next may be on its way
 * before the first is answered.
 */
void link_asked(struct lab *lab, const char *name)
{
	struct link_touched *t = find_touched(lab, name);

	if (t)
		t->asked++;
}

/* Only the last answer decides: what the substrate has then is what the graph must have. */
void link_answered(struct lab *lab, const char *name, bool ok)
{
	struct link_touched *t = find_touched(lab, name);
	struct err e;

	if (!t || !t->asked)
		return;
	t->refused |= !ok;
	if (--t->asked)
		return;
	for (size_t i = 0; i < lab->graph->n_cables; i++) {
		struct graph_cable *c = &lab->graph->cables[i];

		if (strcmp(c->name, name) != 0)
			continue;
		if (!t->refused) {
			t->agreed = get_state(c);
			continue;
		}
		set_state(c, &t->agreed);
		t->refused = false;
		if (replan(lab, &e) < 0)
			fprintf(stderr, "%s\n", e.text);
	}
}

static const char usage[] =
	"link A B up | down [--one-way | end=NODE] | show | reset [--plain] | set key=value...";

/* "--one-way", or "end=NODE": of which part of the cable "up" and "down" speak. 0 or -1. */
static int read_side(const struct lab *lab, const struct match *m, const char *word,
		     struct graph_side *side, struct err *e)
{
	const struct graph_cable *c = &lab->graph->cables[m->cable];
	struct end_name n;

	if (!strcmp(word, "--one-way")) {
		*side = (struct graph_side){PART_DIR, m->reversed};
		return 0;
	}
	if (strncmp(word, "end=", 4) != 0)
		return err_set(e, ERR_USAGE, "%s", usage);
	if (parse_end(lab->graph, word + 4, &n, e) < 0)
		return -1;
	for (unsigned i = 0; i < 2; i++) {
		if (end_matches(&n, &c->end[i])) {
			*side = (struct graph_side){PART_END, i};
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "%s is at no end of that cable", word + 4);
}

/*
 * The graph is changed first, for the plan is made of it; if anything is wrong, it gets back
 * what it had.
 */
static int change_cable(struct lab *lab, const struct match *m, const struct words *w, size_t op,
			FILE *out, struct err *e)
{
	struct graph_cable *c = &lab->graph->cables[m->cable];
	struct link_state before = get_state(c);
	struct graph_side side = {PART_ALL, 0};
	const char *what = w->at[op];
	int rc = 0;

	if (!strcmp(what, "show") && w->n == op + 1) {
		link_show(out, lab->graph, c);
		return 0;
	}
	touch(lab, c);
	if ((!strcmp(what, "up") || !strcmp(what, "down")) && w->n <= op + 2) {
		if (w->n == op + 2)
			rc = read_side(lab, m, w->at[op + 1], &side, e);
		if (rc == 0)
			graph_cut_set(&c->cut, side, *what == 'd');
	} else if (!strcmp(what, "reset") && w->n == op + 1) {
		memcpy(c->dir, find_touched(lab, c->name)->script.dir, sizeof(c->dir));
	} else if (!strcmp(what, "reset") && w->n == op + 2 && !strcmp(w->at[op + 1], "--plain")) {
		c->dir[0] = c->dir[1] = (struct linkspec){.framing = before.dir[0].framing};
	} else if (!strcmp(what, "set") && w->n > op + 1) {
		for (size_t i = op + 1; i < w->n && rc == 0; i++)
			rc = set_param(c, m->reversed, w->at[i], e);
	} else {
		rc = err_set(e, ERR_USAGE, "%s", usage);
	}
	if (rc == 0)
		rc = replan(lab, e);
	if (rc < 0)
		set_state(c, &before);
	return rc;
}

/*
 * A cable that is laid by hand is a statement of the script language, added as if it had stood in
 * the script: so it is checked like one, and has a name like one.
 */
char *link_statement(const struct lab *lab, struct arena *a, const char *end1, const char *end2,
		     struct err *e)
{
	const char *names[2] = {end1, end2};
	struct end_name ends[2];

	for (int i = 0; i < 2; i++) {
		if (parse_end(lab->graph, names[i], &ends[i], e) < 0)
			return NULL;
		if (ends[i].nic < 0) {
			err_set(e, ERR_USAGE, "say which NIC: %s:NIC", names[i]);
			return NULL;
		}
	}
	return arena_printf(a, "link(NIC(node(\"%s\"), %d), NIC(node(\"%s\"), %d))",
			    lab->graph->nodes[ends[0].node].name, ends[0].nic + 1,
			    lab->graph->nodes[ends[1].node].name, ends[1].nic + 1);
}

int link_command(struct lab *lab, const struct words *w, FILE *out, struct err *e)
{
	static const char *const ops[] = {"up", "down", "show", "reset", "set"};
	static char *const plug_words[] = {"up", "down"};
	struct end_name a;
	struct end_name b;
	struct match m = {0};

	if (parse_end(lab->graph, w->at[1], &a, e) < 0)
		return -1;
	if (strcmp(w->at[0], "link") != 0) {
		bool unplugs = !strcmp(w->at[0], "unplug");
		char *op = plug_words[unplugs];
		struct words one = {.at = &op, .n = 1};

		if (find_cable(lab->graph, &a, NULL, &m, e) < 0)
			return -1;
		if (unplugs && lab->graph->cables[m.cable].cut.all)
			return err_set(e, ERR_USAGE, "nothing to unplug: %s is cut already",
				       lab->graph->cables[m.cable].name);
		return change_cable(lab, &m, &one, 0, out, e);
	}
	/* With one end only, the operation follows it. */
	for (size_t i = 0; w->n > 2 && i < ARRAY_LEN(ops); i++)
		if (!strcmp(w->at[2], ops[i]))
			return find_cable(lab->graph, &a, NULL, &m, e) < 0
				       ? -1
				       : change_cable(lab, &m, w, 2, out, e);
	if (w->n < 4)
		return err_set(e, ERR_USAGE, "%s", usage);
	if (parse_end(lab->graph, w->at[2], &b, e) < 0 || find_cable(lab->graph, &a, &b, &m, e) < 0)
		return -1;
	return change_cable(lab, &m, w, 3, out, e);
}

/* What the script says anew goes before what was done by hand, and that before what it said. */
static void keep_hand(struct link_touched *t, const struct graph_cable *old,
		      struct graph_cable *new)
{
	bool same_up =
		t->said_up == new->said_up && !memcmp(&t->script.cut, &new->cut, sizeof(new->cut));
	bool same_link =
		t->said_link == new->said_link &&linkspec_equal(&t->script.dir[0], &new->dir[0]) &&
		linkspec_equal(&t->script.dir[1], &new->dir[1]);

	t->script = get_state(new);
	t->said_up = new->said_up;
	t->said_link = new->said_link;
	if (same_up)
		new->cut = old->cut;
	if (same_link)
		memcpy(new->dir, old->dir, sizeof(new->dir));
}

int link_change_graph(struct lab *lab, struct graph *g, struct err *e)
{
	/* Options of `up` go before the script, which knows nothing of them. */
	g->clock = lab->graph->clock;
	g->seed = lab->graph->seed;
	g->lab = arena_strdup(&g->arena, lab->graph->lab);
	g->spin = lab->graph->spin;
	for (size_t i = 0; i < lab->graph->n_nodes; i++) {
		int node = lab->graph->nodes[i].stopped
				   ? graph_find_node(g, lab->graph->nodes[i].name)
				   : -1;

		if (node >= 0)
			g->nodes[node].stopped = true;
	}
	for (size_t i = 0; i < g->n_cables; i++) {
		struct link_touched *t = find_touched(lab, g->cables[i].name);

		for (size_t j = 0; t && j < lab->graph->n_cables; j++)
			if (!strcmp(lab->graph->cables[j].name, t->name))
				keep_hand(t, &lab->graph->cables[j], &g->cables[i]);
	}
	return lab_change(lab, g, e);
}
