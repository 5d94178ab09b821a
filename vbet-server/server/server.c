/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One process per lab, with one loop and no threads. It is born with a client: the command that
 * asked for the lab, which hears of its progress and is answered when the lab is ready, or why
 * it is not. All others connect to the socket `control` in the run directory.
 *
 * A client is in one of three states. LINE: it sends a line of words, and request.c answers; its
 * next line is read when that is done, or the two answers would be mixed. WAIT: its answer comes
 * when `is_over` says so, which is asked whenever something in the lab has changed. RELAY: it
 * speaks to a guest, in wire messages, and never comes back to lines.
 *
 * A client may go at any time, also while an answer for it is on its way from the substrate. It
 * is only marked then, and freed between two turns of the loop, when no function further up can
 * still hold it; answers that come later look it up first (query_client()).
 *
 * The end comes by "down", by a signal, with the client that holds the lab, or if the set-up
 * fails: the loop is left, the lab is destroyed, and only then those who wait are answered. So
 * the "ok" of a "down" says that every process of the lab is gone.
 */
#include "vbet-server/server/server.h"

#include "imprint/imprint.h"
#include "lib/container_of.h"
#include "lib/sock.h"
#include "lib/vec.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/clock.h"
#include "vbet-server/lab/disks.h"
#include "vbet-server/lab/thaw.h"
#include "vbet-server/store/paths.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

const char server_imprint_note[] = "vbet " VBET_VERSION;

/* Marked, not freed: this may be called from a function that goes on using it. */
static void client_closed(struct conn *conn)
{
	struct client *c = conn->owner;
	struct server *s = c->server;

	c->dead = true;
	request_client_gone(c);
	if (s->up == c || c->holds) {
		/* Its "up" or "run" was interrupted: that must leave nothing behind. */
		if (s->up == c)
			s->up = NULL;
		s->down_asked = true;
		loop_stop(s->loop);
	}
}

static size_t client_data(struct conn *conn, const char *data, size_t len)
{
	struct client *c = conn->owner;

	if (c->state == CLIENT_RELAY) {
		long used = request_relay(c, data, len);

		if (used >= 0)
			return (size_t)used;
		conn_close_later(conn);
		return len;
	}
	const char *end = memchr(data, '\n', len);

	if (!end || c->asks)
		return 0;
	size_t line = (size_t)(end - data);

	request_handle(c, data, line);
	return line + 1;
}

static struct client *add_client(struct server *s, int fd, struct err *e)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->server = s;
	c->number = ++s->last_client;
	c->conn.on_data = client_data;
	c->conn.on_close = client_closed;
	c->conn.owner = c;
	if (conn_open(&c->conn, s->loop, fd, e) < 0) {
		close(fd);
		free(c);
		return NULL;
	}
	c->next = s->clients;
	s->clients = c;
	return c;
}

/* Between two turns of the loop nobody holds a client. */
static void free_dead_clients(struct server *s)
{
	struct client **p = &s->clients;

	while (*p) {
		struct client *c = *p;

		if (!c->dead) {
			p = &c->next;
			continue;
		}
		*p = c->next;
		loop_cancel_timer(s->loop, &c->timeout);
		conn_finish(&c->conn);
		free(c->awaited);
		free(c);
	}
}

static void on_connect(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct server *s = container_of(w, struct server, listener);
	int fd = loop_accept(s->loop, w);

	if (fd >= 0 && s->up)
		warm_forgo(s->lab);
	if (fd >= 0)
		add_client(s, fd, NULL);
}

static void on_signal(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct server *s = container_of(w, struct server, signals);
	struct signalfd_siginfo info;

	if (read(w->fd, &info, sizeof(info)) == sizeof(info)) {
		s->down_asked = true;
		loop_stop(s->loop);
	}
}

static void end_answer(struct client *c)
{
	c->asks = false;
	conn_offer(&c->conn);
}

void client_ok(struct client *c)
{
	conn_write(&c->conn, "ok\n", 3);
	end_answer(c);
}

void client_error(struct client *c, const struct err *e)
{
	struct arena a = {0};

	conn_printf(&c->conn, "error %d %s\n", e->kind, words_quote(&a, e->text));
	arena_finish(&a);
	end_answer(c);
}

void client_out(struct client *c, const char *text, size_t len)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		conn_write(&c->conn, "out ", 4);
		conn_write(&c->conn, text, n);
		conn_write(&c->conn, "\n", 1);
		n += end != NULL;
		text += n;
		len -= n;
	}
}

static void lab_progress(void *ctx, const char *text)
{
	struct server *s = ctx;

	if (s->up)
		conn_printf(&s->up->conn, "progress %s\n", text);
}

/* Of what the lab is ready without: nodes, commands, bounds that nothing keeps; and of a clock that
 * is not the only one. */
static void tell_failures(struct client *c, const struct lab *lab)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	failures_print(&lab->progress.failures, f);
	bounds_tell(lab, f);
	clock_tell(lab, f);
	warm_tell(lab, f);
	fclose(f);
	client_out(c, text, len);
	free(text);
}

static void lab_ready(void *ctx)
{
	struct server *s = ctx;
	struct client *c = s->up;

	s->up = NULL;
	clock_hand_over(s->lab);
	if (!c)
		return;
	tell_failures(c, s->lab);
	client_ok(c);
	c->holds = s->held;
	if (!c->holds)
		conn_close_later(&c->conn);
}

static void lab_failed(void *ctx, const struct err *e)
{
	struct server *s = ctx;

	/* server_run() tells whoever waits, when all is gone. */
	s->failure = *e;
	s->exit_code = (int)e->kind;
	fprintf(stderr, "failed: %s\n", e->text);
	s->down_asked = true;
	loop_stop(s->loop);
}

static void lab_changed(void *ctx)
{
	request_check_waiting(ctx);
}

static int listen_control(struct server *s, struct err *e)
{
	char *path = xasprintf("%s/control", s->lab->dir);

	s->listener.fd = sock_listen(path, SOCK_STREAM, e);
	free(path);
	s->listener.ready = on_connect;
	if (s->listener.fd < 0)
		return -1;
	return loop_add(s->loop, &s->listener, EPOLLIN, e);
}

static int set_up(struct server *s, struct topo_script *script, struct graph *g,
		  const struct lab_options *opt, struct err *e)
{
	struct lab_listener listener = {
		.progress = lab_progress,
		.ready = lab_ready,
		.failed = lab_failed,
		.changed = lab_changed,
		.ctx = s,
	};

	s->lab = lab_create(s->loop, script, g, opt, &listener, e);
	if (!s->lab)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	s->signals.ready = on_signal;
	return loop_add_signals(s->loop, &s->signals, 0, e) < 0 ? -1 : listen_control(s, e);
}

/* Taken down is what those who wait for "down" wanted, and what all others who wait must hear. */
static void close_clients(struct server *s)
{
	struct err e;

	for (struct client *c = s->clients; c; c = c->next) {
		c->dead = true;
		if (conn_is_open(&c->conn)) {
			request_client_gone(c);
			/* Whoever holds the lab can tell this from a server that was killed. */
			if (c->holds)
				conn_printf(&c->conn, "ended\n");
			/* All but those who wait had their answer, or have not taken it in time. */
			if (c->state != CLIENT_WAIT)
				continue;
			err_set(&e, ERR_ENV, "the lab was taken down");
			if (c->is_over)
				client_error(c, &e);
			else
				client_ok(c);
		}
	}
	free_dead_clients(s);
}

/*
 * The loop has been left, and goes on for this alone. Guests that do not power off in time are
 * ended with all others.
 */
static void settle_disks(struct server *s)
{
	int64_t deadline_ns = loop_now_ns(s->loop) + INT64_C(10000000000);

	if (!s->lab || s->failure.kind || !disks_power_off(s->lab))
		return;
	loop_resume(s->loop);
	while (!disks_are_settled(s->lab) && loop_now_ns(s->loop) < deadline_ns)
		if (loop_turn(s->loop, deadline_ns, NULL) < 0)
			return;
}

/* Descriptors of clients are none of ours in a process that was restored, and nor are they. */
static void forget_clients(struct server *s, bool in_record)
{
	for (struct client *c = s->clients; c; c = c->next) {
		conn_forget(&c->conn);
		c->dead = true;
		if (in_record)
			request_client_in_record(c);
		else
			request_client_gone(c);
	}
	free_dead_clients(s);
	s->up = NULL;
}

/* The lab repeats what followed in its run. */
static int follow(struct server *s, const char *inputs, int64_t to_ns, struct err *e)
{
	size_t len;
	char *text = paths_read_file(inputs, &len, e);
	int rc = text ? back_follow(s->lab, text, to_ns, e) : -1;

	free(text);
	return rc;
}

/*
 * start.c: the snapshot's directory, that of the run; a record to follow or "", up to when; note:
 * of one who has asked for the lab, as if it booted (lab/warm.h), or "": of one who only waits
 * until all is back. Directories of another run (lab/moment.h), or "".
 */
struct argument {
	char *dir, *run, *inputs, *note, *captures, *record; /* owned */
	int64_t to_ns;
};

static char *next_word(const char **at)
{
	char *word = xstrdup(*at);

	*at += strlen(word) + 1;
	return word;
}

static struct argument read_argument(void)
{
	size_t len;
	const char *at = imprint_argument(&len);
	struct argument a = {.dir = next_word(&at)};

	a.run = next_word(&at);
	a.inputs = next_word(&at);
	a.to_ns = strtoll(at, NULL, 10);
	at += strlen(at) + 1;
	a.note = next_word(&at);
	a.captures = next_word(&at);
	a.record = next_word(&at);
	return a;
}

static void finish_argument(struct argument *a)
{
	free(a->dir);
	free(a->run);
	free(a->inputs);
	free(a->note);
	free(a->captures);
	free(a->record);
}

static int thaw_lab(struct server *s, const struct argument *arg, struct err *e)
{
	struct lab_options opt = {.base = NULL};
	struct arena a = {0};
	int rc = warm_read_note(&opt, arg->note, &a, e);

	s->thawing = !*arg->note;
	s->up = NULL;
	if (*arg->record)
		opt.captures = *arg->captures ? arg->captures : NULL;
	if (rc == 0) {
		warm_expect(s->lab, &opt);
		rc = thaw_begin(s->lab, arg->dir, arg->run, *arg->inputs ? NULL : arg->record, e);
	}
	if (rc == 0 && *arg->record)
		moment_go_on(s->lab);
	if (rc == 0 && *arg->note) {
		rc = warm_adopt(s->lab, &opt, e);
		s->held = opt.held;
	}
	arena_finish(&a);
	return rc;
}

/* Whoever restored us is at descriptor 0. */
static int thaw(struct server *s, int64_t then_ns, struct err *e)
{
	struct argument a = read_argument();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = fcntl(0, F_DUPFD_CLOEXEC, 3);

	dup2(null, 0);
	close(null);
	signal(SIGPIPE, SIG_IGN);
	lab_raise_limit();
	thaw_forget(s->lab);
	int rc = loop_thaw(s->loop, then_ns, e);

	if (rc == 0)
		rc = loop_add_signals(s->loop, &s->signals, 0, e);
	for (struct client *c = s->clients; c; c = c->next)
		loop_cancel_timer(s->loop, &c->timeout);
	if (rc == 0)
		rc = thaw_lab(s, &a, e);
	forget_clients(s, *a.inputs);
	if (rc == 0 && *a.inputs)
		rc = follow(s, a.inputs, a.to_ns, e);
	/* Who restored us waits for an answer, or for our end. */
	s->up = add_client(s, fd, rc == 0 ? e : NULL);
	if (!s->up)
		rc = -1;
	else if (!*a.note)
		request_await_thaw(s->up);
	if (rc == 0 && *a.note)
		progress_say_size(s->lab);
	if (rc == 0)
		rc = listen_control(s, e);
	finish_argument(&a);
	return rc;
}

/* The server's part of a snapshot: it stands for as long as its own file takes. */
static void save_self(struct server *s)
{
	struct imprint_writer writer;
	struct err e = {0};
	char *file = snapshot_server_file(s->lab);
	int64_t then_ns = clock_monotonic_ns();

	fflush(NULL);
	switch (imprint_save(file, server_imprint_note, &writer, &e)) {
	case IMPRINT_RESTORED:
		if (thaw(s, then_ns, &e) < 0)
			lab_failed(s, &e);
		break;
	case IMPRINT_SAVING:
		snapshot_end(s->lab, imprint_writer_finish(&writer, &e) < 0 ? &e : NULL);
		break;
	case IMPRINT_FAILED:
		snapshot_end(s->lab, &e);
		break;
	}
	free(file);
}

int server_run(struct topo_script *script, struct graph *g, const struct lab_options *opt,
	       int up_fd)
{
	struct server s = {.listener = {.fd = -1}, .signals = {.fd = -1}, .held = opt->held};
	struct err e = {0};

	s.loop = loop_create(&e);
	if (!s.loop)
		return ERR_ENV;
	s.up = add_client(&s, up_fd, &e);
	if (!s.up) {
		/* Who started us waits for an answer, or for our end. */
		fprintf(stderr, "vbet: %s\n", e.text);
		loop_destroy(s.loop);
		return ERR_ENV;
	}
	if (set_up(&s, script, g, opt, &e) < 0) {
		s.failure = e;
		s.exit_code = e.kind ? (int)e.kind : ERR_ENV;
		s.down_asked = true;
	}
	while (!s.down_asked) {
		if (loop_turn(s.loop, INT64_MAX, &e) < 0)
			break;
		free_dead_clients(&s);
		/* The lab stands on its own feet: until now it would have gone with who asked. */
		if (s.thawing && s.lab->snapshot.step == SNAPSHOT_NONE) {
			s.thawing = false;
			s.up = NULL;
		}
		/* An answer that is under way would never come to the other. */
		if (s.lab && s.lab->snapshot.step == SNAPSHOT_SERVER &&
		    carriers_are_idle(&s.lab->carriers))
			save_self(&s);
	}
	if (s.listener.fd >= 0)
		loop_remove(s.loop, &s.listener);
	settle_disks(&s);
	if (s.heir && s.lab && lab_give_up_place(s.lab, s.heir))
		close_clients(&s);
	free(s.heir);
	lab_destroy(s.lab);
	if (s.up && !s.failure.kind)
		err_set(&s.failure, ERR_ENV, "the lab was taken down before it was ready");
	if (s.up)
		client_error(s.up, &s.failure);
	s.up = NULL;
	close_clients(&s);
	if (s.listener.fd >= 0)
		close(s.listener.fd);
	if (s.signals.fd >= 0) {
		loop_remove(s.loop, &s.signals);
		close(s.signals.fd);
	}
	loop_destroy(s.loop);
	return s.exit_code;
}
