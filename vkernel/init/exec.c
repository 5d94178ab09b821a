/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * EXEC: a command on a channel, with pipes or a terminal.
 *
 * The channel ends when the command has been reaped and its outputs are at their end, whichever
 * comes last: the status must not overtake the last bytes. But a command may leave background
 * processes behind that keep its pipes open for good. So once it is reaped, what has been written
 * is sent, and an output on which nothing more is waiting counts as at its end. The descriptor is
 * then read and thrown away as long as somebody has it open, as SIGPIPE would kill a daemon that
 * was started by hand. A terminal says EIO when its session has ended; where it does not, DRAIN_MS
 * later nobody waits for it any more.
 *
 * A command is ended twice: politely, by SIGHUP or SIGTERM to its process group, and after GRACE_MS
 * by SIGKILL to all of its session, which a shell with job control has divided into groups.
 *
 * An output is watched only while there is room for it in the channel, and the input only while
 * some is pending: the loop is level-triggered, and would otherwise call again and again for what
 * cannot be done yet.
 */
#include "lib/container_of.h"
#include "vkernel/init/agent.h"
#include "vkernel/init/exec_request.h"
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
	GRACE_MS = 2000, /* from the polite signal to SIGKILL */
	DRAIN_MS = 200,  /* from the end of a terminal's session to that of its output */
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

/* --- outputs that outlive their command --- */

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

/*
 * The order matters: first the last word on the channel, then its descriptors. Outputs that others
 * still have open go on being read (drain_to_the_end()), except when the command was ended by us.
 */
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

/* Ends the channel if its command has ended and all of its output is sent. True: x is freed. */
static bool try_finish(struct exec *x)
{
	if (!x->reaped)
		return false;
	if (!x->closed && !x->timed_out && !(x->outputs[0].done && x->outputs[1].done))
		return false;
	finish(x);
	return true;
}

/* The group first, as it is one call, then whoever of the session is in another group. */
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
			if (x->reaped && !x->tty)
				close_output(x, o, true);
			break;
		}
		close_output(x, o, false); /* the end; EIO on terminals */
	}
}

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

/* What was not taken is granted back, or the server would wait for room that never comes. */
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

/*
 * A terminal has no end of input that could be closed: the letter that means it is sent, as if it
 * had been typed.
 */
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

/* At a terminal a signal is for the group in the foreground, as with Ctrl-C. */
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

/*
 * TIOCGPTPEER opens the other side by the descriptor and not by its name, so it works without
 * /dev/pts in this mount namespace. The master is duplicated: input and output are watched and
 * closed apart.
 */
static int open_terminal(const struct exec_request *r, int fds[3], int ends[3], struct err *e)
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

static void run(uint32_t id, const struct exec_request *r, pid_t pid, int ends[3])
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

static void start_request(uint32_t id, const struct exec_request *r)
{
	const char *cwd = words_get(&r->keys, "cwd");
	struct vnet_entry entry;
	struct proc_spec spec = {
		.argv = r->argv,
		.envp = r->env.at,
		.cwd = cwd ? cwd : r->user.home,
		.user = &r->user,
		.ctty = r->tty,
		.vnet = &entry,
	};
	int ends[3] = {-1, -1, -1};
	struct err e;
	int rc = vnet_find_entry(words_get(&r->keys, "vnet"), &entry, &e);

	if (rc == 0)
		rc = r->tty ? open_terminal(r, spec.fds, ends, &e) : open_pipes(spec.fds, ends, &e);

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
	struct exec_request r = {0};
	struct err e;

	if (exec_request_read(&r, w, &e) < 0)
		chan_refuse(id, e.text);
	else
		start_request(id, &r);
	exec_request_finish(&r);
}
