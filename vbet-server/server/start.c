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
#include "vbet-server/lab/warm.h"
#include "vbet-server/server/server.h"
#include "vbet-server/store/back_dir.h"
#include "vbet-server/store/copy_tree.h"
#include "vbet-server/store/paths.h"

#include <errno.h>
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
 * A process of its own that becomes a server, with its end of a pair of sockets; *link is ours. It
 * never closes its end of the pipe, which tells so when it has ended.
 * Buffers are flushed before the fork, else what is in them would be written twice. The child in
 * the middle ends at once, so the waitpid() below does not wait for the server.
 */
static int fork_server(void (*become)(const void *ctx, int client), const void *ctx,
		       struct server_link *link, struct err *e)
{
	int pair[2];
	int life[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "socketpair");
	if (pipe2(life, O_CLOEXEC) < 0) {
		err_sys(e, "pipe");
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	fflush(NULL);
	pid_t pid = fork();

	if (pid == 0) {
		close(pair[0]);
		close(life[0]);
		setsid();
		if (fork() == 0)
			become(ctx, pair[1]);
		_exit(0);
	}
	close(pair[1]);
	close(life[1]);
	if (pid < 0) {
		err_sys(e, "fork");
		close(pair[0]);
		close(life[0]);
		return -1;
	}
	waitpid(pid, NULL, 0);
	*link = (struct server_link){pair[0], life[0]};
	return 0;
}

struct start {
	struct topo_script *script;
	struct graph *graph;
	const struct lab_options *opt;
};

static void become_new(const void *ctx, int client)
{
	const struct start *s = ctx;

	redirect_log(s->opt->base, s->graph->lab);
	_exit(server_run(s->script, s->graph, s->opt, client));
}

/*
 * The lock is looked at here only for the sake of a good message: the server takes it itself, and
 * of two that start at once one is refused there.
 */
int server_start(struct topo_script *script, struct graph *g, const struct lab_options *opt,
		 struct server_link *link, struct err *e)
{
	const struct start s = {script, g, opt};

	if (paths_is_locked_lab(opt->base, g->lab))
		return err_set(
			e, ERR_ENV,
			"lab '%s' is running already: take it down with 'vbet down -n %s', or "
			"start this one under another name with -n",
			g->lab, g->lab);
	return fork_server(become_new, &s, link, e);
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

/* note: warm_note(), or "". */
struct restore {
	const char *dir, *snapshot, *note;
	const struct server_follow *follow;
};

static void put_word(FILE *f, const char *word)
{
	fprintf(f, "%s%c", word ? word : "", '\0');
}

static void become_restored(const void *ctx, int client)
{
	const struct restore *r = ctx;
	char *file = xasprintf("%s/server", r->snapshot);
	const struct server_follow *f = r->follow;
	char *words = NULL;
	size_t len = 0;
	FILE *argument = xmemstream(&words, &len);
	struct err e;

	put_word(argument, r->snapshot);
	put_word(argument, r->dir);
	put_word(argument, f ? f->inputs : NULL);
	fprintf(argument, "%lld%c", f ? (long long)f->to_ns : 0, '\0');
	put_word(argument, r->note);
	put_word(argument, f ? f->captures : NULL);
	put_word(argument, f ? f->record : NULL);
	fclose(argument);

	redirect_again(r->dir, client);
	imprint_restore(file, server_imprint_note, words, len, &e);
	if (!paths_is_locked(r->dir))
		paths_remove_tree(r->dir);
	dprintf(0, "error %d \"%s\"\n", (int)e.kind, e.text);
	_exit(3);
}

/*
 * Two that start at once must not write over each other. captures: see warm.h, or NULL; they are
 * taken out of a snapshot that is for once.
 */
static int copy_run(const char *dir, const char *snapshot, const char *captures, struct err *e)
{
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", dir);
	int lock = paths_lock(dir);

	if (lock < 0)
		return errno == EAGAIN ? err_set(e, ERR_ENV, "a lab runs in %s already", dir)
				       : err_sys(e, "lock %s", dir);
	char *run = xasprintf("%s/run", snapshot);
	int rc = warm_bring_captures(run, captures, e) < 0 ? -1 : copy_tree(run, dir, e);

	free(run);
	close(lock);
	return rc;
}

/* Where the snapshot is then, malloc'ed, or NULL: where it was. */
static char *bring_back(const char *dir, const char *from, const char *snapshot)
{
	char *back = xasprintf("%s/%s", dir, BACK_DIR);
	size_t len = strlen(from);
	bool goes_along = !strncmp(snapshot, from, len) && snapshot[len] == '/';
	bool came = rename(from, back) == 0;
	char *now = came && goes_along ? xasprintf("%s%s", back, snapshot + len) : NULL;

	/* Without them, going back repeats more. */
	if (!came)
		fprintf(stderr, "%s: %s\n", back, strerror(errno));
	free(back);
	return now;
}

int server_restore(const char *dir, const char *snapshot, const struct server_follow *follow,
		   struct server_link *link, struct err *e)
{
	if (copy_run(dir, snapshot, follow ? follow->captures : NULL, e) < 0)
		return -1;
	char *kept = follow && follow->back ? bring_back(dir, follow->back, snapshot) : NULL;
	const struct restore r = {dir, kept ? kept : snapshot, "", follow};
	int rc = fork_server(become_restored, &r, link, e);

	free(kept);
	return rc;
}

int server_start_warm(const char *dir, const char *snapshot, const struct lab_options *opt,
		      struct server_link *link, struct err *e)
{
	char *note = warm_note(opt);
	const struct restore r = {dir, snapshot, note, NULL};
	int rc = copy_run(dir, snapshot, opt->captures, e) < 0
			 ? -1
			 : fork_server(become_restored, &r, link, e);

	free(note);
	return rc;
}
