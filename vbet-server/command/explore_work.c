/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workers are forks of this process: they have the cases, and say what came of each in one message
 * through one socket for all. Which case is next is a number in memory that they share, so that
 * none waits for another. A worker runs its labs in a directory of its own, so all can have the
 * name that the script gives. Labs go down with their worker, and a worker with us.
 */
#include "vbet-server/command/explore_work.h"

#include "lib/xalloc.h"
#include "vbet-server/command/boot.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_MAX = 1 << 16 };

struct workers {
	const struct explore_work *work;
	atomic_size_t *next; /* shared: the first case that nobody has */
	pid_t *pids;
	size_t n;
	int socket; /* ours; what comes has ended when all workers have */
	int signals;
	sigset_t before;
	int signal;
};

/* ---- a worker ---- */

static void tell(int socket, const struct explore_result *r)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	explore_result_put(f, r);
	fclose(f);
	while (send(socket, text, len < MESSAGE_MAX ? len : MESSAGE_MAX, MSG_NOSIGNAL) < 0 &&
	       errno == EINTR)
		;
	free(text);
}

__attribute__((noreturn)) static void work(struct workers *ws, size_t number, int socket)
{
	const struct explore_work *w = ws->work;
	char *dir = xasprintf("%s/%zu", w->dir, number);
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(ws->socket);
	close(ws->signals);
	sigprocmask(SIG_SETMASK, &ws->before, NULL);
	if (mkdir(dir, 0700) < 0)
		_exit(ERR_ENV);
	setenv("XDG_RUNTIME_DIR", dir, 1);
	while ((i = atomic_fetch_add(ws->next, 1)) < w->cases->list.n) {
		struct explore_result r;

		explore_fork_run(w->setting, w->cases, i, &r);
		tell(socket, &r);
		explore_result_finish(&r);
	}
	_exit(0);
}

static int start(struct workers *ws, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	ws->socket = pair[0];
	fflush(NULL);
	for (size_t i = 0; i < ws->work->side_by_side; i++) {
		pid_t pid = fork();

		if (pid == 0)
			work(ws, i, pair[1]);
		if (pid < 0 && !ws->n) {
			close(pair[1]);
			return err_sys(e, "fork");
		}
		/* With fewer it takes longer. */
		if (pid > 0)
			ws->pids[ws->n++] = pid;
	}
	close(pair[1]);
	return 0;
}

/* ---- all of them ---- */

/* 1, or 0: all have ended. */
static int take_one(struct workers *ws)
{
	static char text[MESSAGE_MAX];
	ssize_t n = recv(ws->socket, text, sizeof(text), 0);
	struct explore_result r;

	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0)
		return 0;
	while (n && text[n - 1] == '\n')
		n--;
	if (explore_result_read(&r, text, (size_t)n, NULL) == 0)
		ws->work->ended(ws->work->ctx, &r);
	else
		explore_result_finish(&r);
	return 1;
}

/* No more are begun, and those that run go down with their workers. */
static void end_all(struct workers *ws)
{
	struct signalfd_siginfo info;

	if (read(ws->signals, &info, sizeof(info)) != sizeof(info))
		return;
	ws->signal = (int)info.ssi_signo;
	for (size_t i = 0; i < ws->n; i++)
		kill(ws->pids[i], SIGTERM);
}

static void listen_to(struct workers *ws)
{
	struct pollfd fds[2] = {{.fd = ws->socket, .events = POLLIN},
				{.fd = ws->signals, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			end_all(ws);
		if (fds[0].revents && !take_one(ws))
			return;
		fds[0].revents = fds[1].revents = 0;
	}
}

static int wait_for_all(const struct workers *ws, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < ws->n; i++) {
		int status = 0;

		while (waitpid(ws->pids[i], &status, 0) < 0 && errno == EINTR)
			;
		if (status && !ws->signal)
			rc = err_set(e, ERR_ENV, "a process that ran forks has ended (%s %d)",
				     WIFSIGNALED(status) ? "signal" : "status",
				     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	return rc;
}

/* Labs of workers that were ended go down by themselves, a little later than those. */
static void await_labs(const struct workers *ws)
{
	for (size_t i = 0; i < ws->n; i++) {
		char *dir = xasprintf("%s/%zu", ws->work->dir, i);

		setenv("XDG_RUNTIME_DIR", dir, 1);
		boot_take_down(ws->work->setting->lab, NULL);
		free(dir);
	}
	setenv("XDG_RUNTIME_DIR", ws->work->dir, 1);
}

int explore_work_run(const struct explore_work *w, int *signal, struct err *e)
{
	struct workers ws = {.work = w, .socket = -1};
	sigset_t set;

	ws.pids = xcalloc(w->side_by_side, sizeof(*ws.pids));
	ws.next = mmap(NULL, sizeof(*ws.next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &ws.before);
	ws.signals = signalfd(-1, &set, SFD_CLOEXEC);
	int rc = ws.next == MAP_FAILED || ws.signals < 0 ? err_sys(e, "prepare to fork")
							 : start(&ws, e);

	if (rc == 0) {
		listen_to(&ws);
		rc = wait_for_all(&ws, e);
		await_labs(&ws);
	}
	if (ws.socket >= 0)
		close(ws.socket);
	if (ws.signals >= 0)
		close(ws.signals);
	if (ws.next != MAP_FAILED)
		munmap(ws.next, sizeof(*ws.next));
	sigprocmask(SIG_SETMASK, &ws.before, NULL);
	free(ws.pids);
	*signal = ws.signal;
	return rc;
}
