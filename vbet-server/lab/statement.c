/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A statement is read on top of the whole script, and the result is a whole new graph: there is
 * no way to change a lab that the script could not have said. The reverse is taking the last
 * statement away.
 */
#include "vbet-server/lab/statement.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/plan/event.h"

#include <stdlib.h>
#include <string.h>

/* What is wrong with a statement. */
static int say_errors(const struct lab *lab, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	topo_print_errors(f, lab->script);
	fclose(f);
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	err_set(e, ERR_USAGE, "%s", text);
	free(text);
	return -1;
}

static int check_event(const struct lab *lab, const struct graph_event *ev, struct err *e)
{
	if (!lab->clock.is_virtual)
		return err_set(e, ERR_USAGE,
			       "'at' needs the virtual clock in a running lab: this one runs by "
			       "the real clock");
	if (ev->time_ns < lab->clock.now_ns)
		return err_set(e, ERR_USAGE, "%.9f s is over: it is %.9f s",
			       (double)ev->time_ns / 1e9, (double)lab->clock.now_ns / 1e9);
	return 0;
}

/* A statement may bring events: those from number `from` on go on the calendar, or none of them. */
static int plan_events(struct lab *lab, size_t from, struct err *e)
{
	const struct graph *g = lab->graph;
	int rc = 0;

	for (size_t i = from; i < g->n_events; i++)
		if (check_event(lab, &g->events[i], e) < 0)
			return -1;
	for (size_t i = from; i < g->n_events && rc == 0; i++) {
		struct arena a = {0};
		struct strvec v = {0};

		rc = event_words(g, &g->events[i], &a, &v, e);
		if (rc == 0)
			input_plan(lab, g->events[i].time_ns, (char *const *)v.at, v.n);
		vec_free(&v);
		arena_finish(&a);
	}
	return rc;
}

/*
 * The graph is made anew from all statements, so one that was refused leaves no trace when it
 * is taken out again.
 */
int statement_add(struct lab *lab, const char *text, const struct topo_place *place, struct err *e)
{
	struct graph *g = topo_add_statement(lab->script, place, text, strlen(text));
	size_t n_events = lab->graph->n_events;

	if (!g)
		return say_errors(lab, e);
	lab->change.is_statement = true;
	if (link_change_graph(lab, g, e) < 0 || record_keep_sources(lab, e) < 0)
		return -1;
	/* A record has a line for each event that came of it, so they are not planned again. */
	return lab->change.origin == CHANGE_OF_RECORD ? 0 : plan_events(lab, n_events, e);
}

int statement_take_back(struct lab *lab, struct err *e)
{
	struct graph *g = topo_drop_statement(lab->script);

	return g ? link_change_graph(lab, g, e) : say_errors(lab, e);
}

/* Behind TEXT may stand before=TEXT, name=NAME, line=N. */
struct topo_place statement_place(const struct words *w)
{
	struct topo_place p = {0};

	for (size_t i = 2; i < w->n; i++) {
		if (!strncmp(w->at[i], "before=", 7))
			p.before = w->at[i] + 7;
		else if (!strncmp(w->at[i], "name=", 5))
			p.name = w->at[i] + 5;
		else if (!strncmp(w->at[i], "line=", 5))
			p.line = (unsigned)strtoul(w->at[i] + 5, NULL, 10);
	}
	return p;
}

/* With or without the word in front, as people write it in the console or on a command line. */
int statement_read_check(struct lab *lab, const char *text, const struct topo_place *place,
			 FILE *out, struct err *e)
{
	struct topo_place p = *place;

	if (strncmp(text + strspn(text, " \t"), "expect", 6) != 0)
		p.before = "expect ";
	struct graph *g = topo_add_statement(lab->script, &p, text, strlen(text));
	int rc = -1;

	if (!g)
		return say_errors(lab, e);
	if (g->n_expects == lab->graph->n_expects + 1) {
		const struct graph_expect *x = &g->expects[g->n_expects - 1];
		struct arena a = {0};
		struct strvec v = {0};

		vec_push(&v, x->negated ? "not" : "is");
		vec_push(&v, arena_printf(&a, "%lld", (long long)(x->deadline_ns - x->start_ns)));
		vec_push(&v, arena_printf(&a, "%lld", (long long)event_check_pause_ns(x)));
		vec_push(&v, arena_printf(&a, "%lld", (long long)x->stays_ns));
		vec_push(&v, event_check_settles(x) ? "settles" : "holds");
		event_check_words(g, x, &a, &v);
		words_put_line(out, (char *const *)v.at, v.n);
		vec_free(&v);
		arena_finish(&a);
		rc = 0;
	} else {
		err_set(e, ERR_USAGE, "that is not one check, such as ping(a, b)");
	}
	graph_destroy(g);
	graph_destroy(topo_drop_statement(lab->script));
	return rc;
}
