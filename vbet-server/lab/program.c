/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs of end systems, which the script starts with "exec(es1, ...)". They run on the host as
 * the user, with libvnet between them and the lab.
 *
 * Each program is the leader of a session of its own, so that it goes with all that it has started.
 * Its end is no business of the lab's: it is logged, and not repeated.
 *
 * They are planned before the lab is up but started only when it is ready: their NICs are there
 * then, and whom they talk to is, too. What is added later is started at once.
 */
#include "vbet-server/lab/program.h"

#include "lib/container_of.h"
#include "lib/spawn.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/store/paths.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct program {
	struct lab *lab; /* set when it is started */
	char *name, *node, *command;
	struct child child; /* pid 0: does not run */
	struct loop_watch exited;
	bool started;
};

void programs_add(struct programs *p, const char *name, const char *node, const char *command)
{
	struct program *g = xcalloc(1, sizeof(*g));

	g->name = xstrdup(name);
	g->node = xstrdup(node);
	g->command = xstrdup(command);
	vec_push(&p->all, g);
}

/* Its status. */
static int reap(struct program *g)
{
	int status = 0;

	loop_remove(g->lab->loop, &g->exited);
	waitpid(g->child.pid, &status, 0);
	close(g->child.pidfd);
	g->child.pid = 0;
	return status;
}

/* A program that has done its work ends with 0, and nobody needs to hear of it. */
static void has_ended(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct program *g = container_of(w, struct program, exited);
	int status = reap(g);

	if (WIFSIGNALED(status))
		fprintf(stderr, "%s: '%s' was ended by signal %d\n", g->node, g->command,
			WTERMSIG(status));
	else if (WEXITSTATUS(status))
		fprintf(stderr, "%s: '%s' has ended with status %d\n", g->node, g->command,
			WEXITSTATUS(status));
}

/* In the child. */
static int enter_dir(void *ctx)
{
	return chdir(ctx);
}

/*
 * The user's environment, for programs of end systems are the user's own, and three words more
 * at its end: those, and the array, are the caller's to free.
 */
static char **make_environment(const struct program *g)
{
	VEC(char *) v = {0};

	for (char **e = environ; *e; e++)
		if (strncmp(*e, "VNET_CONF=", 10) != 0 && strncmp(*e, "VBET_NODE=", 10) != 0 &&
		    strncmp(*e, "PATH=", 5) != 0)
			vec_push(&v, *e);
	vec_push(&v, xasprintf("VNET_CONF=%s/n/%s/vnet.conf", g->lab->dir, g->node));
	vec_push(&v, xasprintf("VBET_NODE=%s", g->node));
	vec_push(&v, paths_search_path());
	vec_push(&v, NULL);
	return v.at;
}

static void free_environment(char **environment)
{
	size_t n = 0;

	while (environment[n])
		n++;
	for (size_t i = n - 3; i < n; i++)
		free(environment[i]);
	free(environment);
}

static int spawn_program(struct program *g, int log, int null, struct err *e)
{
	char *argv[] = {"/bin/sh", "-c", g->command, NULL};
	struct spawn s = {
		.argv = argv,
		.envp = make_environment(g),
		.fds = {null, log, log},
		.n_fds = 3,
		.prepare = enter_dir,
		.prepare_ctx = g->lab->base_dir ? g->lab->base_dir : "/",
	};
	int rc = spawn_child(&s, &g->child, e);

	free_environment((char **)s.envp);
	return rc;
}

static int start(struct program *g, struct lab *lab, struct err *e)
{
	char *name = xasprintf("n/%s/console.log", g->node);
	int log = lab_open_log(lab, name, e);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int rc = null < 0 ? err_sys(e, "open /dev/null") : log < 0 ? -1 : 0;

	free(name);
	g->lab = lab;
	g->started = true;
	if (rc == 0)
		rc = spawn_program(g, log, null, e);
	if (log >= 0)
		close(log);
	if (null >= 0)
		close(null);
	if (rc < 0)
		return err_wrap(e, "%s", g->node);
	lab_note_pid(lab, &g->child, g->name);
	g->exited = (struct loop_watch){.fd = g->child.pidfd, .ready = has_ended};
	return loop_add(lab->loop, &g->exited, EPOLLIN, e);
}

/* One that cannot be started does not keep the others from it; the first error is told. */
int programs_start(struct programs *p, struct lab *lab, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; i < p->all.n; i++) {
		struct err ignored;

		if (!p->all.at[i]->started && start(p->all.at[i], lab, rc ? &ignored : e) < 0)
			rc = -1;
	}
	return rc;
}

/*
 * The whole group, by SIGKILL: programs may ignore anything milder, and the lab does not wait for
 * them.
 */
static void free_program(struct program *g)
{
	if (g->child.pid) {
		kill(-g->child.pid, SIGKILL);
		reap(g);
	}
	free(g->name);
	free(g->node);
	free(g->command);
	free(g);
}

void programs_stop(struct programs *p, const char *name)
{
	for (size_t i = 0; i < p->all.n; i++) {
		if (!strcmp(p->all.at[i]->name, name)) {
			free_program(p->all.at[i]);
			vec_remove(&p->all, i);
			return;
		}
	}
}

void programs_finish(struct programs *p)
{
	for (size_t i = 0; i < p->all.n; i++)
		free_program(p->all.at[i]);
	vec_free(&p->all);
}
