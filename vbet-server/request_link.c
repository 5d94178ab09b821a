/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changes the lab: cables, and statements of the language. */
#include "vbet-server/link.h"
#include "vbet-server/request.h"

#include <stdlib.h>
#include <string.h>

static bool change_is_done(const struct client *c, struct err *e)
{
	struct lab *lab = c->server->lab;

	if (lab->outstanding)
		return false;
	*e = lab->refused;
	lab->refused.kind = ERR_NONE;
	return true;
}

/* The answer to a change comes when the substrate has made it. */
static int answer_change(struct client *c, struct err *e)
{
	if (change_is_done(c, e))
		return e->kind ? -1 : 0;
	c->guest = NULL;
	c->state = CLIENT_WAIT;
	c->is_over = change_is_done;
	return REQUEST_ANSWERED;
}

int request_link(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;
	FILE *f = reply_open(&r);
	int rc = link_command(c->server->lab, w, f, e);

	reply_send(&r, c);
	return rc < 0 ? rc : answer_change(c, e);
}

/* One more line of the script. */
static int add_statement(struct client *c, const char *statement, struct err *e)
{
	struct lab *lab = c->server->lab;
	struct graph *g = topo_add_statement(lab->script, statement, strlen(statement));

	if (!g) {
		char *text = NULL;
		size_t len = 0;
		FILE *f = open_memstream(&text, &len);

		topo_print_errors(f, lab->script);
		fclose(f);
		while (len && text[len - 1] == '\n')
			text[--len] = '\0';
		err_set(e, ERR_USAGE, "%s", text);
		free(text);
		return -1;
	}
	lab->added_statement = true;
	return link_change_graph(lab, g, e) < 0 ? -1 : answer_change(c, e);
}

int request_statement(struct client *c, const struct words *w, struct err *e)
{
	return add_statement(c, w->at[1], e);
}

/* plug NODE:NIC NODE:NIC: a cable between two free NICs. */
int request_plug(struct client *c, const struct words *w, struct err *e)
{
	struct arena a = {0};
	char *statement =
		w->n == 3 ? link_statement(c->server->lab, &a, w->at[1], w->at[2], e) : NULL;
	int rc = -1;

	if (w->n == 2)
		rc = request_link(c, w, e);
	else if (statement)
		rc = add_statement(c, statement, e);
	arena_finish(&a);
	return rc;
}
