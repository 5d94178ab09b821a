/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control protocol at a unix socket, for a substrate node on a machine of its own: any number
 * of clients, who all hear of events; and the client that says commands there (vsubstrate
 * --connect).
 */
#include "substrate/control/control_server.h"

#include "lib/container_of.h"
#include "lib/sock.h"
#include "lib/vec.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "substrate/control/control.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct control_server {
	struct loop *loop;
	struct substrate *sub;
	struct loop_watch listener;
	char *path;                             /* owned */
	VEC(struct control_session *) sessions; /* owned; those that closed go with the next one */
};

static void tell_all(struct substrate *s, const char *line)
{
	struct control_server *c = s->owner;

	for (size_t i = 0; i < c->sessions.n; i++)
		conn_printf(&c->sessions.at[i]->conn, "%s\n", line);
}

static void free_closed(struct control_server *c, bool all)
{
	for (size_t i = c->sessions.n; i-- > 0;) {
		struct control_session *session = c->sessions.at[i];

		if (!all && conn_is_open(&session->conn))
			continue;
		conn_finish(&session->conn);
		free(session);
		vec_remove(&c->sessions, i);
	}
}

static void listener_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct control_server *c = container_of(w, struct control_server, listener);
	int fd = loop_accept(c->loop, w);

	/* Not when they close: that is within a function of their connection. */
	free_closed(c, false);
	if (fd < 0)
		return;
	struct control_session *session = xcalloc(1, sizeof(*session));

	if (control_session_open(session, c->loop, c->sub, fd, NULL) == 0)
		vec_push(&c->sessions, session);
	else
		free(session);
}

struct control_server *control_server_create(struct loop *l, struct substrate *s, const char *path,
					     struct err *e)
{
	struct control_server *c = xcalloc(1, sizeof(*c));

	c->loop = l;
	c->sub = s;
	c->path = xstrdup(path);
	c->listener = (struct loop_watch){.fd = sock_listen(path, SOCK_STREAM, e),
					  .ready = listener_ready};
	s->owner = c;
	s->on_event = tell_all;
	if (c->listener.fd >= 0 && loop_add(l, &c->listener, EPOLLIN, e) == 0)
		return c;
	control_server_destroy(c);
	return NULL;
}

void control_server_destroy(struct control_server *c)
{
	if (!c)
		return;
	c->sub->on_event = NULL;
	free_closed(c, true);
	vec_free(&c->sessions);
	if (c->listener.fd >= 0) {
		loop_remove(c->loop, &c->listener);
		close(c->listener.fd);
		unlink(c->path);
	}
	free(c->path);
	free(c);
}

/* What a client has sent, and what came back. */
struct exchange {
	int fd;
	FILE *out;
	uint64_t asked, answered;
	int worst;    /* 0, or ERR_USAGE once an answer was an error */
	char line[4]; /* how the line that is coming in begins */
	size_t len;   /* of it so far */
};

static void take_octet(struct exchange *x, char c)
{
	putc(c, x->out);
	/* What a line is, answer or event, is in its first letters. */
	if (x->len < sizeof(x->line))
		x->line[x->len] = c;
	x->len++;
	if (c != '\n')
		return;
	if (x->len > 2 && !memcmp(x->line, "ok", 2)) {
		x->answered++;
	} else if (x->len > 4 && !memcmp(x->line, "erro", 4)) {
		x->answered++;
		x->worst = ERR_USAGE;
	}
	x->len = 0;
}

/* Prints what comes. 0, or -1 when nothing more will. */
static int hear(struct exchange *x, struct err *e)
{
	char buf[4096];
	ssize_t n = read(x->fd, buf, sizeof(buf));

	if (n <= 0)
		return err_set(e, ERR_ENV, "vsubstrate closed the connection");
	for (ssize_t i = 0; i < n; i++)
		take_octet(x, buf[i]);
	fflush(x->out);
	return 0;
}

/* Passes what is at descriptor in on, and counts its lines. 0, 1: it has ended, -1. */
static int pass_on(struct exchange *x, int in, struct err *e)
{
	char buf[4096];
	ssize_t n = read(in, buf, sizeof(buf));

	if (n <= 0)
		return 1;
	for (ssize_t i = 0; i < n; i++)
		x->asked += buf[i] == '\n';
	return sock_write_all(x->fd, buf, (size_t)n) < 0 ? err_sys(e, "write") : 0;
}

/* in: -1: there is nothing more to pass on. */
static int exchange(struct exchange *x, int in, struct err *e)
{
	/* Until all is said, and all that was said is answered. */
	while (in >= 0 || x->answered < x->asked) {
		struct pollfd p[2] = {{.fd = x->fd, .events = POLLIN},
				      {.fd = in, .events = POLLIN}};

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (p[0].revents && hear(x, e) < 0)
			return -1;
		int rc = p[1].revents ? pass_on(x, in, e) : 0;

		if (rc < 0)
			return -1;
		if (rc > 0)
			in = -1;
	}
	return x->worst;
}

static int send_words(struct exchange *x, char *const *words, size_t n, struct err *e)
{
	char *line = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&line, &len);

	words_put_line(f, words, n);
	fclose(f);
	int rc = sock_write_all(x->fd, line, len);

	free(line);
	x->asked = 1;
	return rc < 0 ? err_sys(e, "write") : 0;
}

int control_client(const char *path, char *const *words, size_t n, int in, FILE *out, struct err *e)
{
	struct exchange x = {.fd = sock_connect(path, SOCK_STREAM, e), .out = out};

	if (x.fd < 0)
		return -1;
	int rc = n ? send_words(&x, words, n, e) : 0;

	if (rc == 0)
		rc = exchange(&x, n ? -1 : in, e);
	close(x.fd);
	return rc;
}
