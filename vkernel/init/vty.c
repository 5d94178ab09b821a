/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A daemon answers one command after the other, in their order, so questions wait in a list and the
 * first of them is the one under way. If nobody waits for that one any more, its answer still
 * comes: the line is closed then, and the next question opens another.
 *
 * A new line is in the view node, where bfdd knows no "show bfd peers": "enable" comes first, as
 * vtysh says it, and the questions once that is answered.
 */
#include "vkernel/init/vty.h"

#include "lib/container_of.h"
#include "lib/vec.h"
#include "lib/xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 16384 };

struct line {
	char daemon[32];
	struct loop_watch watch; /* fd -1: closed */
	struct loop *loop;
	char *in;
	size_t len, cap;
	bool is_enabling;           /* "enable" is not answered yet */
	struct vty_question *first; /* the one that is being answered */
};

static VEC(struct line *) lines;

size_t vty_find_end(const char *data, size_t len, int *status)
{
	const char *nul = len ? memchr(data, '\0', len) : NULL;

	if (!nul || len - (size_t)(nul - data) < 4)
		return 0;
	*status = (unsigned char)nul[3];
	return (size_t)(nul - data) + 4;
}

static void close_line(struct line *l)
{
	if (l->watch.fd < 0)
		return;
	loop_remove(l->loop, &l->watch);
	close(l->watch.fd);
	l->watch.fd = -1;
	free(l->in);
	l->in = NULL;
	l->len = l->cap = 0;
}

/* All who wait hear it; they may ask anew meanwhile. */
static void fail(struct line *l, const char *why)
{
	struct vty_question *q = l->first;

	close_line(l);
	l->first = NULL;
	while (q) {
		struct vty_question *next = q->next;

		q->failed(q, why);
		q = next;
	}
}

static bool send_command(const struct line *l, const char *command)
{
	size_t len = strlen(command) + 1;

	return send(l->watch.fd, command, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

static void send_first(struct line *l)
{
	if (l->first && !send_command(l, l->first->command))
		fail(l, "the daemon does not listen");
}

static void answer(struct line *l, size_t end, int status)
{
	struct vty_question *q = l->first;
	char *text = l->in;
	size_t len = end - 4; /* a NUL is behind it */

	l->in = NULL;
	l->len = l->cap = 0;
	l->first = q->next;
	send_first(l);
	q->answered(q, text, len, status);
}

static void append(struct line *l, const char *data, size_t n)
{
	if (l->len + n > l->cap) {
		l->cap = 2 * l->cap + n;
		l->in = xrealloc(l->in, l->cap);
	}
	memcpy(l->in + l->len, data, n);
	l->len += n;
}

static void line_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	/* Most answers are short: room for the longest each time is a mapping made and undone. */
	static char chunk[READ_SIZE];
	struct line *l = container_of(w, struct line, watch);
	int status = 0;

	for (;;) {
		ssize_t n = read(w->fd, chunk, sizeof(chunk));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			fail(l, "the daemon has closed the line");
			return;
		}
		append(l, chunk, (size_t)n);
		size_t end = vty_find_end(l->in, l->len, &status);

		if (end && l->is_enabling) {
			l->is_enabling = false;
			l->len = 0;
			send_first(l);
			return;
		}
		if (end && l->first) {
			answer(l, end, status);
			return;
		}
		if (!l->first || l->len > VTY_ANSWER_MAX) {
			fail(l, "the daemon says more than it was asked for");
			return;
		}
	}
}

void vty_path(const char *daemon, char *buf, size_t size)
{
	snprintf(buf, size, "/run/frr/%s.vty", daemon);
}

static int open_line(struct line *l, struct err *e)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	l->watch.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	l->watch.ready = line_ready;
	vty_path(l->daemon, sa.sun_path, sizeof(sa.sun_path));
	l->is_enabling = true;
	if (l->watch.fd >= 0 && connect(l->watch.fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
	    send_command(l, "enable") && loop_add(l->loop, &l->watch, EPOLLIN, NULL) == 0)
		return 0;
	bool is_missing = errno == ENOENT || errno == ECONNREFUSED;

	if (l->watch.fd >= 0)
		close(l->watch.fd);
	l->watch.fd = -1;
	if (is_missing)
		return err_set(e, ERR_ENV, "%s does not run", l->daemon);
	return err_sys(e, "%s", l->daemon);
}

static struct line *find_line(struct loop *loop, const char *daemon)
{
	for (size_t i = 0; i < lines.n; i++)
		if (!strcmp(lines.at[i]->daemon, daemon))
			return lines.at[i];
	struct line *l = xcalloc(1, sizeof(*l));

	snprintf(l->daemon, sizeof(l->daemon), "%s", daemon);
	l->watch.fd = -1;
	l->loop = loop;
	vec_push(&lines, l);
	return l;
}

/* It becomes part of a path. */
static bool is_name(const char *daemon)
{
	size_t n = 0;

	while (islower((unsigned char)daemon[n]) || isdigit((unsigned char)daemon[n]))
		n++;
	return n && n < 32 && !daemon[n];
}

int vty_ask(struct loop *loop, const char *daemon, struct vty_question *q, struct err *e)
{
	if (!is_name(daemon))
		return err_set(e, ERR_USAGE, "no daemon is called '%s'", daemon);
	struct line *l = find_line(loop, daemon);
	struct vty_question **last = &l->first;

	if (l->watch.fd < 0 && open_line(l, e) < 0)
		return -1;
	while (*last)
		last = &(*last)->next;
	q->next = NULL;
	*last = q;
	if (l->first != q || l->is_enabling || send_command(l, q->command))
		return 0;
	l->first = NULL;
	close_line(l);
	return err_set(e, ERR_ENV, "%s does not listen", daemon);
}

void vty_drop(struct vty_question *q)
{
	for (size_t i = 0; i < lines.n; i++) {
		struct line *l = lines.at[i];

		for (struct vty_question **p = &l->first; *p; p = &(*p)->next) {
			if (*p != q)
				continue;
			bool is_first = p == &l->first;

			*p = q->next;
			if (is_first)
				fail(l, "the question before was given up");
			return;
		}
	}
}
