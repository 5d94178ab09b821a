/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection reads as long as there is something, and offers all that it holds to on_data(),
 * which takes as many bytes as it understands. What is left is offered again when more has come;
 * more than in_max bytes that nobody takes are an attack or a mistake, and end the connection.
 *
 * Any handler may close the connection. So whatever called one looks at c->loop before it goes on:
 * NULL means that the connection is closed, and its buffers are freed.
 *
 * Writing never calls a handler: conn_write() sends what the socket takes and keeps the rest. An
 * error found there is left for the loop to find again, or on_close() would run in the middle of
 * somebody's write.
 */
#include "lib/conn.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "lib/xalloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_SIZE = 65536,
	IN_MAX_DEFAULT = 16 << 20,
	TURN_MAX = 128, /* what on_data is called for until others have their turn */
};

bool conn_is_open(const struct conn *c)
{
	return c->loop != NULL;
}

size_t conn_pending(const struct conn *c)
{
	return c->out_len - c->out_sent;
}

void conn_hold(struct conn *c)
{
	c->watch.fd = -1;
}

void conn_forget(struct conn *c)
{
	if (!c->loop)
		return;
	loop_cancel_timer(c->loop, &c->again);
	free(c->in);
	free(c->out);
	c->in = c->out = NULL;
	c->in_len = c->in_cap = c->out_len = c->out_sent = c->out_cap = 0;
	c->loop = NULL;
}

void conn_finish(struct conn *c)
{
	if (!c->loop)
		return;
	loop_remove(c->loop, &c->watch);
	close(c->watch.fd);
	conn_forget(c);
}

static void lose(struct conn *c)
{
	conn_finish(c);
	if (c->on_close)
		c->on_close(c);
}

static void update_events(struct conn *c)
{
	uint32_t events = c->closing || c->waits ? 0 : EPOLLIN;

	if (c->watch.fd < 0)
		return;
	/* With nothing to write, EPOLLOUT brings us back to close in the loop's next turn. */
	if (!c->corked && (conn_pending(c) || c->closing))
		events |= EPOLLOUT;
	loop_change(c->loop, &c->watch, events);
}

/* Writes what the socket takes. False if the connection is gone. */
static bool flush(struct conn *c)
{
	while (conn_pending(c)) {
		ssize_t n = send(c->watch.fd, c->out + c->out_sent, conn_pending(c), MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0) {
			lose(c);
			return false;
		}
		c->out_sent += (size_t)n;
	}
	c->out_len = c->out_sent = 0;
	if (c->closing) {
		lose(c);
		return false;
	}
	return true;
}

/*
 * Offers what is buffered, at most so many times, until the handler uses no more of it. What is
 * left then is for the loop's next turn. False if gone. A peer that sends without end must not keep
 * the others from their turn: after `times` calls the rest is left for a timer, and until that
 * fires the socket is not read (waits).
 */
static bool offer(struct conn *c, size_t times)
{
	size_t at = 0;
	bool wants_more = false;

	for (; at < c->in_len && times && !wants_more && !c->closing; times--) {
		size_t used = c->on_data(c, c->in + at, c->in_len - at);

		if (!c->loop)
			return false;
		at += used;
		wants_more = !used;
	}
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
	if (wants_more && c->in_len > c->in_max) {
		lose(c);
		return false;
	}
	bool left = c->in_len && !wants_more && !c->closing;

	if (left)
		conn_offer(c);
	else
		loop_cancel_timer(c->loop, &c->again);
	if (left != c->waits) {
		c->waits = left;
		update_events(c);
	}
	return true;
}

static void on_again(struct loop_timer *t, int64_t now_ns)
{
	offer(container_of(t, struct conn, again), TURN_MAX);
}

void conn_offer(struct conn *c)
{
	if (c->loop && c->in_len)
		loop_set_timer(c->loop, &c->again, loop_now_ns(c->loop) + 1);
}

/* Reads once. False if there was nothing, or the connection is gone. */
static bool read_some(struct conn *c, size_t times)
{
	if (c->in_cap - c->in_len < READ_SIZE) {
		c->in_cap = c->in_len + READ_SIZE;
		c->in = xrealloc(c->in, c->in_cap);
	}
	ssize_t n = read(c->watch.fd, c->in + c->in_len, c->in_cap - c->in_len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		lose(c);
		return false;
	}
	c->in_len += (size_t)n;
	return offer(c, times);
}

/* For those who wait for an answer in the middle of something and cannot go back to the loop. */
void conn_poll(struct conn *c)
{
	if (c->loop && c->waits)
		offer(c, SIZE_MAX);
	while (c->loop && !c->closing && read_some(c, SIZE_MAX))
		;
}

static void on_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct conn *c = container_of(w, struct conn, watch);

	if (events & EPOLLOUT && !c->corked) {
		if (!flush(c))
			return;
		update_events(c);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		if (c->closing)
			lose(c);
		else if (!c->waits)
			read_some(c, TURN_MAX);
	}
}

int conn_open(struct conn *c, struct loop *l, int fd, struct err *e)
{
	sock_set_nonblock(fd);
	c->watch.fd = fd;
	c->watch.ready = on_ready;
	c->again.fire = on_again;
	if (!c->in_max)
		c->in_max = IN_MAX_DEFAULT;
	if (loop_add(l, &c->watch, EPOLLIN, e) < 0)
		return -1;
	c->loop = l;
	c->closing = c->waits = c->corked = false;
	return 0;
}

int conn_thaw(struct conn *c, struct loop *l, int fd, struct err *e)
{
	bool closing = c->closing;

	if (conn_open(c, l, fd, e) < 0)
		return -1;
	c->closing = closing;
	update_events(c);
	/* What had come and was left for later. */
	conn_offer(c);
	return 0;
}

void conn_write(struct conn *c, const void *data, size_t len)
{
	if (!c->loop || c->closing || !len)
		return;
	bool idle = !conn_pending(c);

	if (c->out_cap - c->out_len < len) {
		if (c->out_sent) {
			memmove(c->out, c->out + c->out_sent, conn_pending(c));
			c->out_len -= c->out_sent;
			c->out_sent = 0;
		}
		if (c->out_cap - c->out_len < len) {
			c->out_cap = c->out_len + len + READ_SIZE;
			c->out = xrealloc(c->out, c->out_cap);
		}
	}
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	/* At once, if nothing waits before it: that saves a turn of the loop. */
	if (idle && !c->corked && c->watch.fd >= 0) {
		ssize_t n = send(c->watch.fd, c->out, c->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			c->out_sent = (size_t)n;
		if (!conn_pending(c))
			c->out_len = c->out_sent = 0;
	}
	update_events(c);
}

void conn_printf(struct conn *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);

	va_end(ap);
	conn_write(c, text, strlen(text));
	free(text);
}

void conn_cork(struct conn *c, bool in)
{
	c->corked = in;
	if (c->loop)
		update_events(c);
}

/*
 * After what is pending has been written; even with nothing to write it is the loop that closes,
 * never the caller's own stack.
 */
void conn_close_later(struct conn *c)
{
	if (!c->loop)
		return;
	c->closing = true;
	update_events(c);
}
