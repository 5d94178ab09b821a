/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EXEC: a command on a channel, with pipes or a terminal. */
#include "lib/container_of.h"
#include "vkernel/init/agent.h"
#include "vkernel/init/proc.h"

#include "lib/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
	GRACE_MS = 2000, /* between the polite signal and the other */
	DRAIN_MS = 200,  /* a terminal whose session has ended, but says nothing of it */
};

/* One output of the command. */
struct output {
	struct loop_watch watch;
	struct exec *exec;
	enum wire_type type;
	bool done;
};

struct exec {
	struct chan chan; /* first: a chan is its exec */
	pid_t pid;
	bool tty, reaped, closed, timed_out, in_eof;
	int status;
	struct output outputs[2];
	struct loop_watch in; /* stdin; in the loop only while something is pending */
	char *pending;
	size_t n_pending, sent;
	struct loop_timer deadline, killer, drain;
};

static struct exec *exec_of(struct chan *c)
{
	return (struct exec *)c;
}

static int64_t after_ms(int64_t ms)
{
	return loop_now_ns(agent_loop()) + ms * 1000000;
}

/* --- outputs that outlive their command: read and thrown away, so that nobody gets SIGPIPE --- */

static void drain_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	char buf[4096];
	ssize_t n = read(w->fd, buf, sizeof(buf));

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	loop_remove(agent_loop(), w);
	close(w->fd);
	free(w);
}

static void drain_to_the_end(int fd)
{
	struct loop_watch *w = xcalloc(1, sizeof(*w));

	w->fd = fd;
	w->ready = drain_ready;
	if (loop_add(agent_loop(), w, EPOLLIN, NULL) < 0) {
		close(fd);
		free(w);
	}
}

/* --- the end --- */

static void close_watch(struct loop_watch *w)
{
	if (w->fd < 0)
		return;
	loop_remove(agent_loop(), w);
	close(w->fd);
	w->fd = -1;
}

static void close_output(struct exec *x, struct output *o, bool keep)
{
	int fd = o->watch.fd;

	o->done = true;
	if (fd < 0)
		return;
	loop_remove(agent_loop(), &o->watch);
	o->watch.fd = -1;
	if (keep && !x->tty)
		drain_to_the_end(fd);
	else
		close(fd);
}

static void finish(struct exec *x)
{
	char word[64];
	struct loop *l = agent_loop();

	if (x->timed_out)
		snprintf(word, sizeof(word), "timeout=1");
	else if (WIFSIGNALED(x->status))
		snprintf(word, sizeof(word), "signal=%d", WTERMSIG(x->status));
	else
		snprintf(word, sizeof(word), "status=%d", WEXITSTATUS(x->status));
	chan_exit(&x->chan, word);
	for (size_t i = 0; i < ARRAY_LEN(x->outputs); i++)
		close_output(x, &x->outputs[i], !x->closed && !x->timed_out);
	close_watch(&x->in);
	loop_cancel_timer(l, &x->deadline);
	loop_cancel_timer(l, &x->killer);
	loop_cancel_timer(l, &x->drain);
	free(x->pending);
	free(x);
}

/* Ends the channel if its command has ended and all is said. True: x is gone. */
static bool try_finish(struct exec *x)
{
	if (!x->reaped)
		return false;
	if (!x->closed && !x->timed_out && !(x->outputs[0].done && x->outputs[1].done))
		return false;
	finish(x);
	return true;
}

static void kill_now(struct loop_timer *t, int64_t now_ns)
{
	struct exec *x = container_of(t, struct exec, killer);

	kill(-x->pid, SIGKILL);
	proc_signal_session(x->pid, SIGKILL);
}

static void kill_politely(struct exec *x, int sig)
{
	if (x->reaped)
		return;
	kill(-x->pid, sig);
	kill(-x->pid, SIGCONT);
	loop_set_timer(agent_loop(), &x->killer, after_ms(GRACE_MS));
}

static void exec_close(struct chan *c)
{
	struct exec *x = exec_of(c);

	if (x->closed)
		return;
	x->closed = true;
	kill_politely(x, SIGHUP);
	try_finish(x);
}

static void deadline_passed(struct loop_timer *t, int64_t now_ns)
{
	struct exec *x = container_of(t, struct exec, deadline);

	if (x->closed)
		return;
	x->timed_out = true;
	kill_politely(x, SIGTERM);
	try_finish(x);
}

/* --- output --- */

/* Sends what the command has written, as far as there is room. */
static void read_output(struct exec *x, struct output *o)
{
	size_t room;

	while (!o->done && (room = chan_room(&x->chan))) {
		char *at = chan_reserve(&x->chan, room);
		ssize_t n = read(o->watch.fd, at, room);

		if (n > 0) {
			chan_commit(&x->chan, o->type, (size_t)n);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* What background processes write later is not this command's. */
			if (x->reaped && !x->tty)
				close_output(x, o, true);
			break;
		}
		close_output(x, o, false); /* the end; EIO on terminals */
	}
}

/* Without room, the loop must not tell of output again and again. */
static void watch_output(struct exec *x, struct output *o)
{
	bool want = !o->done && chan_room(&x->chan);

	if (o->watch.fd < 0 || want == (o->watch.slot != 0))
		return;
	if (want)
		loop_add(agent_loop(), &o->watch, EPOLLIN, NULL);
	else
		loop_remove(agent_loop(), &o->watch);
}

static void pump(struct exec *x)
{
	for (size_t i = 0; i < ARRAY_LEN(x->outputs); i++) {
		read_output(x, &x->outputs[i]);
		watch_output(x, &x->outputs[i]);
	}
	try_finish(x);
}

static void exec_pump(struct chan *c)
{
	pump(exec_of(c));
}

static void output_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct output *o = container_of(w, struct output, watch);

	read_output(o->exec, o);
	watch_output(o->exec, o);
	try_finish(o->exec);
}

static void drained(struct loop_timer *t, int64_t now_ns)
{
	struct exec *x = container_of(t, struct exec, drain);

	close_output(x, &x->outputs[0], false);
	try_finish(x);
}

static void exec_ended(void *ctx, int status)
{
	struct exec *x = ctx;

	x->reaped = true;
	x->status = status;
	if (x->closed || x->timed_out)
		kill_now(&x->killer, 0); /* whoever is left of its session */
	else if (x->tty)
		loop_set_timer(agent_loop(), &x->drain, after_ms(DRAIN_MS));
	pump(x);
}

/* --- input --- */

static void close_input(struct exec *x)
{
	close_watch(&x->in);
	chan_grant(&x->chan, x->n_pending - x->sent);
	free(x->pending);
	x->pending = NULL;
	x->n_pending = x->sent = 0;
}

static void write_input(struct exec *x)
{
	while (x->in.fd >= 0 && x->sent < x->n_pending) {
		ssize_t n = write(x->in.fd, x->pending + x->sent, x->n_pending - x->sent);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (!x->in.slot)
				loop_add(agent_loop(), &x->in, EPOLLOUT, NULL);
			return;
		}
		if (n < 0) {
			close_input(x); /* nobody reads it any more */
			return;
		}
		x->sent += (size_t)n;
		chan_grant(&x->chan, (size_t)n);
	}
	loop_remove(agent_loop(), &x->in);
	free(x->pending);
	x->pending = NULL;
	x->n_pending = x->sent = 0;
	if (x->in_eof && !x->tty)
		close_input(x);
}

static void input_ready(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	write_input(container_of(w, struct exec, in));
}

static void add_input(struct exec *x, const char *data, size_t len)
{
	x->pending = xrealloc(x->pending, x->n_pending + len);
	memcpy(x->pending + x->n_pending, data, len);
	x->n_pending += len;
	if (!x->in.slot)
		write_input(x);
}

static void exec_data(struct chan *c, const char *data, size_t len)
{
	struct exec *x = exec_of(c);

	if (x->in.fd < 0 || x->in_eof)
		chan_grant(c, len);
	else if (x->n_pending - x->sent + len > WIRE_WINDOW)
		exec_close(c); /* more than the window: this is no server of ours */
	else
		add_input(x, data, len);
}

static void exec_eof(struct chan *c)
{
	static const char ctrl_d = 4;
	struct exec *x = exec_of(c);

	if (x->in_eof)
		return;
	if (x->tty && x->in.fd >= 0)
		add_input(x, &ctrl_d, 1);
	x->in_eof = true;
	if (!x->in.slot)
		write_input(x);
}

static void exec_signal(struct chan *c, int sig)
{
	struct exec *x = exec_of(c);
	pid_t group = x->pid;

	if (x->reaped || sig < 1 || sig >= NSIG)
		return;
	if (x->tty && x->outputs[0].watch.fd >= 0)
		ioctl(x->outputs[0].watch.fd, TIOCGPGRP, &group);
	kill(-(group > 0 ? group : x->pid), sig);
}

static void exec_resize(struct chan *c, unsigned cols, unsigned rows)
{
	struct exec *x = exec_of(c);
	struct winsize size = {.ws_col = (unsigned short)cols, .ws_row = (unsigned short)rows};

	if (x->tty && x->outputs[0].watch.fd >= 0)
		ioctl(x->outputs[0].watch.fd, TIOCSWINSZ, &size);
}

static const struct chan_ops exec_ops = {
	.data = exec_data,
	.eof = exec_eof,
	.signal = exec_signal,
	.resize = exec_resize,
	.close = exec_close,
	.pump = exec_pump,
};

/* --- the start --- */

/* What EXEC asks for. */
struct request {
	struct words keys; /* what is before "--" */
	char **argv;
	VEC(char *) env;
	struct proc_user user;
	struct arena arena;
	bool tty;
	unsigned cols, rows;
	long timeout_ms;
};

static long number_of(const struct words *w, const char *key, long otherwise)
{
	const char *v = words_get(w, key);

	return v ? strtol(v, NULL, 10) : otherwise;
}

static bool names(const char *entry, const char *other)
{
	size_t len = strcspn(other, "=");

	return !strncmp(entry, other, len) && entry[len] == '=';
}

/* A later entry replaces an earlier one of the same name. */
static void set_env(struct request *r, char *entry)
{
	for (size_t i = 0; i < r->env.n; i++) {
		if (!names(r->env.at[i], entry))
			continue;
		r->env.at[i] = entry;
		return;
	}
	vec_push(&r->env, entry);
}

static const char *shell_of(const struct request *r)
{
	static const char *const others[] = {"/bin/bash", "/usr/bin/bash"};

	if (agent_shell() && access(agent_shell(), X_OK) == 0)
		return agent_shell();
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (access(others[i], X_OK) == 0)
			return others[i];
	return "/bin/sh";
}

static void fill_env(struct request *r)
{
	struct arena *a = &r->arena;
	const char *term = words_get(&r->keys, "term");

	set_env(r, (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	set_env(r, (char *)"LANG=C.UTF-8");
	set_env(r, arena_printf(a, "HOME=%s", r->user.home));
	set_env(r, arena_printf(a, "USER=%s", r->user.name));
	set_env(r, arena_printf(a, "LOGNAME=%s", r->user.name));
	set_env(r, arena_printf(a, "SHELL=%s", shell_of(r)));
	if (r->tty)
		set_env(r, arena_printf(a, "TERM=%s", term ? term : "xterm"));
	for (size_t i = 1; i < r->keys.n; i++)
		if (!strncmp(r->keys.at[i], "env.", 4) && strchr(r->keys.at[i], '='))
			set_env(r, r->keys.at[i] + 4);
	vec_push(&r->env, NULL);
}

static int read_request(struct request *r, const struct words *w, struct err *e)
{
	size_t dashes = 1;
	const char *user;

	while (dashes < w->n && strcmp(w->at[dashes], "--") != 0)
		dashes++;
	r->keys = *w;
	r->keys.n = dashes;
	r->argv = w->at + (dashes < w->n ? dashes + 1 : w->n);
	r->tty = number_of(&r->keys, "tty", 0) > 0;
	r->cols = (unsigned)number_of(&r->keys, "cols", 80);
	r->rows = (unsigned)number_of(&r->keys, "rows", 24);
	r->timeout_ms = number_of(&r->keys, "timeout_ms", 0);
	user = words_get(&r->keys, "user");
	if (proc_find_user(user ? user : "root", &r->user, e) < 0)
		return -1;
	fill_env(r);
	if (!r->argv[0]) { /* the shell, as at a login */
		r->argv = arena_alloc(&r->arena, 3 * sizeof(char *));
		r->argv[0] = arena_strdup(&r->arena, shell_of(r));
		r->argv[1] = (char *)"-l";
	}
	return 0;
}

/* fds: the command's descriptors 0 to 2; ends: ours for its input and outputs. */
static int open_pipes(int fds[3], int ends[3], struct err *e)
{
	int p[3][2];

	for (int i = 0; i < 3; i++) {
		if (pipe2(p[i], O_CLOEXEC) == 0)
			continue;
		err_sys(e, "pipe");
		while (i-- > 0) {
			close(p[i][0]);
			close(p[i][1]);
		}
		return -1;
	}
	for (int i = 0; i < 3; i++) {
		fds[i] = p[i][i ? 1 : 0];
		ends[i] = p[i][i ? 0 : 1];
		fcntl(ends[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

static int open_terminal(const struct request *r, int fds[3], int ends[3], struct err *e)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	int unlock = 0;
	struct winsize size = {.ws_col = (unsigned short)r->cols,
			       .ws_row = (unsigned short)r->rows};
	struct termios t;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "terminal");
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (slave < 0) {
		err_sys(e, "terminal");
		close(master);
		return -1;
	}
	ioctl(master, TIOCSWINSZ, &size);
	if (tcgetattr(slave, &t) == 0) {
		t.c_iflag |= IUTF8;
		tcsetattr(slave, TCSANOW, &t);
	}
	if (r->user.uid && fchown(slave, r->user.uid, (gid_t)-1) < 0)
		err_sys(NULL, "chown");
	fds[0] = fds[1] = fds[2] = slave;
	ends[0] = fcntl(master, F_DUPFD_CLOEXEC, 3);
	ends[1] = master;
	ends[2] = -1;
	return 0;
}

static void close_fds(int fds[3])
{
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0 && (!i || fds[i] != fds[0]))
			close(fds[i]);
}

static void run(uint32_t id, const struct request *r, pid_t pid, int ends[3])
{
	struct exec *x = xcalloc(1, sizeof(*x));

	x->pid = pid;
	x->tty = r->tty;
	x->in.fd = ends[0];
	x->in.ready = input_ready;
	x->deadline.fire = deadline_passed;
	x->killer.fire = kill_now;
	x->drain.fire = drained;
	for (int i = 0; i < 2; i++) {
		struct output *o = &x->outputs[i];

		o->exec = x;
		o->type = i ? WIRE_ERRDATA : WIRE_DATA;
		o->watch.fd = ends[i + 1];
		o->watch.ready = output_ready;
		o->done = ends[i + 1] < 0;
		if (!o->done)
			loop_add(agent_loop(), &o->watch, EPOLLIN, NULL);
	}
	chan_open(&x->chan, id, &exec_ops);
	if (r->timeout_ms > 0)
		loop_set_timer(agent_loop(), &x->deadline, after_ms(r->timeout_ms));
	proc_watch(pid, exec_ended, x);
}

static void start_request(uint32_t id, const struct request *r)
{
	const char *cwd = words_get(&r->keys, "cwd");
	struct proc_spec spec = {
		.argv = r->argv,
		.envp = r->env.at,
		.cwd = cwd ? cwd : r->user.home,
		.user = &r->user,
		.ctty = r->tty,
	};
	int ends[3] = {-1, -1, -1};
	struct err e;
	int rc = r->tty ? open_terminal(r, spec.fds, ends, &e) : open_pipes(spec.fds, ends, &e);

	if (rc < 0) {
		chan_refuse(id, e.text);
		return;
	}
	pid_t pid = proc_start(&spec, &e);

	close_fds(spec.fds);
	if (pid < 0) {
		close_fds(ends);
		chan_refuse(id, e.text);
		return;
	}
	run(id, r, pid, ends);
}

void exec_start(uint32_t id, const struct words *w)
{
	struct request r = {0};
	struct err e;

	if (read_request(&r, w, &e) < 0)
		chan_refuse(id, e.text);
	else
		start_request(id, &r);
	vec_free(&r.env);
	arena_finish(&r.arena);
}
