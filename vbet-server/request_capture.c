/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/request.h"

#include <string.h>

/* capture NODE:NIC FIFO; capture-end FIFO. The FIFO's path names the capture. */
int request_capture(struct client *c, const struct words *w, struct err *e)
{
	struct query *q = query_create(c);
	struct arena a = {0};
	bool end = w->n == 2;
	const char *path = w->at[w->n - 1];
	const char *slash = strrchr(path, '/');
	const char *name = words_quote(&a, slash ? slash + 1 : path);

	if (end)
		substrates_send_all(&c->server->lab->substrates,
				    arena_printf(&a, "remove %s", name), query_answer, q);
	else
		lab_send_about(c->server->lab, w->at[1],
			       arena_printf(&a, "capture %s %s file=%s", name,
					    words_quote(&a, w->at[1]), words_quote(&a, path)),
			       query_answer, q);
	arena_finish(&a);
	return REQUEST_ANSWERED;
}
