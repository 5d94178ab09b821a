/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection to a process that carries a part of the lab: vsubstrate, of which there may be
 * several, and vbet-outside, which speaks in the same way.
 *
 * Requests and answers are lines on a socket pair, and answers come in the order of the requests: a
 * list of who waits is all that tells them apart. "event ..." lines come in between and answer
 * nothing. When the process ends, all who wait are told, and so is everybody who asks from then on:
 * an answer always comes, which is what change.c counts on.
 *
 * The process gets the socket as its standard input, the log as its output, and nothing else; it
 * dies with this server (PR_SET_PDEATHSIG, lib/spawn.c).
 */
#include "vbet-server/lab/carrier.h"

#include "lib/vec.h"
#include "lib/words.h"
#include "lib/xalloc.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void answer_first(struct carrier *s, bool ok, const char *text)
{
	struct carrier_request *r = s->first;

	if (!r)
		return;
	s->first = r->next;
	if (!s->first)
		s->last = &s->first;
	if (r->answer)
		r->answer(r->ctx, ok, text);
	free(r);
}

/* "error TEXT": the text is one word, quoted if it must be. */
static void answer_error(struct carrier *s, const char *text)
{
	struct arena a = {0};
	struct words w;
	bool quoted = *text == '"' && words_split(text, strlen(text), &a, &w, NULL) == 0 && w.n;

	answer_first(s, false, quoted ? w.at[0] : text);
	arena_finish(&a);
}

static void handle_line(struct carrier *s, const char *line)
{
	if (!strncmp(line, "event ", 6))
		s->on_event(s, line + 6);
	else if (!strncmp(line, "ok", 2))
		answer_first(s, true, line[2] == ' ' ? line + 3 : "");
	else
		answer_error(s, !strncmp(line, "error ", 6) ? line + 6 : line);
}

static void answer_lost(struct carrier *s)
{
	char *text = xasprintf("the process %s has ended", s->name);

	answer_first(s, false, text);
	free(text);
}

static size_t on_data(struct conn *c, const char *data, size_t len)
{
	struct carrier *s = c->owner;
	const char *end = memchr(data, '\n', len);

	if (!end)
		return 0;
	char *line = xstrndup(data, (size_t)(end - data));

	handle_line(s, line);
	free(line);
	return (size_t)(end - data) + 1;
}

/* Who waits is answered before anybody hears that the process is lost. */
static void on_close(struct conn *c)
{
	struct carrier *s = c->owner;

	s->lost = true;
	while (s->first)
		answer_lost(s);
	s->on_lost(s);
}

/* The process with its end of a pair of sockets; ours, or -1. */
static int spawn_process(struct carrier *s, char *const *argv, int log_fd, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	struct spawn sp = {.argv = argv, .fds = {pair[1], log_fd, log_fd}, .n_fds = 3};
	int rc = spawn_child(&sp, &s->child, e);

	close(pair[1]);
	if (rc == 0)
		return pair[0];
	close(pair[0]);
	return -1;
}

int carrier_start(struct carrier *s, struct loop *l, const char *program, int log_fd, struct err *e)
{
	char *argv[] = {(char *)program, NULL};

	s->last = &s->first;
	int fd = spawn_process(s, argv, log_fd, e);

	if (fd < 0)
		return -1;
	s->conn.on_data = on_data;
	s->conn.on_close = on_close;
	s->conn.owner = s;
	return conn_open(&s->conn, l, fd, e);
}

int carrier_thaw(struct carrier *s, struct loop *l, const char *program, const char *state,
		 char *const moved[], int log_fd, struct err *e)
{
	VEC(char *) argv = {0};

	vec_push(&argv, (char *)program);
	vec_push(&argv, (char *)"--restore");
	vec_push(&argv, (char *)state);
	for (size_t i = 0; moved[i]; i++)
		vec_push(&argv, moved[i]);
	vec_push(&argv, NULL);
	int fd = spawn_process(s, argv.at, log_fd, e);

	vec_free(&argv);
	return fd < 0 ? -1 : conn_open(&s->conn, l, fd, e);
}

/*
 * The answer may come before this returns, if the process is lost: callers count their question
 * before they send it.
 */
void carrier_send(struct carrier *s, const char *line, carrier_answer_fn answer, void *ctx)
{
	struct carrier_request *r = xcalloc(1, sizeof(*r));

	r->answer = answer;
	r->ctx = ctx;
	*s->last = r;
	s->last = &r->next;
	if (!conn_is_open(&s->conn)) {
		answer_lost(s);
		return;
	}
	conn_write(&s->conn, line, strlen(line));
	conn_write(&s->conn, "\n", 1);
}

/*
 * It has no state that would be worth a friendlier end than SIGKILL. That comes first: one that
 * sees its connection end removes its sockets, and another lab may have the directory by now.
 */
void carrier_stop(struct carrier *s)
{
	if (s->child.pid > 0)
		kill(s->child.pid, SIGKILL);
	conn_finish(&s->conn);
	while (s->first)
		answer_first(s, false, "the lab is being taken down");
	if (s->child.pid > 0) {
		waitpid(s->child.pid, NULL, 0);
		close(s->child.pidfd);
		s->child.pid = 0;
	}
}
