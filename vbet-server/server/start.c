/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From `vbet up` to a server that outlives it. The lab must survive the terminal that it was
 * started from, so the server is a daemon by the book: fork, setsid(2), fork again, so that it is
 * no session's leader and can never get a controlling terminal. Script and graph need no writing
 * down: the child has them because it is a fork.
 *
 * One end of a socket pair stays with the command, which reads from it how the boot goes; the
 * server treats its end as its first client. If the server dies on the way, that end closes, and
 * the command says so rather than wait.
 */
#include "vbet-server/server/start.h"

#include "imprint/imprint.h"
#include "lib/xalloc.h"
#include "vbet-server/server/server.h"
#include "vbet-server/store/copy_tree.h"
#include "vbet-server/store/paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nobody sees what a server prints, so it goes where people look when something is wrong. */
static void redirect_log(const char *base, const char *lab)
{
	char *dir = xasprintf("%s/%s", base, lab);
	char *path = xasprintf("%s/server.log", dir);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	mkdir(dir, 0700);
	int log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

	dup2(null, 0);
	dup2(log >= 0 ? log : null, 1);
	dup2(log >= 0 ? log : null, 2);
	setvbuf(stderr, NULL, _IOLBF, 0);
	free(path);
	free(dir);
}

/*
 * The lock is looked at here only for the sake of a good message: the server takes it itself, and
 * of two that start at once one is refused there. Buffers are flushed before the fork, else what is
 * in them would be written twice. The child in the middle ends at once, so the waitpid() below does
 * not wait for the server.
 */
int server_start(struct topo_script *script, struct graph *g, const struct lab_options *opt,
		 int *fd, struct err *e)
{
	int pair[2];

	if (paths_is_locked_lab(opt->base, g->lab))
		return err_set(
			e, ERR_ENV,
			"lab '%s' is running already: take it down with 'vbet down -n %s', or "
			"start this one under another name with -n",
			g->lab, g->lab);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	fflush(NULL);
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0) {
		close(pair[0]);
		setsid();
		if (fork() != 0)
			_exit(0);
		redirect_log(opt->base, g->lab);
		_exit(server_run(script, g, opt, pair[1]));
	}
	waitpid(pid, NULL, 0);
	close(pair[1]);
	*fd = pair[0];
	return 0;
}

/* Its log goes on where it was. */
static void redirect_again(const char *dir, int client)
{
	char *path = xasprintf("%s/server.log", dir);
	int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	dup2(client, 0);
	if (log >= 0) {
		dup2(log, 1);
		dup2(log, 2);
	}
	free(path);
}

/* The process that becomes the server; client: its end of the pair. */
__attribute__((noreturn)) static void become(const char *dir, const char *snapshot, int client)
{
	char *file = xasprintf("%s/server", snapshot);
	char *words = xasprintf("%s%c%s", snapshot, '\0', dir);
	struct err e;

	setsid();
	if (fork() != 0)
		_exit(0);
	redirect_again(dir, client);
	imprint_restore(file, server_imprint_note, words, strlen(snapshot) + strlen(dir) + 2, &e);
	if (!paths_is_locked(dir))
		paths_remove_tree(dir);
	dprintf(0, "error %d \"%s\"\n", (int)e.kind, e.text);
	_exit(3);
}

static int copy_run(const char *dir, const char *snapshot, struct err *e)
{
	char *run = xasprintf("%s/run", snapshot);
	int rc = paths_is_locked(dir) ? err_set(e, ERR_ENV, "a lab runs in %s already", dir)
				      : copy_tree(run, dir, e);

	free(run);
	return rc;
}

int server_restore(const char *dir, const char *snapshot, int *fd, struct err *e)
{
	int pair[2];

	if (copy_run(dir, snapshot, e) < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	fflush(NULL);
	pid_t pid = fork();

	if (pid == 0)
		become(dir, snapshot, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return err_sys(e, "fork");
	}
	waitpid(pid, NULL, 0);
	*fd = pair[0];
	return 0;
}
