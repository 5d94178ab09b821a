/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * "packages = [...]": the plan knows where the tree of a set of packages is (plan_env_tree()), and
 * this makes it. It is done here, in the command, because it takes long and says how far it is; a
 * server that runs a lab never waits for a download.
 */
#include "vbet-server/command/packages.h"

#include "lib/spawn.h"
#include "lib/vec.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/plan/plan_env.h"
#include "vbet-server/store/load.h"
#include "vbet-server/store/paths.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Proxies and the like come from our environment. */
static char **environment(bool quiet)
{
	VEC(char *) env = {0};

	for (char **p = environ; *p; p++)
		vec_push(&env, *p);
	if (quiet)
		vec_push(&env, (char *)"VBET_ROOTFS_QUIET=1");
	vec_push(&env, NULL);
	return env.at;
}

/* The script has said on standard error why it failed. */
static int wait_for(const struct child *c, const char *what, struct err *e)
{
	int status = 0;

	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for rootfs/packages.sh");
	close(c->pidfd);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return err_set(e, WIFEXITED(status) && WEXITSTATUS(status) == 2 ? ERR_USAGE : ERR_ENV,
		       "packages %s: there is no file system with them", what);
}

/* Calls a script of rootfs/build. */
static int build(struct strvec *words, const char *what, bool quiet, struct err *e)
{
	struct child c;
	int rc = -1;

	vec_push(words, NULL);
	struct spawn s = {.argv = (char **)words->at,
			  .envp = environment(quiet),
			  .fds = {-1, 2, 2},
			  .n_fds = 3};

	if (spawn_child(&s, &c, e) == 0)
		rc = wait_for(&c, what, e);
	free((void *)s.envp);
	return rc;
}

/* Adds the path of a part of the installation, in the arena. */
static int add_part(struct strvec *words, const char *name, struct arena *a, struct err *e)
{
	char *part = paths_find_part(name, e);

	if (!part)
		return -1;
	vec_push(words, arena_strdup(a, part));
	free(part);
	return 0;
}

/* What a guest with vbet has of the installation: this program and those that it starts. */
static int add_parts(struct strvec *words, struct arena *a, struct err *e)
{
	char *self = realpath("/proc/self/exe", NULL);

	if (!self)
		return err_sys(e, "/proc/self/exe");
	vec_push(words, arena_strdup(a, self));
	free(self);
	for (size_t i = 0; i < PLAN_ENV_PARTS; i++)
		if (add_part(words, plan_env_parts[i], a, e) < 0)
			return -1;
	vec_push(words, "--");
	return 0;
}

static int build_for(const struct graph_node *n, const struct plan_env *env, struct arena *a,
		     bool quiet, struct err *e)
{
	const char *out = plan_env_tree(env, n, a);
	const char *script = n->vbet ? "rootfs/build/nest.sh" : "rootfs/build/packages.sh";
	struct strvec words = {0};
	int rc;

	if (!out)
		return err_set(e, ERR_ENV,
			       "%s: there is no place for its packages: set HOME, or VBET_CACHE",
			       n->name);
	if (access(out, X_OK) == 0)
		return 0;
	rc = add_part(&words, script, a, e);
	vec_push(&words, env->tree);
	vec_push(&words, out);
	if (rc == 0 && n->vbet)
		rc = add_parts(&words, a, e);
	for (size_t i = 0; i < n->n_packages; i++)
		vec_push(&words, n->packages[i]);
	if (rc == 0)
		rc = build(&words, n->vbet ? "vbet" : plan_env_packages(n, a), quiet, e);
	vec_free(&words);
	return rc;
}

static bool has_own_tree(const struct graph_node *n)
{
	return n->n_packages || n->vbet;
}

/* A script without packages pays nothing: not even the common tree is looked for. */
int packages_build(const struct graph *g, bool quiet, struct err *e)
{
	struct plan_env env = {0};
	struct arena a = {0};
	int rc = 0;
	size_t i = 0;

	while (i < g->n_nodes && !has_own_tree(&g->nodes[i]))
		i++;
	if (i == g->n_nodes)
		return 0;
	rc = plan_env_find_trees(&env, e);
	for (; i < g->n_nodes && rc == 0; i++)
		if (has_own_tree(&g->nodes[i]))
			rc = build_for(&g->nodes[i], &env, &a, quiet, e);
	plan_env_finish(&env);
	arena_finish(&a);
	return rc;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The names as those of a node that has them. Sorted and each once, as the language keeps them: the
 * name of the tree is a hash of the list.
 */
static int build_named(char **names, size_t n, bool quiet, struct err *e)
{
	struct graph_node node = {.name = "packages", .kind = NODE_HOST};
	struct graph g = {.nodes = &node, .n_nodes = 1};
	size_t kept = 0;

	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	node.packages = (const char **)names;
	node.n_packages = kept;
	return packages_build(&g, quiet, e);
}

int cmd_packages(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct loaded l;
	const char *dot = strrchr(argv[0], '.');

	if (argc != 1 || !dot || strcmp(dot, ".vbet") != 0)
		return build_named(argv, (size_t)argc, o->quiet, e);
	if (load_script(&l, argv[0], NULL, e) < 0)
		return -1;
	int rc = ERR_USAGE;

	if (topo_n_errors(l.script))
		topo_print_errors(stderr, l.script);
	else
		rc = packages_build(l.graph, o->quiet, e);
	load_finish(&l);
	return rc;
}
