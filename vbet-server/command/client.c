/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The other end of server/server.c: blocking, one request at a time, for a command has nothing else
 * to do. "progress" lines are for people, and may come before any answer.
 *
 * A request is a line of words. The answer is any number of lines "out TEXT", which go to where the
 * caller says, and then "ok" or "error KIND TEXT"; KIND is what the command ends with. If the
 * connection ends before either, the server has, and that is the answer.
 *
 * After some requests (exec, put, get) the connection is a stream of messages instead of lines
 * (relay.c). What has been read past the "ok" stays in the session's buffer for it.
 *
 * Ctrl-C gives up waiting and not the request: a request that is on its way cannot be taken back.
 */
#include "vbet-server/command/client.h"

#include "lib/sock.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/store/paths.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Most users run one lab at a time: then nobody needs to name it. */
char *client_find_lab(const char *name, struct err *e)
{
	char *base = paths_base_dir(e);
	struct lab_entry *labs;
	char *found = NULL;
	char names[512] = "";
	size_t running = 0;

	if (!base)
		return NULL;
	size_t n = paths_list_labs(base, &labs);

	for (size_t i = 0; i < n; i++) {
		if (!labs[i].running || (name && strcmp(name, labs[i].name) != 0))
			continue;
		running++;
		free(found);
		found = xstrdup(labs[i].name);
		size_t len = strlen(names);

		snprintf(names + len, sizeof(names) - len, " %s", labs[i].name);
	}
	if (!running)
		err_set(e, ERR_USAGE, name ? "no lab '%s' is running" : "no lab is running%.0s",
			name ? name : "");
	if (running > 1) {
		err_set(e, ERR_USAGE, "several labs are running, say which with -n:%s", names);
		free(found);
		found = NULL;
	}
	free(labs);
	free(base);
	return found;
}

int client_connect(struct session *s, const char *lab, struct err *e)
{
	char *base = paths_base_dir(e);

	if (!base)
		return -1;
	char *path = xasprintf("%s/%s/control", base, lab);

	s->len = 0;
	s->ended_fd = 0;
	s->fd = sock_connect(path, SOCK_STREAM, e);
	/* Either is what a server that was killed, or one that has just ended, leaves behind. */
	if (s->fd < 0 && (errno == ECONNREFUSED || errno == ENOENT))
		err_set(e, ERR_ENV, "its server has ended");
	free(path);
	free(base);
	return s->fd < 0 ? err_wrap(e, "lab %s", lab) : 0;
}

/* A descriptor and not a number, so that it cannot come to mean another process. */
int client_server_fd(const struct session *s)
{
	pid_t pid = sock_peer_pid(s->fd);

	return pid ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

void client_close(struct session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->ended_fd > 0)
		close(s->ended_fd);
	s->fd = -1;
	s->ended_fd = 0;
}

void client_await_end(struct session *s)
{
	struct pollfd end = {.fd = s->ended_fd};
	int rc;

	/* It must not wait for us either. */
	close(s->fd);
	s->fd = -1;
	while (end.fd > 0 && (rc = poll(&end, 1, -1)) <= 0 && (rc == 0 || errno == EINTR))
		;
	client_close(s);
}

static int say_ended(struct err *e)
{
	return err_set(e, ERR_ENV, "the server has ended");
}

int client_send(struct session *s, char *const *words, size_t n, struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	words_put_line(f, words, n);
	fclose(f);
	int rc = 0;

	for (size_t sent = 0; sent < len;) {
		ssize_t k = send(s->fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			rc = errno == EPIPE || errno == ECONNRESET
				     ? say_ended(e)
				     : err_sys(e, "send to the server");
			break;
		}
		sent += (size_t)k;
	}
	free(text);
	return rc;
}

static const volatile sig_atomic_t *interrupted;

void client_watch_interrupt(const volatile sig_atomic_t *flag)
{
	interrupted = flag;
}

/* The signal comes only while we look at it, so none is missed. */
static int await(int server, int ms)
{
	struct pollfd fd = {.fd = server, .events = POLLIN};
	struct timespec limit = {ms / 1000, ms % 1000 * 1000000L};
	sigset_t set;
	sigset_t old;
	int rc = 1;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, &old);
	while (!(interrupted && *interrupted) &&
	       (rc = ppoll(&fd, 1, ms < 0 ? NULL : &limit, &old)) < 0 && errno == EINTR)
		;
	sigprocmask(SIG_SETMASK, &old, NULL);
	return rc != 0;
}

/* True as soon as there is something to read, for those who show something meanwhile. */
int client_wait(const struct session *s, int ms)
{
	return s->len ? 1 : await(s->fd, ms);
}

/* What follows the line stays in the buffer: after an "ok" that may be messages already. */
char *client_read_line(struct session *s)
{
	char *line =
		NULL; /* what we have of it: the state of a large lab is longer than the buffer */
	size_t len = 0;

	for (;;) {
		char *end = memchr(s->buf, '\n', s->len);
		size_t n = end ? (size_t)(end - s->buf) : s->len;

		if (end || s->len == sizeof(s->buf)) {
			line = xrealloc(line, len + n + 1);
			memcpy(line + len, s->buf, n);
			len += n;
			line[len] = '\0';
			n += end != NULL;
			s->len -= n;
			memmove(s->buf, s->buf + n, s->len);
			if (end)
				return line;
		}
		bool given_up = interrupted && (await(s->fd, -1), *interrupted);
		ssize_t got = given_up ? 0 : read(s->fd, s->buf + s->len, sizeof(s->buf) - s->len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			free(line);
			return NULL;
		}
		s->len += (size_t)got;
	}
}

/* "error KIND TEXT" into e. */
static int take_error(const char *line, struct err *e)
{
	struct arena a = {0};
	struct words w;

	/* The kind is what the command ends with: nothing else may look like success. */
	if (words_split(line, strlen(line), &a, &w, e) == 0 && w.n == 3 &&
	    !strcmp(w.at[0], "error") && atoi(w.at[1]) >= ERR_EXPECT &&
	    atoi(w.at[1]) <= ERR_TIMEOUT && w.at[2][0])
		err_set(e, (enum err_kind)atoi(w.at[1]), "%s", w.at[2]);
	else
		err_set(e, ERR_ENV, "the server said: %s", line);
	arena_finish(&a);
	return -1;
}

int client_answer(struct session *s, FILE *out, void (*show)(void *ctx, const char *text),
		  void *ctx, struct err *e)
{
	char *line;

	while ((line = client_read_line(s))) {
		int rc = 1;

		if (!strncmp(line, "out ", 4)) {
			if (out)
				fprintf(out, "%s\n", line + 4);
		} else if (!strncmp(line, "progress ", 9)) {
			if (show)
				show(ctx, line + 9);
		} else {
			rc = !strcmp(line, "ok") ? 0 : take_error(line, e);
		}
		free(line);
		if (rc <= 0)
			return rc;
	}
	if (interrupted && *interrupted)
		return err_set(e, ERR_ENV, "interrupted: nobody waits for it any more");
	return say_ended(e);
}

void client_show_note(void *ctx, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

int client_ask(const char *lab, char *const *words, size_t n, FILE *out, struct err *e)
{
	struct session s;

	if (client_connect(&s, lab, e) < 0)
		return -1;
	int rc = client_send(&s, words, n, e);

	if (rc == 0)
		rc = client_answer(&s, out, client_show_note, NULL, e);
	client_close(&s);
	return rc;
}

int client_ask_text(const char *lab, char *const *words, size_t n, char **text, struct err *e)
{
	size_t len = 0;
	FILE *f = xmemstream(text, &len);
	int rc = client_ask(lab, words, n, f, e);

	fclose(f);
	return rc;
}
