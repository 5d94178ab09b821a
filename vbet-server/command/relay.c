/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands and files in a node, through the server: wire messages on channel 1 (lib/agent_wire.h).
 *
 * Behind `vbet exec`, `console` and `cp`: after the server's "ok" the connection carries wire
 * messages, all on channel 1. Three things can happen, and pump() waits for them together: the
 * server sends, our standard input has bytes, a signal comes (as a descriptor, so that none is
 * lost between two looks).
 *
 * Both directions have a window: we send no more than the guest has granted, and grant back
 * what we have written out. So a slow terminal slows the command down, and nothing piles up
 * between the two.
 *
 * With a terminal it is raw, and every key is the guest's, Ctrl-C too; Ctrl-] leaves, if the caller
 * wants that; as the connection closes, the server ends the command. Without one, SIGINT is sent as
 * a message; who presses twice leaves. The end is a WIRE_EXIT with the status, or the server's.
 */
#include "lib/agent_wire.h"
#include "lib/sock.h"
#include "lib/vec.h"
#include "lib/words.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/clock_view.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum {
	ESCAPE_KEY = 0x1d,   /* Ctrl-] */
	INTERRUPT_KEY = 0x3, /* Ctrl-C */
	QUIT_KEY = 0x1c,     /* Ctrl-\ */
	UNHEARD_MAX = 3,
};

struct relay {
	struct session s;
	const char *lab;
	const struct exec_options *opt;
	int in_fd;       /* where DATA for the guest comes from; -1: nowhere (any more) */
	uint32_t window; /* bytes we may still send */
	bool raw;        /* our terminal is in raw mode */
	struct termios saved;
	int signal_fd;    /* SIGWINCH, SIGINT, SIGTERM; -1: none */
	int out_fd;       /* for get; -1: opt->out */
	bool left;        /* the user typed the escape */
	bool gave_up;     /* so did we: the guest does not hear */
	unsigned unheard; /* keys that interrupt since the guest last said anything */
	bool interrupted; /* SIGINT was passed on once */
	unsigned mode;    /* of WIRE_STAT */
	int status;       /* of WIRE_EXIT */
	bool ended;
};

static void send_message(struct relay *r, uint8_t type, const void *data, uint32_t len)
{
	char buf[WIRE_HEAD + WIRE_PAYLOAD_MAX];
	struct wire_head h = {.len = len, .channel = 1, .type = type};

	memcpy(buf, &h, WIRE_HEAD);
	if (len)
		memcpy(buf + WIRE_HEAD, data, len);
	/* Not an error: the server may have closed, and its WIRE_EXIT is still to be read. */
	for (size_t sent = 0; sent < WIRE_HEAD + len;) {
		ssize_t n = send(r->s.fd, buf + sent, WIRE_HEAD + len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		sent += (size_t)n;
	}
}

static void send_size(struct relay *r)
{
	struct winsize ws;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &ws) == 0) {
		uint16_t size[2] = {ws.ws_col, ws.ws_row};

		send_message(r, WIRE_RESIZE, size, sizeof(size));
	}
}

/* After it was written, not before: this is what holds a fast command back. */
static void grant(struct relay *r, uint32_t bytes)
{
	send_message(r, WIRE_WINDOW_ADD, &bytes, sizeof(bytes));
}

/* As a shell has it: a command that was killed ends with 128 and the signal. */
static int take_exit(struct relay *r, const char *data, uint32_t len, struct err *e)
{
	struct arena a = {0};
	struct words w;
	const char *v;
	int rc = 0;

	r->ended = true;
	if (words_split(data, len, &a, &w, e) < 0)
		rc = -1;
	else if ((v = words_get(&w, "status")))
		r->status = atoi(v);
	else if ((v = words_get(&w, "signal")))
		r->status = 128 + atoi(v);
	else if (words_get(&w, "timeout"))
		rc = err_set(e, ERR_TIMEOUT, "the command ran out of time");
	else if ((v = words_get(&w, "error")))
		rc = err_set(e, ERR_ENV, "%s",
			     *v ? v : "it failed, and the guest does not say why");
	arena_finish(&a);
	return rc;
}

static int take_output(struct relay *r, const struct wire_head *h, const char *data, struct err *e)
{
	FILE *out = r->opt && r->opt->out ? r->opt->out : stdout;

	if (h->type == WIRE_ERRDATA)
		out = r->opt && r->opt->err ? r->opt->err : stderr;
	if (r->out_fd >= 0) {
		if (sock_write_all(r->out_fd, data, h->len) < 0)
			return err_sys(e, "write");
	} else {
		fwrite(data, 1, h->len, out);
		fflush(out);
	}
	r->unheard = 0;
	grant(r, h->len);
	return 0;
}

static int take_message(struct relay *r, const struct wire_head *h, const char *data, struct err *e)
{
	struct arena a = {0};
	struct words w;
	uint32_t bytes;

	switch ((enum wire_type)h->type) {
	case WIRE_DATA:
	case WIRE_ERRDATA:
		return take_output(r, h, data, e);
	case WIRE_WINDOW_ADD:
		if (h->len == sizeof(bytes)) {
			memcpy(&bytes, data, sizeof(bytes));
			r->window += bytes;
		}
		return 0;
	case WIRE_STAT:
		if (words_split(data, h->len, &a, &w, NULL) == 0 && words_get(&w, "mode"))
			r->mode = (unsigned)strtoul(words_get(&w, "mode"), NULL, 8);
		arena_finish(&a);
		return 0;
	case WIRE_EXIT:
		return take_exit(r, data, h->len, e);
	default:
		return 0;
	}
}

/* Whole messages that have been received. */
static int take_messages(struct relay *r, struct err *e)
{
	struct wire_head h;

	while (r->s.len >= WIRE_HEAD && !r->ended) {
		memcpy(&h, r->s.buf, WIRE_HEAD);
		if (h.len > WIRE_PAYLOAD_MAX)
			return err_set(e, ERR_ENV, "the server sent nonsense");
		if (r->s.len < WIRE_HEAD + h.len)
			break;
		if (take_message(r, &h, r->s.buf + WIRE_HEAD, e) < 0)
			return -1;
		r->s.len -= WIRE_HEAD + h.len;
		memmove(r->s.buf, r->s.buf + WIRE_HEAD + h.len, r->s.len);
	}
	return 0;
}

static int read_server(struct relay *r, struct err *e)
{
	ssize_t n = read(r->s.fd, r->s.buf + r->s.len, sizeof(r->s.buf) - r->s.len);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n <= 0)
		return err_set(e, ERR_ENV, "the server has ended");
	r->s.len += (size_t)n;
	return take_messages(r, e);
}

/*
 * The keys that end a program are the guest's, but a guest may not hear them: its clock stands, or
 * its kernel does. Then they are for us: at once if the clock stands, else when the third of them
 * brought no answer.
 */
static void count_interrupts(struct relay *r, const char *keys, size_t n)
{
	unsigned before = r->unheard;
	struct clock_view clock;

	for (size_t i = 0; i < n && r->raw; i++)
		r->unheard += keys[i] == INTERRUPT_KEY || keys[i] == QUIT_KEY;
	if (r->unheard == before || r->left)
		return;
	bool stands = clock_view_get(r->lab, &clock) && clock.stands;

	if (!stands && r->unheard < UNHEARD_MAX)
		return;
	r->left = r->gave_up = true;
	r->status = 128 + SIGINT;
}

/* No more than the window is read, so that nothing read has to be kept. */
static void read_input(struct relay *r)
{
	char buf[16384];
	size_t room = r->window < sizeof(buf) ? r->window : sizeof(buf);
	ssize_t n = read(r->in_fd, buf, room);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		send_message(r, WIRE_EOF, NULL, 0);
		r->in_fd = -1;
		return;
	}
	char *escape = r->raw && r->opt->escape ? memchr(buf, ESCAPE_KEY, (size_t)n) : NULL;

	if (escape) {
		r->left = true;
		n = escape - buf;
	}
	count_interrupts(r, buf, (size_t)n);
	r->window -= (uint32_t)n;
	if (n)
		send_message(r, WIRE_DATA, buf, (uint32_t)n);
}

static void read_signal(struct relay *r)
{
	struct signalfd_siginfo info;

	if (read(r->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH) {
		send_size(r);
		return;
	}
	if (r->interrupted) { /* pressed twice: the command, or its node, does not listen */
		r->left = true;
		r->status = 128 + SIGINT;
	}
	r->interrupted = true;
	send_message(r, WIRE_SIGNAL, &info.ssi_signo, sizeof(info.ssi_signo));
}

static int pump(struct relay *r, struct err *e)
{
	/* The first messages may have come together with the "ok". */
	if (take_messages(r, e) < 0)
		return -1;
	while (!r->ended && !r->left) {
		struct pollfd fds[3] = {
			{.fd = r->s.fd, .events = POLLIN},
			{.fd = r->window ? r->in_fd : -1, .events = POLLIN},
			{.fd = r->signal_fd, .events = POLLIN},
		};

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (fds[2].revents)
			read_signal(r);
		if (fds[1].revents)
			read_input(r);
		if (fds[0].revents && read_server(r, e) < 0)
			return -1;
	}
	return 0;
}

static void enter_raw(struct relay *r)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &r->saved) < 0)
		return;
	t = r->saved;
	cfmakeraw(&t);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
	r->raw = true;
}

static void leave_raw(struct relay *r)
{
	if (r->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &r->saved);
	r->raw = false;
}

/* Sends the request and waits for its "ok": from there on, wire messages. */
static int begin(struct relay *r, const char *lab, char *const *words, size_t n, struct err *e)
{
	r->window = WIRE_WINDOW;
	if (client_connect(&r->s, lab, e) < 0)
		return -1;
	if (client_send(&r->s, words, n, e) < 0 ||
	    client_answer(&r->s, NULL, client_show_note, NULL, e) < 0) {
		client_close(&r->s);
		return -1;
	}
	return 0;
}

static int watch_signals(bool tty, sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	/* Not SIGTERM: it ends us, and then the server ends the command. */
	sigaddset(&set, tty ? SIGWINCH : SIGINT);
	sigprocmask(SIG_BLOCK, &set, old);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void push_exec_words(struct arena *a, const struct exec_options *opt, bool tty,
			    const char *node, struct strvec *v)
{
	struct winsize ws = {.ws_col = 80, .ws_row = 24};
	const char *term = getenv("TERM");

	vec_push(v, "exec");
	vec_push(v, node);
	if (opt->subst)
		vec_push(v, "subst=1");
	if (opt->step)
		vec_push(v, "step=1");
	if (opt->share)
		vec_push(v, "share=1");
	if (opt->watch)
		vec_push(v, "watch=1");
	if (tty) {
		ioctl(STDIN_FILENO, TIOCGWINSZ, &ws);
		vec_push(v, "tty=1");
		vec_push(v, arena_printf(a, "cols=%u", ws.ws_col));
		vec_push(v, arena_printf(a, "rows=%u", ws.ws_row));
		vec_push(v, arena_printf(a, "term=%s", term ? term : "xterm"));
	}
	if (opt->timeout_ns)
		vec_push(v, arena_printf(a, "timeout_ms=%lld",
					 (long long)(opt->timeout_ns / 1000000)));
	if (opt->user)
		vec_push(v, arena_printf(a, "user=%s", opt->user));
	if (opt->vnet)
		vec_push(v, arena_printf(a, "vnet=%s", opt->vnet));
	if (opt->cwd)
		vec_push(v, arena_printf(a, "cwd=%s", opt->cwd));
	vec_push(v, "--");
}

/* From the server's "ok" to the end of the command. */
static int run_exec(struct relay *r, bool tty, struct err *e)
{
	if (r->opt->no_stdin) {
		send_message(r, WIRE_EOF, NULL, 0);
		r->in_fd = -1;
	}
	if (tty)
		enter_raw(r);
	int rc = pump(r, e);

	leave_raw(r);
	if (r->gave_up)
		fprintf(stderr, "\nleft: nothing of what is typed gets to the command\n");
	client_close(&r->s);
	return rc;
}

int client_exec(const char *lab, const char *node, char *const *argv, size_t n,
		const struct exec_options *opt, int *status, struct err *e)
{
	struct relay r = {
		.lab = lab, .opt = opt, .in_fd = opt->in_fd, .out_fd = -1, .signal_fd = -1};
	bool tty = opt->tty && isatty(STDIN_FILENO);
	struct arena a = {0};
	sigset_t old;
	struct strvec v = {0};

	push_exec_words(&a, opt, tty, node, &v);
	for (size_t i = 0; i < n; i++)
		vec_push(&v, argv[i]);
	/* Before the command begins, so that no signal meant for it ends us instead. */
	r.signal_fd = watch_signals(tty, &old);
	int rc = begin(&r, lab, (char *const *)v.at, v.n, e);

	vec_free(&v);
	arena_finish(&a);
	if (rc == 0)
		rc = run_exec(&r, tty, e);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (r.signal_fd >= 0)
		close(r.signal_fd);
	*status = r.status;
	return rc;
}

int client_put(const char *lab, const char *node, const char *path, int fd, unsigned mode,
	       struct err *e)
{
	struct relay r = {.in_fd = fd, .out_fd = -1, .signal_fd = -1};
	char mode_word[32];

	snprintf(mode_word, sizeof(mode_word), "mode=%04o", mode);
	char *words[] = {"put", (char *)node, mode_word, (char *)path};

	if (begin(&r, lab, words, 4, e) < 0)
		return -1;
	int rc = pump(&r, e);

	client_close(&r.s);
	return rc;
}

int client_get(const char *lab, const char *node, const char *path, int fd, unsigned *mode,
	       struct err *e)
{
	struct relay r = {.in_fd = -1, .out_fd = fd, .signal_fd = -1, .mode = 0644};
	char *words[] = {"get", (char *)node, (char *)path};

	if (begin(&r, lab, words, 3, e) < 0)
		return -1;
	int rc = pump(&r, e);

	client_close(&r.s);
	*mode = r.mode;
	return rc;
}
