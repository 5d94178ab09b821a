/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/server/request.h"

#include "vbet-server/plan/describe.h"

#include <string.h>

/* The FIFO's path names the capture. */
static char *capture_name(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return words_quote(a, slash ? slash + 1 : path);
}

/* capture NODE:NIC FIFO [COMMENT] */
int request_capture(struct client *c, const struct words *w, struct err *e)
{
	struct arena a = {0};
	const char *nic = w->at[1];
	const char *path = w->at[2];
	char *file = arena_printf(&a, "file=%s", path);
	char *about =
		arena_printf(&a, "description=%s", describe_nic(c->server->lab->graph, nic, &a));
	char *line =
		arena_printf(&a, "capture %s %s %s %s", capture_name(&a, path),
			     words_quote(&a, nic), words_quote(&a, file), words_quote(&a, about));

	if (w->n > 3)
		line = arena_printf(&a, "%s %s", line,
				    words_quote(&a, arena_printf(&a, "comment=%s", w->at[3])));
	lab_send_about(c->server->lab, nic, line, query_answer, query_create(c));
	arena_finish(&a);
	return REQUEST_ANSWERED;
}

/* capture-end FIFO; "keep": all that captures_update() began */
int request_capture_end(struct client *c, const struct words *w, struct err *e)
{
	struct arena a = {0};

	if (!strcmp(w->at[1], "keep")) {
		captures_end(c->server->lab, query_answer, query_create(c));
		return REQUEST_ANSWERED;
	}
	carriers_send_all(&c->server->lab->carriers,
			  arena_printf(&a, "remove %s", capture_name(&a, w->at[1])), query_answer,
			  query_create(c));
	arena_finish(&a);
	return REQUEST_ANSWERED;
}
