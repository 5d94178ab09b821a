/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A capture into a FIFO that has ended may still hold what its reader was too slow for. It would be
 * wrong to drop it, as the end of a capture is often what it was made for, and wrong to wait for
 * it: the command that ends the capture must be answered. So what is left lives on here without its
 * capture, with the descriptor, and is written whenever the FIFO has room.
 *
 * An entry goes when all is written, when the reader closes (EPIPE), or when the substrate ends.
 */
#include "substrate/core/linger.h"

#include "lib/xalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * prev points to the pointer that leads here, be it the list's or another entry's: an entry can
 * take itself out without knowing whose list it is in.
 */
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

void linger_forget(struct linger **list)
{
	for (struct linger *g = *list, *next; g; g = next) {
		next = g->next;
		free(g->buf);
		free(g);
	}
	*list = NULL;
}

void linger_finish(struct linger **list)
{
	for (struct linger *g = *list, *next; g; g = next) {
		next = g->next;
		release(g);
	}
	*list = NULL;
}
