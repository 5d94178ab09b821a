/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A listening socket with a single place behind it. While somebody is in, the listener is not
 * watched: who comes then stays in the kernel's backlog, connected but unheard, and is let in as
 * soon as the place is free. Clients need no retries that way, and nobody is turned away with an
 * error that they would have to understand.
 *
 * Reading frames from such sockets is here, too, because it is easy to get wrong in different ways:
 * what an error means depends on whether the socket is connected (door_read()).
 */
#include "substrate/nic/door.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "lib/xalloc.h"
#include "substrate/core/thaw.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void door_close_watch(struct loop *l, struct loop_watch *w)
{
	if (w->fd < 0)
		return;
	loop_remove(l, w);
	close(w->fd);
	w->fd = -1;
}

/*
 * An empty datagram is no end, and cannot be told from one by its length: so unconnected sockets
 * pass it over. A reset connection still has what its client sent before it closed.
 */
ssize_t door_read(int fd, bool connected, void *buf, size_t size)
{
	for (;;) {
		ssize_t len = recv(fd, buf, size, MSG_DONTWAIT);

		if (len > 0)
			return len;
		/* It closed before it had read all of ours; what it sent can still be read. */
		if (len < 0 && connected && errno == ECONNRESET)
			continue;
		if (len == 0 && !connected)
			continue;
		/* Datagrams: whether the client is gone is seen at its stream, not here. */
		if (len < 0 && (!connected || errno == EAGAIN || errno == EINTR))
			return 0;
		return -1;
	}
}

static void client_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct door *d = container_of(w, struct door, client);

	d->ready(d, now_ns);
}

static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct door *d = container_of(w, struct door, listener);
	int fd = loop_accept(d->loop, w);

	if (fd < 0)
		return;
	d->client = (struct loop_watch){.fd = fd, .ready = client_ready};
	if (loop_add(d->loop, &d->client, EPOLLIN, NULL) < 0) {
		close(fd);
		d->client.fd = -1;
		return;
	}
	loop_remove(d->loop, w);
	if (d->came)
		d->came(d);
}

int door_open(struct door *d, struct loop *l, const char *path, int type, struct err *e)
{
	d->loop = l;
	d->client.fd = -1;
	d->path = xstrdup(path);
	d->type = type;
	d->listener =
		(struct loop_watch){.fd = sock_listen(path, type, e), .ready = listener_ready};
	if (d->listener.fd < 0)
		return -1;
	if (loop_add(l, &d->listener, EPOLLIN, e) == 0)
		return 0;
	door_close(d);
	return -1;
}

int door_thaw(struct door *d, const struct thaw *t, struct err *e)
{
	d->client.fd = -1;
	thaw_path(t, &d->path);
	d->listener.fd = sock_listen(d->path, d->type, e);
	return d->listener.fd < 0 ? -1 : loop_add(d->loop, &d->listener, EPOLLIN, e);
}

void door_hang_up(struct door *d)
{
	if (d->client.fd < 0)
		return;
	door_close_watch(d->loop, &d->client);
	if (d->listener.fd >= 0)
		loop_add(d->loop, &d->listener, EPOLLIN, NULL);
}

/* The path goes before the listener: a client that finds the path must find somebody behind it. */
void door_close(struct door *d)
{
	if (!d->path)
		return;
	door_close_watch(d->loop, &d->client);
	if (d->listener.fd >= 0)
		unlink(d->path);
	door_close_watch(d->loop, &d->listener);
	free(d->path);
	d->path = NULL;
}
