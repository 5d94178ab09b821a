/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/core/linger.h"

#include "lib/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct linger {
	struct loop_watch watch; /* owns its descriptor */
	struct loop *loop;
	uint8_t *buf; /* owned */
	size_t done, len;
	struct linger *next, **prev;
};

static void release(struct linger *g)
{
	loop_remove(g->loop, &g->watch);
	close(g->watch.fd);
	free(g->buf);
	free(g);
}

static void destroy(struct linger *g)
{
	*g->prev = g->next;
	if (g->next)
		g->next->prev = g->prev;
	release(g);
}

static void write_more(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct linger *g = (struct linger *)w;
	ssize_t n = write(w->fd, g->buf + g->done, g->len - g->done);

	/* A reader that closed is an error (EPIPE): then there is nobody to write for. */
	if (n > 0)
		g->done += (size_t)n;
	if (g->done == g->len || (n < 0 && errno != EAGAIN && errno != EINTR))
		destroy(g);
}

void linger_add(struct linger **list, struct loop *l, int fd, uint8_t *buf, size_t len)
{
	struct linger *g = xcalloc(1, sizeof(*g));

	g->watch.fd = fd;
	g->watch.ready = write_more;
	g->loop = l;
	g->buf = buf;
	g->len = len;
	g->next = *list;
	g->prev = list;
	if (g->next)
		g->next->prev = &g->next;
	*list = g;
	if (loop_add(l, &g->watch, EPOLLOUT, NULL) < 0)
		destroy(g);
}

void linger_finish(struct linger **list)
{
	for (struct linger *g = *list, *next; g; g = next) {
		next = g->next;
		release(g);
	}
	*list = NULL;
}
